/** Owns the clients of one consumer: they pull, ack in every way, and hold the consumer to its promises by the model. */
import type { ConsumerConfig } from '../../src/consumer/index.ts';
import { subjectFilter, type SubjectFilter } from '../../src/stream/index.ts';
import type { Complain } from './checkers.ts';
import { FloorChecker } from './checkers.ts';
import { ConsumerModel, PinModel, type Delivery } from './consumer-model.ts';
import type { EventLog } from './event-log.ts';
import type { Random } from './random.ts';
import type { OpenStream } from './simulated-node.ts';

const SECOND_NS = 1_000_000_000;
/** Of a consumer that serves one client at a time. */
const CLIENTS = 3;

interface Surroundings {
  readonly random: Random;
  readonly log: EventLog;
  readonly nowMs: () => number;
}

export class ConsumerClient {
  readonly config: ConsumerConfig;
  readonly model: ConsumerModel;
  readonly #surroundings: Surroundings;
  readonly #filter: SubjectFilter | undefined;
  readonly #pins: PinModel;
  /** What each client knows of its pin. */
  readonly #pinOf = new Map<number, string>();
  readonly #ackFloor: FloorChecker;
  readonly #delivered: FloorChecker;
  /** Of the stream, when the consumer was known to exist. */
  #lastSeqBefore: number | undefined;
  #creating = false;
  #pulls = 0;
  #answers = 0;
  #lastSource = '';

  constructor(config: ConsumerConfig, surroundings: Surroundings) {
    this.config = config;
    this.#filter = config.filterSubjects.length === 0 ? undefined : subjectFilter(config.filterSubjects);
    this.#surroundings = surroundings;
    const { log } = surroundings;
    const complain: Complain = (violation) => {
      log.complain(`consumer ${config.name}: ${violation}`);
    };
    this.model = new ConsumerModel(config, complain);
    this.#pins = new PinModel(complain);
    this.#ackFloor = new FloorChecker('the ack floor', complain);
    this.#delivered = new FloorChecker('the delivered sequence', complain);
  }

  /** Whether the consumer's filter lets the subject through. */
  wants(subject: string): boolean {
    return this.#filter?.matches(Buffer.from(subject), 0, subject.length) ?? true;
  }

  /** Whether the stream may have dropped message `seq` as far as this consumer is concerned. */
  mayBeDone(seq: number): boolean {
    if (seq <= (this.#lastSeqBefore ?? Infinity)) return true;
    const { finished } = this.model;
    return this.config.ackPolicy === 'all' ? [...finished].some((acked) => acked >= seq) : finished.has(seq);
  }

  /** Creates the consumer through a leader; tries again another time if that does not work out. */
  async create({ consumers, instance }: OpenStream): Promise<void> {
    if (this.#creating || this.#lastSeqBefore !== undefined) return;
    this.#creating = true;
    try {
      const result = await consumers.create(this.config, '');
      if (result.ok) this.#lastSeqBefore = instance.state().lastSeq;
      else this.#surroundings.log.complain(`consumer ${this.config.name}: ${result.error.description}`);
    } catch {
      // Not the leader any more: whether it was created or not, creating it again is harmless.
    } finally {
      this.#creating = false;
    }
  }

  /** The process that was asked is gone, and its answer with it. */
  forgetRequests(): void {
    this.#creating = false;
  }

  /** Does one thing that clients do. */
  act(leader: OpenStream): void {
    if (this.#lastSeqBefore === undefined) {
      void this.create(leader);
      return;
    }
    const { random } = this.#surroundings;
    if (this.config.deliverSubject === '' && random.chance(0.4)) this.#pull(leader, random.integer(1, 20));
    else this.#settleOne(leader);
  }

  /** A patient client: takes all it gets, and acks all of it. */
  drain(leader: OpenStream): void {
    if (this.#lastSeqBefore === undefined) {
      void this.create(leader);
      return;
    }
    if (this.config.deliverSubject === '') this.#pull(leader, 100);
    for (const delivery of this.model.outstanding.splice(0)) this.#doubleAck(leader, delivery);
  }

  /** Everything was delivered, and acked or given up. */
  isDone({ consumers }: OpenStream): boolean {
    const info = consumers.info(this.config.name);
    return this.#lastSeqBefore !== undefined && info?.numPending === 0 && info.numAckPending === 0;
  }

  received(
    source: string,
    to: string,
    message: { readonly seq: number; readonly reply: string; readonly pin?: string | undefined },
  ): void {
    const { log, nowMs } = this.#surroundings;
    const [attempts, seq] = message.reply.split('.').slice(4).map(Number);
    log.note(`${source} delivers ${this.config.name} ${seq!}#${attempts!}`);
    if (seq !== message.seq) log.complain(`consumer ${this.config.name}: ${message.seq} came as ${seq!}`);
    // What another leader had delivered is not known to this one in every case.
    if (source !== this.#lastSource) this.model.leaderChanged();
    this.#lastSource = source;
    if (message.pin !== undefined) this.#pinned(message.pin, Number(to.split('.')[2]));
    this.model.delivered({ seq: message.seq, attempts: attempts!, reply: message.reply }, nowMs());
  }

  #pinned(pin: string, client: number): void {
    this.#pins.delivered(pin, client);
    this.#pinOf.set(client, pin);
  }

  answered(subject: string): void {
    this.model.answered(subject);
  }

  /** Looks at what is replicated, on a node that does not lead. */
  inspect({ consumers, handle }: OpenStream): void {
    const { lastApplied, role } = handle.status;
    const info = role === 'leader' ? undefined : consumers.info(this.config.name);
    if (info === undefined) return;
    this.#ackFloor.seen(lastApplied, info.ackFloor.streamSeq);
    this.#delivered.seen(lastApplied, info.delivered.streamSeq);
  }

  #pull({ consumers }: OpenStream, batch: number): void {
    const { random } = this.#surroundings;
    const client = random.integer(0, CLIENTS);
    const wanted = { batch, expires: random.pick([0.05, 0.5]) * SECOND_NS, no_wait: random.chance(0.3) };
    const body = this.config.priorityPolicy === 'none' ? wanted : { ...wanted, group: 'g', id: this.#pinFor(client) };
    consumers.pull(this.config.name, {
      reply: `inbox.${this.config.name}.${client}.${++this.#pulls}`,
      headers: Buffer.alloc(0),
      body: Buffer.from(JSON.stringify(body)),
    });
  }

  /** A client whose pin was refused would forget it; here it does so by chance. */
  #pinFor(client: number): string {
    if (this.#surroundings.random.chance(0.3)) this.#pinOf.delete(client);
    return this.#pinOf.get(client) ?? '';
  }

  #settleOne(leader: OpenStream): void {
    const { random } = this.#surroundings;
    const { outstanding } = this.model;
    if (outstanding.length === 0) return;
    const [delivery] = outstanding.splice(random.integer(0, outstanding.length), 1) as [Delivery];
    switch (random.integer(0, 6)) {
      case 0:
        this.model.naked(delivery.seq);
        this.#ack(leader, delivery, random.pick(['-NAK', '-NAK {"delay":50000000}']));
        return;
      case 1:
        this.model.acked(delivery.seq);
        this.#ack(leader, delivery, '');
        return;
      case 2:
        // The client forgets about it.
        return;
      default:
        this.#doubleAck(leader, delivery);
    }
  }

  #doubleAck(leader: OpenStream, delivery: Delivery): void {
    const answer = `answer.${this.config.name}.${++this.#answers}`;
    this.model.asked(delivery.seq, answer);
    this.#ack(leader, delivery, '', answer);
  }

  #ack({ consumers }: OpenStream, { reply }: Delivery, payload: string, answer = ''): void {
    const prefix = reply.split('.', 4).join('.').length + 1;
    const body = Buffer.from(payload);
    consumers.ack(this.config.name, {
      subject: Buffer.from(reply),
      start: prefix,
      end: reply.length,
      open: false,
      payload: body,
      payloadStart: 0,
      payloadEnd: body.length,
      reply: answer,
    });
  }
}
