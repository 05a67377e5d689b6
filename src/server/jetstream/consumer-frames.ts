/**
 * Owns the frames in which messages meant for a stream's consumers (acks, pull requests, flow control answers) travel
 * to the stream's leader on another node: many messages of one turn in one frame.
 *
 * A message is `u32 length | u16 account | u16 subject | u16 reply | u32 headers | account | subject | reply | headers |
 * payload`, all numbers big-endian, `length` counting everything, the others the bytes of their part.
 */
import { enlarged } from '../../base/byte-writing.ts';

const PREFIX_BYTES = 14;
const INITIAL_BYTES = 16 * 1024;

/** One such message, as offsets into a frame. Reused: copy what must outlive the next read. */
export interface ForwardedMessage {
  buffer: Buffer;
  accountStart: number;
  subjectStart: number;
  replyStart: number;
  headersStart: number;
  payloadStart: number;
  end: number;
}

/** The parts of a message as they lie in the buffer they were parsed from. */
export interface MessageParts {
  readonly buffer: Buffer;
  readonly subjectStart: number;
  readonly subjectEnd: number;
  readonly replyStart: number;
  readonly replyEnd: number;
  readonly headersStart: number;
  readonly headersEnd: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

export class ConsumerFrameWriter {
  #buffer: Buffer = Buffer.alloc(0);
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(account: Buffer, parts: MessageParts): void {
    const { buffer, subjectStart, subjectEnd, replyStart, replyEnd, headersStart, headersEnd } = parts;
    const { payloadStart, payloadEnd } = parts;
    const subject = subjectEnd - subjectStart;
    const reply = replyEnd - replyStart;
    const headers = headersEnd - headersStart;
    const length = PREFIX_BYTES + account.length + subject + reply + headers + payloadEnd - payloadStart;
    this.#reserve(length);
    const target = this.#buffer;
    let at = target.writeUInt32BE(length, this.#bytes);
    at = target.writeUInt16BE(account.length, at);
    at = target.writeUInt16BE(subject, at);
    at = target.writeUInt16BE(reply, at);
    at = target.writeUInt32BE(headers, at);
    at += account.copy(target, at);
    at += buffer.copy(target, at, subjectStart, subjectEnd);
    at += buffer.copy(target, at, replyStart, replyEnd);
    at += buffer.copy(target, at, headersStart, headersEnd);
    buffer.copy(target, at, payloadStart, payloadEnd);
    this.#bytes += length;
  }

  /** The frame so far, handed over; the writer begins anew. */
  take(): Buffer {
    const frame = this.#buffer.subarray(0, this.#bytes);
    this.#buffer = Buffer.alloc(0);
    this.#bytes = 0;
    return frame;
  }

  #reserve(bytes: number): void {
    const needed = this.#bytes + bytes;
    if (needed <= this.#buffer.length) return;
    this.#buffer = enlarged(this.#buffer, this.#bytes, Math.max(needed, INITIAL_BYTES));
  }
}

/** Reads the message at `offset` into `message`; false at the end of the frame, and where it is not well formed. */
export function readForwarded(frame: Buffer, offset: number, message: ForwardedMessage): boolean {
  if (offset + PREFIX_BYTES > frame.length) return false;
  const end = offset + frame.readUInt32BE(offset);
  const accountStart = offset + PREFIX_BYTES;
  const subjectStart = accountStart + frame.readUInt16BE(offset + 4);
  const replyStart = subjectStart + frame.readUInt16BE(offset + 6);
  const headersStart = replyStart + frame.readUInt16BE(offset + 8);
  const payloadStart = headersStart + frame.readUInt32BE(offset + 10);
  if (end > frame.length || payloadStart > end) return false;
  message.buffer = frame;
  message.accountStart = accountStart;
  message.subjectStart = subjectStart;
  message.replyStart = replyStart;
  message.headersStart = headersStart;
  message.payloadStart = payloadStart;
  message.end = end;
  return true;
}
