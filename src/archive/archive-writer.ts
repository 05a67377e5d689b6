/**
 * Owns writing an archive, before it is framed: `NATSARC1`, then entries `uvarint name length | varint time (ns) | uvarint
 * sequence | uvarint headers length | uvarint payload length | name | headers | payload`. First the stream's state, then
 * its consumers, then its messages in order of sequence, at last an entry of zeros.
 */
import { enlarged } from '../base/byte-writing.ts';
import { writeTimeUs, writeVarint } from './varints.ts';

export const ARCHIVE_MAGIC = 'NATSARC1';
export const STATE_ENTRY = 'state.json';
export const CONSUMER_ENTRY_PREFIX = 'consumers/';
const MAX_NUMBERS_BYTES = 5 * 10;
const FIRST_BYTES = 64 * 1024;
const NONE = Buffer.alloc(0);

export interface WrittenMessage {
  readonly seq: number;
  readonly timestampUs: number;
  readonly buffer: Buffer;
  readonly subjectStart: number;
  readonly headersStart: number;
  readonly payloadStart: number;
  readonly end: number;
}

export class ArchiveWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #used = this.#buffer.write(ARCHIVE_MAGIC, 'latin1');

  /** Bytes that wait to be taken. */
  get bytes(): number {
    return this.#used;
  }

  state(json: object): void {
    this.#document(STATE_ENTRY, json);
  }

  consumer(name: string, json: object): void {
    this.#document(CONSUMER_ENTRY_PREFIX + name, json);
  }

  message(message: WrittenMessage): void {
    const { buffer, subjectStart, headersStart, payloadStart, end } = message;
    this.#numbers(message, {
      name: headersStart - subjectStart,
      headers: payloadStart - headersStart,
      payload: end - payloadStart,
    });
    // The parts follow one another in the message as in the entry.
    this.#used += buffer.copy(this.#buffer, this.#used, subjectStart, end);
  }

  end(): void {
    this.#numbers({ timestampUs: 0, seq: 0 }, { name: 0, headers: 0, payload: 0 });
  }

  /** What was written since the last call. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
    return taken;
  }

  #document(name: string, json: object): void {
    const nameBytes = Buffer.from(name);
    const payload = Buffer.from(JSON.stringify(json));
    const lengths = { name: nameBytes.length, headers: NONE.length, payload: payload.length };
    this.#numbers({ timestampUs: 0, seq: 0 }, lengths);
    this.#used += nameBytes.copy(this.#buffer, this.#used);
    this.#used += payload.copy(this.#buffer, this.#used);
  }

  /** Writes the numbers of an entry, and makes room for the rest of it. */
  #numbers(
    { timestampUs, seq }: { readonly timestampUs: number; readonly seq: number },
    { name, headers, payload }: { readonly name: number; readonly headers: number; readonly payload: number },
  ): void {
    this.#reserve(MAX_NUMBERS_BYTES + name + headers + payload);
    let at = writeVarint(this.#buffer, name, this.#used);
    at = writeTimeUs(this.#buffer, timestampUs, at);
    at = writeVarint(this.#buffer, seq, at);
    at = writeVarint(this.#buffer, headers, at);
    this.#used = writeVarint(this.#buffer, payload, at);
  }

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed > this.#buffer.length) this.#buffer = enlarged(this.#buffer, this.#used, needed);
  }
}
