import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';
import type { Sent } from './fake-outlet.ts';

const SECOND_NS = 1_000_000_000;

async function groupWith(config: Parameters<typeof consumerConfig>[0] = {}, messages = 0): Promise<FakeGroup> {
  const group = new FakeGroup();
  if (messages > 0) group.storeMany(messages);
  await group.create(consumerConfig(config));
  group.outlet.take();
  return group;
}

/** Payloads of delivered messages by inbox, and statuses by their line. */
function summary(sent: readonly Sent[]): string[] {
  return sent.map((one) =>
    one.kind === 'message' ? `${one.to} ${one.payload}` : `${one.to} ${one.headers.split('\r\n')[0]!}`,
  );
}

test('a pull of two gets the first two messages, with their places in the reply subject', async () => {
  const group = await groupWith({}, 3);
  group.pull({ batch: 2 });
  const sent = await group.run(1);
  assert.deepEqual(summary(sent), ['inbox m1', 'inbox m2']);
  assert.match(sent[0]!.reply, /^\$JS\.ACK\.S\.C\.1\.1\.1\.17\d{17}\.2$/);
  assert.match(sent[1]!.reply, /^\$JS\.ACK\.S\.C\.1\.2\.2\.17\d{17}\.1$/);
  assert.equal(sent[0]!.subject, 's');
});

test('an acked message is not delivered again, one without ack is after its wait', async () => {
  const group = await groupWith({ ackWaitMs: 500 }, 2);
  group.pull({ batch: 2 });
  const sent = await group.run(10);
  group.ack(sent[0]!.reply);
  group.pull({ batch: 5 });
  assert.deepEqual(summary(await group.run(480)), []);
  const again = await group.run(30);
  assert.deepEqual(summary(again), ['inbox m2']);
  assert.match(again[0]!.reply, /^\$JS\.ACK\.S\.C\.2\.2\.3\./);
  assert.deepEqual(group.info().ackFloor.streamSeq, 1);
});

test('a double ack is answered when it is committed, not before', async () => {
  const group = await groupWith({}, 1);
  group.pull();
  const [message] = await group.run(10);
  group.quorum = false;
  group.ack(message!.reply, '+ACK', 'answer');
  assert.deepEqual(await group.run(50), []);
  group.heal();
  assert.deepEqual(
    (await group.run(0)).map((sent) => [sent.to, sent.payload]),
    [['answer', '']],
  );
});

test('a waiting pull gets a message as soon as it is stored', async () => {
  const group = await groupWith();
  group.pull({ expires: SECOND_NS });
  assert.deepEqual(await group.run(100), []);
  group.store(['s', 'late']);
  assert.deepEqual(summary(await group.run(1)), ['inbox late']);
});

test('a pull that expires says what it still wanted', async () => {
  const group = await groupWith({}, 1);
  group.pull({ batch: 3, expires: SECOND_NS });
  await group.run(999);
  const [status] = await group.run(2);
  assert.equal(
    status!.headers,
    'NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 2\r\nNats-Pending-Bytes: 0\r\n\r\n',
  );
});
