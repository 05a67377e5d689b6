/** Owns a runtime whose clock stands still until a test moves it. Deferred work runs with the event loop, as ever. */
import type { TimestampUs } from '../../src/base/brand.ts';
import type { Runtime, Timer } from '../../src/base/runtime.ts';

interface PendingTimer {
  readonly dueMs: number;
  readonly task: () => void;
}

export class ManualRuntime implements Runtime {
  #nowMs = 1_000;
  #seed: number;
  readonly #timers = new Set<PendingTimer>();

  constructor(seed = 1) {
    this.#seed = seed;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallUs(): TimestampUs {
    return (this.#nowMs * 1000) as TimestampUs;
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  defer(task: () => void): void {
    setImmediate(task);
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, task };
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
      },
    };
  }

  /** Mulberry32: a test that fails, fails again. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Moves the clock and runs what falls due, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#nextUntil(untilMs); next !== undefined; next = this.#nextUntil(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.task();
    }
    this.#nowMs = untilMs;
  }

  #nextUntil(untilMs: number): PendingTimer | undefined {
    let first: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
