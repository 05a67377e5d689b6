/** Owns what direct gets answer with: stored messages with the stream's own headers added, and status lines. */
import type { TimestampUs } from '../base/brand.ts';
import { copyBytes, writeDecimal } from '../base/byte-writing.ts';
import { replyRun, REPLY_PREFIX_BYTES, writeReplyPrefix } from '../base/reply-run.ts';
import { MAX_RFC3339_BYTES, writeRfc3339 } from '../base/rfc3339.ts';
import type { StoredMessage } from '../stream/index.ts';

const VERSION_LINE = Buffer.from('NATS/1.0\r\n');
const SUBJECT_LINE = '\r\nNats-Subject: ';
const SEQUENCE_LINE = Buffer.from('\r\nNats-Sequence: ');
const TIME_LINE = Buffer.from('\r\nNats-Time-Stamp: ');
const PENDING_LINE = Buffer.from('\r\nNats-Num-Pending: ');
const LAST_LINE = Buffer.from('\r\nNats-Last-Sequence: ');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const LINE_END_BYTES = 2;
const MAX_NUMBER_BYTES = 16;
/** The most that is added beside the names of stream and subject. */
const ADDED_BYTES =
  [SEQUENCE_LINE, TIME_LINE, PENDING_LINE, LAST_LINE, END_OF_HEADERS].reduce((sum, { length }) => sum + length, 0) +
  REPLY_PREFIX_BYTES +
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

/** A run of one reply that is nothing but a status. */
export function statusReply(status: string): Buffer {
  return replyRun(Buffer.from(`NATS/1.0 ${status}\r\n\r\n`), Buffer.alloc(0));
}

/** Ends a response of several messages. `upToSeq`: the bound that it was limited to. */
export function endOfBatchReply(progress: BatchProgress, upToSeq?: number): Buffer {
  const upTo = upToSeq === undefined ? '' : `\r\nNats-UpTo-Sequence: ${upToSeq}`;
  return statusReply(
    `204 EOB\r\nNats-Num-Pending: ${progress.numPending}\r\nNats-Last-Sequence: ${progress.lastSeq}${upTo}`,
  );
}

/** Writes replies of one stream one behind the other, copying what they need of the stored messages. */
export class ReplyWriter {
  /** What a reply to a message without headers begins with, through the name of the line that tells its subject. */
  readonly #head: Buffer;
  /** The line with the time of the message written last; in batches, the name of the line behind it as well. */
  #timeLine = Buffer.alloc(0);
  #timeAndPendingLine = Buffer.alloc(0);
  #timeUs = -1;
  /** A run of replies: `[0, end)`. */
  buffer = Buffer.alloc(0);
  end = 0;

  constructor(stream: string) {
    this.#head = Buffer.concat([VERSION_LINE, Buffer.from(`Nats-Stream: ${stream}${SUBJECT_LINE}`)]);
  }

  /** Adds nothing but the payload, for clients that asked for no headers. As with `add`, there must be room for it. */
  addPayload({ buffer, payloadStart, end }: StoredMessage): void {
    const start = this.end;
    this.end = copyBytes(this.buffer, start + REPLY_PREFIX_BYTES, buffer, payloadStart, end);
    writeReplyPrefix(this.buffer, start, 0, end - payloadStart);
  }

  /** A run of this message alone, over what was there before. */
  overwrite(message: StoredMessage): void {
    this.end = 0;
    if (!this.hasRoomFor(message)) this.renew(message);
    this.add(message, undefined);
  }

  hasRoomFor(message: StoredMessage): boolean {
    return this.end + this.#needed(message) <= this.buffer.length;
  }

  /** Begins another run in memory of its own, which has room for the message; the one before stays as it is. */
  renew(message: StoredMessage): void {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, this.#needed(message)));
    this.end = 0;
  }

  #needed(message: StoredMessage): number {
    return ADDED_BYTES + this.#head.length + message.end - message.subjectStart;
  }

  /**
   * Adds the message to the run, which has room for it. The client's headers come first, as they were stored; the blank
   * line that ends them moves behind ours.
   */
  add(message: StoredMessage, progress: BatchProgress | undefined): void {
    const { buffer: source, subjectStart, headersStart, payloadStart, end } = message;
    const target = this.buffer;
    const bodyStart = this.end + REPLY_PREFIX_BYTES;
    let at = bodyStart;
    if (payloadStart > headersStart) {
      at = copyBytes(target, at, source, headersStart, payloadStart - LINE_END_BYTES);
      at = copyBytes(target, at, this.#head, VERSION_LINE.length, this.#head.length);
    } else {
      target.set(this.#head, at);
      at += this.#head.length;
    }
    at = copyBytes(target, at, source, subjectStart, headersStart);
    at = copyBytes(target, at, SEQUENCE_LINE, 0, SEQUENCE_LINE.length);
    at = writeDecimal(target, at, message.seq);
    if (message.timestampUs !== this.#timeUs) this.#setTime(message.timestampUs);
    // Whole buffers are set rather than copied, for which Node.js would make a view first.
    if (progress === undefined) {
      target.set(this.#timeLine, at);
      at += this.#timeLine.length;
    } else {
      target.set(this.#timeAndPendingLine, at);
      at = writeDecimal(target, at + this.#timeAndPendingLine.length, progress.numPending);
      at = copyBytes(target, at, LAST_LINE, 0, LAST_LINE.length);
      at = writeDecimal(target, at, progress.lastSeq);
    }
    at = copyBytes(target, at, END_OF_HEADERS, 0, END_OF_HEADERS.length);
    const headersBytes = at - bodyStart;
    at = copyBytes(target, at, source, payloadStart, end);
    writeReplyPrefix(target, this.end, headersBytes, at - bodyStart);
    this.end = at;
  }

  /** Messages of one entry share their time. */
  #setTime(timestampUs: TimestampUs): void {
    this.#timeUs = timestampUs;
    const line = Buffer.alloc(TIME_LINE.length + MAX_RFC3339_BYTES + PENDING_LINE.length);
    const lineEnd = writeRfc3339(line, copyBytes(line, 0, TIME_LINE, 0, TIME_LINE.length), timestampUs);
    const end = copyBytes(line, lineEnd, PENDING_LINE, 0, PENDING_LINE.length);
    this.#timeLine = line.subarray(0, lineEnd);
    this.#timeAndPendingLine = line.subarray(0, end);
  }
}
