/**
 * Owns what the stream's users share with it: configuration, state, how messages are submitted and read, and what the
 * consumers of a stream must implement to be part of its replicated state.
 */
import type { NodeId, Seq, TimestampUs } from '../base/brand.ts';
import type { ApiError } from '../base/api-errors.ts';
import type { GroupStatus, LogIndex, PageSink } from '../raft/index.ts';
import type { MessageView } from './messages/message-format.ts';
import type { SourcePosition } from './source-positions.ts';

/** A stream's configuration after defaults were filled in. -1 means unlimited, 0 for a duration means off. */
export interface StreamConfig {
  readonly name: string;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'interest' | 'workqueue';
  readonly maxConsumers: number;
  readonly maxMsgs: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxMsgsPerSubject: number;
  readonly maxMsgSize: number;
  readonly discard: 'old' | 'new';
  readonly discardNewPerSubject: boolean;
  readonly storage: 'file' | 'memory';
  readonly numReplicas: number;
  readonly noAck: boolean;
  readonly duplicateWindowMs: number;
  readonly placement: { readonly cluster: string; readonly tags: readonly string[] } | undefined;
  readonly compression: 'none' | 's2';
  readonly firstSeq: number;
  readonly allowDirect: boolean;
  readonly sealed: boolean;
  readonly denyDelete: boolean;
  readonly denyPurge: boolean;
  readonly allowRollupHdrs: boolean;
  readonly consumerLimits: { readonly inactiveThresholdMs: number; readonly maxAckPending: number };
  readonly metadata: Readonly<Record<string, string>>;
  /** Fed by this stream alone, with its sequences and timestamps. */
  readonly mirror: StreamSource | undefined;
  readonly sources: readonly StreamSource[];
  readonly mirrorDirect: boolean;
  /** Applied to the subject of every message before anything else. */
  readonly subjectTransform: SubjectMapping | undefined;
  readonly republish: (SubjectMapping & { readonly headersOnly: boolean }) | undefined;
  readonly allowMsgTtl: boolean;
  readonly subjectDeleteMarkerTtlMs: number;
  readonly allowMsgCounter: boolean;
  readonly allowAtomic: boolean;
  readonly allowBatched: boolean;
  readonly allowMsgSchedules: boolean;
  readonly persistMode: 'default' | 'async';
  /** An archive is being loaded: until then the stream captures nothing, and clients do not see it. */
  readonly restoring?: true;
}

/** A subject mapping: what matches `src` becomes `dest` (streams.md 2.6). */
export interface SubjectMapping {
  readonly src: string;
  readonly dest: string;
}

/** Where a mirror or a source takes its messages from (streams.md 2.4). Zero values where the client said nothing. */
export interface StreamSource {
  readonly name: string;
  readonly optStartSeq: number;
  readonly optStartTimeUs: TimestampUs | undefined;
  readonly filterSubject: string;
  readonly subjectTransforms: readonly SubjectMapping[];
  /** In another account or domain: its API and delivery prefixes. */
  readonly external: { readonly api: string; readonly deliver: string } | undefined;
  /** A durable consumer that the user made for it. */
  readonly consumer: { readonly name: string; readonly deliverSubject: string } | undefined;
}

/** Numbers a client sees in `STREAM.INFO`. `bytes` counts as the reference server does (streams.md 4.1). */
export interface StreamState {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: Seq;
  readonly firstTimestampUs: TimestampUs;
  readonly lastSeq: Seq;
  readonly lastTimestampUs: TimestampUs;
  readonly numSubjects: number;
  readonly numDeleted: number;
  readonly consumerCount: number;
}

/** Publishes gathered by one node in one turn. */
export interface Submission {
  /** `count` messages in stored form (message-format.ts). Must stay as they are until `settle`. */
  readonly messages: Buffer;
  readonly count: number;
  /** Messages of a source, marked as such: they come as they are to be stored, but for the values of counters. */
  readonly isSourced?: boolean;
  /** In order of `ordinal`: messages whose reply subject belongs to a fast batch. Absent in the common case. */
  readonly batchReplies?: readonly BatchReply[] | undefined;
  /** Called exactly once. */
  settle(outcome: SubmissionOutcome): void;
}

/** A reply subject that ends in `.$FI`: it says what the message is in its batch. */
export interface BatchReply {
  readonly ordinal: number;
  readonly reply: string;
}

export type SubmissionOutcome =
  | {
      /** Also when every message was refused before the log: each has an exception then. */
      readonly kind: 'applied';
      /** The sequence of the first message without an exception; those that follow count up by one. */
      readonly firstSeq: Seq;
      /** In order of `ordinal`. Empty in the common case. */
      readonly exceptions: readonly SubmissionException[];
    }
  /** Certainly not proposed (not the leader, or the queue is full): may be sent again elsewhere. */
  | { readonly kind: 'refused'; readonly reason: 'notLeader' | 'overloaded' }
  /** Proposed, but this node was deposed before it knew the outcome: nobody may answer for it. */
  | { readonly kind: 'unknown' };

/**
 * A message of a submission whose reply is not the plain `{"stream":…,"seq":…}`. Several in a row with one ordinal are as
 * many replies to that message; at most the last of them says that it was stored.
 */
export interface SubmissionException {
  readonly ordinal: number;
  /** True if the message took the next sequence all the same. */
  readonly stored: boolean;
  /** The whole reply, JSON or empty: an error, a duplicate, ... Undefined: it is not answered. */
  readonly reply: string | undefined;
}

/** A subject filter made once and used for many messages; `undefined` stands for "all". */
export interface SubjectFilter {
  readonly subjects: readonly string[];
  matches(subject: Buffer, start: number, end: number): boolean;
}

/** One message as read from the stream. The view is reused. */
export interface StoredMessage extends MessageView {
  seq: Seq;
  timestampUs: TimestampUs;
}

/**
 * `message`: the cursor's view holds the next message. `end`: none left now. `wait`: a block is on its way from disk;
 * `onReady` is called when it pays to try again. `lost`: the block at `seq` can't be proven; the cursor is behind it.
 */
export type CursorStep = 'message' | 'end' | 'wait' | 'lost';

/** Reads a stream in order. Cheap to keep; not a snapshot: what is removed meanwhile is skipped. */
export interface StreamCursor {
  readonly view: StoredMessage;
  /** The least sequence `advance` may return next. */
  readonly position: Seq;
  advance(): CursorStep;
  seek(position: Seq): void;
  /** Counts matching messages at or behind `position`, exactly, without reading payloads. */
  countPending(): number;
  setFilter(filter: SubjectFilter | undefined): void;
  close(): void;
}

/** What consumers (and direct get) read. All reads see the applied state of this replica. */
export interface StreamReader {
  readonly account: string;
  readonly config: StreamConfig;
  readonly createdUs: TimestampUs;
  state(): StreamState;
  openCursor(options: {
    readonly position: Seq;
    readonly filter: SubjectFilter | undefined;
    readonly onReady: () => void;
  }): StreamCursor;
  /** Fills `into` with the message at `seq`. `gone`: removed or never there. `wait`: call again after `onReady`. */
  read(seq: Seq, into: StoredMessage, onReady: () => void): 'message' | 'gone' | 'wait' | 'lost';
  isLive(seq: Seq): boolean;
  /** Least live sequence with a timestamp at or after `timestampUs`, or last + 1. */
  seqAtTime(timestampUs: TimestampUs): Seq;
  /** Highest live sequence whose subject matches; 0 if none. */
  lastSeqOf(filter: SubjectFilter | undefined): Seq;
  /** The same for the literal subject in `buffer[start, end)`. */
  lastSeqOfSubject(buffer: Buffer, start: number, end: number): Seq;
  /** The last sequence of every matching subject, ascending. At most `limit + 1` of them, so that the caller sees overflow. */
  lastSeqPerSubject(filter: SubjectFilter | undefined, limit: number): Float64Array<ArrayBuffer>;
  /** Least live matching sequence at or behind `from`; 0 if none. Bounded by summaries, may read blocks. */
  nextSeqOf(filter: SubjectFilter, from: Seq): Promise<Seq>;
  /** Live messages per matching subject, sorted by subject. */
  subjectCounts(filter: SubjectFilter): Promise<[subject: string, count: number][]>;
}

/** Operations on a stream that go through its log. Plain data: they are stored as JSON. */
export type StreamOperation =
  | { readonly op: 'configure'; readonly config: StreamConfig; readonly revision: number }
  | {
      readonly op: 'purge';
      readonly filter: string | undefined;
      readonly seq: number | undefined;
      readonly keep: number | undefined;
    }
  | { readonly op: 'deleteMessage'; readonly seq: number; readonly erase: boolean };

export type OperationResult =
  { readonly kind: 'done'; readonly purged: number } | { readonly kind: 'error'; readonly error: ApiError };

/** A stream on this node: replica and, if it leads, the place where things happen. */
export interface StreamInstance extends StreamReader {
  readonly status: GroupStatus;
  /** Revision of the configuration that is applied here (see `StreamAssignment.revision`). */
  readonly configRevision: number;
  /** Of the latest entry that the state here has. */
  readonly appliedIndex: LogIndex;
  /** Resolves with true once the state here has that entry, with false if time is up before, or the stream is closed. */
  whenApplied(index: LogIndex, timeoutMs: number): Promise<boolean>;
  submit(submission: Submission): void;
  /** Resolves when the operation was applied here, on the leader. @throws {NotLeaderError} */
  execute(operation: StreamOperation): Promise<OperationResult>;
  /**
   * Stores a batch from a `PlacedBatchWriter`: messages that bring their sequences and times along, below none of which
   * the stream may have stored anything else. Nothing of it is stored unless the stream is a mirror, or being restored.
   * Resolves with the last sequence, on the leader. @throws {NotLeaderError}
   */
  place(batch: Buffer): Promise<Seq>;
  /** Resolves when reads here are linearizable. @throws {NotLeaderError} */
  readBarrier(): Promise<void>;
  transferLeadership(to?: NodeId): Promise<boolean>;
  /** How far a source has come, by the name that its messages give it (source-positions.ts). */
  sourcePosition(index: string): SourcePosition | undefined;
  readonly extension: StreamExtension;
}

/** Learns of messages while they are stored, on the leader that proposed them: so at most once. */
export interface StoredWatcher {
  /** The view is reused. `previousSeq`: the message that was the last one on this subject; 0 if there was none. */
  stored(
    message: MessageView,
    at: { readonly seq: Seq; readonly timestampUs: TimestampUs; readonly previousSeq: Seq },
  ): void;
}

/** Handed to the extension at each entry it takes part in. */
export interface ApplyContext {
  /** The leader's time when it proposed the entry; never falls within a stream. */
  readonly timestampUs: TimestampUs;
  /** True on the leader that proposed this very entry. */
  readonly ownProposal: boolean;
}

/** What the stream offers to its extension, beside reading. */
export interface ExtensionHost extends StreamReader {
  readonly status: GroupStatus;
  /** True: no other node can lead the stream right now. `status` may not have heard yet that another one does. */
  leadsForSure(): boolean;
  /** Resolves once this node was surely the leader at some moment after the call. @throws {NotLeaderError} */
  readBarrier(): Promise<void>;
  /**
   * Proposes an operation of the extension; resolves with what `applyOperation` returned on this leader.
   * @throws {NotLeaderError}
   */
  proposeOperation(body: Buffer): Promise<unknown>;
  /**
   * Proposes progress, in one entry of its own, together with whatever else is proposed in this turn.
   * False when this node can't propose now: keep the progress, `proposalsWelcome` will come.
   */
  proposeProgress(body: Buffer): boolean;
  /** Removes messages that retention no longer needs; called from within `apply…`, so on every replica alike. */
  removeMessage(seq: Seq): void;
}

/**
 * Consumers are part of their stream's replicated state. The stream calls this in log order; consumer/ implements it.
 * Determinism and page rules are those of raft's `StateMachine`.
 */
export interface StreamExtension {
  /** Replicated: returns the result for the proposer. */
  applyOperation(body: Buffer, context: ApplyContext): unknown;
  /** Replicated. */
  applyProgress(body: Buffer, context: ApplyContext): void;
  /**
   * Messages first..last were appended and are live. Once per entry, or once per run of them if the entry itself removed
   * some of its messages again.
   */
  messagesStored(first: Seq, last: Seq): void;
  /**
   * A live message was removed, for whatever reason. Called in ascending order within one operation. Its subject is in
   * subject[start, end) if it is at hand; consumers with filters must count their pending messages anew without it.
   */
  messageRemoved(seq: Seq, subject?: Buffer, start?: number, end?: number): void;
  /** Everything below `seq` is gone: by a `purge`, or by limits at the head. Instead of many `messageRemoved`. */
  messagesRemovedBelow(seq: Seq, purge?: boolean): void;
  /** Interest retention: does any consumer still need this message? */
  needs(subject: Buffer, start: number, end: number): boolean;
  statusChanged(status: GroupStatus): void;
  /** As of raft's `StateMachine`. */
  beforeHandover(): Promise<void>;
  staysLeader(): void;
  proposalsWelcome(): void;
  /** Messages are about to be proposed: what is proposed right now goes to the disk and to the followers with them. */
  proposalComes(): void;
  configChanged(config: StreamConfig): void;
  consumerCount(): number;
  digest(): number;
  beginCheckpoint(): void;
  writePages(sink: PageSink, maxBytes: number): boolean;
  endCheckpoint(durable: boolean): void;
  /** `pages`: those that this extension wrote (the stream adds and strips its own key prefix). */
  restore(pages: readonly (readonly [Buffer, Buffer])[]): void;
  close(): void;
}
