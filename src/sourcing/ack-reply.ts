/** Owns reading a delivery's reply subject, which tells where the message is in its stream (consumers.md 6.1). */
import type { Seq, TimestampUs } from '../base/brand.ts';
import type { Delivery } from './types.ts';

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const PREFIX = Buffer.from('$JS.ACK.');
/** Tokens of the form without a domain, and the fewest of the one with it and the account. */
const SHORT_TOKENS = 9;
const LONG_TOKENS = 11;
const MAX_TOKENS = 16;
const SHORT_FIRST_NUMBER = 4;
const LONG_FIRST_NUMBER = 6;
/** Below a microsecond nothing is kept. */
const NANO_DIGITS = 3;

/** Where one delivered message is. Reused from message to message. */
export class AckReply {
  attempts = 0;
  seq = 0 as Seq;
  /** Counts the deliveries of the consumer. */
  deliverySeq = 0;
  timestampUs = 0 as TimestampUs;
  /** Messages that follow. */
  pending = 0;
  readonly #starts = new Int32Array(MAX_TOKENS);
  readonly #ends = new Int32Array(MAX_TOKENS);

  /** False: the delivery is no stored message. */
  read({ replyBuffer, replyStart, replyEnd }: Delivery): boolean {
    const bytes = replyEnd - replyStart;
    if (bytes < PREFIX.length) return false;
    if (replyBuffer.compare(PREFIX, 0, PREFIX.length, replyStart, replyStart + PREFIX.length) !== 0) return false;
    const tokens = this.#tokenise(replyBuffer, replyStart, replyEnd);
    if (tokens !== SHORT_TOKENS && tokens < LONG_TOKENS) return false;
    const first = tokens === SHORT_TOKENS ? SHORT_FIRST_NUMBER : LONG_FIRST_NUMBER;
    this.attempts = this.#number(replyBuffer, first, 0);
    this.seq = this.#number(replyBuffer, first + 1, 0) as Seq;
    this.deliverySeq = this.#number(replyBuffer, first + 2, 0);
    this.timestampUs = this.#number(replyBuffer, first + 3, NANO_DIGITS) as TimestampUs;
    this.pending = this.#number(replyBuffer, first + 4, 0);
    return this.attempts > 0 && this.seq > 0 && this.deliverySeq > 0 && this.timestampUs >= 0 && this.pending >= 0;
  }

  #tokenise(buffer: Buffer, start: number, end: number): number {
    let tokens = 0;
    let tokenStart = start;
    for (let at = start; at <= end && tokens < MAX_TOKENS; at++) {
      if (at < end && buffer[at] !== DOT) continue;
      this.#starts[tokens] = tokenStart;
      this.#ends[tokens++] = at;
      tokenStart = at + 1;
    }
    return tokens;
  }

  /** Without its last `cut` digits; -1 if it is none. */
  #number(buffer: Buffer, token: number, cut: number): number {
    let value = 0;
    for (let at = this.#starts[token]!; at < this.#ends[token]! - cut; at++) {
      const digit = buffer[at]!;
      if (digit < ZERO || digit > NINE) return -1;
      value = value * 10 + (digit - ZERO);
    }
    return Number.isSafeInteger(value) ? value : -1;
  }
}
