/**
 * Owns the keys of a node's database. All are binary and big-endian, so that their order is the order of what they name:
 *
 *     00 01                               which database this is
 *     00 02                               the journal's base: what was trimmed
 *     00 03 <u64 counter>                 the journal: one record per batch
 *     00 04 <node>                        the highest journal counter seen of a peer
 *     00 05 <u32 group>                   which checkpoint root is the group's latest
 *     01 <u32 group> 01                   what the group is: name, kind of storage, first membership
 *     01 <u32 group> 02                   hard state: term, vote, marks
 *     01 <u32 group> 03                   checkpoint root
 *     01 <u32 group> 04                   a snapshot is being received
 *     01 <u32 group> 05 <u64 index>       an entry's record, as it is
 *     01 <u32 group> 06 <page> <u64 ver>  a checkpoint page; `page` is escaped and ended by 00 01
 */
import type { NodeId } from '../../base/brand.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import type { GroupId, LogIndex } from '../types.ts';
import type { KeyRange } from './key-value-disk.ts';

const NODE_SPACE = 0;
const GROUP_SPACE = 1;
const GROUP_PREFIX_BYTES = 6;
const ENTRY_KEY_BYTES = GROUP_PREFIX_BYTES + 8;

const JOURNAL = 3;
const PEER_COUNTER = 4;
const LATEST_ROOT = 5;
const GROUP_INFO = 1;
const HARD_STATE = 2;
const ROOT = 3;
const INSTALL = 4;
const ENTRY = 5;
const PAGE = 6;

export const DATABASE_KEY = Buffer.from([NODE_SPACE, 1]);
export const JOURNAL_BASE_KEY = Buffer.from([NODE_SPACE, 2]);
export const JOURNAL_RANGE: KeyRange = {
  from: Buffer.from([NODE_SPACE, JOURNAL]),
  to: Buffer.from([NODE_SPACE, JOURNAL + 1]),
};
export const PEER_COUNTER_RANGE: KeyRange = {
  from: Buffer.from([NODE_SPACE, PEER_COUNTER]),
  to: Buffer.from([NODE_SPACE, PEER_COUNTER + 1]),
};
/** Everything of every group. */
export const GROUPS_RANGE: KeyRange = { from: Buffer.from([GROUP_SPACE]), to: Buffer.from([GROUP_SPACE + 1]) };

/** Apart from the group's own keys, so that no damage to a table brings an older root back together with this. */
export function latestRootKey(group: GroupId): Buffer {
  const key = Buffer.allocUnsafe(6);
  key[0] = NODE_SPACE;
  key[1] = LATEST_ROOT;
  key.writeUInt32BE(group, 2);
  return key;
}

export function journalKey(counter: number): Buffer {
  const key = Buffer.allocUnsafe(10);
  key[0] = NODE_SPACE;
  key[1] = JOURNAL;
  writeSafeInteger(key, counter, 2);
  return key;
}

export function counterOfJournalKey(key: Buffer): number {
  return readSafeInteger(key, 2);
}

export function peerCounterKey(node: NodeId): Buffer {
  return Buffer.concat([PEER_COUNTER_RANGE.from, Buffer.from(node, 'utf8')]);
}

export function nodeOfPeerCounterKey(key: Buffer): NodeId {
  return key.toString('utf8', 2) as NodeId;
}

function groupKey(group: GroupId, tag: number, extraBytes = 0): Buffer {
  const key = Buffer.allocUnsafe(GROUP_PREFIX_BYTES + extraBytes);
  key[0] = GROUP_SPACE;
  key.writeUInt32BE(group, 1);
  key[5] = tag;
  return key;
}

export const groupInfoKey = (group: GroupId): Buffer => groupKey(group, GROUP_INFO);
export const hardStateKey = (group: GroupId): Buffer => groupKey(group, HARD_STATE);
export const rootKey = (group: GroupId): Buffer => groupKey(group, ROOT);
export const installKey = (group: GroupId): Buffer => groupKey(group, INSTALL);

export function groupOfKey(key: Buffer): GroupId {
  return key.readUInt32BE(1) as GroupId;
}

/** Everything of one group. */
export function groupRange(group: GroupId): KeyRange {
  return { from: groupKey(group, 0), to: groupKey(group, 0xff) };
}

export function entryKey(group: GroupId, index: LogIndex): Buffer {
  const key = groupKey(group, ENTRY, 8);
  writeSafeInteger(key, index, GROUP_PREFIX_BYTES);
  return key;
}

/** Entries in [from, to]. */
export function entryRange(group: GroupId, from: LogIndex, through: LogIndex): KeyRange {
  return { from: entryKey(group, from), to: entryKey(group, (through + 1) as LogIndex) };
}

/** All entries at or behind `from`. */
export function entriesFrom(group: GroupId, from: LogIndex): KeyRange {
  return { from: entryKey(group, from), to: groupKey(group, PAGE) };
}

export function indexOfEntryKey(key: Buffer): LogIndex | undefined {
  return key.length === ENTRY_KEY_BYTES ? (readSafeInteger(key, GROUP_PREFIX_BYTES) as LogIndex) : undefined;
}

/** Their values are records, which are of any size. */
export function isEntryKey(key: Buffer): boolean {
  return key.length === ENTRY_KEY_BYTES && key[0] === GROUP_SPACE && key[GROUP_PREFIX_BYTES - 1] === ENTRY;
}

/** A zero byte inside becomes 00 FF, so that 00 01 ends the key and no key is the beginning of another. */
export function pageKey(group: GroupId, page: Buffer, version: number): Buffer {
  let zeros = 0;
  for (const byte of page) if (byte === 0) zeros++;
  const key = groupKey(group, PAGE, page.length + zeros + 2 + 8);
  let at = GROUP_PREFIX_BYTES;
  for (const byte of page) {
    key[at++] = byte;
    if (byte === 0) key[at++] = 0xff;
  }
  key[at++] = 0;
  key[at++] = 1;
  writeSafeInteger(key, version, at);
  return key;
}

export function pagesRange(group: GroupId): KeyRange {
  return { from: groupKey(group, PAGE), to: groupKey(group, PAGE + 1) };
}

/** Undefined when `key` is none that `pageKey` made. */
export function partsOfPageKey(key: Buffer): { readonly page: Buffer; readonly version: number } | undefined {
  const end = key.length - 10;
  if (end < GROUP_PREFIX_BYTES || key[end] !== 0 || key[end + 1] !== 1) return undefined;
  const page = Buffer.allocUnsafe(end - GROUP_PREFIX_BYTES);
  let length = 0;
  for (let at = GROUP_PREFIX_BYTES; at < end; at++) {
    page[length++] = key[at]!;
    if (key[at] === 0 && key[++at] !== 0xff) return undefined;
  }
  return { page: page.subarray(0, length), version: readSafeInteger(key, end + 2) };
}
