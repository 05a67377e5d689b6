import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { StreamSourcing } from '../../src/sourcing/index.ts';
import type { Seq } from '../../src/base/brand.ts';
import type { StreamConfig, StreamSource } from '../../src/stream/index.ts';
import { openFixture, readAll, type Fixture } from '../stream/stream-fixture.ts';
import { Random } from '../sim/random.ts';
import { FakeUpstream } from './fake-upstream.ts';

const ORIGIN: StreamSource = {
  name: 'UP',
  optStartSeq: 0,
  optStartTimeUs: undefined,
  filterSubject: '',
  subjectTransforms: [],
  external: undefined,
  consumer: undefined,
};

interface Taking extends Fixture {
  readonly upstream: FakeUpstream;
  readonly sourcing: StreamSourcing;
  /** Lets `ms` pass, with everything that this leads to. */
  readonly pass: (ms: number) => Promise<void>;
}

function take(config: Partial<StreamConfig>): Taking {
  const fixture = openFixture(config);
  const upstream = new FakeUpstream();
  const { stream, runtime, group } = fixture;
  const sourcing = new StreamSourcing({ stream, port: upstream, runtime, logger: silentLogger, domain: '' });
  sourcing.statusChanged(stream.status);
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left >= 0; left -= 10) {
      runtime.advance(Math.min(10, left));
      await settled();
      upstream.answer();
      group.run();
      await settled();
    }
  };
  return { ...fixture, upstream, sourcing, pass };
}

/** Whatever waits for promises has had its turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const mirroring = (config: Partial<StreamConfig> = {}): Taking => take({ mirror: ORIGIN, subjects: [], ...config });
const sourcing = (config: Partial<StreamConfig> = {}): Taking => take({ sources: [ORIGIN], subjects: [], ...config });

function numbered(count: number, from = 1): { subject: string; payload: string }[] {
  return Array.from({ length: count }, (_, i) => ({ subject: 'up.x', payload: String(from + i) }));
}

const payloads = (taking: Taking): string[] =>
  readAll(taking.stream).map((shown) => shown.slice(shown.lastIndexOf(' ') + 1));

test('a mirror asks as the reference server does, and stores what comes as it is upstream', async () => {
  const taking = mirroring();
  const { upstream, stream, pass } = taking;
  upstream.messages = [...numbered(2), undefined, ...numbered(1, 4)];
  await pass(20);
  upstream.deliver(10);
  await pass(20);
  assert.equal(upstream.requests[0]?.subject, '$JS.API.CONSUMER.CREATE.UP');
  assert.match(upstream.requests[0].headers.toString(), /Nats-Required-Api-Level: 4\r\n/);
  assert.deepEqual(payloads(taking), ['1', '2', '4']);
  assert.equal(stream.isLive(3 as Seq), false);
  assert.equal(stream.state().lastSeq, 4);
});

test('a mirror is caught up when it is fewer than ten messages behind, as long as its origin is there', async () => {
  const { upstream, pass, sourcing: mirrored } = mirroring();
  upstream.messages = numbered(20);
  assert.equal(mirrored.mirrorProgress(), 'unknown');
  await pass(20);
  assert.equal(mirrored.mirrorProgress(), 'behind');
  upstream.deliver(9);
  assert.equal(mirrored.mirrorProgress(), 'behind');
  upstream.deliver(1);
  assert.equal(mirrored.mirrorProgress(), 'caughtUp');
  upstream.changeLeader();
  assert.equal(mirrored.mirrorProgress(), 'unknown');
  mirrored.close();
  assert.equal(mirrored.mirrorProgress(), 'unknown');
});

test('a missing delivery makes the consumer anew, behind what is stored', async () => {
  const { upstream, pass, ...taking } = mirroring();
  upstream.messages = numbered(5);
  await pass(20);
  upstream.deliver(2);
  upstream.deliver(1, () => true);
  upstream.deliver(1);
  await pass(3000);
  assert.equal((upstream.requests[1]?.json['config'] as { opt_start_seq?: number }).opt_start_seq, 3);
  upstream.deliver(10);
  await pass(20);
  assert.deepEqual(payloads({ upstream, pass, ...taking }), ['1', '2', '3', '4', '5']);
});

test('a heartbeat that tells of more than came does the same, and so does silence', async () => {
  const { upstream, pass } = mirroring();
  upstream.messages = numbered(1);
  await pass(20);
  upstream.deliver(1, () => true);
  upstream.beat();
  await pass(3000);
  assert.equal(upstream.requests.length, 2);
  await pass(13_000);
  assert.equal(upstream.requests.length, 3);
});

test('flow control is answered when everything before it is stored, and not earlier', async () => {
  const { upstream, pass, runtime, group } = mirroring();
  upstream.messages = numbered(3);
  await pass(20);
  upstream.deliver(3);
  upstream.askForFlow('$JS.FC.UP.C.1');
  runtime.advance(10);
  await settled();
  assert.deepEqual(upstream.published, []);
  group.run();
  await settled();
  assert.deepEqual(upstream.published, [
    ['$JS.FC.UP.C.1', 'NATS/1.0\r\nNats-Last-Consumer: 3\r\nNats-Last-Stream: 3\r\n\r\n'],
  ]);
});

test('a source that the stream is too full for goes on where it was refused', async () => {
  const taking = sourcing({ discard: 'new', maxMsgs: 2 });
  const { upstream, pass, stream } = taking;
  upstream.messages = numbered(4);
  await pass(20);
  upstream.deliver(4);
  await pass(20);
  assert.deepEqual(payloads(taking), ['1', '2']);
  const freed = stream.execute({ op: 'purge', filter: undefined, seq: undefined, keep: undefined });
  await pass(3000);
  await freed;
  upstream.deliver(4);
  await pass(20);
  assert.deepEqual(payloads(taking), ['3', '4']);
});

test('a stream that was made anew upstream is taken from its beginning', async () => {
  const taking = sourcing();
  const { upstream, pass } = taking;
  upstream.messages = numbered(3);
  await pass(20);
  upstream.deliver(3);
  await pass(20);
  upstream.identity = 'ANOTHER';
  upstream.messages = numbered(2, 10);
  upstream.refusal = { code: 400, err_code: 10225, description: 'mismatch' };
  upstream.changeLeader();
  await pass(300);
  upstream.refusal = undefined;
  await pass(15_000);
  upstream.deliver(3);
  await pass(20);
  assert.deepEqual(payloads(taking), ['1', '2', '3', '10', '11']);
});

test('an older server is asked as any client would', async () => {
  const { upstream, pass, sourcing: ways } = mirroring();
  upstream.refusal = { code: 412, err_code: 10185, description: 'JetStream minimum api level required' };
  await pass(20);
  assert.equal(ways.info()[0]?.error?.errCode, 10185);
  upstream.refusal = undefined;
  await pass(15_000);
  const [, second] = upstream.requests;
  assert.equal((second?.json['config'] as { sourcing?: boolean }).sourcing, undefined);
  assert.match(second?.subject ?? '', /^\$JS\.API\.CONSUMER\.CREATE\.UP\.JS_MIRROR_.{8}-.{8}$/);
  assert.equal(second?.headers.length, 0);
});

test('what came before this node stopped leading is not stored twice by the time it leads again', async () => {
  const taking = sourcing();
  const { upstream, pass, group, sourcing: ways, stream } = taking;
  upstream.messages = numbered(6);
  await pass(20);
  upstream.deliver(3);
  await pass(20);
  upstream.deliver(2);
  group.changeStatus({ role: 'follower', ready: false });
  ways.statusChanged(stream.status);
  await pass(20);
  group.changeStatus({ role: 'leader', ready: true, term: 2 as never });
  ways.statusChanged(stream.status);
  await pass(3000);
  upstream.deliver(10);
  await pass(20);
  assert.deepEqual(payloads(taking), ['1', '2', '3', '4', '5', '6']);
});

for (const kind of ['mirror', 'source'] as const) {
  test(`whatever is lost on the way, a ${kind} stores everything once and in order`, async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Random(seed);
      const taking = kind === 'mirror' ? mirroring() : sourcing();
      const { upstream, pass } = taking;
      for (let round = 0; round < 12; round++) {
        upstream.messages.push(...numbered(random.integer(0, 4), upstream.messages.length + 1));
        upstream.deliver(random.integer(0, 5), () => random.chance(0.15));
        if (random.chance(0.3)) upstream.beat();
        if (random.chance(0.15)) upstream.changeLeader();
        await pass(random.chance(0.5) ? 10 : 400);
      }
      for (let round = 0; round < 12 && payloads(taking).length < upstream.messages.length; round++) {
        upstream.beat();
        await pass(3000);
        upstream.deliver(100);
        await pass(20);
      }
      assert.deepEqual(
        payloads(taking),
        upstream.messages.map((message) => message?.payload),
        `seed ${seed}`,
      );
    }
  });
}
