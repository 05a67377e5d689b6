/** Owns applying stream operations: delete, changes of configuration, expiry, and the steps of purges. */
import { messageDeleteFailed, sequenceNotFound, STREAM_SEALED, type ApiError } from '../../base/api-errors.ts';
import { BlockRef } from '../store/block-table.ts';
import { LimitSweep } from '../removal/limit-sweep.ts';
import { Purger, type PurgeStep } from '../removal/purge.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import type { OperationResult, StreamConfig, StreamExtension, StreamOperation } from '../types.ts';

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

/** The next step of what a change of configuration began. */
export interface SweepOperation {
  readonly op: 'sweep';
}

export type LoggedOperation =
  | Exclude<StreamOperation, { readonly op: 'purge' }>
  | PurgeStep
  | ExpireOperation
  | ExpireMessagesOperation
  | SweepOperation;
type DeleteMessage = Extract<StreamOperation, { readonly op: 'deleteMessage' }>;

export class OperationApplier {
  readonly #state: ReplicatedState;
  readonly #sweep: LimitSweep;
  readonly #extension: () => StreamExtension;
  readonly #configChanged: (config: StreamConfig) => void;
  readonly #eraseLater: (blockSeq: number) => void;
  readonly #purger: Purger;

  constructor(options: {
    readonly state: ReplicatedState;
    readonly extension: () => StreamExtension;
    readonly configChanged: (config: StreamConfig) => void;
    /** The block that begins at `blockSeq` holds a message whose bytes must go. */
    readonly eraseLater: (blockSeq: number) => void;
  }) {
    this.#state = options.state;
    this.#sweep = new LimitSweep(options.state, options.extension);
    this.#extension = options.extension;
    this.#configChanged = options.configChanged;
    this.#eraseLater = options.eraseLater;
    this.#purger = new Purger(options.state, options.extension);
  }

  apply(operation: LoggedOperation): OperationResult {
    switch (operation.op) {
      case 'configure':
        return this.#configure(operation.config, operation.revision);
      case 'purge':
        return this.#purger.apply(operation);
      case 'deleteMessage':
        return this.#deleteMessage(operation);
      case 'expire':
        return done(this.#purger.removeBelow(operation.below, false));
      case 'expireMessages':
        return done(this.#removeRuns(operation.runs));
      case 'sweep':
        this.#sweep.step();
        return done(0);
    }
  }

  #configure(config: StreamConfig, revision: number): OperationResult {
    const state = this.#state;
    if (revision <= state.configRevision) return done(0);
    const before = state.config;
    state.config = config;
    state.configRevision = revision;
    this.#extension().configChanged(config);
    this.#sweep.begin(before);
    this.#configChanged(config);
    return done(0);
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
