/** Owns gathering messages of a source in the form in which the stream stores them: each says where it is from. */
import type { Seq } from '../base/brand.ts';
import { enlarged } from '../base/byte-writing.ts';
import { markSourced, raisedTtl, storedMessageBytes, writeMessagePrefix } from '../stream/index.ts';
import { sourcedHeaders } from './header-lines.ts';
import type { Delivery } from './types.ts';

const SOURCE_HEADER = 'Nats-Stream-Source';
const MAX_BATCH_BYTES = 512 * 1024;
const FIRST_BYTES = 4096;

export interface SourcedMessages {
  readonly messages: Buffer;
  readonly count: number;
}

export class SourcedBatchWriter {
  readonly #word: string;
  readonly #mapping: string;
  readonly #maxMessages: number;
  readonly #leastTtl: () => number;
  #messages: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #bytes = 0;
  #count = 0;

  /** `word` and `mapping`: what all messages of the source have in their headers, before and behind the sequence. */
  constructor(options: {
    readonly word: string;
    readonly mapping: string;
    readonly maxMessages: number;
    /** In seconds; 0: any will do. */
    readonly leastTtl: () => number;
  }) {
    this.#word = options.word;
    this.#mapping = options.mapping;
    this.#maxMessages = options.maxMessages;
    this.#leastTtl = options.leastTtl;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= MAX_BATCH_BYTES || this.#count >= this.#maxMessages;
  }

  /** Copies the message, under `subject`. */
  add(delivery: Delivery, from: { readonly seq: Seq; readonly identity: string }, subject: Buffer): void {
    const { subjectBuffer, subjectStart, subjectEnd, buffer, headersStart, payloadStart, payloadEnd } = delivery;
    const original = subjectBuffer.toString('latin1', subjectStart, subjectEnd);
    const identity = from.identity === '' ? '' : ` ${from.identity}`;
    const value = `${this.#word} ${from.seq} ${this.#mapping} ${original}${identity}`;
    const line = Buffer.from(`${SOURCE_HEADER}: ${value}\r\n`, 'latin1');
    const headers = raisedTtl(sourcedHeaders(buffer, headersStart, payloadStart, line), this.#leastTtl());
    const lengths = { subject: subject.length, headers: headers.length, payload: payloadEnd - payloadStart };
    this.#reserve(storedMessageBytes(lengths.subject, lengths.headers, lengths.payload));
    const start = this.#bytes;
    let at = writeMessagePrefix(this.#messages, start, lengths);
    markSourced(this.#messages, start);
    at += subject.copy(this.#messages, at);
    at += headers.copy(this.#messages, at);
    at += buffer.copy(this.#messages, at, payloadStart, payloadEnd);
    this.#bytes = at;
    this.#count++;
  }

  /** Undefined: there are none. The writer is empty then. */
  take(): SourcedMessages | undefined {
    if (this.#count === 0) return undefined;
    const taken = { messages: this.#messages.subarray(0, this.#bytes), count: this.#count };
    this.#messages = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#bytes = 0;
    this.#count = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#bytes + bytes;
    if (needed > this.#messages.length) this.#messages = enlarged(this.#messages, this.#bytes, needed);
  }
}
