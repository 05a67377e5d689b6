/**
 * Owns all consumers of one stream on this node: their part of the stream's replicated state, and on the stream's leader
 * the work for them. Nothing replicated changes but in `applyOperation` and `applyProgress`, and where the stream tells of
 * removed messages; both happen in log order on every replica.
 */
import {
  CONSUMER_DOES_NOT_EXIST,
  CONSUMER_EXISTS,
  CONSUMER_NAME_IN_USE,
  CONSUMER_NOT_FOUND,
  MAX_CONSUMERS_REACHED,
  WORKQUEUE_FILTER_NOT_UNIQUE,
  WORKQUEUE_UNFILTERED_NOT_UNIQUE,
  consumerCreateFailed,
  type ApiError,
} from '../base/api-errors.ts';
import type { Seq } from '../base/brand.ts';
import { NotLeaderError, invariant } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import { subjectsCollide } from '../base/subjects.ts';
import type { GroupStatus, PageSink } from '../raft/index.ts';
import type { ApplyContext, ExtensionHost, StreamConfig, SubjectFilter } from '../stream/index.ts';
import { parseAckTokens, type AckTokens } from './ack-subject.ts';
import { ConsumerAdvisories } from './advisories.ts';
import { CheckpointPages, parsePageKey } from './checkpoint-pages.ts';
import { ByteReader, ByteWriter } from './compact-bytes.ts';
import { LIST_PAGE_SEQS, decodeConsumer, decodeList } from './consumer-page.ts';
import { consumerInfo } from './consumer-info.ts';
import { Consumer, type ConsumerServices } from './consumer.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { DeliveryTurns } from './delivery-turns.ts';
import { FilterIndex, consumerFilter } from './filter-index.ts';
import { MessageSource, emptyStoredMessage } from './message-source.ts';
import { decodeOperation, encodeOperation, type ConsumerAction, type ConsumerOperation } from './operations.ts';
import { replaySteps, type ProgressSteps } from './progress-log.ts';
import { PROGRESS_VERSION, ProgressRecorder, SWEEP_ID } from './progress-recorder.ts';
import { ReplicatedClock } from './replicated-clock.ts';
import { ReplicatedConsumer } from './replicated-state.ts';
import { InterestSweep } from './interest-sweep.ts';
import { RunningDigest } from './running-digest.ts';
import { startPosition } from './start-position.ts';
import type { ConsumerConfig, ConsumerInfo, ConsumerResult, ConsumerSet, Outlet } from './types.ts';
import { sameConfig, updateProblem } from './update-rules.ts';

const GLOBALS_VERSION = 1;
const EMPTY = Buffer.alloc(0);

export interface ConsumerSetOptions {
  readonly runtime: Runtime;
  readonly outlet: Outlet;
  readonly logger: Logger;
  readonly domain?: string | undefined;
}

export function createConsumers(host: ExtensionHost, options: ConsumerSetOptions): ConsumerSet {
  return new StreamConsumers(host, options);
}

/** One consumer on this replica. */
interface Member {
  readonly replicated: ReplicatedConsumer;
  filter: SubjectFilter | undefined;
  /** On the leader only. */
  leader: Consumer | undefined;
}

class StreamConsumers implements ConsumerSet {
  readonly #host: ExtensionHost;
  readonly #services: ConsumerServices;
  readonly #advisories: ConsumerAdvisories;
  readonly #recorder: ProgressRecorder;
  readonly #deadlines: DeadlineQueue;
  readonly #clock: ReplicatedClock;
  readonly #turns: DeliveryTurns;
  readonly #sweep: InterestSweep;
  readonly #pages: CheckpointPages;
  readonly #digest = new RunningDigest();
  /** In order of creation, which is the same on every replica. */
  readonly #members = new Map<string, Member>();
  readonly #byId = new Map<number, Member>();
  readonly #filtered = new FilterIndex<Member>();
  readonly #unfiltered = new Set<Member>();
  readonly #view = emptyStoredMessage();
  readonly #ackTokens: AckTokens = { attempts: 0, seq: 0, consumerSeq: 0 };
  #lastId = 0;
  #leadingTerm: number | undefined;

  constructor(host: ExtensionHost, options: ConsumerSetOptions) {
    const { runtime, outlet, logger } = options;
    this.#host = host;
    this.#clock = new ReplicatedClock(runtime);
    const nowMs = (): number => this.#clock.nowMs();
    this.#advisories = new ConsumerAdvisories({ outlet, runtime, stream: host.config.name, domain: options.domain });
    this.#deadlines = new DeadlineQueue(runtime, nowMs);
    this.#turns = new DeliveryTurns(runtime);
    this.#recorder = new ProgressRecorder({
      runtime,
      nowMs,
      propose: (body) => host.proposeProgress(body),
      answer: (reply) => {
        outlet.publish(reply, EMPTY);
      },
    });
    this.#sweep = new InterestSweep(host, () => this.#byId.values());
    this.#pages = new CheckpointPages(() => this.#encodeGlobals());
    this.#services = {
      stream: host,
      outlet,
      runtime,
      logger,
      deadlines: this.#deadlines,
      recorder: this.#recorder,
      advisories: this.#advisories,
      nowMs,
      wake: (consumer) => {
        this.#turns.wake(consumer);
      },
      inactive: (consumer) => {
        this.#deleteInactive(consumer);
      },
    };
  }

  // ---- calls of the front end ----------------------------------------------------------------------------------

  async create(config: ConsumerConfig, action: ConsumerAction): Promise<ConsumerResult<ConsumerInfo>> {
    const existing = this.#members.get(config.name);
    // Who listens is known here and now only, so this rule can't be left to the log.
    const moves = existing !== undefined && existing.replicated.config.deliverSubject !== config.deliverSubject;
    if (moves && action !== 'create' && existing.leader?.pushActive === true) {
      return { ok: false, error: CONSUMER_NAME_IN_USE };
    }
    const result = (await this.#propose({ op: 'create', config, action })) as ConsumerResult<string>;
    if (!result.ok) return result;
    const info = this.info(result.value);
    return info === undefined ? { ok: false, error: CONSUMER_NOT_FOUND } : { ok: true, value: info };
  }

  async delete(name: string): Promise<ConsumerResult<undefined>> {
    if (!this.#members.has(name)) return { ok: false, error: CONSUMER_NOT_FOUND };
    return (await this.#propose({ op: 'delete', name })) as ConsumerResult<undefined>;
  }

  info(name: string): ConsumerInfo | undefined {
    const member = this.#members.get(name);
    if (member === undefined) return undefined;
    if (member.leader !== undefined) return member.leader.info();
    const state = member.replicated;
    const source = new MessageSource(this.#host, {
      position: state.deliveredStreamSeq + 1,
      initial: state.initial,
      filter: member.filter,
      onReady: () => undefined,
    });
    const numPending = source.count();
    source.close();
    return consumerInfo(state, numPending);
  }

  names(): string[] {
    return [...this.#members.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  pull(name: string, request: { readonly reply: string; readonly headers: Buffer; readonly body: Buffer }): boolean {
    const consumer = this.#members.get(name)?.leader;
    if (consumer === undefined) return false;
    if (request.reply !== '') consumer.pull(request.reply, request.headers, request.body);
    return true;
  }

  ack(name: string, ack: Parameters<ConsumerSet['ack']>[1]): void {
    const consumer = this.#members.get(name)?.leader;
    if (consumer === undefined || !parseAckTokens(ack.subject, ack.start, ack.end, this.#ackTokens)) return;
    consumer.ack(this.#ackTokens, ack.payload, ack.payloadStart, ack.payloadEnd, ack.reply);
  }

  flowControl(name: string, subject: string): void {
    this.#members.get(name)?.leader?.flowControl(subject);
  }

  #propose(operation: ConsumerOperation): Promise<unknown> {
    return this.#host.proposeOperation(encodeOperation(operation));
  }

  #deleteInactive(consumer: Consumer): void {
    this.#propose({ op: 'delete', name: consumer.name, id: consumer.id }).catch((error: unknown) => {
      // The next leader starts to count anew; whoever still leads tries again.
      if (!(error instanceof NotLeaderError)) throw error;
    });
  }

  // ---- operations ----------------------------------------------------------------------------------------------

  applyOperation(body: Buffer, context: ApplyContext): ConsumerResult<string> | ConsumerResult<undefined> {
    const operation = decodeOperation(body);
    switch (operation.op) {
      case 'create':
        return this.#applyCreate(operation.config, operation.action, context);
      case 'delete':
        return this.#applyDelete(operation.name, operation.id, context);
    }
  }

  #applyCreate(config: ConsumerConfig, action: ConsumerAction, context: ApplyContext): ConsumerResult<string> {
    const existing = this.#members.get(config.name);
    const error = this.#refusal(config, action, existing);
    if (error !== undefined) return { ok: false, error };
    if (existing === undefined) this.#add(config, context);
    else if (!sameConfig(existing.replicated.config, config)) this.#update(existing, config);
    return { ok: true, value: config.name };
  }

  #refusal(config: ConsumerConfig, action: ConsumerAction, existing: Member | undefined): ApiError | undefined {
    if (existing === undefined) {
      if (action === 'update') return CONSUMER_DOES_NOT_EXIST;
      const conflict = this.#workQueueConflict(config);
      if (conflict !== undefined) return conflict;
      const limit = this.#host.config.maxConsumers;
      return limit > 0 && this.#members.size >= limit ? MAX_CONSUMERS_REACHED : undefined;
    }
    const current = existing.replicated.config;
    if (action === 'create') return sameConfig(current, config) ? undefined : CONSUMER_EXISTS;
    const problem = updateProblem(current, config);
    return problem === undefined ? this.#workQueueConflict(config) : consumerCreateFailed(problem);
  }

  /** On a work queue each message is for one consumer. */
  #workQueueConflict(config: ConsumerConfig): ApiError | undefined {
    if (this.#host.config.retention !== 'workqueue') return undefined;
    const filters = config.filterSubjects;
    for (const { replicated } of this.#members.values()) {
      if (replicated.name === config.name) continue;
      if (filters.length === 0) return WORKQUEUE_UNFILTERED_NOT_UNIQUE;
      const others = replicated.config.filterSubjects;
      if (others.length === 0 || filters.some((one) => others.some((other) => subjectsCollide(one, other)))) {
        return WORKQUEUE_FILTER_NOT_UNIQUE;
      }
    }
    return undefined;
  }

  #add(config: ConsumerConfig, context: ApplyContext): void {
    const filter = consumerFilter(config.filterSubjects);
    const start = startPosition(this.#host, config, filter);
    const identity = { id: ++this.#lastId, name: config.name, createdUs: context.timestampUs };
    const replicated = new ReplicatedConsumer(identity, config, start.seq);
    replicated.initial = start.initial;
    const member: Member = { replicated, filter, leader: undefined };
    this.#register(member);
    this.#pages.created(replicated);
    this.#digest.mix(replicated.id);
    this.#digest.mix(start.seq);
    if (this.#leadingTerm === undefined) return;
    this.#lead(member);
    if (context.ownProposal) this.#advisories.created(config.name);
  }

  #update(member: Member, config: ConsumerConfig): void {
    const { replicated } = member;
    this.#pages.willChange(replicated);
    this.#unindex(member);
    replicated.config = config;
    member.filter = consumerFilter(config.filterSubjects);
    this.#index(member);
    this.#digest.mix(replicated.id);
    member.leader?.configure(config);
    this.#releaseAfter(replicated);
  }

  #applyDelete(name: string, id: number | undefined, context: ApplyContext): ConsumerResult<undefined> {
    const member = this.#members.get(name);
    if (member === undefined || (id !== undefined && id !== member.replicated.id)) {
      return { ok: false, error: CONSUMER_NOT_FOUND };
    }
    this.#unindex(member);
    this.#members.delete(name);
    this.#byId.delete(member.replicated.id);
    this.#pages.deleted(member.replicated);
    this.#digest.mix(member.replicated.id);
    member.leader?.deleted();
    member.leader = undefined;
    this.#releaseAfter(member.replicated);
    if (context.ownProposal) this.#advisories.deleted(name);
    return { ok: true, value: undefined };
  }

  /** What `consumer` needed, and perhaps nobody else does, is gone through in later entries. */
  #releaseAfter(consumer: ReplicatedConsumer): void {
    if (this.#host.config.retention !== 'interest') return;
    this.#sweep.extend(Math.min(consumer.floorStreamSeq + 1, ...consumer.exhausted.keys()));
    if (this.#leadingTerm !== undefined) this.#recorder.noteSweep();
  }

  #register(member: Member): void {
    this.#members.set(member.replicated.name, member);
    this.#byId.set(member.replicated.id, member);
    this.#index(member);
  }

  #index(member: Member): void {
    if (member.filter === undefined) this.#unfiltered.add(member);
    else for (const subject of member.filter.subjects) this.#filtered.add(subject, member);
  }

  #unindex(member: Member): void {
    if (member.filter === undefined) this.#unfiltered.delete(member);
    else for (const subject of member.filter.subjects) this.#filtered.remove(subject, member);
  }

  // ---- progress ------------------------------------------------------------------------------------------------

  applyProgress(body: Buffer, context: ApplyContext): void {
    const reader = new ByteReader(body);
    const version = reader.byte();
    invariant(version === PROGRESS_VERSION, `unknown version ${version} of a progress entry`);
    this.#clock.observe(reader.number());
    while (!reader.atEnd) {
      const id = reader.number();
      if (id === SWEEP_ID) {
        this.#digest.mix(this.#sweep.step());
        continue;
      }
      const steps = reader.bytes();
      const member = this.#byId.get(id);
      // Deleted between proposal and commit.
      if (member === undefined) continue;
      this.#pages.willChange(member.replicated);
      replaySteps(new ByteReader(steps), this.#stepsOf(member.replicated));
      this.#mixState(member.replicated);
    }
    if (!context.ownProposal || this.#leadingTerm === undefined) return;
    if (this.#sweep.pending) this.#recorder.noteSweep();
    this.#recorder.applied();
  }

  #stepsOf(state: ReplicatedConsumer): ProgressSteps {
    const acks = state.config.ackPolicy !== 'none';
    const release = (seq: number): void => {
      this.#release(seq);
    };
    return {
      deliver: (seq, count, atMs) => {
        for (let next = seq; next < seq + count; next++) {
          state.deliver(next, atMs);
          // It left the stream after the leader had delivered it: nobody waits for its ack.
          if (acks && !this.#host.isLive(next as Seq)) state.finish(next);
          else if (!acks) release(next);
        }
      },
      redeliver: (seq, count, atMs) => {
        for (let next = seq; next < seq + count; next++) state.redeliver(next, atMs);
      },
      finish: (seq, count) => {
        for (let next = seq; next < seq + count; next++) if (state.finish(next)) release(next);
      },
      finishThrough: (consumerSeq, seq) => {
        state.finishThrough(consumerSeq, seq, release);
      },
      exhaust: (seq) => {
        state.exhaust(seq);
      },
      touch: (seq, deliveredMs) => {
        state.touch(seq, deliveredMs);
      },
      wait: (inbox) => {
        state.waiting.add(inbox);
      },
      unwait: (inbox) => {
        state.waiting.delete(inbox);
      },
    };
  }

  /** A consumer is done with message `seq`: retention may let it go. */
  #release(seq: number): void {
    const { retention } = this.#host.config;
    if (retention === 'limits' || !this.#host.isLive(seq as Seq)) return;
    if (retention === 'workqueue' || !this.#sweep.needed(seq)) this.#host.removeMessage(seq as Seq);
  }

  #mixState(state: ReplicatedConsumer): void {
    const digest = this.#digest;
    digest.mix(state.id);
    digest.mix(state.deliveredConsumerSeq);
    digest.mix(state.deliveredStreamSeq);
    digest.mix(state.floorConsumerSeq);
    digest.mix(state.floorStreamSeq);
    digest.mix(state.pending.size);
    digest.mix(state.pending.lowest);
    digest.mix(state.exhausted.size);
  }

  // ---- what the stream tells -----------------------------------------------------------------------------------

  messagesStored(first: Seq, last: Seq): void {
    if (this.#leadingTerm === undefined) return;
    for (const member of this.#unfiltered) member.leader?.stored(last - first + 1);
    if (this.#filtered.empty) return;
    const view = this.#view;
    for (let seq = first; seq <= last; seq++) {
      if (this.#host.read(seq, view, () => undefined) !== 'message') {
        this.#countAnew();
        return;
      }
      const wanting = this.#filtered.match(view.buffer, view.subjectStart, view.headersStart);
      for (const member of wanting) member.leader?.stored(1);
    }
  }

  /** A stored message can't be looked at: filtered consumers can't go on counting. */
  #countAnew(): void {
    for (const { filter, leader } of this.#members.values()) if (filter !== undefined) leader?.countAnew();
  }

  messageRemoved(seq: Seq, subject?: Buffer, start = 0, end = 0): void {
    for (const { replicated, filter, leader } of this.#members.values()) {
      if (replicated.tracks(seq)) {
        this.#pages.willChange(replicated);
        replicated.finish(seq);
        this.#digest.mix(seq);
      }
      if (leader === undefined) continue;
      leader.removed(
        seq,
        filter === undefined || (subject === undefined ? undefined : filter.matches(subject, start, end)),
      );
    }
  }

  messagesRemovedBelow(seq: Seq): void {
    for (const { replicated, leader } of this.#members.values()) {
      if (replicated.tracksBelow(seq)) {
        this.#pages.willChange(replicated);
        replicated.removeBelow(seq);
        this.#digest.mix(seq);
      }
      leader?.removedBelow(seq);
    }
  }

  needs(subject: Buffer, start: number, end: number): boolean {
    if (this.#unfiltered.size > 0) return true;
    return !this.#filtered.empty && this.#filtered.match(subject, start, end).length > 0;
  }

  statusChanged(status: GroupStatus): void {
    const term = status.role === 'leader' && status.ready ? status.term : undefined;
    if (term === this.#leadingTerm) return;
    if (this.#leadingTerm !== undefined) this.#stopLeading();
    this.#leadingTerm = term;
    if (term === undefined) return;
    for (const member of this.#members.values()) this.#lead(member);
    if (this.#sweep.pending) this.#recorder.noteSweep();
  }

  #lead(member: Member): void {
    member.leader = new Consumer(member.replicated, this.#services);
    member.leader.start();
  }

  #stopLeading(): void {
    this.#recorder.reset();
    this.#turns.clear();
    for (const member of this.#members.values()) {
      member.leader?.close();
      member.leader = undefined;
    }
    this.#deadlines.close();
  }

  proposalsWelcome(): void {
    this.#recorder.proposalsWelcome();
  }

  configChanged(config: StreamConfig): void {
    // From limits to interest: what nobody needs now was never up for removal before.
    if (config.retention !== 'interest') return;
    this.#sweep.extend(0);
    if (this.#leadingTerm !== undefined) this.#recorder.noteSweep();
  }

  consumerCount(): number {
    return this.#members.size;
  }

  // ---- checkpoints ---------------------------------------------------------------------------------------------

  digest(): number {
    return this.#digest.value;
  }

  beginCheckpoint(): void {
    this.#pages.begin();
  }

  writePages(sink: PageSink, maxBytes: number): boolean {
    return this.#pages.write(sink, maxBytes);
  }

  endCheckpoint(durable: boolean): void {
    this.#pages.end(durable);
  }

  restore(pages: readonly (readonly [Buffer, Buffer])[]): void {
    this.#stopLeading();
    this.#leadingTerm = undefined;
    for (const member of this.#members.values()) this.#unindex(member);
    this.#members.clear();
    this.#byId.clear();
    for (const [key, value] of pages) {
      const page = parsePageKey(key);
      switch (page.kind) {
        case 'globals':
          this.#decodeGlobals(value);
          break;
        case 'consumer': {
          const { state, initialLength } = decodeConsumer(value);
          state.initial = new Float64Array(initialLength);
          this.#register({ replicated: state, filter: consumerFilter(state.config.filterSubjects), leader: undefined });
          break;
        }
        case 'list': {
          const member = this.#byId.get(page.id);
          invariant(member !== undefined, `list of consumer ${page.id}, which has no page`);
          decodeList(value, member.replicated.initial, page.chunk * LIST_PAGE_SEQS);
          break;
        }
      }
    }
  }

  #encodeGlobals(): Buffer {
    const writer = new ByteWriter();
    writer.byte(GLOBALS_VERSION);
    writer.number(this.#lastId);
    writer.number(this.#clock.nowMs());
    writer.number(this.#digest.value);
    writer.number(this.#sweep.next);
    writer.number(this.#sweep.through);
    return writer.copy();
  }

  #decodeGlobals(page: Buffer): void {
    const reader = new ByteReader(page);
    const version = reader.byte();
    invariant(version === GLOBALS_VERSION, `unknown version ${version} of the consumers' page`);
    this.#lastId = reader.number();
    this.#clock.observe(reader.number());
    this.#digest.value = reader.number();
    this.#sweep.next = reader.number();
    this.#sweep.through = reader.number();
  }

  close(): void {
    this.#stopLeading();
    this.#leadingTerm = undefined;
  }
}
