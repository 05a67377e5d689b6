/** Owns the running hash over everything that changed a stream's state; equal on replicas that applied the same entries. */

const TWO_POW_32 = 0x1_0000_0000;

export class RunningDigest {
  #value = 0x811c9dc5;

  get value(): number {
    return this.#value;
  }

  /** Continues from a digest that was saved. */
  set value(saved: number) {
    this.#value = saved >>> 0;
  }

  /** Takes in a whole number that is safe and not negative. */
  mix(input: number): void {
    let hash = Math.imul(this.#value ^ (input >>> 0), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13) ^ Math.floor(input / TWO_POW_32), 0xc2b2ae35);
    this.#value = (hash ^ (hash >>> 16)) >>> 0;
  }
}
