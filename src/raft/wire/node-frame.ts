/**
 * Owns the frames that nodes exchange besides those of groups (frame.ts), told apart by their first byte:
 *
 *     81  beat            u64 incarnation | u64 the receiver's incarnation, 0 unknown | u64 counter seen of the receiver
 *     82  snapshot chunk  u32 group | u64 transfer | u32 number | u8 last | item*
 *           item          u8 1 | u16 key bytes | u32 value bytes | key | value        a checkpoint page
 *                         u8 2 | u32 record bytes | record                            an entry
 *     83  record wanted   u32 group | u64 index
 *     84  record          u32 group | u64 index | record
 *     85  nothing left    u32 group
 *     86  journal         u64 counter
 *     87  digest          u32 group | u64 index | u32 digest | u8 purpose
 */
import { recordBytesAt } from '../record.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import type { GroupId, LogIndex } from '../types.ts';

const BEAT = 0x81;
const CHUNK = 0x82;
const RECORD_WANTED = 0x83;
const RECORD = 0x84;
const NOTHING_LEFT = 0x85;
const JOURNAL = 0x86;
const DIGEST = 0x87;

const BEAT_BYTES = 25;
const CHUNK_HEADER_BYTES = 18;
const RECORD_HEADER = 13;
const NOTHING_LEFT_BYTES = 5;
const JOURNAL_BYTES = 9;
const DIGEST_BYTES = 18;
/** In the order of their numbers. */
const DIGEST_PURPOSES = ['own', 'wanted', 'verdict', 'undecidable'] as const;
const PAGE_ITEM = 1;
const ENTRY_ITEM = 2;

export interface Beat {
  readonly kind: 'beat';
  /** Drawn anew at each start of the sender. */
  readonly incarnation: number;
  /** The receiver's, as last heard by the sender; 0: not yet. */
  readonly receiverIncarnation: number;
  /** The highest journal counter the sender had seen of the receiver before it heard of that incarnation. */
  readonly receiverCounter: number;
}

export type SnapshotItem =
  | { readonly kind: 'page'; readonly key: Buffer; readonly value: Buffer }
  | { readonly kind: 'entry'; readonly record: Buffer };

export interface SnapshotChunk {
  readonly kind: 'chunk';
  readonly group: GroupId;
  readonly transfer: number;
  /** Counted from 0. */
  readonly number: number;
  readonly last: boolean;
  readonly items: readonly SnapshotItem[];
}

export interface RecordWanted {
  readonly kind: 'recordWanted';
  readonly group: GroupId;
  readonly index: LogIndex;
}

export interface RecordFound {
  readonly kind: 'record';
  readonly group: GroupId;
  readonly index: LogIndex;
  readonly record: Buffer;
}

/** The sender's replica of a memory group lost everything by a restart, and nobody has told it anything since. */
export interface NothingLeft {
  readonly kind: 'nothingLeft';
  readonly group: GroupId;
}

/** The sender's last durable batch. A leader's promises are in its log, not in answers that would carry the counter. */
export interface JournalCounter {
  readonly kind: 'journal';
  readonly counter: number;
}

/** About the state machines' digests after `index`; who means what by it is in digest-vote.ts. */
export interface DigestNotice {
  readonly kind: 'digest';
  /** `own`: the sender's; `wanted`: the receiver shall tell its own; `verdict`: the majority's; `undecidable`: there is none. */
  readonly purpose: (typeof DIGEST_PURPOSES)[number];
  readonly group: GroupId;
  readonly index: LogIndex;
  readonly digest: number;
}

export type NodeFrame = Beat | SnapshotChunk | RecordWanted | RecordFound | NothingLeft | JournalCounter | DigestNotice;

/** True when `frame` is not one of groups' messages. */
export function isNodeFrame(frame: Buffer): boolean {
  return frame.length > 0 && frame[0]! >= BEAT;
}

export function encodeNodeFrame(frame: NodeFrame): Buffer {
  switch (frame.kind) {
    case 'beat': {
      const bytes = Buffer.allocUnsafe(BEAT_BYTES);
      bytes[0] = BEAT;
      writeSafeInteger(bytes, frame.incarnation, 1);
      writeSafeInteger(bytes, frame.receiverIncarnation, 9);
      writeSafeInteger(bytes, frame.receiverCounter, 17);
      return bytes;
    }
    case 'chunk':
      return encodeChunk(frame);
    case 'recordWanted':
      return recordHeader(RECORD_WANTED, frame);
    case 'record':
      return Buffer.concat([recordHeader(RECORD, frame), frame.record]);
    case 'journal': {
      const bytes = Buffer.allocUnsafe(JOURNAL_BYTES);
      bytes[0] = JOURNAL;
      writeSafeInteger(bytes, frame.counter, 1);
      return bytes;
    }
    case 'digest':
      return encodeDigest(frame);
    case 'nothingLeft': {
      const bytes = Buffer.allocUnsafe(NOTHING_LEFT_BYTES);
      bytes[0] = NOTHING_LEFT;
      bytes.writeUInt32BE(frame.group, 1);
      return bytes;
    }
  }
}

function encodeDigest({ group, index, digest, purpose }: DigestNotice): Buffer {
  const bytes = Buffer.allocUnsafe(DIGEST_BYTES);
  bytes[0] = DIGEST;
  bytes.writeUInt32BE(group, 1);
  writeSafeInteger(bytes, index, 5);
  bytes.writeUInt32BE(digest >>> 0, 13);
  bytes[17] = DIGEST_PURPOSES.indexOf(purpose);
  return bytes;
}

function recordHeader(kind: number, frame: { readonly group: GroupId; readonly index: LogIndex }): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_HEADER);
  bytes[0] = kind;
  bytes.writeUInt32BE(frame.group, 1);
  writeSafeInteger(bytes, frame.index, 5);
  return bytes;
}

function encodeChunk(chunk: SnapshotChunk): Buffer {
  let length = CHUNK_HEADER_BYTES;
  for (const item of chunk.items) {
    length += item.kind === 'page' ? 7 + item.key.length + item.value.length : 5 + item.record.length;
  }
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = CHUNK;
  bytes.writeUInt32BE(chunk.group, 1);
  writeSafeInteger(bytes, chunk.transfer, 5);
  bytes.writeUInt32BE(chunk.number, 13);
  bytes[17] = chunk.last ? 1 : 0;
  let at = CHUNK_HEADER_BYTES;
  for (const item of chunk.items) {
    if (item.kind === 'page') {
      at = bytes.writeUInt8(PAGE_ITEM, at);
      at = bytes.writeUInt16BE(item.key.length, at);
      at = bytes.writeUInt32BE(item.value.length, at);
      at += item.key.copy(bytes, at);
      at += item.value.copy(bytes, at);
    } else {
      at = bytes.writeUInt8(ENTRY_ITEM, at);
      at = bytes.writeUInt32BE(item.record.length, at);
      at += item.record.copy(bytes, at);
    }
  }
  return bytes;
}

/** Undefined when it is malformed. Buffers in it are views of `bytes`. */
export function decodeNodeFrame(bytes: Buffer): NodeFrame | undefined {
  const kind = bytes[0];
  if (kind === BEAT) return decodeBeat(bytes);
  if (kind === CHUNK) return decodeChunk(bytes);
  if (kind === NOTHING_LEFT && bytes.length === NOTHING_LEFT_BYTES) {
    return { kind: 'nothingLeft', group: bytes.readUInt32BE(1) as GroupId };
  }
  if (kind === DIGEST) return decodeDigest(bytes);
  if (kind === JOURNAL && bytes.length === JOURNAL_BYTES) {
    return { kind: 'journal', counter: readSafeInteger(bytes, 1) };
  }
  if ((kind !== RECORD_WANTED && kind !== RECORD) || bytes.length < RECORD_HEADER) return undefined;
  const group = bytes.readUInt32BE(1) as GroupId;
  const index = readSafeInteger(bytes, 5) as LogIndex;
  if (index < 1) return undefined;
  if (kind === RECORD_WANTED) return { kind: 'recordWanted', group, index };
  return { kind: 'record', group, index, record: bytes.subarray(RECORD_HEADER) };
}

function decodeBeat(bytes: Buffer): Beat | undefined {
  if (bytes.length !== BEAT_BYTES) return undefined;
  const incarnation = readSafeInteger(bytes, 1);
  const receiverIncarnation = readSafeInteger(bytes, 9);
  const receiverCounter = readSafeInteger(bytes, 17);
  if (incarnation < 1 || receiverIncarnation < 0 || receiverCounter < 0) return undefined;
  return { kind: 'beat', incarnation, receiverIncarnation, receiverCounter };
}

function decodeDigest(bytes: Buffer): DigestNotice | undefined {
  if (bytes.length !== DIGEST_BYTES) return undefined;
  const index = readSafeInteger(bytes, 5) as LogIndex;
  const purpose = DIGEST_PURPOSES[bytes[17]!];
  if (index < 1 || purpose === undefined) return undefined;
  return { kind: 'digest', purpose, group: bytes.readUInt32BE(1) as GroupId, index, digest: bytes.readUInt32BE(13) };
}

function decodeChunk(bytes: Buffer): SnapshotChunk | undefined {
  if (bytes.length < CHUNK_HEADER_BYTES) return undefined;
  const items: SnapshotItem[] = [];
  let at = CHUNK_HEADER_BYTES;
  while (at < bytes.length) {
    if (bytes[at] === PAGE_ITEM && at + 7 <= bytes.length) {
      const valueAt = at + 7 + bytes.readUInt16BE(at + 1);
      const end = valueAt + bytes.readUInt32BE(at + 3);
      if (end > bytes.length) return undefined;
      items.push({ kind: 'page', key: bytes.subarray(at + 7, valueAt), value: bytes.subarray(valueAt, end) });
      at = end;
    } else if (bytes[at] === ENTRY_ITEM && at + 5 <= bytes.length) {
      const length = bytes.readUInt32BE(at + 1);
      if (recordBytesAt(bytes, at + 5) !== length) return undefined;
      items.push({ kind: 'entry', record: bytes.subarray(at + 5, at + 5 + length) });
      at += 5 + length;
    } else {
      return undefined;
    }
  }
  return {
    kind: 'chunk',
    group: bytes.readUInt32BE(1) as GroupId,
    transfer: readSafeInteger(bytes, 5),
    number: bytes.readUInt32BE(13),
    last: bytes[17] === 1,
    items,
  };
}
