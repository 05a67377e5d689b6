/**
 * Owns the way of messages from the stream to whoever asked for them: redeliveries before new messages, a reply subject
 * for each, and where attempts are limited only after their record. Keeps count of what is still to come.
 */
import type { Seq, TimestampUs } from '../../base/brand.ts';
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import { emptyStoredMessage, type ExtensionHost, type StoredMessage, type SubjectFilter } from '../../stream/index.ts';
import type { AckSampling } from '../acks/ack-sampling.ts';
import { AckReplyWriter } from '../acks/ack-subject.ts';
import type { HeldDelivery } from './held-deliveries.ts';
import type { Ledger } from '../state/ledger.ts';
import { headersOnly, wholeMessage, withHeader } from './message-parts.ts';
import { MessageSource } from './message-source.ts';
import { Pacing } from './pacing.ts';
import type { PullQueue, PullRequest, Readiness } from '../pull/pull-queue.ts';
import type { PushTarget } from './push-target.ts';
import type { ReplySubjects } from '../acks/reply-subjects.ts';
import type { Outlet } from '../types.ts';

/** Steps that wait for their record: beyond this, deliveries wait too. */
const MAX_UNRECORDED_BYTES = 128 * 1024;
/** How long a reader that is too slow is left alone. */
const CONGESTION_RETRY_MS = 5;
/** Of a rate limit, when the stream doesn't say how large messages get. */
const DEFAULT_BURST_BYTES = 1024 * 1024;
/** Counts for the budget of a turn, though nobody took it. */
const UNTAKEN_BYTES = 1;
const COUNT_ANEW = -1;

export interface DispatchServices {
  readonly stream: ExtensionHost;
  readonly outlet: Outlet;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly replies: ReplySubjects;
  readonly nowMs: () => number;
}

export interface DispatchEffects {
  wake(): void;
  /** Delivery can go on at `atMs`, not before. */
  retryAt(atMs: number): void;
  /** An attempt waits for its record. */
  held(): void;
  /** A message is out of attempts. */
  giveUp(seq: number, attempts: number): void;
}

/** What is left of a turn. Reused. */
export interface DeliveryBudget {
  messages: number;
  bytes: number;
}

export class Dispatcher {
  readonly #services: DispatchServices;
  readonly #effects: DispatchEffects;
  readonly #ledger: Ledger;
  readonly #pulls: PullQueue;
  readonly #sampling: AckSampling;
  /** Undefined for pull consumers. */
  push: PushTarget | undefined;
  readonly #source: MessageSource;
  readonly #reply: AckReplyWriter;
  /** For messages that are delivered again. */
  readonly #view = emptyStoredMessage();
  readonly #onReady: () => void;
  #pacing: Pacing | undefined;
  #numPending = COUNT_ANEW;
  /** Nothing new was left at the last look. */
  #atEnd = false;
  /** Wall time of the last delivery. */
  lastUs: TimestampUs | undefined;

  constructor(
    services: DispatchServices,
    ledger: Ledger,
    options: {
      readonly pulls: PullQueue;
      readonly filter: SubjectFilter | undefined;
      readonly sampling: AckSampling;
      readonly effects: DispatchEffects;
    },
  ) {
    const { state } = ledger;
    this.#services = services;
    this.#effects = options.effects;
    this.#ledger = ledger;
    this.#pulls = options.pulls;
    this.#sampling = options.sampling;
    this.#onReady = () => {
      this.#effects.wake();
    };
    this.#source = new MessageSource(services.stream, {
      position: state.deliveredStreamSeq + 1,
      initial: state.initial,
      filter: options.filter,
      onReady: this.#onReady,
    });
    this.#reply = new AckReplyWriter(services.replies.ack, state.name);
    this.restartPacing();
  }

  /** Last stream sequence that was looked at. */
  get lastSeq(): number {
    const seen = Math.max(this.#ledger.state.deliveredStreamSeq, this.#source.position - 1);
    return this.#atEnd ? Math.max(seen, this.#services.stream.state().lastSeq) : seen;
  }

  // ---- counting ------------------------------------------------------------------------------------------------

  /** Messages never delivered yet. */
  numPending(): number {
    if (this.#numPending === COUNT_ANEW) this.#numPending = this.#source.count();
    return this.#numPending;
  }

  /** What a pull request could get right now. */
  available(): number {
    return this.numPending() + this.#ledger.redelivery.size;
  }

  stored(first: number, last: number, count: number): void {
    if (this.#numPending !== COUNT_ANEW && this.#source.isAhead(last)) {
      // A position in the future lies among them: nobody knows how many of those that match are below it.
      this.#numPending = this.#source.isAhead(first) ? this.#numPending + count : COUNT_ANEW;
    }
    this.#atEnd = false;
  }

  countAnew(): void {
    this.#numPending = COUNT_ANEW;
    this.#atEnd = false;
  }

  isAhead(seq: number): boolean {
    return this.#source.isAhead(seq);
  }

  /** A live message that was not delivered is gone. `matches` undefined: nobody knows whether it counted. */
  removed(seq: number, matches: boolean | undefined): void {
    if (this.#numPending === COUNT_ANEW || matches === false || !this.isAhead(seq)) return;
    this.#numPending = matches === undefined ? COUNT_ANEW : Math.max(0, this.#numPending - 1);
  }

  removedBelow(seq: number): void {
    if (this.#source.position < seq) this.#numPending = COUNT_ANEW;
  }

  setFilter(filter: SubjectFilter | undefined): void {
    this.#source.setFilter(filter);
    this.countAnew();
  }

  restartPacing(): void {
    const { stream } = this.#services;
    const { config } = this.#ledger.state;
    this.#pacing = Pacing.needed(config)
      ? new Pacing(config, {
          nowMs: this.#services.nowMs(),
          lastSeq: stream.state().lastSeq,
          burstBytes: stream.config.maxMsgSize > 0 ? stream.config.maxMsgSize : DEFAULT_BURST_BYTES,
        })
      : undefined;
  }

  // ---- delivering ----------------------------------------------------------------------------------------------

  /** Delivers within `budget`. True: there is more to deliver in another turn. */
  deliver(budget: DeliveryBudget): boolean {
    const nowMs = this.#services.nowMs();
    const nowUs = this.#services.runtime.wallUs();
    while (budget.messages > 0 && budget.bytes > 0) {
      if (this.#ledger.state.config.priorityPolicy === 'pinned_client' && !this.#hasMessage()) return false;
      const readiness = this.#readiness(nowMs);
      if (readiness === 'congested') this.#effects.retryAt(nowMs + CONGESTION_RETRY_MS);
      // Where the limit of pending acks is what holds them up, they wait like others.
      if (readiness === 'passedOver' && !this.#isHeldUp) this.#pulls.endUnwilling();
      if (readiness !== 'ready' || this.#ledger.log.bytes > MAX_UNRECORDED_BYTES) return false;
      const bytes = this.#deliverNext(nowMs);
      if (bytes === 0) return false;
      this.lastUs = nowUs;
      budget.messages--;
      budget.bytes -= bytes;
    }
    return true;
  }

  /** Nobody is to be pinned before there is a message to serve. */
  #hasMessage(): boolean {
    if (this.#ledger.redelivery.size > 0) return true;
    if (this.#isHeldUp) return false;
    if (this.numPending() > 0) return true;
    this.#pulls.endUnwilling();
    return false;
  }

  /** Acks are waited for before anything is delivered. */
  get #isHeldUp(): boolean {
    return this.#ledger.full && this.#ledger.redelivery.size === 0;
  }

  #readiness(nowMs: number): Readiness {
    return this.push === undefined ? this.#pulls.ready(nowMs) : this.push.ready();
  }

  /** Bytes of the message that was delivered; 0 if there was none, or nobody to take it. */
  #deliverNext(nowMs: number): number {
    const { redelivery } = this.#ledger;
    const again = redelivery.size > 0 ? this.#nextRedelivery(nowMs) : 'none';
    if (again === 'wait') return 0;
    if (again !== 'none') return this.#send(this.#view, again, nowMs);
    if (this.#ledger.full) return 0;
    const step = this.#atEnd ? 'end' : this.#nextNew();
    if (step === 'wait') return 0;
    if (step === 'end') {
      this.#atEnd = true;
      this.#pulls.endUnwilling();
      return 0;
    }
    const bytes = this.#send(this.#source.view, 1, nowMs);
    if (bytes === 0) this.#source.putBack();
    return bytes;
  }

  #nextNew(): 'message' | 'end' | 'wait' {
    for (;;) {
      const step = this.#source.next();
      if (step !== 'lost') return step;
      this.#numPending = COUNT_ANEW;
      this.#services.logger.error({ consumer: this.#ledger.state.name, seq: this.#source.position }, 'message_lost');
    }
  }

  /** Reads the next message to deliver again into `#view`; says which attempt it is. */
  #nextRedelivery(nowMs: number): number | 'none' | 'wait' {
    const { redelivery, state } = this.#ledger;
    for (let seq = redelivery.peek(); seq !== undefined; seq = redelivery.peek()) {
      const attempts = state.pending.attempts(seq);
      if (attempts === 0 || this.#ledger.isLast(attempts)) {
        redelivery.take(seq);
        if (attempts > 0) this.#effects.giveUp(seq, attempts);
        continue;
      }
      const step = this.#services.stream.read(seq as Seq, this.#view, this.#onReady);
      if (step === 'message') return attempts + 1;
      if (step === 'wait') return 'wait';
      redelivery.take(seq);
      // Nobody can read it now; another replica may have repaired it when its wait is over again.
      if (step === 'lost') this.#ledger.touch(seq, nowMs);
    }
    return 'none';
  }

  /** Sends `message` to whoever is first, as attempt number `attempts`. Returns its size, or 0 if nobody wants it now. */
  #send(message: StoredMessage, attempts: number, nowMs: number): number {
    const { state } = this.#ledger;
    const left = attempts === 1 ? this.#numBehind() : this.numPending();
    const consumerSeq = state.deliveredConsumerSeq + 1;
    const replyBytes = this.#reply.write(attempts, message.seq, consumerSeq, message.timestampUs, left);
    const bytes = replyBytes + this.#contentBytes(message);
    if (this.#pacing !== undefined && !this.#paced(this.#pacing, message, bytes, nowMs)) return 0;
    let request: PullRequest | undefined;
    if (this.push === undefined) {
      request = this.#pulls.accept(bytes, nowMs);
      if (request === undefined) return 0;
    }
    if (attempts === 1) {
      this.#ledger.deliver(message.seq, nowMs);
      this.#numPending = left;
    } else {
      this.#ledger.redeliver(message.seq, attempts, nowMs);
    }
    if (this.#needsRecord) {
      this.#ledger.held.hold({ seq: message.seq, consumerSeq, attempts, left, request });
      this.#effects.held();
    } else if (!this.#hand(request ?? this.push!, message, replyBytes)) {
      this.#notTaken(message.seq, request);
      return UNTAKEN_BYTES;
    } else {
      this.#sampling.delivered(message.seq);
    }
    if (request !== undefined) this.#pulls.charge(request, bytes, nowMs);
    else this.#chargePush(this.push!, bytes - (message.headersStart - message.subjectStart), nowMs);
    return bytes;
  }

  #chargePush(push: PushTarget, bytes: number, nowMs: number): void {
    push.charge(bytes, nowMs);
    // No more goes out before acks come, and they come as answers.
    if (this.#ledger.full && this.#ledger.state.config.ackPolicy === 'flow_control') push.requestFlow();
  }

  /** Messages never delivered yet, without the one that the source has just passed. */
  #numBehind(): number {
    return this.#numPending === COUNT_ANEW ? this.#source.count() : Math.max(0, this.#numPending - 1);
  }

  #contentBytes(message: StoredMessage): number {
    if (!this.#ledger.state.config.headersOnly) return message.end - message.subjectStart;
    const parts = headersOnly(message);
    return parts.subject.length + parts.headers.length;
  }

  /** False: too early. */
  #paced(pacing: Pacing, message: StoredMessage, bytes: number, nowMs: number): boolean {
    const allowedAtMs = pacing.allowedAtMs(message, bytes, nowMs);
    if (allowedAtMs <= nowMs) {
      pacing.sent(message, bytes, nowMs);
      return true;
    }
    this.#effects.retryAt(Math.ceil(allowedAtMs));
    return false;
  }

  /** The reply subject is in `#reply`. */
  #hand(to: PullRequest | PushTarget, message: StoredMessage, replyBytes: number): boolean {
    const { outlet } = this.#services;
    const { config } = this.#ledger.state;
    const pinned = config.priorityPolicy === 'pinned_client' && 'pinId' in to;
    if (!config.headersOnly && !pinned) {
      return outlet.deliver(to.target, message, this.#reply.buffer, replyBytes);
    }
    let parts = config.headersOnly ? headersOnly(message) : wholeMessage(message);
    if (pinned) parts = withHeader(parts, `Nats-Pin-Id: ${to.pinId}`);
    return outlet.deliverParts(to.target, { ...parts, reply: this.#reply.text(replyBytes) });
  }

  /**
   * Nobody was there to take a message: the next request gets it at once. Push consumers wait for the ack wait, and
   * without acks it is lost for this consumer.
   */
  #notTaken(seq: number, request: PullRequest | undefined): void {
    if (request === undefined) return;
    if (this.#ledger.state.config.ackPolicy !== 'none') this.#ledger.redelivery.push(seq);
    this.#pulls.abandon(request);
  }

  // ---- attempts that wait for their record -----------------------------------------------------------------------

  get #needsRecord(): boolean {
    const { ackPolicy, direct, maxDeliver } = this.#ledger.state.config;
    return ackPolicy !== 'none' && maxDeliver > 0 && !direct;
  }

  beforeRecord(): void {
    this.#ledger.held.beforeRecord();
  }

  afterRecord(): void {
    this.#ledger.held.afterRecord();
    if (!this.#ledger.held.anyRecorded) return;
    // A record says that this node led when it was made, not that it does still.
    if (this.#services.stream.leadsForSure()) this.sendRecorded();
    else this.#effects.wake();
  }

  /** Only in a turn to deliver, or otherwise sure to lead still. */
  sendRecorded(): void {
    if (this.#ledger.held.anyRecorded) this.#ledger.held.drain((held) => this.#sendHeld(held));
  }

  #sendHeld(held: HeldDelivery): 'done' | 'wait' {
    const { seq, request } = held;
    // An ack of an earlier attempt may have come while this one waited.
    if (this.#ledger.state.pending.has(seq)) {
      const step = this.#services.stream.read(seq as Seq, this.#view, this.#onReady);
      if (step === 'wait') return 'wait';
      const to = request ?? this.push;
      if (step === 'message' && to !== undefined) {
        const { attempts, consumerSeq, left } = held;
        const { timestampUs } = this.#view;
        const replyBytes = this.#reply.write(attempts, seq, consumerSeq, timestampUs, left);
        if (this.#hand(to, this.#view, replyBytes)) this.#sentHeld(seq);
        else this.#notTaken(seq, request);
      }
    }
    if (request !== undefined) this.#pulls.release(request);
    return 'done';
  }

  #sentHeld(seq: number): void {
    this.#ledger.sentHeld(seq, this.#services.nowMs());
    this.#sampling.delivered(seq);
  }

  close(): void {
    this.#ledger.held.close();
    this.#source.close();
  }
}
