/**
 * Owns one stream on this node: the state machine of its group, the place where publishes are submitted, and what
 * consumers and direct reads see.
 */
import type { ApiError } from '../base/api-errors.ts';
import type { NodeId, Seq, TimestampUs } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import { turnOver, type Runtime } from '../base/runtime.ts';
import type { Entry, GroupHandle, GroupStatus, LogIndex, PageSink, StateMachine } from '../raft/index.ts';
import type { AbandonReason } from './batches/atomic-intake.ts';
import { BatchBudget } from './batches/batch-limits.ts';
import { BlockCompactor } from './records/block-compactor.ts';
import { BlockCursor } from './records/block-cursor.ts';
import { BlockRef } from './store/block-table.ts';
import {
  ENTRY_EXTENSION_OPERATION,
  ENTRY_EXTENSION_PROGRESS,
  ENTRY_OPERATION,
  ENTRY_PLACED_BATCH,
  ENTRY_PRODUCED_BATCH,
} from './entries/entry-format.ts';
import { CounterSink } from './counters/counter-sink.ts';
import { PublishIntake } from './publish/intake.ts';
import type { MessageStore } from './store/message-store.ts';
import type { LoggedOperation } from './entries/operation-applier.ts';
import { encodeProducedBatch } from './entries/produced-batch.ts';
import { Proposer, type PublishSink } from './publish/proposer.ts';
import { MESSAGES_PER_PURGE_STEP } from './removal/purge.ts';
import { PurgeKeeper } from './removal/purge-keeper.ts';
import { PublishReplies } from './publish/publish-replies.ts';
import { ReadBudget } from './records/read-budget.ts';
import { RecordLoader } from './records/record-loader.ts';
import { recordOrdinal, RecordWalker } from './records/record-walker.ts';
import { Replica } from './replica.ts';
import { rewritersFor } from './publish/rewriters.ts';
import { RunningDigest } from './running-digest.ts';
import type { SourcePosition } from './source-positions.ts';
import { lastSeqOf, lastSeqPerSubject, nextSeqOf, subjectCounts } from './store/store-queries.ts';
import { Timekeeper } from './timekeeper.ts';
import type {
  ExtensionHost,
  OperationResult,
  StoredWatcher,
  StoredMessage,
  StreamConfig,
  StreamCursor,
  StreamExtension,
  StreamInstance,
  StreamOperation,
  StreamState,
  SubjectFilter,
  Submission,
} from './types.ts';

export interface StreamOptions {
  readonly account: string;
  readonly config: StreamConfig;
  readonly revision: number;
  readonly createdUs: TimestampUs;
  readonly group: GroupHandle;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** Named in acknowledgements of duplicates; undefined: none. */
  readonly domain?: string | undefined;
  /** What batches may hold, shared by the streams of a node; undefined: this stream's own. */
  readonly batches?: BatchBudget;
  /** What reading may hold in memory, likewise. */
  readonly reads?: ReadBudget;
  readonly createExtension: (host: ExtensionHost) => StreamExtension;
  readonly events?: StreamEvents;
  /** Of a stream that republishes. */
  readonly watcher?: StoredWatcher;
  /** Why publishes are refused now, if they are; everything else goes on. Asked for each submission. */
  readonly refusal?: () => ApiError | undefined;
  /** Messages that one entry of a purge looks at; tests choose few. */
  readonly purgeStep?: number;
}

/** What the server around a stream may want to know at once. */
export interface StreamEvents {
  statusChanged?(status: GroupStatus): void;
  configChanged?(config: StreamConfig, revision: number): void;
  closed?(): void;
  /** The leader gave up an atomic batch. */
  batchAbandoned?(batch: string, reason: AbandonReason): void;
}

export function createStream(options: StreamOptions): StreamInstance & StateMachine {
  return new Stream(options);
}

/** Wants to see what the entry at `index` did. */
interface WaitingReader {
  readonly index: LogIndex;
  finish(applied: boolean): void;
}

class Stream implements StreamInstance, StateMachine, ExtensionHost {
  readonly account: string;
  readonly createdUs: TimestampUs;
  readonly extension: StreamExtension;
  readonly #options: StreamOptions;
  readonly #group: GroupHandle;
  readonly #runtime: Runtime;
  readonly #proposer: Proposer;
  /** Where publishes go that are as they are to be stored, but for the values of counters. */
  readonly #sink: PublishSink;
  readonly #intake: PublishIntake;
  readonly #loader: RecordLoader;
  readonly #walker = new RecordWalker();
  readonly #ref = new BlockRef();
  #replica: Replica;
  #compactor: BlockCompactor;
  #timekeeper: Timekeeper;
  readonly #purges: PurgeKeeper;
  readonly #readers = new Set<WaitingReader>();
  #closed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.account = options.account;
    this.createdUs = options.createdUs;
    this.#group = options.group;
    this.#runtime = options.runtime;
    const { runtime, logger, reads = new ReadBudget() } = options;
    this.#loader = new RecordLoader(options.group, { runtime, logger, budget: reads });
    this.#proposer = new Proposer(options.group, options.runtime, {
      appliedClock: () => this.#replica.state.clockUs,
      beforeBatch: () => {
        this.extension.proposalComes();
      },
    });
    const replies = new PublishReplies(options.config.name, options.domain);
    const counters = options.config.allowMsgCounter ? this.#newCounterSink(replies) : undefined;
    this.#sink = counters ?? this.#proposer;
    this.#intake = new PublishIntake({
      proposer: this.#proposer,
      replies,
      counters,
      rewritersFor: (config) => rewritersFor(config, options.runtime),
      budget: options.batches ?? new BatchBudget(),
      runtime: options.runtime,
      abandoned: (batch, reason) => {
        options.events?.batchAbandoned?.(batch, reason);
      },
      config: options.config,
    });
    this.#replica = this.#newReplica();
    this.#compactor = this.#newCompactor();
    this.#timekeeper = this.#newTimekeeper();
    this.#purges = this.#newPurgeKeeper();
    this.extension = options.createExtension(this);
  }

  get config(): StreamConfig {
    return this.#replica.state.config;
  }

  get configRevision(): number {
    return this.#replica.state.configRevision;
  }

  get status(): GroupStatus {
    return this.#group.status;
  }

  get appliedIndex(): LogIndex {
    return this.#replica.state.appliedIndex;
  }

  /** For cursors, which outlive a restore. */
  get store(): MessageStore {
    return this.#replica.state.store;
  }

  // What users of the stream ask for.

  submit(submission: Submission): void {
    const refusal = this.#options.refusal?.();
    if (refusal !== undefined && this.status.role === 'leader') this.#refuse(submission, refusal);
    else if (submission.isSourced !== true && this.#intake.isNeededFor(submission)) this.#intake.submit(submission);
    else this.#sink.submit(submission);
  }

  #refuse(submission: Submission, error: ApiError): void {
    const reply = new PublishReplies(this.config.name, this.#options.domain).error(error);
    const exceptions = Array.from({ length: submission.count }, (_, ordinal) => ({ ordinal, stored: false, reply }));
    submission.settle({ kind: 'applied', firstSeq: (this.state().lastSeq + 1) as Seq, exceptions });
  }

  async execute(operation: StreamOperation): Promise<OperationResult> {
    if (operation.op !== 'purge') return (await this.#executeLogged(operation)) as OperationResult;
    return this.#purges.run(operation);
  }

  async place(batch: Buffer): Promise<Seq> {
    return (await this.#proposer.execute(ENTRY_PLACED_BATCH, batch)) as Seq;
  }

  whenApplied(index: LogIndex, timeoutMs: number): Promise<boolean> {
    if (index <= this.appliedIndex) return Promise.resolve(true);
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const finish = (applied: boolean): void => {
        timer.cancel();
        this.#readers.delete(reader);
        resolve(applied);
      };
      const timer = this.#runtime.after(timeoutMs, () => {
        finish(false);
      });
      const reader: WaitingReader = { index, finish };
      this.#readers.add(reader);
    });
  }

  async readBarrier(): Promise<void> {
    if (!this.#group.hasReadLease()) await this.#group.readBarrier();
  }

  transferLeadership(to?: NodeId): Promise<boolean> {
    return this.#group.transferLeadership(to);
  }

  sourcePosition(index: string): SourcePosition | undefined {
    return this.#replica.state.sources.get(index);
  }

  state(): StreamState {
    return this.#replica.state.summary(this.extension.consumerCount());
  }

  openCursor(options: {
    readonly position: Seq;
    readonly filter: SubjectFilter | undefined;
    readonly onReady: () => void;
  }): StreamCursor {
    const getStore = (): MessageStore => this.store;
    const source = {
      get store() {
        return getStore();
      },
      loader: this.#loader,
      runtime: this.#runtime,
    };
    return new BlockCursor(source, options);
  }

  read(seq: Seq, into: StoredMessage, onReady: () => void): 'message' | 'gone' | 'wait' | 'lost' {
    const ref = this.#ref;
    if (!this.store.table.find(seq, ref)) return 'gone';
    const { chunk, row } = ref;
    const ordinal = seq - chunk.firstSeq[row]!;
    if (!chunk.isLive(row, ordinal)) return 'gone';
    const index = chunk.entryIndex[row]! as LogIndex;
    const record = this.#loader.get(index, onReady);
    if (record === 'wait' || record === 'lost') return record;
    if (!this.#walker.read(record, index, recordOrdinal(chunk, row, ordinal), into)) return 'lost';
    into.seq = seq;
    into.timestampUs = chunk.timeAt(row, ordinal) as TimestampUs;
    return 'message';
  }

  isLive(seq: Seq): boolean {
    return this.store.isLive(seq);
  }

  seqAtTime(timestampUs: TimestampUs): Seq {
    return this.store.seqAtTime(timestampUs) as Seq;
  }

  lastSeqOf(filter: SubjectFilter | undefined): Seq {
    return lastSeqOf(this.store, filter) as Seq;
  }

  lastSeqOfSubject(buffer: Buffer, start: number, end: number): Seq {
    const id = this.store.subjects.find(buffer, start, end);
    return (id < 0 ? 0 : this.store.lastOf(id)) as Seq;
  }

  lastSeqPerSubject(filter: SubjectFilter | undefined, limit: number): Float64Array<ArrayBuffer> {
    return lastSeqPerSubject(this.store, filter, limit);
  }

  nextSeqOf(filter: SubjectFilter, from: Seq): Promise<Seq> {
    const current = (): MessageStore => this.store;
    return nextSeqOf(current, filter, from, () => turnOver(this.#runtime)) as Promise<Seq>;
  }

  subjectCounts(filter: SubjectFilter): Promise<[subject: string, count: number][]> {
    return subjectCounts(this.store, filter, () => turnOver(this.#runtime));
  }

  // What the extension may do beside reading.

  leadsForSure(): boolean {
    return this.#group.hasLease();
  }

  proposeOperation(body: Buffer): Promise<unknown> {
    return this.#proposer.execute(ENTRY_EXTENSION_OPERATION, body);
  }

  proposeProgress(body: Buffer): boolean {
    return this.#proposer.proposeProgress(ENTRY_EXTENSION_PROGRESS, body);
  }

  removeMessage(seq: Seq): void {
    this.store.remove(seq, true);
  }

  // What the group calls.

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) this.#replica.apply(entry, this.#proposer.take(entry));
    if (this.#readers.size > 0) this.#releaseReaders();
    this.#intake.pump();
    this.#goOn();
  }

  statusChanged(status: GroupStatus): void {
    this.#proposer.statusChanged(status);
    this.#intake.statusChanged(status);
    this.extension.statusChanged(status);
    this.#goOn();
    this.#options.events?.statusChanged?.(status);
  }

  beforeHandover(): Promise<void> {
    return this.extension.beforeHandover();
  }

  staysLeader(): void {
    this.extension.staysLeader();
  }

  proposalsWelcome(): void {
    this.#proposer.flush();
    this.#intake.pump();
    this.extension.proposalsWelcome();
  }

  digest(): number {
    const digest = new RunningDigest();
    digest.value = this.#replica.state.digest.value;
    digest.mix(this.extension.digest());
    return digest.value;
  }

  beginCheckpoint(): void {
    this.#replica.pages.begin();
  }

  writePages(sink: PageSink, maxBytes: number): boolean {
    return this.#replica.pages.write(sink, maxBytes);
  }

  endCheckpoint(durable: boolean): void {
    this.#replica.pages.end(durable);
    if (durable) this.#compactor.checkpointed();
  }

  takeDeadEntries(): LogIndex[] {
    return this.#replica.pages.takeDeadEntries();
  }

  async restore(checkpoint: {
    readonly appliedIndex: LogIndex;
    readonly pages: AsyncIterable<readonly [Buffer, Buffer]>;
  }): Promise<void> {
    this.#compactor.close();
    this.#timekeeper.close();
    // Readers see what there was until what there will be is complete.
    const replica = this.#newReplica();
    const { state } = replica;
    state.appliedIndex = checkpoint.appliedIndex;
    const extensionPages = await replica.pages.restore(checkpoint.pages, () => turnOver(this.#runtime));
    this.#replica = replica;
    this.#compactor = this.#newCompactor();
    this.#timekeeper = this.#newTimekeeper();
    this.extension.restore(extensionPages);
    for (const blockSeq of state.erasures) this.#compactor.enqueue(blockSeq);
    this.#goOn();
    this.#intake.configChanged(state.config);
    this.#options.events?.configChanged?.(state.config, state.configRevision);
    this.#releaseReaders();
  }

  close(): void {
    this.#closed = true;
    this.#releaseReaders();
    this.#intake.close();
    this.#proposer.close();
    this.#compactor.close();
    this.#timekeeper.close();
    this.#loader.close();
    this.extension.close();
    this.#options.events?.closed?.();
  }

  #releaseReaders(): void {
    for (const reader of this.#readers) {
      const applied = reader.index <= this.appliedIndex;
      if (applied || this.#closed) reader.finish(applied);
    }
  }

  /** A leader does by itself what time or the log asks for. */
  #goOn(): void {
    this.#timekeeper.schedule();
    this.#purges.schedule();
  }

  #executeLogged(operation: LoggedOperation): Promise<unknown> {
    return this.#proposer.execute(ENTRY_OPERATION, Buffer.from(JSON.stringify(operation)));
  }

  #newCounterSink(replies: PublishReplies): CounterSink {
    return new CounterSink({
      proposer: this.#proposer,
      group: this.#group,
      runtime: this.#runtime,
      replies,
      state: () => this.#replica.state,
      read: (seq, into, onReady) => this.read(seq, into, onReady),
    });
  }

  #newReplica(): Replica {
    return new Replica({
      config: this.#options.config,
      revision: this.#options.revision,
      domain: this.#options.domain,
      extension: () => this.extension,
      watcher: this.#options.watcher,
      configChanged: (config) => {
        this.#intake.configChanged(config);
        this.#timekeeper.reschedule();
        this.#options.events?.configChanged?.(config, this.configRevision);
      },
      blockThinned: (blockSeq) => {
        this.#compactor.enqueue(blockSeq);
      },
    });
  }

  #newCompactor(): BlockCompactor {
    return new BlockCompactor({
      state: this.#replica.state,
      group: this.#group,
      loader: this.#loader,
      runtime: this.#runtime,
      logger: this.#options.logger,
    });
  }

  #newPurgeKeeper(): PurgeKeeper {
    return new PurgeKeeper({
      store: () => this.store,
      open: () => this.#replica.state.purges,
      isLeader: () => this.#group.status.role === 'leader',
      isReady: () => this.#group.status.role === 'leader' && this.#group.status.ready,
      propose: async (step) => (await this.#executeLogged(step)) as OperationResult,
      pause: () => turnOver(this.#runtime),
      messagesPerStep: this.#options.purgeStep ?? MESSAGES_PER_PURGE_STEP,
    });
  }

  #newTimekeeper(): Timekeeper {
    return new Timekeeper({
      state: this.#replica.state,
      runtime: this.#runtime,
      logger: this.#options.logger,
      isLeader: () => this.#group.status.role === 'leader',
      read: (seq, into, onReady) => this.read(seq, into, onReady),
      execute: (operation) => this.#executeLogged(operation),
      produce: (batch) => this.#proposer.execute(ENTRY_PRODUCED_BATCH, encodeProducedBatch(batch)),
    });
  }
}
