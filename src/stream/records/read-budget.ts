/**
 * Owns what reading may hold in memory on a node, for all its streams together: records that came from disk, of which the
 * oldest goes first, and how much may be read ahead of those who go through a stream in order.
 */
import type { LogIndex } from '../../raft/index.ts';

const MAX_LOADED_BYTES = 24 * 1024 * 1024;
const MAX_AHEAD_BYTES = 8 * 1024 * 1024;
/** A reader that stood still for so long gives way to one that moves. */
const IDLE_MS = 250;

export type Loaded = Buffer | 'lost';

/** Where one stream finds what was loaded for it. */
export type Shelf = Map<LogIndex, ShelfSlot>;

interface ShelfSlot {
  readonly shelf: Shelf;
  readonly index: LogIndex;
  readonly record: Loaded;
}

/** Somebody ahead of whom records are read. */
export interface AheadReader {
  /** Gives back everything it took. */
  stop(): void;
}

export class ReadBudget {
  readonly #maxLoadedBytes: number;
  readonly #maxAheadBytes: number;
  /** Oldest first. */
  readonly #slots = new Set<ShelfSlot>();
  #loadedBytes = 0;
  /** When each moved last; who has not moved for longest comes first. */
  readonly #readers = new Map<AheadReader, number>();
  #aheadBytes = 0;

  constructor(limits: { readonly loadedBytes?: number; readonly aheadBytes?: number } = {}) {
    this.#maxLoadedBytes = limits.loadedBytes ?? MAX_LOADED_BYTES;
    this.#maxAheadBytes = limits.aheadBytes ?? MAX_AHEAD_BYTES;
  }

  /** Puts a record on its shelf. The latest stays at least until the next, however large it is. */
  keep(shelf: Shelf, index: LogIndex, record: Loaded): void {
    this.forget(shelf, index);
    const slot: ShelfSlot = { shelf, index, record };
    shelf.set(index, slot);
    this.#slots.add(slot);
    this.#loadedBytes += bytesOf(record);
    for (const oldest of this.#slots) {
      if (this.#loadedBytes <= this.#maxLoadedBytes || oldest === slot) return;
      this.forget(oldest.shelf, oldest.index);
    }
  }

  forget(shelf: Shelf, index: LogIndex): void {
    const slot = shelf.get(index);
    if (slot === undefined) return;
    shelf.delete(index);
    this.#slots.delete(slot);
    this.#loadedBytes -= bytesOf(slot.record);
  }

  clear(shelf: Shelf): void {
    for (const index of shelf.keys()) this.forget(shelf, index);
  }

  /** `reader` is on its way: others don't get what it took. */
  moved(reader: AheadReader, nowMs: number): void {
    this.#readers.delete(reader);
    this.#readers.set(reader, nowMs);
  }

  /** Nothing is read ahead of `reader` any more. */
  left(reader: AheadReader): void {
    this.#readers.delete(reader);
  }

  /** False: so much more can't be read ahead now. */
  takeAhead(bytes: number, nowMs: number): boolean {
    for (const [reader, movedMs] of this.#readers) {
      if (this.#aheadBytes + bytes <= this.#maxAheadBytes || nowMs - movedMs < IDLE_MS) break;
      reader.stop();
    }
    if (this.#aheadBytes + bytes > this.#maxAheadBytes) return false;
    this.#aheadBytes += bytes;
    return true;
  }

  giveBackAhead(bytes: number): void {
    this.#aheadBytes -= bytes;
  }
}

function bytesOf(record: Loaded): number {
  return record === 'lost' ? 0 : record.length;
}
