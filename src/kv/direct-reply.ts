/** Owns what direct gets answer with: stored messages with the stream's own headers added, and status lines. */
import { formatRfc3339 } from '../base/rfc3339.ts';
import type { StoredMessage } from '../stream/index.ts';

/** One message to the reply subject. */
export interface DirectReply {
  readonly headers: Buffer;
  readonly payload: Buffer;
}

const EMPTY = Buffer.alloc(0);
const VERSION_LINE = 'NATS/1.0\r\n';
const LINE_END_BYTES = 2;

/** Progress of a response of several messages. */
export interface BatchProgress {
  /** Matching messages that remain after this one. */
  readonly numPending: number;
  /** The message before this one in the same response, 0 for the first. */
  readonly lastSeq: number;
}

export function statusReply(status: string): DirectReply {
  return { headers: Buffer.from(`NATS/1.0 ${status}\r\n\r\n`), payload: EMPTY };
}

/** Copies what it needs of `message`. The client's headers come first, as they were stored. */
export function messageReply(stream: string, message: StoredMessage, progress?: BatchProgress): DirectReply {
  const { buffer, subjectStart, headersStart, payloadStart, end } = message;
  const subject = buffer.toString('utf8', subjectStart, headersStart);
  const time = formatRfc3339(message.timestampUs);
  let added = `Nats-Stream: ${stream}\r\nNats-Subject: ${subject}\r\nNats-Sequence: ${message.seq}\r\nNats-Time-Stamp: ${time}\r\n`;
  if (progress !== undefined) {
    added += `Nats-Num-Pending: ${progress.numPending}\r\nNats-Last-Sequence: ${progress.lastSeq}\r\n`;
  }
  // The blank line that ends the stored block moves behind ours.
  const own = payloadStart > headersStart ? buffer.subarray(headersStart, payloadStart - LINE_END_BYTES) : VERSION_LINE;
  const headers = Buffer.concat([typeof own === 'string' ? Buffer.from(own) : own, Buffer.from(`${added}\r\n`)]);
  return { headers, payload: Buffer.from(buffer.subarray(payloadStart, end)) };
}

/** Nothing but the payload, for clients that asked for no headers. */
export function payloadReply(message: StoredMessage): DirectReply {
  return { headers: EMPTY, payload: Buffer.from(message.buffer.subarray(message.payloadStart, message.end)) };
}

/** Ends a response of several messages. `upToSeq`: the bound that it was limited to. */
export function endOfBatchReply(progress: BatchProgress, upToSeq?: number): DirectReply {
  const upTo = upToSeq === undefined ? '' : `Nats-UpTo-Sequence: ${upToSeq}\r\n`;
  return {
    headers: Buffer.from(
      `NATS/1.0 204 EOB\r\nNats-Num-Pending: ${progress.numPending}\r\nNats-Last-Sequence: ${progress.lastSeq}\r\n${upTo}\r\n`,
    ),
    payload: EMPTY,
  };
}
