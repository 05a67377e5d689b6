/**
 * Owns a run of up to 256 blocks as columns, a row for each block: the columns have what is the same for all messages of a
 * block, or common to them, and its `BlockSide` what differs.
 *
 * Page of a chunk, big-endian: `f64 entryIndex | f64 firstSeq | f64 timestampUs | u32 count | u32 subjectBase |
 * u32 sizeBase | u32 ttlBase | u32 hasSide` for each row that is not dead.
 */
import { bloomMayHold, emptySide, hasSidePage, spreadId, type BlockSide } from './block-side.ts';

export const ROWS_PER_CHUNK = 256;
const ROW_BYTES = 44;
/** Of a chunk's summary: enough for a subject or two of each block. */
const SUMMARY_BITS = 11;
/** A block of more messages is not in the summary, which it would fill: it has a bloom of its own. */
const MAX_SUMMARISED = 128;
/** The most that a link can span; a farther message is found by searching. */
const MAX_LINK = 0xffff_ffff;

export class BlockChunk {
  /** Names the chunk's page; goes up along the table. */
  readonly id: number;
  size = 0;
  deadRows = 0;
  liveMessages = 0;
  entryIndex: Float64Array;
  firstSeq: Float64Array;
  /** Of the block's earliest message, which is that of all of them unless they were placed. Never falls. */
  timestampUs: Float64Array;
  /** Sequences the block took, live or not. */
  count: Uint32Array;
  /** Live messages; 0: the row is dead. */
  live: Uint32Array;
  /** Added to what the side says, or the one value for all of the block's messages. */
  subjectBase: Uint32Array;
  sizeBase: Uint32Array;
  ttlBase: Uint32Array;
  /** From the block's last message to the next one stored on its subject, as a distance; 0: unknown. */
  link: Uint32Array;
  side: (BlockSide | undefined)[] = [];
  /** A bit for each subject of its blocks, by hash, as long as all of them are in it. */
  readonly #summary = new Uint32Array((1 << SUMMARY_BITS) / 32);
  #isSummarised = true;
  /** The block that is being filled, which the summary knows nothing of; -1: none. */
  openRow = -1;

  constructor(id: number, rows: number) {
    this.id = id;
    this.entryIndex = new Float64Array(rows);
    this.firstSeq = new Float64Array(rows);
    this.timestampUs = new Float64Array(rows);
    this.count = new Uint32Array(rows);
    this.live = new Uint32Array(rows);
    this.subjectBase = new Uint32Array(rows);
    this.sizeBase = new Uint32Array(rows);
    this.ttlBase = new Uint32Array(rows);
    this.link = new Uint32Array(rows);
  }

  get rows(): number {
    return this.count.length;
  }

  endSeq(row: number): number {
    return this.firstSeq[row]! + this.count[row]!;
  }

  isLive(row: number, ordinal: number): boolean {
    const dead = this.side[row]?.dead;
    return dead === undefined || (dead[ordinal >>> 3]! & (1 << (ordinal & 7))) === 0;
  }

  subjectAt(row: number, ordinal: number): number {
    const subjects = this.side[row]?.subjects;
    return subjects === undefined ? this.subjectBase[row]! : this.subjectBase[row]! + subjects[ordinal]!;
  }

  sizeAt(row: number, ordinal: number): number {
    const sizes = this.side[row]?.sizes;
    return sizes === undefined ? this.sizeBase[row]! : this.sizeBase[row]! + sizes[ordinal]!;
  }

  /** Of all messages that the block at `row` took, about as much as its record. */
  bytesOf(row: number): number {
    let bytes = this.sizeBase[row]! * this.count[row]!;
    const sizes = this.side[row]?.sizes;
    if (sizes !== undefined) for (const above of sizes) bytes += above;
    return bytes;
  }

  timeAt(row: number, ordinal: number): number {
    const times = this.side[row]?.times;
    return times === undefined ? this.timestampUs[row]! : this.timestampUs[row]! + times[ordinal]!;
  }

  /** The block at `row` is complete: its subjects count in the summary. */
  summarise(row: number): void {
    const subjects = this.side[row]?.subjects;
    const base = this.subjectBase[row]!;
    if (subjects === undefined) this.#note(base);
    else if (subjects.length > MAX_SUMMARISED) this.#isSummarised = false;
    else for (const id of subjects) this.#note(base + id);
  }

  /** False: none of the blocks holds a message of the subject. */
  mayHold(id: number): boolean {
    const bit = spreadId(id) >>> (32 - SUMMARY_BITS);
    return !this.#isSummarised || this.openRow >= 0 || (this.#summary[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** The same of the block at `row`. */
  rowMayHold(row: number, id: number): boolean {
    const side = this.side[row];
    if (side?.subjects === undefined) return this.subjectBase[row] === id;
    return side.bloom === undefined || bloomMayHold(side.bloom, id);
  }

  #note(id: number): void {
    const bit = spreadId(id) >>> (32 - SUMMARY_BITS);
    this.#summary[bit >>> 5]! |= 1 << (bit & 31);
  }

  /** See message-ttl.ts. */
  ttlAt(row: number, ordinal: number): number {
    const ttls = this.side[row]?.ttls;
    return ttls === undefined ? this.ttlBase[row]! : this.ttlBase[row]! + ttls[ordinal]!;
  }

  /** False: none of the block's messages has a time to live of its own. */
  hasTtls(row: number): boolean {
    return this.ttlBase[row] !== 0 || this.side[row]?.ttls !== undefined;
  }

  /** Distance from a message to the next one stored on its subject, which may be gone by now; 0: unknown. */
  linkAt(row: number, ordinal: number): number {
    const side = this.side[row];
    if (side?.links !== undefined) return side.links[ordinal]!;
    if (ordinal === this.count[row]! - 1) return this.link[row]!;
    return side?.subjects === undefined ? 1 : 0;
  }

  setLink(row: number, ordinal: number, distance: number): void {
    const known = distance > MAX_LINK ? 0 : distance;
    const links = this.side[row]?.links;
    if (links !== undefined) links[ordinal] = known;
    else if (ordinal === this.count[row]! - 1) this.link[row] = known;
  }

  copyRow(from: BlockChunk, row: number): void {
    const to = this.size++;
    this.entryIndex[to] = from.entryIndex[row]!;
    this.firstSeq[to] = from.firstSeq[row]!;
    this.timestampUs[to] = from.timestampUs[row]!;
    this.count[to] = from.count[row]!;
    this.live[to] = from.live[row]!;
    this.subjectBase[to] = from.subjectBase[row]!;
    this.sizeBase[to] = from.sizeBase[row]!;
    this.ttlBase[to] = from.ttlBase[row]!;
    this.link[to] = from.link[row]!;
    this.side[to] = from.side[row];
    this.liveMessages += from.live[row]!;
    this.summarise(to);
  }

  copyLiveRows(from: BlockChunk): void {
    for (let row = 0; row < from.size; row++) if (from.live[row] !== 0) this.copyRow(from, row);
  }

  /** The chunk's page. */
  encode(): Buffer {
    const value = Buffer.allocUnsafeSlow((this.size - this.deadRows) * ROW_BYTES);
    let at = 0;
    for (let row = 0; row < this.size; row++) {
      if (this.live[row] === 0) continue;
      at = value.writeDoubleBE(this.entryIndex[row]!, at);
      at = value.writeDoubleBE(this.firstSeq[row]!, at);
      at = value.writeDoubleBE(this.timestampUs[row]!, at);
      at = value.writeUInt32BE(this.count[row]!, at);
      at = value.writeUInt32BE(this.subjectBase[row]!, at);
      at = value.writeUInt32BE(this.sizeBase[row]!, at);
      at = value.writeUInt32BE(this.ttlBase[row]!, at);
      const side = this.side[row];
      at = value.writeUInt32BE(side !== undefined && hasSidePage(side) ? 1 : 0, at);
    }
    return value;
  }

  /** The chunk of a page, its sides still empty; undefined: it is no such page. */
  static decode(id: number, value: Buffer): BlockChunk | undefined {
    const rows = value.length / ROW_BYTES;
    if (!Number.isInteger(rows) || rows === 0 || rows > ROWS_PER_CHUNK) return undefined;
    const chunk = new BlockChunk(id, rows);
    for (let at = 0; at < value.length; at += ROW_BYTES) {
      const row = chunk.size++;
      chunk.entryIndex[row] = value.readDoubleBE(at);
      chunk.firstSeq[row] = value.readDoubleBE(at + 8);
      chunk.timestampUs[row] = value.readDoubleBE(at + 16);
      chunk.count[row] = value.readUInt32BE(at + 24);
      chunk.subjectBase[row] = value.readUInt32BE(at + 28);
      chunk.sizeBase[row] = value.readUInt32BE(at + 32);
      chunk.ttlBase[row] = value.readUInt32BE(at + 36);
      chunk.side[row] = value.readUInt32BE(at + 40) === 0 ? undefined : emptySide();
    }
    return chunk;
  }
}
