/**
 * Owns the consumers that a stream must have according to its committed log: operations and progress are replayed into
 * plain ones, and what they are done with leaves the plain stream by the rules of retention.
 */
import type { ConsumerConfig } from '../../src/consumer/index.ts';
import { ByteReader } from '../../src/consumer/state/compact-bytes.ts';
import { decodeOperation } from '../../src/consumer/state/operations.ts';
import { replaySteps } from '../../src/consumer/state/progress-log.ts';
import { SWEEP_ID } from '../../src/consumer/state/progress-recorder.ts';
import { consumerConfigsEqual, withPause } from '../../src/consumer/index.ts';
import type { Complain } from './checkers.ts';
import { ReferenceConsumer } from './reference-consumer.ts';
import type { StreamModel } from './stream-model.ts';

export interface ConsumerEvents {
  /** A consumer began, or began anew: it may deliver from `start` on. */
  began(name: string, start: number): void;
  ended(name: string): void;
  /** The log says that clients are done with message `seq`; `through`: and with all before it. */
  finished(name: string, seq: number, through: boolean): void;
}

export class ReferenceConsumers {
  readonly #stream: StreamModel;
  readonly #complain: Complain;
  readonly #consumers = new Map<string, ReferenceConsumer>();
  #lastId = 0;
  /** What an interest stream has to look at again: [from, through]. */
  #sweep: { readonly from: number; readonly through: number } | undefined;
  events: ConsumerEvents | undefined;

  constructor(stream: StreamModel, complain: Complain) {
    this.#stream = stream;
    this.#complain = complain;
    stream.needs = (subject) => this.#all.some((consumer) => consumer.wants(subject));
    stream.removed = (seq) => {
      for (const consumer of this.#all) consumer.finish(seq);
    };
    stream.purgedBelow = (first) => {
      for (const consumer of this.#all) consumer.passOver(first);
    };
  }

  get(name: string): ReferenceConsumer | undefined {
    return this.#consumers.get(name);
  }

  get names(): string[] {
    return [...this.#consumers.keys()].sort();
  }

  applyOperation(body: Buffer): void {
    const operation = decodeOperation(body);
    switch (operation.op) {
      case 'create':
        this.#create(operation.config);
        return;
      case 'pause': {
        const consumer = this.#consumers.get(operation.name);
        if (consumer !== undefined) this.#update(consumer, withPause(consumer.config, operation.untilUs));
        return;
      }
      case 'reset':
        this.#reset(operation.name, operation.seq);
        return;
      case 'delete':
        this.#delete(operation.name, operation.id);
        return;
      case 'restore':
        this.#complain('the log restores a consumer, and nobody asked for that');
    }
  }

  applyProgress(body: Buffer): void {
    const reader = new ByteReader(body);
    reader.byte();
    reader.number();
    while (!reader.atEnd) {
      const id = reader.number();
      if (id === SWEEP_ID) {
        this.#carrySweepOut();
        continue;
      }
      const steps = reader.bytes();
      const consumer = this.#all.find((each) => each.id === id);
      if (consumer !== undefined) this.#replay(consumer, new ByteReader(steps));
    }
  }

  get #all(): ReferenceConsumer[] {
    return [...this.#consumers.values()];
  }

  #replay(consumer: ReferenceConsumer, reader: ByteReader): void {
    const { name } = consumer.config;
    const floor = { ...consumer.floor };
    const ignored = (): void => undefined;
    replaySteps(reader, {
      deliver: (seq, count) => {
        for (let next = seq; next < seq + count; next++) {
          consumer.deliver(next);
          if (consumer.config.ackPolicy === 'none') this.#release(next);
        }
      },
      redeliver: (seq, count) => {
        for (let next = seq; next < seq + count; next++) consumer.redeliver(next);
      },
      finish: (seq, count) => {
        for (let next = seq; next < seq + count; next++) {
          this.events?.finished(name, next, false);
          if (consumer.finish(next)) this.#release(next);
        }
      },
      finishThrough: (consumerSeq, seq) => {
        this.events?.finished(name, seq, true);
        for (const done of consumer.finishThrough(consumerSeq, seq)) this.#release(done);
      },
      exhaust: (seq) => {
        consumer.exhaust(seq);
      },
      touch: ignored,
      wait: ignored,
      unwait: ignored,
      pin: ignored,
    });
    if (consumer.floor.streamSeq < floor.streamSeq || consumer.floor.consumerSeq < floor.consumerSeq) {
      this.#complain(`the ack floor of ${name} falls behind ${floor.streamSeq}`);
    }
  }

  #create(wanted: ConsumerConfig): void {
    const existing = this.#consumers.get(wanted.name);
    if (existing === undefined) {
      this.#begin(wanted, this.#startOf(wanted));
      return;
    }
    const config = withPause(wanted, existing.config.pauseUntilUs);
    if (!consumerConfigsEqual(existing.config, config)) this.#update(existing, config);
  }

  #begin(config: ConsumerConfig, from: { readonly start: number; readonly initial: readonly number[] }): void {
    const surroundings = { stream: this.#stream, complain: this.#complain };
    const consumer = new ReferenceConsumer(config, { id: ++this.#lastId, ...from }, surroundings);
    this.#consumers.set(config.name, consumer);
    this.events?.began(config.name, from.start);
  }

  #startOf({ deliverPolicy, filterSubjects }: ConsumerConfig): { start: number; initial: readonly number[] } {
    const { lastSeq, firstSeq } = this.#stream;
    if (deliverPolicy === 'all') return { start: Math.max(1, firstSeq), initial: [] };
    if (deliverPolicy === 'new') return { start: lastSeq + 1, initial: [] };
    if (deliverPolicy !== 'last_per_subject' || filterSubjects.length > 0) {
      this.#complain(`the log creates a consumer with deliver policy ${deliverPolicy}, and nobody asked for that`);
    }
    const last = new Map([...this.#stream.messages].map(([seq, { subject }]) => [subject, seq]));
    const initial = [...last.values()].sort((a, b) => a - b);
    return { start: initial[0] ?? Math.max(1, lastSeq), initial };
  }

  #update(consumer: ReferenceConsumer, config: ConsumerConfig): void {
    consumer.config = config;
    this.#releaseAfter(consumer);
  }

  #reset(name: string, seq: number): void {
    const before = this.#consumers.get(name);
    if (before === undefined) return;
    this.#begin(before.config, { start: seq === 0 ? before.floor.streamSeq + 1 : seq, initial: before.initial });
    this.#releaseAfter(before);
  }

  #delete(name: string, id: number | undefined): void {
    const consumer = this.#consumers.get(name);
    if (consumer === undefined || (id !== undefined && id !== consumer.id)) return;
    this.#consumers.delete(name);
    this.#releaseAfter(consumer);
    this.events?.ended(name);
  }

  // ---- retention -----------------------------------------------------------------------------------------------

  #release(seq: number): void {
    const { retention } = this.#stream.config;
    if (retention === 'limits' || (retention === 'interest' && this.#isNeeded(seq))) return;
    this.#stream.delete(seq);
  }

  #isNeeded(seq: number): boolean {
    const message = this.#stream.messages.get(seq);
    return message !== undefined && this.#all.some((each) => each.wants(message.subject) && each.needs(seq));
  }

  #releaseAfter({ floor, exhausted }: ReferenceConsumer): void {
    if (this.#stream.config.retention !== 'interest') return;
    const from = Math.min(floor.streamSeq + 1, ...exhausted.keys(), this.#sweep?.from ?? Infinity);
    this.#sweep = { from, through: this.#stream.lastSeq };
  }

  /** Streams here are so small that one step does it all. */
  #carrySweepOut(): void {
    const { from, through } = this.#sweep ?? { from: 1, through: 0 };
    this.#sweep = undefined;
    for (const seq of [...this.#stream.messages.keys()]) {
      if (seq >= from && seq <= through && !this.#isNeeded(seq)) this.#stream.delete(seq);
    }
  }
}
