/**
 * Owns columns of numbers that grow without being copied as a whole: pages of 65,536, of which only the first one ever moves.
 * One class for each kind of number, so that each access is to one kind of array.
 */
const PAGE_BITS = 16;
const PAGE_SIZE = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_SIZE - 1;
const FIRST_SIZE = 16;

export class Uint32Column {
  #pages: Uint32Array[] = [new Uint32Array(FIRST_SIZE)];

  get(at: number): number {
    return this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK]!;
  }

  set(at: number, value: number): void {
    this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK] = value;
  }

  /** Makes room for positions below `limit`; what was not there is 0. */
  reserve(limit: number): void {
    const first = this.#pages[0]!;
    if (limit > first.length && first.length < PAGE_SIZE) {
      const grown = new Uint32Array(grownSize(first.length, limit));
      grown.set(first);
      this.#pages[0] = grown;
    }
    while (this.#pages.length << PAGE_BITS < limit) this.#pages.push(new Uint32Array(PAGE_SIZE));
  }
}

export class Float64Column {
  #pages: Float64Array[] = [new Float64Array(FIRST_SIZE)];

  get(at: number): number {
    return this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK]!;
  }

  set(at: number, value: number): void {
    this.#pages[at >>> PAGE_BITS]![at & PAGE_MASK] = value;
  }

  /** Makes room for positions below `limit`; what was not there is 0. */
  reserve(limit: number): void {
    const first = this.#pages[0]!;
    if (limit > first.length && first.length < PAGE_SIZE) {
      const grown = new Float64Array(grownSize(first.length, limit));
      grown.set(first);
      this.#pages[0] = grown;
    }
    while (this.#pages.length << PAGE_BITS < limit) this.#pages.push(new Float64Array(PAGE_SIZE));
  }
}

/** Of the first page: doubled until it is enough, or full. */
function grownSize(size: number, limit: number): number {
  let grown = size;
  while (grown < limit && grown < PAGE_SIZE) grown *= 2;
  return grown;
}
