/**
 * Owns getting space back: a segment of which less than half is meant by some key any more is gone through, what is left
 * is written to the end of the log, and then the file goes. It goes only after the index has put that into its tables, so
 * that nothing a start could fall back to leads to it.
 */
import type { BatchLog, LogPosition } from './batch-log.ts';
import type { Change, LoggedChange, Place } from './batch-record.ts';
import { isSamePlace, type ValueIndex } from './value-index.ts';

/** A segment with a smaller part of it alive is cleaned: the log is at most about twice as large as what is in it. */
const WORTH_CLEANING = 1 / 2;
const SEGMENTS_AT_ONCE = 4;
const MOVES_PER_BATCH = 256;
const BYTES_PER_BATCH = 1024 * 1024;

type LargeChange = LoggedChange & { readonly kind: 'bulk' | 'move' };

interface Candidate {
  readonly key: Buffer;
  readonly place: Place;
}

export class SegmentCleaner {
  readonly #log: BatchLog;
  readonly #index: ValueIndex;
  /** Resolves when the changes are durable, and in the index. */
  readonly #write: (changes: readonly Change[]) => Promise<void>;
  /** Nothing leads to them any more. */
  #cleaned: number[] = [];
  /** Something in them can't be read; it stays, for a peer may still repair what means it. */
  readonly #stuck = new Set<number>();

  constructor(log: BatchLog, index: ValueIndex, write: (changes: readonly Change[]) => Promise<void>) {
    this.#log = log;
    this.#index = index;
    this.#write = write;
  }

  /** Cleans some of the segments in front of `end`, where the index is settled. False: there was nothing to do. */
  async clean(end: LogPosition): Promise<boolean> {
    const worthwhile = this.#log.sealedSegments().filter((segment) => segment < end.segment && this.#isWorth(segment));
    for (const segment of worthwhile.slice(0, SEGMENTS_AT_ONCE)) {
      if (await this.#moveLiving(segment)) this.#cleaned.push(segment);
      else this.#stuck.add(segment);
    }
    return worthwhile.length > 0;
  }

  /** Removes what `clean` has emptied. The index must have been settled since. */
  async removeCleaned(): Promise<void> {
    for (const segment of this.#cleaned) {
      await this.#log.remove(segment);
      await this.#index.forget(segment);
    }
    this.#cleaned = [];
  }

  #isWorth(segment: number): boolean {
    if (this.#stuck.has(segment) || this.#cleaned.includes(segment)) return false;
    return this.#index.liveBytesOf(segment) <= this.#log.bytesOf(segment) * WORTH_CLEANING;
  }

  /** True when nothing leads to the segment any more. */
  async #moveLiving(segment: number): Promise<boolean> {
    let candidates: Candidate[] = [];
    for await (const batch of this.#log.batches(segment, 0, true)) {
      for (const change of batch.changes) {
        if (!isLarge(change)) continue;
        const place = { segment, offset: batch.offset + change.offset, bytes: change.bytes };
        candidates.push({ key: change.key, place });
        if (candidates.length < MOVES_PER_BATCH) continue;
        if (!(await this.#move(candidates))) return false;
        candidates = [];
      }
    }
    // Also what should have been alive but was not met: a batch whose head is damaged can't say what it holds.
    return (await this.#move(candidates)) && this.#index.liveBytesOf(segment) === 0;
  }

  /** Writes those that are meant by their keys anew. False: one of them can't be read. */
  async #move(candidates: readonly Candidate[]): Promise<boolean> {
    const places = await this.#index.places(candidates.map(({ key }) => key));
    let changes: Change[] = [];
    let bytes = 0;
    for (const [at, { key, place }] of candidates.entries()) {
      const found = places[at];
      if (found === undefined || !isSamePlace(found, place)) continue;
      const value = await this.#log.read(place);
      if (value === undefined) return false;
      changes.push({ kind: 'move', key, value, from: place });
      bytes += value.length;
      if (bytes < BYTES_PER_BATCH) continue;
      await this.#write(changes);
      changes = [];
      bytes = 0;
    }
    if (changes.length > 0) await this.#write(changes);
    return true;
  }
}

function isLarge(change: LoggedChange): change is LargeChange {
  return change.kind === 'bulk' || change.kind === 'move';
}
