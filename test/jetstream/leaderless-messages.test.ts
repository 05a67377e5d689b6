/** What clients send to consumers while nobody leads their stream: the gateway alone, whose other parts are told what to say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import { ConsumerGateway } from '../../src/server/jetstream/consumer-gateway.ts';
import { ConsumerFrameWriter, type MessageParts } from '../../src/server/jetstream/consumer-frames.ts';
import type { Publisher } from '../../src/server/router-types.ts';
import { TRAFFIC, type TrafficKind } from '../../src/cluster/index.ts';
import type { GroupId } from '../../src/raft/index.ts';
import { ManualRuntime } from '../protocol/manual-runtime.ts';

type Options = ConstructorParameters<typeof ConsumerGateway>[0];

const SELF = 'n1' as NodeId;
const OTHER = 'n2' as NodeId;
const GROUP = 7 as GroupId;
const NEXT = '$JS.API.CONSUMER.MSG.NEXT.S.C';
const PUBLISHER = { account: 'A' } as Publisher;
/** More than an election takes. */
const LONG_MS = 3_000;

function partsOf(subject: string, reply: string, payload: string): MessageParts {
  const buffer = Buffer.from(subject + reply + payload);
  const replyEnd = subject.length + reply.length;
  return {
    buffer,
    subjectStart: 0,
    subjectEnd: subject.length,
    replyStart: subject.length,
    replyEnd,
    headersStart: replyEnd,
    headersEnd: replyEnd,
    payloadStart: replyEnd,
    payloadEnd: buffer.length,
  };
}

/** A gateway on n1, which knows of `leader`, and whose own consumers take messages if they are `serving`. */
class Bench {
  readonly runtime = new ManualRuntime();
  leader: NodeId | undefined;
  serving = false;
  readonly down = new Set<NodeId>();
  /** Messages taken here, sent to another node (with its kind of traffic), and refused. */
  readonly seen: string[] = [];
  readonly #gateway: ConsumerGateway;
  readonly #listeners = new Map<TrafficKind, (from: NodeId, frame: Buffer) => void>();
  #leaderChanged: (group: GroupId) => void = () => undefined;
  #linkBroke: (node: NodeId) => void = () => undefined;

  constructor() {
    const consumers = {
      pull: (_name: string, { body }: { readonly body: Buffer }) => this.seen.push(`pull ${body.toString()}`) > 0,
      ack: () => this.seen.push('ack') > 0,
      flowControl: () => this.seen.push('flow') > 0,
    };
    const parts = {
      runtime: this.runtime,
      domain: '',
      turnEnd: {
        add: (flushable: { flush(): void }) =>
          setImmediate(() => {
            flushable.flush();
          }),
      },
      localConsumers: () => ({ ...consumers, serving: this.serving }),
      cluster: {
        node: SELF,
        catalogue: { stream: () => ({ group: GROUP }) },
        leaderOf: () => this.leader,
        pendingTraffic: () => 0,
        isUp: (node: NodeId) => !this.down.has(node),
        onInterestLost: (listener: (node: NodeId) => void) => (this.#linkBroke = listener),
        send: (to: NodeId, kind: TrafficKind) => this.seen.push(`to ${to} as ${kind}`) > 0,
        onTraffic: (kind: TrafficKind, listener: (from: NodeId, frame: Buffer) => void) =>
          this.#listeners.set(kind, listener),
        onLeaderChange: (listener: (group: GroupId) => void) => (this.#leaderChanged = listener),
      },
      router: {
        noResponders: (_publisher: Publisher, _subject: string, reply: string) => this.seen.push(`refused ${reply}`),
        publish: (_account: string, { subject, headers }: { readonly subject: string; readonly headers: Buffer }) =>
          this.seen.push(`${subject} hears ${headers.toString('latin1', 9, 12)}`),
        flushSoon: () => undefined,
      },
    };
    this.#gateway = new ConsumerGateway(parts as unknown as Options);
  }

  publish(subject: string, reply = '', payload = ''): boolean {
    return this.#gateway.handle(partsOf(subject, reply, payload), PUBLISHER);
  }

  /** From a node where a client published it. */
  receive(kind: TrafficKind, subject: string, reply = '', payload = ''): void {
    const writer = new ConsumerFrameWriter();
    writer.add(Buffer.from('A'), partsOf(subject, reply, payload));
    this.#listeners.get(kind)!(OTHER, writer.take());
  }

  /** The node is still taken for the leader, if it was. */
  breaks(node: NodeId): void {
    this.down.add(node);
    this.#linkBroke(node);
  }

  async leads(leader: NodeId | undefined): Promise<void> {
    this.leader = leader;
    this.serving = leader === SELF;
    this.#leaderChanged(GROUP);
    await this.turn();
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => setImmediate(resolve));
    });
  }
}

test('what comes while nobody leads waits for the next leader, in order', async () => {
  const bench = new Bench();
  bench.publish(NEXT, 'in', 'first');
  bench.publish('$JS.ACK.S.C.1.1.1.0.0', 'in');
  bench.publish(NEXT, 'in', 'second');
  bench.runtime.advance(1_000);
  assert.deepEqual(bench.seen, []);
  await bench.leads(SELF);
  assert.deepEqual(bench.seen, ['pull first', 'ack', 'pull second']);
  bench.runtime.advance(LONG_MS);
  assert.equal(bench.seen.length, 3, 'each is taken once');
});

test('what comes to a leader that is about to hand over goes to the next one, from whatever node it came', async () => {
  const bench = new Bench();
  bench.leader = SELF;
  bench.publish(NEXT, 'in');
  bench.receive(TRAFFIC.acks, NEXT, 'in');
  assert.deepEqual(bench.seen, []);
  await bench.leads(OTHER);
  assert.deepEqual(bench.seen, [`to n2 as ${TRAFFIC.acks}`, `to n2 as ${TRAFFIC.relayedAcks}`]);
});

test('what was passed on once is taken by this node or by none', async () => {
  const bench = new Bench();
  bench.receive(TRAFFIC.relayedAcks, NEXT, 'first');
  await bench.leads(OTHER);
  assert.deepEqual(bench.seen, []);
  bench.runtime.advance(LONG_MS);
  assert.deepEqual(bench.seen, ['first hears 503']);
  bench.receive(TRAFFIC.relayedAcks, NEXT, 'in', 'second');
  await bench.leads(SELF);
  assert.deepEqual(bench.seen.slice(1), ['pull second']);
});

test('whoever has waited for longer than an election is refused; flow control waits for nobody', () => {
  const bench = new Bench();
  assert.equal(bench.publish(NEXT, 'in'), true);
  assert.equal(bench.publish('$JS.ACK.S.C.1.1.1.0.0'), true);
  assert.equal(bench.publish('$JS.FC.S.C.abcd', 'flow'), true);
  bench.runtime.advance(LONG_MS);
  assert.deepEqual(bench.seen, ['refused in']);
});

test('what waits is bounded', () => {
  const bench = new Bench();
  const payload = 'x'.repeat(1_000_000);
  let taken = 0;
  while (taken < 100 && bench.publish(NEXT, 'in', payload)) taken++;
  assert.equal(taken, 8);
});

test('a leader that can not be reached is none', async () => {
  const bench = new Bench();
  bench.leader = OTHER;
  bench.down.add(OTHER);
  bench.publish(NEXT, 'in', 'first');
  bench.runtime.advance(1_000);
  assert.deepEqual(bench.seen, []);
  await bench.leads(SELF);
  assert.deepEqual(bench.seen, ['pull first']);
});

test('what was sent to a leader just before its link broke is told of or goes again', async () => {
  const bench = new Bench();
  bench.leader = OTHER;
  bench.publish(NEXT, 'long ago');
  await bench.turn();
  bench.runtime.advance(LONG_MS);
  for (const inbox of ['in', 'in', 'other']) bench.publish(NEXT, inbox);
  for (const payload of ['+ACK', '-NAK', '+TERM why']) bench.publish('$JS.ACK.S.C.1.1.1.0.0', '', payload);
  bench.publish('$JS.ACK.S.C.1.1.1.0.0', 'more', '+NXT');
  bench.publish('$JS.FC.S.C.abcd');
  await bench.turn();
  bench.seen.length = 0;
  bench.breaks(OTHER);
  assert.deepEqual(bench.seen, ['in hears 409', 'other hears 409', 'more hears 409']);
  await bench.leads(SELF);
  assert.deepEqual(bench.seen.slice(3), ['ack', 'ack']);
  bench.breaks(OTHER);
  assert.equal(bench.seen.length, 5, 'it is told of once');
});
