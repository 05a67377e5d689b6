/**
 * Owns what the stream and the front end see of a stream's consumers: the replicated part is the registry's, and on the
 * stream's leader each consumer gets somebody to work for it.
 */
import { CONSUMER_NAME_IN_USE, CONSUMER_NOT_FOUND, NO_SUCH_PRIORITY_GROUP } from '../base/api-errors.ts';
import type { Seq, TimestampUs } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { GroupStatus, PageSink } from '../raft/index.ts';
import { emptyStoredMessage, type ApplyContext, type ExtensionHost, type StreamConfig } from '../stream/index.ts';
import { parseAckTokens, type AckTokens } from './acks/ack-subject.ts';
import { archiveState } from './state/archived-state.ts';
import { ConsumerAdvisories } from './advisories.ts';
import { consumerReplicas } from './config/index.ts';
import { consumerInfo } from './consumer-info.ts';
import { ConsumerRegistry } from './consumer-registry.ts';
import { Consumer, type ConsumerServices } from './consumer.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { DeliveryTurns } from './delivery/delivery-turns.ts';
import { DirectConsumers } from './direct-consumers.ts';
import { flowControlAck } from './acks/flow-control-ack.ts';
import { matchOf, type Member } from './member.ts';
import { MessageSource } from './delivery/message-source.ts';
import { encodeOperation, type ConsumerAction, type ConsumerOperation } from './state/operations.ts';
import { ProgressRecorder } from './state/progress-recorder.ts';
import { ReplicatedClock } from './state/replicated-clock.ts';
import { replySubjects } from './acks/reply-subjects.ts';
import type { ArchivedConsumer, ConsumerConfig, ConsumerInfo, ConsumerResult, ConsumerSet, Outlet } from './types.ts';
import { UnrecordedProgress } from './state/unrecorded-progress.ts';

const EMPTY = Buffer.alloc(0);
const TOLD_PER_TURN = 128;
/** For how long leadership waits for the record of what was acked. */
const HANDOVER_PATIENCE_MS = 2_000;

export interface ConsumerSetOptions {
  readonly runtime: Runtime;
  readonly outlet: Outlet;
  readonly logger: Logger;
  readonly domain?: string | undefined;
  /** Of the subjects that clients answer on; short by default. Answers in the other layout count as well. */
  readonly replyLayout?: 'short' | 'long' | undefined;
  /** Told of each consumer with several replicas that is led here from now on. */
  readonly elected?: (name: string, replicas: number) => void;
  /** Told of each consumer with several replicas that was led here, and has lost its quorum. */
  readonly lost?: (name: string, replicas: number) => void;
}

export function createConsumers(host: ExtensionHost, options: ConsumerSetOptions): ConsumerSet {
  return new StreamConsumers(host, options);
}

class StreamConsumers implements ConsumerSet {
  readonly #host: ExtensionHost;
  readonly #registry: ConsumerRegistry;
  readonly #direct = new DirectConsumers();
  readonly #services: ConsumerServices;
  /** The same for direct consumers, whose progress is not recorded. */
  readonly #directServices: ConsumerServices;
  readonly #advisories: ConsumerAdvisories;
  readonly #recorder: ProgressRecorder;
  readonly #deadlines: DeadlineQueue;
  readonly #clock: ReplicatedClock;
  readonly #runtime: Runtime;
  readonly #turns: DeliveryTurns;
  readonly #view = emptyStoredMessage();
  readonly #ackTokens: AckTokens = { attempts: 0, seq: 0, consumerSeq: 0 };
  readonly #elected: ConsumerSetOptions['elected'];
  readonly #lost: ConsumerSetOptions['lost'];
  /** The operation being applied was proposed here: its advisory is ours to send. */
  #ownProposal = false;
  #leadingTerm: number | undefined;
  /** Still the leader, and about to be none. */
  #leaving = false;

  constructor(host: ExtensionHost, options: ConsumerSetOptions) {
    const { runtime, outlet, logger } = options;
    this.#host = host;
    this.#elected = options.elected;
    this.#lost = options.lost;
    this.#runtime = runtime;
    this.#clock = new ReplicatedClock(runtime);
    const nowMs = (): number => this.#clock.nowMs();
    this.#advisories = new ConsumerAdvisories({
      outlet,
      runtime,
      account: host.account,
      stream: host.config.name,
      domain: options.domain,
    });
    this.#deadlines = new DeadlineQueue(runtime, nowMs);
    this.#turns = new DeliveryTurns(runtime, host);
    const answer = (reply: string): void => {
      outlet.publish(reply, EMPTY);
    };
    this.#recorder = new ProgressRecorder({
      runtime,
      nowMs,
      propose: (body) => host.proposeProgress(body),
      answer,
    });
    this.#registry = new ConsumerRegistry(host, this.#clock, {
      added: (member) => {
        this.#added(member);
      },
      deleted: (member) => {
        this.#deleted(member);
      },
      reset: (member) => {
        member.leader = member.leader?.replacedBy(member.replicated);
      },
    });
    this.#services = {
      stream: host,
      outlet,
      runtime,
      logger,
      replies: replySubjects(options.replyLayout ?? 'short', {
        domain: options.domain,
        account: host.account,
        stream: host.config.name,
      }),
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
    this.#directServices = {
      ...this.#services,
      recorder: new UnrecordedProgress(answer),
      inactive: (consumer) => {
        this.#deleteDirect(this.#direct.get(consumer.name)!);
      },
    };
  }

  // ---- calls of the front end ----------------------------------------------------------------------------------

  async create(config: ConsumerConfig, action: ConsumerAction): Promise<ConsumerResult<ConsumerInfo>> {
    if (config.direct) return this.#createDirect(config);
    const existing = this.#registry.get(config.name);
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

  #createDirect(config: ConsumerConfig): ConsumerResult<ConsumerInfo> {
    if (this.#leadingTerm === undefined) throw new NotLeaderError('this node does not lead the stream', true);
    const existing = this.#direct.get(config.name);
    if (existing !== undefined) {
      this.#direct.configure(existing, config);
      return { ok: true, value: existing.leader!.info() };
    }
    const member = this.#direct.add(this.#host, config, this.#runtime.wallUs());
    member.leader = new Consumer(member.replicated, this.#directServices);
    const info = member.leader.info();
    member.leader.start();
    this.#advisories.created(config.name);
    return { ok: true, value: info };
  }

  #deleteDirect(member: Member): void {
    this.#direct.delete(member);
    member.leader?.deleted();
    member.leader = undefined;
    this.#advisories.deleted(member.replicated.name);
  }

  /** By any name that clients may use. */
  #find(name: string): Member | undefined {
    return this.#registry.get(name) ?? this.#direct.get(name);
  }

  async delete(name: string): Promise<ConsumerResult<undefined>> {
    const direct = this.#direct.get(name);
    if (direct !== undefined) {
      this.#deleteDirect(direct);
      return { ok: true, value: undefined };
    }
    if (this.#registry.get(name) === undefined) return { ok: false, error: CONSUMER_NOT_FOUND };
    return (await this.#propose({ op: 'delete', name })) as ConsumerResult<undefined>;
  }

  async pause(name: string, untilUs: TimestampUs | undefined): Promise<ConsumerResult<undefined>> {
    return (await this.#propose({ op: 'pause', name, untilUs })) as ConsumerResult<undefined>;
  }

  async reset(name: string, seq: number): Promise<ConsumerResult<number>> {
    const consumer = this.#registry.get(name)?.leader;
    // What was acked until now is to lie behind the floor that delivery may begin at.
    if (consumer !== undefined) await this.#recorder.recorded(consumer);
    return (await this.#propose({ op: 'reset', name, seq })) as ConsumerResult<number>;
  }

  async unpin(name: string, group: string): Promise<ConsumerResult<undefined>> {
    const member = this.#registry.get(name);
    if (member === undefined) return { ok: false, error: CONSUMER_NOT_FOUND };
    const { priorityGroups } = member.replicated.config;
    if (!priorityGroups.includes(group)) return { ok: false, error: NO_SUCH_PRIORITY_GROUP };
    if (member.leader === undefined) throw new NotLeaderError('this node does not lead the stream', true);
    member.leader.unpin();
    await this.#recorder.recorded(member.leader);
    return { ok: true, value: undefined };
  }

  async restoreArchived({ config, state }: ArchivedConsumer): Promise<ConsumerResult<string>> {
    const nowMs = this.#clock.nowMs();
    return (await this.#propose({ op: 'restore', config, state, nowMs })) as ConsumerResult<string>;
  }

  archived(name: string): ArchivedConsumer | undefined {
    const replicated = this.#registry.get(name)?.replicated;
    return replicated && { config: replicated.config, state: archiveState(replicated) };
  }

  info(name: string): ConsumerInfo | undefined {
    const member = this.#find(name);
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

  othersThan(name: string): ConsumerConfig[] {
    const configs: ConsumerConfig[] = [];
    for (const { replicated } of this.#registry.members()) {
      if (replicated.name !== name) configs.push(replicated.config);
    }
    return configs;
  }

  names(): string[] {
    return [...this.#registry.names()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  get serving(): boolean {
    return this.#leadingTerm !== undefined && !this.#leaving;
  }

  pull(name: string, request: { readonly reply: string; readonly headers: Buffer; readonly body: Buffer }): boolean {
    const consumer = this.#find(name)?.leader;
    if (consumer === undefined) return false;
    if (request.reply !== '') consumer.pull(request.reply, request.headers, request.body);
    return true;
  }

  ack(name: string, ack: Parameters<ConsumerSet['ack']>[1]): boolean {
    const member = this.#find(name);
    const ackPolicy = member?.replicated.config.ackPolicy;
    if (member === undefined || ackPolicy === 'none' || ackPolicy === 'flow_control') return false;
    const form = parseAckTokens(ack.subject, ack.start, ack.end, ack.open, this.#ackTokens);
    if (form === 'foreign') return false;
    // Between leaders an ack is as good as lost: whoever leads next delivers the message again.
    if (form === 'ack' && member.leader !== undefined) {
      member.leader.ack(this.#ackTokens, ack.payload, ack.payloadStart, ack.payloadEnd, ack.reply);
    }
    return true;
  }

  flowControl(name: string, subject: string, headers: Buffer): boolean {
    const member = this.#find(name);
    if (member?.replicated.config.flowControl !== true) return false;
    member.leader?.flowControl(subject, flowControlAck(headers));
    return true;
  }

  serverStopping(): void {
    for (const { leader } of this.#registry.members()) leader?.serverStopping();
  }

  streamDeleted(): void {
    for (const member of this.#registry.members()) {
      if (member.leader === undefined) continue;
      member.leader.deleted();
      member.leader = undefined;
      this.#advisories.deleted(member.replicated.name);
    }
    for (const member of [...this.#direct.members()]) this.#deleteDirect(member);
    this.close();
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

  // ---- what the log says ---------------------------------------------------------------------------------------

  applyOperation(body: Buffer, context: ApplyContext): ConsumerResult<string | number | undefined> {
    this.#ownProposal = context.ownProposal;
    const result = this.#registry.applyOperation(body, context.timestampUs);
    this.#carrySweepOn();
    return result;
  }

  applyProgress(body: Buffer, context: ApplyContext): void {
    this.#registry.applyProgress(body);
    this.#carrySweepOn();
    if (context.ownProposal && this.#leadingTerm !== undefined) this.#recorder.applied();
  }

  #added(member: Member): void {
    if (this.#leadingTerm === undefined) return;
    this.#lead(member);
    this.#tellElected([member], this.#leadingTerm);
    if (!this.#ownProposal) return;
    const { name, config } = member.replicated;
    this.#advisories.created(name);
    if (member.leader!.paused) this.#advisories.paused(name, true, config.pauseUntilUs);
  }

  #deleted(member: Member): void {
    if (member.leader === undefined) return;
    member.leader.deleted();
    member.leader = undefined;
    if (this.#ownProposal) this.#advisories.deleted(member.replicated.name);
  }

  #carrySweepOn(): void {
    if (this.#registry.sweepPending && this.#leadingTerm !== undefined) this.#recorder.noteSweep();
  }

  // ---- what the stream tells -----------------------------------------------------------------------------------

  messagesStored(first: Seq, last: Seq): void {
    if (this.#leadingTerm === undefined) return;
    const indexes = [this.#registry.index, this.#direct.index];
    for (const { unfiltered } of indexes)
      for (const { leader } of unfiltered) leader?.stored(first, last, last - first + 1);
    const filtered = indexes.filter(({ hasFilters }) => hasFilters);
    if (filtered.length === 0) return;
    const view = this.#view;
    // Those of one filter are told of all messages at once: there may be thousands.
    const counts = new Map<readonly Member[], number>();
    for (let seq = first; seq <= last; seq++) {
      if (this.#host.read(seq, view, () => undefined) !== 'message') {
        this.#countAnew();
        return;
      }
      for (const index of filtered) {
        const wanting = index.filteredFor(view.buffer, view.subjectStart, view.headersStart);
        if (wanting.length > 0) counts.set(wanting, (counts.get(wanting) ?? 0) + 1);
      }
    }
    for (const [wanting, count] of counts) for (const { leader } of wanting) leader?.stored(first, last, count);
  }

  /** A stored message can't be looked at: filtered consumers can't go on counting. */
  #countAnew(): void {
    for (const members of [this.#registry.members(), this.#direct.members()]) {
      for (const { filter, leader } of members) if (filter !== undefined) leader?.countAnew();
    }
  }

  messageRemoved(seq: Seq, subject?: Buffer, start?: number, end?: number): void {
    this.#registry.removed(seq, subject, start, end);
    for (const { filter, leader } of this.#direct.members()) {
      if (leader === undefined) continue;
      leader.removed(seq, leader.isAhead(seq) && matchOf(filter, subject, start, end));
    }
  }

  messagesRemovedBelow(seq: Seq, purge = false): void {
    this.#registry.removedBelow(seq, purge);
    for (const { leader } of this.#direct.members()) leader?.removedBelow(seq, purge);
  }

  needs(subject: Buffer, start: number, end: number): boolean {
    return this.#registry.needs(subject, start, end);
  }

  statusChanged(status: GroupStatus): void {
    const term = status.role === 'leader' && status.ready ? status.term : undefined;
    if (term === this.#leadingTerm) return;
    if (this.#leadingTerm !== undefined) this.#stopLeading();
    this.#leadingTerm = term;
    this.#leaving = false;
    if (term === undefined) return;
    for (const member of this.#registry.members()) this.#lead(member);
    this.#tellElected([...this.#registry.members()], term);
    this.#carrySweepOn();
  }

  /** Nothing more is delivered or taken, so what is on record is all that there was. */
  beforeHandover(): Promise<void> {
    if (this.#leadingTerm === undefined) return Promise.resolve();
    this.#leaving = true;
    this.#turns.pause();
    return new Promise((resolve) => {
      const patience = this.#runtime.after(HANDOVER_PATIENCE_MS, resolve);
      void this.#recorder.allRecorded().then(() => {
        patience.cancel();
        resolve();
      });
    });
  }

  staysLeader(): void {
    if (this.#leadingTerm === undefined) return;
    this.#leaving = false;
    this.#turns.resume();
  }

  #lead(member: Member): void {
    member.leader = new Consumer(member.replicated, this.#services);
    member.leader.start();
  }

  #tellElected(members: readonly Member[], term: number): void {
    this.#tellOf(members, this.#elected, () => term === this.#leadingTerm);
  }

  quorumLost(): void {
    // Whoever calls may have heard of it before this set did.
    this.#runtime.defer(() => {
      this.#tellOf([...this.#registry.members()], this.#lost, () => this.#leadingTerm === undefined);
    });
  }

  /** There may be thousands: a few of them in each turn, as long as it `holds`. */
  #tellOf(members: readonly Member[], tell: ConsumerSetOptions['elected'], holds: () => boolean): void {
    if (tell === undefined || !holds()) return;
    for (const { replicated } of members.slice(0, TOLD_PER_TURN)) {
      const replicas = consumerReplicas(replicated.config, this.#host.config);
      if (replicas > 1) tell(replicated.name, replicas);
    }
    if (members.length <= TOLD_PER_TURN) return;
    this.#runtime.defer(() => {
      this.#tellOf(members.slice(TOLD_PER_TURN), tell, holds);
    });
  }

  #stopLeading(): void {
    this.#recorder.reset();
    for (const member of this.#registry.members()) {
      member.leader?.deposed(member.replicated.waiting);
      member.leader = undefined;
    }
    for (const member of [...this.#direct.members()]) {
      member.leader?.close();
      this.#direct.delete(member);
    }
    // Only now does nobody ask for a turn any more.
    this.#turns.clear();
    this.#deadlines.close();
  }

  proposalsWelcome(): void {
    this.#recorder.proposalsWelcome();
  }

  proposalComes(): void {
    this.#recorder.rideAlong();
  }

  configChanged(config: StreamConfig): void {
    // From limits to interest: what nobody needs now was never up for removal before.
    if (config.retention !== 'interest') return;
    this.#registry.sweepAll();
    this.#carrySweepOn();
  }

  consumerCount(): number {
    return this.#registry.size;
  }

  // ---- checkpoints ---------------------------------------------------------------------------------------------

  digest(): number {
    return this.#registry.digest;
  }

  beginCheckpoint(): void {
    this.#registry.pages.begin();
  }

  writePages(sink: PageSink, maxBytes: number): boolean {
    return this.#registry.pages.write(sink, maxBytes);
  }

  endCheckpoint(durable: boolean): void {
    this.#registry.pages.end(durable);
  }

  restore(pages: readonly (readonly [Buffer, Buffer])[]): void {
    this.#stopLeading();
    this.#leadingTerm = undefined;
    this.#registry.restore(pages);
  }

  close(): void {
    this.#stopLeading();
    this.#leadingTerm = undefined;
  }
}
