/**
 * Owns what the stream's leader does for one consumer: it takes pull requests and acks, gives the dispatcher its turns, and
 * knows when something is due. What was not on record when the leader fails is delivered again by the next one.
 */
import { subjectFilter } from '../stream/index.ts';
import { AckDeadlines } from './acks/ack-deadlines.ts';
import { AckSampling } from './acks/ack-sampling.ts';
import type { AckTokens } from './acks/ack-subject.ts';
import { Acks } from './acks/acks.ts';
import type { ConsumerAdvisories } from './advisories.ts';
import { consumerInfo } from './consumer-info.ts';
import type { DeadlineQueue, Due } from './deadline-queue.ts';
import { Dispatcher, type DeliveryBudget, type DispatchServices } from './delivery/dispatcher.ts';
import { Inactivity } from './inactivity.ts';
import { Ledger } from './state/ledger.ts';
import type { ProgressLog } from './state/progress-log.ts';
import type { ProgressSink, Recorded } from './state/progress-recorder.ts';
import { admitPull } from './pull/pull-admission.ts';
import { Pause } from './pause.ts';
import { PriorityRule } from './pull/priority-rule.ts';
import { PullQueue } from './pull/pull-queue.ts';
import { PushTarget } from './delivery/push-target.ts';
import type { ReplicatedConsumer } from './state/replicated-state.ts';
import { LEADERSHIP_CHANGE } from './pull/status-messages.ts';
import type { ConsumerConfig, ConsumerInfo } from './types.ts';
import { recordInboxes } from './pull/waiting-inboxes.ts';

const MESSAGE_DELETED = 'Unacknowledged message was deleted';
const NOTHING = Buffer.alloc(0);

export interface ConsumerServices extends DispatchServices {
  readonly deadlines: DeadlineQueue;
  readonly recorder: ProgressSink;
  readonly advisories: ConsumerAdvisories;
  /** Gives the consumer its turn to deliver. */
  wake(consumer: Consumer): void;
  /** Nobody has used the consumer for its `inactive_threshold`. */
  inactive(consumer: Consumer): void;
}

export class Consumer implements Due, Recorded {
  armedAtMs = Infinity;
  /** In the ring of those that wait for their turn. */
  awake = false;
  readonly id: number;
  readonly #services: ConsumerServices;
  readonly #ledger: Ledger;
  readonly #acks: Acks;
  readonly #ackDeadlines: AckDeadlines;
  #pulls: PullQueue;
  readonly #dispatcher: Dispatcher;
  readonly #inactivity: Inactivity;
  readonly #pause: Pause;
  readonly #priority: PriorityRule;
  #push: PushTarget | undefined;
  /** When requests or subscribers have to be looked at. */
  #demandDueMs = Infinity;
  /** When a delivery that had to wait can go on. */
  #retryAtMs = Infinity;
  #closed = false;

  /** `before`: whose waiting requests it takes over. */
  constructor(replicated: ReplicatedConsumer, services: ConsumerServices, before?: Consumer) {
    this.id = replicated.id;
    this.#services = services;
    const wake = (): void => {
      this.#wake();
    };
    const giveUp = (seq: number, attempts: number): void => {
      this.#giveUp(seq, attempts);
    };
    this.#ledger = new Ledger(replicated, {
      noted: () => {
        // Where messages go when they have been delivered, that is worth a record soon.
        const unacked = this.#config.ackPolicy === 'none' && services.stream.config.retention === 'limits';
        if (unacked) services.recorder.noteUnacked(this);
        else services.recorder.note(this);
      },
      ackExpected: (deadlineMs) => {
        if (this.#ackDeadlines.expect(deadlineMs)) this.#arm(this.#ackDeadlines.dueMs);
      },
    });
    this.#ackDeadlines = new AckDeadlines(this.#ledger, giveUp);
    const sampling = new AckSampling(services, this.#ledger);
    this.#acks = new Acks(services, this.#ledger, sampling, {
      wake,
      pull: (reply, body) => {
        this.pull(reply, NOTHING, body);
      },
      answerWhenRecorded: (reply) => {
        services.recorder.answerWhenRecorded(this, reply);
      },
    });
    this.#pulls = before === undefined ? new PullQueue(services.outlet) : before.#handPullsOver();
    this.#pulls.onInterestChange = wake;
    this.#dispatcher = new Dispatcher(services, this.#ledger, {
      pulls: this.#pulls,
      filter: subjectFilter(replicated.config.filterSubjects),
      sampling,
      effects: {
        wake,
        giveUp,
        retryAt: (atMs) => {
          this.#retryAtMs = Math.min(this.#retryAtMs, atMs);
          this.#arm(atMs);
        },
        held: () => {
          services.recorder.noteUrgently(this);
        },
      },
    });
    this.#priority = new PriorityRule(
      {
        runtime: services.runtime,
        advisories: services.advisories,
        nowMs: services.nowMs,
        pinned: () => {
          this.#arm(this.#priority.dueMs);
          services.recorder.noteUrgently(this);
        },
        numPending: () => this.#dispatcher.numPending() + (this.#ledger.redelivery.size > 0 ? 1 : 0),
      },
      this.#ledger,
    );
    this.#pulls.rule = this.#priority;
    this.#inactivity = new Inactivity(services.runtime);
    this.#pause = new Pause(services.runtime, services.nowMs);
    this.#pause.set(replicated.config.pauseUntilUs);
    this.#openPush();
  }

  get name(): string {
    return this.#ledger.state.name;
  }

  get log(): ProgressLog {
    return this.#ledger.log;
  }

  get pushActive(): boolean {
    return this.#push?.active === true;
  }

  get paused(): boolean {
    return this.#pause.active;
  }

  get #config(): ConsumerConfig {
    return this.#ledger.state.config;
  }

  /** Takes over from the leader before: tells its waiting clients, and checks what is pending. */
  start(): void {
    for (const inbox of this.#ledger.state.waiting) this.#refuse(inbox, LEADERSHIP_CHANGE);
    this.#noteEndedPulls();
    this.#ackDeadlines.recheck(this.#services.nowMs());
    this.#used();
    this.#arm(this.#ackDeadlines.dueMs);
    this.#arm(this.#pause.dueMs);
    this.#arm(this.#priority.dueMs);
    if (this.#push !== undefined) this.#interestChanged();
  }

  /** Its state began anew: another takes its place, and those who wait notice nothing. */
  replacedBy(replicated: ReplicatedConsumer): Consumer {
    const successor = new Consumer(replicated, this.#services, this);
    this.close();
    const { size } = successor.#pulls;
    successor.#ackDeadlines.recheck(this.#services.nowMs());
    successor.#used();
    successor.#arm(successor.#pause.dueMs);
    successor.#arm(successor.#priority.dueMs);
    if (size > 0) successor.#arm(this.#services.nowMs());
    successor.#wake();
    if (successor.#push !== undefined) successor.#interestChanged();
    return successor;
  }

  #handPullsOver(): PullQueue {
    this.#ledger.held.close();
    const pulls = this.#pulls;
    this.#pulls = new PullQueue(this.#services.outlet);
    return pulls;
  }

  /** The configuration changed: what depends on it starts anew, position and pending messages stay. */
  configure(config: ConsumerConfig): void {
    const { state, redelivery } = this.#ledger;
    const before = state.config;
    state.config = config;
    if (before.filterSubjects.join(' ') !== config.filterSubjects.join(' ')) {
      this.#dispatcher.setFilter(subjectFilter(config.filterSubjects));
    }
    if (before.deliverSubject !== config.deliverSubject || before.deliverGroup !== config.deliverGroup) {
      this.#push?.close();
      this.#openPush();
      this.#interestChanged();
      for (let at = state.pending.head; at < state.pending.tail; at++) {
        if (state.pending.attemptsAt(at) > 0) redelivery.push(state.pending.seqAt(at));
      }
    }
    if (before.pauseUntilUs !== config.pauseUntilUs) {
      this.#pause.set(config.pauseUntilUs);
      this.#arm(this.#pause.dueMs);
      this.#services.advisories.paused(this.name, this.paused, config.pauseUntilUs);
    }
    this.#priority.configured();
    this.#dispatcher.restartPacing();
    this.#ackDeadlines.recheck(this.#services.nowMs());
    this.#used();
    this.#arm(this.#ackDeadlines.dueMs);
    this.#wake();
  }

  // ---- what clients send ---------------------------------------------------------------------------------------

  pull(reply: string, headers: Buffer, body: Buffer): void {
    this.#used();
    const nowMs = this.#services.nowMs();
    const pulls = this.#pulls;
    const admission = admitPull(this.#config, headers, body, {
      pinId: this.#priority.pinId,
      available: () => this.#dispatcher.available(),
      paused: this.paused,
      wanted: () => pulls.wanted,
      waiting: () => {
        if (pulls.size >= this.#config.maxWaiting) pulls.dropDead(nowMs);
        return pulls.size;
      },
    });
    if (admission.kind === 'refused') this.#refuse(reply, admission.status);
    if (admission.kind !== 'taken') return;
    this.#priority.admitted(admission.body.group);
    this.#arm(this.#priority.dueMs);
    const dueMs = pulls.add(reply, admission.body, nowMs);
    this.#demandDueMs = Math.min(this.#demandDueMs, dueMs);
    this.#arm(dueMs);
    // Of a request that no replica knows of, the next leader can't tell its client.
    if (this.#replicated) this.#services.recorder.note(this);
    this.#wake();
  }

  ack(tokens: AckTokens, payload: Buffer, start: number, end: number, reply: string): void {
    // What lies ahead of the position was never delivered, as far as the log knows: no answer.
    if (tokens.seq === 0 || tokens.seq > this.#ledger.state.deliveredStreamSeq) return;
    this.#used();
    this.#acks.handle(tokens, payload, start, end, reply);
  }

  /** `upTo`: what the answer acknowledges, if it does. */
  flowControl(subject: string, upTo: { readonly consumerSeq: number; readonly seq: number } | undefined): void {
    if (this.#push?.flowControl(subject) !== true) return;
    this.#used();
    if (upTo !== undefined && this.#config.ackPolicy === 'flow_control') this.#acks.finishThrough(upTo);
    this.#wake();
  }

  /** An operator ends the pin of the client that has the consumer to itself. */
  unpin(): void {
    this.#unpin('admin');
  }

  // ---- what the stream tells -----------------------------------------------------------------------------------

  /** Among first..last, which were stored, so many match. */
  stored(first: number, last: number, count: number): void {
    this.#dispatcher.stored(first, last, count);
    if (this.#wanted) this.#wake();
  }

  /** Messages were stored, and nobody knows which of them match. */
  countAnew(): void {
    this.#dispatcher.countAnew();
    if (this.#wanted) this.#wake();
  }

  /** Whether message `seq` is still to come, if the filter lets it through. */
  isAhead(seq: number): boolean {
    return this.#dispatcher.isAhead(seq);
  }

  /** A live message is gone. `matches` undefined: it isn't known whether the filter let it through. */
  removed(seq: number, matches: boolean | undefined): void {
    const { state } = this.#ledger;
    const at = state.pending.find(seq);
    if (at < 0) {
      this.#ledger.removed(seq);
      this.#dispatcher.removed(seq, matches);
      return;
    }
    const consumerSeq = state.pending.firstDeliveryAt(at);
    const deliveries = state.pending.attemptsAt(at);
    this.#freeing(() => {
      this.#ledger.removed(seq);
    });
    this.#services.advisories.terminated(this.name, { consumerSeq, streamSeq: seq, deliveries }, MESSAGE_DELETED);
  }

  removedBelow(seq: number, purge: boolean): void {
    if (!purge) this.#tellOfRemoved(seq);
    this.#freeing(() => {
      this.#ledger.removedBelow(seq, purge);
    });
    this.#dispatcher.removedBelow(seq);
  }

  // ---- turns, deadlines, records -------------------------------------------------------------------------------

  /** Delivers within `budget`. True: there is more to deliver in another turn. */
  deliver(budget: DeliveryBudget): boolean {
    this.#dispatcher.sendRecorded();
    const more = !this.paused && this.#dispatcher.deliver(budget);
    this.#noteEndedPulls();
    return more;
  }

  due(nowMs: number): number {
    if (this.#ackDeadlines.dueMs <= nowMs && this.#ackDeadlines.expire(nowMs)) this.#wake();
    if (this.#retryAtMs <= nowMs) {
      this.#retryAtMs = Infinity;
      this.#wake();
    }
    this.#demandDueMs = (this.#push ?? this.#pulls).due(
      nowMs,
      this.#ledger.state.deliveredConsumerSeq,
      this.#dispatcher.lastSeq,
    );
    if (this.#inactivity.dueMs <= nowMs) this.#checkInactive(nowMs);
    // Without a log to go through, a direct consumer ends right there.
    if (this.#closed) return Infinity;
    if (this.#pause.dueMs <= nowMs && this.#pause.ended()) this.#pauseEnded();
    if (this.#priority.dueMs <= nowMs) this.#unpin('timeout');
    this.#noteEndedPulls();
    const delivery = Math.min(this.#ackDeadlines.dueMs, this.#retryAtMs, this.#demandDueMs);
    return Math.min(delivery, this.#inactivity.dueMs, this.#pause.dueMs, this.#priority.dueMs);
  }

  beforeRecord(): void {
    this.#dispatcher.beforeRecord();
    this.#priority.beforeRecord();
    const { waiting } = this.#ledger.state;
    if (this.#replicated || waiting.size > 0) recordInboxes(waiting, this.#pulls.inboxes(), this.log);
  }

  afterRecord(): void {
    if (this.#closed) return;
    this.#ledger.followFloor();
    this.#priority.afterRecord();
    this.#dispatcher.afterRecord();
    if (this.#wanted) this.#wake();
  }

  info(): ConsumerInfo {
    this.#pulls.dropDead(this.#services.nowMs());
    return consumerInfo(this.#ledger.state, this.#dispatcher.numPending(), {
      numWaiting: this.#pulls.size,
      pushBound: this.pushActive,
      priorityGroup: this.#priority.state,
      deliveredUs: this.#dispatcher.lastUs,
      ackedUs: this.#acks.lastUs,
    });
  }

  /** The node is about to stop. */
  serverStopping(): void {
    if (this.#config.numReplicas <= 1) this.#pulls.serverStops();
  }

  /** The consumer is gone for good: those who wait are told. */
  deleted(): void {
    this.#pulls.consumerDeleted();
    this.close();
  }

  /** Another node leads. Who waits, and is not on record as `known`, hears of it from here. */
  deposed(known: ReadonlySet<string>): void {
    this.#ledger.held.close();
    this.#pulls.leaderChanged(known);
    this.close();
  }

  close(): void {
    this.#closed = true;
    this.awake = false;
    this.#services.deadlines.disarm(this);
    this.#services.recorder.forget(this);
    this.#pulls.close();
    this.#dispatcher.close();
    this.#push?.close();
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #wake(): void {
    if (!this.#closed) this.#services.wake(this);
  }

  #arm(atMs: number): void {
    if (!this.#closed && atMs !== Infinity) this.#services.deadlines.arm(this, atMs);
  }

  /** Somebody would take a message. */
  get #wanted(): boolean {
    return this.#push === undefined ? this.#pulls.size > 0 : this.#push.active;
  }

  /** There may be another leader, who has to know who waits. */
  get #replicated(): boolean {
    return this.#services.stream.status.voters.length > 1;
  }

  /** `change` may make room for new deliveries. */
  #freeing(change: () => void): void {
    const wasFull = this.#ledger.full;
    change();
    if (wasFull) this.#wake();
  }

  /** Limits of the stream take messages that wait for their acks, all below `seq`. */
  #tellOfRemoved(seq: number): void {
    const { pending } = this.#ledger.state;
    const { advisories } = this.#services;
    if (pending.size === 0 || pending.lowest >= seq || !advisories.terminationsHeard(this.name)) return;
    for (let at = pending.head; at < pending.tail && pending.seqAt(at) < seq; at++) {
      const deliveries = pending.attemptsAt(at);
      if (deliveries === 0) continue;
      const attempt = { consumerSeq: pending.firstDeliveryAt(at), streamSeq: pending.seqAt(at), deliveries };
      advisories.terminated(this.name, attempt, MESSAGE_DELETED);
    }
  }

  #giveUp(seq: number, attempts: number): void {
    this.#ledger.exhaust(seq);
    this.#services.advisories.maxDeliveries(this.name, seq, attempts);
  }

  #unpin(reason: 'timeout' | 'admin'): void {
    this.#priority.unpin(reason);
    this.#wake();
  }

  #pauseEnded(): void {
    this.#services.advisories.paused(this.name, false, this.#config.pauseUntilUs);
    this.#wake();
  }

  /** Requests that ended are still known to the replicas. */
  #noteEndedPulls(): void {
    if (this.#ledger.state.waiting.size > this.#pulls.size) this.#services.recorder.noteLazily(this);
  }

  #used(): void {
    this.#inactivity.used(this.#config, this.#services.nowMs, this.pushActive);
    this.#arm(this.#inactivity.dueMs);
  }

  #checkInactive(nowMs: number): void {
    if (this.#pulls.size > 0) this.#used();
    else if (this.#inactivity.expired(this.#config, nowMs, this.#ackDeadlines.lastMs())) this.#services.inactive(this);
  }

  #openPush(): void {
    const { outlet, runtime, replies } = this.#services;
    this.#push =
      this.#config.deliverSubject === ''
        ? undefined
        : new PushTarget({ outlet, runtime, replies }, this.#config, {
            interestChanged: () => {
              this.#interestChanged();
            },
            unacked: () => this.#ledger.state.pending.size > 0,
          });
    this.#dispatcher.push = this.#push;
  }

  #interestChanged(): void {
    const nowMs = this.#services.nowMs();
    this.#push?.interestChanged(nowMs);
    this.#used();
    this.#demandDueMs = nowMs;
    this.#arm(nowMs);
    this.#wake();
  }

  #refuse(inbox: string, headers: Buffer): void {
    const { outlet } = this.#services;
    const target = outlet.openTarget(inbox, { queue: undefined, wildcards: true, onChange: () => undefined });
    outlet.status(target, headers);
    target.close();
  }
}
