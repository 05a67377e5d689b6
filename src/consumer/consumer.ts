/**
 * Owns what the stream's leader does for one consumer: which message goes to whom next, what acks mean, and when something
 * is delivered again. It works on a copy of the replicated state that runs ahead, and notes every step in `log`; what was
 * not recorded when the leader fails is delivered again by the next one.
 */
import type { ConsumerSeq, Seq, TimestampUs } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { ExtensionHost, StoredMessage, SubjectFilter } from '../stream/index.ts';
import { ackKind, nakDelayMs, nextRequest, termReason } from './ack-payload.ts';
import { AckReplyWriter, type AckTokens } from './ack-subject.ts';
import type { ConsumerAdvisories } from './advisories.ts';
import type { DeadlineQueue, Due } from './deadline-queue.ts';
import { consumerFilter } from './filter-index.ts';
import { headersOnly } from './headers-only.ts';
import { MessageSource, emptyStoredMessage } from './message-source.ts';
import { Pacing } from './pacing.ts';
import { ProgressLog } from './progress-log.ts';
import type { ProgressRecorder, Recorded } from './progress-recorder.ts';
import { admitPull } from './pull-admission.ts';
import { PullQueue, type PullRequest, type Readiness } from './pull-queue.ts';
import { PushTarget } from './push-target.ts';
import { RedeliveryQueue } from './redelivery.ts';
import type { ReplicatedConsumer } from './replicated-state.ts';
import { LEADERSHIP_CHANGE } from './status-messages.ts';
import type { ConsumerConfig, ConsumerInfo, Outlet } from './types.ts';

/** Steps that wait for their record: beyond this, deliveries wait too. */
const MAX_UNRECORDED_BYTES = 128 * 1024;
/** How long a reader that is too slow is left alone. */
const CONGESTION_RETRY_MS = 5;
/** Timers may fire early within their millisecond; a redelivery must not. */
const TIMER_SLACK_MS = 1;
/** A set this large is not searched for expired messages more often than this. */
const LARGE_PENDING = 10_000;
const LARGE_PENDING_CHECK_MS = 20;
const INACTIVITY_JITTER_MIN_MS = 100;
const INACTIVITY_JITTER_MAX_MS = 1000;
/** A delete that the group did not take is asked for again. */
const INACTIVITY_RETRY_MS = 30_000;
/** Inboxes recorded for the next leader, per consumer. */
const MAX_RECORDED_INBOXES = 512;
const MESSAGE_DELETED = 'Unacknowledged message was deleted';
/** Counts for the budget of a turn, though nobody took it. */
const UNTAKEN_BYTES = 1;
const DEFAULT_BURST_BYTES = 1024 * 1024;

export interface ConsumerServices {
  readonly stream: ExtensionHost;
  readonly outlet: Outlet;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly deadlines: DeadlineQueue;
  readonly recorder: ProgressRecorder;
  readonly advisories: ConsumerAdvisories;
  nowMs(): number;
  /** Gives the consumer its turn to deliver. */
  wake(consumer: Consumer): void;
  /** Nobody has used the consumer for its `inactive_threshold`. */
  inactive(consumer: Consumer): void;
}

/** What is left of a turn. Reused. */
export interface DeliveryBudget {
  messages: number;
  bytes: number;
}

/** A message whose last attempt must be on record before it is sent. */
interface HeldDelivery {
  readonly seq: number;
  readonly consumerSeq: number;
  readonly attempts: number;
  readonly request: PullRequest | undefined;
}

export class Consumer implements Due, Recorded {
  armedAtMs = Infinity;
  /** In the ring of those that wait for their turn. */
  awake = false;
  readonly id: number;
  readonly log = new ProgressLog();
  readonly state: ReplicatedConsumer;
  filter: SubjectFilter | undefined;
  readonly #services: ConsumerServices;
  readonly #source: MessageSource;
  readonly #redelivery = new RedeliveryQueue();
  readonly #reply: AckReplyWriter;
  readonly #view: StoredMessage = emptyStoredMessage();
  #pulls: PullQueue;
  #push: PushTarget | undefined;
  #pacing: Pacing | undefined;
  /** Messages never delivered yet; negative: to be counted when asked for. */
  #numPending = -1;
  /** Nothing new was left at the last look. */
  #atEnd = false;
  #ackDeadlineMs = Infinity;
  #retryAtMs = Infinity;
  #requestDueMs = Infinity;
  #inactiveAtMs = Infinity;
  #deliveredUs: TimestampUs | undefined;
  #ackedUs: TimestampUs | undefined;
  #held: HeldDelivery[] = [];
  /** So many of `#held` are in the entry on its way. */
  #heldInEntry = 0;
  readonly #committed: HeldDelivery[] = [];

  constructor(replicated: ReplicatedConsumer, services: ConsumerServices) {
    this.id = replicated.id;
    this.state = replicated.clone();
    this.#services = services;
    this.filter = consumerFilter(this.state.config.filterSubjects);
    this.#reply = new AckReplyWriter(services.stream.config.name, this.state.name);
    this.#source = new MessageSource(services.stream, {
      position: this.state.deliveredStreamSeq + 1,
      initial: this.state.initial,
      filter: this.filter,
      onReady: () => {
        this.#ready();
      },
    });
    this.#pulls = new PullQueue(services.outlet, () => {
      this.wake();
    });
    this.#openPush();
    this.#startPacing();
  }

  get name(): string {
    return this.state.name;
  }

  get config(): ConsumerConfig {
    return this.state.config;
  }

  /** Takes over from the leader before: tells its waiting clients, and checks what is pending. */
  start(): void {
    for (const inbox of [...this.state.waiting]) this.#refuse(inbox, LEADERSHIP_CHANGE);
    if (this.state.waiting.size > 0) this.#services.recorder.noteLazily(this);
    this.#active();
    this.#ackDeadlineMs = this.state.pending.size > 0 ? this.#services.nowMs() : Infinity;
    this.#arm(Math.min(this.#ackDeadlineMs, this.#inactiveAtMs));
    if (this.#push !== undefined) this.#interestChanged();
  }

  wake(): void {
    this.#services.wake(this);
  }

  /** A matching message was stored: `count` of them. */
  stored(count: number): void {
    if (this.#numPending >= 0) this.#numPending += count;
    this.#atEnd = false;
    if (this.#wanted) this.wake();
  }

  countAnew(): void {
    this.#numPending = -1;
    this.#atEnd = false;
    if (this.#wanted) this.wake();
  }

  /** A live message is gone. Without its subject, what is pending must be counted again. */
  removed(seq: number, matches: boolean | undefined): void {
    const state = this.state;
    const at = state.pending.find(seq);
    if (at >= 0) {
      const attempt = {
        consumerSeq: state.pending.firstDeliveryAt(at),
        streamSeq: seq,
        deliveries: state.pending.attemptsAt(at),
      };
      this.#finish(seq);
      this.#services.advisories.terminated(this.name, attempt, MESSAGE_DELETED);
      return;
    }
    state.exhausted.delete(seq);
    if (this.#numPending < 0 || matches === false || !this.#source.isAhead(seq)) return;
    this.#numPending = matches === undefined ? -1 : Math.max(0, this.#numPending - 1);
  }

  removedBelow(seq: number): void {
    const full = this.#full;
    this.state.removeBelow(seq);
    this.#redelivery.deleteThrough(seq - 1);
    if (this.#source.position < seq) this.#numPending = -1;
    if (full) this.wake();
  }

  /** The configuration changed: what depends on it starts anew, position and pending messages stay. */
  configure(config: ConsumerConfig): void {
    const before = this.config;
    this.state.config = config;
    if (before.filterSubjects.join(' ') !== config.filterSubjects.join(' ')) {
      this.filter = consumerFilter(config.filterSubjects);
      this.#source.setFilter(this.filter);
      this.#numPending = -1;
    }
    if (before.deliverSubject !== config.deliverSubject || before.deliverGroup !== config.deliverGroup) {
      this.#push?.close();
      this.#openPush();
      this.#interestChanged();
      this.#redeliverAll();
    }
    this.#startPacing();
    this.#active();
    if (this.state.pending.size > 0) this.#ackDeadlineMs = this.#services.nowMs();
    this.#arm(Math.min(this.#ackDeadlineMs, this.#inactiveAtMs));
    this.#atEnd = false;
    this.wake();
  }

  // ---- pull requests -------------------------------------------------------------------------------------------

  pull(reply: string, headers: Buffer, body: Buffer): void {
    this.#active();
    const nowMs = this.#services.nowMs();
    const pulls = this.#pulls;
    const admission = admitPull(this.config, headers, body, {
      available: () => this.numPending() + this.#redelivery.size,
      wanted: () => pulls.wanted,
      waiting: () => {
        if (pulls.size >= this.config.maxWaiting) pulls.dropDead(nowMs);
        return pulls.size;
      },
    });
    if (admission.kind === 'refused') this.#refuse(reply, admission.status);
    if (admission.kind !== 'taken') return;
    const dueMs = pulls.add(reply, admission.body, nowMs);
    this.#requestDueMs = Math.min(this.#requestDueMs, dueMs);
    this.#arm(dueMs);
    if (this.#replicated) this.#services.recorder.noteLazily(this);
    this.wake();
  }

  // ---- acks ----------------------------------------------------------------------------------------------------

  ack(tokens: AckTokens, payload: Buffer, start: number, end: number, reply: string): void {
    const { seq } = tokens;
    if (this.config.ackPolicy === 'none' || seq === 0 || seq > this.state.deliveredStreamSeq) return;
    this.#active();
    switch (ackKind(payload, start, end)) {
      case 'ack':
        this.#acknowledge(tokens);
        if (reply !== '') this.#services.recorder.answerWhenRecorded(this, reply);
        return;
      case 'term':
        this.#acknowledge(tokens);
        this.#services.advisories.terminated(this.name, attemptOf(tokens), termReason(payload, start, end));
        if (reply !== '') this.#services.recorder.answerWhenRecorded(this, reply);
        return;
      case 'next':
        this.#acknowledge(tokens);
        if (reply !== '') this.pull(reply, NOTHING, nextRequest(payload, start, end));
        return;
      case 'nak':
        this.#nak(tokens, nakDelayMs(payload, start, end));
        break;
      case 'progress':
        this.#touch(seq, this.#services.nowMs());
        break;
      case 'ignored':
        break;
    }
    if (reply !== '') this.#services.outlet.publish(reply, NOTHING);
  }

  #acknowledge(tokens: AckTokens): void {
    const full = this.#full;
    const { seq, consumerSeq } = tokens;
    if (this.config.ackPolicy === 'all') {
      if (seq <= this.state.floorStreamSeq) return;
      this.state.finishThrough(consumerSeq, seq);
      this.log.finishThrough(consumerSeq, seq);
      this.#redelivery.deleteThrough(seq);
    } else {
      if (!this.state.finish(seq)) return;
      this.log.finish(seq);
      this.#redelivery.delete(seq);
    }
    this.#ackedUs = this.#services.runtime.wallUs();
    this.#services.recorder.note(this);
    if (full) this.wake();
  }

  #nak(tokens: AckTokens, delayMs: number): void {
    const { state } = this;
    const at = state.pending.find(tokens.seq);
    if (at < 0 || tokens.consumerSeq <= state.floorConsumerSeq || tokens.consumerSeq > state.deliveredConsumerSeq)
      return;
    this.#services.advisories.naked(this.name, attemptOf(tokens));
    if (delayMs === 0) {
      this.#redelivery.push(tokens.seq);
      this.wake();
      return;
    }
    const nowMs = this.#services.nowMs();
    this.#redelivery.delete(tokens.seq);
    // Such that the wait of this attempt ends when the delay does.
    this.#touch(tokens.seq, Math.ceil(nowMs + delayMs) - this.#ackWaitMs(state.pending.attemptsAt(at)));
  }

  /** The ack wait of a pending message counts from `deliveredMs`. */
  #touch(seq: number, deliveredMs: number): void {
    const at = this.state.pending.find(seq);
    if (at < 0) return;
    this.state.touch(seq, deliveredMs);
    this.log.touch(seq, deliveredMs);
    this.#services.recorder.note(this);
    this.#expectAck(deliveredMs + this.#ackWaitMs(this.state.pending.attemptsAt(at)));
  }

  // ---- deliveries ----------------------------------------------------------------------------------------------

  /** Delivers within `budget`. True: there is more to deliver in another turn. */
  deliver(budget: DeliveryBudget): boolean {
    const nowMs = this.#services.nowMs();
    while (budget.messages > 0 && budget.bytes > 0) {
      const readiness = this.#readiness(nowMs);
      if (readiness === 'congested') this.#retryAt(nowMs + CONGESTION_RETRY_MS);
      // Recording wakes us again.
      if (readiness !== 'ready' || this.log.bytes > MAX_UNRECORDED_BYTES) {
        this.#noteEndedPulls();
        return false;
      }
      const bytes = this.#deliverNext(nowMs);
      if (bytes === 0) return false;
      budget.messages--;
      budget.bytes -= bytes;
    }
    return true;
  }

  #readiness(nowMs: number): Readiness {
    return this.#push === undefined ? this.#pulls.ready(nowMs) : this.#push.ready();
  }

  /** Bytes of the message that was delivered; 0 if there was none, or nobody to take it. */
  #deliverNext(nowMs: number): number {
    const again = this.#redelivery.size > 0 ? this.#nextRedelivery(nowMs) : 0;
    if (again < 0) return 0;
    if (again > 0) return this.#send(this.#view, again, nowMs);
    if (this.#full || this.#atEnd) return this.#nothingNew();
    for (;;) {
      const step = this.#source.next();
      if (step === 'message') break;
      if (step === 'wait') return 0;
      if (step === 'end') {
        this.#atEnd = true;
        return this.#nothingNew();
      }
      this.#services.logger.error({ consumer: this.name, seq: this.#source.position }, 'message_unreadable');
    }
    const bytes = this.#send(this.#source.view, 1, nowMs);
    if (bytes === 0) this.#source.putBack();
    return bytes;
  }

  #nothingNew(): number {
    if (this.#atEnd && this.#redelivery.size === 0) this.#pulls.streamEnded();
    return 0;
  }

  /** Reads the next message to deliver again into `#view`. Returns the attempt it is, 0 for none, -1 to wait. */
  #nextRedelivery(nowMs: number): number {
    for (let seq = this.#redelivery.peek(); seq !== undefined; seq = this.#redelivery.peek()) {
      const attempts = this.state.pending.attempts(seq);
      if (attempts === 0) {
        this.#redelivery.take(seq);
      } else if (this.#isLast(attempts)) {
        this.#redelivery.take(seq);
        this.#exhaust(seq, attempts);
      } else {
        const step = this.#services.stream.read(seq as Seq, this.#view, () => {
          this.#ready();
        });
        if (step === 'message') return attempts + 1;
        if (step === 'wait') return -1;
        this.#redelivery.take(seq);
        if (step === 'lost') this.#touch(seq, nowMs);
      }
    }
    return 0;
  }

  /** Sends `message` to whoever is first, as attempt number `attempts`. Returns its size, or 0 if nobody takes it. */
  #send(message: StoredMessage, attempts: number, nowMs: number): number {
    const { state } = this;
    const left = attempts === 1 ? Math.max(0, this.numPending() - 1) : this.numPending();
    const consumerSeq = state.deliveredConsumerSeq + 1;
    const replyBytes = this.#reply.write(attempts, message.seq, consumerSeq, message.timestampUs, left);
    const parts = this.config.headersOnly ? headersOnly(message) : undefined;
    const bytes =
      replyBytes +
      (parts === undefined ? message.end - message.subjectStart : parts.subject.length + parts.headers.length);
    if (this.#pacing !== undefined) {
      const allowedAtMs = this.#pacing.allowedAtMs(message, bytes, nowMs);
      if (allowedAtMs > nowMs) {
        this.#retryAt(Math.ceil(allowedAtMs));
        return 0;
      }
      this.#pacing.sent(message, bytes, nowMs);
    }
    const request = this.#push === undefined ? this.#pulls.accept(bytes, nowMs) : undefined;
    if (this.#push === undefined && request === undefined) return 0;
    this.#noteDelivery(message.seq, attempts, nowMs, left);
    if (this.config.ackPolicy !== 'none' && this.#isLast(attempts)) {
      this.#hold({ seq: message.seq, consumerSeq, attempts, request });
    } else {
      const target = request?.target ?? this.#push!.target;
      const taken =
        parts === undefined
          ? this.#services.outlet.deliver(target, message, this.#reply.buffer, replyBytes)
          : this.#services.outlet.deliverParts(target, { ...parts, reply: this.#reply.text(replyBytes) });
      if (!taken) return this.#notTaken(message.seq, request);
    }
    if (request !== undefined) this.#pulls.charge(request, bytes, nowMs);
    else this.#push?.charge(bytes - (message.headersStart - message.subjectStart), nowMs);
    return bytes;
  }

  #noteDelivery(seq: number, attempts: number, nowMs: number, left: number): void {
    if (attempts === 1) {
      this.state.deliver(seq, nowMs);
      this.log.deliver(seq, nowMs);
      this.#numPending = left;
    } else {
      this.#redelivery.take(seq);
      this.state.redeliver(seq, nowMs);
      this.log.redeliver(seq, nowMs);
    }
    if (this.config.ackPolicy !== 'none') this.#expectAck(nowMs + this.#ackWaitMs(attempts));
    this.#deliveredUs = this.#services.runtime.wallUs();
    this.#services.recorder.note(this);
  }

  /** Nobody was there to take a message: whoever comes next gets it at once. Without acks it is lost for this consumer. */
  #notTaken(seq: number, request: PullRequest | undefined): number {
    if (request === undefined) return UNTAKEN_BYTES;
    if (this.config.ackPolicy !== 'none') this.#redelivery.push(seq);
    this.#pulls.abandon(request);
    return UNTAKEN_BYTES;
  }

  // ---- last attempts, which wait for their record -----------------------------------------------------------------

  #hold(held: HeldDelivery): void {
    if (held.request !== undefined) held.request.held++;
    this.#held.push(held);
    this.#services.recorder.noteUrgently(this);
  }

  beforeRecord(): void {
    this.#heldInEntry = this.#held.length;
    this.#recordInboxes();
  }

  afterRecord(): void {
    for (const held of this.#held.splice(0, this.#heldInEntry)) this.#committed.push(held);
    this.#heldInEntry = 0;
    this.#sendCommitted();
    if (this.#wanted) this.wake();
  }

  #sendCommitted(): void {
    while (this.#committed.length > 0) {
      const held = this.#committed[0]!;
      // An ack of an earlier attempt may have come while this one waited.
      const wanted = this.state.pending.has(held.seq);
      const step = wanted
        ? this.#services.stream.read(held.seq as Seq, this.#view, () => {
            this.#ready();
          })
        : 'gone';
      if (step === 'wait') return;
      this.#committed.shift();
      if (step === 'message') this.#sendHeld(held);
      if (held.request !== undefined) this.#pulls.release(held.request);
    }
  }

  #sendHeld(held: HeldDelivery): void {
    const message = this.#view;
    const target = held.request?.target ?? this.#push?.target;
    if (target === undefined) return;
    const replyBytes = this.#reply.write(
      held.attempts,
      held.seq,
      held.consumerSeq,
      message.timestampUs,
      this.numPending(),
    );
    if (this.config.headersOnly) {
      this.#services.outlet.deliverParts(target, { ...headersOnly(message), reply: this.#reply.text(replyBytes) });
    } else {
      this.#services.outlet.deliver(target, message, this.#reply.buffer, replyBytes);
    }
  }

  /** Notes who waits, for the next leader; nobody else is there to note on a single replica. */
  #recordInboxes(): void {
    const recorded = this.state.waiting;
    if (!this.#replicated && recorded.size === 0) return;
    const waiting = new Set<string>();
    for (const inbox of this.#pulls.inboxes()) {
      if (waiting.size === MAX_RECORDED_INBOXES) break;
      waiting.add(inbox);
    }
    for (const inbox of [...recorded]) {
      if (waiting.has(inbox)) continue;
      recorded.delete(inbox);
      this.log.unwait(inbox);
    }
    for (const inbox of waiting) {
      if (recorded.has(inbox)) continue;
      recorded.add(inbox);
      this.log.wait(inbox);
    }
  }

  #noteEndedPulls(): void {
    if (this.state.waiting.size > this.#pulls.size) this.#services.recorder.noteLazily(this);
  }

  // ---- deadlines -----------------------------------------------------------------------------------------------

  due(nowMs: number): number {
    if (this.#ackDeadlineMs <= nowMs) this.#ackDeadlineMs = this.#expireAcks(nowMs);
    if (this.#retryAtMs <= nowMs) {
      this.#retryAtMs = Infinity;
      this.wake();
    }
    const lastStreamSeq = Math.max(this.state.deliveredStreamSeq, this.#source.position - 1);
    this.#requestDueMs =
      this.#push === undefined
        ? this.#pulls.due(nowMs, this.state.deliveredConsumerSeq, lastStreamSeq)
        : this.#push.due(nowMs, this.state.deliveredConsumerSeq, lastStreamSeq);
    if (this.#inactiveAtMs <= nowMs) this.#checkInactive(nowMs);
    this.#noteEndedPulls();
    return Math.min(this.#ackDeadlineMs, this.#retryAtMs, this.#requestDueMs, this.#inactiveAtMs);
  }

  /** Queues what was not acked in time. Returns the next deadline. */
  #expireAcks(nowMs: number): number {
    const { pending } = this.state;
    const exhausted: [seq: number, attempts: number][] = [];
    let next = Infinity;
    for (let at = pending.head; at < pending.tail; at++) {
      const attempts = pending.attemptsAt(at);
      if (attempts === 0) continue;
      const deadlineMs = pending.deliveredMsAt(at) + this.#ackWaitMs(attempts) + TIMER_SLACK_MS;
      if (deadlineMs > nowMs) next = Math.min(next, deadlineMs);
      else if (this.#isLast(attempts)) exhausted.push([pending.seqAt(at), attempts]);
      else this.#redelivery.push(pending.seqAt(at));
    }
    for (const [seq, attempts] of exhausted) this.#exhaust(seq, attempts);
    if (this.#redelivery.size > 0 || exhausted.length > 0) this.wake();
    return pending.size > LARGE_PENDING ? Math.max(next, nowMs + LARGE_PENDING_CHECK_MS) : next;
  }

  #ackWaitMs(attempts: number): number {
    const { backoffMs } = this.config;
    if (backoffMs.length === 0) return this.config.ackWaitMs;
    return backoffMs[Math.min(attempts, backoffMs.length) - 1]!;
  }

  #expectAck(deadlineMs: number): void {
    if (deadlineMs + TIMER_SLACK_MS >= this.#ackDeadlineMs) return;
    this.#ackDeadlineMs = deadlineMs + TIMER_SLACK_MS;
    this.#arm(this.#ackDeadlineMs);
  }

  #isLast(attempts: number): boolean {
    return this.config.maxDeliver > 0 && attempts >= this.config.maxDeliver;
  }

  #exhaust(seq: number, attempts: number): void {
    this.state.exhaust(seq);
    this.log.exhaust(seq);
    this.#services.recorder.note(this);
    this.#services.advisories.maxDeliveries(this.name, seq, attempts);
  }

  #redeliverAll(): void {
    const { pending } = this.state;
    for (let at = pending.head; at < pending.tail; at++) {
      if (pending.attemptsAt(at) > 0) this.#redelivery.push(pending.seqAt(at));
    }
  }

  #retryAt(atMs: number): void {
    this.#retryAtMs = Math.min(this.#retryAtMs, atMs);
    this.#arm(this.#retryAtMs);
  }

  #arm(atMs: number): void {
    this.#services.deadlines.arm(this, atMs);
  }

  // ---- activity ------------------------------------------------------------------------------------------------

  /** Somebody uses the consumer: its time to be deleted moves away. */
  #active(): void {
    const thresholdMs = this.config.inactiveThresholdMs;
    if (thresholdMs === 0 || this.#push?.active === true) {
      this.#inactiveAtMs = Infinity;
      return;
    }
    const jitterMs =
      this.#push === undefined
        ? INACTIVITY_JITTER_MIN_MS +
          this.#services.runtime.random() * (INACTIVITY_JITTER_MAX_MS - INACTIVITY_JITTER_MIN_MS)
        : 0;
    this.#inactiveAtMs = Math.ceil(this.#services.nowMs() + thresholdMs + jitterMs);
    this.#arm(this.#inactiveAtMs);
  }

  #checkInactive(nowMs: number): void {
    const lastDeadlineMs = this.#lastAckDeadlineMs() + this.config.inactiveThresholdMs;
    if (this.#pulls.size > 0) this.#active();
    else if (lastDeadlineMs > nowMs) this.#inactiveAtMs = lastDeadlineMs;
    else {
      this.#inactiveAtMs = nowMs + INACTIVITY_RETRY_MS;
      this.#services.inactive(this);
    }
  }

  #lastAckDeadlineMs(): number {
    const { pending } = this.state;
    let last = -Infinity;
    for (let at = pending.head; at < pending.tail; at++) {
      const attempts = pending.attemptsAt(at);
      if (attempts > 0) last = Math.max(last, pending.deliveredMsAt(at) + this.#ackWaitMs(attempts));
    }
    return last;
  }

  #interestChanged(): void {
    const nowMs = this.#services.nowMs();
    this.#push?.interestChanged(nowMs);
    this.#active();
    this.#requestDueMs = nowMs;
    this.#arm(nowMs);
    this.wake();
  }

  // ---- the rest ------------------------------------------------------------------------------------------------

  flowControl(subject: string): void {
    if (this.#push?.flowControl(subject) === true) this.wake();
  }

  numPending(): number {
    if (this.#numPending < 0) this.#numPending = this.#source.count();
    return this.#numPending;
  }

  get pushActive(): boolean {
    return this.#push?.active === true;
  }

  info(): ConsumerInfo {
    this.#pulls.dropDead(this.#services.nowMs());
    return {
      ...replicatedInfo(this.state),
      delivered: {
        consumerSeq: this.state.deliveredConsumerSeq as ConsumerSeq,
        streamSeq: this.state.deliveredStreamSeq as Seq,
        lastActiveUs: this.#deliveredUs,
      },
      ackFloor: {
        consumerSeq: this.state.floorConsumerSeq as ConsumerSeq,
        streamSeq: this.state.floorStreamSeq as Seq,
        lastActiveUs: this.#ackedUs,
      },
      numWaiting: this.#pulls.size,
      numPending: this.numPending(),
      pushBound: this.pushActive,
    };
  }

  /** The consumer is gone for good: those who wait are told. */
  deleted(): void {
    this.#pulls.consumerDeleted();
    this.close();
  }

  close(): void {
    this.awake = false;
    this.#services.deadlines.disarm(this);
    this.#services.recorder.forget(this);
    this.#pulls.close();
    for (const held of [...this.#held, ...this.#committed]) {
      if (held.request?.ended === true) held.request.target.close();
    }
    this.#held = [];
    this.#committed.length = 0;
    this.#push?.close();
    this.#push = undefined;
    this.#source.close();
  }

  /** There may be another leader, who has to know who waits. */
  get #replicated(): boolean {
    return this.#services.stream.status.voters.length > 1;
  }

  get #full(): boolean {
    const limit = this.config.maxAckPending;
    return limit > 0 && this.config.ackPolicy !== 'none' && this.state.pending.size >= limit;
  }

  /** Somebody would take a message. */
  get #wanted(): boolean {
    return this.#push === undefined ? this.#pulls.size > 0 : this.#push.active;
  }

  /** What was read from disk has arrived. */
  #ready(): void {
    this.#sendCommitted();
    this.wake();
  }

  #finish(seq: number): void {
    const full = this.#full;
    this.state.finish(seq);
    this.#redelivery.delete(seq);
    if (full) this.wake();
  }

  #openPush(): void {
    const { outlet, runtime, stream } = this.#services;
    this.#push =
      this.config.deliverSubject === ''
        ? undefined
        : new PushTarget({ outlet, runtime, stream: stream.config.name }, this.config, () => {
            this.#interestChanged();
          });
  }

  #startPacing(): void {
    const { stream } = this.#services;
    this.#pacing = Pacing.needed(this.config)
      ? new Pacing(this.config, {
          nowMs: this.#services.nowMs(),
          lastSeq: stream.state().lastSeq,
          burstBytes: stream.config.maxMsgSize > 0 ? stream.config.maxMsgSize : DEFAULT_BURST_BYTES,
        })
      : undefined;
  }

  #refuse(inbox: string, headers: Buffer): void {
    const { outlet } = this.#services;
    const target = outlet.openTarget(inbox, { queue: undefined, wildcards: true, onChange: () => undefined });
    outlet.status(target, headers);
    target.close();
  }
}

const NOTHING = Buffer.alloc(0);

function attemptOf(tokens: AckTokens): { consumerSeq: number; streamSeq: number; deliveries: number } {
  return { consumerSeq: tokens.consumerSeq, streamSeq: tokens.seq, deliveries: tokens.attempts };
}

/** What any replica can tell of a consumer. */
export function replicatedInfo(state: ReplicatedConsumer): Omit<ConsumerInfo, 'numPending'> {
  return {
    name: state.name,
    createdUs: state.createdUs,
    config: state.config,
    delivered: {
      consumerSeq: state.deliveredConsumerSeq as ConsumerSeq,
      streamSeq: state.deliveredStreamSeq as Seq,
      lastActiveUs: undefined,
    },
    ackFloor: {
      consumerSeq: state.floorConsumerSeq as ConsumerSeq,
      streamSeq: state.floorStreamSeq as Seq,
      lastActiveUs: undefined,
    },
    numAckPending: state.pending.size,
    numRedelivered: state.numRedelivered,
    numWaiting: 0,
    pushBound: false,
  };
}
