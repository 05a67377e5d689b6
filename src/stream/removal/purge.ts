/**
 * Owns purges. One of many messages is done in steps, each an entry of its own, so that applying one takes no more than a few
 * milliseconds. The leader decides which sequences a step covers, as they are when it proposes it; what is published
 * meanwhile is none of its business. If it is deposed in between, whoever leads next finishes the purge; who asked for it
 * is not answered.
 */
import { purgeFailed, STREAM_SEALED } from '../../base/api-errors.ts';
import type { Seq } from '../../base/brand.ts';
import { BlockRef } from '../store/block-table.ts';
import type { MessageStore } from '../store/message-store.ts';
import type { OpenPurge } from './open-purges.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { collectMatching, type Pause } from '../store/store-queries.ts';
import { subjectFilter } from '../store/subject-filter.ts';
import { SubjectMatcher } from '../store/subject-matcher.ts';
import type { OperationResult, StreamExtension, StreamOperation, SubjectFilter } from '../types.ts';

/** Live messages in the blocks that one step covers, about. */
export const MESSAGES_PER_PURGE_STEP = 32_768;

export type Purge = Extract<StreamOperation, { readonly op: 'purge' }>;

/** What an entry says is to go: with a filter, what matches in [from, below); without, everything below `below`. */
export interface PurgeStep {
  readonly op: 'purge';
  readonly filter: string | undefined;
  readonly from: number;
  /** Undefined: everything there is. The stream goes on here, if it had not got so far. */
  readonly below: number | undefined;
  /** Where the whole purge ends, if this step is one of several. */
  readonly end?: number | undefined;
}

/** Applies the steps, on every replica. */
export class Purger {
  readonly #state: ReplicatedState;
  readonly #extension: () => StreamExtension;

  constructor(state: ReplicatedState, extension: () => StreamExtension) {
    this.#state = state;
    this.#extension = extension;
  }

  apply(step: PurgeStep): OperationResult {
    const { config, purges } = this.#state;
    const refusal = config.sealed
      ? STREAM_SEALED
      : config.denyPurge
        ? purgeFailed('stream purge not permitted')
        : undefined;
    if (refusal !== undefined) {
      purges.drop(step);
      return { kind: 'error', error: refusal };
    }
    purges.advance(step);
    return { kind: 'done', purged: this.#remove(step) };
  }

  #remove({ filter, from, below }: PurgeStep): number {
    const { store } = this.#state;
    const matching = filter === undefined ? undefined : subjectFilter([filter]);
    if (matching !== undefined) {
      const seqs = collectMatching(store, matching, { from, below: below ?? Infinity, limit: Infinity });
      for (const seq of seqs) store.remove(seq, true);
      return seqs.length;
    }
    const purged = this.removeBelow(below ?? store.lastSeq + 1, true);
    if (below !== undefined && below > store.lastSeq + 1) store.skipTo(below);
    return purged;
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

/** What a purge comes to, on the leader: what matches in [next, end) is to go, or (`end` undefined) everything there is. */
export type PurgeRange = Omit<OpenPurge, 'end'> & { readonly end: number | undefined };

/** Undefined: it asks for what can't be. A promise only where messages have to be counted. */
export function rangeOfPurge(purge: Purge, context: PurgeContext): PurgeRange | Promise<PurgeRange> | undefined {
  const seq = purge.seq ?? 0;
  const keep = purge.keep ?? 0;
  if (seq > 0 && keep > 0) return undefined;
  const filter = purge.filter === '' ? undefined : purge.filter;
  if (filter === undefined) {
    const below = keep > 0 ? keptFrom(context.store(), keep) : seq;
    return { filter, next: 0, end: below === 0 ? undefined : below };
  }
  if (keep > 0) {
    return matchingKeptFrom(subjectFilter([filter])!, keep, context).then((end) => ({ filter, next: 0, end }));
  }
  const end = context.store().lastSeq + 1;
  return { filter, next: 0, end: seq > 1 ? Math.min(seq, end) : end };
}

/** Proposes one step after the other. */
export async function carryOut({ filter, next, end }: PurgeRange, context: PurgeContext): Promise<OperationResult> {
  if (end === undefined) return context.propose({ op: 'purge', filter, from: 0, below: undefined });
  let purged = 0;
  for (let from = next; ;) {
    const store = context.store();
    // A stream that loses everything loses it at once, however much it is.
    const everything = filter === undefined && end > store.lastSeq;
    const below = everything ? end : stepEnd(store, { from, end, messages: context.messagesPerStep });
    const result = await context.propose({ op: 'purge', filter, from, below, end });
    if (result.kind === 'error') return result;
    purged += result.purged;
    if (below >= end) return { kind: 'done', purged };
    from = below;
  }
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
