/**
 * Owns what this node proposes to its stream's log: publishes gathered into as few entries as possible, operations, and
 * who waits for which entry. An entry's outcome is known when it is applied with the term in which it was proposed;
 * when this node is deposed before that, nobody may answer for it.
 */
import type { Seq, TimestampUs } from '../../base/brand.ts';
import { NotLeaderError } from '../../base/errors.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { Entry, GroupHandle, GroupStatus, LogIndex, Term } from '../../raft/index.ts';
import {
  allocateBatch,
  entryWith,
  RECORD_MESSAGES_START,
  type ENTRY_ATOMIC_BATCH,
  type ENTRY_PREFIX_BATCH,
  type StreamEntryKind,
} from '../entries/entry-format.ts';
import { holdsMessages } from '../messages/message-format.ts';
import type { Submission, SubmissionException, SubmissionOutcome } from '../types.ts';

/** Submissions are gathered into one entry up to this; a bigger one has an entry of its own. */
const MAX_BATCH_BYTES = 512 * 1024;
const MAX_BATCH_MESSAGES = 65_536;
/** Publishes that wait to be proposed; above it they are refused. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const MAX_QUEUED_OPERATIONS = 10_000;

/** A submission as it is proposed: one whose messages depend on each other gets an entry of its own. */
export interface Publishes extends Submission {
  readonly kind?: typeof ENTRY_ATOMIC_BATCH | typeof ENTRY_PREFIX_BATCH;
}

interface QueuedOperation {
  readonly kind: StreamEntryKind;
  readonly payload: Buffer;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** An entry of ours that is on its way. */
export type Proposal = { readonly index: LogIndex; readonly term: Term } & (
  | { readonly kind: 'batch'; readonly submissions: readonly Submission[] }
  | { readonly kind: 'operation'; readonly operation: QueuedOperation }
  | { readonly kind: 'progress' }
);

/** Where publishes go on their way to the log. */
export type PublishSink = Pick<Proposer, 'isLeading' | 'submit'>;

export class Proposer {
  readonly #group: GroupHandle;
  readonly #runtime: Runtime;
  /** Time of the latest entry applied here. */
  readonly #appliedClock: () => TimestampUs;
  /** Called before messages are proposed to an idle group. */
  readonly #beforeBatch: () => void;
  #lastStampUs = 0 as TimestampUs;
  #queue: Publishes[] = [];
  #queuedBytes = 0;
  #operations: QueuedOperation[] = [];
  /** In order of their indexes. */
  #inFlight: Proposal[] = [];
  #closed = false;

  constructor(
    group: GroupHandle,
    runtime: Runtime,
    options: { readonly appliedClock: () => TimestampUs; readonly beforeBatch: () => void },
  ) {
    this.#group = group;
    this.#runtime = runtime;
    this.#appliedClock = options.appliedClock;
    this.#beforeBatch = options.beforeBatch;
  }

  /** False: nothing can be proposed here, and nothing may be answered. */
  get isLeading(): boolean {
    return !this.#closed && this.#group.status.role === 'leader';
  }

  /** Whatever this node proposed has been applied: the state is the one that the next entry will meet. */
  get isSettled(): boolean {
    const nothingWaits = this.#queue.length === 0 && this.#operations.length === 0;
    return nothingWaits && this.#inFlight.every(({ kind }) => kind === 'progress');
  }

  submit(submission: Publishes): void {
    if (!this.isLeading) {
      submission.settle({ kind: 'refused', reason: 'notLeader' });
      return;
    }
    const { messages, count } = submission;
    const overfull = this.#queuedBytes > 0 && this.#queuedBytes + messages.length > MAX_QUEUED_BYTES;
    if (overfull || !holdsMessages(messages, count)) {
      submission.settle({ kind: 'refused', reason: 'overloaded' });
      return;
    }
    if (this.#queue.length === 0 && this.#operations.length === 0 && this.#group.canPropose) {
      this.#beforeBatch();
      if (this.#proposeBatch([submission], count, messages.length)) return;
    }
    this.#queue.push(submission);
    this.#queuedBytes += messages.length;
  }

  /** Resolves with what applying the operation returned, here. @throws {NotLeaderError} */
  execute(kind: StreamEntryKind, payload: Buffer): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.isLeading) {
        reject(new NotLeaderError('this node does not lead the stream', true));
      } else if (this.#operations.length >= MAX_QUEUED_OPERATIONS) {
        reject(new NotLeaderError('too many operations wait for the stream', true));
      } else {
        this.#operations.push({ kind, payload, resolve, reject });
        this.flush();
      }
    });
  }

  /** False when it can't be proposed now. */
  proposeProgress(kind: StreamEntryKind, payload: Buffer): boolean {
    if (this.#closed || !this.#group.canPropose) return false;
    const index = this.#group.propose(entryWith(kind, this.#stamp(), payload));
    if (index === undefined) return false;
    this.#inFlight.push({ kind: 'progress', index, term: this.#group.status.term });
    return true;
  }

  /** Proposes what waits, as far as the group takes it. */
  flush(): void {
    while (this.#operations.length > 0 && this.#group.canPropose) {
      const operation = this.#operations[0]!;
      const index = this.#group.propose(entryWith(operation.kind, this.#stamp(), operation.payload));
      if (index === undefined) return;
      this.#operations.shift();
      this.#inFlight.push({ kind: 'operation', index, term: this.#group.status.term, operation });
    }
    while (this.#queue.length > 0 && this.#group.canPropose) if (!this.#proposeQueued()) return;
  }

  /** The proposal that `entry` is, if it is one of this node's in this leadership; it is no longer in flight then. */
  take(entry: Entry): Proposal | undefined {
    for (let oldest = this.#inFlight[0]; oldest !== undefined; oldest = this.#inFlight[0]) {
      if (oldest.index > entry.index) return undefined;
      this.#inFlight.shift();
      if (oldest.index === entry.index && oldest.term === entry.term) return oldest;
      this.#disown(oldest);
    }
    return undefined;
  }

  statusChanged(status: GroupStatus): void {
    const oldest = this.#inFlight[0];
    if (status.role !== 'leader' || (oldest !== undefined && oldest.term !== status.term)) this.#disownAll();
    if (status.role !== 'leader') this.#refuseQueued();
  }

  close(): void {
    this.#closed = true;
    this.#disownAll();
    this.#refuseQueued();
  }

  /** Tells each submission of an applied batch its part of the outcome. */
  static settle(submissions: readonly Submission[], firstSeq: Seq, exceptions: readonly SubmissionException[]): void {
    let seq: number = firstSeq;
    let ordinal = 0;
    let next = 0;
    for (const submission of submissions) {
      const end = ordinal + submission.count;
      const own: SubmissionException[] = [];
      let taken = submission.count;
      for (let exception = exceptions[next]; exception !== undefined; exception = exceptions[++next]) {
        if (exception.ordinal >= end) break;
        own.push({ ...exception, ordinal: exception.ordinal - ordinal });
        if (!exception.stored) taken--;
      }
      submission.settle({ kind: 'applied', firstSeq: seq as Seq, exceptions: own });
      seq += taken;
      ordinal = end;
    }
  }

  #proposeQueued(): boolean {
    let bytes = 0;
    let count = 0;
    let taken = 0;
    for (; taken < this.#queue.length; taken++) {
      const submission = this.#queue[taken]!;
      const full =
        bytes + submission.messages.length > MAX_BATCH_BYTES || count + submission.count > MAX_BATCH_MESSAGES;
      const alone = submission.kind !== undefined || this.#queue[0]!.kind !== undefined;
      if (taken > 0 && (full || alone)) break;
      bytes += submission.messages.length;
      count += submission.count;
    }
    const batch = this.#queue.slice(0, taken);
    if (!this.#proposeBatch(batch, count, bytes)) return false;
    this.#queue = this.#queue.slice(taken);
    this.#queuedBytes -= bytes;
    return true;
  }

  #proposeBatch(batch: readonly Publishes[], count: number, bytes: number): boolean {
    const record = allocateBatch(this.#stamp(), count, bytes, batch[0]?.kind);
    let at = RECORD_MESSAGES_START;
    for (const { messages } of batch) at += messages.copy(record, at);
    const { term } = this.#group.status;
    const index = this.#group.propose(record);
    if (index === undefined) return false;
    this.#inFlight.push({ kind: 'batch', index, term, submissions: batch });
    return true;
  }

  /** Wall time, except that it never goes back in the log. */
  #stamp(): TimestampUs {
    const stamp = Math.max(this.#runtime.wallUs(), this.#lastStampUs, this.#appliedClock()) as TimestampUs;
    this.#lastStampUs = stamp;
    return stamp;
  }

  #disownAll(): void {
    const proposals = this.#inFlight;
    this.#inFlight = [];
    for (const proposal of proposals) this.#disown(proposal);
  }

  #disown(proposal: Proposal): void {
    switch (proposal.kind) {
      case 'batch':
        for (const submission of proposal.submissions) submission.settle({ kind: 'unknown' });
        return;
      case 'operation':
        proposal.operation.reject(new NotLeaderError('leadership was lost before the outcome was known', false));
        return;
      case 'progress':
        return;
    }
  }

  #refuseQueued(): void {
    const outcome: SubmissionOutcome = { kind: 'refused', reason: 'notLeader' };
    const queue = this.#queue;
    const operations = this.#operations;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#operations = [];
    for (const submission of queue) submission.settle(outcome);
    for (const { reject } of operations) reject(new NotLeaderError('this node no longer leads the stream', true));
  }
}
