/** Owns writing into buffers: bytes from elsewhere, whole numbers in decimal, and more room when it runs out. */

const ZERO = 0x30;

/** Below this length a loop in JavaScript beats the call into native code, if it takes eight bytes at a time. */
const LOOP_BYTES = 64;

/** Copies `source[start, end)` to `target` at `at`; returns where the copy ends. */
export function copyBytes(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  if (end - start > LOOP_BYTES) {
    source.copy(target, at, start, end);
    return at + end - start;
  }
  let to = at;
  let from = start;
  for (; from + 8 <= end; from += 8, to += 8) {
    target[to] = source[from]!;
    target[to + 1] = source[from + 1]!;
    target[to + 2] = source[from + 2]!;
    target[to + 3] = source[from + 3]!;
    target[to + 4] = source[from + 4]!;
    target[to + 5] = source[from + 5]!;
    target[to + 6] = source[from + 6]!;
    target[to + 7] = source[from + 7]!;
  }
  while (from < end) target[to++] = source[from++]!;
  return to;
}

/** What is shorter or longer than this is copied faster without a view. */
const MIN_WORDS_BYTES = 16;
const MAX_WORDS_BYTES = 128;

/**
 * Copies from buffers of which one often is the one of the time before, like the record that a consumer goes through: words
 * at a time, through a view that is kept for as long. Neither a call into native code nor a loop over bytes is as fast.
 */
export class WordCopier {
  #source: Buffer | undefined;
  #view: DataView | undefined;

  /** Copies `source[start, end)` to `at` of `target`, which `view` is a view of; returns where the copy ends. */
  copy(target: Buffer, view: DataView, at: number, source: Buffer, start: number, end: number): number {
    const length = end - start;
    if (length < MIN_WORDS_BYTES || length > MAX_WORDS_BYTES) return copyBytes(target, at, source, start, end);
    if (source !== this.#source) {
      this.#source = source;
      this.#view = undefined;
      return copyBytes(target, at, source, start, end);
    }
    this.#view ??= viewOf(source);
    return copyWords(view, at, this.#view, start, end);
  }

  /** Keeps nothing alive any more. */
  clear(): void {
    this.#source = undefined;
    this.#view = undefined;
  }
}

export function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

function copyWords(target: DataView, at: number, source: DataView, start: number, end: number): number {
  let to = at;
  let from = start;
  for (; from + 16 <= end; from += 16, to += 16) {
    target.setInt32(to, source.getInt32(from, true), true);
    target.setInt32(to + 4, source.getInt32(from + 4, true), true);
    target.setInt32(to + 8, source.getInt32(from + 8, true), true);
    target.setInt32(to + 12, source.getInt32(from + 12, true), true);
  }
  for (; from + 4 <= end; from += 4, to += 4) target.setInt32(to, source.getInt32(from, true), true);
  for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from));
  return to;
}

/** Writes `value` in decimal and returns where it ends. */
export function writeDecimal(target: Buffer, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return writePaddedDecimal(target, at, value, digits);
}

/** The same with exactly `digits` digits, zeros in front. */
export function writePaddedDecimal(target: Buffer, at: number, value: number, digits: number): number {
  const end = at + digits;
  let rest = value;
  for (let to = end - 1; to >= at; to--) {
    const tenth = Math.floor(rest / 10);
    target[to] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}

/** A buffer of `bytes` or more, at least twice as large as `buffer`, that begins with the first `used` bytes of it. */
export function enlarged(buffer: Buffer, used: number, bytes: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(bytes, buffer.length * 2));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
