/**
 * Owns whole numbers as big-endian bytes, where they are read and written once per message: a Buffer's own methods for
 * that are calls which even optimised code looks up, and take four times as long.
 */

/** The bounds are the caller's. */
export function readUint32(source: Buffer, at: number): number {
  return source[at]! * 0x1000000 + ((source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!);
}

export function readUint16(source: Buffer, at: number): number {
  return (source[at]! << 8) | source[at + 1]!;
}

/** `value` is below 2^32. */
export function writeUint32(target: Buffer, value: number, at: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** `value` is below 2^16. */
export function writeUint16(target: Buffer, value: number, at: number): void {
  target[at] = value >>> 8;
  target[at + 1] = value;
}
