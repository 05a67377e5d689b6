/**
 * Owns which live messages are schedules, and for when each of them last produced a message. One page of the checkpoint
 * per schedule: it changes when the schedule fires.
 */
import { PageTracker } from '../store/page-tracker.ts';

export const SCHEDULE_PAGES = 0x36;
const PAGE_BYTES = 8;

export class ScheduleIndex {
  readonly pages: PageTracker;
  /** Told of each schedule that is stored. */
  onStored: (seq: number) => void = () => undefined;
  /** By sequence, ascending: the time it last fired for, in microseconds; 0: not yet. */
  readonly #firedUs = new Map<number, number>();

  constructor() {
    this.pages = new PageTracker(SCHEDULE_PAGES, (seq) => {
      const firedUs = this.#firedUs.get(seq);
      if (firedUs === undefined) return undefined;
      const value = Buffer.allocUnsafeSlow(PAGE_BYTES);
      value.writeDoubleBE(firedUs);
      return value;
    });
  }

  get size(): number {
    return this.#firedUs.size;
  }

  has(seq: number): boolean {
    return this.#firedUs.has(seq);
  }

  /** 0 if it has not fired yet, or is no schedule. */
  firedUs(seq: number): number {
    return this.#firedUs.get(seq) ?? 0;
  }

  seqs(): IterableIterator<number> {
    return this.#firedUs.keys();
  }

  stored(seq: number): void {
    this.pages.created(seq);
    this.#firedUs.set(seq, 0);
    this.onStored(seq);
  }

  fired(seq: number, dueUs: number): void {
    this.pages.touch(seq);
    this.#firedUs.set(seq, dueUs);
  }

  /** The message is gone, or another one has its subject. It need not have been a schedule. */
  cancel(seq: number): void {
    if (!this.#firedUs.has(seq)) return;
    this.pages.touch(seq);
    this.#firedUs.delete(seq);
  }

  cancelBelow(firstSeq: number): void {
    for (const seq of this.#firedUs.keys()) {
      if (seq >= firstSeq) return;
      this.cancel(seq);
    }
  }

  /** Takes in a page of a checkpoint, in order of pages. False: it is not one of ours. */
  restorePage(seq: number, value: Buffer): boolean {
    if (value.length !== PAGE_BYTES) return false;
    this.#firedUs.set(seq, value.readDoubleBE());
    return true;
  }
}
