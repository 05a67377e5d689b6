/** Owns the queue of messages to deliver once more: first in, first out, each at most once. */

/** Taken entries are cut off when they are this many, and half of the list. */
const MIN_CUT = 1024;

export class RedeliveryQueue {
  #seqs: number[] = [];
  #head = 0;
  readonly #queued = new Set<number>();

  /** Those that were acked meanwhile don't count. */
  get size(): number {
    return this.#queued.size;
  }

  push(seq: number): void {
    if (this.#queued.has(seq)) return;
    this.#queued.add(seq);
    this.#seqs.push(seq);
  }

  /** The next one, without taking it; undefined if none. */
  peek(): number | undefined {
    while (this.#head < this.#seqs.length) {
      const seq = this.#seqs[this.#head]!;
      if (this.#queued.has(seq)) return seq;
      this.#skip();
    }
    return undefined;
  }

  /** Takes what `peek` showed. */
  take(seq: number): void {
    this.#queued.delete(seq);
    this.#skip();
  }

  /** Not to be delivered again: acked, delayed or gone. */
  delete(seq: number): void {
    if (this.#queued.size > 0) this.#queued.delete(seq);
  }

  deleteThrough(seq: number): void {
    for (const queued of this.#queued) if (queued <= seq) this.#queued.delete(queued);
  }

  #skip(): void {
    this.#head++;
    if (this.#head < MIN_CUT || this.#head * 2 < this.#seqs.length) return;
    this.#seqs = this.#seqs.slice(this.#head);
    this.#head = 0;
  }
}
