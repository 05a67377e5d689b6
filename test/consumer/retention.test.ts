import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';

function live(group: FakeGroup): number[] {
  const { stream } = group.leader;
  const seqs: number[] = [];
  for (let seq = 1; seq <= stream.state().lastSeq; seq++) if (stream.matches(seq, undefined)) seqs.push(seq);
  for (const replica of group.replicas) assert.equal(replica.stream.state().messages, seqs.length);
  assert.equal(new Set(group.replicas.map(({ consumers }) => consumers.digest())).size, 1);
  return seqs;
}

test('a work queue lets a message go when its ack is committed', async () => {
  const group = new FakeGroup({ replicas: 3, stream: { retention: 'workqueue' } });
  group.storeMany(3);
  await group.create(consumerConfig());
  group.pull({ batch: 3 });
  const sent = (await group.run(20)).filter((one) => one.kind === 'message');
  assert.deepEqual(live(group), [1, 2, 3]);
  group.ack(sent[1]!.reply);
  group.ack(sent[2]!.reply, '+TERM');
  await group.run(20);
  assert.deepEqual(live(group), [1]);
  assert.equal(group.info().numAckPending, 1);
});

test('an interest stream keeps a message until every consumer that wants it has acked', async () => {
  const group = new FakeGroup({ replicas: 3, stream: { retention: 'interest' } });
  await group.create(consumerConfig({ name: 'A' }));
  await group.create(consumerConfig({ name: 'B', filterSubjects: ['b'] }));
  group.store('a', 'b', 'a', 'b');
  group.pull({ batch: 4 }, 'x', 'A');
  const first = (await group.run(20)).filter((one) => one.kind === 'message');
  for (const { reply } of first) group.ack(reply);
  await group.run(20);
  assert.deepEqual(live(group), [2, 4]);
  group.pull({ batch: 4 }, 'x', 'B');
  const second = (await group.run(20)).filter((one) => one.kind === 'message');
  group.ack(second[0]!.reply);
  await group.run(20);
  assert.deepEqual(live(group), [4]);
});

test('on an interest stream one ack of a consumer that acks all lets everything before it go', async () => {
  const group = new FakeGroup({ replicas: 3, stream: { retention: 'interest' } });
  await group.create(consumerConfig({ ackPolicy: 'all' }));
  group.storeMany(4);
  group.pull({ batch: 4 });
  const sent = (await group.run(20)).filter((one) => one.kind === 'message');
  group.ack(sent[2]!.reply);
  await group.run(20);
  assert.deepEqual(live(group), [4]);
});

test('on an interest stream ack none counts as acked when delivered', async () => {
  const group = new FakeGroup({ stream: { retention: 'interest' } });
  await group.create(consumerConfig({ ackPolicy: 'none' }));
  group.storeMany(3);
  group.pull({ batch: 2 });
  await group.run(20);
  assert.deepEqual(live(group), [3]);
});

test('what only a deleted consumer needed goes away with it, step by step', async () => {
  const group = new FakeGroup({ replicas: 3, stream: { retention: 'interest' } });
  await group.create(consumerConfig({ name: 'A' }));
  await group.create(consumerConfig({ name: 'B', filterSubjects: ['b'] }));
  group.store(...Array.from({ length: 5000 }, (_, at) => (at % 2 === 0 ? 'a' : 'b')));
  await group.settle(group.consumers.delete('A'));
  await group.run(100);
  assert.equal(live(group).length, 2500);
  await group.settle(group.consumers.delete('B'));
  await group.run(100);
  assert.deepEqual(live(group), []);
});

test('a message out of attempts stays on a work queue until it is acked late', async () => {
  const group = new FakeGroup({ stream: { retention: 'workqueue' } });
  group.storeMany(1);
  await group.create(consumerConfig({ maxDeliver: 1, ackWaitMs: 100 }));
  group.pull({ batch: 2 });
  const sent = (await group.run(500)).filter((one) => one.kind === 'message');
  assert.deepEqual(live(group), [1]);
  group.ack(sent[0]!.reply);
  await group.run(20);
  assert.deepEqual(live(group), []);
});

test('a publish is wanted if some filter matches', async () => {
  const group = new FakeGroup({ stream: { retention: 'interest' } });
  const wanted = (subject: string): boolean => group.consumers.needs(Buffer.from(subject), 0, subject.length);
  assert.equal(wanted('a.b'), false);
  await group.create(consumerConfig({ name: 'A', filterSubjects: ['a.*', 'c.>'] }));
  assert.deepEqual(['a.b', 'a', 'a.b.c', 'c', 'c.d.e', 'é'].map(wanted), [true, false, false, false, true, false]);
  await group.create(consumerConfig({ name: 'B', filterSubjects: ['é.*'] }));
  assert.equal(group.consumers.needs(Buffer.from('é.x'), 0, Buffer.byteLength('é.x')), true);
  await group.create(consumerConfig({ name: 'D' }));
  assert.equal(wanted('zzz'), true);
  await group.settle(group.consumers.delete('D'));
  await group.settle(group.consumers.delete('A'));
  assert.deepEqual(['a.b', 'zzz'].map(wanted), [false, false]);
});

test('filtered consumers keep counting when messages go, told of their subjects or not', async () => {
  for (const tellsSubjects of [true, false]) {
    const group = new FakeGroup();
    group.leader.stream.tellsSubjects = tellsSubjects;
    group.store('a', 'b', 'a', 'b', 'a');
    await group.create(consumerConfig({ filterSubjects: ['a'] }));
    assert.equal(group.info().numPending, 3);
    group.remove(2);
    assert.equal(group.info().numPending, 3);
    group.remove(3);
    assert.equal(group.info().numPending, 2);
    group.removeBelow(4);
    assert.equal(group.info().numPending, 1);
  }
});

test('a work queue lets go of what was acked there when the consumer that takes it elsewhere is deleted', async () => {
  const group = new FakeGroup({ replicas: 3, stream: { retention: 'workqueue' } });
  await group.create(consumerConfig({ name: 'W', filterSubjects: ['a'] }));
  await group.create(consumerConfig({ name: 'TAKER', sourcing: true }));
  group.store('a', 'a', 'b', 'a', 'a');
  group.pull({ batch: 3 }, 'x', 'W');
  const sent = (await group.run(20)).filter((one) => one.kind === 'message');
  for (const { reply } of sent.slice(0, 2)) group.ack(reply);
  await group.run(20);
  assert.deepEqual(live(group), [1, 2, 3, 4, 5]);
  await group.settle(group.consumers.delete('TAKER'));
  await group.run(100);
  // Nobody works on 3, 4 waits for its ack, 5 for its turn.
  assert.deepEqual(live(group), [3, 4, 5]);
});

test('what a worker was made to pass over stays on a work queue', async () => {
  const group = new FakeGroup({ stream: { retention: 'workqueue' } });
  await group.create(consumerConfig({ name: 'W' }));
  await group.create(consumerConfig({ name: 'TAKER', sourcing: true }));
  group.storeMany(4);
  await group.settle(group.consumers.reset('W', 3));
  group.pull({ batch: 2 }, 'x', 'W');
  for (const { kind, reply } of await group.run(20)) if (kind === 'message') group.ack(reply);
  await group.run(20);
  await group.settle(group.consumers.delete('TAKER'));
  await group.run(100);
  assert.deepEqual(live(group), [1, 2]);
});
