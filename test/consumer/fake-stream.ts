/**
 * Owns a stream that is an array, and a group that replicates it by applying a list of entries on every member: what the
 * consumers of a stream see of the world, without disk or network.
 */
import type { NodeId, Seq, TimestampUs } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { SubjectMatcher } from '../../src/base/subjects.ts';
import type { GroupStatus, LogIndex, Term } from '../../src/raft/index.ts';
import {
  emptyMessageView,
  readMessage,
  storedMessageBytes,
  writeMessagePrefix,
  type ApplyContext,
  type CursorStep,
  type ExtensionHost,
  type StoredMessage,
  type StreamConfig,
  type StreamCursor,
  type StreamExtension,
  type StreamState,
  type SubjectFilter,
} from '../../src/stream/index.ts';

interface Message {
  readonly bytes: Buffer;
  readonly timestampUs: TimestampUs;
  live: boolean;
}

export function encodeMessage(subject: string, payload: string, headers = ''): Buffer {
  const lengths = {
    subject: Buffer.byteLength(subject),
    headers: Buffer.byteLength(headers),
    payload: Buffer.byteLength(payload),
  };
  const bytes = Buffer.alloc(storedMessageBytes(lengths.subject, lengths.headers, lengths.payload));
  const at = writeMessagePrefix(bytes, 0, lengths);
  bytes.write(subject + headers + payload, at);
  return bytes;
}

export const STATUS_FOLLOWER: GroupStatus = {
  role: 'follower',
  term: 0 as Term,
  leader: undefined,
  ready: false,
  commitIndex: 0 as LogIndex,
  lastApplied: 0 as LogIndex,
  voters: ['n1' as NodeId],
  learners: [],
  repairing: false,
  peers: [],
};

/** What the log of a fake group carries. */
export type FakeEntry =
  | { readonly kind: 'store'; readonly messages: readonly Buffer[] }
  | { readonly kind: 'remove'; readonly seq: number }
  | { readonly kind: 'removeBelow'; readonly seq: number }
  | { readonly kind: 'operation'; readonly body: Buffer; readonly settle: (outcome: unknown) => void }
  | { readonly kind: 'progress'; readonly body: Buffer };

export interface Proposer {
  propose(entry: FakeEntry): boolean;
}

/** One replica. */
export class FakeStream implements ExtensionHost {
  readonly account = 'A';
  readonly createdUs = 0 as TimestampUs;
  config: StreamConfig;
  status: GroupStatus = STATUS_FOLLOWER;
  extension!: StreamExtension;
  /** Sequences that have to come from disk: they are readable after `arrive`. */
  readonly onDisk = new Set<number>();
  readonly #waiting: (() => void)[] = [];
  readonly #proposer: Proposer;
  readonly #messages: Message[] = [];
  #firstSeq = 1;
  #live = 0;
  /** False: `messageRemoved` doesn't tell subjects. */
  tellsSubjects = true;
  /** Without a lease: settles when the quorum has said whether this node still leads. */
  doubts: Promise<void> | undefined;

  constructor(config: StreamConfig, proposer: Proposer) {
    this.config = config;
    this.#proposer = proposer;
  }

  // ---- log ---------------------------------------------------------------------------------------------------

  apply(entry: FakeEntry, context: ApplyContext): void {
    switch (entry.kind) {
      case 'store':
        this.#store(entry.messages, context.timestampUs);
        return;
      case 'remove':
        this.removeMessage(entry.seq as Seq);
        return;
      case 'removeBelow':
        this.#removeBelow(entry.seq);
        return;
      case 'operation': {
        const outcome = this.extension.applyOperation(entry.body, context);
        if (context.ownProposal) entry.settle(outcome);
        return;
      }
      case 'progress':
        this.extension.applyProgress(entry.body, context);
    }
  }

  #store(messages: readonly Buffer[], timestampUs: TimestampUs): void {
    const first = this.#messages.length + 1;
    for (const bytes of messages) this.#messages.push({ bytes, timestampUs, live: true });
    this.#live += messages.length;
    this.extension.messagesStored(first as Seq, this.#messages.length as Seq);
  }

  removeMessage(seq: Seq): void {
    const message = this.#messages[seq - 1];
    if (message?.live !== true) return;
    message.live = false;
    this.#live--;
    this.#trim();
    const view = emptyMessageView();
    readMessage(message.bytes, 0, message.bytes.length, view);
    if (this.tellsSubjects) this.extension.messageRemoved(seq, view.buffer, view.subjectStart, view.headersStart);
    else this.extension.messageRemoved(seq);
  }

  #removeBelow(seq: number): void {
    for (let at = this.#firstSeq; at < seq; at++) {
      const message = this.#messages[at - 1]!;
      if (!message.live) continue;
      message.live = false;
      this.#live--;
    }
    this.#trim();
    this.extension.messagesRemovedBelow(seq as Seq);
  }

  #trim(): void {
    while (this.#firstSeq <= this.#messages.length && !this.#messages[this.#firstSeq - 1]!.live) this.#firstSeq++;
  }

  proposeOperation(body: Buffer): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.#proposer.propose({ kind: 'operation', body, settle: resolve })) {
        reject(new NotLeaderError('not the leader', true));
      }
    });
  }

  leadsForSure(): boolean {
    return this.doubts === undefined;
  }

  readBarrier(): Promise<void> {
    return this.doubts ?? Promise.resolve();
  }

  proposeProgress(body: Buffer): boolean {
    return this.#proposer.propose({ kind: 'progress', body });
  }

  // ---- reading -----------------------------------------------------------------------------------------------

  /** What was on disk is in memory now. */
  arrive(): void {
    this.onDisk.clear();
    for (const onReady of this.#waiting.splice(0)) onReady();
  }

  state(): StreamState {
    const { length } = this.#messages;
    return {
      messages: this.#live,
      bytes: 0,
      firstSeq: this.#firstSeq as Seq,
      firstTimestampUs: 0 as TimestampUs,
      lastSeq: length as Seq,
      lastTimestampUs: 0 as TimestampUs,
      numSubjects: 0,
      numDeleted: 0,
      consumerCount: this.extension.consumerCount(),
    };
  }

  isLive(seq: Seq): boolean {
    return this.#messages[seq - 1]?.live === true;
  }

  read(seq: Seq, into: StoredMessage, onReady: () => void): 'message' | 'gone' | 'wait' | 'lost' {
    const message = this.#messages[seq - 1];
    if (message?.live !== true) return 'gone';
    if (this.onDisk.has(seq)) {
      this.#waiting.push(onReady);
      return 'wait';
    }
    readMessage(message.bytes, 0, message.bytes.length, into);
    into.seq = seq;
    into.timestampUs = message.timestampUs;
    return 'message';
  }

  matches(seq: number, filter: SubjectFilter | undefined): boolean {
    const message = this.#messages[seq - 1];
    if (message?.live !== true) return false;
    if (filter === undefined) return true;
    const { bytes } = message;
    return filter.matches(bytes, 12, 12 + bytes.readUInt16BE(8));
  }

  openCursor(options: {
    readonly position: Seq;
    readonly filter: SubjectFilter | undefined;
    readonly onReady: () => void;
  }): StreamCursor {
    return new FakeCursor(this, options);
  }

  seqAtTime(timestampUs: TimestampUs): Seq {
    for (let seq = this.#firstSeq; seq <= this.#messages.length; seq++) {
      if (this.isLive(seq as Seq) && this.#messages[seq - 1]!.timestampUs >= timestampUs) return seq as Seq;
    }
    return (this.#messages.length + 1) as Seq;
  }

  lastSeqOf(filter: SubjectFilter | undefined): Seq {
    for (let seq = this.#messages.length; seq > 0; seq--) if (this.matches(seq, filter)) return seq as Seq;
    return 0 as Seq;
  }

  lastSeqOfSubject(buffer: Buffer, start: number, end: number): Seq {
    return this.lastSeqOf(new SubjectMatcher([buffer.toString('utf8', start, end)]));
  }

  lastSeqPerSubject(filter: SubjectFilter | undefined): Float64Array<ArrayBuffer> {
    const last = new Map<string, number>();
    for (let seq = 1; seq <= this.#messages.length; seq++) {
      if (!this.matches(seq, filter)) continue;
      const { bytes } = this.#messages[seq - 1]!;
      last.set(bytes.toString('utf8', 12, 12 + bytes.readUInt16BE(8)), seq);
    }
    return Float64Array.from(last.values()).sort();
  }

  nextSeqOf(filter: SubjectFilter, from: Seq): Promise<Seq> {
    for (let seq: number = from; seq <= this.#messages.length; seq++) {
      if (this.matches(seq, filter)) return Promise.resolve(seq as Seq);
    }
    return Promise.resolve(0 as Seq);
  }

  subjectCounts(filter: SubjectFilter): Promise<[subject: string, count: number][]> {
    const counts = new Map<string, number>();
    for (let seq = 1; seq <= this.#messages.length; seq++) {
      if (!this.matches(seq, filter)) continue;
      const { bytes } = this.#messages[seq - 1]!;
      const subject = bytes.toString('utf8', 12, 12 + bytes.readUInt16BE(8));
      counts.set(subject, (counts.get(subject) ?? 0) + 1);
    }
    return Promise.resolve([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

class FakeCursor implements StreamCursor {
  readonly view: StoredMessage = { ...emptyMessageView(), seq: 0 as Seq, timestampUs: 0 as TimestampUs };
  readonly #stream: FakeStream;
  readonly #onReady: () => void;
  #filter: SubjectFilter | undefined;
  position: Seq;

  constructor(
    stream: FakeStream,
    options: { readonly position: Seq; readonly filter: SubjectFilter | undefined; readonly onReady: () => void },
  ) {
    this.#stream = stream;
    this.#filter = options.filter;
    this.#onReady = options.onReady;
    this.position = options.position;
  }

  advance(): CursorStep {
    const { lastSeq, firstSeq } = this.#stream.state();
    this.position = Math.max(this.position, firstSeq) as Seq;
    for (; this.position <= lastSeq; this.position = (this.position + 1) as Seq) {
      if (!this.#stream.matches(this.position, this.#filter)) continue;
      const step = this.#stream.read(this.position, this.view, this.#onReady);
      if (step === 'wait') return 'wait';
      this.position = (this.position + 1) as Seq;
      if (step === 'message') return 'message';
    }
    return 'end';
  }

  seek(position: Seq): void {
    this.position = position;
  }

  countPending(): number {
    let count = 0;
    for (let seq: number = this.position; seq <= this.#stream.state().lastSeq; seq++) {
      if (this.#stream.matches(seq, this.#filter)) count++;
    }
    return count;
  }

  setFilter(filter: SubjectFilter | undefined): void {
    this.#filter = filter;
  }

  close(): void {
    this.#filter = new SubjectMatcher([]);
  }
}
