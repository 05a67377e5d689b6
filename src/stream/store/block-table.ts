/**
 * Owns the stream's blocks: which log entry holds which sequences, and per message its subject and size, so that
 * removing, counting and filtering never need the messages themselves, which may be on disk.
 *
 * Blocks are rows of columns, in chunks of up to 256, because there may be a million blocks of one message each: a row
 * takes 60 bytes. What differs between the messages of a block is in a `BlockSide`: subject ids and sizes in the
 * narrowest width that fits (none at all when they are the same for the whole block; at worst 4 bytes each per
 * message), a bit per message once some are removed, and links between messages of a subject while they are wanted.
 *
 * A chunk that lost half of its blocks is packed, and joined with its neighbour when both are small, so the table stays
 * in proportion to the blocks that live.
 *
 * Checkpoint: a page of columns per chunk, written when blocks come or go; a page per block with a side, written once;
 * and a page per block with removals, which is all that a removal changes.
 */
import type { TimestampUs } from '../../base/brand.ts';
import type { LogIndex } from '../../raft/index.ts';
import { BlockChunk, ROWS_PER_CHUNK } from './block-chunk.ts';
import { emptySide, encodeSide, hasSidePage, type BlockSide } from './block-side.ts';
import { PageTracker } from './page-tracker.ts';

const FIRST_ROWS = 8;
/** Neighbours are joined when they are this small together, which leaves room for the next blocks. */
const JOIN_ROWS = ROWS_PER_CHUNK / 2;
/** So many chunks are packed one by one; of more, the empty ones are taken out in one go first. */
const FEW_CHUNKS = 8;

/** Where a block is. Void as soon as `BlockTable.generation` moves. */
export class BlockRef {
  chunk: BlockChunk = NO_CHUNK;
  row = 0;
}

/** Of a caller that often asks for the neighbour of what it asked for last. */
export class NearRef extends BlockRef {
  /** That of the table when this was found. */
  generation = -1;
}

const NO_CHUNK = new BlockChunk(-1, 1);
const ANY_SUBJECT = -1;

export class BlockTable {
  readonly rowPages: PageTracker;
  readonly sidePages: PageTracker;
  readonly deadPages: PageTracker;
  /** Moves when rows do: a `BlockRef` from before points nowhere. */
  generation = 0;
  #chunks: BlockChunk[] = [];
  #nextChunkId = 0;
  /** Chunks that lost rows since the last `tidy`. */
  readonly #thinned = new Set<BlockChunk>();
  /** By entry index, for the pages; a block whose messages are all alike and live has none. */
  readonly #sides = new Map<number, BlockSide>();

  constructor(prefixes: { readonly rows: number; readonly sides: number; readonly dead: number }) {
    this.rowPages = new PageTracker(prefixes.rows, (id) => this.#encodeRows(id));
    this.sidePages = new PageTracker(prefixes.sides, (entryIndex) => {
      const side = this.#sides.get(entryIndex);
      return side === undefined || !hasSidePage(side) ? undefined : encodeSide(side);
    });
    this.deadPages = new PageTracker(prefixes.dead, (entryIndex) => {
      const dead = this.#sides.get(entryIndex)?.dead;
      return dead === undefined ? undefined : Buffer.from(dead);
    });
  }

  get chunks(): readonly BlockChunk[] {
    return this.#chunks;
  }

  /** Adds an empty block behind all others; `ref` then points at it. Its caller fills the columns, then calls `seal`. */
  append(
    block: { readonly entryIndex: LogIndex; readonly firstSeq: number; readonly timestampUs: TimestampUs },
    ref: BlockRef,
  ): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.size === ROWS_PER_CHUNK) {
      chunk = new BlockChunk(this.#nextChunkId++, FIRST_ROWS);
      this.#chunks.push(chunk);
      this.rowPages.created(chunk.id);
    } else {
      this.rowPages.touch(chunk.id);
      if (chunk.size === chunk.rows) chunk = this.#widened(chunk);
    }
    const row = chunk.size++;
    chunk.openRow = row;
    chunk.entryIndex[row] = block.entryIndex;
    chunk.firstSeq[row] = block.firstSeq;
    chunk.timestampUs[row] = block.timestampUs;
    chunk.count[row] = 0;
    chunk.live[row] = 0;
    chunk.link[row] = 0;
    chunk.ttlBase[row] = 0;
    chunk.side[row] = undefined;
    ref.chunk = chunk;
    ref.row = row;
  }

  /** The block at `ref`, its columns and side filled in, becomes part of the next checkpoint. */
  seal(ref: BlockRef): void {
    ref.chunk.openRow = -1;
    ref.chunk.summarise(ref.row);
    const side = ref.chunk.side[ref.row];
    if (side === undefined) return;
    const entryIndex = ref.chunk.entryIndex[ref.row]!;
    this.#sides.set(entryIndex, side);
    if (hasSidePage(side)) this.sidePages.created(entryIndex);
    if (side.dead !== undefined) this.deadPages.created(entryIndex);
  }

  /** Points `ref` at the block that took `seq`, if that still has live messages. */
  find(seq: number, ref: BlockRef): boolean {
    if (!this.#findRow(seq, ref)) return false;
    return ref.chunk.live[ref.row]! > 0 && seq < ref.chunk.endSeq(ref.row);
  }

  /** The same, without searching if `ref` points there already. */
  findNear(seq: number, ref: NearRef): boolean {
    const { chunk, row } = ref;
    const isThere =
      ref.generation === this.generation &&
      seq >= chunk.firstSeq[row]! &&
      seq < chunk.endSeq(row) &&
      chunk.live[row]! > 0;
    if (isThere) return true;
    const found = this.find(seq, ref);
    // One that was not found may be left where it was, which may be nowhere by now.
    ref.generation = found ? this.generation : -1;
    return found;
  }

  /** Points `ref` at the first block with live messages that reaches behind `seq` (its end is above it). */
  seek(seq: number, ref: BlockRef): boolean {
    if (!this.#findRow(seq, ref)) {
      const first = this.#chunks[0];
      if (first === undefined) return false;
      ref.chunk = first;
      ref.row = 0;
    }
    if (ref.chunk.live[ref.row]! > 0 && ref.chunk.endSeq(ref.row) > seq) return true;
    return this.next(ref);
  }

  /** Points `ref` at the last block with live messages that begins at or before `seq`. */
  seekBack(seq: number, ref: BlockRef): boolean {
    if (!this.#findRow(seq, ref)) return false;
    return ref.chunk.live[ref.row]! > 0 || this.previous(ref);
  }

  /** Moves `ref` on to the next block with live messages; with `id`, to one that may hold some of that subject. */
  next(ref: BlockRef, id = ANY_SUBJECT): boolean {
    let { chunk, row } = ref;
    let position = -1;
    for (;;) {
      while (++row < chunk.size) {
        if (chunk.live[row] === 0 || (id !== ANY_SUBJECT && !chunk.rowMayHold(row, id))) continue;
        ref.chunk = chunk;
        ref.row = row;
        return true;
      }
      if (position < 0) position = this.#positionOf(chunk);
      do position++;
      while (position < this.#chunks.length && id !== ANY_SUBJECT && !this.#chunks[position]!.mayHold(id));
      const following = this.#chunks[position];
      if (following === undefined) return false;
      chunk = following;
      row = -1;
    }
  }

  previous(ref: BlockRef, id = ANY_SUBJECT): boolean {
    let { chunk, row } = ref;
    let position = -1;
    for (;;) {
      while (--row >= 0) {
        if (chunk.live[row] === 0 || (id !== ANY_SUBJECT && !chunk.rowMayHold(row, id))) continue;
        ref.chunk = chunk;
        ref.row = row;
        return true;
      }
      if (position < 0) position = this.#positionOf(chunk);
      do position--;
      while (position >= 0 && id !== ANY_SUBJECT && !this.#chunks[position]!.mayHold(id));
      const before = this.#chunks[position];
      if (before === undefined) return false;
      chunk = before;
      row = chunk.size;
    }
  }

  /** Live messages in the blocks behind `ref`'s. */
  liveBehind(ref: BlockRef): number {
    let live = 0;
    for (let row = ref.row + 1; row < ref.chunk.size; row++) live += ref.chunk.live[row]!;
    for (let i = this.#positionOf(ref.chunk) + 1; i < this.#chunks.length; i++) live += this.#chunks[i]!.liveMessages;
    return live;
  }

  /** Points `ref` at the block with live message number `number`, from 0 on; returns how many of its own come first. */
  seekLive(number: number, ref: BlockRef): number {
    let rest = number;
    for (const chunk of this.#chunks) {
      if (rest >= chunk.liveMessages) {
        rest -= chunk.liveMessages;
        continue;
      }
      let row = 0;
      while (rest >= chunk.live[row]!) rest -= chunk.live[row++]!;
      ref.chunk = chunk;
      ref.row = row;
      return rest;
    }
    return -1;
  }

  /** Points `ref` at the first block with a timestamp at or after `timestampUs`. */
  seekTime(timestampUs: number, ref: BlockRef): boolean {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle]!;
      if (chunk.timestampUs[chunk.size - 1]! < timestampUs) low = middle + 1;
      else high = middle;
    }
    const chunk = this.#chunks[low];
    if (chunk === undefined) return false;
    let row = 0;
    while (chunk.timestampUs[row]! < timestampUs) row++;
    ref.chunk = chunk;
    ref.row = row;
    return chunk.live[row]! > 0 || this.next(ref);
  }

  /** Marks one message of the block at `ref` as removed. It was live, and not the block's last one unless it is open. */
  markDead(ref: BlockRef, ordinal: number, open: boolean): void {
    const { chunk, row } = ref;
    const side = (chunk.side[row] ??= emptySide());
    if (!open) {
      const entryIndex = chunk.entryIndex[row]!;
      if (side.dead === undefined) {
        this.deadPages.created(entryIndex);
        this.#sides.set(entryIndex, side);
      } else {
        this.deadPages.touch(entryIndex);
      }
    }
    side.dead ??= new Uint8Array((chunk.count[row]! + 7) >>> 3);
    side.dead[ordinal >>> 3]! |= 1 << (ordinal & 7);
    chunk.live[row]!--;
    chunk.liveMessages--;
  }

  /** The block at `ref` has lost its last live message. The row stays in its place until `tidy`. */
  drop(ref: BlockRef): void {
    const { chunk, row } = ref;
    this.rowPages.touch(chunk.id);
    if (row === chunk.openRow) chunk.openRow = -1;
    const side = chunk.side[row];
    if (side !== undefined) {
      const entryIndex = chunk.entryIndex[row]!;
      if (hasSidePage(side)) this.sidePages.touch(entryIndex);
      if (side.dead !== undefined) this.deadPages.touch(entryIndex);
      this.#sides.delete(entryIndex);
      chunk.side[row] = undefined;
    }
    chunk.liveMessages -= chunk.live[row]!;
    chunk.live[row] = 0;
    chunk.deadRows++;
    this.#thinned.add(chunk);
    this.generation++;
  }

  /** Drops all blocks, telling of the entry of each. */
  clear(dropped: (entryIndex: LogIndex) => void): void {
    for (const chunk of this.#chunks) {
      this.rowPages.touch(chunk.id);
      for (let row = 0; row < chunk.size; row++) {
        if (chunk.live[row] === 0) continue;
        const entryIndex = chunk.entryIndex[row]!;
        const side = chunk.side[row];
        if (side !== undefined && hasSidePage(side)) this.sidePages.touch(entryIndex);
        if (side?.dead !== undefined) this.deadPages.touch(entryIndex);
        dropped(entryIndex as LogIndex);
      }
    }
    this.#chunks = [];
    this.#sides.clear();
    this.#thinned.clear();
    this.generation++;
  }

  /** Gives back the room of dead rows. Rows may move, so never while someone works with a `BlockRef`. */
  tidy(): void {
    if (this.#thinned.size === 0) return;
    if (this.#thinned.size > FEW_CHUNKS) {
      this.#chunks = this.#chunks.filter((chunk) => chunk.deadRows < chunk.size);
      for (const chunk of this.#thinned) if (chunk.deadRows === chunk.size) this.#thinned.delete(chunk);
    }
    for (const chunk of this.#thinned) this.#pack(chunk);
    this.#thinned.clear();
    this.generation++;
  }

  /** Takes in a page of columns, in order of pages. False: it is not one of ours. */
  restoreRows(id: number, value: Buffer): boolean {
    const chunk = id < this.#nextChunkId ? undefined : BlockChunk.decode(id, value);
    if (chunk === undefined) return false;
    for (let row = 0; row < chunk.size; row++) {
      const side = chunk.side[row];
      if (side !== undefined) this.#sides.set(chunk.entryIndex[row]!, side);
    }
    this.#chunks.push(chunk);
    this.#nextChunkId = id + 1;
    return true;
  }

  /** The side of the block in entry `entryIndex`, as far as it was restored; undefined: it should have none. */
  restoredSide(entryIndex: number): BlockSide | undefined {
    return this.#sides.get(entryIndex);
  }

  restoreDead(chunk: BlockChunk, row: number, dead: Uint8Array): void {
    const side = (chunk.side[row] ??= emptySide());
    side.dead = dead;
    this.#sides.set(chunk.entryIndex[row]!, side);
  }

  #findRow(seq: number, ref: BlockRef): boolean {
    const chunk = this.#chunks[this.#chunkIndex(seq)];
    if (chunk === undefined) return false;
    const { firstSeq } = chunk;
    let low = 0;
    let high = chunk.size;
    // The tail is asked for most.
    if (firstSeq[high - 1]! <= seq) low = high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firstSeq[middle]! <= seq) low = middle + 1;
      else high = middle;
    }
    ref.chunk = chunk;
    ref.row = low - 1;
    return true;
  }

  /** Position of the last chunk that begins at or before `seq`, or -1. */
  #chunkIndex(seq: number): number {
    const chunks = this.#chunks;
    let low = 0;
    let high = chunks.length;
    if (high > 0 && chunks[high - 1]!.firstSeq[0]! <= seq) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (chunks[middle]!.firstSeq[0]! <= seq) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #positionOf(chunk: BlockChunk): number {
    return this.#chunkIndex(chunk.firstSeq[0]!);
  }

  #widened(chunk: BlockChunk): BlockChunk {
    const wider = new BlockChunk(chunk.id, Math.min(ROWS_PER_CHUNK, chunk.rows * 2));
    for (let row = 0; row < chunk.size; row++) wider.copyRow(chunk, row);
    wider.deadRows = chunk.deadRows;
    if (this.#thinned.delete(chunk)) this.#thinned.add(wider);
    this.#chunks[this.#chunks.length - 1] = wider;
    this.generation++;
    return wider;
  }

  #pack(chunk: BlockChunk): void {
    const position = this.#positionOf(chunk);
    if (this.#chunks[position] !== chunk) return;
    const liveRows = chunk.size - chunk.deadRows;
    if (liveRows === 0) {
      this.#chunks.splice(position, 1);
      return;
    }
    const left = this.#chunks[position - 1];
    if (left !== undefined && left.size - left.deadRows + liveRows <= JOIN_ROWS) {
      this.rowPages.touch(left.id);
      const joined = new BlockChunk(left.id, JOIN_ROWS);
      joined.copyLiveRows(left);
      joined.copyLiveRows(chunk);
      this.#chunks.splice(position - 1, 2, joined);
    } else if (chunk.deadRows * 2 > chunk.size) {
      const packed = new BlockChunk(chunk.id, Math.max(FIRST_ROWS, liveRows));
      packed.copyLiveRows(chunk);
      this.#chunks[position] = packed;
    }
  }

  #encodeRows(id: number): Buffer | undefined {
    const chunk = this.#chunkById(id);
    return chunk === undefined || chunk.deadRows === chunk.size ? undefined : chunk.encode();
  }

  #chunkById(id: number): BlockChunk | undefined {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks[middle]!.id < id) low = middle + 1;
      else high = middle;
    }
    const chunk = this.#chunks[low];
    return chunk?.id === id ? chunk : undefined;
  }
}
