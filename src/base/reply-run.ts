/**
 * Owns the form in which replies to one subject lie behind each other, from whoever writes them to whoever sends them:
 * `u32 headersBytes | u32 bodyBytes | headers | payload` for each, big-endian; `bodyBytes` counts headers and payload.
 */
import { readUint32, writeUint32 } from './big-endian.ts';

export const REPLY_PREFIX_BYTES = 8;

/** Writes the prefix of a reply at `at`; its body begins REPLY_PREFIX_BYTES behind. */
export function writeReplyPrefix(target: Buffer, at: number, headersBytes: number, bodyBytes: number): void {
  writeUint32(target, headersBytes, at);
  writeUint32(target, bodyBytes, at + 4);
}

/** A run of one reply. */
export function replyRun(headers: Buffer, payload: Buffer): Buffer {
  const run = Buffer.allocUnsafe(REPLY_PREFIX_BYTES + headers.length + payload.length);
  writeReplyPrefix(run, 0, headers.length, headers.length + payload.length);
  headers.copy(run, REPLY_PREFIX_BYTES);
  payload.copy(run, REPLY_PREFIX_BYTES + headers.length);
  return run;
}

/** True when `run` is nothing but whole replies: it may come from another node. */
export function holdsReplies(run: Buffer): boolean {
  let at = 0;
  while (at < run.length) {
    if (at + REPLY_PREFIX_BYTES > run.length) return false;
    const headersBytes = readUint32(run, at);
    const bodyBytes = readUint32(run, at + 4);
    if (headersBytes > bodyBytes) return false;
    at += REPLY_PREFIX_BYTES + bodyBytes;
  }
  return at === run.length;
}
