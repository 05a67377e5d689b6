/**
 * Owns the framing of an archive: a stream identifier, then chunks `u8 type | u24 length | body`, little-endian, whose
 * bodies begin with a masked CRC32C of what they stand for. What is written here is compressed as Snappy does, which is a
 * part of S2; what is read may use all of S2.
 */
import { compress } from 'snappy';
import { crc32c } from '../base/checksum.ts';
import { ArchiveError } from './archive-error.ts';
import { decodeBlock } from './s2-block.ts';

const COMPRESSED = 0x00;
const UNCOMPRESSED = 0x01;
const INDEX = 0x99;
const PADDING = 0xfe;
const STREAM_IDENTIFIER = 0xff;
const CHUNK_HEADER_BYTES = 4;
const CHECKSUM_BYTES = 4;
const IDENTIFIERS = ['S2sTwO', 'sNaPpY'];
/** The most that one chunk may stand for. */
const MAX_BLOCK_BYTES = 4 * 1024 * 1024;
/** Room for a block that compression made longer. */
const MAX_CHUNK_BYTES = MAX_BLOCK_BYTES + MAX_BLOCK_BYTES / 8;
/** Compressed chunks shorter than the original by less than this part are not worth it. */
const LEAST_GAIN = 1 / 8;

export class FrameEncoder {
  #begun = false;

  /** The chunk that stands for `data`, at most 4 MiB of it. Compressed off the loop. */
  async encode(data: Buffer): Promise<Buffer> {
    const block = await compress(data);
    const pays = block.length <= data.length * (1 - LEAST_GAIN);
    const chunk = encodeChunk(pays ? COMPRESSED : UNCOMPRESSED, data, pays ? block : data);
    if (this.#begun) return chunk;
    this.#begun = true;
    return Buffer.concat([chunkHeader(STREAM_IDENTIFIER, IDENTIFIERS[0]!.length), Buffer.from(IDENTIFIERS[0]!), chunk]);
  }
}

function encodeChunk(type: number, data: Buffer, body: Buffer): Buffer {
  const checksum = Buffer.allocUnsafe(CHECKSUM_BYTES);
  checksum.writeUInt32LE(maskedChecksum(data));
  return Buffer.concat([chunkHeader(type, CHECKSUM_BYTES + body.length), checksum, body]);
}

function chunkHeader(type: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(CHUNK_HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeUIntLE(length, 1, 3);
  return header;
}

/** So that a checksum over data that holds checksums stays a good one. */
function maskedChecksum(data: Buffer): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0;
}

export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  /** True between two chunks: the stream may end here. */
  get atBoundary(): boolean {
    return this.#begun && this.#rest.length === 0;
  }

  /** Takes in the next bytes of the stream; hands over what the chunks that are complete now stand for. @throws {ArchiveError} */
  decode(bytes: Buffer, take: (data: Buffer) => void): void {
    let input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (input.length >= CHUNK_HEADER_BYTES) {
      const length = input.readUIntLE(1, 3);
      if (length > MAX_CHUNK_BYTES) throw new ArchiveError('s2: corrupt input');
      const end = CHUNK_HEADER_BYTES + length;
      if (input.length < end) break;
      const data = this.#decodeChunk(input[0]!, input.subarray(CHUNK_HEADER_BYTES, end));
      if (data !== undefined) take(data);
      input = input.subarray(end);
    }
    // A view would keep the whole of what came so far.
    this.#rest = Buffer.from(input);
  }

  #decodeChunk(type: number, body: Buffer): Buffer | undefined {
    if (type === STREAM_IDENTIFIER) {
      if (!IDENTIFIERS.includes(body.toString('latin1'))) throw new ArchiveError('s2: corrupt input');
      this.#begun = true;
      return undefined;
    }
    if (!this.#begun) throw new ArchiveError('s2: corrupt input');
    if (type === COMPRESSED || type === UNCOMPRESSED) return decodeData(type, body);
    if (type === PADDING || type === INDEX) return undefined;
    // Other types could be skipped as well, but a chunk whose type was damaged would then be missing unnoticed.
    throw new ArchiveError('s2: unsupported input');
  }
}

function decodeData(type: number, body: Buffer): Buffer {
  if (body.length < CHECKSUM_BYTES) throw new ArchiveError('s2: corrupt input');
  const content = body.subarray(CHECKSUM_BYTES);
  if (type === UNCOMPRESSED && content.length > MAX_BLOCK_BYTES) throw new ArchiveError('s2: corrupt input');
  const data = type === COMPRESSED ? decodeBlock(content, MAX_BLOCK_BYTES) : content;
  if (maskedChecksum(data) !== body.readUInt32LE(0)) throw new ArchiveError('s2: corrupt input');
  return data;
}
