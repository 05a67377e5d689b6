/** Owns the atomic batches that a stream's leader gathers: their messages, kept until the commit, and who is idle too long. */
import type { Runtime, Timer } from '../../base/runtime.ts';
import type { BatchBudget } from './batch-limits.ts';
import { MAX_ATOMIC_BYTES } from './batch-limits.ts';

export interface OpenBatch {
  readonly id: string;
  /** In stored form, copied. */
  readonly messages: Buffer[];
  bytes: number;
  deadlineMs: number;
}

export class OpenBatches {
  readonly #budget: BatchBudget;
  readonly #runtime: Runtime;
  readonly #expired: (id: string) => void;
  /** The one that was idle longest comes first. */
  readonly #batches = new Map<string, OpenBatch>();
  #timer: Timer | undefined;

  constructor(options: {
    readonly budget: BatchBudget;
    readonly runtime: Runtime;
    /** A batch was given up because nothing more came. */
    readonly expired: (id: string) => void;
  }) {
    this.#budget = options.budget;
    this.#runtime = options.runtime;
    this.#expired = options.expired;
  }

  get(id: string): OpenBatch | undefined {
    return this.#batches.get(id);
  }

  /** Undefined: too many are open, here or on this node. */
  open(id: string): OpenBatch | undefined {
    if (this.#batches.size >= this.#budget.limits.maxOpenPerStream || !this.#budget.open()) return undefined;
    const batch: OpenBatch = { id, messages: [], bytes: 0, deadlineMs: 0 };
    this.#batches.set(id, batch);
    return batch;
  }

  /** Keeps one message more. False: there is no room for it. */
  add(batch: OpenBatch, message: Buffer): boolean {
    if (batch.bytes + message.length > MAX_ATOMIC_BYTES || !this.#budget.hold(message.length)) return false;
    batch.messages.push(message);
    batch.bytes += message.length;
    batch.deadlineMs = this.#runtime.monotonicMs() + this.#budget.limits.timeoutMs;
    this.#batches.delete(batch.id);
    this.#batches.set(batch.id, batch);
    this.#watch();
    return true;
  }

  /** It is committed or given up. */
  close(batch: OpenBatch): void {
    if (this.#batches.delete(batch.id)) this.#budget.close(batch.bytes);
  }

  closeAll(): void {
    for (const batch of this.#batches.values()) this.close(batch);
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #watch(): void {
    const [oldest] = this.#batches.values();
    if (this.#timer !== undefined || oldest === undefined) return;
    this.#timer = this.#runtime.after(Math.max(0, oldest.deadlineMs - this.#runtime.monotonicMs()), () => {
      this.#timer = undefined;
      this.#expire();
    });
  }

  #expire(): void {
    const nowMs = this.#runtime.monotonicMs();
    for (const batch of this.#batches.values()) {
      if (batch.deadlineMs > nowMs) break;
      this.close(batch);
      this.#expired(batch.id);
    }
    this.#watch();
  }
}
