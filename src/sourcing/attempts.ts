/** Owns when an origin is tried again: not too often, and less often the longer it fails. */
import type { Runtime, Timer } from '../base/runtime.ts';

/** Between two attempts, whatever the reason. */
const MIN_PAUSE_MS = 2_000;
/** What each failure in a row adds. */
const FAILURE_PAUSE_MS = 10_000;
const MAX_FAILURE_PAUSE_MS = 120_000;
/** So that all origins of a node that came back do not ask in the same moment. */
const MIN_JITTER_MS = 100;
const JITTER_SPREAD_MS = 100;

export class Attempts {
  readonly #runtime: Runtime;
  readonly #attempt: () => void;
  #timer: Timer | undefined;
  #lastMs: number | undefined;
  #failures = 0;

  constructor(runtime: Runtime, attempt: () => void) {
    this.#runtime = runtime;
    this.#attempt = attempt;
  }

  /** The next attempt comes when it may. */
  schedule(): void {
    if (this.#timer !== undefined) return;
    this.#after(this.#delayMs());
  }

  /** Something changed for the better: the pause is over. */
  hurry(): void {
    this.#failures = 0;
    this.cancel();
    this.#after(this.#jitterMs());
  }

  failed(): void {
    this.#failures++;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #after(delayMs: number): void {
    this.#timer = this.#runtime.after(delayMs, () => {
      this.#timer = undefined;
      this.#lastMs = this.#runtime.monotonicMs();
      this.#attempt();
    });
  }

  #delayMs(): number {
    if (this.#lastMs === undefined) return 0;
    const failurePauseMs = Math.min(FAILURE_PAUSE_MS * this.#failures, MAX_FAILURE_PAUSE_MS);
    const due = this.#lastMs + MIN_PAUSE_MS + failurePauseMs;
    return Math.max(0, due - this.#runtime.monotonicMs()) + this.#jitterMs();
  }

  #jitterMs(): number {
    return MIN_JITTER_MS + this.#runtime.random() * JITTER_SPREAD_MS;
  }
}
