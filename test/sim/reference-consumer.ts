/**
 * Owns one consumer as plain as can be: maps of what is pending and what is out of attempts, and the rules by which they
 * and the floor move. It takes the steps that the committed log holds, and complains about those that it must not hold.
 */
import type { ArchivedConsumerState, ConsumerConfig } from '../../src/consumer/index.ts';
import { subjectFilter, type SubjectFilter } from '../../src/stream/index.ts';
import type { Complain } from './checkers.ts';
import type { StreamModel } from './stream-model.ts';

interface PendingMessage {
  /** Consumer sequence of the first delivery. */
  readonly first: number;
  attempts: number;
}

interface Place {
  consumerSeq: number;
  streamSeq: number;
}

export class ReferenceConsumer {
  readonly id: number;
  /** The first sequence that it may deliver. */
  readonly start: number;
  /** `last_per_subject`: what it delivers first. */
  readonly initial: readonly number[];
  config: ConsumerConfig;
  readonly pending = new Map<number, PendingMessage>();
  /** Attempts of messages that get no other one. */
  readonly exhausted = new Map<number, number>();
  readonly delivered: Place;
  readonly floor: Place;
  readonly #stream: StreamModel;
  readonly #filter: SubjectFilter | undefined;
  readonly #complain: Complain;

  constructor(
    config: ConsumerConfig,
    from: { readonly id: number; readonly start: number; readonly initial: readonly number[] },
    surroundings: { readonly stream: StreamModel; readonly complain: Complain },
  ) {
    this.config = config;
    this.id = from.id;
    this.start = from.start;
    this.initial = from.initial;
    this.delivered = { consumerSeq: 0, streamSeq: from.start - 1 };
    this.floor = { ...this.delivered };
    this.#filter = config.filterSubjects.length === 0 ? undefined : subjectFilter(config.filterSubjects);
    this.#stream = surroundings.stream;
    this.#complain = (violation) => {
      surroundings.complain(`the log moves consumer ${config.name}: ${violation}`);
    };
  }

  wants(subject: string): boolean {
    return this.#filter?.matches(Buffer.from(subject), 0, subject.length) ?? true;
  }

  /** Live messages that are for it, delivered or not, ascending. */
  get inReach(): number[] {
    const last = this.initial.at(-1) ?? 0;
    return this.#stream
      .matching((subject) => this.wants(subject))
      .filter((seq) => seq >= this.start && (seq > last || this.initial.includes(seq)));
  }

  /** Those that it has yet to deliver. */
  get ahead(): number[] {
    return this.inReach.filter((seq) => seq > this.delivered.streamSeq);
  }

  get numRedelivered(): number {
    const redelivered = [...this.pending.values()].filter(({ attempts }) => attempts > 1).length;
    return this.config.maxDeliver === 1 ? 0 : redelivered + this.exhausted.size;
  }

  /** No attempt is left, or will be left once its ack wait is over. */
  isUsedUp(seq: number): boolean {
    const attempts = this.pending.get(seq)?.attempts ?? 0;
    return this.exhausted.has(seq) || (this.config.maxDeliver > 0 && attempts >= this.config.maxDeliver);
  }

  /** Whether retention must keep message `seq`, whose subject it wants. */
  needs(seq: number): boolean {
    if (this.exhausted.has(seq)) return true;
    if (this.config.ackPolicy !== 'explicit') return seq > this.floor.streamSeq;
    return seq > this.delivered.streamSeq || this.pending.has(seq);
  }

  /** In the form in which a replica shows its own. */
  archived(): ArchivedConsumerState {
    return {
      deliveredConsumerSeq: this.delivered.consumerSeq,
      deliveredStreamSeq: this.delivered.streamSeq,
      floorConsumerSeq: this.floor.consumerSeq,
      floorStreamSeq: this.floor.streamSeq,
      pending: [...this.pending]
        .sort(([a], [b]) => a - b)
        .map(([streamSeq, { first, attempts }]) => ({ streamSeq, consumerSeq: first, attempts })),
    };
  }

  // ---- steps ---------------------------------------------------------------------------------------------------

  deliver(seq: number): void {
    const { ackPolicy, maxAckPending } = this.config;
    this.#checkOrder(seq);
    const consumerSeq = ++this.delivered.consumerSeq;
    this.delivered.streamSeq = Math.max(this.delivered.streamSeq, seq);
    if (ackPolicy === 'none') {
      Object.assign(this.floor, this.delivered);
      return;
    }
    this.pending.set(seq, { first: consumerSeq, attempts: 1 });
    if (!this.#stream.messages.has(seq)) this.finish(seq);
    if (maxAckPending > 0 && this.pending.size > maxAckPending) this.#complain(`${this.pending.size} are pending`);
  }

  /** Every message in its turn, and only those that match. What is gone by now may have been there for the leader. */
  #checkOrder(seq: number): void {
    if (seq > this.#stream.lastSeq)
      this.#complain(`${seq} is delivered, and the stream ends at ${this.#stream.lastSeq}`);
    if (!this.#stream.messages.has(seq)) return;
    const [next] = this.ahead;
    if (next !== seq) this.#complain(`${seq} is delivered, and ${next ?? 'nothing'} comes next`);
  }

  redeliver(seq: number): void {
    this.delivered.consumerSeq++;
    const message = this.pending.get(seq);
    if (message === undefined) return;
    message.attempts++;
    const { maxDeliver } = this.config;
    if (maxDeliver > 0 && message.attempts > maxDeliver) this.#complain(`${seq} gets attempt ${message.attempts}`);
  }

  /** True if it was not done before. */
  finish(seq: number): boolean {
    if (this.exhausted.delete(seq)) return true;
    const lowest = this.#lowest;
    if (!this.pending.delete(seq)) return false;
    if (seq === lowest) this.#raiseFloor();
    return true;
  }

  /** What is done by it. */
  finishThrough(consumerSeq: number, seq: number): number[] {
    if (seq > this.floor.streamSeq) {
      this.floor.consumerSeq = Math.max(this.floor.consumerSeq, consumerSeq);
      this.floor.streamSeq = seq;
    }
    const done = [...this.pending.keys(), ...this.exhausted.keys()].filter((each) => each <= seq);
    for (const each of done) {
      this.pending.delete(each);
      this.exhausted.delete(each);
    }
    return done;
  }

  exhaust(seq: number): void {
    const message = this.pending.get(seq);
    if (message === undefined) return;
    const { maxDeliver } = this.config;
    if (message.attempts < maxDeliver) this.#complain(`${seq} is given up after ${message.attempts} attempts`);
    this.exhausted.set(seq, message.attempts);
    this.pending.delete(seq);
  }

  /** Everything below `first` was purged. */
  passOver(first: number): void {
    this.delivered.streamSeq = Math.max(this.delivered.streamSeq, first - 1);
    this.floor.streamSeq = Math.max(this.floor.streamSeq, first - 1);
  }

  get #lowest(): number {
    return Math.min(...this.pending.keys());
  }

  #raiseFloor(): void {
    const lowest = this.#lowest;
    const next = this.pending.get(lowest);
    const consumerSeq = next === undefined ? this.delivered.consumerSeq : next.first - 1;
    const streamSeq = next === undefined ? this.delivered.streamSeq : lowest - 1;
    this.floor.consumerSeq = Math.max(this.floor.consumerSeq, consumerSeq);
    this.floor.streamSeq = Math.max(this.floor.streamSeq, streamSeq);
  }
}
