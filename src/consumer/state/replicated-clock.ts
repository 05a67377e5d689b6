/**
 * Owns the time that ack deadlines are measured in: milliseconds that pass on the leader, carried to the other replicas
 * inside progress entries. It counts a monotonic clock only, so neither a jump of the wall clock nor a difference
 * between the clocks of two leaders makes deadlines expire in masses or hang.
 */
import type { Runtime } from '../../base/runtime.ts';

export class ReplicatedClock {
  readonly #runtime: Runtime;
  #baseMs = 0;
  #monotonicAtBaseMs: number;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#monotonicAtBaseMs = runtime.monotonicMs();
  }

  /** Whole milliseconds; never falls on this node, nor across leaders as far as entries were applied. */
  nowMs(): number {
    return this.#baseMs + Math.max(0, Math.floor(this.#runtime.monotonicMs() - this.#monotonicAtBaseMs));
  }

  /** A leader said that it is `ms`: it can't be earlier here from now on. */
  observe(ms: number): void {
    if (ms <= this.nowMs()) return;
    this.#baseMs = ms;
    this.#monotonicAtBaseMs = this.#runtime.monotonicMs();
  }
}
