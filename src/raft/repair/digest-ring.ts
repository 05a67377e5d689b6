/** Owns the digests of the state machine after the last applies, so that a leader's can be compared with our own. */
import type { LogIndex } from '../types.ts';

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

  /** Undefined if none was taken there, or it was too long ago. */
  at(index: LogIndex): number | undefined {
    const at = index === 0 ? -1 : this.#indexes.indexOf(index);
    return at < 0 ? undefined : this.#digests[at];
  }

  clear(): void {
    this.#indexes.fill(0);
  }
}
