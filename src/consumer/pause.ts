/** Owns a consumer's pause: until when nothing is delivered. The end is a wall time; the deadline only says when to look. */
import type { TimestampUs } from '../base/brand.ts';
import type { Runtime } from '../base/runtime.ts';

const US_PER_MS = 1000;

export class Pause {
  /** When to ask whether it `ended`. */
  dueMs = Infinity;
  readonly #runtime: Runtime;
  readonly #nowMs: () => number;
  #untilUs: TimestampUs | undefined;

  constructor(runtime: Runtime, nowMs: () => number) {
    this.#runtime = runtime;
    this.#nowMs = nowMs;
  }

  get active(): boolean {
    return this.#untilUs !== undefined && this.#runtime.wallUs() < this.#untilUs;
  }

  set(untilUs: TimestampUs | undefined): void {
    this.#untilUs = untilUs;
    this.#expectEnd();
  }

  /** To be asked at `dueMs`: true once per pause, when it is over. */
  ended(): boolean {
    this.#expectEnd();
    return this.dueMs === Infinity;
  }

  #expectEnd(): void {
    this.dueMs = this.active
      ? this.#nowMs() + Math.ceil((this.#untilUs! - this.#runtime.wallUs()) / US_PER_MS)
      : Infinity;
  }
}
