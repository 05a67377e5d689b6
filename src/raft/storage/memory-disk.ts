/** Owns a disk that is none: what memory groups keep their entries and checkpoints in. Gone with the process. */
import { invariant } from '../../base/errors.ts';
import type { DiskBatch, KeyRange, KeyValueDisk } from './key-value-disk.ts';

/** A change by a key in hex, whose order is that of the bytes. `value` undefined deletes. */
type Change = readonly [hexKey: string, value: Buffer | undefined];

class MemoryBatch implements DiskBatch {
  readonly changes: Change[] = [];

  put(key: Buffer, value: Buffer): void {
    this.changes.push([key.toString('hex'), value]);
  }

  delete(key: Buffer): void {
    this.changes.push([key.toString('hex'), undefined]);
  }
}

/** Is its own batch too: what is put there is there at once. */
export class MemoryDisk implements KeyValueDisk, DiskBatch {
  readonly #values = new Map<string, Buffer>();
  /** Sorted; undefined after a key came or went. Ranges are read seldom: at checkpoints' ends and for snapshots. */
  #sorted: string[] | undefined;

  get(key: Buffer): Promise<Buffer | undefined> {
    return Promise.resolve(this.#values.get(key.toString('hex')));
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]> {
    for await (const key of this.keys(range)) {
      const value = this.#values.get(key.toString('hex'));
      if (value !== undefined) yield [key, value];
    }
  }

  async *keys(range: KeyRange): AsyncIterable<Buffer> {
    await Promise.resolve();
    const sorted = (this.#sorted ??= [...this.#values.keys()].sort());
    const to = range.to.toString('hex');
    for (let at = lowerBound(sorted, range.from.toString('hex')); at < sorted.length && sorted[at]! < to; at++) {
      yield Buffer.from(sorted[at]!, 'hex');
    }
  }

  put(key: Buffer, value: Buffer): void {
    this.#change(key.toString('hex'), value);
  }

  delete(key: Buffer): void {
    this.#change(key.toString('hex'), undefined);
  }

  batch(): DiskBatch {
    return new MemoryBatch();
  }

  write(batch: DiskBatch): Promise<void> {
    invariant(batch instanceof MemoryBatch, 'a batch goes to the disk that made it');
    for (const [key, value] of batch.changes) this.#change(key, value);
    return Promise.resolve();
  }

  #change(key: string, value: Buffer | undefined): void {
    if (value === undefined) {
      if (this.#values.delete(key)) this.#sorted = undefined;
    } else {
      if (!this.#values.has(key)) this.#sorted = undefined;
      this.#values.set(key, value);
    }
  }

  close(): Promise<void> {
    this.#values.clear();
    this.#sorted = undefined;
    return Promise.resolve();
  }
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
