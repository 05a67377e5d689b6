/**
 * Owns what any client may expect of one consumer, told by a naive bookkeeper: it sees deliveries, acks and answers, knows
 * nothing of logs and leaders, and complains when a promise is broken.
 */
import type { ConsumerConfig } from '../../src/consumer/index.ts';

export interface Delivery {
  readonly seq: number;
  readonly attempts: number;
  readonly reply: string;
}

interface Story {
  deliveries: number;
  attempts: number;
  /** It must not come again earlier. -Infinity: it may at any time, as after a change of leaders. */
  notBeforeMs: number;
}

/** Which of these counts: the ack wait, or for each attempt its own. */
export type ModelRules = Pick<ConsumerConfig, 'ackPolicy' | 'ackWaitMs' | 'backoffMs' | 'maxDeliver'>;

export class ConsumerModel {
  readonly #rules: ModelRules;
  readonly #stories = new Map<number, Story>();
  /** Double acks out, by the subject that their answer comes to. */
  readonly #asked = new Map<string, number>();
  readonly #confirmed = new Set<number>();
  readonly #finished = new Set<number>();
  /** Of a consumer that acks all: everything through here. */
  #confirmedThrough = 0;
  #finishedThrough = 0;
  readonly outstanding: Delivery[] = [];
  readonly violations: string[] = [];
  readonly #complain: (violation: string) => void;

  constructor(
    rules: ModelRules,
    complain = (violation: string): void => {
      this.violations.push(violation);
    },
  ) {
    this.#rules = rules;
    this.#complain = complain;
  }

  wasDelivered(seq: number): boolean {
    return this.#stories.has(seq);
  }

  /** Acked or terminated by the client, confirmed or not. */
  isFinished(seq: number): boolean {
    return this.#finished.has(seq) || seq <= this.#finishedThrough;
  }

  /** Acked or terminated for sure: it must never come again. */
  isConfirmed(seq: number): boolean {
    return this.#confirmed.has(seq) || seq <= this.#confirmedThrough;
  }

  delivered(delivery: Delivery, nowMs: number): void {
    const { seq, attempts } = delivery;
    const story = this.#stories.get(seq) ?? { deliveries: 0, attempts: 0, notBeforeMs: -Infinity };
    this.#stories.set(seq, story);
    if (this.isConfirmed(seq)) this.#complain(`${seq} came again after its ack was confirmed`);
    const { maxDeliver } = this.#rules;
    story.deliveries++;
    story.attempts = attempts;
    if (maxDeliver > 0 && Math.max(attempts, story.deliveries) > maxDeliver) {
      this.#complain(`${seq} came ${story.deliveries} times, and says it is attempt ${attempts}`);
    }
    if (nowMs < story.notBeforeMs) this.#complain(`${seq} came again ${story.notBeforeMs - nowMs} ms early`);
    story.notBeforeMs = nowMs + this.#waitMs(attempts);
    this.outstanding.push(delivery);
  }

  /** A double ack, or a termination that wants an answer, is on its way. */
  asked(seq: number, answerTo: string): void {
    this.acked(seq);
    this.#asked.set(answerTo, seq);
  }

  acked(seq: number): void {
    if (this.#rules.ackPolicy === 'explicit') this.#finished.add(seq);
    else this.#finishedThrough = Math.max(this.#finishedThrough, seq);
  }

  /** It may come again after `delayMs`; if that is 0, at once. */
  naked(seq: number, nowMs: number, delayMs = 0): void {
    const story = this.#stories.get(seq);
    // That of an earlier leader's delivery, or of one that another ack covers, counts for nothing: it puts nothing off.
    if (story !== undefined) story.notBeforeMs = Math.min(story.notBeforeMs, nowMs + delayMs);
  }

  /** The client said that it needs more time. */
  inProgress(seq: number, nowMs: number): void {
    const attempts = this.#stories.get(seq)?.attempts ?? 1;
    this.#delayed(seq, nowMs, nowMs + this.#waitMs(attempts));
  }

  /** An empty answer arrived. The sequence that it confirms, if any. */
  answered(subject: string): number | undefined {
    const seq = this.#asked.get(subject);
    if (seq === undefined) return undefined;
    if (this.#rules.ackPolicy === 'explicit') this.#confirmed.add(seq);
    else this.#confirmedThrough = Math.max(this.#confirmedThrough, seq);
    return seq;
  }

  /** The consumer began anew behind `floor`: what it delivers from there on is a story of its own. */
  reset(floor: number): void {
    for (const seq of [...this.#stories.keys()]) {
      if (seq <= floor) continue;
      this.#stories.delete(seq);
      this.#confirmed.delete(seq);
      this.#finished.delete(seq);
    }
    this.#confirmedThrough = Math.min(this.#confirmedThrough, floor);
    this.#finishedThrough = Math.min(this.#finishedThrough, floor);
    this.#asked.clear();
    this.outstanding.length = 0;
  }

  /** What the old leader did and didn't record may be done again. */
  leaderChanged(): void {
    for (const story of this.#stories.values()) story.notBeforeMs = -Infinity;
  }

  /** Where the wait is over, another attempt may be on its way already. */
  #delayed(seq: number, nowMs: number, notBeforeMs: number): void {
    const story = this.#stories.get(seq);
    if (story !== undefined && nowMs < story.notBeforeMs) story.notBeforeMs = notBeforeMs;
  }

  #waitMs(attempts: number): number {
    const { ackPolicy, ackWaitMs, backoffMs } = this.#rules;
    if (ackPolicy === 'none' || ackPolicy === 'flow_control') return Infinity;
    return backoffMs.length === 0 ? ackWaitMs : backoffMs[Math.min(attempts, backoffMs.length) - 1]!;
  }
}
