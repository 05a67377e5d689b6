/** Owns a host's one timer: ticks for all groups, and what a stall of the loop does to them. */
import type { Runtime, Timer } from '../base/runtime.ts';
import { STALL_INTERVALS } from './timing.ts';

export class TickTimer {
  readonly tickMs: number;
  readonly #runtime: Runtime;
  readonly #ticked: (tick: number) => void;
  #timer: Timer | undefined;
  #tick = 0;
  #lastTickMs = 0;
  #stopped = false;

  constructor(runtime: Runtime, tickMs: number, ticked: (tick: number) => void) {
    this.#runtime = runtime;
    this.tickMs = tickMs;
    this.#ticked = ticked;
  }

  /** May be called again. */
  start(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#lastTickMs = this.#runtime.monotonicMs();
    this.#timer = this.#runtime.after(this.tickMs, () => {
      this.#due();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The time `delayMs` from now in ticks, with a fraction. Time in which the loop stood still does not count. */
  tickIn(delayMs: number): number {
    const sinceTickMs = Math.min(this.#runtime.monotonicMs() - this.#lastTickMs, this.tickMs);
    return this.#tick + (sinceTickMs + delayMs) / this.tickMs;
  }

  #due(): void {
    const late = this.#runtime.monotonicMs() - this.#lastTickMs > this.tickMs * STALL_INTERVALS;
    // After a stall the sockets hold what was said meanwhile: it is read first, and the stall counts as one tick.
    if (late)
      this.#runtime.defer(() => {
        this.#count();
      });
    else this.#count();
  }

  #count(): void {
    if (this.#stopped) return;
    this.#ticked(++this.#tick);
    this.#timer = undefined;
    this.start();
  }
}
