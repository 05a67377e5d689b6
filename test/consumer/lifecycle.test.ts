import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimestampUs } from '../../src/base/brand.ts';
import type { ConsumerConfig } from '../../src/consumer/index.ts';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';
import { advisories, groupWith, summary } from './scenario.ts';

async function errorOf(
  group: FakeGroup,
  config: Partial<ConsumerConfig>,
  action: 'create' | 'update' | '' = '',
): Promise<string> {
  const result = await group.settle(group.consumers.create(consumerConfig(config), action));
  return result.ok ? 'ok' : `${result.error.code}/${result.error.errCode} ${result.error.description}`;
}

test('creation is advised, names are sorted, deletion is advised', async () => {
  const group = new FakeGroup();
  for (const name of ['b', 'C', 'a']) await group.create(consumerConfig({ name, durableName: name }));
  assert.deepEqual(group.consumers.names(), ['C', 'a', 'b']);
  assert.equal(group.consumers.consumerCount(), 3);
  assert.deepEqual((await group.settle(group.consumers.delete('a'))).ok, true);
  assert.deepEqual(await group.settle(group.consumers.delete('a')), {
    ok: false,
    error: { code: 404, errCode: 10014, description: 'consumer not found' },
  });
  const sent = await group.run(1);
  assert.deepEqual(
    advisories(sent).map((advisory) => [advisory['consumer'], advisory['action']]),
    [
      ['b', 'create'],
      ['C', 'create'],
      ['a', 'create'],
      ['a', 'delete'],
    ],
  );
});

test('create of an equal configuration describes what is there; another one is refused', async () => {
  const group = await groupWith({}, 3);
  group.pull({ batch: 2 });
  await group.run(5);
  const again = await group.create(consumerConfig({ metadata: { '_nats.ver': '2' } }), 'create');
  assert.equal(again.delivered.streamSeq, 2);
  assert.equal(await errorOf(group, { maxDeliver: 3 }, 'create'), '400/10148 consumer already exists');
  assert.equal(await errorOf(group, { name: 'D' }, 'update'), '400/10149 consumer does not exist');
});

test('an update is refused with the first field that can not change', async () => {
  const group = await groupWith();
  const refused: [Partial<ConsumerConfig>, string][] = [
    [{ deliverPolicy: 'new', ackPolicy: 'none' }, 'deliver policy can not be updated'],
    [{ memStorage: true }, 'storage type can not be updated'],
    [{ optStartSeq: 3 }, 'start sequence can not be updated'],
    [{ ackPolicy: 'all' }, 'ack policy can not be updated'],
    [{ replayPolicy: 'original' }, 'replay policy can not be updated'],
    [{ idleHeartbeatMs: 5000 }, 'heart beats can not be updated'],
    [{ flowControl: true }, 'flow control can not be updated'],
    [{ deliverSubject: 'd' }, 'can not update pull consumer to push based'],
    [{ maxWaiting: 5 }, 'max waiting can not be updated'],
  ];
  for (const [config, text] of refused) assert.equal(await errorOf(group, config), `500/10012 ${text}`);
  assert.equal(await errorOf(group, { maxDeliver: 5, description: 'new', maxAckPending: 7 }), 'ok');
  assert.equal(group.info().config.maxAckPending, 7);
});

test('a change of filters keeps the position and counts anew', async () => {
  const group = await groupWith();
  group.store('a', 'b', 'a', 'b', 'b');
  group.pull();
  await group.run(5);
  const info = await group.create(consumerConfig({ filterSubjects: ['b'] }), 'update');
  assert.deepEqual([info.delivered.streamSeq, info.numAckPending, info.numPending], [1, 1, 3]);
});

test('a work queue has one consumer for each message, and streams a limit of consumers', async () => {
  const queue = new FakeGroup({ stream: { retention: 'workqueue', maxConsumers: 2 } });
  await queue.create(consumerConfig({ name: 'A', filterSubjects: ['a.*'] }));
  assert.equal(
    await errorOf(queue, { name: 'B' }),
    '400/10099 multiple non-filtered consumers not allowed on workqueue stream',
  );
  assert.equal(
    await errorOf(queue, { name: 'B', filterSubjects: ['*.x'] }),
    '400/10100 filtered consumer not unique on workqueue stream',
  );
  assert.equal(await errorOf(queue, { name: 'B', filterSubjects: ['b.*'] }), 'ok');
  assert.equal(await errorOf(queue, { name: 'D', filterSubjects: ['d'] }), '400/10026 maximum consumers limit reached');
  assert.equal(
    await errorOf(queue, { name: 'B', filterSubjects: ['>'] }, 'update'),
    '400/10100 filtered consumer not unique on workqueue stream',
  );
});

test('each deliver policy starts where it says', async () => {
  const group = new FakeGroup();
  const times: number[] = [];
  for (const subject of ['a', 'b', 'a', 'c', 'b']) {
    times.push(group.leader.runtime.wallUs());
    group.store(subject);
    await group.run(10);
  }
  const starts: [Partial<ConsumerConfig>, delivered: number, pending: number][] = [
    [{ deliverPolicy: 'all' }, 0, 5],
    [{ deliverPolicy: 'new' }, 5, 0],
    [{ deliverPolicy: 'last' }, 4, 1],
    [{ deliverPolicy: 'last', filterSubjects: ['a'] }, 2, 1],
    [{ deliverPolicy: 'by_start_sequence', optStartSeq: 4 }, 3, 2],
    [{ deliverPolicy: 'by_start_sequence', optStartSeq: 99 }, 98, 0],
    [{ deliverPolicy: 'by_start_time', optStartTimeUs: times[3] as ConsumerConfig['optStartTimeUs'] }, 3, 2],
    [{ deliverPolicy: 'last_per_subject', filterSubjects: ['>'] }, 2, 3],
    [{ deliverPolicy: 'last_per_subject', filterSubjects: ['a', 'c'] }, 2, 2],
  ];
  for (const [at, [config, delivered, pending]] of starts.entries()) {
    const info = await group.create(consumerConfig({ ...config, name: `N${at}` }));
    assert.deepEqual([info.delivered.streamSeq, info.numPending], [delivered, pending], JSON.stringify(config));
    assert.equal(info.ackFloor.streamSeq, delivered);
  }
});

test('last_per_subject delivers the last of each subject in order, then what is stored later', async () => {
  const group = new FakeGroup();
  group.store(['a', 'a1'], ['b', 'b1'], ['a', 'a2'], ['c', 'c1'], ['b', 'b2']);
  await group.create(consumerConfig({ deliverPolicy: 'last_per_subject', filterSubjects: ['>'] }));
  group.store(['a', 'a3']);
  group.outlet.take();
  group.pull({ batch: 10 });
  assert.deepEqual(summary(await group.run(5)), ['inbox a2', 'inbox c1', 'inbox b2', 'inbox a3']);
});

test('an unused consumer is deleted after its threshold, not while a pull waits or an ack is due', async () => {
  const group = await groupWith({ inactiveThresholdMs: 1000, ackWaitMs: 5000 }, 1);
  await group.run(900);
  group.pull({ expires: 3_000_000_000, batch: 2 });
  await group.run(2900);
  assert.deepEqual(group.consumers.names(), ['C']);
  await group.run(3000);
  assert.deepEqual(group.consumers.names(), ['C']);
  const sent = await group.run(2500);
  assert.deepEqual(group.consumers.names(), []);
  assert.deepEqual(summary(sent).at(-1), '$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.C');
});

test('a push consumer is deleted its threshold after the last listener left', async () => {
  const group = await groupWith({ deliverSubject: 'd', inactiveThresholdMs: 1000 });
  group.outlet.listen('d');
  await group.run(5000);
  assert.deepEqual(group.consumers.names(), ['C']);
  group.outlet.leave('d');
  await group.run(990);
  assert.deepEqual(group.consumers.names(), ['C']);
  await group.run(30);
  assert.deepEqual(group.consumers.names(), []);
});

test('requests that wait when the stream is deleted are told that their consumer is gone', async () => {
  const group = await groupWith();
  group.pull({ batch: 2, expires: 5_000_000_000 }, 'first');
  group.pull('', 'second');
  await group.run(1);
  group.outlet.take();
  group.consumers.streamDeleted();
  assert.deepEqual(summary(group.outlet.take()), [
    'first NATS/1.0 409 Consumer Deleted',
    'second NATS/1.0 409 Consumer Deleted',
    '$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.C',
  ]);
  assert.equal(group.outlet.openTargets, 0);
});

test('a paused consumer delivers nothing until its time comes or it is resumed', async () => {
  const group = await groupWith({}, 3);
  const inMs = (ms: number): TimestampUs => (group.leader.runtime.wallUs() + ms * 1000) as TimestampUs;
  await group.settle(group.consumers.pause('C', inMs(2000)));
  group.pull({ batch: 1 });
  group.pull({ no_wait: true }, 'impatient');
  const waited = await group.run(1900);
  assert.deepEqual(summary(waited), ['$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C', 'impatient NATS/1.0 404 No Messages']);
  assert.equal(advisories(waited)[0]!['paused'], true);

  const resumed = await group.run(200);
  assert.deepEqual(summary(resumed), ['$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C', 'inbox m1']);
  assert.equal(advisories(resumed)[0]!['paused'], false);

  await group.settle(group.consumers.pause('C', inMs(60_000)));
  group.pull();
  assert.deepEqual(summary(await group.run(1000)), ['$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C']);
  await group.settle(group.consumers.pause('C', undefined));
  assert.deepEqual(summary(await group.run(5)), ['$JS.EVENT.ADVISORY.CONSUMER.PAUSE.S.C', 'inbox m2']);
});

test('a pause outlasts updates and a change of leaders', async () => {
  const group = new FakeGroup({ replicas: 3 });
  group.storeMany(1);
  const pauseUntilUs = (group.leader.runtime.wallUs() + 2_000_000) as TimestampUs;
  await group.create(consumerConfig({ pauseUntilUs }));
  await group.create(consumerConfig({ maxAckPending: 5 }), 'update');
  assert.equal(group.info().config.pauseUntilUs, pauseUntilUs);
  group.failOver({ lose: false });
  group.pull();
  await group.run(1000);
  assert.equal(group.info().delivered.streamSeq, 0);
  await group.run(2000);
  assert.equal(group.info().delivered.streamSeq, 1);
});
