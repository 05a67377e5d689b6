import assert from 'node:assert/strict';
import { test } from 'node:test';
import { consumerConfig } from './configs.ts';
import { MS_NS, SECOND_NS, attempts, groupWith, place, summary } from './scenario.ts';

test('a pull of two gets the first two messages, with their places in the reply subject', async () => {
  const group = await groupWith({}, 3);
  group.pull({ batch: 2 });
  const sent = await group.run(1);
  assert.deepEqual(summary(sent), ['inbox m1', 'inbox m2']);
  assert.match(sent[0]!.reply, /^\$JS\.ACK\.S\.C\.1\.1\.1\.17\d{17}\.2$/);
  assert.match(sent[1]!.reply, /^\$JS\.ACK\.S\.C\.1\.2\.2\.17\d{17}\.1$/);
  assert.equal(sent[0]!.subject, 's');
});

test('a body may be empty, a number, other text, or JSON', async () => {
  for (const [body, wanted] of [
    ['', 1],
    [' ', 1],
    ['3', 3],
    ['many', 1],
    ['{}', 1],
    ['{"batch":-1}', 1],
    ['{"batch":2,"unknown":true}', 2],
  ] as const) {
    const group = await groupWith({}, 5);
    group.pull(body);
    assert.equal((await group.run(1)).length, wanted, body);
  }
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
  group.pull({ batch: 3, expires: SECOND_NS, max_bytes: 10_000 });
  const [message] = await group.run(999);
  const [status] = await group.run(2);
  const size = 's'.length + 'm1'.length + message!.reply.length;
  assert.equal(
    status!.headers,
    `NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 2\r\nNats-Pending-Bytes: ${10_000 - size}\r\n\r\n`,
  );
  assert.equal(group.outlet.openTargets, 0);
});

test('requests are served in turn, one message each', async () => {
  const group = await groupWith();
  group.pull({ batch: 3 }, 'A');
  group.pull({ batch: 2 }, 'B');
  group.pull({ batch: 1 }, 'C1');
  await group.run(5);
  group.storeMany(6);
  const sent = await group.run(5);
  assert.deepEqual(summary(sent), ['A m1', 'B m2', 'C1 m3', 'A m4', 'B m5', 'A m6']);
});

test('no_wait without messages gets 404 at once, and 404 after the last message', async () => {
  const group = await groupWith();
  group.pull({ no_wait: true });
  assert.deepEqual(
    (await group.run(0)).map((sent) => sent.headers),
    ['NATS/1.0 404 No Messages\r\n\r\n'],
  );
  group.storeMany(2);
  group.pull({ no_wait: true, batch: 5 });
  assert.deepEqual(summary(await group.run(1)), ['inbox m1', 'inbox m2', 'inbox NATS/1.0 404 No Messages']);
});

test('no_wait with an expiry waits for a first message, and ends when they run out', async () => {
  const group = await groupWith();
  group.pull({ no_wait: true, batch: 5, expires: SECOND_NS });
  assert.deepEqual(await group.run(500), []);
  group.storeMany(1);
  assert.deepEqual(summary(await group.run(1)), ['inbox m1', 'inbox NATS/1.0 404 No Messages']);
});

test('no_wait behind requests that would take everything gets 408 Requests Pending', async () => {
  const group = await groupWith({ maxAckPending: 1 }, 3);
  group.pull({ batch: 10 }, 'big');
  await group.run(1);
  group.pull({ no_wait: true });
  assert.deepEqual(
    (await group.run(0)).map((sent) => sent.headers),
    ['NATS/1.0 408 Requests Pending\r\n\r\n'],
  );
});

test('a message larger than the byte budget ends the request and stays for others', async () => {
  const group = await groupWith({}, 1);
  group.pull({ batch: 5, max_bytes: 20 });
  group.pull({ batch: 1 }, 'other');
  const sent = await group.run(1);
  assert.deepEqual(summary(sent), ['inbox NATS/1.0 409 Message Size Exceeds MaxBytes', 'other m1']);
  assert.equal(
    sent[0]!.headers,
    'NATS/1.0 409 Message Size Exceeds MaxBytes\r\nNats-Pending-Messages: 5\r\nNats-Pending-Bytes: 20\r\n\r\n',
  );
  assert.equal(place(sent[1]!).consumerSeq, 1);
});

test('a batch that leaves bytes of its budget is completed with 409', async () => {
  const group = await groupWith({}, 1);
  group.pull({ batch: 1, max_bytes: 1000 });
  const [message, status] = await group.run(1);
  const left = 1000 - 's'.length - 'm1'.length - message!.reply.length;
  assert.equal(
    status!.headers,
    `NATS/1.0 409 Batch Completed\r\nNats-Pending-Messages: 0\r\nNats-Pending-Bytes: ${left}\r\n\r\n`,
  );
});

test('idle heartbeats go to the inbox while nothing is delivered', async () => {
  const group = await groupWith({}, 1);
  group.pull({ batch: 5, expires: SECOND_NS, idle_heartbeat: 300 * MS_NS });
  await group.run(1);
  const sent = await group.run(700);
  assert.deepEqual(
    sent.map((one) => one.headers),
    Array(2).fill('NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\nNats-Last-Stream: 1\r\n\r\n'),
  );
});

test('requests that ask for too much are refused with the limit they hit', async () => {
  const limits = { maxRequestBatch: 3, maxRequestExpiresMs: 1500, maxRequestMaxBytes: 100 };
  for (const [body, line] of [
    ['{"batch":4}', '409 Exceeded MaxRequestBatch of 3'],
    ['{"expires":1600000000}', '409 Exceeded MaxRequestExpires of 1.5s'],
    ['{"max_bytes":101}', '409 Exceeded MaxRequestMaxBytes of 100'],
    ['{"expires":1000000000,"idle_heartbeat":600000000}', '400 Bad Request - heartbeat value too large'],
    ['{"idle_heartbeat":600000000}', '400 Bad Request - heartbeat value too large'],
    ['{"batch":', '400 Bad Request - unexpected end of JSON input'],
  ] as const) {
    const group = await groupWith(limits);
    group.pull(body);
    assert.deepEqual(
      (await group.run(0)).map((sent) => sent.headers),
      [`NATS/1.0 ${line}\r\n\r\n`],
      body,
    );
  }
});

test('a push consumer, and an API level of the future, refuse pulls', async () => {
  const push = await groupWith({ deliverSubject: 'd' });
  push.pull();
  assert.deepEqual(summary(await push.run(0)), ['inbox NATS/1.0 409 Consumer is push based']);
  const pull = await groupWith();
  pull.pull('', 'inbox', 'C', 'NATS/1.0\r\nNats-Required-Api-Level: 99\r\n\r\n');
  assert.deepEqual(summary(await pull.run(0)), ['inbox NATS/1.0 412 Required Api Level']);
  assert.equal(pull.pull('', 'inbox', 'nobody'), false);
});

test('more requests than max_waiting are refused, silently with heartbeats; lost listeners make room', async () => {
  const group = await groupWith({ maxWaiting: 2 });
  group.pull({ expires: SECOND_NS }, 'a');
  group.pull({ expires: SECOND_NS }, 'b');
  group.pull({ expires: SECOND_NS }, 'c');
  assert.deepEqual(summary(await group.run(1)), ['c NATS/1.0 409 Exceeded MaxWaiting']);
  group.pull({ expires: SECOND_NS, idle_heartbeat: 100 * MS_NS }, 'd');
  assert.deepEqual(await group.run(1), []);
  group.outlet.leave('a');
  group.pull({ expires: SECOND_NS }, 'e');
  group.storeMany(2);
  assert.deepEqual(summary(await group.run(1)), ['b m1', 'e m2']);
});

test('a message nobody took is delivered at once to the next request, as a second attempt', async () => {
  const group = await groupWith({}, 5);
  group.outlet.takesOnly.set('inbox', 2);
  group.pull({ batch: 5 });
  assert.deepEqual(attempts(await group.run(1)), ['1#1', '2#1']);
  group.pull({ batch: 3 }, 'other');
  assert.deepEqual(attempts(await group.run(1)), ['3#2', '4#1', '5#1']);
});

test('a slow reader is left alone until it has caught up', async () => {
  const group = await groupWith({}, 2);
  group.outlet.slow.add('slow');
  group.pull({ batch: 2 }, 'slow');
  group.pull({ batch: 1 }, 'fast');
  assert.deepEqual(summary(await group.run(20)), ['fast m1']);
  group.outlet.slow.delete('slow');
  assert.deepEqual(summary(await group.run(20)), ['slow m2']);
});

test('messages that have to come from disk are delivered when they arrive', async () => {
  const group = await groupWith({}, 2);
  group.leader.stream.onDisk.add(1);
  group.pull({ batch: 2 });
  assert.deepEqual(await group.run(5), []);
  group.leader.stream.arrive();
  assert.deepEqual(summary(await group.run(1)), ['inbox m1', 'inbox m2']);
});

test('waiting pulls are told when their consumer is deleted', async () => {
  const group = await groupWith();
  group.pull({ expires: SECOND_NS });
  await group.run(1);
  await group.settle(group.consumers.delete('C'));
  const sent = await group.run(0);
  assert.equal(sent[0]!.headers, 'NATS/1.0 409 Consumer Deleted\r\n\r\n');
  assert.equal(group.outlet.openTargets, 0);
  assert.equal(group.pull(), false);
});

test('max_ack_pending holds first deliveries back, and an ack lets the next one go', async () => {
  const group = await groupWith({ maxAckPending: 2 }, 4);
  group.pull({ batch: 4 });
  const sent = await group.run(10);
  assert.deepEqual(summary(sent), ['inbox m1', 'inbox m2']);
  group.ack(sent[1]!.reply);
  assert.deepEqual(summary(await group.run(1)), ['inbox m3']);
});

test('filters let only their subjects through, and num_pending counts only those', async () => {
  const group = await groupWith({ filterSubjects: ['a.*', 'b.>'] });
  group.store(['a.1', 'one'], ['c', 'no'], ['b.x.y', 'two'], ['a.1.2', 'no'], ['a.2', 'three']);
  assert.equal(group.info().numPending, 3);
  group.pull({ batch: 5 });
  const sent = await group.run(1);
  assert.deepEqual(summary(sent), ['inbox one', 'inbox two', 'inbox three']);
  assert.deepEqual(
    sent.map((one) => place(one).pending),
    [2, 1, 0],
  );
  group.store(['a.9', 'four'], ['c', 'no']);
  assert.deepEqual(summary(await group.run(1)), ['inbox four']);
  assert.equal(group.info().numPending, 0);
});

test('headers_only drops the payload and tells its size', async () => {
  const group = await groupWith({ headersOnly: true });
  group.store(['s', 'hello'], ['s', 'hey', 'NATS/1.0\r\nA: b\r\n\r\n']);
  group.pull({ batch: 2 });
  const sent = await group.run(1);
  assert.deepEqual(
    sent.map((one) => [one.headers, one.payload]),
    [
      ['NATS/1.0\r\nNats-Msg-Size: 5\r\n\r\n', ''],
      ['NATS/1.0\r\nA: b\r\nNats-Msg-Size: 3\r\n\r\n', ''],
    ],
  );
});

test('replay original keeps the pauses between the stored messages', async () => {
  const group = await groupWith();
  for (let count = 0; count < 3; count++) {
    group.store(['s', `m${count + 1}`]);
    await group.run(300);
  }
  await group.settle(group.consumers.delete('C'));
  await group.create(consumerConfig({ replayPolicy: 'original' }));
  group.outlet.take();
  group.pull({ batch: 3 });
  assert.deepEqual(summary(await group.run(10)), ['inbox m1']);
  assert.deepEqual(summary(await group.run(280)), []);
  assert.deepEqual(summary(await group.run(20)), ['inbox m2']);
  assert.deepEqual(summary(await group.run(300)), ['inbox m3']);
});

test('messages below a start in the future do not count, with a filter or without', async () => {
  for (const filterSubjects of [[], ['a']]) {
    const group = await groupWith({ deliverPolicy: 'by_start_sequence', optStartSeq: 4, filterSubjects }, 0);
    assert.equal(group.info().numPending, 0);
    group.store('a', 'a');
    group.store('a', 'a', 'a');
    assert.equal(group.info().numPending, 2);
    group.pull({ batch: 5 });
    assert.deepEqual(
      (await group.run(20)).map((one) => [place(one).seq, place(one).pending]),
      [
        [4, 1],
        [5, 0],
      ],
    );
    assert.equal(group.info().numPending, 0);
  }
});
