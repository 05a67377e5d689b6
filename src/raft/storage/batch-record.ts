/**
 * Owns the form in which a batch is written to the batch log (big-endian):
 *
 *     0  u32  CRC32C of what follows, up to the values
 *     4  u32  which database it belongs to
 *     8  u64  number of the batch, counted without gaps
 *    16  u32  length of the changes
 *    20  u32  length of the values
 *    24  u32  CRC32C of the values
 *    28       changes: u8 kind | u16 length of the key | u32 length of the value | key | what the kind has
 *             1 put: the value · 2 delete: nothing · 3 bulk: nothing · 4 move: u32 segment, u32 offset of where it was
 *             values of bulk and move, in order, and zeros up to a multiple of 4096
 *
 * A record shares no page with another, so that no write can tear what was promised before.
 */
import { crc32c } from '../../base/checksum.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';

export const BLOCK_BYTES = 4096;
export const BATCH_HEADER_BYTES = 28;
const AT_DATABASE = 4;
const AT_NUMBER = 8;
const AT_CHANGES_LENGTH = 16;
const AT_VALUES_LENGTH = 20;
const AT_VALUES_CHECKSUM = 24;
const CHANGE_HEADER_BYTES = 7;
const FORMER_PLACE_BYTES = 8;
const KINDS = [undefined, 'put', 'delete', 'bulk', 'move'] as const;
const KIND_CODES = { put: 1, delete: 2, bulk: 3, move: 4 } as const;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** Where in the log a value lies. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

export type Change =
  | { readonly kind: 'put'; readonly key: Buffer; readonly value: Buffer }
  /** A value that stays in the log. */
  | { readonly kind: 'bulk'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: Buffer }
  /** What lies at `from` is from now on here, provided that the key still means that. */
  | { readonly kind: 'move'; readonly key: Buffer; readonly value: Buffer; readonly from: Place };

/** A change as it is in the log: values of `bulk` and `move` are where `offset`, from the start of the record, says. */
export type LoggedChange =
  | { readonly kind: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly key: Buffer }
  | { readonly kind: 'bulk'; readonly key: Buffer; readonly offset: number; readonly bytes: number }
  | {
      readonly kind: 'move';
      readonly key: Buffer;
      readonly offset: number;
      readonly bytes: number;
      readonly from: Place;
    };

export interface EncodedBatch {
  /** To be written behind each other. */
  readonly buffers: Buffer[];
  readonly bytes: number;
  readonly changes: LoggedChange[];
}

/** Values are not copied. */
export function encodeBatch(changes: readonly Change[], header: { database: number; number: number }): EncodedBatch {
  let headBytes = BATCH_HEADER_BYTES;
  for (const change of changes) headBytes += changeBytes(change);
  const head = Buffer.allocUnsafe(headBytes);
  const buffers: Buffer[] = [head];
  const logged: LoggedChange[] = [];
  let at = BATCH_HEADER_BYTES;
  let end = headBytes;
  let valuesChecksum = 0;
  for (const change of changes) {
    const { kind, key } = change;
    const value = kind === 'delete' ? undefined : change.value;
    head[at] = KIND_CODES[kind];
    head.writeUInt16BE(key.length, at + 1);
    head.writeUInt32BE(value?.length ?? 0, at + 3);
    at += CHANGE_HEADER_BYTES;
    at += key.copy(head, at);
    if (kind === 'put') at += change.value.copy(head, at);
    else if (kind === 'move') at = head.writeUInt32BE(change.from.offset, head.writeUInt32BE(change.from.segment, at));
    if (change.kind === 'put' || change.kind === 'delete') {
      logged.push(change);
      continue;
    }
    buffers.push(change.value);
    valuesChecksum = crc32c(change.value, valuesChecksum);
    const place = { key, offset: end, bytes: change.value.length };
    if (change.kind === 'move') logged.push({ kind: 'move', ...place, from: change.from });
    else logged.push({ kind: 'bulk', ...place });
    end += change.value.length;
  }
  head.writeUInt32BE(header.database, AT_DATABASE);
  writeSafeInteger(head, header.number, AT_NUMBER);
  head.writeUInt32BE(headBytes - BATCH_HEADER_BYTES, AT_CHANGES_LENGTH);
  head.writeUInt32BE(end - headBytes, AT_VALUES_LENGTH);
  head.writeUInt32BE(valuesChecksum, AT_VALUES_CHECKSUM);
  head.writeUInt32BE(crc32c(head.subarray(AT_DATABASE)), 0);
  const bytes = paddedBytes(end);
  if (bytes > end) buffers.push(ZEROS.subarray(0, bytes - end));
  return { buffers, bytes, changes: logged };
}

function changeBytes(change: Change): number {
  const bytes = CHANGE_HEADER_BYTES + change.key.length;
  switch (change.kind) {
    case 'put':
      return bytes + change.value.length;
    case 'move':
      return bytes + FORMER_PLACE_BYTES;
    case 'bulk':
    case 'delete':
      return bytes;
  }
}

export interface BatchHeader {
  readonly number: number;
  /** Of header and changes. */
  readonly headBytes: number;
  readonly valuesBytes: number;
  readonly valuesChecksum: number;
  /** Of the whole record, padding included. */
  readonly bytes: number;
}

/** Reads the first bytes of what may be a record of this database; nothing is verified yet. Undefined: it is none. */
export function readBatchHeader(source: Buffer, database: number): BatchHeader | undefined {
  if (source.length < BATCH_HEADER_BYTES || source.readUInt32BE(AT_DATABASE) !== database) return undefined;
  const number = readSafeInteger(source, AT_NUMBER);
  const headBytes = BATCH_HEADER_BYTES + source.readUInt32BE(AT_CHANGES_LENGTH);
  const valuesBytes = source.readUInt32BE(AT_VALUES_LENGTH);
  const valuesChecksum = source.readUInt32BE(AT_VALUES_CHECKSUM);
  if (number < 1) return undefined;
  return { number, headBytes, valuesBytes, valuesChecksum, bytes: paddedBytes(headBytes + valuesBytes) };
}

/** The changes in `head`, which is copied; undefined when its checksum is wrong. */
export function decodeChanges(head: Buffer): LoggedChange[] | undefined {
  if (crc32c(head.subarray(AT_DATABASE)) !== head.readUInt32BE(0)) return undefined;
  const owned = Buffer.from(head);
  const changes: LoggedChange[] = [];
  let at = BATCH_HEADER_BYTES;
  let offset = head.length;
  while (at < owned.length) {
    const kind = KINDS[owned[at]!];
    const bytes = owned.readUInt32BE(at + 3);
    const key = owned.subarray(at + CHANGE_HEADER_BYTES, at + CHANGE_HEADER_BYTES + owned.readUInt16BE(at + 1));
    at += CHANGE_HEADER_BYTES + key.length;
    switch (kind) {
      case undefined:
        return undefined;
      case 'put':
        changes.push({ kind, key, value: owned.subarray(at, at + bytes) });
        at += bytes;
        break;
      case 'delete':
        changes.push({ kind, key });
        break;
      case 'bulk':
        changes.push({ kind, key, offset, bytes });
        offset += bytes;
        break;
      case 'move': {
        const from = { segment: owned.readUInt32BE(at), offset: owned.readUInt32BE(at + 4), bytes };
        changes.push({ kind, key, offset, bytes, from });
        at += FORMER_PLACE_BYTES;
        offset += bytes;
        break;
      }
    }
  }
  return changes;
}

function paddedBytes(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}
