/** Owns 64 bit integers in records and frames: safe integers as two big-endian halves, without BigInt. */

const HALF = 0x1_0000_0000;

export function writeSafeInteger(target: Buffer, value: number, offset: number): void {
  target.writeUInt32BE(Math.floor(value / HALF), offset);
  target.writeUInt32BE(value % HALF, offset + 4);
}

/** -1 when the number there is beyond `Number.MAX_SAFE_INTEGER`: no honest writer produces it. */
export function readSafeInteger(source: Buffer, offset: number): number {
  const high = source.readUInt32BE(offset);
  return high > 0x1f_ffff ? -1 : high * HALF + source.readUInt32BE(offset + 4);
}
