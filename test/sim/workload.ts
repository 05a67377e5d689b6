/**
 * Owns the clients of one stream: they publish, change and read it through whoever leads, try again as a careful client
 * does, and hold the stream to what it answered.
 */
import type { NodeId } from '../../src/base/brand.ts';
import type { GroupId, LogIndex } from '../../src/raft/index.ts';
import { chainChecksum, isCompacted } from '../../src/raft/record.ts';
import {
  subjectFilter,
  type StreamConfig,
  type StreamOperation,
  type SubmissionException,
  type SubmissionOutcome,
} from '../../src/stream/index.ts';
import { encodeMessage } from '../consumer/fake-stream.ts';
import {
  checkContent,
  LogChecker,
  PublishChecker,
  ReadChecker,
  type PublishOutcome,
  type ShownMessage,
} from './checkers.ts';
import { ConsumerClient } from './consumer-client.ts';
import { drawConsumers } from './consumer-plan.ts';
import type { EventLog } from './event-log.ts';
import type { Random } from './random.ts';
import type { ClientInbox } from './recording-outlet.ts';
import { headerBlock, ReferenceStream, type SentMessage } from './reference-stream.ts';
import type { OpenStream, SimulatedNode, StreamSpec } from './simulated-node.ts';
import type { Origin } from './taken-messages.ts';
import { CLIENT_SUBJECTS } from './taker-plan.ts';
import type { VirtualTime } from './virtual-time.ts';
import type { MachineWatch } from './watched-machine.ts';

const SUBJECTS = ['a', 'b', 'k.1', 'k.2', 'k.3'];
const SCHEDULE_SUBJECTS = ['at.1', 'at.2', 'at.3'];
/** A client waits so long for an answer. */
const TIMEOUT_MS = 700;
/** A client takes so long to answer flow control. */
const ANSWER_MS = 1;
/** The leader went before it could propose: certainly not stored. */
const UNAVAILABLE = 10008;
/** What expires may take this long to go, beside the time it takes to see that it is due. */
const OVERDUE_MS = 3000;
const MAX_TRIES = 8;
/** Above the size from which a record that lost such a message is worth rewriting. */
const LARGE_BYTES = 5000;

type PurgeOperation = Extract<StreamOperation, { readonly op: 'purge' }>;

export interface WorkloadSurroundings {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly log: EventLog;
  readonly nodes: readonly SimulatedNode[];
  /** The rate at which the clock of a node may run at most: what a consumer is to wait, it may find over so early. */
  readonly fastestClock: number;
  /** Other streams as their logs have them. */
  readonly origin: (name: string) => Origin;
}

export class Workload {
  readonly spec: StreamSpec;
  readonly logChecker: LogChecker;
  readonly publishes: PublishChecker;
  readonly reference: ReferenceStream;
  readonly consumers: readonly ConsumerClient[];
  readonly #surroundings: WorkloadSurroundings;
  readonly #reads: ReadChecker;
  #messages = 0;
  #revision = 1;
  /** What a mirror that became a stream of its own stays. */
  #promotion: Partial<StreamConfig> = {};
  /** After each entry, as the log makes them. */
  readonly #consumerStates = new Map<LogIndex, string>();
  /** What was there when consumers were done. */
  #served: ReadonlySet<number> = new Set();
  /** Publishes that still wait or will be tried again. */
  #open = 0;

  constructor(spec: StreamSpec, surroundings: WorkloadSurroundings) {
    this.spec = spec;
    this.#surroundings = surroundings;
    const complain = (violation: string): void => {
      surroundings.log.complain(`${spec.config.name}: ${violation}`);
    };
    this.logChecker = new LogChecker(complain);
    this.publishes = new PublishChecker(complain);
    this.#reads = new ReadChecker(complain);
    const { origin } = surroundings;
    this.reference = new ReferenceStream(spec.config, { publishes: this.publishes, complain, origin });
    this.consumers = this.#makeConsumers();
    this.reference.consumers.events = {
      began: (name, start) => this.#consumer(name)?.began(start),
      ended: (name) => this.#consumer(name)?.ended(),
      finished: (name, seq, through) => this.#consumer(name)?.finished(seq, through),
    };
  }

  get group(): GroupId {
    return this.spec.group;
  }

  /** Every publish has its answer, and every consumer nothing left to do. */
  get isServed(): boolean {
    const leader = this.open().find(({ handle }) => handle.status.ready);
    if (this.#open > 0 || leader === undefined || !this.reference.isCaughtUp) return false;
    if (!this.consumers.every((consumer) => consumer.isDone(leader))) return false;
    this.#served = new Set(this.reference.model.messages.keys());
    return true;
  }

  /** What it still waits for, for whoever has to understand why. */
  describeWaiting(): string {
    const leader = this.open().find(({ handle }) => handle.status.ready);
    const busy = leader === undefined ? [] : this.consumers.filter((consumer) => !consumer.isDone(leader));
    const upstream = this.reference.isCaughtUp ? 'caught up' : 'behind upstream';
    const names = busy.map(({ config }) => config.name).join();
    return `${this.spec.config.name}: ${this.#open} open, ${leader === undefined ? 'no leader, ' : ''}${upstream}, busy ${names}`;
  }

  watch(node: NodeId): MachineWatch {
    return {
      applying: (entry) => {
        const checksum = chainChecksum(entry.record);
        if (isCompacted(entry.record)) this.#surroundings.log.note(`${node} applies ${entry.index} compacted`);
        if (this.logChecker.applying(node, { index: entry.index, term: entry.term, checksum })) {
          this.#surroundings.log.note(`${this.spec.config.name} ${entry.index}@${entry.term} ${checksum}`);
          this.reference.apply(entry.body);
        }
      },
      applied: (index: LogIndex, digest: number) => {
        this.logChecker.applied(node, index, digest);
        this.#compareConsumers(node, index);
      },
      restored: (index: LogIndex, digest: number) => {
        this.#surroundings.log.note(`${node} restored ${this.spec.config.name} at ${index}`);
        this.logChecker.restored(node, index, digest);
      },
      statusChanged: ({ role, term, ready }) => {
        this.#surroundings.log.note(`${node} ${this.spec.config.name} ${role} of ${term} ${ready}`);
        for (const { model } of this.consumers) model.leaderChanged();
      },
    };
  }

  /** What the replica has of its consumers after entry `index` is what the log makes of them. */
  #compareConsumers(node: NodeId, index: LogIndex): void {
    const { consumers } = this.reference;
    if (!this.#consumerStates.has(index)) {
      this.#consumerStates.set(
        index,
        JSON.stringify(consumers.names.map((name) => [name, consumers.get(name)!.archived()])),
      );
    }
    const set = this.#streamOn(node)?.consumers;
    const shown = set && JSON.stringify(set.names().map((name) => [name, set.archived(name)?.state]));
    if (shown === undefined || shown === this.#consumerStates.get(index)) return;
    this.#surroundings.log.complain(
      `${node} after ${index}: consumers are ${shown}, and should be ${this.#consumerStates.get(index)!}`,
    );
  }

  inbox(node: NodeId): ClientInbox {
    return {
      message: (to, message) => {
        this.#consumer(message.reply.split('.', 4)[3]!)?.received(node, to, message);
        if (this.reference.stored.get(message.seq)?.payload !== message.payload) {
          this.#surroundings.log.complain(`${this.spec.config.name}: ${message.seq} was delivered with other bytes`);
        }
      },
      flowAsked: (subject) => {
        this.#surroundings.time.schedule(ANSWER_MS, () => {
          const stream = this.#streamOn(node);
          if (stream !== undefined) this.#consumer(subject.split('.', 4)[3]!)?.flowAsked(stream, subject);
        });
      },
      published: (subject) => {
        for (const consumer of this.consumers) consumer.answered(subject);
      },
    };
  }

  /** Does one thing that clients do. */
  act(): void {
    const { random } = this.#surroundings;
    const leader = this.leader();
    if (leader === undefined) return;
    const dice = random.integer(0, 100);
    if (dice < 45 && !this.#takesPublishes) this.#actAsConsumer(leader);
    else if (dice < 45 && this.spec.config.allowAtomic && random.chance(0.2)) this.#publishAtomic(leader);
    else if (dice < 45) this.publish(random.chance(0.7) ? 1 : random.integer(2, 6));
    else if (dice < 50) void this.#operate(leader);
    else if (dice < 62) void this.#read(random.chance(0.7) ? leader : random.pick(this.open()));
    else if (dice < 66) this.#inspect();
    else this.#actAsConsumer(leader);
  }

  #actAsConsumer(leader: OpenStream): void {
    const consumer = this.#surroundings.random.pick(this.consumers);
    leader.whenAwake(() => {
      consumer.act(leader);
    });
  }

  /** Some node that says it leads; there may be more than one for a moment. */
  leader(): OpenStream | undefined {
    const leaders = this.open().filter(({ handle }) => handle.status.role === 'leader');
    return leaders.length === 0 ? undefined : this.#surroundings.random.pick(leaders);
  }

  open(): OpenStream[] {
    return this.#surroundings.nodes.flatMap((node) => node.streams.get(this.group) ?? []);
  }

  get #takesPublishes(): boolean {
    const { mirror, subjects } = this.reference.config;
    return mirror === undefined && subjects.length > 0;
  }

  publish(count: number): void {
    if (!this.#takesPublishes) return;
    const batch = Array.from({ length: count }, () => this.#compose());
    for (const message of batch) {
      this.publishes.sending(message.id);
      this.reference.sending(message);
    }
    this.#submit(batch, 1);
  }

  /** Nothing is scheduled any more, nor left that should have expired, and purges that began are finished. */
  get isQuiet(): boolean {
    const { model, openPurges } = this.reference;
    return model.schedules.size === 0 && openPurges.size === 0 && this.reference.overdue(OVERDUE_MS).length === 0;
  }

  /** Clients end all schedules. */
  quieten(): void {
    const leader = this.open().find(({ handle }) => handle.status.ready);
    if (this.reference.model.schedules.size === 0 || leader === undefined) return;
    leader.instance.execute({ op: 'purge', filter: 'at.*', seq: undefined, keep: undefined }).catch(() => undefined);
  }

  /** Clients take and ack whatever is there. */
  drain(): void {
    const leader = this.open().find(({ handle }) => handle.status.ready);
    if (leader !== undefined) for (const consumer of this.consumers) consumer.drain(leader);
  }

  // ---- what must be true in the end ----------------------------------------------------------------------------

  /** What a replica at the end of the log holds. */
  checkContent(node: NodeId, shown: readonly ShownMessage[]): void {
    checkContent(node, shown, this.reference.expected(), this.#surroundings.log.complain);
  }

  /** What is left in the stream has been delivered to those who want it, and all replicas say the same of them. */
  checkConsumers(): void {
    for (const consumer of this.consumers) {
      consumer.checkDelivered(this.#served);
      for (const stream of this.open()) if (this.#isCurrent(stream)) consumer.inspect(stream);
    }
  }

  // ---- publishing ----------------------------------------------------------------------------------------------

  #compose(): SentMessage {
    const { random } = this.#surroundings;
    const { retention, allowRollupHdrs, allowMsgTtl, allowMsgSchedules } = this.spec.config;
    const id = `m${++this.#messages}`;
    const headers: Record<string, string> = {};
    // A few ids are used by several messages: the second one is a duplicate.
    if (random.chance(0.5)) headers['Nats-Msg-Id'] = random.chance(0.1) ? `id${random.integer(0, 5)}` : id;
    if (random.chance(0.1)) headers['Nats-Expected-Last-Sequence'] = `${this.#guess(this.reference.model.lastSeq)}`;
    const subject = random.pick(SUBJECTS);
    if (retention === 'limits' && random.chance(0.1)) {
      const last = this.reference.model.matching((each) => each === subject).at(-1) ?? 0;
      headers['Nats-Expected-Last-Subject-Sequence'] = `${this.#guess(last)}`;
    }
    if (allowRollupHdrs && random.chance(0.04)) headers['Nats-Rollup'] = random.pick(['sub', 'all']);
    if (allowMsgTtl && random.chance(0.4)) headers['Nats-TTL'] = random.pick(['1', '1s', '2', '3600', 'never']);
    if (allowMsgSchedules && random.chance(0.15)) return this.#composeSchedule(id);
    const fill = 'x'.repeat(random.chance(0.1) ? LARGE_BYTES : random.integer(0, 40));
    return { id, subject, headers, payload: `${id} ${fill}` };
  }

  #composeSchedule(id: string): SentMessage {
    const { random, time } = this.#surroundings;
    const at = new Date(time.wallUs / 1000 + random.integer(-500, 1500)).toISOString();
    const headers = {
      'Nats-Schedule': random.pick([`@at ${at}`, '@every 1s', '* * * * * *']),
      'Nats-Schedule-Target': random.pick(SUBJECTS),
      ...(random.chance(0.3) && { 'Nats-Schedule-TTL': '1' }),
      ...(random.chance(0.3) && { 'Nats-Schedule-Rollup': 'sub' }),
      'Nats-Rollup': 'sub',
    };
    return { id, subject: random.pick(SCHEDULE_SUBJECTS), headers, payload: `${id} ` };
  }

  /** An atomic batch, sent once: all of its messages are answered for by the last one. */
  #publishAtomic({ instance }: OpenStream): void {
    const { random, log } = this.#surroundings;
    const count = random.integer(1, 5);
    const batch = Array.from({ length: count }, (_, at): SentMessage => {
      const id = `m${++this.#messages}`;
      const headers: Record<string, string> = { 'Nats-Batch-Id': 'batch', 'Nats-Batch-Sequence': `${at + 1}` };
      if (at === count - 1) headers['Nats-Batch-Commit'] = '1';
      if (random.chance(0.4)) headers['Nats-Msg-Id'] = random.chance(0.2) ? `id${random.integer(0, 5)}` : id;
      return { id, subject: random.pick(SUBJECTS), headers, payload: `${id} batch` };
    });
    for (const message of batch) {
      this.publishes.sending(message.id);
      this.reference.sending(message);
    }
    const messages = Buffer.concat(
      batch.map(({ subject, payload, headers }) => encodeMessage(subject, payload, headerBlock(headers))),
    );
    const settle = (outcome: SubmissionOutcome): void => {
      log.note(`${this.spec.config.name} batch ${batch[0]!.id}+${count} ${outcome.kind}`);
      if (outcome.kind === 'applied') this.#answered(batch, outcome.exceptions.at(-1)?.reply);
    };
    instance.submit({ messages, count, settle });
  }

  /** The commit of a batch was answered by `reply`; by nothing if nobody knows what became of it. */
  #answered(batch: readonly SentMessage[], reply: string | undefined): void {
    if (reply === undefined) return;
    const { error, seq } = JSON.parse(reply) as { error?: { err_code: number }; seq: number };
    if (error?.err_code === UNAVAILABLE) return;
    batch.forEach(({ id }, at) => {
      const stored = { kind: 'stored', seq: seq - batch.length + 1 + at } as const;
      this.publishes.acknowledged(id, error === undefined ? stored : { kind: 'error', errCode: error.err_code });
    });
    this.#reads.knows(this.publishes.acknowledgedSeq);
  }

  #guess(right: number): number {
    return this.#surroundings.random.chance(0.7) ? right : Math.max(1, right - 1);
  }

  #submit(batch: readonly SentMessage[], tries: number): void {
    const leader = this.leader();
    this.#open++;
    if (leader === undefined) {
      this.#later(batch, tries, 'refused');
      return;
    }
    const { log, time } = this.#surroundings;
    let isSettled = false;
    const settle = (outcome: SubmissionOutcome): void => {
      if (isSettled) return;
      isSettled = true;
      timeout.cancel();
      log.note(`${this.spec.config.name} ${batch[0]!.id}+${batch.length} ${outcome.kind}`);
      if (outcome.kind === 'applied') this.#applied(batch, outcome);
      else this.#later(batch, tries, outcome.kind);
    };
    const timeout = time.schedule(TIMEOUT_MS, () => {
      settle({ kind: 'unknown' });
    });
    const messages = Buffer.concat(
      batch.map(({ subject, payload, headers }) => encodeMessage(subject, payload, headerBlock(headers))),
    );
    leader.whenAwake(() => {
      leader.instance.submit({ messages, count: batch.length, settle });
    });
  }

  #applied(batch: readonly SentMessage[], outcome: Extract<SubmissionOutcome, { kind: 'applied' }>): void {
    this.#open--;
    let seq: number = outcome.firstSeq;
    batch.forEach(({ id }, ordinal) => {
      const exception = outcome.exceptions.find((each) => each.ordinal === ordinal);
      if (exception === undefined) {
        this.publishes.acknowledged(id, { kind: 'stored', seq: seq++ });
      } else {
        if (exception.stored) seq++;
        this.publishes.acknowledged(id, outcomeOf(exception));
      }
    });
    this.#reads.knows(this.publishes.acknowledgedSeq);
  }

  /** What was refused may be sent again; what may have been stored only if its id makes that harmless. */
  #later(batch: readonly SentMessage[], tries: number, why: 'refused' | 'unknown'): void {
    const { time, random } = this.#surroundings;
    const again = why === 'refused' ? batch : batch.filter(({ headers, id }) => headers['Nats-Msg-Id'] === id);
    if (again.length > 0 && tries < MAX_TRIES) {
      time.schedule(random.integer(5, 100), () => {
        this.#open--;
        this.#submit(again, tries + 1);
      });
      return;
    }
    this.#open--;
    if (why === 'refused' && tries === 1) for (const { id } of batch) this.publishes.refused(id);
  }

  // ---- changing and reading ------------------------------------------------------------------------------------

  async #operate({ instance }: OpenStream): Promise<void> {
    const { random, log } = this.#surroundings;
    const operation = this.#drawOperation(random);
    log.note(`${this.spec.config.name} ${JSON.stringify(operation).slice(0, 60)}`);
    const end = operation.op === 'purge' && operation.keep === undefined ? this.#endOfPurge(operation) : 0;
    try {
      await instance.execute(operation);
    } catch {
      return; // Whether it was carried out is seen in the log.
    }
    if (operation.op === 'purge') this.#checkPurged(operation, end);
  }

  #endOfPurge({ seq }: PurgeOperation): number {
    const end = this.publishes.acknowledgedSeq + 1;
    return seq === undefined || seq === 0 ? end : Math.min(seq, end);
  }

  /** A purge that was answered has left nothing that was there before. */
  #checkPurged({ filter }: PurgeOperation, end: number): void {
    const isPurged = (subject: string): boolean =>
      filter === undefined || subjectFilter([filter])!.matches(Buffer.from(subject), 0, subject.length);
    const left = this.reference.model.matching(isPurged).filter((seq) => seq < end);
    if (left.length > 0) this.#surroundings.log.complain(`${this.spec.config.name}: the purge left ${left.join(', ')}`);
  }

  #drawOperation(random: Random): StreamOperation {
    const takes = this.#drawTakes(random);
    if (takes !== undefined) {
      const config = { ...this.reference.config, ...takes, ...this.#promotion };
      return { op: 'configure', config, revision: ++this.#revision };
    }
    const { lastSeq } = this.reference.model;
    const isKept = this.spec.config.retention === 'limits';
    switch (random.integer(0, 5)) {
      case 0:
        return {
          op: 'purge',
          filter: random.pick([undefined, 'a', 'k.*']),
          seq: random.chance(0.8) ? random.integer(0, lastSeq + 3) : undefined,
          keep: undefined,
        };
      case 1:
        if (!isKept) break;
        return { op: 'purge', filter: random.pick([undefined, 'b']), seq: undefined, keep: random.integer(1, 10) };
      case 2: {
        if (!isKept) break;
        const { config } = this.reference;
        const limits = { maxMsgs: random.pick([-1, 10, 50]), maxMsgsPerSubject: random.pick([-1, 2, 5]) };
        return { op: 'configure', config: { ...config, ...limits, ...this.#promotion }, revision: ++this.#revision };
      }
      default:
    }
    return { op: 'deleteMessage', seq: random.integer(1, lastSeq + 2), erase: random.chance(0.5) };
  }

  /** Another choice of sources, or the end of being a mirror. */
  #drawTakes(random: Random): Partial<StreamConfig> | undefined {
    const { mirror, sources } = this.spec.config;
    if (this.reference.config.mirror !== undefined) {
      if (mirror === undefined || !random.chance(0.03)) return undefined;
      return (this.#promotion = { mirror: undefined, subjects: CLIENT_SUBJECTS, subjectTransform: undefined });
    }
    if (sources.length === 0 || random.chance(0.9)) return undefined;
    return { sources: sources.filter(() => random.chance(0.7)) };
  }

  /**
   * The last sequence tells how old a state is, and with it everything in it: what a read of any subject returns is as new
   * as the state that it comes from.
   */
  async #read({ instance, whenAwake }: OpenStream): Promise<void> {
    const finish = this.#reads.begin();
    await new Promise<void>((resolve) => {
      whenAwake(resolve);
    });
    try {
      await instance.readBarrier();
    } catch {
      return; // Not the leader any more: nothing was read.
    }
    finish(instance.state().lastSeq);
  }

  #inspect(): void {
    const { random } = this.#surroundings;
    const streams = this.open().filter((stream) => this.#isCurrent(stream));
    if (streams.length > 0) random.pick(this.consumers).inspect(random.pick(streams));
  }

  /** It has applied all that was applied anywhere. */
  #isCurrent({ handle }: OpenStream): boolean {
    return handle.status.lastApplied >= this.logChecker.lastApplied && !handle.status.repairing;
  }

  #streamOn(node: NodeId): OpenStream | undefined {
    return this.#surroundings.nodes.find(({ id }) => id === node)?.streams.get(this.group);
  }

  #consumer(name: string): ConsumerClient | undefined {
    return this.consumers.find(({ config }) => config.name === name);
  }

  #makeConsumers(): ConsumerClient[] {
    const { random, log, time, fastestClock } = this.#surroundings;
    return drawConsumers(this.spec.config, random).map(
      (config) =>
        new ConsumerClient(config, {
          random,
          log,
          nowMs: () => time.nowMs * fastestClock,
          wallUs: () => time.wallUs,
          reference: () => this.reference.consumers.get(config.name),
        }),
    );
  }
}

function outcomeOf({ reply }: SubmissionException): PublishOutcome {
  const parsed = JSON.parse(reply!) as { error?: { err_code: number }; seq: number };
  return parsed.error ? { kind: 'error', errCode: parsed.error.err_code } : { kind: 'duplicate', seq: parsed.seq };
}
