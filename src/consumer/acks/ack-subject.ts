/** Owns the reply subject of delivered messages, `$JS.ACK.….<consumer>.<dc>.<sseq>.<dseq>.<ts>.<pending>`. */

/** Attempts, stream and consumer sequence, time, pending: the numbers of a reply subject, in this order. */
const NUMBERS = 5;
const NUMBERS_MAX_BYTES = NUMBERS * 20;
const BILLION = 1e9;
const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;
/** Of `<dc>.<sseq>.<dseq>.<ts>.<pending>`: those that say something to us, and those behind. */
const READ_TOKENS = 3;
const OTHER_TOKENS = 2;
/** Digits of a sequence that is surely a safe integer. */
const MAX_SEQ_DIGITS = 15;

/**
 * Writes reply subjects of one consumer in place. `buffer` is overwritten by the next `write`, and only where that differs:
 * from one message to the next, sequences go up by one and the time often stays.
 */
export class AckReplyWriter {
  readonly buffer: Buffer;
  readonly #prefixBytes: number;
  /** Of each number in `buffer`: its value, and where it begins and ends. */
  readonly #values = new Float64Array(NUMBERS);
  readonly #starts = new Int32Array(NUMBERS);
  readonly #ends = new Int32Array(NUMBERS);

  /** `start`: all that comes before the consumer's name. */
  constructor(start: string, consumer: string) {
    const prefix = `${start}${consumer}.`;
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.buffer = Buffer.alloc(this.#prefixBytes + NUMBERS_MAX_BYTES);
    this.buffer.write(prefix, 0);
  }

  /** Returns how many bytes of `buffer` the subject takes. */
  write(attempts: number, seq: number, consumerSeq: number, timestampUs: number, pending: number): number {
    const buffer = this.buffer;
    let at = this.#put(0, this.#prefixBytes, attempts);
    buffer[at++] = DOT;
    at = this.#put(1, at, seq);
    buffer[at++] = DOT;
    at = this.#put(2, at, consumerSeq);
    buffer[at++] = DOT;
    at = this.#put(3, at, timestampUs);
    // Times are microseconds here and nanoseconds on the wire.
    buffer[at] = ZERO;
    buffer[at + 1] = ZERO;
    buffer[at + 2] = ZERO;
    buffer[at + 3] = DOT;
    return this.#put(4, at + 4, pending);
  }

  /** A number whose place moved is written anew, so what others left there does not matter. */
  #put(number: number, start: number, value: number): number {
    const step = value - this.#values[number]!;
    const end = this.#ends[number]!;
    if (this.#starts[number] === start) {
      if (step === 0) return end;
      const digit = this.buffer[end - 1]!;
      if ((step === 1 && digit < NINE) || (step === -1 && digit > ZERO)) {
        this.buffer[end - 1] = digit + step;
        this.#values[number] = value;
        return end;
      }
    }
    this.#values[number] = value;
    this.#starts[number] = start;
    return (this.#ends[number] = writeDigits(this.buffer, start, value));
  }

  /** The first `bytes` bytes, as a byte string. */
  text(bytes: number): string {
    return this.buffer.toString('latin1', 0, bytes);
  }
}

/** What an ack's subject says. Reused from ack to ack. */
export interface AckTokens {
  attempts: number;
  seq: number;
  consumerSeq: number;
}

/**
 * Reads `<dc>.<sseq>.<dseq>.<ts>.<pending>` in subject[start, end). With `open` more tokens may follow, as in the longer
 * layout. `foreign`: nobody listens to a subject of that form. `unreadable`: somebody does, and can't make sense of it.
 */
export function parseAckTokens(
  subject: Buffer,
  start: number,
  end: number,
  open: boolean,
  out: AckTokens,
): 'ack' | 'unreadable' | 'foreign' {
  let token = 0;
  let value = 0;
  let digits = 0;
  let readable = true;
  let at = start;
  for (; at < end && token < READ_TOKENS; at++) {
    const byte = subject[at]!;
    if (byte === DOT) {
      if (digits === 0) return 'foreign';
      if (token === 0) out.attempts = value;
      else if (token === 1) out.seq = value;
      else out.consumerSeq = value;
      token++;
      value = 0;
      digits = 0;
      continue;
    }
    const digit = byte - ZERO;
    digits++;
    if (digit < 0 || digit > 9 || digits > MAX_SEQ_DIGITS) readable = false;
    value = value * 10 + digit;
  }
  const others = token === READ_TOKENS ? countTokens(subject, at, end) : 0;
  if (others < OTHER_TOKENS || (others > OTHER_TOKENS && !open)) return 'foreign';
  return readable ? 'ack' : 'unreadable';
}

/** Tokens in subject[start, end); 0 if one is empty. */
function countTokens(subject: Buffer, start: number, end: number): number {
  let tokens = 1;
  let tokenStart = start;
  for (let at = start; at < end; at++) {
    if (subject[at] !== DOT) continue;
    if (at === tokenStart) return 0;
    tokens++;
    tokenStart = at + 1;
  }
  return tokenStart < end ? tokens : 0;
}

/** Writes a non-negative safe integer in decimal at `offset`; returns the offset behind it. */
export function writeDigits(target: Buffer, offset: number, value: number): number {
  if (value < BILLION) return writeSmall(target, offset, value, digitCount(value));
  const high = Math.floor(value / BILLION);
  const end = writeSmall(target, offset, high, digitCount(high));
  return writeSmall(target, end, value - high * BILLION, 9);
}

function writeSmall(target: Buffer, offset: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let at = offset + digits - 1; at >= offset; at--) {
    const next = (rest / 10) | 0;
    target[at] = ZERO + rest - next * 10;
    rest = next;
  }
  return offset + digits;
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return 9;
}
