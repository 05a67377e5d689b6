/** Owns the clients of one consumer: they pull, ack in every way, pause it and begin anew, and hold it to its promises. */
import type { TimestampUs } from '../../src/base/brand.ts';
import type { ConsumerConfig, ConsumerInfo } from '../../src/consumer/index.ts';
import type { Complain } from './checkers.ts';
import { ConsumerModel, type Delivery } from './consumer-model.ts';
import type { EventLog } from './event-log.ts';
import { PinModel } from './pin-model.ts';
import type { Random } from './random.ts';
import type { ReceivedMessage } from './recording-outlet.ts';
import type { ReferenceConsumer } from './reference-consumer.ts';
import type { OpenStream } from './simulated-node.ts';

const SECOND_NS = 1_000_000_000;
const MS_NS = 1_000_000;
/** Of a consumer that serves one client at a time. */
const CLIENTS = 3;
/** Longer than clocks jump. */
const PAUSE_US = 20 * 3_600_000_000;

interface Surroundings {
  readonly random: Random;
  readonly log: EventLog;
  readonly nowMs: () => number;
  readonly wallUs: () => number;
  /** As the committed log has the consumer; undefined: not there. */
  readonly reference: () => ReferenceConsumer | undefined;
}

export class ConsumerClient {
  readonly config: ConsumerConfig;
  readonly model: ConsumerModel;
  readonly #surroundings: Surroundings;
  readonly #complain: Complain;
  readonly #pins: PinModel;
  /** What each client knows of its pin. */
  readonly #pinOf = new Map<number, string>();
  #pulls = 0;
  #answers = 0;
  #lastSource = '';
  /** Consumer and stream sequence of the last delivery, for answers to flow control. */
  #last = { consumerSeq: 0, seq: 0 };

  constructor(config: ConsumerConfig, surroundings: Surroundings) {
    this.config = config;
    this.#surroundings = surroundings;
    this.#complain = (violation) => {
      surroundings.log.complain(`consumer ${config.name}: ${violation}`);
    };
    this.model = new ConsumerModel(config, this.#complain);
    this.#pins = new PinModel(this.#complain);
  }

  /** Does one thing that clients do. */
  act(leader: OpenStream): void {
    const { random } = this.#surroundings;
    const dice = random.next();
    if (this.#reference === undefined) this.#create(leader);
    else if (dice < 0.02) void this.#ignoringLoss(leader.consumers.reset(this.config.name, 0));
    else if (dice < 0.03) this.#pause(leader, Math.floor(this.#surroundings.wallUs() + PAUSE_US) as TimestampUs);
    else if (dice < 0.04) void this.#ignoringLoss(leader.consumers.unpin(this.config.name, 'g'));
    else if (dice < 0.1) this.#resume(leader);
    else if (this.#isPull && dice < 0.45) this.#pull(leader, random.integer(1, 20));
    else this.#settleOne(leader);
  }

  /** A patient client: takes all it gets, and acks all of it. */
  drain(leader: OpenStream): void {
    if (this.#reference === undefined) this.#create(leader);
    this.#resume(leader);
    if (this.#isPull) this.#pull(leader, 100);
    for (const delivery of this.model.outstanding.splice(0)) this.#doubleAck(leader, delivery);
  }

  /** Everything was delivered, and acked or given up. */
  isDone({ consumers }: OpenStream): boolean {
    const info = consumers.info(this.config.name);
    return info?.numPending === 0 && info.numAckPending === 0;
  }

  // ---- what comes from the consumer ----------------------------------------------------------------------------

  received(source: string, to: string, message: ReceivedMessage): void {
    const { log, nowMs } = this.#surroundings;
    const [attempts, seq, consumerSeq] = message.reply.split('.').slice(4).map(Number) as [number, number, number];
    log.note(`${source} delivers ${this.config.name} ${seq}#${attempts}`);
    if (seq !== message.seq) this.#complain(`${message.seq} came as ${seq}`);
    this.#checkAgainstLog(seq, attempts);
    // What another leader had delivered is not known to this one in every case.
    if (source !== this.#lastSource) this.model.leaderChanged();
    this.#lastSource = source;
    this.#last = { consumerSeq, seq };
    if (message.pin !== undefined) this.#pinned(message.pin, Number(to.split('.')[2]));
    this.model.delivered({ seq, attempts, reply: message.reply }, nowMs());
    if (this.config.ackPolicy === 'none' || this.config.ackPolicy === 'flow_control') this.model.outstanding.pop();
  }

  /**
   * Where attempts are limited, each is on record before a client sees it: so there is never one too many, whoever leads.
   * Otherwise it is recorded after it was sent, and all that are on record count.
   */
  #checkAgainstLog(seq: number, attempts: number): void {
    const reference = this.#reference;
    if (reference === undefined) {
      this.#complain(`${seq} came, and the consumer is deleted`);
      return;
    }
    const recorded = reference.pending.get(seq)?.attempts ?? 0;
    const isLimited = this.config.ackPolicy !== 'none' && this.config.maxDeliver > 0;
    if (isLimited ? recorded !== attempts : recorded >= attempts) {
      this.#complain(`${seq} came as attempt ${attempts}, and the log says ${recorded}`);
    }
    if (!isLimited && reference.config.pauseUntilUs !== undefined) this.#complain(`${seq} came during a pause`);
  }

  /** Clients mostly answer requests of flow control, and the question in a heartbeat whether they forgot. */
  flowAsked(leader: OpenStream, subject: string): void {
    if (this.#surroundings.random.chance(0.2)) return;
    const { consumerSeq, seq } = this.#last;
    const answer = `NATS/1.0\r\nNats-Last-Consumer: ${consumerSeq}\r\nNats-Last-Stream: ${seq}\r\n\r\n`;
    if (this.config.ackPolicy === 'flow_control') this.model.acked(seq);
    leader.consumers.flowControl(this.config.name, subject, Buffer.from(answer));
  }

  answered(subject: string): void {
    const seq = this.model.answered(subject);
    const reference = this.#reference;
    if (seq === undefined || reference === undefined) return;
    if (reference.pending.has(seq) || reference.exhausted.has(seq)) {
      this.#complain(`the ack of ${seq} was confirmed, and the log does not say so`);
    }
  }

  #pinned(pin: string, client: number): void {
    this.#pins.delivered(pin, client);
    this.#pinOf.set(client, pin);
  }

  // ---- what the log says ---------------------------------------------------------------------------------------

  /** It may deliver from `start` on, whatever was before. */
  began(start: number): void {
    this.model.reset(start - 1);
  }

  /** The consumer is deleted. */
  ended(): void {
    this.model.reset(0);
  }

  /** The log says that message `seq`, or (`through`) everything up to it, is acked. */
  finished(seq: number, through: boolean): void {
    if (through !== (this.config.ackPolicy !== 'explicit')) this.#complain(`${seq} was acked in the wrong way`);
    if (!this.model.isFinished(seq)) this.#complain(`the log says that ${seq} is acked, and nobody acked it`);
  }

  // ---- what replicas show --------------------------------------------------------------------------------------

  /** A replica that has applied everything there is shows exactly what the log makes of the consumer. */
  inspect({ consumers, handle }: OpenStream): void {
    const info = consumers.info(this.config.name);
    const reference = this.#reference;
    if (info === undefined || reference === undefined) {
      if (info !== reference) this.#complain(`it is ${info === undefined ? 'missing' : 'still there'} on a replica`);
      return;
    }
    if (handle.status.role === 'leader') this.#inspectLeader(info, reference);
    else this.#inspectFollower(info, reference);
  }

  /** A leader may be ahead of the log, and never behind it. */
  #inspectLeader(info: ConsumerInfo, reference: ReferenceConsumer): void {
    const { maxAckPending } = this.config;
    const position = info.delivered.streamSeq;
    const ahead = reference.ahead.filter((seq) => seq > position).length;
    if (info.numPending !== ahead)
      this.#complain(`the leader counts ${info.numPending} pending, and there are ${ahead}`);
    if (maxAckPending > 0 && info.numAckPending > maxAckPending) this.#complain(`${info.numAckPending} wait for acks`);
    for (const place of ['delivered', 'ackFloor'] as const) {
      const known = place === 'delivered' ? reference.delivered : reference.floor;
      if (info[place].streamSeq < known.streamSeq || info[place].consumerSeq < known.consumerSeq) {
        const shown = `${info[place].streamSeq} (${info[place].consumerSeq})`;
        this.#complain(`the leader's ${place} ${shown} is behind ${known.streamSeq} (${known.consumerSeq})`);
      }
    }
  }

  #inspectFollower(info: ConsumerInfo, reference: ReferenceConsumer): void {
    const shown = [info.numPending, info.numAckPending, info.numRedelivered];
    const known = [reference.ahead.length, reference.pending.size, reference.numRedelivered];
    if (shown.join() !== known.join())
      this.#complain(`pending, unacked, redelivered: ${shown.join()}, not ${known.join()}`);
  }

  /** Whatever is left of what it wants was delivered, or acked with others, or every attempt allowed was used up. */
  checkDelivered(served: ReadonlySet<number>): void {
    const reference = this.#reference;
    const missed = reference?.inReach.filter(
      (seq) =>
        served.has(seq) && !this.model.wasDelivered(seq) && !this.model.isFinished(seq) && !reference.isUsedUp(seq),
    );
    if (missed !== undefined && missed.length > 0) this.#complain(`never got ${missed.join(', ')}`);
  }

  // ---- what clients do -----------------------------------------------------------------------------------------

  get #isPull(): boolean {
    return this.config.deliverSubject === '';
  }

  get #reference(): ReferenceConsumer | undefined {
    return this.#surroundings.reference();
  }

  /** Whether it came about is seen in the log. */
  #create({ consumers }: OpenStream): void {
    void this.#ignoringLoss(
      consumers.create(this.config, '').then((result) => {
        if (!result.ok) this.#complain(result.error.description);
      }),
    );
  }

  #pause({ consumers }: OpenStream, untilUs: TimestampUs | undefined): void {
    void this.#ignoringLoss(consumers.pause(this.config.name, untilUs));
  }

  #resume(leader: OpenStream): void {
    if (this.#reference?.config.pauseUntilUs !== undefined) this.#pause(leader, undefined);
  }

  /** Who asked a leader that was deposed may ask again, and does so some time. */
  async #ignoringLoss(call: Promise<unknown>): Promise<void> {
    await call.catch(() => undefined);
  }

  #pull({ consumers }: OpenStream, batch: number): void {
    const { random } = this.#surroundings;
    const client = random.integer(0, CLIENTS);
    const wanted = { batch, expires: random.pick([0.05, 0.5]) * SECOND_NS, no_wait: random.chance(0.3) };
    consumers.pull(this.config.name, {
      reply: this.#inbox(client),
      headers: Buffer.alloc(0),
      body: Buffer.from(JSON.stringify({ ...wanted, ...this.#groupOfRequest(client) })),
    });
  }

  #inbox(client: number): string {
    return `inbox.${this.config.name}.${client}.${++this.#pulls}`;
  }

  #groupOfRequest(client: number): object {
    const { random } = this.#surroundings;
    switch (this.config.priorityPolicy) {
      case 'none':
        return {};
      case 'overflow':
        return { group: 'g', ...(random.chance(0.3) && { min_pending: random.integer(1, 10) }) };
      case 'prioritized':
        return { group: 'g', priority: random.integer(0, 3) };
      case 'pinned_client':
        // A client whose pin was refused would forget it; here it does so by chance.
        if (random.chance(0.3)) this.#pinOf.delete(client);
        return { group: 'g', id: this.#pinOf.get(client) ?? '' };
    }
  }

  #settleOne(leader: OpenStream): void {
    const { random, nowMs } = this.#surroundings;
    const { outstanding } = this.model;
    if (outstanding.length === 0) return;
    const [delivery] = outstanding.splice(random.integer(0, outstanding.length), 1) as [Delivery];
    switch (random.integer(0, 12)) {
      case 0:
      case 1: {
        const delayMs = random.pick([0, 50, 700]);
        this.model.naked(delivery.seq, nowMs(), delayMs);
        this.#ack(leader, delivery, delayMs === 0 ? '-NAK' : `-NAK {"delay":${delayMs * MS_NS}}`);
        return;
      }
      case 2:
        this.model.acked(delivery.seq);
        this.#ack(leader, delivery, random.pick(['', '+ACK', '+TERM']));
        return;
      case 3:
        this.model.inProgress(delivery.seq, nowMs());
        this.#ack(leader, delivery, '+WPI');
        outstanding.push(delivery);
        return;
      case 4:
        this.#ackAndAskForMore(leader, delivery);
        return;
      case 5:
        // The client forgets about it.
        return;
      default:
        this.#doubleAck(leader, delivery);
    }
  }

  #ackAndAskForMore(leader: OpenStream, delivery: Delivery): void {
    if (!this.#isPull || this.config.priorityPolicy !== 'none') return;
    this.model.acked(delivery.seq);
    this.#ack(leader, delivery, '+NXT', this.#inbox(0));
  }

  #doubleAck(leader: OpenStream, delivery: Delivery): void {
    const answer = `answer.${this.config.name}.${++this.#answers}`;
    this.model.asked(delivery.seq, answer);
    this.#ack(leader, delivery, this.#surroundings.random.pick(['', '+TERM reason']), answer);
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
