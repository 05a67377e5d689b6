/**
 * Owns the one timer of all consumers of a stream: who is due next. An owner that moves its deadline back is not taken
 * out of the heap; it is asked at the old time and names a new one.
 */
import type { Runtime, Timer } from '../base/runtime.ts';

/** Timers take 31 bits; a longer wait is taken up again when this one ends. */
const MAX_TIMER_MS = 0x7fff_ffff;

export interface Due {
  /** The earliest entry of this owner in the queue; Infinity if none. Written by the queue only. */
  armedAtMs: number;
  /** Does what is due, and returns when it wants to be asked again (Infinity: never). */
  due(nowMs: number): number;
}

interface Slot {
  readonly atMs: number;
  readonly owner: Due;
}

export class DeadlineQueue {
  readonly #runtime: Runtime;
  readonly #nowMs: () => number;
  /** Binary heap by time. */
  readonly #heap: Slot[] = [];
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(runtime: Runtime, nowMs: () => number) {
    this.#runtime = runtime;
    this.#nowMs = nowMs;
  }

  /** `owner` wants to be asked at `atMs` at the latest. */
  arm(owner: Due, atMs: number): void {
    if (atMs >= owner.armedAtMs) return;
    owner.armedAtMs = atMs;
    this.#push({ atMs, owner });
    this.#setTimer();
  }

  /** `owner` is not asked any more. */
  disarm(owner: Due): void {
    owner.armedAtMs = Infinity;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    this.#heap.length = 0;
  }

  #run(): void {
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    const nowMs = this.#nowMs();
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= nowMs) {
      const { atMs, owner } = this.#pop();
      if (owner.armedAtMs !== atMs) continue;
      owner.armedAtMs = Infinity;
      // Nobody is asked twice in a millisecond, so an owner that is always due can't hold the loop.
      this.arm(owner, Math.max(owner.due(nowMs), nowMs + 1));
    }
    this.#setTimer();
  }

  #setTimer(): void {
    const next = this.#heap[0]?.atMs ?? Infinity;
    if (next >= this.#timerAtMs || next === Infinity) return;
    this.#timer?.cancel();
    this.#timerAtMs = next;
    this.#timer = this.#runtime.after(Math.min(MAX_TIMER_MS, Math.max(0, next - this.#nowMs())), () => {
      this.#run();
    });
  }

  #push(slot: Slot): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(slot);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (heap[parent]!.atMs <= slot.atMs) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = slot;
  }

  #pop(): Slot {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    const size = heap.length;
    if (size === 0) return top;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && heap[child + 1]!.atMs < heap[child]!.atMs) child++;
      if (heap[child]!.atMs >= last.atMs) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
