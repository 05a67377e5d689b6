/**
 * Owns the way of taken messages into the stream's log: while one batch is under way the next one gathers, so that there
 * is one entry for whatever came meanwhile, and its outcome is known before the next leaves.
 */
import type { Runtime } from '../base/runtime.ts';

/** `retry`: it is not stored, and nothing behind it may be. `over`: this node can't tell, and does not lead any more. */
export type BatchOutcome = 'stored' | 'retry' | 'over';

export interface PipelineOptions<Batch> {
  readonly runtime: Runtime;
  /** Hands over what has gathered; undefined: nothing. */
  readonly seal: () => Batch | undefined;
  readonly bytesOf: (batch: Batch) => number;
  readonly store: (batch: Batch) => Promise<BatchOutcome>;
  /** A batch was not stored: what was taken behind it is dropped, and must be fetched again. */
  readonly rewind: () => void;
}

interface Waiter {
  /** Batches that must be stored before. */
  readonly behind: number;
  readonly stored: () => void;
}

export class StorePipeline<Batch> {
  readonly #options: PipelineOptions<Batch>;
  #queue: Batch[] = [];
  #queuedBytes = 0;
  #underWayBytes = 0;
  #isUnderWay = false;
  #isScheduled = false;
  #waiters: Waiter[] = [];
  /** Batches sealed and stored since the beginning. */
  #sealed = 0;
  #stored = 0;

  constructor(options: PipelineOptions<Batch>) {
    this.#options = options;
  }

  /** Of batches that are sealed. */
  get pendingBytes(): number {
    return this.#queuedBytes + this.#underWayBytes;
  }

  /** There is something to seal, by the end of this turn at the latest. */
  gathered(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.runtime.defer(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  /** What has gathered is as large as a batch may be. */
  seal(): void {
    const batch = this.#options.seal();
    if (batch === undefined) return;
    this.#queue.push(batch);
    this.#queuedBytes += this.#options.bytesOf(batch);
    this.#sealed++;
  }

  whenStored(stored: () => void): void {
    this.seal();
    if (this.#stored >= this.#sealed) {
      stored();
      return;
    }
    this.#waiters.push({ behind: this.#sealed, stored });
    this.gathered();
  }

  /** Forgets everything but what is under way. */
  clear(): void {
    this.#options.seal();
    this.#sealed -= this.#queue.length;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#waiters = [];
  }

  #send(): void {
    if (this.#isUnderWay) return;
    if (this.#queue.length === 0) this.seal();
    const batch = this.#queue.shift();
    if (batch === undefined) return;
    this.#underWayBytes = this.#options.bytesOf(batch);
    this.#queuedBytes -= this.#underWayBytes;
    this.#isUnderWay = true;
    void this.#options.store(batch).then((outcome) => {
      this.#settled(outcome);
    });
  }

  #settled(outcome: BatchOutcome): void {
    this.#isUnderWay = false;
    this.#underWayBytes = 0;
    this.#stored++;
    if (outcome === 'stored') {
      const ready = this.#waiters.filter(({ behind }) => behind <= this.#stored);
      this.#waiters = this.#waiters.filter(({ behind }) => behind > this.#stored);
      for (const { stored } of ready) stored();
    } else {
      this.clear();
      if (outcome === 'retry') this.#options.rewind();
    }
    this.#send();
  }
}
