import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seq } from '../../src/base/brand.ts';
import type { Sent } from './fake-outlet.ts';
import { advisories, attempts, groupWith, place, summary } from './scenario.ts';

const floorOf = (group: Awaited<ReturnType<typeof groupWith>>): [number, number] => {
  const { ackFloor } = group.info();
  return [ackFloor.consumerSeq, ackFloor.streamSeq];
};

interface Sample {
  readonly ack_time: number;
}

test('the ack floor moves as in the reference: {0,0}, {0,0}, {1,1}, {3,3}', async () => {
  const group = await groupWith({}, 5);
  group.pull({ batch: 5 });
  const sent = await group.run(1);
  const floors = [3, 5, 1, 2].map((seq) => {
    group.ack(sent[seq - 1]!.reply);
    return floorOf(group);
  });
  assert.deepEqual(floors, [
    [0, 0],
    [0, 0],
    [1, 1],
    [3, 3],
  ]);
  group.ack(sent[3]!.reply);
  assert.deepEqual(floorOf(group), [5, 5]);
});

test('a double ack is answered when it is committed, not before; a repeated one too', async () => {
  const group = await groupWith({}, 1);
  group.pull();
  const [message] = await group.run(10);
  group.quorum = false;
  group.ack(message!.reply, '+ACK', 'answer');
  group.ack(message!.reply, '', 'again');
  assert.deepEqual(await group.run(50), []);
  group.heal();
  assert.deepEqual(
    (await group.run(0)).map((sent) => [sent.to, sent.payload]),
    [
      ['answer', ''],
      ['again', ''],
    ],
  );
  group.ack(message!.reply, '+OK', 'later');
  assert.deepEqual(summary(await group.run(0)), ['later']);
});

test('the ack of a message in flight to the log waits for that entry', async () => {
  const group = await groupWith({}, 1);
  group.pull();
  const [message] = await group.run(10);
  group.ack(message!.reply);
  group.quorum = false;
  await group.run(6);
  group.ack(message!.reply, '', 'answer');
  assert.deepEqual(await group.run(50), []);
  group.heal();
  assert.deepEqual(summary(await group.run(0)), ['answer']);
});

test('acks that can not be read, or are ahead of deliveries, get no answer', async () => {
  const group = await groupWith({}, 2);
  group.pull();
  await group.run(1);
  for (const subject of [
    '$JS.ACK.S.C.1.2.2.1.0',
    '$JS.ACK.S.C.1.99.1.1.0',
    '$JS.ACK.S.C.1.x.1.1.0',
    '$JS.ACK.S.C.1.0.1.1.0',
    '$JS.ACK.S.C.1.1.1.1',
    '$JS.ACK.S.C.1..1.1.0',
    '$JS.ACK.S.C.1.-1.1.1.0',
    '$JS.ACK.S.C.1.99999999999999999999999.1.1.0',
  ]) {
    group.ack(subject, '', 'answer');
  }
  assert.deepEqual(await group.run(20), []);
  assert.equal(group.info().numAckPending, 1);
});

test('an unknown payload changes nothing and is answered', async () => {
  const group = await groupWith({}, 1);
  group.pull();
  const [message] = await group.run(1);
  for (const payload of ['+BOGUS', '+ACK ', '+WPI x', 'x']) group.ack(message!.reply, payload, 'answer');
  assert.equal((await group.run(0)).length, 4);
  assert.equal(group.info().numAckPending, 1);
});

test('a nak is answered at once, advised, and delivers again to the next pull', async () => {
  const group = await groupWith({}, 1);
  group.pull();
  const [message] = await group.run(10);
  group.quorum = false;
  group.ack(message!.reply, '-NAK', 'answer');
  const sent = await group.run(0);
  assert.deepEqual(summary(sent), ['$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED.S.C', 'answer']);
  const [advisory] = advisories(sent);
  assert.equal(advisory!['type'], 'io.nats.jetstream.advisory.v1.nak');
  assert.match(String(advisory!['id']), /^[0-9A-Za-z]{22}$/);
  assert.match(String(advisory!['timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/);
  assert.deepEqual(
    ['stream', 'consumer', 'consumer_seq', 'stream_seq', 'deliveries'].map((member) => advisory![member]),
    ['S', 'C', 1, 1, 1],
  );
  group.pull();
  assert.deepEqual(attempts(await group.run(1)), ['1#2']);
});

test('naks deliver again in the order in which they came, before new messages', async () => {
  const group = await groupWith({}, 4);
  group.pull({ batch: 3 });
  const sent = await group.run(1);
  group.ack(sent[2]!.reply, '-NAK');
  group.ack(sent[0]!.reply, '-NAK');
  group.outlet.take();
  group.pull({ batch: 3 });
  assert.deepEqual(attempts(await group.run(1)), ['3#2', '1#2', '4#1']);
});

test('a nak with a delay waits exactly that long, with backoff too', async () => {
  for (const [payload, backoffMs] of [
    ['-NAK {"delay":300000000}', []],
    ['-NAK 300ms', []],
    ['-NAK 300ms', [1000, 4000]],
  ] as const) {
    const group = await groupWith({ backoffMs, ackWaitMs: 30_000 }, 1);
    group.pull();
    const [message] = await group.run(10);
    group.ack(message!.reply, payload);
    group.pull();
    assert.deepEqual(attempts(await group.run(298)), [], payload);
    assert.deepEqual(attempts(await group.run(5)), ['1#2'], payload);
  }
});

test('+WPI restarts the ack wait', async () => {
  const group = await groupWith({ ackWaitMs: 100 }, 1);
  group.pull();
  const [message] = await group.run(80);
  group.ack(message!.reply, '+WPI', 'answer');
  assert.deepEqual(summary(await group.run(0)), ['answer']);
  group.pull();
  assert.deepEqual(await group.run(99), []);
  assert.deepEqual(attempts(await group.run(5)), ['1#2']);
});

test('+TERM ends a message with its reason, and is answered when committed', async () => {
  const group = await groupWith({ ackWaitMs: 100 }, 1);
  group.pull();
  const [message] = await group.run(10);
  group.quorum = false;
  group.ack(message!.reply, '+TERM  no use ', 'answer');
  const sent = await group.run(20);
  assert.deepEqual(summary(sent), ['$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.C']);
  assert.equal(advisories(sent)[0]!['reason'], 'no use');
  group.heal();
  assert.deepEqual(summary(await group.run(0)), ['answer']);
  group.pull();
  assert.deepEqual(await group.run(500), []);
});

test('+NXT acks and pulls the next with its body, to the reply', async () => {
  const group = await groupWith({}, 4);
  group.pull();
  const [message] = await group.run(1);
  group.ack(message!.reply, '+NXT {"batch":2,"no_wait":true}', 'box');
  assert.deepEqual(summary(await group.run(1)), ['box m2', 'box m3']);
  assert.equal(group.info().ackFloor.streamSeq, 1);
});

test('ack all acks everything before, and never lowers its floor', async () => {
  const group = await groupWith({ ackPolicy: 'all' }, 5);
  group.pull({ batch: 5 });
  const sent = await group.run(1);
  group.ack(sent[3]!.reply);
  assert.deepEqual(floorOf(group), [4, 4]);
  assert.equal(group.info().numAckPending, 1);
  group.ack(sent[1]!.reply, '', 'answer');
  assert.deepEqual(floorOf(group), [4, 4]);
  assert.deepEqual(summary(await group.run(10)), ['answer']);
});

test('ack none counts a message as done when it was sent', async () => {
  const group = await groupWith({ ackPolicy: 'none', maxAckPending: 0 }, 2);
  group.pull({ batch: 2 });
  const sent = await group.run(1);
  assert.deepEqual(
    sent.map(place).map(({ consumerSeq, pending }) => [consumerSeq, pending]),
    [
      [1, 1],
      [2, 0],
    ],
  );
  assert.deepEqual(floorOf(group), [2, 2]);
  group.ack(sent[0]!.reply, '', 'answer');
  assert.deepEqual(await group.run(10), []);
});

test('pending messages that leave the stream are terminated with an advisory; purged ones silently', async () => {
  const group = await groupWith({}, 4);
  group.pull({ batch: 3 });
  await group.run(10);
  group.remove(2);
  const sent = await group.run(0);
  assert.equal(advisories(sent)[0]!['reason'], 'Unacknowledged message was deleted');
  assert.equal(group.info().numAckPending, 2);
  group.consumers.messagesRemovedBelow(4 as Seq, true);
  assert.deepEqual(await group.run(0), []);
  assert.equal(group.info().numAckPending, 0);
  assert.deepEqual(floorOf(group), [3, 3]);
});

test('a message deleted before its delivery was recorded is pending on no replica', async () => {
  const group = await groupWith({}, 2, { replicas: 3 });
  group.pull({ batch: 2 });
  await group.run(0);
  group.remove(1);
  await group.run(50);
  group.failOver({ lose: false });
  assert.equal(group.info().numAckPending, 1);
  assert.equal(group.info().delivered.streamSeq, 2);
  assert.deepEqual(floorOf(group), [1, 1]);
});

test('nobody waits for acks of a consumer without acks, or of one that is not there', async () => {
  const group = await groupWith({ ackPolicy: 'none' }, 1);
  group.pull();
  const [message] = await group.run(5);
  assert.equal(group.ack(message!.reply), false);
  assert.equal(group.ack(message!.reply.replace('.C.', '.D.')), false);
});

test('an ack is timed by the microsecond, and on a new leader by the millisecond', async () => {
  const group = await groupWith({ sampleFreq: '100' }, 2, { replicas: 3 });
  const ackTime = (sent: readonly Sent[]): unknown =>
    sent
      .filter(({ to }) => to.startsWith('$JS.EVENT.METRIC.'))
      .map(({ payload }) => (JSON.parse(payload) as Sample).ack_time);
  group.pull({ batch: 2 });
  const sent = await group.run(20.25);
  group.ack(sent[0]!.reply);
  const [first] = ackTime(await group.run(10)) as number[];
  assert.ok(first! % 1e6 !== 0 && first! <= 20.25e6, `${first!} ns`);
  await group.run(100);
  group.failOver({ lose: false });
  group.ack(sent[1]!.reply);
  const [second] = ackTime(await group.run(10)) as number[];
  assert.ok(second! % 1e6 === 0 && second! >= 100e6, `${second!} ns`);
});
