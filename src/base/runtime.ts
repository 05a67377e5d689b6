/**
 * Owns the seam to time, scheduling and chance. Everything outside `server/` gets these from a `Runtime`, so that the
 * simulator can run a whole cluster in one process on a virtual clock, and replay it from a seed.
 */
import { performance } from 'node:perf_hooks';
import type { TimestampUs } from './brand.ts';

export interface Timer {
  cancel(): void;
}

export interface Runtime {
  /** Milliseconds of a clock that never jumps; fractional; only differences mean anything. */
  monotonicMs(): number;
  /** Wall time. May jump either way: it stamps entries, and decides nothing about safety. */
  wallUs(): TimestampUs;
  /** Runs `task` after the current turn, once sockets had their chance (setImmediate). */
  defer(task: () => void): void;
  /** Runs `task` as soon as the current callback is over, before any other (a microtask): must not feed itself. */
  soon(task: () => void): void;
  after(delayMs: number, task: () => void): Timer;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Resolves when others have had their turn: awaited within long work, so that it does not hold up the loop. */
export function turnOver(runtime: Runtime): Promise<void> {
  return new Promise((resolve) => {
    runtime.defer(resolve);
  });
}

export class SystemRuntime implements Runtime {
  monotonicMs(): number {
    return performance.now();
  }

  wallUs(): TimestampUs {
    return Math.floor((performance.timeOrigin + performance.now()) * 1000) as TimestampUs;
  }

  defer(task: () => void): void {
    setImmediate(task);
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  after(delayMs: number, task: () => void): Timer {
    const timeout = setTimeout(task, delayMs);
    return {
      cancel: () => {
        clearTimeout(timeout);
      },
    };
  }

  random(): number {
    return Math.random();
  }
}
