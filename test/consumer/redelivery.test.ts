import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seq } from '../../src/base/brand.ts';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';
import { advisories, attempts, groupWith, place, summary } from './scenario.ts';

const MAX_DELIVERIES = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.S.C';

test('what is not acked in time is delivered again with a fresh delivery number', async () => {
  const group = await groupWith({ ackWaitMs: 500 }, 2);
  group.pull({ batch: 2 });
  const sent = await group.run(10);
  group.ack(sent[0]!.reply);
  group.pull({ batch: 5 });
  assert.deepEqual(await group.run(480), []);
  const again = await group.run(30);
  assert.deepEqual(
    again.map(place).map(({ attempts: count, seq, consumerSeq }) => [count, seq, consumerSeq]),
    [[2, 2, 3]],
  );
  assert.equal(group.info().numRedelivered, 1);
  assert.equal(group.info().delivered.streamSeq, 2);
});

test('backoff sets the wait of each attempt, the last one for all that follow', async () => {
  const group = await groupWith({ backoffMs: [300, 600, 1200], ackWaitMs: 300 }, 1);
  const times: number[] = [];
  const start = group.time.nowMs;
  group.pull({ batch: 5 });
  for (let step = 0; step < 4000; step += 10) {
    for (const sent of await group.run(10)) if (sent.kind === 'message') times.push(group.time.nowMs - start);
  }
  assert.deepEqual(
    times.map((time) => Math.round(time / 50) * 50),
    [0, 300, 900, 2100, 3300],
  );
});

test('an expired message waits for a pull and burns no attempts', async () => {
  const group = await groupWith({ ackWaitMs: 100, maxDeliver: 3 }, 1);
  group.pull();
  await group.run(5000);
  group.pull();
  assert.deepEqual(attempts(await group.run(1)), ['1#2']);
});

test('redelivery goes on though max_ack_pending is reached', async () => {
  const group = await groupWith({ ackWaitMs: 100, maxAckPending: 1 }, 2);
  group.pull({ batch: 3 });
  await group.run(10);
  assert.deepEqual(attempts(await group.run(100)), ['1#2']);
});

test('out of attempts: one advisory, not pending any more, and a late ack still counts', async () => {
  const group = await groupWith({ ackWaitMs: 100, maxDeliver: 2 }, 1);
  group.pull({ batch: 5 });
  const sent = await group.run(1000);
  assert.deepEqual(attempts(sent), ['1#1', '1#2']);
  assert.equal(summary(sent).filter((line) => line === MAX_DELIVERIES).length, 1);
  const [advisory] = advisories(sent);
  assert.deepEqual([advisory!['stream_seq'], advisory!['deliveries'], advisory!['consumer_seq']], [1, 2, undefined]);
  assert.deepEqual(
    [group.info().numAckPending, group.info().numRedelivered, group.info().ackFloor.streamSeq],
    [0, 1, 0],
  );
  group.ack(sent[0]!.reply, '', 'answer');
  assert.deepEqual(summary(await group.run(20)), ['answer']);
  assert.equal(group.info().numRedelivered, 0);
});

test('a nak of the last attempt gives up when its turn comes', async () => {
  const group = await groupWith({ maxDeliver: 1 }, 2);
  group.pull();
  const [message] = await group.run(10);
  group.ack(message!.reply, '-NAK');
  group.outlet.take();
  group.pull();
  const sent = await group.run(20);
  assert.deepEqual(summary(sent), [MAX_DELIVERIES, 'inbox m2']);
});

test('where attempts are limited, each is on record before it is sent, and its ack wait begins then', async () => {
  const group = await groupWith({ ackWaitMs: 100, maxDeliver: 2 }, 1);
  group.pull({ batch: 3 });
  group.quorum = false;
  assert.deepEqual(attempts(await group.run(1000)), []);
  group.heal();
  assert.deepEqual(attempts(await group.run(90)), ['1#1']);
  group.quorum = false;
  assert.deepEqual(attempts(await group.run(1000)), []);
  group.heal();
  assert.deepEqual(attempts(await group.run(10)), ['1#2']);
});

test('an ack that comes while the next attempt waits for its record keeps that from being sent', async () => {
  const group = await groupWith({ ackWaitMs: 100, maxDeliver: 5 }, 1);
  group.pull({ batch: 3 });
  const [message] = await group.run(90);
  group.quorum = false;
  await group.run(100);
  group.ack(message!.reply, '', 'answer');
  group.heal();
  assert.deepEqual(summary(await group.run(500)), ['answer']);
});

test('an attempt that was recorded for a reader who left goes to the next', async () => {
  const group = await groupWith({ maxDeliver: 3 }, 1);
  group.quorum = false;
  group.pull({}, 'left');
  await group.run(10);
  group.outlet.leave('left');
  group.pull({}, 'next');
  group.heal();
  const sent = await group.run(10);
  assert.deepEqual([summary(sent), attempts(sent)], [['next m1'], ['1#2']]);
});

test('a request that ends with a held message gets its last status after the message', async () => {
  const group = await groupWith({ maxDeliver: 1 }, 1);
  group.pull({ batch: 2, no_wait: true });
  assert.deepEqual(summary(await group.run(20)), ['inbox m1', 'inbox NATS/1.0 404 No Messages']);
});

test('a change of the ack wait counts for messages that are already pending', async () => {
  const group = await groupWith({ ackWaitMs: 10_000 }, 1);
  group.pull({ batch: 5 });
  await group.run(200);
  await group.create(consumerConfig({ ackWaitMs: 300 }), 'update');
  assert.deepEqual(attempts(await group.run(90)), []);
  assert.deepEqual(attempts(await group.run(20)), ['1#2']);
});

test('a wall clock that jumps two hours delivers nothing early', async () => {
  const group = await groupWith({ ackWaitMs: 1000 }, 1, { replicas: 3 });
  group.pull({ batch: 5 });
  await group.run(200);
  for (const { runtime } of group.replicas) runtime.wallOffsetUs = 7_200_000_000;
  group.failOver({ lose: false });
  group.pull({ batch: 5 });
  assert.deepEqual(attempts(await group.run(790)), []);
  assert.deepEqual(attempts(await group.run(30)), ['1#2']);
});

test('where attempts are limited, each delivery says how many messages are behind it', async () => {
  const group = await groupWith({ maxDeliver: 3 }, 4);
  group.pull({ batch: 3 });
  const sent = (await group.run(20)).filter((one) => one.kind === 'message');
  assert.deepEqual(
    sent.map((one) => place(one).pending),
    [3, 2, 1],
  );
});

test('what limits of the stream take while it waits for its ack is told of', async () => {
  const group = await groupWith({}, 4);
  group.pull({ batch: 3 });
  await group.run(20);
  group.removeBelow(3);
  const told = advisories(await group.run(20));
  assert.deepEqual(
    told.map((one) => [one['type'], one['stream_seq'], one['consumer_seq'], one['deliveries'], one['reason']]),
    [1, 2].map((seq) => [
      'io.nats.jetstream.advisory.v1.terminated',
      seq,
      seq,
      1,
      'Unacknowledged message was deleted',
    ]),
  );
  assert.equal(group.info().numAckPending, 1);
});

test('a late ack of what is out of attempts counts for ack_policy all, too, though the floor has passed it', async () => {
  const group = await groupWith({ ackPolicy: 'all', ackWaitMs: 100, maxDeliver: 1 }, 3, {
    stream: { retention: 'interest' },
  });
  group.pull();
  const [first] = await group.run(300);
  group.pull({ batch: 2 });
  await group.run(10);
  // With what is pending gone, the floor rises above the first message.
  group.remove(2);
  group.remove(3);
  assert.deepEqual([group.info().ackFloor.streamSeq, group.info().numAckPending], [3, 0]);
  group.ack(first!.reply, '', 'answer');
  assert.equal(summary(await group.run(20)).at(-1), 'answer');
  assert.equal(group.leader.stream.isLive(1 as Seq), false);
});

test('messages of last_per_subject that are done count for nothing when they leave the stream', async () => {
  const group = new FakeGroup();
  group.store('a', 'b', 'c');
  await group.create(consumerConfig({ deliverPolicy: 'last_per_subject' }));
  group.pull();
  const first = (await group.run(1)).find(({ kind }) => kind === 'message');
  group.ack(first!.reply);
  group.remove(1);
  assert.equal(group.info().numPending, 2);
});
