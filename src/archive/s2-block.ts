/**
 * Owns decoding a compressed block: Snappy's format, with S2's addition that a copy may repeat the last distance. Blocks
 * come from clients, so nothing in them is believed.
 */
import { ArchiveError } from './archive-error.ts';

const LITERAL = 0;
const COPY_NEAR = 1;
const COPY_FAR = 2;

/** What the compressed `block` stands for, if that is at most `maxBytes` long. @throws {ArchiveError} */
export function decodeBlock(block: Buffer, maxBytes: number): Buffer {
  return new BlockDecoder(block).decode(maxBytes);
}

class BlockDecoder {
  readonly #block: Buffer;
  #at = 0;
  #output: Buffer = Buffer.alloc(0);
  #written = 0;
  /** Of the copy before. */
  #distance = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  decode(maxBytes: number): Buffer {
    const length = this.#readLength();
    if (length > maxBytes) throw corrupt();
    this.#output = Buffer.allocUnsafe(length);
    while (this.#at < this.#block.length) {
      const tag = this.#block[this.#at++]!;
      switch (tag & 3) {
        case LITERAL:
          this.#literal(tag >>> 2);
          break;
        case COPY_NEAR:
          this.#copyNear(tag);
          break;
        default:
          this.#copyFar(tag);
      }
    }
    if (this.#written !== length) throw corrupt();
    return this.#output;
  }

  #readLength(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#number(1);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw corrupt();
  }

  /** The little-endian number in the next bytes. */
  #number(bytes: number): number {
    if (this.#at + bytes > this.#block.length) throw corrupt();
    const value = this.#block.readUIntLE(this.#at, bytes);
    this.#at += bytes;
    return value;
  }

  #literal(code: number): void {
    const length = (code < 60 ? code : this.#number(code - 59)) + 1;
    if (this.#at + length > this.#block.length || this.#written + length > this.#output.length) throw corrupt();
    this.#block.copy(this.#output, this.#written, this.#at, this.#at + length);
    this.#at += length;
    this.#written += length;
  }

  /** A short copy from up to 2 KiB back; a distance of 0 is S2's repeat. */
  #copyNear(tag: number): void {
    const code = (tag >>> 2) & 7;
    const distance = ((tag & 0xe0) << 3) | this.#number(1);
    if (distance !== 0) this.#copy(distance, code + 4);
    else this.#copy(this.#distance, this.#repeatLength(code));
  }

  #repeatLength(code: number): number {
    switch (code) {
      case 5:
        return this.#number(1) + 8;
      case 6:
        return this.#number(2) + 0x104;
      case 7:
        return this.#number(3) + 0x1_0004;
      default:
        return code + 4;
    }
  }

  #copyFar(tag: number): void {
    const distance = this.#number((tag & 3) === COPY_FAR ? 2 : 4);
    this.#copy(distance, (tag >>> 2) + 1);
  }

  #copy(distance: number, length: number): void {
    const from = this.#written - distance;
    if (distance === 0 || from < 0 || this.#written + length > this.#output.length) throw corrupt();
    const output = this.#output;
    if (distance >= length) output.copyWithin(this.#written, from, from + length);
    // What is copied overlaps with what is written: the pattern goes on.
    else for (let i = 0; i < length; i++) output[this.#written + i] = output[from + i]!;
    this.#written += length;
    this.#distance = distance;
  }
}

/** In the words of the reference server. */
function corrupt(): ArchiveError {
  return new ArchiveError('s2: corrupt input');
}
