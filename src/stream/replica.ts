/**
 * Owns one replica's copy of the stream: applies entries to the replicated state, in order. A restore makes a new one.
 */
import type { Seq } from '../base/brand.ts';
import { invariant } from '../base/errors.ts';
import type { Entry } from '../raft/index.ts';
import { BatchApplier } from './entries/batch-applier.ts';
import { CheckpointPages } from './checkpoint-pages.ts';
import {
  ENTRY_ATOMIC_BATCH,
  ENTRY_BATCH,
  ENTRY_EXTENSION_OPERATION,
  ENTRY_EXTENSION_PROGRESS,
  ENTRY_OPERATION,
  ENTRY_PLACED_BATCH,
  ENTRY_PREFIX_BATCH,
  ENTRY_PRODUCED_BATCH,
  entryKind,
  entryPayload,
  entryTimestamp,
} from './entries/entry-format.ts';
import { OperationApplier, type LoggedOperation } from './entries/operation-applier.ts';
import { Proposer, type Proposal } from './publish/proposer.ts';
import { PublishReplies } from './publish/publish-replies.ts';
import { ReplicatedState } from './replicated-state.ts';
import type { StoredWatcher, StreamConfig, StreamExtension, SubmissionException } from './types.ts';

export interface ReplicaOptions {
  readonly config: StreamConfig;
  readonly revision: number;
  readonly domain: string | undefined;
  readonly extension: () => StreamExtension;
  readonly configChanged: (config: StreamConfig) => void;
  /** Told what is stored while the stream republishes. */
  readonly watcher?: StoredWatcher | undefined;
  /** The block that begins at `blockSeq` is worth compacting. */
  readonly blockThinned: (blockSeq: number) => void;
}

export class Replica {
  readonly state: ReplicatedState;
  readonly pages: CheckpointPages;
  readonly #batches: BatchApplier;
  readonly #operations: OperationApplier;
  readonly #extension: () => StreamExtension;
  readonly #watcher: StoredWatcher | undefined;

  constructor(options: ReplicaOptions) {
    const { extension, blockThinned } = options;
    this.#extension = extension;
    this.#watcher = options.watcher;
    this.state = new ReplicatedState(options.config, options.revision, {
      removed: (seq, subject, start, end) => {
        this.state.schedules.cancel(seq);
        extension().messageRemoved(seq as Seq, subject, start, end);
      },
      blockEmptied: (entryIndex) => {
        this.state.deadEntries.push(entryIndex);
      },
      blockThinned,
    });
    const replies = new PublishReplies(options.config.name, options.domain);
    this.#batches = new BatchApplier(this.state, replies, extension);
    this.#operations = new OperationApplier({
      state: this.state,
      extension,
      configChanged: options.configChanged,
      eraseLater: blockThinned,
    });
    this.pages = new CheckpointPages(this.state, extension);
  }

  /** Applies the entry; `proposal` is what this node had proposed as this very entry, and is told the outcome. */
  apply(entry: Entry, proposal: Proposal | undefined): void {
    const { state } = this;
    const { body } = entry;
    const kind = entryKind(body);
    invariant(kind !== undefined, `stream ${state.config.name}: entry ${entry.index} is of a kind unknown here`);
    const timestampUs = state.advanceClock(entryTimestamp(body));
    state.appliedIndex = entry.index;
    this.#batches.watcher = proposal === undefined || state.config.republish === undefined ? undefined : this.#watcher;
    if (kind === ENTRY_BATCH || kind === ENTRY_ATOMIC_BATCH || kind === ENTRY_PREFIX_BATCH) {
      const exceptions: SubmissionException[] | undefined = proposal?.kind === 'batch' ? [] : undefined;
      const firstSeq =
        kind === ENTRY_ATOMIC_BATCH
          ? this.#batches.applyAtomic(entry, timestampUs, exceptions)
          : this.#batches.apply(entry, timestampUs, exceptions);
      this.#finish();
      if (proposal?.kind === 'batch') Proposer.settle(proposal.submissions, firstSeq, exceptions ?? []);
      return;
    }
    const context = { timestampUs, ownProposal: proposal !== undefined };
    let result: unknown;
    switch (kind) {
      case ENTRY_PLACED_BATCH:
        result = this.#batches.applyPlaced(entry);
        break;
      case ENTRY_PRODUCED_BATCH:
        this.#batches.applyProduced(entry, timestampUs);
        break;
      case ENTRY_OPERATION:
        result = this.#operations.apply(JSON.parse(entryPayload(body).toString()) as LoggedOperation);
        break;
      case ENTRY_EXTENSION_OPERATION:
        result = this.#extension().applyOperation(entryPayload(body), context);
        break;
      case ENTRY_EXTENSION_PROGRESS:
        this.#extension().applyProgress(entryPayload(body), context);
        break;
    }
    if (kind !== ENTRY_PLACED_BATCH && kind !== ENTRY_PRODUCED_BATCH) state.deadEntries.push(entry.index);
    this.#finish();
    if (proposal?.kind === 'operation') proposal.operation.resolve(result);
  }

  #finish(): void {
    this.state.schedules.cancelBelow(this.state.store.firstSeq);
    this.state.store.table.tidy();
    this.state.mixDigest();
  }
}
