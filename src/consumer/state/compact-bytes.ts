/**
 * Owns the writing and reading of compact binary values: numbers take seven bits to a byte, low bits first, so that small
 * differences between sequences cost one byte. Used for progress entries and checkpoint pages.
 */
import { enlarged } from '../../base/byte-writing.ts';
import { invariant } from '../../base/errors.ts';

const INITIAL_BYTES = 64;
const MAX_VARINT_BYTES = 8;
/** Numbers below this fit the bitwise path. */
const BITWISE_LIMIT = 0x8000_0000;

/** Appends to a buffer that grows by doubling. */
export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** A non-negative safe integer. */
  number(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    const buffer = this.#buffer;
    let rest = value;
    while (rest >= BITWISE_LIMIT) {
      buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[this.#length++] = rest;
  }

  /** A safe integer of either sign, below 2^52 in magnitude: the sign travels in the lowest bit. */
  signed(value: number): void {
    this.number(value < 0 ? -value * 2 - 1 : value * 2);
  }

  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.number(bytes);
    this.#reserve(bytes);
    this.#length += this.#buffer.write(value, this.#length);
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Empties the writer; what `view` returned before is overwritten by what comes next. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written, not copied. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  copy(): Buffer {
    return Buffer.from(this.view());
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#buffer.length) this.#buffer = enlarged(this.#buffer, this.#length, needed);
  }
}

/** Reads what a `ByteWriter` wrote. Bytes that end early are our own bug or damage: they crash the group, not the state. */
export class ByteReader {
  readonly #buffer: Buffer;
  #offset: number;
  readonly #end: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#offset = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#end;
  }

  byte(): number {
    invariant(this.#offset < this.#end, 'compact value ends early');
    return this.#buffer[this.#offset++]!;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    invariant(false, 'compact number is too long');
  }

  signed(): number {
    const value = this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string {
    const bytes = this.bytes();
    return bytes.toString('utf8');
  }

  /** A view of the next length-prefixed bytes. */
  bytes(): Buffer {
    const length = this.number();
    invariant(length <= this.#end - this.#offset, 'compact bytes end early');
    const start = this.#offset;
    this.#offset += length;
    return this.#buffer.subarray(start, this.#offset);
  }
}
