/** Owns what a block keeps per message: subject ids, sizes, removals, in the narrowest form, and how that is stored. */

export type PackedNumbers = Uint8Array | Uint16Array | Uint32Array;
/** Differences of times; those of a long span need more than 32 bits. */
export type PackedTimes = PackedNumbers | Float64Array;

export interface BlockSide {
  /** Subject ids above the block's base; undefined: the base is every message's. */
  subjects: PackedNumbers | undefined;
  sizes: PackedNumbers | undefined;
  /** A set bit: the message was removed, or never was. */
  dead: Uint8Array | undefined;
  /** Distance to the next message stored on the same subject; 0: unknown. Only while wanted, never stored. */
  links: Uint32Array | undefined;
  /** Ordinals within the record that got no sequence, ascending. */
  rejected: Uint32Array | undefined;
  /** A bit for each subject, by its hash: says at once that a subject is not here. Follows from `subjects`, never stored. */
  bloom: Uint32Array | undefined;
  /** Microseconds above the block's time; undefined: it is every message's, as it is unless they were placed. */
  times: PackedTimes | undefined;
  /** Times to live (message-ttl.ts) above the block's base; undefined: the base is every message's. */
  ttls: PackedNumbers | undefined;
}

export interface Packed<T = PackedNumbers> {
  readonly base: number;
  /** Undefined: all are the base. */
  readonly above: T | undefined;
}

/** `values[0, count)` as a base and what is above it. Copies. */
export function pack(values: Uint32Array, count: number): Packed {
  const { base, above } = packTimes(values, count);
  return { base, above: above as PackedNumbers | undefined };
}

/** The same for whole numbers of any size. */
export function packTimes(values: Uint32Array | Float64Array, count: number): Packed<PackedTimes> {
  let least = values[0]!;
  let most = least;
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    else if (value > most) most = value;
  }
  if (least === most) return { base: least, above: undefined };
  const range = most - least;
  const above = numbersOf(range < 0x100 ? 1 : range < 0x1_0000 ? 2 : range < 0x1_0000_0000 ? 4 : 8, count);
  for (let i = 0; i < count; i++) above[i] = values[i]! - least;
  return { base: least, above };
}

type Width = 1 | 2 | 4 | 8;

function numbersOf(width: Width, count: number): PackedTimes {
  switch (width) {
    case 1:
      return new Uint8Array(count);
    case 2:
      return new Uint16Array(count);
    case 4:
      return new Uint32Array(count);
    case 8:
      return new Float64Array(count);
  }
}

function isWidth(width: number): width is Width {
  return width === 1 || width === 2 || width === 4 || width === 8;
}

/** True when the side holds what follows from the entry alone, and so has a page of its own. */
export function hasSidePage(side: BlockSide): boolean {
  return columnsOf(side).some((column) => column !== undefined);
}

function columnsOf({ subjects, sizes, rejected, times, ttls }: BlockSide): readonly (PackedTimes | undefined)[] {
  return [subjects, sizes, rejected, times, ttls];
}

const COLUMNS = 5;

/** `(u8 width | u32 count | values)` for each of `columnsOf`; width 0 and nothing behind it when absent. */
export function encodeSide(side: BlockSide): Buffer {
  const columns = columnsOf(side);
  const value = Buffer.allocUnsafeSlow(columns.reduce((sum, column) => sum + columnBytes(column), 0));
  let at = 0;
  for (const column of columns) {
    at = value.writeUInt8(column?.BYTES_PER_ELEMENT ?? 0, at);
    if (column === undefined) continue;
    at = value.writeUInt32BE(column.length, at);
    const width = column.BYTES_PER_ELEMENT;
    for (let i = 0; i < column.length; i++) at = writeNumber(value, at, column[i]!, width);
  }
  return value;
}

/** By hand, since there are millions of them in a large checkpoint. */
function readNumber(value: Buffer, at: number, width: Width): number {
  switch (width) {
    case 1:
      return value[at]!;
    case 2:
      return (value[at]! << 8) | value[at + 1]!;
    case 4:
      return ((value[at]! << 24) | (value[at + 1]! << 16) | (value[at + 2]! << 8) | value[at + 3]!) >>> 0;
    case 8:
      return value.readDoubleBE(at);
  }
}

function writeNumber(value: Buffer, at: number, number: number, width: number): number {
  if (width === 1) {
    value[at] = number;
    return at + 1;
  }
  return width === 8 ? value.writeDoubleBE(number, at) : value.writeUIntBE(number, at, width);
}

function columnBytes(column: PackedTimes | undefined): number {
  return column === undefined ? 1 : 5 + column.byteLength;
}

/** Undefined: not a side. */
export function decodeSide(value: Buffer): BlockSide | undefined {
  const columns: (PackedTimes | undefined)[] = [];
  let at = 0;
  for (let column = 0; column < COLUMNS; column++) {
    if (at >= value.length) return undefined;
    const width = value[at++]!;
    if (width === 0) {
      columns.push(undefined);
      continue;
    }
    if (!isWidth(width) || at + 4 > value.length) return undefined;
    const length = value.readUInt32BE(at);
    at += 4;
    if (at + length * width > value.length) return undefined;
    const numbers = numbersOf(width, length);
    for (let i = 0; i < length; i++, at += width) numbers[i] = readNumber(value, at, width);
    columns.push(numbers);
  }
  const [subjects, sizes, rejected, times, ttls] = columns;
  if (subjects instanceof Float64Array || sizes instanceof Float64Array || ttls instanceof Float64Array)
    return undefined;
  if (rejected !== undefined && !(rejected instanceof Uint32Array)) return undefined;
  return { subjects, sizes, dead: undefined, links: undefined, rejected, bloom: undefined, times, ttls };
}

export function emptySide(): BlockSide {
  return {
    subjects: undefined,
    sizes: undefined,
    dead: undefined,
    links: undefined,
    rejected: undefined,
    bloom: undefined,
    times: undefined,
    ttls: undefined,
  };
}

/** True when the side can be that of a block with `count` sequences. */
export function sideFits({ subjects, sizes, dead, times, ttls }: BlockSide, count: number): boolean {
  if (subjects !== undefined && subjects.length !== count) return false;
  if (sizes !== undefined && sizes.length !== count) return false;
  if (times !== undefined && times.length !== count) return false;
  if (ttls !== undefined && ttls.length !== count) return false;
  return dead === undefined || dead.length === (count + 7) >>> 3;
}

/** Spreads ids over 32 bits; the upper ones are the best. */
export function spreadId(id: number): number {
  return Math.imul(id, 0x9e3779b1) >>> 0;
}

/** For `count` subject ids, as `bloomMayHold` asks for; undefined: so few are compared faster. */
export function bloomOf(base: number, above: PackedNumbers): Uint32Array | undefined {
  if (above.length < BLOOM_MIN_COUNT) return undefined;
  const bits = 32 - Math.clz32(above.length * BLOOM_BITS_EACH - 1);
  const bloom = new Uint32Array(1 << (bits - 5));
  for (let i = 0; i < above.length; i++) {
    const bit = spreadId(base + above[i]!) >>> (32 - bits);
    bloom[bit >>> 5]! |= 1 << (bit & 31);
  }
  return bloom;
}

export function bloomMayHold(bloom: Uint32Array, id: number): boolean {
  // Its length is a power of two.
  const bit = spreadId(id) >>> (Math.clz32(bloom.length) - 4);
  return (bloom[bit >>> 5]! & (1 << (bit & 31))) !== 0;
}

const BLOOM_MIN_COUNT = 64;
const BLOOM_BITS_EACH = 8;
