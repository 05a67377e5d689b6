/**
 * Owns the way of committed entries into a state machine: in order, in slices, with a digest after each. Slices end at
 * fixed positions, so that replicas have digests of the same indexes to compare.
 */
import { invariant } from '../base/errors.ts';
import { DigestRing } from './repair/digest-ring.ts';
import type { Entry, LogIndex, StateMachine } from './types.ts';

/** Every slice ends here at the latest. */
const DIGEST_EVERY = 64;
/** Of one slice: what a machine applies in a few milliseconds. */
const SLICE_BYTES = 512 * 1024;

interface Waiter {
  readonly index: LogIndex;
  readonly done: () => void;
}

export class Applier {
  readonly #machine: StateMachine;
  readonly #digests = new DigestRing();
  #queue: Entry[] = [];
  #head = 0;
  #lastApplied: LogIndex;
  #waiters: Waiter[] = [];
  #expected: { readonly index: LogIndex; readonly digest: number } | undefined;
  /** Records applied since the last checkpoint. */
  bytesSinceCheckpoint = 0;
  entriesSinceCheckpoint = 0;

  constructor(machine: StateMachine, lastApplied: LogIndex) {
    this.#machine = machine;
    this.#lastApplied = lastApplied;
  }

  get lastApplied(): LogIndex {
    return this.#lastApplied;
  }

  get hasWork(): boolean {
    return this.#head < this.#queue.length;
  }

  enqueue(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.push(entry);
  }

  /** Applies one slice. Returns the entries of Raft's own kinds among it. */
  applySlice(): Entry[] {
    const own: Entry[] = [];
    const normal: Entry[] = [];
    let bytes = 0;
    let last = this.#lastApplied;
    while (this.#head < this.#queue.length && bytes < SLICE_BYTES) {
      const entry = this.#queue[this.#head++]!;
      invariant(entry.index === last + 1, `entry ${entry.index} is to be applied after ${last}`);
      last = entry.index;
      bytes += entry.record.length;
      (entry.kind === 'normal' ? normal : own).push(entry);
      if (last % DIGEST_EVERY === 0) break;
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
    }
    if (normal.length > 0) this.#machine.apply(normal);
    this.#lastApplied = last;
    this.bytesSinceCheckpoint += bytes;
    this.entriesSinceCheckpoint += own.length + normal.length;
    this.#digests.add(last, this.#machine.digest());
    this.#wakeWaiters();
    return own;
  }

  /** A digest worth telling others: at a position where they have one too. */
  get digestIsComparable(): boolean {
    return !this.hasWork || this.#lastApplied % DIGEST_EVERY === 0;
  }

  /** Ours after `index`, if there is one. */
  digestAt(index: LogIndex): number | undefined {
    return this.#digests.at(index);
  }

  /** What a leader says the digest at `index` is. False: ours is another. */
  compare(index: LogIndex, digest: number): boolean {
    if (index > this.#lastApplied) {
      this.#expected ??= { index, digest };
      return true;
    }
    const own = this.#digests.at(index);
    return own === undefined || own === digest >>> 0;
  }

  /** As `compare`, of what was told before it was applied here. The position at which ours is another, if it is. */
  compareExpected(): LogIndex | undefined {
    if (this.#expected === undefined || this.#expected.index > this.#lastApplied) return undefined;
    const { index, digest } = this.#expected;
    this.#expected = undefined;
    return this.compare(index, digest) ? undefined : index;
  }

  whenApplied(index: LogIndex, done: () => void): void {
    if (index <= this.#lastApplied) done();
    else this.#waiters.push({ index, done });
  }

  /** The machine's state was replaced by that of a checkpoint: what was waiting in front of it is history. */
  reset(index: LogIndex): void {
    this.#queue = this.#queue.slice(this.#head).filter((entry) => entry.index > index);
    this.#head = 0;
    this.#lastApplied = index;
    this.#digests.clear();
    this.#expected = undefined;
    this.checkpointed();
    this.#wakeWaiters();
  }

  /** The machine begins again before the first entry. */
  restart(): void {
    this.#queue = [];
    this.reset(0 as LogIndex);
  }

  checkpointed(): void {
    this.bytesSinceCheckpoint = 0;
    this.entriesSinceCheckpoint = 0;
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const due = this.#waiters.filter((waiter) => waiter.index <= this.#lastApplied);
    if (due.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.index > this.#lastApplied);
    for (const waiter of due) waiter.done();
  }
}
