/**
 * Owns reading an archive (see archive-writer.ts) as its bytes come, in pieces of any size. They come from a client:
 * lengths are bounded, the order of entries is checked, and nothing behind the end is accepted.
 */
import { ArchiveError } from './archive-error.ts';
import { ARCHIVE_MAGIC, CONSUMER_ENTRY_PREFIX, STATE_ENTRY } from './archive-writer.ts';
import { readTimeUs, readVarint, varintBytes } from './varints.ts';

const NUMBERS = 5;
/** A subject is no longer, in its stored form. */
const MAX_NAME_BYTES = 65_535;
const MAX_DOCUMENT_BYTES = 1024 * 1024;
const MAGIC = Buffer.from(ARCHIVE_MAGIC);

/** The parts are views of what was read: copy what must outlive the call. */
export interface ArchivedMessage {
  readonly seq: number;
  readonly timestampUs: number;
  readonly subject: Buffer;
  readonly headers: Buffer;
  readonly payload: Buffer;
}

export interface ArchiveListener {
  state(json: Buffer): void;
  consumer(name: string, json: Buffer): void;
  message(message: ArchivedMessage): void;
}

interface EntryHead {
  readonly name: number;
  readonly timestampUs: number;
  readonly seq: number;
  readonly headers: number;
  readonly payload: number;
  /** Of the numbers themselves. */
  readonly bytes: number;
}

type Part = 'magic' | 'state' | 'consumers' | 'messages' | 'end';

export class ArchiveReader {
  readonly #listener: ArchiveListener;
  readonly #maxMessageBytes: number;
  #part: Part = 'magic';
  /** What was not read yet, in pieces: they are put together once there is enough to go on. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #neededBytes = 1;
  #lastSeq = 0;

  /** `maxMessageBytes`: headers and payload of one message together. */
  constructor(listener: ArchiveListener, maxMessageBytes: number) {
    this.#listener = listener;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** The whole archive was read. */
  get complete(): boolean {
    return this.#part === 'end';
  }

  /** Takes in the next bytes, copying them; the listener is told of every entry that is complete. @throws {ArchiveError} */
  read(bytes: Buffer): void {
    this.#pieces.push(Buffer.from(bytes));
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes < this.#neededBytes) return;
    const input = Buffer.concat(this.#pieces);
    const at = this.#readEntries(input);
    this.#pieces = at < input.length ? [Buffer.from(input.subarray(at))] : [];
    this.#pieceBytes = input.length - at;
  }

  /** Reads as far as it can; returns where it stopped. */
  #readEntries(input: Buffer): number {
    let at = this.#part === 'magic' ? this.#readMagic(input) : 0;
    this.#neededBytes = 1;
    while (this.#part !== 'magic') {
      if (this.#part === 'end' && at < input.length) throw new ArchiveError('data behind the end of the archive');
      const head = this.#readHead(input, at);
      if (head === undefined) break;
      const bytes = head.bytes + head.name + head.headers + head.payload;
      if (at + bytes > input.length) {
        this.#neededBytes = bytes;
        break;
      }
      this.#readEntry(head, input, at + head.bytes);
      at += bytes;
    }
    return at;
  }

  #readMagic(input: Buffer): number {
    if (input.length < MAGIC.length) return 0;
    if (!input.subarray(0, MAGIC.length).equals(MAGIC)) {
      throw new ArchiveError('the archive is of a version that this server does not know');
    }
    this.#part = 'state';
    return MAGIC.length;
  }

  /** Undefined: it is not all there yet. */
  #readHead(input: Buffer, start: number): EntryHead | undefined {
    const at: number[] = [];
    let end = start;
    for (let i = 0; i < NUMBERS; i++) {
      const length = varintBytes(input, end);
      if (length === 0) return undefined;
      at.push(end);
      end += length;
    }
    const [name, time, seq, headers, payload] = at as [number, number, number, number, number];
    const head = {
      name: readVarint(input, name),
      timestampUs: readTimeUs(input, time),
      seq: readVarint(input, seq),
      headers: readVarint(input, headers),
      payload: readVarint(input, payload),
      bytes: end - start,
    };
    if (
      head.name > MAX_NAME_BYTES ||
      head.headers + head.payload > Math.max(this.#maxMessageBytes, MAX_DOCUMENT_BYTES)
    ) {
      throw new ArchiveError('an entry of the archive is too large');
    }
    return head;
  }

  #readEntry(head: EntryHead, input: Buffer, start: number): void {
    const headersStart = start + head.name;
    const payloadStart = headersStart + head.headers;
    const name = input.subarray(start, headersStart);
    const payload = input.subarray(payloadStart, payloadStart + head.payload);
    if (head.seq === 0) {
      this.#readDocument(name.toString(), payload);
      return;
    }
    if (this.#part === 'state') throw new ArchiveError('the archive does not begin with the state of its stream');
    this.#part = 'messages';
    if (head.seq <= this.#lastSeq) throw new ArchiveError('the sequences of the archive do not ascend');
    if (head.name === 0 || head.headers + head.payload > this.#maxMessageBytes) {
      throw new ArchiveError('a message of the archive is too large, or has no subject');
    }
    this.#lastSeq = head.seq;
    const { seq, timestampUs } = head;
    this.#listener.message({
      seq,
      timestampUs,
      subject: name,
      headers: input.subarray(headersStart, payloadStart),
      payload,
    });
  }

  #readDocument(name: string, payload: Buffer): void {
    if (name === '' && payload.length === 0 && this.#part !== 'state') {
      this.#part = 'end';
    } else if (name === STATE_ENTRY && this.#part === 'state') {
      this.#part = 'consumers';
      this.#listener.state(payload);
    } else if (name.startsWith(CONSUMER_ENTRY_PREFIX) && this.#part === 'consumers') {
      this.#listener.consumer(name.slice(CONSUMER_ENTRY_PREFIX.length), payload);
    } else {
      throw new ArchiveError('an entry of the archive is not where it belongs');
    }
  }
}
