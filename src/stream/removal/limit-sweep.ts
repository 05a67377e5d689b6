/**
 * Owns bringing a stream within limits that became tighter, and taking out what nobody wants once it keeps messages for
 * interest only. The entry that changes the configuration does the first step, and of a large stream that alone; the
 * leader proposes the others. Replicas hold how far it got, so all do the same steps.
 */
import type { Seq } from '../../base/brand.ts';
import { BlockRef } from '../store/block-table.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import type { StreamConfig, StreamExtension } from '../types.ts';

/** Sequences looked at, or messages removed, by one step: a few milliseconds. */
const SEQS_PER_STEP = 16_384;

/** What is left to be looked at: [from, until]. */
export interface Sweep {
  readonly from: number;
  readonly until: number;
}

export class LimitSweep {
  readonly #state: ReplicatedState;
  readonly #extension: () => StreamExtension;
  readonly #ref = new BlockRef();

  constructor(state: ReplicatedState, extension: () => StreamExtension) {
    this.#state = state;
    this.#extension = extension;
  }

  /** The configuration changed from `before` to the one that the state has now. */
  begin(before: StreamConfig): void {
    const { config, store, sweep } = this.#state;
    const perSubject = config.maxMsgsPerSubject;
    const fewer = perSubject > 0 && (before.maxMsgsPerSubject <= 0 || perSubject < before.maxMsgsPerSubject);
    const isUnwanted = config.retention === 'interest' && before.retention !== 'interest';
    const from = fewer || isUnwanted ? store.firstSeq : (sweep?.from ?? store.lastSeq + 1);
    this.#state.sweep = { from, until: store.lastSeq };
    this.step();
  }

  /** Does the next step, if there is any. */
  step(): void {
    const { sweep } = this.#state;
    if (sweep === undefined) return;
    const left = this.#walk(sweep, SEQS_PER_STEP);
    const isWithin = left > 0 && this.#trimHead(left);
    if (isWithin) this.#state.sweep = undefined;
  }

  /** Looks at messages in order of their sequences; what is left of the budget. */
  #walk({ from, until }: Sweep, budget: number): number {
    const { store } = this.#state;
    const ref = this.#ref;
    const doomed: number[] = [];
    const isDoomed = this.#judge();
    let left = budget;
    let next = until + 1;
    for (let found = store.table.seek(from, ref); found && left > 0; found = store.table.next(ref)) {
      const { chunk, row } = ref;
      const first = chunk.firstSeq[row]!;
      const end = Math.min(chunk.endSeq(row), until + 1);
      let seq = Math.max(first, from);
      for (; seq < end && left > 0; seq++, left--) {
        if (chunk.isLive(row, seq - first) && isDoomed(chunk.subjectAt(row, seq - first))) doomed.push(seq);
      }
      next = seq;
      if (seq > until) break;
    }
    for (const seq of doomed) store.remove(seq, true);
    this.#state.sweep = { from: left > 0 ? until + 1 : next, until };
    return left;
  }

  /** Whether the next message of a subject, by its id, is too much. Messages are asked about in order. */
  #judge(): (id: number) => boolean {
    const { config, store } = this.#state;
    const counts = new Map<number, number>();
    const wanted = new Map<number, boolean>();
    return (id) => {
      if (config.retention === 'interest' && !this.#isWanted(id, wanted)) return true;
      if (config.maxMsgsPerSubject <= 0) return false;
      const count = counts.get(id) ?? store.subjects.countOf(id);
      if (count <= config.maxMsgsPerSubject) return false;
      counts.set(id, count - 1);
      return true;
    };
  }

  #isWanted(id: number, known: Map<number, boolean>): boolean {
    const { subjects } = this.#state.store;
    let isWanted = known.get(id);
    if (isWanted === undefined) {
      const start = subjects.startOf(id);
      isWanted = this.#extension().needs(subjects.segment(id), start, start + subjects.lengthOf(id));
      known.set(id, isWanted);
    }
    return isWanted;
  }

  /** Removes at most `budget` messages from the head. True: the stream is within its limits. */
  #trimHead(budget: number): boolean {
    const { config, store } = this.#state;
    if (config.discard !== 'old') return true;
    const before = store.messages;
    const isOver = (): boolean =>
      (config.maxMsgs > 0 && store.messages > config.maxMsgs) ||
      (config.maxBytes > 0 && store.bytes > config.maxBytes && store.messages > 0);
    while (before - store.messages < budget && isOver()) store.remove(store.firstSeq, false);
    if (store.messages < before) this.#extension().messagesRemovedBelow(store.firstSeq as Seq);
    return !isOver();
  }
}
