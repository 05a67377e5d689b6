/**
 * Owns the leader's copy of a consumer's state, which runs ahead of the replicated one: every step on it is noted for the
 * log in the same breath, so the two can't part. What is to be delivered again, and what waits for its record before it is
 * sent, is kept here as well: the end of a message ends that too.
 */
import type { TimestampUs } from '../../base/brand.ts';
import { HeldDeliveries } from '../delivery/held-deliveries.ts';
import { ProgressLog } from './progress-log.ts';
import { RedeliveryQueue } from '../delivery/redelivery.ts';
import type { ReplicatedConsumer } from './replicated-state.ts';

/** Held longer than this, a message's new ack wait is worth a note. */
const NOTED_HOLD_MS = 20;

export interface LedgerListener {
  /** A step was noted. */
  noted(): void;
  /** A pending message has to be acked until `deadlineMs`. */
  ackExpected(deadlineMs: number): void;
}

export class Ledger {
  readonly state: ReplicatedConsumer;
  readonly log = new ProgressLog();
  readonly redelivery = new RedeliveryQueue();
  readonly held = new HeldDeliveries();
  readonly #replicated: ReplicatedConsumer;
  readonly #listener: LedgerListener;

  constructor(replicated: ReplicatedConsumer, listener: LedgerListener) {
    this.#replicated = replicated;
    this.state = replicated.clone();
    this.#listener = listener;
  }

  /** No new message may become pending. */
  get full(): boolean {
    const { maxAckPending, ackPolicy } = this.state.config;
    return maxAckPending > 0 && ackPolicy !== 'none' && this.state.pending.size >= maxAckPending;
  }

  /** Whether no attempt is allowed after this many. */
  isLast(attempts: number): boolean {
    const { maxDeliver } = this.state.config;
    return maxDeliver > 0 && attempts >= maxDeliver;
  }

  /** How long an ack may take after so many attempts; Infinity: as long as it likes. */
  ackWaitMs(attempts: number): number {
    const { ackPolicy, backoffMs, ackWaitMs } = this.state.config;
    if (ackPolicy === 'flow_control') return Infinity;
    return backoffMs.length === 0 ? ackWaitMs : backoffMs[Math.min(attempts, backoffMs.length) - 1]!;
  }

  deliver(seq: number, nowMs: number): void {
    const known = !this.log.empty;
    this.state.deliver(seq, nowMs);
    this.log.deliver(seq, nowMs);
    this.#delivered(1, nowMs, known);
  }

  /** `seq` is at the head of the redelivery queue. */
  redeliver(seq: number, attempts: number, nowMs: number): void {
    const known = !this.log.empty;
    this.redelivery.take(seq);
    this.state.redeliver(seq, nowMs);
    this.log.redeliver(seq, nowMs);
    this.#delivered(attempts, nowMs, known);
  }

  /** False if the message was done before. */
  finish(seq: number): boolean {
    if (!this.state.finish(seq)) return false;
    const known = !this.log.empty;
    this.log.finish(seq);
    this.redelivery.delete(seq);
    if (!known) this.#listener.noted();
    return true;
  }

  finishThrough(consumerSeq: number, seq: number): void {
    if (this.state.isDoneThrough(seq)) return;
    this.state.finishThrough(consumerSeq, seq);
    this.log.finishThrough(consumerSeq, seq);
    this.redelivery.deleteThrough(seq);
    this.#listener.noted();
  }

  /** Out of attempts. */
  exhaust(seq: number): void {
    this.state.exhaust(seq);
    this.log.exhaust(seq);
    this.#listener.noted();
  }

  /** The ack wait counts from `deliveredMs`. */
  touch(seq: number, deliveredMs: number): void {
    const at = this.state.pending.find(seq);
    if (at < 0) return;
    const attempts = this.state.pending.attemptsAt(at);
    this.state.touch(seq, deliveredMs);
    this.log.touch(seq, deliveredMs);
    this.#listener.noted();
    this.#listener.ackExpected(deliveredMs + this.ackWaitMs(attempts));
  }

  pin(id: string, sinceUs: TimestampUs): void {
    this.state.pin = { id, sinceUs };
    this.log.pin(id, sinceUs);
    this.#listener.noted();
  }

  /** A delivery that was held is sent only now: its ack wait begins. */
  sentHeld(seq: number, nowMs: number): void {
    const at = this.state.pending.find(seq);
    if (at < 0) return;
    if (nowMs - this.state.pending.deliveredMsAt(at) > NOTED_HOLD_MS) this.touch(seq, nowMs);
    else this.state.touch(seq, nowMs);
    this.#listener.ackExpected(nowMs + this.ackWaitMs(this.state.pending.attempts(seq)));
  }

  /** The message left the stream, which every replica sees for itself: nothing is noted. */
  removed(seq: number): void {
    this.state.finish(seq);
    this.redelivery.delete(seq);
    this.followFloor();
  }

  removedBelow(seq: number, purge: boolean): void {
    this.state.removeBelow(seq);
    if (purge) this.state.passOver(seq);
    this.redelivery.deleteThrough(seq - 1);
    this.followFloor();
  }

  /** What leaves the stream between a step and its record may let the floor rise in the replicated state alone. */
  followFloor(): void {
    const { floorConsumerSeq, floorStreamSeq } = this.#replicated;
    this.state.floorConsumerSeq = Math.max(this.state.floorConsumerSeq, floorConsumerSeq);
    this.state.floorStreamSeq = Math.max(this.state.floorStreamSeq, floorStreamSeq);
  }

  /** `known`: there were steps that wait for their record before this one, which they take along. */
  #delivered(attempts: number, nowMs: number, known: boolean): void {
    if (!known) this.#listener.noted();
    if (this.state.config.ackPolicy !== 'none') this.#listener.ackExpected(nowMs + this.ackWaitMs(attempts));
  }
}
