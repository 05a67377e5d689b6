/**
 * Owns the layout of a record: the one form of an entry in memory, on disk and on the wire (big-endian).
 *
 *     0  u32  CRC32C of everything behind this field
 *     4  u32  chain checksum of the entry before it in the group (0 before the first)
 *     8  u8   format version
 *     9  u8   kind: 1 normal, 2 empty, 3 membership
 *    10  u16  flags: 1 = the body was compacted on the node that stores it
 *    12  u32  group
 *    16  u64  index
 *    24  u64  term
 *    32  u32  length of the body
 *    36  u32  compacted: checksum of the record as it was replicated; otherwise 0
 *    40       body
 *
 * Checksums are chained, so a stale, swapped, misplaced or missing record shows, not just a flipped bit. A compacted
 * record keeps the checksum it once had, so that the chain of the entry behind it still closes.
 */
import { crc32c } from '../base/checksum.ts';
import { readSafeInteger, writeSafeInteger } from './safe-integer.ts';
import type { Entry, EntryKind, GroupId, LogIndex, Term } from './types.ts';

export const RECORD_HEADER_BYTES = 40;
/** Room for the largest message and the batch around it; a longer record is a defect wherever it comes from. */
const MAX_RECORD_BYTES = 80 * 1024 * 1024;

const FORMAT_VERSION = 1;
const FLAG_COMPACTED = 1;
const KIND_CODES: { readonly [kind in EntryKind]: number } = { normal: 1, empty: 2, membership: 3 };
const KINDS: readonly (EntryKind | undefined)[] = [undefined, 'normal', 'empty', 'membership'];

const AT_PREVIOUS = 4;
const AT_VERSION = 8;
const AT_KIND = 9;
const AT_FLAGS = 10;
const AT_GROUP = 12;
const AT_INDEX = 16;
const AT_TERM = 24;
const AT_BODY_LENGTH = 32;
const AT_ORIGINAL = 36;

/** Why a record can't be believed. */
export type RecordDefect = 'length' | 'checksum' | 'version' | 'kind' | 'group' | 'index' | 'term';

/** An empty record with room for `bodyBytes` behind the header. The caller fills the whole body. */
export function allocateRecord(bodyBytes: number): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + bodyBytes);
  record.fill(0, 0, RECORD_HEADER_BYTES);
  return record;
}

/** Fills the header of `record` in place and returns it as an entry. From here on nobody may write to it. */
export function sealRecord(
  record: Buffer,
  header: {
    readonly kind: EntryKind;
    readonly group: GroupId;
    readonly index: LogIndex;
    readonly term: Term;
    /** `chainChecksum` of the entry before it. */
    readonly previousChecksum: number;
  },
): Entry {
  record.writeUInt32BE(header.previousChecksum, AT_PREVIOUS);
  record[AT_VERSION] = FORMAT_VERSION;
  record[AT_KIND] = KIND_CODES[header.kind];
  record.writeUInt16BE(0, AT_FLAGS);
  record.writeUInt32BE(header.group, AT_GROUP);
  writeSafeInteger(record, header.index, AT_INDEX);
  writeSafeInteger(record, header.term, AT_TERM);
  record.writeUInt32BE(record.length - RECORD_HEADER_BYTES, AT_BODY_LENGTH);
  record.writeUInt32BE(0, AT_ORIGINAL);
  record.writeUInt32BE(crc32c(record.subarray(AT_PREVIOUS)), 0);
  return {
    index: header.index,
    term: header.term,
    kind: header.kind,
    record,
    body: record.subarray(RECORD_HEADER_BYTES),
  };
}

/** Bytes of the record that starts at `offset`, header included; undefined when `source` does not hold that many. */
export function recordBytesAt(source: Buffer, offset: number): number | undefined {
  if (offset + RECORD_HEADER_BYTES > source.length) return undefined;
  const bytes = RECORD_HEADER_BYTES + source.readUInt32BE(offset + AT_BODY_LENGTH);
  return bytes > MAX_RECORD_BYTES || offset + bytes > source.length ? undefined : bytes;
}

/**
 * The entry that `record` holds, or what is wrong with it. `record` must be one whole record; it is not copied.
 * Whether it follows the entry before it is `chains`' question.
 */
export function openRecord(
  record: Buffer,
  expected: { readonly group?: GroupId; readonly index?: LogIndex } = {},
): Entry | RecordDefect {
  if (recordBytesAt(record, 0) !== record.length) return 'length';
  if (crc32c(record.subarray(AT_PREVIOUS)) !== record.readUInt32BE(0)) return 'checksum';
  if (record[AT_VERSION] !== FORMAT_VERSION) return 'version';
  const kind = KINDS[record[AT_KIND]!];
  if (kind === undefined) return 'kind';
  if (expected.group !== undefined && record.readUInt32BE(AT_GROUP) !== expected.group) return 'group';
  const index = readSafeInteger(record, AT_INDEX) as LogIndex;
  if (index < 1 || (expected.index !== undefined && index !== expected.index)) return 'index';
  const term = readSafeInteger(record, AT_TERM) as Term;
  if (term < 1) return 'term';
  return { index, term, kind, record, body: record.subarray(RECORD_HEADER_BYTES) };
}

/** The checksum by which the next entry names this one: that of the record as it was replicated. */
export function chainChecksum(record: Buffer): number {
  return record.readUInt32BE(isCompacted(record) ? AT_ORIGINAL : 0);
}

/** True when `record` was sealed behind the entry whose chain checksum is `previousChecksum`. */
export function chains(record: Buffer, previousChecksum: number): boolean {
  return record.readUInt32BE(AT_PREVIOUS) === previousChecksum;
}

export function isCompacted(record: Buffer): boolean {
  return (record.readUInt16BE(AT_FLAGS) & FLAG_COMPACTED) !== 0;
}

/** A new record in the place of `entry`'s, with a body that means the same to the state machine. `body` is copied. */
export function compactedRecord(entry: Entry, body: Buffer): Buffer {
  const record = allocateRecord(body.length);
  entry.record.copy(record, 0, 0, RECORD_HEADER_BYTES);
  body.copy(record, RECORD_HEADER_BYTES);
  record.writeUInt16BE(FLAG_COMPACTED, AT_FLAGS);
  record.writeUInt32BE(body.length, AT_BODY_LENGTH);
  record.writeUInt32BE(chainChecksum(entry.record), AT_ORIGINAL);
  record.writeUInt32BE(crc32c(record.subarray(AT_PREVIOUS)), 0);
  return record;
}
