import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotLeaderError } from '../../src/base/errors.ts';
import type { ConsumerSet } from '../../src/consumer/index.ts';
import { consumerConfig } from './configs.ts';
import { attempts, groupWith, place, summary } from './scenario.ts';

const SECOND_NS = 1_000_000_000;

function assertEqualReplicas(group: Awaited<ReturnType<typeof groupWith>>): void {
  const digests = group.replicas.map(({ consumers }) => consumers.digest());
  assert.deepEqual(new Set(digests).size, 1, `digests ${digests.join(' ')}`);
}

/** Of the quorum, until it is answered. */
function question(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return {
    promise,
    resolve: () => {
      resolve();
    },
  };
}

test('a new leader goes on behind what was recorded, and keeps attempts and acks', async () => {
  const group = await groupWith({ ackWaitMs: 500 }, 5, { replicas: 3 });
  group.pull({ batch: 3 });
  const sent = await group.run(20);
  group.ack(sent[1]!.reply, '', 'answer');
  await group.run(20);
  assertEqualReplicas(group);
  group.failOver({ lose: true });
  assert.equal(group.info().numAckPending, 2);
  assert.equal(group.info().numPending, 2);
  group.pull({ batch: 10 });
  assert.deepEqual(attempts(await group.run(600)), ['4#1', '5#1', '1#2', '3#2', '4#2', '5#2']);
});

test('a new leader says right from its first delivery how many messages are still to come', async () => {
  const group = await groupWith({}, 4, { replicas: 3 });
  group.failOver({ lose: false });
  group.pull({ batch: 2 });
  const sent = await group.run(20);
  assert.deepEqual(
    sent.map((one) => place(one).pending),
    [3, 2],
  );
  assert.equal(group.info().numPending, 2);
});

test('what was delivered and not recorded is delivered again; its old ack is not answered', async () => {
  const group = await groupWith({}, 2, { replicas: 3 });
  group.quorum = false;
  group.pull({ batch: 2 });
  const sent = await group.run(20);
  group.ack(sent[0]!.reply, '', 'answer');
  assert.deepEqual(await group.run(20), []);
  group.quorum = true;
  group.failOver({ lose: true });
  group.ack(sent[0]!.reply, '', 'answer');
  assert.deepEqual(await group.run(20), []);
  group.pull({ batch: 2 });
  assert.deepEqual(attempts(await group.run(5)), ['1#1', '2#1']);
});

test('waiting pulls learn of the new leader from it', async () => {
  const group = await groupWith({}, 0, { replicas: 3 });
  group.pull({ expires: 30 * SECOND_NS }, 'a');
  group.pull({ expires: 30 * SECOND_NS }, 'b');
  await group.run(200);
  group.failOver({ lose: true });
  assert.deepEqual(
    (await group.run(1)).map((sent) => [sent.to, sent.headers]),
    [
      ['a', 'NATS/1.0 409 Leadership Change\r\n\r\n'],
      ['b', 'NATS/1.0 409 Leadership Change\r\n\r\n'],
    ],
  );
  await group.run(500);
  group.failOver({ lose: true });
  assert.deepEqual(await group.run(10), []);
  assertEqualReplicas(group);
});

test('who has just begun to wait learns of the new leader as well', async () => {
  const group = await groupWith({}, 0, { replicas: 3 });
  group.pull({ expires: 30 * SECOND_NS }, 'a');
  await group.run(10);
  group.failOver({ lose: true });
  assert.deepEqual(
    (await group.run(1)).map(({ to, headers }) => [to, headers]),
    [['a', 'NATS/1.0 409 Leadership Change\r\n\r\n']],
  );
});

test('a deposed leader answers nothing, sends nothing, and holds nothing', async () => {
  const group = await groupWith({ ackWaitMs: 100 }, 2, { replicas: 3 });
  const old = group.leader;
  group.pull({ expires: SECOND_NS, batch: 5 });
  const [message] = await group.run(5);
  group.quorum = false;
  group.ack(message!.reply, '', 'answer');
  group.quorum = true;
  group.failOver({ lose: true });
  old.outlet.take();
  await group.run(3000);
  assert.deepEqual(old.outlet.take(), []);
  assert.equal(old.outlet.openTargets, 0);
  assert.equal(old.consumers.pull('C', { reply: 'x', headers: Buffer.alloc(0), body: Buffer.alloc(0) }), false);
});

test('a leader without a lease delivers nothing, new or again, before the quorum has said that it still leads', async () => {
  const group = await groupWith({ ackWaitMs: 100 }, 2, { replicas: 3 });
  group.pull({ batch: 1 });
  assert.deepEqual(attempts(await group.run(20)), ['1#1']);
  const answer = question();
  group.leader.stream.doubts = answer.promise;
  group.pull({ batch: 5, expires: 5 * SECOND_NS });
  assert.deepEqual(await group.run(500), []);
  group.leader.stream.doubts = undefined;
  answer.resolve();
  assert.deepEqual(attempts(await group.run(20)), ['1#2', '2#1']);
});

test('what waited for its record is not sent by a leader without a lease, and goes out when it is sure', async () => {
  const group = await groupWith({ ackWaitMs: 1000, maxDeliver: 2 }, 1, { replicas: 3 });
  group.quorum = false;
  group.pull({ batch: 1, expires: 5 * SECOND_NS });
  await group.run(20);
  const answer = question();
  group.leader.stream.doubts = answer.promise;
  group.heal();
  assert.deepEqual(await group.run(200), []);
  group.leader.stream.doubts = undefined;
  answer.resolve();
  assert.deepEqual(attempts(await group.run(20)), ['1#1']);
});

test('an answer of the quorum that was under way while the leader stood still is not relied on', async () => {
  const group = await groupWith({ ackWaitMs: 100 }, 1, { replicas: 3 });
  const { stream, outlet } = group.leader;
  const late = question();
  stream.doubts = late.promise;
  group.pull({ batch: 1, expires: 5 * SECOND_NS });
  await group.run(500);
  const deposed = Promise.reject(new NotLeaderError('not the leader any more', true));
  deposed.catch(() => undefined);
  stream.doubts = deposed;
  late.resolve();
  await group.run(50);
  group.failOver({ lose: true });
  await group.run(200);
  assert.deepEqual(attempts(outlet.take()), []);
});

test('a leader that was deposed in doubt delivers again when it leads anew, whatever became of its question', async () => {
  const group = await groupWith({}, 1, { replicas: 3 });
  const { stream } = group.leader;
  stream.doubts = new Promise(() => undefined);
  group.pull({ batch: 1 });
  await group.run(20);
  group.failOver({ lose: true });
  stream.doubts = undefined;
  group.failOver({ lose: true, to: 0 });
  group.pull({ batch: 1 });
  assert.deepEqual(attempts(await group.run(20)), ['1#1']);
});

test('max_deliver counts across leaders', async () => {
  const group = await groupWith({ ackWaitMs: 100, maxDeliver: 3 }, 1, { replicas: 3 });
  const seen: string[] = [];
  for (let round = 0; round < 8; round++) {
    group.pull({ batch: 5, expires: SECOND_NS });
    seen.push(...attempts(await group.run(70)));
    group.failOver({ lose: true });
  }
  assert.deepEqual(seen.at(-1), '1#3');
  assert.ok(seen.length <= 5);
  assert.equal(group.info().numAckPending, 0);
});

test('a restored replica has the same state and digest, and can lead', async () => {
  const group = await groupWith({ ackWaitMs: 300, maxDeliver: 2 }, 20, { replicas: 3 });
  await group.create(consumerConfig({ name: 'L', deliverPolicy: 'last_per_subject', filterSubjects: ['>'] }));
  group.outlet.take();
  group.pull({ batch: 10 });
  const sent = await group.run(20);
  for (const at of [0, 1, 4, 7]) group.ack(sent[at]!.reply);
  group.pull({ batch: 2 });
  await group.run(700);
  const before = group.info();
  await group.restart(1);
  assertEqualReplicas(group);
  group.failOver({ lose: true, to: 1 });
  const after = group.info();
  assert.deepEqual(
    [after.delivered.streamSeq, after.ackFloor.streamSeq, after.numAckPending, after.numRedelivered, after.numPending],
    [
      before.delivered.streamSeq,
      before.ackFloor.streamSeq,
      before.numAckPending,
      before.numRedelivered,
      before.numPending,
    ],
  );
  group.pull({ batch: 1 }, 'inbox', 'L');
  assert.deepEqual(summary(await group.run(20)).at(-1), 'inbox m20');
  assertEqualReplicas(group);
});

function checkpointOf(consumers: ConsumerSet): (readonly [Buffer, Buffer])[] {
  const pages: (readonly [Buffer, Buffer])[] = [];
  consumers.beginCheckpoint();
  consumers.writePages({ put: (key, value) => pages.push([key, value]), delete: () => undefined }, Infinity);
  consumers.endCheckpoint(true);
  return pages.sort(([a], [b]) => Buffer.compare(a, b));
}

test('what a replica had changed before it was restored is no part of its next checkpoint', async () => {
  const group = await groupWith({}, 5, { replicas: 3 });
  group.pull({ batch: 3 });
  await group.run(20);
  const [, ahead, behind] = group.replicas;
  const pages = checkpointOf(ahead!.consumers);
  behind!.consumers.restore(pages);
  assert.deepEqual(checkpointOf(behind!.consumers).length, 1, 'the page of what all consumers share');
  assertEqualReplicas(group);
});

test('a replica restored without pages is as before the first entry', async () => {
  const group = await groupWith({}, 5, { replicas: 3 });
  const { consumers } = group.replicas[1]!;
  consumers.restore([]);
  assert.equal(consumers.digest(), 0);
  assert.deepEqual(consumers.names(), []);
});

test('pulls that ended are forgotten by the replicas too', async () => {
  const group = await groupWith({}, 1, { replicas: 3 });
  group.pull({ expires: SECOND_NS }, 'expired');
  group.pull({ batch: 5, expires: 60 * SECOND_NS }, 'left');
  await group.run(500);
  await group.run(1000);
  group.outlet.leave('left');
  await group.run(500);
  group.failOver({ lose: true });
  assert.deepEqual(await group.run(10), []);
});

test('what was acked is on record before leadership is handed over, and nothing more is delivered', async () => {
  const group = await groupWith({}, 4, { replicas: 3 });
  group.pull({ batch: 3 });
  const sent = await group.run(20);
  for (const one of sent) group.ack(one.reply);
  group.pull({ batch: 1 });
  await group.settle(group.consumers.beforeHandover());
  assert.equal(group.consumers.serving, false);
  assert.deepEqual(await group.run(20), []);
  group.failOver({ lose: true });
  assert.deepEqual([group.info().ackFloor.streamSeq, group.info().numAckPending, group.info().numPending], [3, 0, 1]);
});

test('a leader that nobody took over from goes on', async () => {
  const group = await groupWith({}, 2, { replicas: 3 });
  await group.settle(group.consumers.beforeHandover());
  group.pull({ batch: 2 });
  assert.deepEqual(await group.run(20), []);
  group.consumers.staysLeader();
  assert.equal(group.consumers.serving, true);
  assert.deepEqual(attempts(await group.run(20)), ['1#1', '2#1']);
});

test('leadership does not wait for a quorum that does not answer', async () => {
  const group = await groupWith({}, 1, { replicas: 3 });
  group.pull();
  const [sent] = await group.run(20);
  group.quorum = false;
  group.ack(sent!.reply);
  await group.settle(group.consumers.beforeHandover());
  group.quorum = true;
  group.failOver({ lose: true });
  assert.equal(group.info().numAckPending, 1);
});
