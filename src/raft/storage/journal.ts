/**
 * Owns the node journal: one record in every batch, numbered without gaps and chained to the record before it. LevelDB
 * may lose a batch in the middle of its own log without a word; then a number is missing here. The number of the last
 * durable batch also goes out with every promise, so that peers notice when this node comes back with less.
 */
import { BLOCK_BYTES } from './batch-record.ts';
import { counterOfJournalKey, JOURNAL_BASE_KEY, JOURNAL_RANGE, journalKey } from './keys.ts';
import type { DiskBatch, KeyValueDisk } from './key-value-disk.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import { checksumOfValue, openValue, sealValue } from './sealed-value.ts';

/**
 * Records are kept for as many bytes of batches as the batch log may hold that have not reached LevelDB's tables yet
 * (one segment, and what is written while the index settles), twice over: what has reached a table can't be lost as a
 * whole batch any more. Counted as the log does, in whole blocks.
 */
const KEEP_BYTES = 128 * 1024 * 1024;
/** Trimmed records deleted with one batch. */
const TRIM_PER_BATCH = 256;

/** Batches that were once written and are gone; both ends included. */
export interface JournalGap {
  readonly from: number;
  readonly through: number;
}

export class Journal {
  #counter: number;
  /** Checksum of the record of `#counter`. */
  #checksum: number;
  /** The first record that is kept. */
  #base: number;
  /** Records from here up to the base are still to be deleted. */
  #trimmed: number;
  #mark: number;
  #bytesSinceMark = 0;

  private constructor(state: { counter: number; checksum: number; base: number; oldest: number }) {
    this.#counter = state.counter;
    this.#checksum = state.checksum;
    this.#base = state.base;
    this.#trimmed = state.oldest;
    this.#mark = state.counter + 1;
  }

  /** Reads what is there, and names what is missing. A journal that merely ends early can't be told from a whole one. */
  static async recover(disk: KeyValueDisk): Promise<{ journal: Journal; gaps: JournalGap[] }> {
    const gaps: JournalGap[] = [];
    const base = await readBase(disk, gaps);
    let counter = base - 1;
    let oldest: number | undefined;
    let checksum = 0;
    for await (const [key, value] of disk.entries(JOURNAL_RANGE)) {
      const found = counterOfJournalKey(key);
      oldest ??= found;
      if (found < base) continue;
      const content = openValue(key, value);
      if (content === undefined) {
        gaps.push({ from: found, through: found });
      } else if (found !== counter + 1) {
        gaps.push({ from: counter + 1, through: found - 1 });
      } else if (found !== base && content.readUInt32BE(0) !== checksum) {
        gaps.push({ from: counter, through: counter });
      }
      counter = found;
      checksum = checksumOfValue(value);
    }
    return { journal: new Journal({ counter, checksum, base, oldest: oldest ?? base }), gaps };
  }

  /** Number of the batch sealed last; 0 before the first. */
  get counter(): number {
    return this.#counter;
  }

  /** Adds the record of a batch whose other content has this checksum and size. Returns its number. */
  seal(batch: DiskBatch, content: { readonly checksum: number; readonly bytes: number }): number {
    this.#trim(batch, content.bytes);
    this.#counter++;
    const key = journalKey(this.#counter);
    const record = Buffer.allocUnsafe(8);
    record.writeUInt32BE(this.#checksum, 0);
    record.writeUInt32BE(content.checksum, 4);
    const value = sealValue(key, record);
    this.#checksum = checksumOfValue(value);
    batch.put(key, value);
    return this.#counter;
  }

  /** Starts the numbering anew behind `counter`: the gaps before it are dealt with. Takes effect with `batch`. */
  restart(batch: DiskBatch, counter: number): void {
    this.#counter = Math.max(counter, this.#counter);
    this.#moveBase(batch, this.#counter + 1);
    this.#mark = this.#base;
    this.#bytesSinceMark = 0;
  }

  #trim(batch: DiskBatch, bytes: number): void {
    this.#bytesSinceMark += Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (this.#bytesSinceMark >= KEEP_BYTES) {
      this.#moveBase(batch, this.#mark);
      this.#mark = this.#counter + 1;
      this.#bytesSinceMark = 0;
    }
    const end = Math.min(this.#base, this.#trimmed + TRIM_PER_BATCH);
    while (this.#trimmed < end) batch.delete(journalKey(this.#trimmed++));
  }

  #moveBase(batch: DiskBatch, base: number): void {
    this.#base = base;
    const content = Buffer.allocUnsafe(8);
    writeSafeInteger(content, base, 0);
    batch.put(JOURNAL_BASE_KEY, sealValue(JOURNAL_BASE_KEY, content));
  }
}

async function readBase(disk: KeyValueDisk, gaps: JournalGap[]): Promise<number> {
  const value = await disk.get(JOURNAL_BASE_KEY);
  if (value === undefined) return 1;
  const content = openValue(JOURNAL_BASE_KEY, value);
  if (content === undefined) gaps.push({ from: 0, through: 0 });
  return content === undefined ? 1 : readSafeInteger(content, 0);
}
