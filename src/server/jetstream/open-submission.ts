/**
 * Owns the publishes that this node gathers for one stream within one turn: messages in stored form, their reply
 * subjects, and who published them. A submission is filled, sent, and settled; then its memory serves the next one, for
 * buffers of this size that come and go with every turn would keep the garbage collector busy all the time.
 */
import { copyBytes } from '../../base/byte-writing.ts';
import {
  emptyMessageView,
  FAST_REPLY_SUFFIX,
  readMessage,
  storedMessageBytes,
  writeMessagePrefix,
  type BatchReply,
} from '../../stream/index.ts';
import type { Publication, Publisher } from '../router-types.ts';

const INITIAL_MESSAGE_BYTES = 4 * 1024;
const INITIAL_REPLY_BYTES = 1024;
const INITIAL_MESSAGES = 32;
/** Larger buffers are not kept for the next submission: they were made for a burst, or for one large message. */
const MAX_KEPT_BYTES = 512 * 1024;
const FAST_SUFFIX = Buffer.from(FAST_REPLY_SUFFIX);
const SPACE = 0x20;
const CR = 0x0d;
/** Length of `NATS/1.0`, the version that every header block begins with. */
const HEADER_VERSION_BYTES = 8;

export class OpenSubmission {
  #messages: Buffer = Buffer.allocUnsafeSlow(INITIAL_MESSAGE_BYTES);
  #messageBytes = 0;
  #replies: Buffer = Buffer.allocUnsafeSlow(INITIAL_REPLY_BYTES);
  #replyBytes = 0;
  /** Where the reply of each message ends in `#replies`; it begins where the one before ends. */
  #replyEnds = new Uint32Array(INITIAL_MESSAGES);
  #count = 0;
  /** Publishers in runs: `#publishers[i]` sent the messages up to (not including) `#publisherEnds[i]`. */
  readonly #publishers: Publisher[] = [];
  readonly #publisherEnds: number[] = [];
  #batchReplies: BatchReply[] = [];

  /** Messages whose reply subject is that of a fast batch; undefined: there are none. */
  get batchReplies(): readonly BatchReply[] | undefined {
    return this.#batchReplies.length === 0 ? undefined : this.#batchReplies;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#messageBytes;
  }

  /** View of the messages in stored form; valid until the next `add` or `reset`. */
  get messages(): Buffer {
    return this.#messages.subarray(0, this.#messageBytes);
  }

  /** Copies one publish. Its reply subject is kept only if `keepReply`. */
  add(publication: Publication, publisher: Publisher, keepReply: boolean): void {
    const { buffer, subjectStart, subjectEnd, headersEnd, payloadStart, payloadEnd } = publication;
    const statusEnd = statusLineEnd(publication);
    const headersStart = statusEnd === 0 ? publication.headersStart : statusEnd;
    const headers = headersEnd - headersStart + (statusEnd === 0 ? 0 : HEADER_VERSION_BYTES);
    const lengths = { subject: subjectEnd - subjectStart, headers, payload: payloadEnd - payloadStart };
    this.#reserveMessage(storedMessageBytes(lengths.subject, lengths.headers, lengths.payload));

    let at = writeMessagePrefix(this.#messages, this.#messageBytes, lengths);
    at = copyBytes(this.#messages, at, buffer, subjectStart, subjectEnd);
    if (statusEnd !== 0) {
      const versionEnd = publication.headersStart + HEADER_VERSION_BYTES;
      at = copyBytes(this.#messages, at, buffer, publication.headersStart, versionEnd);
    }
    if (headersEnd > headersStart) at = copyBytes(this.#messages, at, buffer, headersStart, headersEnd);
    if (payloadEnd > payloadStart) at = copyBytes(this.#messages, at, buffer, payloadStart, payloadEnd);
    this.#messageBytes = at;

    if (endsLikeBatch(publication)) this.#addBatchReply(publication);
    if (keepReply) this.#addReply(publication);
    this.#endMessage(publisher);
  }

  /** The range of a message's reply subject in `replies`; an empty one means that no reply is wanted. */
  replyStart(ordinal: number): number {
    return ordinal === 0 ? 0 : this.#replyEnds[ordinal - 1]!;
  }

  replyEnd(ordinal: number): number {
    return this.#replyEnds[ordinal]!;
  }

  get replies(): Buffer {
    return this.#replies;
  }

  publisherOf(ordinal: number): Publisher {
    let run = 0;
    while (this.#publisherEnds[run]! <= ordinal) run++;
    return this.#publishers[run]!;
  }

  subjectOf(ordinal: number): string {
    const view = emptyMessageView();
    for (let i = 0, at = 0; i <= ordinal; i++, at = view.end) readMessage(this.#messages, at, this.#messageBytes, view);
    return view.buffer.toString('latin1', view.subjectStart, view.headersStart);
  }

  /** Empties it for the next turn. Nobody may hold a view of it any more. */
  reset(): void {
    if (this.#messages.length > MAX_KEPT_BYTES) this.#messages = Buffer.allocUnsafeSlow(INITIAL_MESSAGE_BYTES);
    this.#messageBytes = 0;
    this.#replyBytes = 0;
    this.#count = 0;
    this.#publishers.length = 0;
    this.#publisherEnds.length = 0;
    if (this.#batchReplies.length > 0) this.#batchReplies = [];
  }

  #addBatchReply({ buffer, replyStart, replyEnd }: Publication): void {
    this.#batchReplies.push({ ordinal: this.#count, reply: buffer.toString('utf8', replyStart, replyEnd) });
  }

  #addReply(publication: Publication): void {
    const bytes = publication.replyEnd - publication.replyStart;
    if (this.#replyBytes + bytes > this.#replies.length) {
      this.#replies = grown(this.#replies, this.#replyBytes, this.#replyBytes + bytes);
    }
    const { buffer, replyStart, replyEnd } = publication;
    this.#replyBytes = copyBytes(this.#replies, this.#replyBytes, buffer, replyStart, replyEnd);
  }

  #endMessage(publisher: Publisher): void {
    if (this.#count === this.#replyEnds.length) {
      const larger = new Uint32Array(this.#count * 2);
      larger.set(this.#replyEnds);
      this.#replyEnds = larger;
    }
    this.#replyEnds[this.#count] = this.#replyBytes;
    this.#count++;
    const run = this.#publishers.length - 1;
    if (run >= 0 && this.#publishers[run] === publisher) {
      this.#publisherEnds[run] = this.#count;
    } else {
      this.#publishers.push(publisher);
      this.#publisherEnds.push(this.#count);
    }
  }

  #reserveMessage(bytes: number): void {
    const needed = this.#messageBytes + bytes;
    if (needed > this.#messages.length) this.#messages = grown(this.#messages, this.#messageBytes, needed);
  }
}

function grown(buffer: Buffer, used: number, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, buffer.length * 2));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

/** Whether the reply subject is that of a fast batch. */
function endsLikeBatch({ buffer, replyStart, replyEnd }: Publication): boolean {
  const start = replyEnd - FAST_SUFFIX.length;
  if (start < replyStart || buffer[replyEnd - 1] !== FAST_SUFFIX[FAST_SUFFIX.length - 1]) return false;
  return buffer.compare(FAST_SUFFIX, 0, FAST_SUFFIX.length, start, replyEnd) === 0;
}

/**
 * A publish whose header block begins with a status (`NATS/1.0 503 …`) is stored without it (streams.md 5.2). Returns
 * where the status ends (at the CR LF of its line), or 0 when there is none.
 */
function statusLineEnd({ buffer, headersStart, headersEnd }: Publication): number {
  const at = headersStart + HEADER_VERSION_BYTES;
  if (at >= headersEnd || buffer[at] !== SPACE) return 0;
  const end = buffer.indexOf(CR, at);
  return end < 0 || end >= headersEnd ? 0 : end;
}
