/** Owns a set of small numbers: a bit for each. */
export class IdSet {
  readonly #words: Uint32Array;
  size = 0;
  /** Those added first, for whoever would rather ask for each of a few. */
  readonly few: number[] = [];

  /** Of numbers below `limit`. */
  constructor(limit: number) {
    this.#words = new Uint32Array((limit + 31) >>> 5);
  }

  /** `id` is not in the set yet. */
  add(id: number): void {
    this.#words[id >>> 5]! |= 1 << (id & 31);
    if (this.size++ < MAX_FEW) this.few.push(id);
  }

  has(id: number): boolean {
    return (this.#words[id >>> 5]! & (1 << (id & 31))) !== 0;
  }

  /** True when `few` holds all of them. */
  get isFew(): boolean {
    return this.size <= MAX_FEW;
  }
}

const MAX_FEW = 16;
