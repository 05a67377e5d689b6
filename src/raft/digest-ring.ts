/** Owns the digests of the state machine after the last applies, so that a leader's can be compared with our own. */
import type { LogIndex } from './types.ts';

const SIZE = 64;

export class DigestRing {
  readonly #indexes = new Float64Array(SIZE);
  readonly #digests = new Uint32Array(SIZE);
  #next = 0;

  add(index: LogIndex, digest: number): void {
    this.#indexes[this.#next] = index;
    this.#digests[this.#next] = digest;
    this.#next = (this.#next + 1) % SIZE;
  }

  /** False only if we have the digest at `index` and it is another. */
  agrees(index: LogIndex, digest: number): boolean {
    if (index === 0) return true;
    const at = this.#indexes.indexOf(index);
    return at < 0 || this.#digests[at] === digest >>> 0;
  }

  clear(): void {
    this.#indexes.fill(0);
  }
}
