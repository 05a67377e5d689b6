/**
 * Owns time and scheduling in simulations: one queue of events for all nodes, ordered by virtual time and, within the same
 * instant, by when they were scheduled. Nothing here reads a real clock, so a run takes as long as its computations.
 */
import type { TimestampUs } from '../../src/base/brand.ts';
import type { Runtime, Timer } from '../../src/base/runtime.ts';
import type { Random } from './random.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  task: (() => void) | undefined;
}

const EPOCH_US = 1_700_000_000_000_000;

export class VirtualTime {
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #lastOrder = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Wall time of a node whose clock is right. */
  get wallUs(): number {
    return EPOCH_US + this.#nowMs * 1000;
  }

  schedule(delayMs: number, task: () => void): Timer {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: ++this.#lastOrder, task };
    this.#push(event);
    return {
      cancel: () => {
        event.task = undefined;
      },
    };
  }

  /** Runs the next event and the promises that it settles. False: nothing is scheduled. */
  async step(): Promise<boolean> {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      if (event.task === undefined) continue;
      this.#nowMs = event.atMs;
      event.task();
      // A macrotask lets every promise that this event settled run its course before the next event.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
  }

  /** Runs `durationMs` of virtual time. `afterEach` sees every step: the place for invariants. */
  async run(durationMs: number, afterEach?: () => void): Promise<void> {
    const end = this.#nowMs + durationMs;
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= end) {
      await this.step();
      afterEach?.();
    }
    this.#nowMs = Math.max(this.#nowMs, end);
  }

  /** Runs until `condition` holds; false when it does not within `limitMs` of virtual time. */
  async runUntil(condition: () => boolean, limitMs: number, afterEach?: () => void): Promise<boolean> {
    const end = this.#nowMs + limitMs;
    while (!condition()) {
      if (this.#heap.length === 0 || this.#heap[0]!.atMs > end) return false;
      await this.step();
      afterEach?.();
    }
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent]!, event)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (before(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** One life of one node: its timers and deferred tasks end with it. Its wall clock may be set at will. */
export class SimulatedRuntime implements Runtime {
  readonly #time: VirtualTime;
  readonly #random: Random;
  /** Of its monotonic clock and its timers. */
  readonly #rate: number;
  #alive = true;
  #stalledUntilMs = 0;
  /** What a jump of the wall clock adds. */
  wallOffsetUs = 0;

  constructor(time: VirtualTime, random: Random, rate = 1) {
    this.#time = time;
    this.#random = random;
    this.#rate = rate;
  }

  stop(): void {
    this.#alive = false;
  }

  /** The process stands still, and its clocks go on. */
  stall(durationMs: number): void {
    this.#stalledUntilMs = this.#time.nowMs + durationMs;
  }

  /** Runs `task` at once, or when the process moves again. */
  whenAwake(task: () => void): void {
    if (!this.#alive) return;
    const leftMs = this.#stalledUntilMs - this.#time.nowMs;
    if (leftMs <= 0) task();
    else
      this.#time.schedule(leftMs, () => {
        this.whenAwake(task);
      });
  }

  monotonicMs(): number {
    return this.#time.nowMs * this.#rate;
  }

  wallUs(): TimestampUs {
    return (EPOCH_US + Math.floor(this.#time.nowMs * 1000) + this.wallOffsetUs) as TimestampUs;
  }

  defer(task: () => void): void {
    this.after(0, task);
  }

  soon(task: () => void): void {
    queueMicrotask(() => {
      if (this.#alive) task();
    });
  }

  after(delayMs: number, task: () => void): Timer {
    let isCancelled = false;
    const timer = this.#time.schedule(delayMs / this.#rate, () => {
      this.whenAwake(() => {
        if (!isCancelled) task();
      });
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  random(): number {
    return this.#random.next();
  }
}
