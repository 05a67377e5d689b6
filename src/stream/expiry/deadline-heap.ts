/**
 * Owns numbers in order of their deadlines. What is no longer wanted stays until its turn comes, or is found by the sweep:
 * each number added pays for looking at two others, so that the heap holds at most twice what is wanted, and a little.
 */
import { Float64Column } from '../store/columns.ts';

const SWEPT_PER_ADDED = 2;

export class DeadlineHeap {
  readonly #isWanted: (key: number) => boolean;
  readonly #deadlines = new Float64Column();
  readonly #keys = new Float64Column();
  #size = 0;
  #sweep = 0;

  constructor(isWanted: (key: number) => boolean) {
    this.#isWanted = isWanted;
  }

  /** Of the first one; Infinity when there is none. */
  get next(): number {
    return this.#size === 0 ? Infinity : this.#deadlines.get(0);
  }

  push(deadline: number, key: number): void {
    for (let looked = 0; looked < SWEPT_PER_ADDED && this.#size > 0; looked++) this.#sweepOne();
    this.#deadlines.reserve(this.#size + 1);
    this.#keys.reserve(this.#size + 1);
    this.#rise(this.#size++, deadline, key);
  }

  /** Takes the first one out. There must be one. */
  pop(): number {
    const key = this.#keys.get(0);
    this.#removeAt(0);
    return key;
  }

  clear(): void {
    this.#size = 0;
  }

  #sweepOne(): void {
    if (this.#sweep >= this.#size) this.#sweep = 0;
    if (this.#isWanted(this.#keys.get(this.#sweep))) this.#sweep++;
    else this.#removeAt(this.#sweep);
  }

  #removeAt(at: number): void {
    const last = --this.#size;
    if (at === last) return;
    const deadline = this.#deadlines.get(last);
    const key = this.#keys.get(last);
    if (at > 0 && this.#deadlines.get((at - 1) >>> 1) > deadline) this.#rise(at, deadline, key);
    else this.#sink(at, deadline, key);
  }

  #rise(from: number, deadline: number, key: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#deadlines.get(parent) <= deadline) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, deadline, key);
  }

  #sink(from: number, deadline: number, key: number): void {
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#deadlines.get(child + 1) < this.#deadlines.get(child)) child++;
      if (this.#deadlines.get(child) >= deadline) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, deadline, key);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#deadlines.get(from), this.#keys.get(from));
  }

  #put(at: number, deadline: number, key: number): void {
    this.#deadlines.set(at, deadline);
    this.#keys.set(at, key);
  }
}
