/**
 * Owns the form of a placed batch: messages that come with their sequences and times, from a mirrored stream or an archive.
 *
 * Behind the entry header: `u32 count`, then `count` messages in stored form, as in any batch, then `f64 firstSeq` and
 * `count` times `f64 timestampUs`. Message number i has sequence `firstSeq + i`; where there is none, a stub stands (a
 * prefix and nothing else). Without any message, the sequences just go on at `firstSeq`.
 */
import type { Seq, TimestampUs } from '../../base/brand.ts';
import { enlarged } from '../../base/byte-writing.ts';
import { ENTRY_HEADER_BYTES, BATCH_HEADER_BYTES } from './entry-format.ts';
import {
  MESSAGE_PREFIX_BYTES,
  storedMessageBytes,
  writeMessagePrefix,
  type MessageView,
} from '../messages/message-format.ts';

const TIME_BYTES = 8;
const FIRST_SEQ_BYTES = 8;
/** Gaps wider than this end the batch: the next one begins behind it. */
const MAX_GAP = 64;
const MAX_BATCH_BYTES = 512 * 1024;
const MAX_BATCH_MESSAGES = 16_384;
const FIRST_BYTES = 4096;

/** Gathers placed messages until they are worth an entry. */
export class PlacedBatchWriter {
  #messages: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #bytes = 0;
  #timesUs: number[] = [];
  #firstSeq = 0;

  get isEmpty(): boolean {
    return this.#timesUs.length === 0;
  }

  /** The sequence behind the last message that was added. */
  get nextSeq(): number {
    return this.#firstSeq + this.#timesUs.length;
  }

  /** False when the message must go to another batch: this one is full, or the gap before the message is too wide. */
  accepts(seq: Seq, messageBytes: number): boolean {
    if (this.isEmpty) return true;
    const gap = seq - this.nextSeq;
    return (
      gap >= 0 &&
      gap <= MAX_GAP &&
      this.#timesUs.length + gap < MAX_BATCH_MESSAGES &&
      this.#bytes + messageBytes <= MAX_BATCH_BYTES
    );
  }

  /** Adds a message that the batch accepts. Its parts are copied. */
  add(
    seq: Seq,
    timestampUs: TimestampUs,
    message: { readonly subject: Buffer; readonly headers: Buffer; readonly payload: Buffer },
  ): void {
    if (this.isEmpty) this.#firstSeq = seq;
    while (this.nextSeq < seq) this.#addStub(timestampUs);
    const { subject, headers, payload } = message;
    const lengths = { subject: subject.length, headers: headers.length, payload: payload.length };
    this.#reserve(storedMessageBytes(lengths.subject, lengths.headers, lengths.payload));
    let at = writeMessagePrefix(this.#messages, this.#bytes, lengths);
    at += subject.copy(this.#messages, at);
    at += headers.copy(this.#messages, at);
    at += payload.copy(this.#messages, at);
    this.#bytes = at;
    this.#timesUs.push(timestampUs);
  }

  /** What goes behind the entry header; the writer is empty again then. */
  take(): Buffer {
    const count = this.#timesUs.length;
    const payload = Buffer.allocUnsafeSlow(4 + this.#bytes + FIRST_SEQ_BYTES + count * TIME_BYTES);
    let at = payload.writeUInt32BE(count, 0);
    at += this.#messages.copy(payload, at, 0, this.#bytes);
    at = payload.writeDoubleBE(this.#firstSeq, at);
    for (const timeUs of this.#timesUs) at = payload.writeDoubleBE(timeUs, at);
    this.#bytes = 0;
    this.#timesUs = [];
    return payload;
  }

  #addStub(timestampUs: TimestampUs): void {
    this.#reserve(MESSAGE_PREFIX_BYTES);
    this.#bytes = writeMessagePrefix(this.#messages, this.#bytes, { subject: 0, headers: 0, payload: 0 });
    this.#timesUs.push(timestampUs);
  }

  #reserve(bytes: number): void {
    const needed = this.#bytes + bytes;
    if (needed > this.#messages.length) this.#messages = enlarged(this.#messages, this.#bytes, needed);
  }
}

/** A placed batch without messages: it makes the sequences of a stream go on at `nextSeq`, at least. */
export function emptyPlacedBatch(nextSeq: Seq): Buffer {
  const payload = Buffer.alloc(4 + FIRST_SEQ_BYTES);
  payload.writeDoubleBE(nextSeq, 4);
  return payload;
}

/** Where the parts of a placed batch are in its entry's body. */
export interface PlacedBatchLayout {
  readonly count: number;
  readonly firstSeq: number;
  /** Behind the last message. */
  readonly messagesEnd: number;
}

/** Undefined: the lengths do not fit together. */
export function placedBatchLayout(body: Buffer): PlacedBatchLayout | undefined {
  const count = body.readUInt32BE(ENTRY_HEADER_BYTES);
  const messagesEnd = body.length - FIRST_SEQ_BYTES - count * TIME_BYTES;
  if (messagesEnd < BATCH_HEADER_BYTES + count * MESSAGE_PREFIX_BYTES) return undefined;
  return { count, firstSeq: body.readDoubleBE(messagesEnd), messagesEnd };
}

export function placedTimeUs(body: Buffer, { messagesEnd }: PlacedBatchLayout, ordinal: number): TimestampUs {
  return body.readDoubleBE(messagesEnd + FIRST_SEQ_BYTES + ordinal * TIME_BYTES) as TimestampUs;
}

/** A place without a message. */
export function isStub(view: MessageView): boolean {
  return view.end - view.start === MESSAGE_PREFIX_BYTES;
}
