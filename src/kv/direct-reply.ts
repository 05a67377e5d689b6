/** Owns what direct gets answer with: stored messages with the stream's own headers added, and status lines. */
import type { TimestampUs } from '../base/brand.ts';
import { copyBytes, writeDecimal } from '../base/byte-writing.ts';
import { MAX_RFC3339_BYTES, writeRfc3339 } from '../base/rfc3339.ts';
import type { StoredMessage } from '../stream/index.ts';

/** One message to the reply subject. */
export interface DirectReply {
  /** Header block and payload, one behind the other. */
  readonly body: Buffer;
  readonly headersBytes: number;
}

const VERSION_LINE = Buffer.from('NATS/1.0\r\n');
const SUBJECT_LINE = Buffer.from('\r\nNats-Subject: ');
const SEQUENCE_LINE = Buffer.from('\r\nNats-Sequence: ');
const TIME_LINE = Buffer.from('\r\nNats-Time-Stamp: ');
const PENDING_LINE = Buffer.from('\r\nNats-Num-Pending: ');
const LAST_LINE = Buffer.from('\r\nNats-Last-Sequence: ');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const LINE_END_BYTES = 2;
const MAX_NUMBER_BYTES = 16;
/** The most that is added beside the names of stream and subject. */
const ADDED_BYTES =
  [VERSION_LINE, SUBJECT_LINE, SEQUENCE_LINE, TIME_LINE, PENDING_LINE, LAST_LINE, END_OF_HEADERS].reduce(
    (sum, { length }) => sum + length,
    0,
  ) +
  3 * MAX_NUMBER_BYTES +
  MAX_RFC3339_BYTES;
const CHUNK_BYTES = 64 * 1024;

/** Progress of a response of several messages. */
export interface BatchProgress {
  /** Matching messages that remain after this one. */
  readonly numPending: number;
  /** The message before this one in the same response, 0 for the first. */
  readonly lastSeq: number;
}

export function statusReply(status: string): DirectReply {
  const body = Buffer.from(`NATS/1.0 ${status}\r\n\r\n`);
  return { body, headersBytes: body.length };
}

/** Nothing but the payload, for clients that asked for no headers. */
export function payloadReply(message: StoredMessage): DirectReply {
  return { body: Buffer.from(message.buffer.subarray(message.payloadStart, message.end)), headersBytes: 0 };
}

/** Ends a response of several messages. `upToSeq`: the bound that it was limited to. */
export function endOfBatchReply(progress: BatchProgress, upToSeq?: number): DirectReply {
  const upTo = upToSeq === undefined ? '' : `\r\nNats-UpTo-Sequence: ${upToSeq}`;
  return statusReply(
    `204 EOB\r\nNats-Num-Pending: ${progress.numPending}\r\nNats-Last-Sequence: ${progress.lastSeq}${upTo}`,
  );
}

/** Writes replies of one stream one behind the other, copying what they need of the stored messages. */
export class ReplyWriter {
  readonly #streamLine: Buffer;
  readonly #time = Buffer.alloc(MAX_RFC3339_BYTES);
  #timeUs = -1;
  #timeBytes = 0;
  /** Of the reply written last: it is in `buffer[start, end)`, its header block in `[start, payloadStart)`. */
  buffer = Buffer.alloc(0);
  start = 0;
  payloadStart = 0;
  end = 0;

  constructor(stream: string) {
    this.#streamLine = Buffer.from(`Nats-Stream: ${stream}`);
  }

  /** The message as a reply that lasts. */
  reply(message: StoredMessage, progress?: BatchProgress): DirectReply {
    this.#write(message, progress);
    return { body: this.buffer.subarray(this.start, this.end), headersBytes: this.payloadStart - this.start };
  }

  /** Writes the message as a reply over the one before. */
  overwrite(message: StoredMessage): void {
    this.end = 0;
    this.#write(message, undefined);
  }

  #makeRoom(message: StoredMessage): void {
    const needed = ADDED_BYTES + this.#streamLine.length + message.end - message.subjectStart;
    if (this.end + needed <= this.buffer.length) return;
    this.buffer = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, needed));
    this.end = 0;
  }

  /** The client's headers come first, as they were stored; the blank line that ends them moves behind ours. */
  #write(message: StoredMessage, progress: BatchProgress | undefined): void {
    this.#makeRoom(message);
    const { buffer: source, subjectStart, headersStart, payloadStart, end } = message;
    const target = this.buffer;
    let at = this.end;
    this.start = at;
    if (payloadStart > headersStart) at = copyBytes(target, at, source, headersStart, payloadStart - LINE_END_BYTES);
    else at = copyBytes(target, at, VERSION_LINE, 0, VERSION_LINE.length);
    at = copyBytes(target, at, this.#streamLine, 0, this.#streamLine.length);
    at = copyBytes(target, at, SUBJECT_LINE, 0, SUBJECT_LINE.length);
    at = copyBytes(target, at, source, subjectStart, headersStart);
    at = copyBytes(target, at, SEQUENCE_LINE, 0, SEQUENCE_LINE.length);
    at = writeDecimal(target, at, message.seq);
    at = copyBytes(target, at, TIME_LINE, 0, TIME_LINE.length);
    at = this.#writeTime(target, at, message.timestampUs);
    if (progress !== undefined) {
      at = copyBytes(target, at, PENDING_LINE, 0, PENDING_LINE.length);
      at = writeDecimal(target, at, progress.numPending);
      at = copyBytes(target, at, LAST_LINE, 0, LAST_LINE.length);
      at = writeDecimal(target, at, progress.lastSeq);
    }
    at = copyBytes(target, at, END_OF_HEADERS, 0, END_OF_HEADERS.length);
    this.payloadStart = at;
    this.end = copyBytes(target, at, source, payloadStart, end);
  }

  /** Messages of one entry share their time. */
  #writeTime(target: Buffer, at: number, timestampUs: TimestampUs): number {
    if (timestampUs !== this.#timeUs) {
      this.#timeUs = timestampUs;
      this.#timeBytes = writeRfc3339(this.#time, 0, timestampUs);
    }
    return copyBytes(target, at, this.#time, 0, this.#timeBytes);
  }
}
