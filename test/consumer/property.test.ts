import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubjectMatcher } from '../../src/base/subjects.ts';
import type { ConsumerInfo } from '../../src/consumer/index.ts';
import { ConsumerModel } from '../sim/consumer-model.ts';
import { PinModel } from '../sim/pin-model.ts';
import { Random } from '../sim/random.ts';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';
import type { Sent } from './fake-outlet.ts';
import { place } from './scenario.ts';

const RUNS = 60;
const ACTIONS = 250;
const SUBJECTS = ['a', 'b', 'a.x', 'c.y'];
/** Of a few milliseconds: enough for a message at a time, and for every ack wait. */
const SETTLING_ROUNDS = 1000;
const SECOND_NS = 1_000_000_000;
const CLIENTS = 3;

/** One random life of a group with one consumer; every step is checked against the model. */
class Life {
  readonly random: Random;
  readonly group: FakeGroup;
  readonly model: ConsumerModel;
  readonly pins: PinModel;
  /** What each client knows of its pin. */
  readonly #pinOf = new Map<number, string>();
  #client = 0;
  readonly config;
  #pulls = 0;
  #answers = 0;
  #floor = 0;
  #delivered = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.config = consumerConfig({
      ackWaitMs: this.random.pick([50, 200, 1000]),
      maxDeliver: this.random.pick([-1, -1, 1, 2, 4]),
      maxAckPending: this.random.pick([1, 7, 1000]),
      filterSubjects: this.random.pick([[], ['a'], ['a.>', 'b']]),
      deliverPolicy: this.random.pick(['all', 'new', 'last_per_subject']),
      ...(this.random.chance(0.4) && {
        priorityPolicy: 'pinned_client',
        priorityGroups: ['g'],
        priorityTimeoutMs: this.random.pick([50, 1000]),
      }),
    });
    const retention = this.random.pick(['limits', 'limits', 'interest', 'workqueue'] as const);
    this.group = new FakeGroup({ replicas: 3, seed, stream: { retention } });
    this.model = new ConsumerModel(this.config);
    this.pins = new PinModel((violation) => this.model.violations.push(violation));
  }

  async run(): Promise<void> {
    this.#store();
    await this.group.create(this.config);
    for (let count = 0; count < ACTIONS; count++) {
      await this.#act();
      this.#check();
    }
    await this.#settle();
  }

  async #act(): Promise<void> {
    const { random, group } = this;
    // What was sent before this action is not its doing.
    this.#observe(group.outlet.take());
    const dice = random.integer(0, 100);
    if (dice < 15) this.#store();
    else if (dice < 40) this.#pull();
    else if (dice < 65) this.#ack();
    else if (dice < 68) group.remove(random.integer(1, this.#lastSeq + 1));
    else if (dice < 69) group.removeBelow(random.integer(1, this.#lastSeq + 1));
    else if (dice < 72) this.#failOver();
    else if (dice < 75) group.quorum = false;
    else if (dice < 79) group.heal();
    else if (dice < 80) await group.restart((group.leaderAt + 1) % 3);
    else if (dice < 82) group.outlet.takesOnly.set(this.#inbox(), 1);
    else if (dice < 84) await this.#reset();
    else if (dice < 85) await this.#unpin();
    else await this.#pass(random.integer(0, random.pick([3, 30, 300])));
  }

  async #pass(ms: number): Promise<void> {
    // Step by step, so that deliveries are seen at the time they are made.
    for (let passed = 0; passed <= ms; passed++) this.#observe(await this.group.run(passed === 0 ? 0 : 1));
  }

  #observe(sent: readonly Sent[]): void {
    for (const one of sent) {
      if (one.kind === 'message') {
        this.model.delivered({ ...place(one), reply: one.reply }, this.group.time.nowMs);
        this.#pinned(one);
      } else if (one.kind === 'publish') this.model.answered(one.to);
    }
  }

  #pinned({ to, headers }: Sent): void {
    const pin = /Nats-Pin-Id: (\w*)/.exec(headers)?.[1];
    if (pin === undefined) return;
    const client = Number(to.split('.')[1]);
    this.pins.delivered(pin, client);
    this.#pinOf.set(client, pin);
  }

  get #lastSeq(): number {
    return this.group.leader.stream.state().lastSeq;
  }

  #store(): void {
    const count = this.random.integer(1, 12);
    this.group.store(...Array.from({ length: count }, () => this.random.pick(SUBJECTS)));
  }

  #inbox(): string {
    return `inbox${this.#pulls}.${this.#client}`;
  }

  #pull(): void {
    this.#pulls++;
    this.#client = this.random.integer(0, CLIENTS);
    this.group.pull(
      {
        ...this.#groupOfRequest(),
        batch: this.random.integer(1, 20),
        expires: this.random.pick([0, 20, 500]) * 1_000_000,
        no_wait: this.random.chance(0.2),
      },
      this.#inbox(),
    );
  }

  #groupOfRequest(): object {
    if (this.config.priorityPolicy === 'none') return {};
    // A client whose pin was refused would forget it; here it does so by chance.
    if (this.random.chance(0.3)) this.#pinOf.delete(this.#client);
    return { group: 'g', id: this.#pinOf.get(this.#client) ?? '' };
  }

  #ack(): void {
    const { model, random, group } = this;
    if (model.outstanding.length === 0) return;
    const [delivery] = model.outstanding.splice(random.integer(0, model.outstanding.length), 1);
    const { seq, reply } = delivery!;
    const answer = `answer${++this.#answers}`;
    switch (random.integer(0, 7)) {
      case 0:
        model.naked(seq, group.time.nowMs);
        group.ack(reply, '-NAK');
        return;
      case 1: {
        const delayMs = random.integer(1, 300);
        model.naked(seq, group.time.nowMs, delayMs);
        group.ack(reply, `-NAK {"delay":${delayMs}000000}`);
        return;
      }
      case 2:
        model.inProgress(seq, group.time.nowMs);
        group.ack(reply, '+WPI');
        model.outstanding.push(delivery!);
        return;
      case 3:
      case 4:
        model.acked(seq);
        group.ack(reply, random.pick(['', '+ACK', '+TERM']));
        return;
      default:
        model.asked(seq, answer);
        group.ack(reply, random.pick(['', '+ACK', '+TERM']), answer);
    }
  }

  #failOver(): void {
    const { outlet } = this.group;
    this.group.quorum = true;
    this.group.failOver({ lose: this.random.chance(0.7), to: this.random.integer(0, 3) });
    this.#observe(outlet.take());
    this.model.leaderChanged();
  }

  async #unpin(): Promise<void> {
    const { group } = this;
    if (!group.quorum || this.config.priorityPolicy === 'none') return;
    assert.ok((await group.settle(group.consumers.unpin('C', 'g'))).ok);
  }

  async #reset(): Promise<void> {
    const { group } = this;
    if (!group.quorum) return;
    const result = await group.settle(group.consumers.reset('C', 0));
    assert.ok(result.ok);
    this.#observe(group.outlet.take());
    this.model.reset(result.value - 1);
    this.#delivered = result.value - 1;
  }

  #check(): void {
    assert.deepEqual(this.model.violations, []);
    const { group } = this;
    assert.equal(new Set(group.replicas.map(({ consumers }) => consumers.digest())).size, 1, 'digests');
    const info = group.info();
    const { maxAckPending } = this.config;
    assert.ok(info.numAckPending <= maxAckPending, `${info.numAckPending} pending`);
    if (this.config.deliverPolicy !== 'last_per_subject') assert.equal(info.numPending, this.#countPending(info));
    // A follower tells what is committed: that never goes back.
    const follower = group.replicas[(group.leaderAt + 1) % 3]!.consumers.info('C')!;
    assert.ok(follower.ackFloor.streamSeq >= this.#floor, 'ack floor fell');
    assert.ok(follower.delivered.streamSeq >= this.#delivered, 'delivered fell');
    this.#floor = follower.ackFloor.streamSeq;
    this.#delivered = follower.delivered.streamSeq;
  }

  #countPending(info: ConsumerInfo): number {
    let count = 0;
    for (let seq = info.delivered.streamSeq + 1; seq <= this.#lastSeq; seq++) if (this.#wanted(seq)) count++;
    return count;
  }

  #wanted(seq: number): boolean {
    const { filterSubjects } = this.config;
    const filter = filterSubjects.length === 0 ? undefined : new SubjectMatcher(filterSubjects);
    return this.group.leader.stream.matches(seq, filter);
  }

  /** Everything heals; a patient client acks all it gets. Nothing may be left but what ran out of attempts. */
  async #settle(): Promise<void> {
    this.group.heal();
    this.group.outlet.takesOnly.clear();
    this.model.outstanding.length = 0;
    for (let round = 0; round < SETTLING_ROUNDS && this.#unsettled; round++) {
      this.#pulls++;
      this.#client = this.random.integer(0, CLIENTS);
      this.group.pull({ ...this.#groupOfRequest(), batch: 50, expires: SECOND_NS }, this.#inbox());
      await this.#pass(6);
      for (const { seq, reply } of this.model.outstanding.splice(0)) {
        this.model.asked(seq, `answer${++this.#answers}`);
        this.group.ack(reply, '', `answer${this.#answers}`);
      }
    }
    await this.#pass(20);
    this.#check();
    const leader = this.group.info();
    assert.equal(leader.numPending, 0);
    assert.equal(leader.numAckPending, 0);
    for (const { consumers } of this.group.replicas) {
      const info = consumers.info('C')!;
      assert.deepEqual(numbersOf(info), numbersOf(leader));
    }
    for (let seq = leader.delivered.streamSeq; seq > 0; seq--) this.#checkFate(seq);
  }

  get #unsettled(): boolean {
    const { numPending, numAckPending } = this.group.info();
    return numPending + numAckPending > 0;
  }

  #checkFate(seq: number): void {
    const started = this.config.deliverPolicy === 'all';
    if (!started || !this.#wanted(seq) || this.model.isFinished(seq)) return;
    assert.ok(this.config.maxDeliver > 0, `${seq} was never acked, and is not pending`);
  }
}

function numbersOf(info: ConsumerInfo): unknown[] {
  return [info.delivered.consumerSeq, info.delivered.streamSeq, info.ackFloor.consumerSeq, info.numRedelivered];
}

test('any history of pulls, acks, losses and leaders keeps the promises of an explicit consumer', async (t) => {
  const only = process.env['SIM_SEED'];
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, at) => at + 1) : [Number(only)];
  for (const seed of seeds) {
    await t.test(`SIM_SEED=${seed}`, () => new Life(seed).run());
  }
});
