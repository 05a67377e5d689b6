import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerConfig } from '../../src/consumer/index.ts';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';
import { attempts, groupWith, place, summary } from './scenario.ts';

const PUSH: Partial<ConsumerConfig> = {
  deliverSubject: 'd',
  maxWaiting: 0,
  flowControl: true,
  idleHeartbeatMs: 1000,
};
const BY_FLOW: Partial<ConsumerConfig> = { ...PUSH, ackPolicy: 'flow_control', ackWaitMs: 0 };
const DIRECT: Partial<ConsumerConfig> = { ...PUSH, ackPolicy: 'none', durableName: '', direct: true, sourcing: true };

function answer(group: FakeGroup, request: string, seq: number, consumerSeq: number): void {
  const headers = `NATS/1.0\r\nNats-Last-Stream: ${seq}\r\nNats-Last-Consumer: ${consumerSeq}\r\n\r\n`;
  group.consumers.flowControl('C', request, Buffer.from(headers));
}

test('what flow control acknowledged stays so across a leader change, and nothing comes again by time', async () => {
  const group = await groupWith({ ...BY_FLOW, maxAckPending: 4 }, 6, { replicas: 3 });
  group.replicas.forEach(({ outlet }) => {
    outlet.listen('d');
  });
  const sent = await group.run(20);
  assert.deepEqual(attempts(sent), ['1#1', '2#1', '3#1', '4#1']);
  answer(group, sent.at(-1)!.reply, 3, 3);
  assert.deepEqual(attempts(await group.run(20)), ['5#1', '6#1']);
  group.failOver({ lose: true });
  assert.deepEqual(attempts(await group.run(120_000)), []);
  const info = group.info();
  assert.deepEqual([info.ackFloor.streamSeq, info.numAckPending], [3, 3]);
});

test('an answer that names more than was delivered acknowledges what was', async () => {
  const group = await groupWith({ ...BY_FLOW, maxAckPending: 2 }, 5);
  group.outlet.listen('d');
  const sent = await group.run(20);
  answer(group, '$JS.FC.S.C.other', 1, 1);
  assert.deepEqual(await group.run(5), []);
  answer(group, sent.at(-1)!.reply, 99, 99);
  assert.deepEqual(attempts(await group.run(20)), ['3#1', '4#1']);
  assert.deepEqual([group.info().ackFloor.streamSeq, group.info().ackFloor.consumerSeq], [2, 2]);
});

test('an answer to an earlier request acknowledges nothing', async () => {
  const group = await groupWith({ ...BY_FLOW, maxAckPending: 2 }, 5);
  group.outlet.listen('d');
  await group.run(20);
  answer(group, '$JS.FC.S.C.none', 2, 2);
  assert.deepEqual(await group.run(20), []);
});

test('a direct consumer leaves no trace in the log, and goes with its leader', async () => {
  const group = new FakeGroup({ replicas: 3 });
  group.storeMany(3);
  group.outlet.listen('d');
  const entries = group.committed.length;
  await group.create(consumerConfig(DIRECT));
  assert.deepEqual(attempts(await group.run(20)), ['1#1', '2#1', '3#1']);
  group.storeMany(1);
  assert.deepEqual(attempts(await group.run(20)), ['4#1']);
  assert.equal(group.committed.length, entries + 1);
  assert.deepEqual(group.consumers.names(), []);
  assert.equal(group.consumers.consumerCount(), 0);
  assert.equal(group.info().delivered.streamSeq, 4);
  group.failOver({ lose: false });
  assert.equal(group.consumers.info('C'), undefined);
});

test('a direct consumer without listeners ends after its threshold', async () => {
  const group = await groupWith({ ...DIRECT, inactiveThresholdMs: 500 });
  assert.notEqual(group.consumers.info('C'), undefined);
  const sent = await group.run(600);
  assert.equal(group.consumers.info('C'), undefined);
  assert.deepEqual(summary(sent), ['$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.C']);
  assert.deepEqual(await group.run(120_000), [], 'it is not asked again');
});

test('progress from before a reset counts for nothing after it', async () => {
  const group = await groupWith({}, 5, { replicas: 3 });
  group.pull({ batch: 3 });
  const [first] = await group.run(1);
  group.ack(first!.reply);
  const result = await group.settle(group.consumers.reset('C', 0));
  assert.deepEqual(result, { ok: true, value: 2 });
  await group.run(50);
  for (const { consumers } of group.replicas) {
    const info = consumers.info('C')!;
    assert.deepEqual([info.delivered.consumerSeq, info.delivered.streamSeq, info.numAckPending], [0, 1, 0]);
  }
  group.pull({ batch: 1 });
  const [again] = await group.run(5);
  assert.deepEqual(place(again!), { attempts: 1, seq: 2, consumerSeq: 1, pending: 3 });
  assert.equal(new Set(group.replicas.map(({ consumers }) => consumers.digest())).size, 1);
});

test('a reset survives a restart from a checkpoint', async () => {
  const group = await groupWith({}, 5, { replicas: 3 });
  group.pull({ batch: 3 });
  await group.run(20);
  await group.restart(1);
  await group.settle(group.consumers.reset('C', 5));
  await group.restart(1);
  assert.equal(group.replicas[1]!.consumers.info('C')!.delivered.streamSeq, 4);
});

test('an answer that does not name both sequences acknowledges nothing', async () => {
  for (const [seq, consumerSeq] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const group = await groupWith({ ...BY_FLOW, maxAckPending: 2 }, 5);
    group.outlet.listen('d');
    answer(group, (await group.run(20)).at(-1)!.reply, seq, consumerSeq);
    assert.deepEqual(attempts(await group.run(20)), []);
    assert.equal(group.info().numAckPending, 2);
  }
});
