/** Owns writing into buffers what is short: bytes from elsewhere, whole numbers in decimal. */

const ZERO = 0x30;

/** Below this length a loop in JavaScript beats the call into native code. */
const LOOP_BYTES = 48;

/** Copies `source[start, end)` to `target` at `at`; returns where the copy ends. */
export function copyBytes(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  if (end - start > LOOP_BYTES) {
    source.copy(target, at, start, end);
    return at + end - start;
  }
  let to = at;
  for (let from = start; from < end; from++) target[to++] = source[from]!;
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
