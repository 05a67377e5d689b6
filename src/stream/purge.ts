/**
 * Owns purges. One of many messages is done in steps, each an entry of its own, so that applying one takes no more than a few
 * milliseconds. The leader decides which sequences a step covers, as they are when it proposes it; what is published
 * meanwhile is none of its business. If it is deposed in between, the purge ends where it is, unanswered, and whoever asked
 * for it will ask again.
 */
import { BAD_REQUEST, purgeFailed, STREAM_SEALED } from '../base/api-errors.ts';
import type { Seq } from '../base/brand.ts';
import { BlockRef } from './block-table.ts';
import type { MessageStore } from './message-store.ts';
import type { ReplicatedState } from './replicated-state.ts';
import { collectMatching, type Pause } from './store-queries.ts';
import { subjectFilter } from './subject-filter.ts';
import { SubjectMatcher } from './subject-matcher.ts';
import type { OperationResult, StreamExtension, StreamOperation, SubjectFilter } from './types.ts';

/** Live messages in the blocks that one step covers, about. */
export const MESSAGES_PER_PURGE_STEP = 32_768;

type Purge = Extract<StreamOperation, { readonly op: 'purge' }>;

/** What an entry says is to go: with a filter, what matches in [from, below); without, everything below `below`. */
export interface PurgeStep {
  readonly op: 'purge';
  readonly filter: string | undefined;
  readonly from: number;
  /** Undefined: everything there is. The stream goes on here, if it had not got so far. */
  readonly below: number | undefined;
}

/** Applies the steps, on every replica. */
export class Purger {
  readonly #state: ReplicatedState;
  readonly #extension: () => StreamExtension;

  constructor(state: ReplicatedState, extension: () => StreamExtension) {
    this.#state = state;
    this.#extension = extension;
  }

  apply({ filter, from, below }: PurgeStep): OperationResult {
    const { config, store } = this.#state;
    if (config.sealed) return { kind: 'error', error: STREAM_SEALED };
    if (config.denyPurge) return { kind: 'error', error: purgeFailed('stream purge not permitted') };
    const matching = filter === undefined ? undefined : subjectFilter([filter]);
    if (matching !== undefined) {
      const seqs = collectMatching(store, matching, { from, below: below ?? Infinity, limit: Infinity });
      for (const seq of seqs) store.remove(seq, true);
      return { kind: 'done', purged: seqs.length };
    }
    const purged = this.removeBelow(below ?? store.lastSeq + 1, true);
    if (below !== undefined && below > store.lastSeq + 1) store.skipTo(below);
    return { kind: 'done', purged };
  }

  /** Removes everything below `below`, and tells of the new beginning, and whether a purge was why. */
  removeBelow(below: number, purge: boolean): number {
    const { store } = this.#state;
    const removed = store.removeBelow(below);
    if (removed > 0) this.#extension().messagesRemovedBelow(store.firstSeq as Seq, purge);
    return removed;
  }
}

export interface PurgeContext {
  /** As it is now: a restore puts another in its place. */
  store(): MessageStore;
  propose(step: PurgeStep): Promise<OperationResult>;
  readonly pause: Pause;
  readonly messagesPerStep: number;
}

/** Carries a purge out, on the leader. */
export async function runPurge(purge: Purge, context: PurgeContext): Promise<OperationResult> {
  const seq = purge.seq ?? 0;
  const keep = purge.keep ?? 0;
  if (seq > 0 && keep > 0) return { kind: 'error', error: BAD_REQUEST };
  const filter = purge.filter === undefined || purge.filter === '' ? undefined : subjectFilter([purge.filter]);
  if (filter === undefined) {
    const below = keep > 0 ? keptFrom(context.store(), keep) : seq;
    return below === 0 ? context.propose(stepOf(purge, 0, undefined)) : purgeTo(below, purge, context);
  }
  if (keep > 0) return purgeTo(await matchingKeptFrom(filter, keep, context), purge, context);
  const end = context.store().lastSeq + 1;
  return purgeTo(seq > 1 ? Math.min(seq, end) : end, purge, context);
}

async function purgeTo(end: number, purge: Purge, context: PurgeContext): Promise<OperationResult> {
  let purged = 0;
  for (let from = 0; ;) {
    const store = context.store();
    // A stream that loses everything loses it at once, however much it is.
    const everything = purge.filter === undefined && end > store.lastSeq;
    const below = everything ? end : stepEnd(store, { from, end, messages: context.messagesPerStep });
    const result = await context.propose(stepOf(purge, from, below));
    if (result.kind === 'error') return result;
    purged += result.purged;
    if (below >= end) return { kind: 'done', purged };
    from = below;
  }
}

function stepOf({ filter }: Purge, from: number, below: number | undefined): PurgeStep {
  return { op: 'purge', filter: filter === '' ? undefined : filter, from, below };
}

/** The end of the blocks that hold the next `messages` live ones behind `from`; `end` at most. */
function stepEnd(
  store: MessageStore,
  range: { readonly from: number; readonly end: number; readonly messages: number },
): number {
  const ref = new BlockRef();
  let left = range.messages;
  for (let found = store.table.seek(range.from, ref); found; found = store.table.next(ref)) {
    const { chunk, row } = ref;
    const blockEnd = chunk.endSeq(row);
    if (blockEnd >= range.end) break;
    left -= chunk.live[row]!;
    if (left <= 0) return blockEnd;
  }
  return range.end;
}

/** The sequence of the `keep`-th message from the end. */
function keptFrom(store: MessageStore, keep: number): number {
  const excess = store.messages - keep;
  if (excess <= 0) return store.firstSeq;
  const ref = new BlockRef();
  let before = store.table.seekLive(excess, ref);
  const { chunk, row } = ref;
  for (let ordinal = 0; ; ordinal++) {
    if (chunk.isLive(row, ordinal) && before-- === 0) return chunk.firstSeq[row]! + ordinal;
  }
}

/** The sequence of the `keep`-th match from the end; 1 if there are not so many. Looks from the end on, with pauses. */
async function matchingKeptFrom(filter: SubjectFilter, keep: number, context: PurgeContext): Promise<number> {
  let upTo = context.store().lastSeq;
  let matching = 0;
  for (;;) {
    const store = context.store();
    const matcher = store.subjects.allMatch(filter) ? undefined : new SubjectMatcher(store.subjects, filter);
    const ref = new BlockRef();
    let left = context.messagesPerStep;
    let found = store.table.seekBack(upTo, ref);
    for (; found && left > 0; found = store.table.previous(ref)) {
      const { chunk, row } = ref;
      const first = chunk.firstSeq[row]!;
      left -= chunk.live[row]!;
      for (let ordinal = Math.min(chunk.count[row]! - 1, upTo - first); ordinal >= 0; ordinal--) {
        if (!chunk.isLive(row, ordinal) || matcher?.matches(chunk.subjectAt(row, ordinal)) === false) continue;
        if (++matching === keep) return first + ordinal;
      }
      upTo = first - 1;
    }
    if (!found) return 1;
    await context.pause();
  }
}
