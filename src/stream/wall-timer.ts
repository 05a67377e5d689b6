/** Owns one timer that goes off at a time of the wall clock, which may jump: so it is set in limits, and set again. */
import type { Runtime, Timer } from '../base/runtime.ts';

export class WallTimer {
  readonly #runtime: Runtime;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #due: () => void;
  #timer: Timer | undefined;
  #timerUs = Infinity;

  /** Goes off no sooner than after `minMs` and no later than after `maxMs`, when the clock is looked at anew. */
  constructor(runtime: Runtime, limits: { readonly minMs: number; readonly maxMs: number }, due: () => void) {
    this.#runtime = runtime;
    this.#minMs = limits.minMs;
    this.#maxMs = limits.maxMs;
    this.#due = due;
  }

  /** Sets it for `dueUs`, unless it is set for then or for an earlier time. Infinity: nothing is due. */
  set(dueUs: number, nowUs: number): void {
    if (dueUs === Infinity || this.#timerUs <= dueUs) return;
    const delayMs = Math.ceil((dueUs - nowUs) / 1000);
    this.#arm(dueUs, Math.min(Math.max(delayMs, this.#minMs), this.#maxMs));
  }

  /** Lets it go off as soon as others had their turn. */
  setAtOnce(): void {
    this.#arm(0, 0);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerUs = Infinity;
  }

  #arm(dueUs: number, delayMs: number): void {
    this.cancel();
    this.#timerUs = dueUs;
    this.#timer = this.#runtime.after(delayMs, () => {
      this.cancel();
      this.#due();
    });
  }
}
