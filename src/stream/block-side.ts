/** Owns what a block keeps per message: subject ids, sizes, removals, in the narrowest form, and how that is stored. */

export type PackedNumbers = Uint8Array | Uint16Array | Uint32Array;

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
}

export interface Packed {
  readonly base: number;
  /** Undefined: all are the base. */
  readonly above: PackedNumbers | undefined;
}

/** `values[0, count)` as a base and what is above it. Copies. */
export function pack(values: Uint32Array, count: number): Packed {
  let least = values[0]!;
  let most = least;
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    else if (value > most) most = value;
  }
  if (least === most) return { base: least, above: undefined };
  const range = most - least;
  const above =
    range < 0x100 ? new Uint8Array(count) : range < 0x1_0000 ? new Uint16Array(count) : new Uint32Array(count);
  for (let i = 0; i < count; i++) above[i] = values[i]! - least;
  return { base: least, above };
}

/** True when the side holds what follows from the entry alone, and so has a page of its own. */
export function hasSidePage(side: BlockSide): boolean {
  return side.subjects !== undefined || side.sizes !== undefined || side.rejected !== undefined;
}

/** `(u8 width | u32 count | values)` for subjects, sizes, rejected; width 0 and nothing behind it when absent. */
export function encodeSide(side: BlockSide): Buffer {
  const columns = [side.subjects, side.sizes, side.rejected];
  const value = Buffer.allocUnsafeSlow(columns.reduce((sum, column) => sum + columnBytes(column), 0));
  let at = 0;
  for (const column of columns) {
    at = value.writeUInt8(column?.BYTES_PER_ELEMENT ?? 0, at);
    if (column === undefined) continue;
    at = value.writeUInt32BE(column.length, at);
    for (const number of column) at = value.writeUIntBE(number, at, column.BYTES_PER_ELEMENT);
  }
  return value;
}

function columnBytes(column: PackedNumbers | undefined): number {
  return column === undefined ? 1 : 5 + column.byteLength;
}

/** Undefined: not a side. */
export function decodeSide(value: Buffer): BlockSide | undefined {
  const columns: (PackedNumbers | undefined)[] = [];
  let at = 0;
  for (let column = 0; column < 3; column++) {
    if (at >= value.length) return undefined;
    const width = value[at++]!;
    if (width === 0) {
      columns.push(undefined);
      continue;
    }
    if ((width !== 1 && width !== 2 && width !== 4) || at + 4 > value.length) return undefined;
    const length = value.readUInt32BE(at);
    at += 4;
    if (at + length * width > value.length) return undefined;
    const numbers =
      width === 1 ? new Uint8Array(length) : width === 2 ? new Uint16Array(length) : new Uint32Array(length);
    for (let i = 0; i < length; i++, at += width) numbers[i] = value.readUIntBE(at, width);
    columns.push(numbers);
  }
  const [subjects, sizes, rejected] = columns;
  if (rejected !== undefined && !(rejected instanceof Uint32Array)) return undefined;
  return { subjects, sizes, dead: undefined, links: undefined, rejected };
}

export function emptySide(): BlockSide {
  return { subjects: undefined, sizes: undefined, dead: undefined, links: undefined, rejected: undefined };
}

/** True when the side can be that of a block with `count` sequences. */
export function sideFits({ subjects, sizes, dead }: BlockSide, count: number): boolean {
  if (subjects !== undefined && subjects.length !== count) return false;
  if (sizes !== undefined && sizes.length !== count) return false;
  return dead === undefined || dead.length === (count + 7) >>> 3;
}
