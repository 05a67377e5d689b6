/**
 * Owns the consumers' part of the stream's replicated state on this node. It changes by operations, by progress and by
 * messages that leave the stream: in log order, and equally on every replica.
 */
import {
  CONSUMER_DOES_NOT_EXIST,
  CONSUMER_EXISTS,
  CONSUMER_NOT_FOUND,
  invalidReset,
  MAX_CONSUMERS_REACHED,
  WORKQUEUE_FILTER_NOT_UNIQUE,
  WORKQUEUE_UNFILTERED_NOT_UNIQUE,
  type ApiError,
} from '../base/api-errors.ts';
import type { Seq, TimestampUs } from '../base/brand.ts';
import { invariant } from '../base/errors.ts';
import { subjectsCollide } from '../base/subjects.ts';
import { subjectFilter, type ExtensionHost } from '../stream/index.ts';
import { takeUpState } from './state/archived-state.ts';
import { CheckpointPages, parsePageKey } from './state/checkpoint-pages.ts';
import { ByteReader, ByteWriter } from './state/compact-bytes.ts';
import { LIST_PAGE_SEQS, decodeConsumer, decodeList } from './state/consumer-page.ts';
import { InterestSweep } from './interest-sweep.ts';
import { matchOf, MemberIndex, type Member } from './member.ts';
import { decodeOperation, type ConsumerAction, type ConsumerOperation } from './state/operations.ts';
import { replaySteps, type ProgressSteps } from './state/progress-log.ts';
import { PROGRESS_VERSION, SWEEP_ID } from './state/progress-recorder.ts';
import type { ReplicatedClock } from './state/replicated-clock.ts';
import { ReplicatedConsumer } from './state/replicated-state.ts';
import { RunningDigest } from './state/running-digest.ts';
import { startPosition } from './delivery/start-position.ts';
import type { ConsumerConfig, ConsumerResult } from './types.ts';
import { checkConsumerUpdate, consumerConfigsEqual, withPause } from './config/index.ts';

const GLOBALS_VERSION = 1;

/** Told after a change was applied. */
export interface RegistryListener {
  added(member: Member): void;
  deleted(member: Member): void;
  /** Its state was replaced by one that begins anew. */
  reset(member: Member): void;
}

export class ConsumerRegistry {
  readonly #host: ExtensionHost;
  readonly #clock: ReplicatedClock;
  readonly #listener: RegistryListener;
  readonly #pages: CheckpointPages;
  readonly #digest = new RunningDigest();
  readonly #sweep: InterestSweep;
  /** In order of creation, which is the same on every replica. */
  readonly #members = new Map<string, Member>();
  readonly #byId = new Map<number, Member>();
  readonly index = new MemberIndex();
  /** Consumers that hold messages of a work queue beside those whose turn it is. */
  #sourcing = 0;
  #lastId = 0;

  constructor(host: ExtensionHost, clock: ReplicatedClock, listener: RegistryListener) {
    this.#host = host;
    this.#clock = clock;
    this.#listener = listener;
    this.#sweep = new InterestSweep(host, () => this.#byId.values());
    this.#pages = new CheckpointPages(() => this.#encodeGlobals());
  }

  get size(): number {
    return this.#members.size;
  }

  get digest(): number {
    return this.#digest.value;
  }

  get pages(): CheckpointPages {
    return this.#pages;
  }

  /** Messages wait to be looked at again: progress entries have to carry the sweep on. */
  get sweepPending(): boolean {
    return this.#sweep.pending;
  }

  get(name: string): Member | undefined {
    return this.#members.get(name);
  }

  names(): IterableIterator<string> {
    return this.#members.keys();
  }

  members(): IterableIterator<Member> {
    return this.#members.values();
  }

  /** Every message may have lost its last consumer: retention became `interest`. */
  sweepAll(): void {
    this.#sweep.extend(0);
  }

  // ---- operations ----------------------------------------------------------------------------------------------

  applyOperation(body: Buffer, timestampUs: TimestampUs): ConsumerResult<string | number | undefined> {
    const operation = decodeOperation(body);
    switch (operation.op) {
      case 'create':
        return this.#applyCreate(operation.config, operation.action, timestampUs);
      case 'restore':
        return this.#applyRestore(operation, timestampUs);
      case 'pause':
        return this.#applyPause(operation.name, operation.untilUs);
      case 'reset':
        return this.#applyReset(operation.name, operation.seq);
      case 'delete':
        return this.#applyDelete(operation.name, operation.id);
    }
  }

  #applyCreate(wanted: ConsumerConfig, action: ConsumerAction, timestampUs: TimestampUs): ConsumerResult<string> {
    const existing = this.#members.get(wanted.name);
    // A pause outlasts an update, and is changed by its own operation only.
    const config = existing === undefined ? wanted : withPause(wanted, existing.replicated.config.pauseUntilUs);
    const error = this.#refusal(config, action, existing);
    if (error !== undefined) return { ok: false, error };
    if (existing === undefined) this.#addNew(config, timestampUs);
    else if (!consumerConfigsEqual(existing.replicated.config, config)) this.#update(existing, config);
    return { ok: true, value: config.name };
  }

  #refusal(config: ConsumerConfig, action: ConsumerAction, existing: Member | undefined): ApiError | undefined {
    if (existing === undefined) {
      if (action === 'update') return CONSUMER_DOES_NOT_EXIST;
      const conflict = this.#workQueueConflict(config);
      if (conflict !== undefined) return conflict;
      const limit = this.#host.config.maxConsumers;
      const full = limit > 0 && this.#members.size - this.#sourcing >= limit;
      return full && !config.sourcing ? MAX_CONSUMERS_REACHED : undefined;
    }
    const current = existing.replicated.config;
    if (action === 'create') return consumerConfigsEqual(current, config) ? undefined : CONSUMER_EXISTS;
    return checkConsumerUpdate(current, config) ?? this.#workQueueConflict(config);
  }

  /** On a work queue each message is for one consumer. */
  #workQueueConflict(config: ConsumerConfig): ApiError | undefined {
    if (this.#host.config.retention !== 'workqueue' || config.sourcing) return undefined;
    const filters = config.filterSubjects;
    for (const { replicated } of this.#members.values()) {
      if (replicated.name === config.name || replicated.config.sourcing) continue;
      if (filters.length === 0) return WORKQUEUE_UNFILTERED_NOT_UNIQUE;
      const others = replicated.config.filterSubjects;
      if (others.length === 0 || filters.some((one) => others.some((other) => subjectsCollide(one, other)))) {
        return WORKQUEUE_FILTER_NOT_UNIQUE;
      }
    }
    return undefined;
  }

  #addNew(config: ConsumerConfig, timestampUs: TimestampUs): void {
    const start = startPosition(this.#host, config, subjectFilter(config.filterSubjects));
    const replicated = this.#create(config, timestampUs, start.seq);
    replicated.initial = start.initial;
    this.#digest.mix(start.seq);
    this.#add(replicated);
  }

  #create(config: ConsumerConfig, createdUs: TimestampUs, startSeq: number): ReplicatedConsumer {
    return new ReplicatedConsumer({ id: ++this.#lastId, name: config.name, createdUs }, config, startSeq);
  }

  #add(replicated: ReplicatedConsumer): void {
    const filter = subjectFilter(replicated.config.filterSubjects);
    const member: Member = { replicated, filter, leader: undefined };
    this.#register(member);
    this.#pages.created(replicated);
    this.#digest.mix(replicated.id);
    this.#listener.added(member);
  }

  #update(member: Member, config: ConsumerConfig): void {
    const { replicated } = member;
    this.#pages.willChange(replicated);
    this.index.remove(member);
    if (replicated.config.filterSubjects.join(' ') !== config.filterSubjects.join(' ')) {
      replicated.passedOverBelow = replicated.deliveredStreamSeq + 1;
    }
    replicated.config = config;
    member.filter = subjectFilter(config.filterSubjects);
    this.index.add(member);
    this.#digest.mix(replicated.id);
    member.leader?.configure(config);
    this.#releaseAfter(replicated);
  }

  #applyRestore(
    { config, state, nowMs }: Extract<ConsumerOperation, { op: 'restore' }>,
    timestampUs: TimestampUs,
  ): ConsumerResult<string> {
    const existing = this.#members.get(config.name);
    if (existing !== undefined) return { ok: false, error: CONSUMER_EXISTS };
    const error = this.#refusal(config, 'create', undefined);
    if (error !== undefined) return { ok: false, error };
    const replicated = this.#create(config, timestampUs, 1);
    takeUpState(replicated, state, nowMs);
    this.#add(replicated);
    this.#mixState(replicated);
    return { ok: true, value: config.name };
  }

  #applyPause(name: string, untilUs: TimestampUs | undefined): ConsumerResult<undefined> {
    const member = this.#members.get(name);
    if (member === undefined) return { ok: false, error: CONSUMER_NOT_FOUND };
    this.#update(member, withPause(member.replicated.config, untilUs));
    return { ok: true, value: undefined };
  }

  /** Under a new id, so that progress made before and not yet applied is nobody's. */
  #applyReset(name: string, seq: number): ConsumerResult<number> {
    const member = this.#members.get(name);
    if (member === undefined) return { ok: false, error: CONSUMER_NOT_FOUND };
    const before = member.replicated;
    const error = seq === 0 ? undefined : this.#resetRefusal(before.config, seq);
    if (error !== undefined) return { ok: false, error };
    const startSeq = seq === 0 ? before.floorStreamSeq + 1 : seq;
    const identity = { id: ++this.#lastId, name, createdUs: before.createdUs };
    const after = new ReplicatedConsumer(identity, before.config, startSeq);
    after.initial = before.initial;
    for (const inbox of before.waiting) after.waiting.add(inbox);
    after.pin = before.pin;
    this.#byId.delete(before.id);
    this.#byId.set(after.id, member);
    this.#pages.deleted(before);
    this.#pages.created(after);
    member.replicated = after;
    this.#digest.mix(after.id);
    this.#digest.mix(startSeq);
    this.#releaseAfter(before);
    this.#listener.reset(member);
    return { ok: true, value: startSeq };
  }

  /** Only what the policy lets begin at any message can begin anew at any. */
  #resetRefusal(config: ConsumerConfig, seq: number): ApiError | undefined {
    switch (config.deliverPolicy) {
      case 'all':
        return undefined;
      case 'by_start_sequence':
        return seq < config.optStartSeq ? invalidReset('below start seq') : undefined;
      case 'by_start_time':
        return seq < this.#host.seqAtTime(config.optStartTimeUs!) ? invalidReset('below start time') : undefined;
      case 'last':
      case 'new':
      case 'last_per_subject':
        return invalidReset('not allowed');
    }
  }

  #applyDelete(name: string, id: number | undefined): ConsumerResult<undefined> {
    const member = this.#members.get(name);
    if (member === undefined || (id !== undefined && id !== member.replicated.id)) {
      return { ok: false, error: CONSUMER_NOT_FOUND };
    }
    this.index.remove(member);
    if (member.replicated.config.sourcing) this.#sourcing--;
    this.#members.delete(name);
    this.#byId.delete(member.replicated.id);
    this.#pages.deleted(member.replicated);
    this.#digest.mix(member.replicated.id);
    this.#releaseAfter(member.replicated);
    this.#listener.deleted(member);
    return { ok: true, value: undefined };
  }

  /** What `consumer` needed, and perhaps nobody else does, is gone through in later entries. */
  #releaseAfter(consumer: ReplicatedConsumer): void {
    const { retention } = this.#host.config;
    if (retention === 'limits') return;
    // Without those that take what others work on, nobody else ever needed what this one did.
    if (retention === 'workqueue' && !consumer.config.sourcing) return;
    this.#sweep.extend(Math.min(consumer.floorStreamSeq + 1, ...consumer.exhausted.keys()));
  }

  #register(member: Member): void {
    this.#members.set(member.replicated.name, member);
    this.#byId.set(member.replicated.id, member);
    this.index.add(member);
    if (member.replicated.config.sourcing) this.#sourcing++;
  }

  // ---- progress ------------------------------------------------------------------------------------------------

  applyProgress(body: Buffer): void {
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
      pin: (id, sinceUs) => {
        state.pin = { id, sinceUs: sinceUs as TimestampUs };
        this.#digest.mix(sinceUs);
      },
    };
  }

  /** A consumer is done with message `seq`: retention may let it go. */
  #release(seq: number): void {
    const { retention } = this.#host.config;
    if (retention === 'limits' || !this.#host.isLive(seq as Seq)) return;
    const alone = retention === 'workqueue' && this.#sourcing === 0;
    if (alone || !this.#sweep.needed(seq)) this.#host.removeMessage(seq as Seq);
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

  // ---- messages that leave -------------------------------------------------------------------------------------

  removed(seq: Seq, subject?: Buffer, start = 0, end = 0): void {
    for (const { replicated, filter, leader } of this.#members.values()) {
      if (replicated.tracks(seq)) {
        this.#pages.willChange(replicated);
        replicated.finish(seq);
        this.#digest.mix(seq);
      }
      if (leader === undefined) continue;
      leader.removed(seq, leader.isAhead(seq) && matchOf(filter, subject, start, end));
    }
  }

  removedBelow(seq: Seq, purge: boolean): void {
    for (const { replicated, leader } of this.#members.values()) {
      if (replicated.tracksBelow(seq) || (purge && replicated.floorStreamSeq < seq - 1)) {
        this.#pages.willChange(replicated);
        replicated.removeBelow(seq);
        if (purge) replicated.passOver(seq);
        this.#digest.mix(seq);
      }
      leader?.removedBelow(seq, purge);
    }
  }

  needs(subject: Buffer, start: number, end: number): boolean {
    return this.index.wants(subject, start, end);
  }

  // ---- checkpoints ---------------------------------------------------------------------------------------------

  /** Without pages the state is that before the first entry. */
  restore(pages: readonly (readonly [Buffer, Buffer])[]): void {
    for (const member of this.#members.values()) this.index.remove(member);
    this.#members.clear();
    this.#sourcing = 0;
    this.#byId.clear();
    this.#pages.restored();
    this.#lastId = 0;
    this.#digest.value = 0;
    this.#sweep.next = 0;
    this.#sweep.through = 0;
    for (const [key, value] of pages) {
      const page = parsePageKey(key);
      switch (page.kind) {
        case 'globals':
          this.#decodeGlobals(value);
          break;
        case 'consumer': {
          const { state, initialLength } = decodeConsumer(value);
          state.initial = new Float64Array(initialLength);
          this.#register({ replicated: state, filter: subjectFilter(state.config.filterSubjects), leader: undefined });
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
}
