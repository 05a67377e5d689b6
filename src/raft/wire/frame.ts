/**
 * Owns the bytes of peer messages: many messages of many groups in one frame, big-endian.
 *
 *     frame    u8 version | u24 0 | u32 count | message*
 *     message  u32 bytes (all of it) | u32 group | u8 kind | u8 flags | u16 0 | u64 term | fields by kind
 *
 * Encoding copies each record once, into the frame. Decoding trusts nothing: every length is checked, every record
 * is verified, and whatever is wrong refuses the whole frame, for then nothing behind it can be believed either.
 */
import type { NodeId } from '../../base/brand.ts';
import type { GroupMessage, InstallSnapshotReply, PeerMessage } from '../messages.ts';
import { openRecord, recordBytesAt } from '../record.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import type { Entry, GroupId, LogIndex, Term } from '../types.ts';

const FRAME_VERSION = 1;
const FRAME_HEADER_BYTES = 8;
const MESSAGE_HEADER_BYTES = 20;
const FIELDS_AT = MESSAGE_HEADER_BYTES;

const KIND_CODES: { readonly [kind in PeerMessage['kind']]: number } = {
  requestVote: 1,
  requestVoteReply: 2,
  appendEntries: 3,
  appendEntriesReply: 4,
  timeoutNow: 5,
  installSnapshot: 6,
  installSnapshotReply: 7,
};
const KINDS = new Map(Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as PeerMessage['kind']]));
/** Something of any length stands behind the fields of these. */
const OPEN_ENDED: ReadonlySet<PeerMessage['kind']> = new Set([
  'appendEntries',
  'installSnapshot',
  'installSnapshotReply',
]);
/** Bytes of the fields that every message of a kind has, by its code. */
const FIXED_BYTES = [0, 32, 8, 56, 56, 8, 24, 24];
const STAGES: readonly InstallSnapshotReply['stage'][] = ['accepted', 'progress', 'done', 'refused'];

/**
 * A record is copied out of the frame unless it makes up this part of it: the log's window keeps records, and a small
 * one must not keep a whole frame alive.
 */
const VIEW_WORTH_KEEPING = 1 / 4;

export type FrameDefect = 'version' | 'length' | 'kind' | 'number' | 'record' | 'order';

/** What `message` adds to a frame. */
export function encodedBytes(message: PeerMessage): number {
  let bytes = MESSAGE_HEADER_BYTES + FIXED_BYTES[KIND_CODES[message.kind]]!;
  if (message.kind === 'appendEntries') {
    for (const entry of message.entries) bytes += entry.record.length;
  } else if (message.kind === 'installSnapshot' || message.kind === 'installSnapshotReply') {
    bytes += message.body.length;
  }
  return bytes;
}

export function encodeFrame(messages: readonly GroupMessage[]): Buffer {
  let bytes = FRAME_HEADER_BYTES;
  for (const { message } of messages) bytes += encodedBytes(message);
  const frame = Buffer.allocUnsafe(bytes);
  frame.writeUInt32BE(FRAME_VERSION << 24, 0);
  frame.writeUInt32BE(messages.length, 4);
  let at = FRAME_HEADER_BYTES;
  for (const { group, message } of messages) at = writeMessage(frame, at, group, message);
  return frame;
}

function flags(...bits: readonly boolean[]): number {
  let value = 0;
  for (let bit = 0; bit < bits.length; bit++) if (bits[bit]) value |= 1 << bit;
  return value;
}

function writeMessage(frame: Buffer, start: number, group: GroupId, message: PeerMessage): number {
  const fields = start + FIELDS_AT;
  let end = fields + FIXED_BYTES[KIND_CODES[message.kind]]!;
  let messageFlags = 0;
  switch (message.kind) {
    case 'requestVote':
      messageFlags = flags(message.preVote, message.leadershipTransfer);
      writeSafeInteger(frame, message.lastLogIndex, fields);
      writeSafeInteger(frame, message.lastLogTerm, fields + 8);
      writeSafeInteger(frame, message.transferTerm, fields + 16);
      writeSafeInteger(frame, message.transferRound, fields + 24);
      break;
    case 'requestVoteReply':
      messageFlags = flags(message.preVote, message.voteGranted);
      writeSafeInteger(frame, message.journal, fields);
      break;
    case 'appendEntries':
      messageFlags = flags(message.hibernate, message.transfersOver);
      writeSafeInteger(frame, message.prevLogIndex, fields);
      writeSafeInteger(frame, message.prevLogTerm, fields + 8);
      writeSafeInteger(frame, message.leaderCommit, fields + 16);
      writeSafeInteger(frame, message.readContext, fields + 24);
      writeSafeInteger(frame, message.digestIndex, fields + 32);
      frame.writeUInt32BE(message.digest, fields + 40);
      frame.writeUInt32BE(message.entries.length, fields + 44);
      writeSafeInteger(frame, message.repaired, fields + 48);
      for (const entry of message.entries) end += entry.record.copy(frame, end);
      break;
    case 'appendEntriesReply':
      messageFlags = flags(message.success);
      writeSafeInteger(frame, message.prevLogIndex, fields);
      // A success knows no conflict and a refusal no match, so the two share a field.
      writeSafeInteger(frame, message.success ? message.matchIndex : message.conflictIndex, fields + 8);
      writeSafeInteger(frame, message.conflictTerm, fields + 16);
      writeSafeInteger(frame, message.commitIndex, fields + 24);
      writeSafeInteger(frame, message.readContext, fields + 32);
      writeSafeInteger(frame, message.journal, fields + 40);
      writeSafeInteger(frame, message.repairing, fields + 48);
      break;
    case 'timeoutNow':
      writeSafeInteger(frame, message.round, fields);
      break;
    case 'installSnapshot':
      writeSafeInteger(frame, message.lastIncludedIndex, fields);
      writeSafeInteger(frame, message.lastIncludedTerm, fields + 8);
      writeSafeInteger(frame, message.transfer, fields + 16);
      end += message.body.copy(frame, end);
      break;
    case 'installSnapshotReply':
      messageFlags = STAGES.indexOf(message.stage);
      writeSafeInteger(frame, message.lastIncludedIndex, fields);
      writeSafeInteger(frame, message.transfer, fields + 8);
      writeSafeInteger(frame, message.position, fields + 16);
      end += message.body.copy(frame, end);
      break;
  }
  frame.writeUInt32BE(end - start, start);
  frame.writeUInt32BE(group, start + 4);
  frame.writeUInt32BE((KIND_CODES[message.kind] << 24) | (messageFlags << 16), start + 8);
  writeSafeInteger(frame, message.term, start + 12);
  return end;
}

/** The messages in `frame`, their entries verified, or why it was refused. Large records are views of `frame`. */
export function decodeFrame(
  frame: Buffer,
  link: { readonly from: NodeId; readonly to: NodeId },
): GroupMessage[] | FrameDefect {
  if (frame.length < FRAME_HEADER_BYTES) return 'length';
  if (frame[0] !== FRAME_VERSION) return 'version';
  const count = frame.readUInt32BE(4);
  if (count * MESSAGE_HEADER_BYTES > frame.length) return 'length';
  const messages: GroupMessage[] = [];
  let at = FRAME_HEADER_BYTES;
  for (let read = 0; read < count; read++) {
    if (at + MESSAGE_HEADER_BYTES > frame.length) return 'length';
    const bytes = frame.readUInt32BE(at);
    const kind = KINDS.get(frame[at + 8]!);
    if (kind === undefined) return 'kind';
    const least = MESSAGE_HEADER_BYTES + FIXED_BYTES[KIND_CODES[kind]]!;
    if (bytes < least || at + bytes > frame.length) return 'length';
    if (bytes > least && !OPEN_ENDED.has(kind)) return 'length';
    const message = readMessage(frame, kind, { start: at, end: at + bytes }, link);
    if (typeof message === 'string') return message;
    messages.push({ group: frame.readUInt32BE(at + 4) as GroupId, message });
    at += bytes;
  }
  return at === frame.length ? messages : 'length';
}

function readMessage(
  frame: Buffer,
  kind: PeerMessage['kind'],
  { start, end }: { readonly start: number; readonly end: number },
  { from, to }: { readonly from: NodeId; readonly to: NodeId },
): PeerMessage | FrameDefect {
  const messageFlags = frame[start + 9]!;
  const flag = (messageFlags & 1) !== 0;
  const secondFlag = (messageFlags & 2) !== 0;
  const fields = start + FIELDS_AT;
  const behind = fields + FIXED_BYTES[KIND_CODES[kind]]!;
  for (let at = start + 12; at < fields + NUMBER_BYTES[KIND_CODES[kind]]!; at += 8) {
    if (readSafeInteger(frame, at) < 0) return 'number';
  }
  const term = readSafeInteger(frame, start + 12) as Term;
  const index = (at: number) => readSafeInteger(frame, fields + at) as LogIndex;
  const number = (at: number) => readSafeInteger(frame, fields + at);
  const base = { from, to, term };
  switch (kind) {
    case 'requestVote': {
      const lastLogTerm = number(8) as Term;
      return {
        kind,
        ...base,
        lastLogIndex: index(0),
        lastLogTerm,
        preVote: flag,
        leadershipTransfer: secondFlag,
        transferTerm: number(16) as Term,
        transferRound: number(24),
      };
    }
    case 'requestVoteReply':
      return { kind, ...base, preVote: flag, voteGranted: secondFlag, journal: number(0) };
    case 'appendEntries': {
      const entries = readEntries(frame, start, end);
      if (typeof entries === 'string') return entries;
      return {
        kind,
        ...base,
        prevLogIndex: index(0),
        prevLogTerm: number(8) as Term,
        leaderCommit: index(16),
        entries,
        readContext: number(24),
        digestIndex: index(32),
        digest: frame.readUInt32BE(fields + 40),
        hibernate: flag,
        repaired: number(48),
        transfersOver: secondFlag,
      };
    }
    case 'appendEntriesReply':
      return {
        kind,
        ...base,
        success: flag,
        prevLogIndex: index(0),
        matchIndex: flag ? index(8) : (0 as LogIndex),
        conflictIndex: flag ? (0 as LogIndex) : index(8),
        conflictTerm: number(16) as Term,
        commitIndex: index(24),
        readContext: number(32),
        repairing: number(48),
        journal: number(40),
      };
    case 'timeoutNow':
      return { kind, ...base, round: number(0) };
    case 'installSnapshot': {
      const body = frame.subarray(behind, end);
      const lastIncludedTerm = number(8) as Term;
      return {
        kind,
        ...base,
        lastIncludedIndex: index(0),
        lastIncludedTerm,
        transfer: number(16),
        body,
      };
    }
    case 'installSnapshotReply': {
      const stage = STAGES[messageFlags];
      if (stage === undefined) return 'kind';
      const body = frame.subarray(behind, end);
      return {
        kind,
        ...base,
        stage,
        lastIncludedIndex: index(0),
        transfer: number(8),
        position: number(16),
        body,
      };
    }
  }
}

/** How many of a kind's fixed bytes are 64 bit numbers. */
const NUMBER_BYTES = FIXED_BYTES.map((bytes, kind) => (kind === KIND_CODES.appendEntries ? 40 : bytes));

/** The entries behind an AppendEntries' fields: each verified, and in unbroken order behind `prevLogIndex`. */
function readEntries(frame: Buffer, start: number, end: number): Entry[] | FrameDefect {
  const group = frame.readUInt32BE(start + 4) as GroupId;
  const fields = start + FIELDS_AT;
  const count = frame.readUInt32BE(fields + 44);
  let index = readSafeInteger(frame, fields);
  let term = readSafeInteger(frame, fields + 8);
  const entries: Entry[] = [];
  let at = fields + FIXED_BYTES[KIND_CODES.appendEntries]!;
  for (let read = 0; read < count; read++) {
    const bytes = recordBytesAt(frame, at);
    if (bytes === undefined || at + bytes > end) return 'length';
    const view = frame.subarray(at, at + bytes);
    const kept = bytes >= frame.length * VIEW_WORTH_KEEPING ? view : Buffer.from(view);
    const entry = openRecord(kept, { group });
    if (typeof entry === 'string') return 'record';
    if (entry.index !== ++index || entry.term < term) return 'order';
    term = entry.term;
    entries.push(entry);
    at += bytes;
  }
  return at === end ? entries : 'length';
}
