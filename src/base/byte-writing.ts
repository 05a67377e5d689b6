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
