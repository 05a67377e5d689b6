/**
 * Owns a stream as plain as can be: a map of messages and the rules of the reference, one by one. What the real one does
 * is compared with it.
 */
import type { StreamConfig } from '../../src/stream/index.ts';

export interface ModelMessage {
  readonly subject: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: string;
}

interface Stored {
  readonly subject: string;
  readonly payload: string;
  readonly bytes: number;
  readonly timestampUs: number;
  /** Seconds; 0: none of its own, Infinity: for ever. */
  readonly ttl: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** `errCode` of the refusal, or where the message went. */
export type ModelOutcome =
  | { readonly kind: 'stored'; readonly seq: number }
  | { readonly kind: 'duplicate'; readonly seq: number }
  | { readonly kind: 'error'; readonly errCode: number };

export class StreamModel {
  config: StreamConfig;
  readonly messages = new Map<number, Stored>();
  lastSeq: number;
  lastTimestampUs = 0;
  /** When each live schedule last fired; 0: not yet. */
  readonly schedules = new Map<number, number>();
  #lastMsgId = '';
  readonly #ids = new Map<string, { readonly seq: number; readonly timestampUs: number }>();
  /** Interest retention: is the subject wanted? */
  needs: (subject: string) => boolean = () => true;
  /** Told of every message that leaves. */
  removed: (seq: number) => void = () => undefined;
  /** Told of a purge of everything below `first`. */
  purgedBelow: (first: number) => void = () => undefined;

  constructor(config: StreamConfig) {
    this.config = config;
    this.lastSeq = Math.max(0, config.firstSeq - 1);
  }

  get firstSeq(): number {
    return Math.min(this.lastSeq + 1, ...this.messages.keys());
  }

  get bytes(): number {
    return [...this.messages.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get subjects(): Set<string> {
    return new Set([...this.messages.values()].map(({ subject }) => subject));
  }

  /** Live sequences of subjects that match, ascending. */
  matching(matches: (subject: string) => boolean): number[] {
    return [...this.messages].filter(([, { subject }]) => matches(subject)).map(([seq]) => seq);
  }

  /** An atomic batch of messages that ask for nothing but to be stored once: all of them are, or none. */
  publishAtomic(messages: readonly ModelMessage[], timestampUs: number): ModelOutcome[] {
    this.#expireIds(timestampUs);
    const ids = messages.flatMap(({ headers }) => headers?.['Nats-Msg-Id'] ?? []);
    const isRepeated = new Set(ids).size < ids.length || ids.some((id) => this.#ids.has(id));
    if (isRepeated) return messages.map(() => ({ kind: 'error', errCode: 10201 }));
    return messages.map((message) => ({ kind: 'stored', seq: this.#keep(message, timestampUs) }));
  }

  publish(message: ModelMessage, timestampUs: number): ModelOutcome {
    this.#expireIds(timestampUs);
    const refusal = this.#check(message);
    return refusal ?? { kind: 'stored', seq: this.#keep(message, timestampUs) };
  }

  /** A message of a source: stored unless its id was seen. It rolls up only where that is allowed. */
  source(message: ModelMessage, timestampUs: number): ModelOutcome {
    this.#expireIds(timestampUs);
    const original = this.#ids.get(message.headers?.['Nats-Msg-Id'] ?? '');
    if (original !== undefined && this.config.duplicateWindowMs > 0) return { kind: 'duplicate', seq: original.seq };
    return { kind: 'stored', seq: this.#keep(message, timestampUs, this.#askedByTaken(message)) };
  }

  /** A message that brings its sequence and time along, from a stream that this one mirrors. */
  place(seq: number, message: ModelMessage, timestampUs: number): void {
    this.lastSeq = seq - 1;
    this.#keep(message, timestampUs, this.#askedByTaken(message));
  }

  /** What the headers of a message that was taken from elsewhere ask for here. */
  #askedByTaken({ headers = {} }: ModelMessage): Readonly<Record<string, string>> {
    const { allowMsgTtl, allowRollupHdrs, allowMsgSchedules } = this.config;
    const isHeeded = (name: string): boolean => {
      if (name === 'Nats-TTL') return allowMsgTtl;
      if (name === 'Nats-Rollup') return allowRollupHdrs;
      return !name.startsWith('Nats-Schedule') || allowMsgSchedules;
    };
    return Object.fromEntries(Object.entries(headers).filter(([name]) => isHeeded(name)));
  }

  /**
   * A message that the stream made itself because of `basis`; `dueUs` is 0 for a delete marker. Its sequence, or 0: it is
   * not made.
   */
  produce(
    message: ModelMessage,
    reason: { readonly basis: number; readonly dueUs: number },
    timestampUs: number,
  ): number {
    const { basis, dueUs } = reason;
    if (!this.messages.has(basis)) return 0;
    if (dueUs === 0) {
      if (this.matching((each) => each === message.subject).join() === String(basis)) {
        return this.#keep(message, timestampUs);
      }
      this.delete(basis);
      return 0;
    }
    if ((this.schedules.get(basis) ?? Infinity) >= dueUs) return 0;
    this.schedules.set(basis, dueUs);
    return this.#keep(message, timestampUs);
  }

  #expireIds(timestampUs: number): void {
    for (const [id, { timestampUs: since }] of this.#ids) {
      if (since <= timestampUs - this.config.duplicateWindowMs * 1000) this.#ids.delete(id);
    }
  }

  /** `headers`: those that count. */
  #keep(message: ModelMessage, timestampUs: number, headers = message.headers ?? {}): number {
    const seq = ++this.lastSeq;
    this.lastTimestampUs = timestampUs;
    const { subject, payload = '' } = message;
    const id = headers['Nats-Msg-Id'] ?? '';
    this.#lastMsgId = id;
    if (id !== '' && this.config.duplicateWindowMs > 0 && this.config.mirror === undefined)
      this.#ids.set(id, { seq, timestampUs });
    const needed = this.config.retention !== 'interest' || this.needs(subject);
    this.#endSchedules(subject, headers);
    if (needed) {
      this.messages.set(seq, {
        subject,
        payload,
        bytes: this.#size(message),
        timestampUs,
        ttl: ttlOf(headers),
        headers,
      });
      if (headers['Nats-Schedule'] !== undefined) this.schedules.set(seq, 0);
    }
    const rollup = headers['Nats-Rollup']?.toLowerCase();
    for (const [other, stored] of this.messages) {
      if (other < seq && (rollup === 'all' || (rollup === 'sub' && stored.subject === subject))) {
        this.delete(other);
      }
    }
    if (needed) this.#enforce(subject);
    return seq;
  }

  /** A message ends the schedule whose subject it takes, and that of which it is the last product. */
  #endSchedules(subject: string, headers: Readonly<Record<string, string>>): void {
    const ended = headers['Nats-Schedule-Next'] === 'purge' ? headers['Nats-Scheduler'] : undefined;
    for (const seq of this.schedules.keys()) {
      const own = this.messages.get(seq)!.subject;
      if (own === ended) this.delete(seq);
      else if (own === subject) this.schedules.delete(seq);
    }
  }

  /** One step of a purge: see `PurgeStep`. */
  purge(step: {
    readonly matches?: (subject: string) => boolean;
    readonly from?: number;
    readonly below?: number | undefined;
  }): number {
    const { matches, from = 0, below = Infinity } = step;
    const before = this.messages.size;
    for (const [seq, { subject }] of this.messages) {
      if (seq < below && (matches === undefined || (seq >= from && matches(subject)))) this.delete(seq);
    }
    if (matches === undefined && this.messages.size < before) this.purgedBelow(this.firstSeq);
    if (matches === undefined && below !== Infinity) this.lastSeq = Math.max(this.lastSeq, below - 1);
    return before - this.messages.size;
  }

  delete(seq: number): boolean {
    this.schedules.delete(seq);
    const wasThere = this.messages.delete(seq);
    if (wasThere) this.removed(seq);
    return wasThere;
  }

  /** Whether a message may be removed at `nowUs` for what its `ttl` or the stream's `max_age` says. */
  isDue(seq: number, nowUs: number): boolean {
    const { timestampUs, ttl } = this.messages.get(seq)!;
    const ageMs = this.config.maxAgeMs;
    const isOld = ageMs > 0 && ttl !== Infinity && timestampUs + ageMs * 1000 <= nowUs;
    return isOld || (ttl > 0 && timestampUs + ttl * 1_000_000 <= nowUs);
  }

  configure(config: StreamConfig): void {
    this.config = config;
    for (const subject of this.subjects) this.#trimSubject(subject);
    this.#trimHead();
  }

  #check({ subject, headers = {}, payload = '' }: ModelMessage): ModelOutcome | undefined {
    const { config } = this;
    const given = (name: string): string | undefined => (headers[name] === '' ? undefined : headers[name]);
    const error = (errCode: number): ModelOutcome => ({ kind: 'error', errCode });
    if (config.sealed) return error(10109);
    const headersBytes = headerBytes(headers);
    if (config.maxMsgSize >= 0 && headersBytes + Buffer.byteLength(payload) > config.maxMsgSize) return error(10054);
    if (headersBytes > 65_535) return error(10097);
    const stream = given('Nats-Expected-Stream');
    if (stream !== undefined && stream !== config.name) return error(10060);
    const subjectSeq = given('Nats-Expected-Last-Subject-Sequence');
    const expected = this.matching((each) => each === subject).at(-1) ?? 0;
    if (subjectSeq !== undefined && subjectSeq !== String(expected)) return error(10071);
    const lastSeq = given('Nats-Expected-Last-Sequence');
    if (lastSeq !== undefined && lastSeq !== String(this.lastSeq)) return error(10071);
    const original = this.#ids.get(given('Nats-Msg-Id') ?? '');
    if (original !== undefined && config.duplicateWindowMs > 0) return { kind: 'duplicate', seq: original.seq };
    const lastId = given('Nats-Expected-Last-Msg-Id');
    if (lastId !== undefined && lastId !== this.#lastMsgId) return error(10070);
    const rollup = given('Nats-Rollup')?.toLowerCase();
    if (rollup !== undefined && (!config.allowRollupHdrs || config.denyPurge)) return error(10111);
    if (rollup !== undefined && rollup !== 'sub' && rollup !== 'all') return error(10111);
    return this.#isFull({ subject, headers, payload }, rollup !== undefined) ? error(10077) : undefined;
  }

  #isFull(message: ModelMessage, rollup: boolean): boolean {
    const { discard, discardNewPerSubject, maxMsgsPerSubject, maxMsgs, maxBytes } = this.config;
    if (discard !== 'new') return false;
    const same = this.matching((subject) => subject === message.subject);
    const replaces = maxMsgsPerSubject > 0 && same.length >= maxMsgsPerSubject;
    if (replaces && discardNewPerSubject && !rollup) return true;
    if (maxMsgs > 0 && this.messages.size >= maxMsgs && !replaces) return true;
    const size = this.#size(message);
    const fits = replaces && this.messages.get(same[0]!)!.bytes >= size;
    return maxBytes > 0 && this.bytes + size > maxBytes && !fits;
  }

  #size({ subject, headers = {}, payload = '' }: ModelMessage): number {
    const headersBytes = headerBytes(headers);
    const parts = Buffer.byteLength(subject) + headersBytes + Buffer.byteLength(payload);
    if (this.config.storage === 'memory') return 16 + parts;
    return (headersBytes === 0 ? 30 : 34) + parts;
  }

  #enforce(subject: string): void {
    this.#trimSubject(subject);
    this.#trimHead();
  }

  #trimSubject(subject: string): void {
    const { maxMsgsPerSubject } = this.config;
    if (maxMsgsPerSubject <= 0) return;
    const seqs = this.matching((each) => each === subject);
    for (const seq of seqs.slice(0, Math.max(0, seqs.length - maxMsgsPerSubject))) this.delete(seq);
  }

  #trimHead(): void {
    const { discard, maxMsgs, maxBytes } = this.config;
    if (discard !== 'old') return;
    for (const seq of [...this.messages.keys()]) {
      const tooMany = maxMsgs > 0 && this.messages.size > maxMsgs;
      const tooLarge = maxBytes > 0 && this.bytes > maxBytes;
      if (!tooMany && !tooLarge) return;
      this.delete(seq);
    }
  }
}

function ttlOf(headers: Readonly<Record<string, string>>): number {
  const value = headers['Nats-TTL'];
  if (value === undefined) return 0;
  return value === 'never' ? Infinity : Number.parseInt(value, 10);
}

/** Bytes of the header block that these make, from its version line through the blank line. */
function headerBytes(headers: Readonly<Record<string, string>>): number {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? 0 : Buffer.byteLength(`NATS/1.0\r\n${lines.join('')}\r\n`);
}
