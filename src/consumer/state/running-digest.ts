/** Owns the running hash over every change of the consumers' replicated state; replicas compare it. */

const MULTIPLIER = 0x9e37_79b1;
const TWO_TO_32 = 0x1_0000_0000;

export class RunningDigest {
  value = 0;

  /** Folds in a safe integer. The order of calls counts. */
  mix(number: number): void {
    let hash = Math.imul(this.value ^ (number | 0), MULTIPLIER);
    hash ^= hash >>> 15;
    this.value = Math.imul(hash + Math.floor(number / TWO_TO_32), MULTIPLIER) >>> 0;
  }
}
