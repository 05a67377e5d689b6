/** Owns the recent records of all groups of a node, bounded in bytes: readers at the tail of a stream touch no disk. */
import type { LogIndex } from '../types.ts';

export type CachedGroup = Map<LogIndex, Buffer>;

interface Slot {
  readonly group: CachedGroup;
  readonly index: LogIndex;
  readonly record: Buffer;
}

/** Entries of the queue taken off before the array itself is cut. */
const COMPACT_AFTER = 1024;

export class RecordCache {
  readonly #maxBytes: number;
  #bytes = 0;
  /** In order of arrival: the oldest goes first. Cheaper than knowing who is read, and tails are what is read. */
  #queue: (Slot | undefined)[] = [];
  #head = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(group: CachedGroup, index: LogIndex, record: Buffer): void {
    group.set(index, record);
    this.#queue.push({ group, index, record });
    this.#bytes += record.length;
    while (this.#bytes > this.#maxBytes && this.#queue.length - this.#head > 1) this.#dropOldest();
  }

  #dropOldest(): void {
    const { group, index, record } = this.#queue[this.#head]!;
    // The array is cut later; what was dropped must not live until then.
    this.#queue[this.#head++] = undefined;
    this.#bytes -= record.length;
    // It may have been replaced by a record of a newer leader, which has a slot of its own.
    if (group.get(index) === record) group.delete(index);
    if (this.#head < COMPACT_AFTER || this.#head * 2 < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}
