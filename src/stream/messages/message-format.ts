/**
 * Owns the stored form of messages: what a publish is copied into once, and what goes out again to consumers and peers.
 *
 * A message is `u32 length | u32 headersLength | u16 subjectLength | u16 flags | subject | headers | payload`, big-endian;
 * `length` counts everything, itself included; the flags say where it comes from. `headers` is the raw block from `NATS/1.0` through the blank line, or empty.
 * A batch is messages one after the other.
 */
import { readUint16, readUint32, writeUint16, writeUint32 } from '../../base/big-endian.ts';

export const MESSAGE_PREFIX_BYTES = 12;
const AT_FLAGS = 10;
/** `max_payload` may be raised to 64 MiB at most, so that a message always fits an entry and a frame. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024 + 64 * 1024;

/** Taken from another stream by this one's leader: no client can say so of its messages. */
const SOURCED = 1;

/** Offsets of one stored message within a buffer. Reused from message to message: copy what must outlive the next read. */
export interface MessageView {
  buffer: Buffer;
  start: number;
  subjectStart: number;
  headersStart: number;
  payloadStart: number;
  end: number;
}

export function emptyMessageView(): MessageView {
  return { buffer: Buffer.alloc(0), start: 0, subjectStart: 0, headersStart: 0, payloadStart: 0, end: 0 };
}

export function storedMessageBytes(subjectBytes: number, headersBytes: number, payloadBytes: number): number {
  return MESSAGE_PREFIX_BYTES + subjectBytes + headersBytes + payloadBytes;
}

/** Writes the prefix of a message at `offset` and returns where its subject must be copied to. */
export function writeMessagePrefix(
  target: Buffer,
  offset: number,
  lengths: { readonly subject: number; readonly headers: number; readonly payload: number },
): number {
  writeUint32(target, storedMessageBytes(lengths.subject, lengths.headers, lengths.payload), offset);
  writeUint32(target, lengths.headers, offset + 4);
  writeUint16(target, lengths.subject, offset + 8);
  writeUint16(target, 0, offset + AT_FLAGS);
  return offset + MESSAGE_PREFIX_BYTES;
}

/** Gives the message at the start of `target` the flags of the one in `view`. */
export function copyMessageFlags({ buffer, start }: MessageView, target: Buffer): void {
  buffer.copy(target, AT_FLAGS, start + AT_FLAGS, start + MESSAGE_PREFIX_BYTES);
}

/** Says of the message at `offset` that it is one of a source. */
export function markSourced(target: Buffer, offset: number): void {
  target.writeUInt16BE(SOURCED, offset + AT_FLAGS);
}

export function isSourced({ buffer, start }: MessageView): boolean {
  return (buffer[start + AT_FLAGS + 1]! & SOURCED) !== 0;
}

/**
 * Reads the message at `offset` of `buffer[0, limit)` into `view`. Returns false when the bytes there are not one whole
 * message: they may come from a peer, so every length is checked.
 */
export function readMessage(buffer: Buffer, offset: number, limit: number, view: MessageView): boolean {
  if (offset + MESSAGE_PREFIX_BYTES > limit) return false;
  const length = readUint32(buffer, offset);
  const headersStart = offset + MESSAGE_PREFIX_BYTES + readUint16(buffer, offset + 8);
  const payloadStart = headersStart + readUint32(buffer, offset + 4);
  const end = offset + length;
  if (end > limit || payloadStart > end) return false;
  view.buffer = buffer;
  view.start = offset;
  view.subjectStart = offset + MESSAGE_PREFIX_BYTES;
  view.headersStart = headersStart;
  view.payloadStart = payloadStart;
  view.end = end;
  return true;
}

/** True when `messages` is exactly `count` whole messages: they may come from another node. */
export function holdsMessages(messages: Buffer, count: number): boolean {
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + MESSAGE_PREFIX_BYTES > messages.length) return false;
    const length = readUint32(messages, at);
    const parts = MESSAGE_PREFIX_BYTES + readUint32(messages, at + 4) + readUint16(messages, at + 8);
    if (parts > length) return false;
    at += length;
  }
  return count > 0 && at === messages.length;
}
