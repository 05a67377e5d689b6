/** Owns applying stream operations: purge, delete, changes of configuration, expiry. */
import {
  BAD_REQUEST,
  messageDeleteFailed,
  purgeFailed,
  sequenceNotFound,
  STREAM_SEALED,
  type ApiError,
} from '../base/api-errors.ts';
import type { Seq } from '../base/brand.ts';
import type { BatchApplier } from './batch-applier.ts';
import { BlockRef } from './block-table.ts';
import type { ReplicatedState } from './replicated-state.ts';
import { collectMatching, countFrom } from './store-queries.ts';
import { subjectFilter } from './subject-filter.ts';
import type { OperationResult, StreamConfig, StreamExtension, StreamOperation } from './types.ts';

/** What this stream's leader proposes by itself: everything below `below` is older than `max_age`. */
export interface ExpireOperation {
  readonly op: 'expire';
  readonly below: number;
}

/** The same for messages here and there: `first, last` of each run. */
export interface ExpireMessagesOperation {
  readonly op: 'expireMessages';
  readonly runs: readonly number[];
}

export type LoggedOperation = StreamOperation | ExpireOperation | ExpireMessagesOperation;
type Purge = Extract<StreamOperation, { readonly op: 'purge' }>;
type DeleteMessage = Extract<StreamOperation, { readonly op: 'deleteMessage' }>;

export class OperationApplier {
  readonly #state: ReplicatedState;
  readonly #batches: BatchApplier;
  readonly #extension: () => StreamExtension;
  readonly #configChanged: (config: StreamConfig) => void;
  readonly #eraseLater: (blockSeq: number) => void;

  constructor(options: {
    readonly state: ReplicatedState;
    readonly batches: BatchApplier;
    readonly extension: () => StreamExtension;
    readonly configChanged: (config: StreamConfig) => void;
    /** The block that begins at `blockSeq` holds a message whose bytes must go. */
    readonly eraseLater: (blockSeq: number) => void;
  }) {
    this.#state = options.state;
    this.#batches = options.batches;
    this.#extension = options.extension;
    this.#configChanged = options.configChanged;
    this.#eraseLater = options.eraseLater;
  }

  apply(operation: LoggedOperation): OperationResult {
    switch (operation.op) {
      case 'configure':
        return this.#configure(operation.config, operation.revision);
      case 'purge':
        return this.#purge(operation);
      case 'deleteMessage':
        return this.#deleteMessage(operation);
      case 'expire':
        return done(this.#removeBelow(operation.below));
      case 'expireMessages':
        return done(this.#removeRuns(operation.runs));
    }
  }

  #configure(config: StreamConfig, revision: number): OperationResult {
    const state = this.#state;
    if (revision <= state.configRevision) return done(0);
    const before = state.config;
    state.config = config;
    state.configRevision = revision;
    this.#batches.enforceLimits();
    this.#extension().configChanged(config);
    if (config.retention === 'interest' && before.retention !== 'interest') this.#removeUnneeded();
    this.#configChanged(config);
    return done(0);
  }

  /** What no consumer is interested in leaves a stream that begins to keep messages for interest only. */
  #removeUnneeded(): void {
    const { store } = this.#state;
    const extension = this.#extension();
    const unneeded = store.subjects.matching(undefined).filter((id) => {
      const start = store.subjects.startOf(id);
      return !extension.needs(store.subjects.segment(id), start, start + store.subjects.lengthOf(id));
    });
    const seqs: number[] = [];
    for (const id of unneeded) {
      let seq = 0;
      for (let count = store.subjects.countOf(id); count > 0; count--) {
        seq = store.nextOf(id, seq + 1);
        seqs.push(seq);
      }
    }
    // Ids are this replica's own: only the order of sequences is the same on all.
    for (const seq of seqs.sort((a, b) => a - b)) store.remove(seq, true);
  }

  #purge(purge: Purge): OperationResult {
    const { config, store } = this.#state;
    if (config.sealed) return failed(STREAM_SEALED);
    if (config.denyPurge) return failed(purgeFailed('stream purge not permitted'));
    const seq = purge.seq ?? 0;
    const keep = purge.keep ?? 0;
    if (seq > 0 && keep > 0) return failed(BAD_REQUEST);
    const filter = purge.filter === undefined || purge.filter === '' ? undefined : subjectFilter([purge.filter]);
    if (filter !== undefined) {
      const limit = keep > 0 ? countFrom(store, filter, 0) - keep : Infinity;
      if (limit <= 0) return done(0);
      const seqs = collectMatching(store, filter, { from: 0, below: seq > 1 ? seq : Infinity, limit });
      for (const matching of seqs) store.remove(matching, true);
      return done(seqs.length);
    }
    if (keep > 0) return done(this.#removeBelow(this.#keptFrom(keep), true));
    const purged = this.#removeBelow(seq > 0 ? seq : store.lastSeq + 1, true);
    if (seq > store.lastSeq + 1) store.skipTo(seq);
    return done(purged);
  }

  /** The sequence of the `keep`-th message from the end. */
  #keptFrom(keep: number): number {
    const { store } = this.#state;
    let excess = store.messages - keep;
    if (excess <= 0) return store.firstSeq;
    const ref = new BlockRef();
    let found = store.table.seek(store.firstSeq, ref);
    while (found && excess >= ref.chunk.live[ref.row]!) {
      excess -= ref.chunk.live[ref.row]!;
      found = store.table.next(ref);
    }
    const range = { from: ref.chunk.firstSeq[ref.row]!, below: Infinity, limit: excess + 1 };
    return collectMatching(store, undefined, range).at(-1) ?? store.lastSeq + 1;
  }

  #removeBelow(below: number, purge = false): number {
    const { store } = this.#state;
    const removed = store.removeBelow(below);
    if (removed > 0) this.#extension().messagesRemovedBelow(store.firstSeq as Seq, purge);
    return removed;
  }

  #removeRuns(runs: readonly number[]): number {
    let removed = 0;
    for (let at = 0; at + 1 < runs.length; at += 2) {
      for (let seq = runs[at]!; seq <= runs[at + 1]!; seq++) if (this.#state.store.remove(seq, true)) removed++;
    }
    return removed;
  }

  #deleteMessage({ seq, erase }: DeleteMessage): OperationResult {
    const state = this.#state;
    const { config, store } = state;
    if (config.sealed) return failed(STREAM_SEALED);
    if (config.denyDelete) return failed(messageDeleteFailed('message delete not permitted'));
    if (config.storage === 'file') {
      if (seq > store.lastSeq) return failed(messageDeleteFailed('stream store EOF'));
      if (seq < store.firstSeq) return failed(messageDeleteFailed('no message found'));
    }
    const ref = new BlockRef();
    const blockSeq = store.table.find(seq, ref) ? ref.chunk.firstSeq[ref.row]! : 0;
    if (!store.remove(seq, true)) return failed(sequenceNotFound(seq));
    // A record that died as a whole goes anyway; one that stays must lose the payload.
    if (erase && store.table.find(blockSeq, ref)) {
      state.erasures.add(blockSeq);
      this.#eraseLater(blockSeq);
    }
    return done(1);
  }
}

function done(purged: number): OperationResult {
  return { kind: 'done', purged };
}

function failed(error: ApiError): OperationResult {
  return { kind: 'error', error };
}
