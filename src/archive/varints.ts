/**
 * Owns the variable-length numbers of an archive: seven bits a byte, the lowest first. Times are signed (zig-zag) and in
 * nanoseconds, which is more than a number holds exactly: they are taken apart into two halves of 32 bits.
 */
import { ArchiveError } from './archive-error.ts';

const MAX_VARINT_BYTES = 10;
const TWO_POW_32 = 0x1_0000_0000;
const NANOS_PER_MICRO = 1000;

/** Number of bytes of the varint at `buffer[at]`; 0: it is not all there yet. @throws {ArchiveError} */
export function varintBytes(buffer: Buffer, at: number): number {
  for (let length = 1; at + length <= buffer.length; length++) {
    if (buffer[at + length - 1]! < 0x80) return length;
    if (length === MAX_VARINT_BYTES) throw new ArchiveError('a number of the archive is too long');
  }
  return 0;
}

/** The whole number at `buffer[at]`, whose end is known to be there. @throws {ArchiveError} if it is not a safe one */
export function readVarint(buffer: Buffer, at: number): number {
  const { high, low } = readHalves(buffer, at);
  const value = high * TWO_POW_32 + low;
  if (!Number.isSafeInteger(value)) throw new ArchiveError('a number of the archive is too large');
  return value;
}

/** The time at `buffer[at]`, in whole microseconds. @throws {ArchiveError} if it is before 1970 */
export function readTimeUs(buffer: Buffer, at: number): number {
  const { high, low } = readHalves(buffer, at);
  if ((low & 1) !== 0) throw new ArchiveError('a time of the archive is before 1970');
  const nanosHigh = high >>> 1;
  const nanosLow = ((low >>> 1) | (high << 31)) >>> 0;
  // 2^32 is 4294967 thousands and 296.
  return nanosHigh * 4_294_967 + Math.floor((nanosHigh * 296 + nanosLow) / NANOS_PER_MICRO);
}

/** Writes a safe whole number, not negative; returns where it ends. */
export function writeVarint(buffer: Buffer, value: number, at: number): number {
  return writeHalves(buffer, { high: Math.floor(value / TWO_POW_32), low: value >>> 0 }, at);
}

/** Writes a time given in microseconds. */
export function writeTimeUs(buffer: Buffer, timeUs: number, at: number): number {
  const low = (timeUs >>> 0) * NANOS_PER_MICRO * 2;
  const high = Math.floor(timeUs / TWO_POW_32) * NANOS_PER_MICRO * 2 + Math.floor(low / TWO_POW_32);
  return writeHalves(buffer, { high, low: low >>> 0 }, at);
}

interface Halves {
  readonly high: number;
  readonly low: number;
}

function readHalves(buffer: Buffer, at: number): Halves {
  let high = 0;
  let low = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = buffer[at++]!;
    const bits = byte & 0x7f;
    if (shift < 28) {
      low |= bits << shift;
    } else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else {
      high |= bits << (shift - 32);
    }
    if (byte < 0x80) return { high: high >>> 0, low: low >>> 0 };
  }
}

function writeHalves(buffer: Buffer, { high, low }: Halves, start: number): number {
  let at = start;
  let rest = low;
  let above = high;
  while (above > 0 || rest >= 0x80) {
    buffer[at++] = 0x80 | (rest & 0x7f);
    rest = ((rest >>> 7) | ((above % 0x80) << 25)) >>> 0;
    above = Math.floor(above / 0x80);
  }
  buffer[at++] = rest;
  return at;
}
