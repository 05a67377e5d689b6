/**
 * Owns what every replica knows of one consumer: how far it delivered, what is pending, which floor the acks reached. It
 * changes by the methods here only. The leader keeps a second copy that runs ahead and writes down each step
 * (progress-log.ts); the replicated copy takes the same steps when they are committed.
 */
import type { ConsumerConfig } from '../types.ts';
import type { TimestampUs } from '../../base/brand.ts';
import { AckPending } from '../acks/ack-pending.ts';

export interface ConsumerIdentity {
  /** Unique among the consumers that the stream ever had, so that a decision about one never hits its successor. */
  readonly id: number;
  readonly name: string;
  readonly createdUs: TimestampUs;
}

const NO_PIN = { id: '', sinceUs: 0 as TimestampUs };

export class ReplicatedConsumer implements ConsumerIdentity {
  readonly id: number;
  readonly name: string;
  readonly createdUs: TimestampUs;
  config: ConsumerConfig;
  deliveredConsumerSeq = 0;
  /** Highest stream sequence delivered, or passed over as start position. */
  deliveredStreamSeq: number;
  floorConsumerSeq = 0;
  floorStreamSeq: number;
  /** What lies below was passed over as its filter or position changed: it may never have been delivered. */
  passedOverBelow: number;
  pending = new AckPending();
  /** Of the client that has the consumer to itself; an empty id: none has. */
  pin: { readonly id: string; readonly sinceUs: TimestampUs } = NO_PIN;
  /** Messages out of attempts and their attempts: not pending any more, and not done either. */
  readonly exhausted = new Map<number, number>();
  /** Inboxes of waiting pull requests that the next leader has to tell of the change. */
  readonly waiting = new Set<string>();
  /** `last_per_subject`: the sequences to deliver first, ascending; empty otherwise. Set once. */
  initial: Float64Array = new Float64Array(0);

  constructor(identity: ConsumerIdentity, config: ConsumerConfig, startSeq: number) {
    this.id = identity.id;
    this.name = identity.name;
    this.createdUs = identity.createdUs;
    this.config = config;
    this.deliveredStreamSeq = startSeq - 1;
    this.floorStreamSeq = startSeq - 1;
    this.passedOverBelow = startSeq;
  }

  get numRedelivered(): number {
    return this.config.maxDeliver === 1 ? 0 : this.pending.redelivered + this.exhausted.size;
  }

  /** A first delivery. Returns its consumer sequence. */
  deliver(seq: number, nowMs: number): number {
    const consumerSeq = ++this.deliveredConsumerSeq;
    if (seq > this.deliveredStreamSeq) this.deliveredStreamSeq = seq;
    if (this.config.ackPolicy === 'none') {
      this.floorConsumerSeq = consumerSeq;
      this.floorStreamSeq = this.deliveredStreamSeq;
    } else {
      this.pending.add(seq, consumerSeq, nowMs);
    }
    return consumerSeq;
  }

  /** One more attempt. It takes a consumer sequence even if the message isn't pending any more. */
  redeliver(seq: number, nowMs: number): number {
    const at = this.pending.find(seq);
    if (at >= 0) this.pending.redeliverAt(at, nowMs);
    return ++this.deliveredConsumerSeq;
  }

  /** Acknowledged, terminated or removed. False if it was none of pending and exhausted. */
  finish(seq: number): boolean {
    const at = this.pending.find(seq);
    if (at < 0) return this.exhausted.delete(seq);
    const wasLowest = this.pending.lowest === seq;
    this.pending.removeAt(at);
    if (wasLowest) this.#raiseFloor();
    return true;
  }

  /** Acknowledges everything through `seq`, as `ack_policy: all` does. `each` is told what was pending or exhausted. */
  finishThrough(consumerSeq: number, seq: number, each?: (seq: number) => void): void {
    if (this.isDoneThrough(seq)) return;
    // First, for `each` asks whether this consumer still needs the message.
    if (seq > this.floorStreamSeq) this.floorConsumerSeq = Math.max(this.floorConsumerSeq, consumerSeq);
    this.floorStreamSeq = Math.max(this.floorStreamSeq, seq);
    this.#dropThrough(seq, each);
  }

  /** Nothing through `seq` waits for its ack. The floor may have passed messages that are out of attempts. */
  isDoneThrough(seq: number): boolean {
    if (seq > this.floorStreamSeq) return false;
    for (const exhausted of this.exhausted.keys()) if (exhausted <= seq) return false;
    return true;
  }

  /** Out of attempts. The floor that clients see stays where it is, as in the reference server. */
  exhaust(seq: number): void {
    const at = this.pending.find(seq);
    if (at < 0) return;
    this.exhausted.set(seq, this.pending.attemptsAt(at));
    this.pending.removeAt(at);
  }

  /** Restarts the ack wait as if the last delivery had been at `deliveredMs`. */
  touch(seq: number, deliveredMs: number): void {
    const at = this.pending.find(seq);
    if (at >= 0) this.pending.touchAt(at, deliveredMs);
  }

  /** Everything below `seq` left the stream. */
  removeBelow(seq: number): void {
    if (this.pending.size === 0 && this.exhausted.size === 0) return;
    const before = this.pending.lowest;
    this.#dropThrough(seq - 1);
    if (this.pending.lowest !== before) this.#raiseFloor();
  }

  /** What lay below `seq` was purged: it counts as delivered and done. */
  passOver(seq: number): void {
    this.deliveredStreamSeq = Math.max(this.deliveredStreamSeq, seq - 1);
    this.floorStreamSeq = Math.max(this.floorStreamSeq, seq - 1);
  }

  /** Whether retention must keep message `seq` for this consumer, if its filter matches. */
  needs(seq: number): boolean {
    if (this.exhausted.has(seq)) return true;
    if (this.config.ackPolicy !== 'explicit') return seq > this.floorStreamSeq;
    return seq > this.deliveredStreamSeq || this.pending.has(seq);
  }

  /** Whether message `seq`, if its filter matches, was delivered to this consumer and is done. */
  isDoneWith(seq: number): boolean {
    return seq >= this.passedOverBelow && !this.needs(seq);
  }

  /** Whether the removal of message `seq` changes anything here. */
  tracks(seq: number): boolean {
    return (this.pending.size > 0 && this.pending.has(seq)) || this.exhausted.has(seq);
  }

  tracksBelow(seq: number): boolean {
    if (this.pending.size > 0 && this.pending.lowest < seq) return true;
    for (const tracked of this.exhausted.keys()) if (tracked < seq) return true;
    return false;
  }

  /** The leader's copy, which runs ahead. */
  clone(): ReplicatedConsumer {
    const copy = new ReplicatedConsumer(this, this.config, this.deliveredStreamSeq + 1);
    copy.deliveredConsumerSeq = this.deliveredConsumerSeq;
    copy.floorConsumerSeq = this.floorConsumerSeq;
    copy.floorStreamSeq = this.floorStreamSeq;
    copy.passedOverBelow = this.passedOverBelow;
    copy.pending = this.pending.clone();
    for (const [seq, attempts] of this.exhausted) copy.exhausted.set(seq, attempts);
    for (const inbox of this.waiting) copy.waiting.add(inbox);
    copy.initial = this.initial;
    copy.pin = this.pin;
    return copy;
  }

  #dropThrough(seq: number, each?: (seq: number) => void): void {
    const pending = this.pending;
    while (pending.size > 0 && pending.lowest <= seq) {
      const done = pending.lowest;
      pending.removeAt(pending.head);
      each?.(done);
    }
    for (const done of this.exhausted.keys()) {
      if (done > seq) continue;
      this.exhausted.delete(done);
      each?.(done);
    }
  }

  /** Called when the lowest pending message is done: the floor moves to just below the next one, or to the end. */
  #raiseFloor(): void {
    if (this.pending.size === 0) {
      this.floorConsumerSeq = Math.max(this.floorConsumerSeq, this.deliveredConsumerSeq);
      this.floorStreamSeq = Math.max(this.floorStreamSeq, this.deliveredStreamSeq);
    } else {
      this.floorConsumerSeq = Math.max(this.floorConsumerSeq, this.pending.lowestFirstDelivery - 1);
      this.floorStreamSeq = Math.max(this.floorStreamSeq, this.pending.lowest - 1);
    }
  }
}
