/** Owns finding what is too old: by the stream's `max_age`, block by block from the head, or by a time of its own. */
import type { BlockChunk } from '../store/block-chunk.ts';
import { BlockRef } from '../store/block-table.ts';
import { NEVER_EXPIRES } from './message-ttl.ts';
import type { ReplicatedState } from '../replicated-state.ts';

/** Removed by one operation at most, so that applying it takes no more than a few milliseconds. */
const MAX_BELOW = 50_000;
const MAX_SINGLE = 2048;

export interface ExpiredMessages {
  /** Everything below it is too old; 0: nothing is, or not in one piece. */
  readonly below: number;
  /** Others, one by one. */
  readonly seqs: readonly number[];
  /** There is more. */
  readonly isPartial: boolean;
}

export class ExpiredMessageFinder {
  readonly #state: ReplicatedState;
  readonly #ref = new BlockRef();
  /** What is live below never expires. */
  #neverBelow = 0;

  constructor(state: ReplicatedState) {
    this.#state = state;
  }

  /** When the next message is too old, at the earliest. Infinity: nothing is going to be. */
  get nextUs(): number {
    const { config, store, expiries } = this.#state;
    if (config.maxAgeMs <= 0 || !this.#seekOldest()) return expiries.nextUs;
    const oldestUs = this.#ref.chunk.timestampUs[this.#ref.row]!;
    const headUs = store.firstSeq >= this.#neverBelow ? store.timestampOf(store.firstSeq) : oldestUs;
    return Math.min(expiries.nextUs, Math.max(oldestUs, headUs) + config.maxAgeMs * 1000);
  }

  /** What is too old at `nowUs`. `putBack` of the expiry index must follow when these messages are gone. */
  find(nowUs: number): ExpiredMessages {
    const { config, expiries } = this.#state;
    const seqs: number[] = [];
    expiries.takeDue(nowUs, MAX_SINGLE, seqs);
    const cutoffUs = nowUs - config.maxAgeMs * 1000;
    if (config.maxAgeMs <= 0) return { below: 0, seqs, isPartial: seqs.length >= MAX_SINGLE };
    const mayCut = config.subjectDeleteMarkerTtlMs <= 0;
    const { below, count } = mayCut ? this.#cut(cutoffUs) : { below: 0, count: 0 };
    if (count < MAX_BELOW) this.#addAged(cutoffUs, below, seqs);
    // A message may be due for both reasons; removals are in order of sequences.
    const unique = [...new Set(seqs)].sort((a, b) => a - b);
    return { below, seqs: unique, isPartial: count >= MAX_BELOW || seqs.length >= MAX_SINGLE };
  }

  /** As far as whole blocks from the head are too old, and nothing in them lives for ever. */
  #cut(cutoffUs: number): { readonly below: number; readonly count: number } {
    const { store } = this.#state;
    const ref = this.#ref;
    let count = 0;
    let below = 0;
    for (let found = store.table.seek(store.firstSeq, ref); found; found = store.table.next(ref)) {
      const { chunk, row } = ref;
      if (count >= MAX_BELOW || chunk.timestampUs[row]! > cutoffUs) break;
      if (holdsEternal(chunk, row) || chunk.side[row]?.times !== undefined) break;
      count += chunk.live[row]!;
      below = chunk.endSeq(row);
    }
    return { below, count };
  }

  #addAged(cutoffUs: number, from: number, into: number[]): void {
    const { store } = this.#state;
    const ref = this.#ref;
    let isNever = true;
    const start = Math.max(from, store.firstSeq, this.#neverBelow);
    for (let found = store.table.seek(start, ref); found; found = store.table.next(ref)) {
      const { chunk, row } = ref;
      if (chunk.timestampUs[row]! > cutoffUs) return;
      const first = chunk.firstSeq[row]!;
      for (let ordinal = 0; ordinal < chunk.count[row]!; ordinal++) {
        if (into.length >= MAX_SINGLE) return;
        if (!chunk.isLive(row, ordinal) || chunk.ttlAt(row, ordinal) === NEVER_EXPIRES) continue;
        isNever = false;
        if (chunk.timeAt(row, ordinal) <= cutoffUs) into.push(first + ordinal);
      }
      if (isNever) this.#neverBelow = chunk.endSeq(row);
    }
  }

  /** Points at the block that may hold the oldest message that can become too old. */
  #seekOldest(): boolean {
    const { store } = this.#state;
    return store.messages > 0 && store.table.seek(Math.max(store.firstSeq, this.#neverBelow), this.#ref);
  }
}

function holdsEternal(chunk: BlockChunk, row: number): boolean {
  if (!chunk.hasTtls(row)) return false;
  for (let ordinal = 0; ordinal < chunk.count[row]!; ordinal++) {
    if (chunk.ttlAt(row, ordinal) === NEVER_EXPIRES) return true;
  }
  return false;
}
