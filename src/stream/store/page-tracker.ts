/**
 * Owns which pages of one structure changed since its last checkpoint, and keeps a frozen image of those that are about
 * to be written: a page that changes before its turn came is encoded first (copy-on-write at the price of one page).
 */
import type { PageSink } from '../../raft/index.ts';

const KEY_BYTES = 7;

/** Pages of one structure have keys `prefix | u48 page`, so they come back in order of their numbers. */
export class PageTracker {
  readonly #prefix: number;
  /** The page as it is now; undefined: it is no more. */
  readonly #encode: (page: number) => Buffer | undefined;
  #changed = new Set<number>();
  /** Changed pages that never went to a sink: when such a one is gone again, there is nothing to delete. */
  readonly #unstored = new Set<number>();
  /** Of the checkpoint under way: not yet written and unchanged since; and encoded early. */
  readonly #frozen = new Set<number>();
  readonly #preserved = new Map<number, Buffer | undefined>();
  /** Pages of the checkpoint under way that were written: changed again if it is given up. */
  #written: number[] = [];
  #last = -1;

  constructor(prefix: number, encode: (page: number) => Buffer | undefined) {
    this.#prefix = prefix;
    this.#encode = encode;
  }

  /** Must be called before `page` changes. */
  touch(page: number): void {
    if (page === this.#last) return;
    this.#last = page;
    this.preserve(page);
    this.#changed.add(page);
  }

  /** Must be called before `page` loses what a checkpoint need not know to be lost. */
  preserve(page: number): void {
    if (this.#frozen.delete(page)) this.#preserved.set(page, this.#encode(page));
  }

  /** As `touch`, for a page that was not there before. */
  created(page: number): void {
    this.touch(page);
    this.#unstored.add(page);
  }

  freeze(): void {
    for (const page of this.#changed) this.#frozen.add(page);
    this.#changed = new Set();
    this.#written = [];
    this.#last = -1;
  }

  /** Writes frozen pages; true when none is left. Stops when `budget` is used up. */
  write(sink: PageSink, budget: WriteBudget): boolean {
    for (const [page, value] of this.#preserved) {
      if (budget.left <= 0) return false;
      this.#preserved.delete(page);
      this.#put(sink, budget, page, value);
    }
    for (const page of this.#frozen) {
      if (budget.left <= 0) return false;
      this.#frozen.delete(page);
      this.#put(sink, budget, page, this.#encode(page));
    }
    return true;
  }

  end(durable: boolean): void {
    if (!durable) {
      for (const page of this.#written) this.#changed.add(page);
      for (const page of this.#frozen) this.#changed.add(page);
      for (const page of this.#preserved.keys()) this.#changed.add(page);
    }
    this.#frozen.clear();
    this.#preserved.clear();
    this.#written = [];
    this.#last = -1;
  }

  #put(sink: PageSink, budget: WriteBudget, page: number, value: Buffer | undefined): void {
    this.#written.push(page);
    const unstored = this.#unstored.delete(page);
    if (value !== undefined) {
      budget.left -= KEY_BYTES + value.length;
      sink.put(pageKey(this.#prefix, page), value);
    } else if (!unstored) {
      budget.left -= KEY_BYTES;
      sink.delete(pageKey(this.#prefix, page));
    }
  }
}

/** Bytes that may still be written in this step. */
export interface WriteBudget {
  left: number;
}

function pageKey(prefix: number, page: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key[0] = prefix;
  key.writeUIntBE(page, 1, 6);
  return key;
}

/** The number in a key made by `pageKey`; undefined when it is none. */
export function pageNumber(key: Buffer): number | undefined {
  return key.length === KEY_BYTES ? key.readUIntBE(1, 6) : undefined;
}
