import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumerConfig } from './configs.ts';
import { attempts, groupWith, place, summary } from './scenario.ts';

test('delivers while its subject has exactly the right listener', async () => {
  const group = await groupWith({ deliverSubject: 'd' }, 2);
  assert.deepEqual(await group.run(50), []);
  assert.equal(group.info().pushBound, false);
  group.outlet.listen('d', 'queue');
  assert.deepEqual(await group.run(50), []);
  group.outlet.listen('d');
  assert.deepEqual(summary(await group.run(1)), ['d m1', 'd m2']);
  assert.equal(group.info().pushBound, true);
  group.outlet.leave('d');
  group.store(['s', 'm3']);
  assert.deepEqual(await group.run(50), []);
  group.outlet.listen('d');
  assert.deepEqual(summary(await group.run(1)), ['d m3']);
});

test('a deliver group needs a member of that group', async () => {
  const group = await groupWith({ deliverSubject: 'd', deliverGroup: 'g' }, 1);
  group.outlet.listen('d');
  group.outlet.listen('d', 'other');
  assert.deepEqual(await group.run(50), []);
  group.outlet.listen('d', 'g');
  assert.deepEqual(summary(await group.run(1)), ['d m1']);
});

test('sends an idle heartbeat after each silent interval, only while somebody listens', async () => {
  const group = await groupWith({ deliverSubject: 'd', idleHeartbeatMs: 100 }, 1);
  assert.deepEqual(await group.run(500), []);
  group.outlet.listen('d');
  const sent = await group.run(250);
  assert.deepEqual(
    sent.map((one) => one.headers),
    [
      '',
      ...Array<string>(2).fill('NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n\r\n'),
    ],
  );
  group.outlet.leave('d');
  assert.deepEqual(await group.run(500), []);
});

test('asks for flow control at half of its window, stalls beyond it, and doubles it when answered', async () => {
  const group = await groupWith({ deliverSubject: 'd', flowControl: true, idleHeartbeatMs: 100, ackPolicy: 'none' });
  group.outlet.listen('d');
  for (let count = 0; count < 80; count++) group.store(['s', 'x'.repeat(100 * 1024)]);
  const sent = await group.run(50);
  const at = sent.findIndex((one) => one.kind === 'status');
  assert.equal(at, 11);
  assert.equal(sent[at]!.headers, 'NATS/1.0 100 FlowControl Request\r\n\r\n');
  assert.match(sent[at]!.reply, /^\$JS\.FC\.S\.C\.[0-9A-Za-z]{4}$/);
  assert.equal(sent.filter((one) => one.kind === 'message').length, 21);
  const [heartbeat] = await group.run(100);
  assert.match(heartbeat!.headers, /\r\nNats-Consumer-Stalled: \$JS\.FC\.S\.C\.\w{4}\r\n\r\n$/);
  assert.equal(group.consumers.flowControl('C', '$JS.FC.S.C.none', Buffer.alloc(0)), true);
  assert.equal(group.consumers.flowControl('NONE', sent[at]!.reply, Buffer.alloc(0)), false);
  assert.equal((await group.run(5)).filter((one) => one.kind === 'message').length, 0);
  group.consumers.flowControl('C', sent[at]!.reply, Buffer.alloc(0));
  assert.equal((await group.run(50)).filter((one) => one.kind === 'message').length, 31);
});

test('a rate limit spreads messages over time', async () => {
  const group = await groupWith({ deliverSubject: 'd', rateLimitBps: 80_000, ackPolicy: 'none' }, 0, {
    stream: { maxMsgSize: 6000 },
  });
  for (let count = 0; count < 4; count++) group.store(['s', 'x'.repeat(5000)]);
  group.outlet.listen('d');
  const times: number[] = [];
  const start = group.time.nowMs;
  for (let step = 0; step < 2000; step += 10) {
    for (const sent of await group.run(10)) if (sent.kind === 'message') times.push(group.time.nowMs - start);
  }
  assert.deepEqual(
    times.map((time) => Math.round(time / 100) * 100),
    [0, 400, 900, 1400],
  );
});

test('what a new deliver subject gets first is everything still pending', async () => {
  const group = await groupWith({ deliverSubject: 'd' }, 2);
  group.outlet.listen('d');
  await group.run(10);
  const bound = await group.settle(group.consumers.create(consumerConfig({ deliverSubject: 'e' }), 'update'));
  assert.equal(!bound.ok && bound.error.errCode, 10013);
  group.outlet.leave('d');
  group.outlet.listen('e');
  await group.create(consumerConfig({ deliverSubject: 'e' }), 'update');
  const sent = await group.run(10);
  assert.deepEqual(attempts(sent), ['1#2', '2#2']);
  assert.equal(sent[0]!.to, 'e');
});

test('a slow reader pauses the consumer', async () => {
  const group = await groupWith({ deliverSubject: 'd' }, 1);
  group.outlet.slow.add('d');
  group.outlet.listen('d');
  assert.deepEqual(await group.run(20), []);
  group.outlet.slow.delete('d');
  assert.deepEqual(summary(await group.run(20)), ['d m1']);
});

test('an ordered consumer numbers its deliveries without holes', async () => {
  const group = await groupWith({ deliverSubject: 'd', ackPolicy: 'none', maxDeliver: 1, flowControl: true }, 1000);
  group.outlet.listen('d');
  const numbers = (await group.run(50)).filter((one) => one.kind === 'message').map((one) => place(one).consumerSeq);
  assert.deepEqual(
    numbers,
    Array.from({ length: 1000 }, (_, at) => at + 1),
  );
});
