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
  #lastMsgId = '';
  readonly #ids = new Map<string, { readonly seq: number; readonly timestampUs: number }>();
  /** Interest retention: is the subject wanted? */
  needs: (subject: string) => boolean = () => true;

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

  publish(message: ModelMessage, timestampUs: number): ModelOutcome {
    for (const [id, { timestampUs: since }] of this.#ids) {
      if (since <= timestampUs - this.config.duplicateWindowMs * 1000) this.#ids.delete(id);
    }
    const refusal = this.#check(message);
    if (refusal !== undefined) return refusal;
    const seq = ++this.lastSeq;
    this.lastTimestampUs = timestampUs;
    const { subject, payload = '', headers = {} } = message;
    const id = headers['Nats-Msg-Id'] ?? '';
    this.#lastMsgId = id;
    if (id !== '' && this.config.duplicateWindowMs > 0) this.#ids.set(id, { seq, timestampUs });
    const needed = this.config.retention !== 'interest' || this.needs(subject);
    if (needed) this.messages.set(seq, { subject, payload, bytes: this.#size(message), timestampUs });
    const rollup = headers['Nats-Rollup']?.toLowerCase();
    for (const [other, stored] of this.messages) {
      if (other < seq && (rollup === 'all' || (rollup === 'sub' && stored.subject === subject))) {
        this.messages.delete(other);
      }
    }
    if (needed) this.#enforce(subject);
    return { kind: 'stored', seq };
  }

  purge(options: {
    readonly matches?: (subject: string) => boolean;
    readonly seq?: number;
    readonly keep?: number;
  }): number {
    const { matches, seq = 0, keep = 0 } = options;
    const before = this.messages.size;
    let doomed = this.matching(matches ?? (() => true));
    if (keep > 0) doomed = doomed.slice(0, Math.max(0, doomed.length - keep));
    else if (seq > 1 || (seq === 1 && matches === undefined)) doomed = doomed.filter((each) => each < seq);
    for (const each of doomed) this.messages.delete(each);
    if (matches === undefined && keep === 0 && seq > this.lastSeq + 1) this.lastSeq = seq - 1;
    return before - this.messages.size;
  }

  delete(seq: number): boolean {
    return this.messages.delete(seq);
  }

  /** Removes what was stored at or before `timestampUs`. */
  expire(timestampUs: number): void {
    for (const [seq, message] of this.messages) if (message.timestampUs <= timestampUs) this.messages.delete(seq);
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
    const original = this.#ids.get(given('Nats-Msg-Id') ?? '');
    if (original !== undefined && config.duplicateWindowMs > 0) return { kind: 'duplicate', seq: original.seq };
    const lastSeq = given('Nats-Expected-Last-Sequence');
    if (lastSeq !== undefined && lastSeq !== String(this.lastSeq)) return error(10071);
    const subjectSeq = given('Nats-Expected-Last-Subject-Sequence');
    const expected = this.matching((each) => each === subject).at(-1) ?? 0;
    if (subjectSeq !== undefined && subjectSeq !== String(expected)) return error(10071);
    const rollup = given('Nats-Rollup')?.toLowerCase();
    if (rollup !== undefined && (!config.allowRollupHdrs || config.denyPurge)) return error(10111);
    if (rollup !== undefined && rollup !== 'sub' && rollup !== 'all') return error(10111);
    if (this.#full({ subject, headers, payload }, rollup !== undefined)) return error(10077);
    const lastId = given('Nats-Expected-Last-Msg-Id');
    return lastId !== undefined && lastId !== this.#lastMsgId ? error(10070) : undefined;
  }

  #full(message: ModelMessage, rollup: boolean): boolean {
    const { config } = this;
    if (config.discard !== 'new') return false;
    if (config.maxMsgs > 0 && this.messages.size >= config.maxMsgs) return true;
    if (config.maxBytes > 0 && this.bytes + this.#size(message) > config.maxBytes) return true;
    if (!config.discardNewPerSubject || rollup) return false;
    return this.matching((subject) => subject === message.subject).length >= config.maxMsgsPerSubject;
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
    for (const seq of seqs.slice(0, Math.max(0, seqs.length - maxMsgsPerSubject))) this.messages.delete(seq);
  }

  #trimHead(): void {
    const { discard, maxMsgs, maxBytes } = this.config;
    if (discard !== 'old') return;
    for (const seq of [...this.messages.keys()]) {
      const tooMany = maxMsgs > 0 && this.messages.size > maxMsgs;
      const tooLarge = maxBytes > 0 && this.bytes > maxBytes;
      if (!tooMany && !tooLarge) return;
      this.messages.delete(seq);
    }
  }
}

/** Bytes of the header block that these make, from its version line through the blank line. */
function headerBytes(headers: Readonly<Record<string, string>>): number {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.length === 0 ? 0 : Buffer.byteLength(`NATS/1.0\r\n${lines.join('')}\r\n`);
}
