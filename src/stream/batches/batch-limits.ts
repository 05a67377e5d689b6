/** Owns how much of a node batches may hold that are not committed yet: shared by all its streams. */

export interface BatchLimits {
  /** Messages of an atomic batch. */
  readonly maxMsgs: number;
  /** A batch that gets no message for so long is given up. */
  readonly timeoutMs: number;
  /** Atomic batches that are open at a time, in one stream and in all of them. */
  readonly maxOpenPerStream: number;
  readonly maxOpen: number;
  /** The same of fast batches. */
  readonly maxOpenFastPerStream: number;
  readonly maxOpenFast: number;
}

const DEFAULTS: BatchLimits = {
  maxMsgs: 1000,
  timeoutMs: 10_000,
  maxOpenPerStream: 50,
  maxOpen: 1000,
  maxOpenFastPerStream: 1000,
  maxOpenFast: 50_000,
};

/**
 * The messages of an atomic batch share one entry of the log, whose size is bounded. Differs from the reference server,
 * which bounds their number only.
 */
export const MAX_ATOMIC_BYTES = 64 * 1024 * 1024;
/** What open atomic batches hold in memory altogether. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;

export class BatchBudget {
  readonly limits: BatchLimits;
  #open = 0;
  #openFast = 0;
  #heldBytes = 0;

  /** Limits that are zero or less are the defaults. */
  constructor(limits: Partial<BatchLimits> = {}) {
    const given = Object.entries(limits).filter(([, limit]) => limit > 0);
    this.limits = { ...DEFAULTS, ...(Object.fromEntries(given) as Partial<BatchLimits>) };
  }

  /** False: too many are open. */
  open(): boolean {
    if (this.#open >= this.limits.maxOpen) return false;
    this.#open++;
    return true;
  }

  /** False: too many fast batches are open. */
  openFast(): boolean {
    if (this.#openFast >= this.limits.maxOpenFast) return false;
    this.#openFast++;
    return true;
  }

  closeFast(): void {
    this.#openFast--;
  }

  /** False: there is no room for so much more. */
  hold(bytes: number): boolean {
    if (this.#heldBytes + bytes > MAX_HELD_BYTES) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** A batch that held `bytes` is committed or given up. */
  close(bytes: number): void {
    this.#open--;
    this.#heldBytes -= bytes;
  }
}
