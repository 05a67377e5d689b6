/**
 * The official npm clients against three real nodes: streams, consumers, and the key-value store, each through a node that
 * need not be the leader.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect as connectV3 } from '@nats-io/transport-node';
import { AckPolicy, connect, DeliverPolicy, headers, nanos, StringCodec, type NatsConnection } from 'nats';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const text = StringCodec();
/** A leader that finds no successor stays: this long its going is waited for, and then asked for again. */
const WORD_MS = 10_000;

describe('the official clients on three nodes', () => {
  let servers: Servers;
  let connections: NatsConnection[];

  before(async () => {
    servers = await startServers({ nodes: 3 });
    connections = await Promise.all(servers.urls.map((url) => connect({ servers: url, timeout: 10_000 })));
  });

  after(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await servers.stop();
  });

  test('a message published at one node reaches subscribers at the others, once each', async () => {
    const [a, b, c] = connections as [NatsConnection, NatsConnection, NatsConnection];
    const received: string[] = [];
    for (const [name, connection] of [
      ['b', b],
      ['c', c],
    ] as const) {
      connection.subscribe('greet.*', { callback: (_error, message) => received.push(`${name} ${message.subject}`) });
      await connection.flush();
    }
    // Of those that are repeated until their subscribers are known, some may come late.
    await waitFor('both subscribers heard of', async () => {
      a.publish('greet.probe');
      await a.flush();
      return received.includes('b greet.probe') && received.includes('c greet.probe');
    });
    a.publish('greet.all');
    a.publish('greet.end');
    await waitFor('both deliveries', () => received.filter((each) => each.endsWith('greet.end')).length === 2);
    const all = received.filter((each) => each.endsWith('greet.all'));
    assert.deepEqual(all.sort(), ['b greet.all', 'c greet.all']);
  });

  test('a request finds its responder on another node, and nobody is told at once', async () => {
    const [a, b] = connections as [NatsConnection, NatsConnection];
    b.subscribe('add.one', {
      callback: (_error, message) => message.respond(text.encode(`${Number(message.string()) + 1}`)),
    });
    await b.flush();
    const answer = await waitFor('the responder', () => a.request('add.one', text.encode('41')).catch(() => undefined));
    assert.equal(answer.string(), '42');
    await assert.rejects(a.request('nobody.here', text.encode('x'), PATIENT), { code: '503' });
  });

  test('who leads a replicated stream is told at every node, when it is created and when that changes', async () => {
    const [a, b] = connections as [NatsConnection, NatsConnection];
    interface Elected {
      readonly leader: string;
      readonly replicas: readonly { readonly name: string }[];
    }
    const told: Elected[] = [];
    a.subscribe('$JS.EVENT.ADVISORY.STREAM.LEADER_ELECTED.LED', {
      callback: (_error, message) => told.push(message.json<Elected>()),
    });
    await a.flush();
    const jsm = await b.jetstreamManager(PATIENT);
    await jsm.streams.add({ name: 'LED', num_replicas: 3 });
    await waitFor('the first leader', () => told.length > 0);
    const first = told.at(-1)!.leader;
    await waitFor('the second leader', async () => {
      await b.request('$JS.API.STREAM.LEADER.STEPDOWN.LED', undefined, PATIENT);
      return waitFor('word of it', () => told.some(({ leader }) => leader !== first), WORD_MS);
    });
    for (const { replicas } of told) assert.deepEqual(replicas.map(({ name }) => name).sort(), ['n1', 'n2', 'n3']);
    await jsm.streams.delete('LED');
  });

  test('a replicated stream stores, deduplicates, checks expectations and reads back', async () => {
    const [a, b] = connections as [NatsConnection, NatsConnection];
    const jsm = await a.jetstreamManager(PATIENT);
    const info = await jsm.streams.add({ name: 'ORDERS', subjects: ['orders.>'], num_replicas: 3, allow_direct: true });
    assert.equal(info.cluster?.replicas?.length, 2);
    const js = b.jetstream(PATIENT);
    const first = await js.publish('orders.new', text.encode('1'), { msgID: 'one' });
    const again = await js.publish('orders.new', text.encode('1'), { msgID: 'one' });
    assert.deepEqual([first.seq, again.seq, again.duplicate], [1, 1, true]);
    const expectation = { expect: { lastSequence: 7 } };
    await assert.rejects(js.publish('orders.new', text.encode('2'), expectation), {
      message: /wrong last sequence: 1/,
    });
    const withHeaders = headers();
    withHeaders.set('Trace', 'abc');
    await js.publish('orders.paid', text.encode('2'), { headers: withHeaders });
    const stored = await jsm.streams.getMessage('ORDERS', { seq: 2 });
    assert.equal(stored.header.get('Trace'), 'abc');
    assert.equal(text.decode(stored.data), '2');
    const direct = await waitFor('a replica that has the message', async () => {
      const answer = await b.request('$JS.API.DIRECT.GET.ORDERS.orders.new', undefined, PATIENT);
      return answer.headers?.get('Nats-Sequence') === '1' && answer;
    });
    assert.equal(direct.string(), '1');
    assert.equal((await jsm.streams.info('ORDERS')).state.messages, 2);
    assert.equal((await jsm.streams.purge('ORDERS')).purged, 2);
    assert.equal(await jsm.streams.delete('ORDERS'), true);
    await assert.rejects(jsm.streams.info('ORDERS'), { message: 'stream not found' });
  });

  test('a durable pull consumer delivers in batches, redelivers what was refused, and forgets what was acked', async () => {
    const [a, , c] = connections as [NatsConnection, NatsConnection, NatsConnection];
    const jsm = await a.jetstreamManager(PATIENT);
    await jsm.streams.add({ name: 'WORK', subjects: ['work.*'], num_replicas: 3 });
    for (let i = 1; i <= 20; i++) await a.jetstream(PATIENT).publish(`work.${i % 2}`, text.encode(String(i)));
    const config = {
      durable_name: 'W',
      ack_policy: AckPolicy.Explicit,
      filter_subject: 'work.1',
      ack_wait: nanos(30_000),
    };
    await jsm.consumers.add('WORK', config);
    const consumer = await c.jetstream(PATIENT).consumers.get('WORK', 'W');
    const seen: [number, boolean][] = [];
    const messages = await consumer.fetch({ max_messages: 10, expires: 5000 });
    for await (const message of messages) {
      seen.push([message.seq, message.redelivered]);
      if (message.seq === 3) message.nak();
      else assert.equal(await message.ackAck(), true);
    }
    assert.deepEqual(
      seen,
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19].map((seq) => [seq, false]),
    );
    const again = await consumer.next({ expires: 5000 });
    assert.deepEqual([again?.seq, again?.redelivered, again?.info.deliveryCount], [3, true, 2]);
    assert.equal(await again?.ackAck(), true);
    const info = await consumer.info();
    assert.deepEqual([info.num_ack_pending, info.num_pending, info.ack_floor.stream_seq], [0, 0, 19]);
    assert.equal(await jsm.consumers.delete('WORK', 'W'), true);
    await jsm.streams.delete('WORK');
  });

  test('an ordered consumer and a push consumer replay a stream completely', async () => {
    const [a, b] = connections as [NatsConnection, NatsConnection];
    const jsm = await a.jetstreamManager(PATIENT);
    await jsm.streams.add({ name: 'REPLAY', subjects: ['replay'], num_replicas: 3 });
    const js = a.jetstream(PATIENT);
    for (let i = 1; i <= 200; i++) await js.publish('replay', text.encode(String(i)));
    const ordered = await b.jetstream(PATIENT).consumers.get('REPLAY');
    const sequences: number[] = [];
    for await (const message of await ordered.fetch({ max_messages: 200, expires: 10_000 }))
      sequences.push(message.seq);
    assert.deepEqual(
      sequences,
      Array.from({ length: 200 }, (_, i) => i + 1),
    );

    const pushed: number[] = [];
    const inbox = 'pushed.here';
    b.subscribe(inbox, { callback: (_error, message) => pushed.push(Number(message.string() || -1)) });
    await b.flush();
    const target = { deliver_subject: inbox };
    await jsm.consumers.add('REPLAY', {
      ...target,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: 101,
      ack_policy: AckPolicy.None,
    });
    await waitFor('the push consumer being done', () => pushed.length >= 100);
    assert.deepEqual(
      pushed,
      Array.from({ length: 100 }, (_, i) => i + 101),
    );
    await jsm.streams.delete('REPLAY');
  });

  test('the key-value store puts, creates, updates, deletes, purges, lists and watches', async () => {
    const kv = await connections[1]!.jetstream(PATIENT).views.kv('config', { history: 5, replicas: 3 });
    assert.equal(await kv.put('a', text.encode('1')), 1);
    assert.equal(await kv.update('a', text.encode('2'), 1), 2);
    await assert.rejects(kv.update('a', text.encode('3'), 1), { message: /wrong last sequence: 2/ });
    await assert.rejects(kv.create('a', text.encode('9')));
    // Any replica answers a get, and one that is not the leader may be a moment behind.
    await waitFor('the update being read', async () => (await kv.get('a'))?.string() === '2');
    await kv.put('b.c', text.encode('x'));
    const history: string[] = [];
    for await (const entry of await kv.history({ key: 'a' })) history.push(entry.string());
    assert.deepEqual(history, ['1', '2']);
    const keys: string[] = [];
    for await (const key of await kv.keys()) keys.push(key);
    assert.deepEqual(keys.sort(), ['a', 'b.c']);
    await kv.delete('a');
    await waitFor('the deletion being read', async () => (await kv.get('a'))?.operation === 'DEL');
    assert.equal(await kv.create('a', text.encode('again')), 5);
    await kv.purge('a');
    const operations: string[] = [];
    const watch = await kv.watch({ key: 'a', initializedFn: () => undefined });
    await kv.put('a', text.encode('watched'));
    for await (const entry of watch) {
      operations.push(entry.operation);
      if (operations.length === 2) watch.stop();
    }
    assert.deepEqual(operations, ['PURGE', 'PUT']);
    await kv.destroy();
  });

  test('the clients of the third generation do the same over their own connection', async () => {
    const connection = await connectV3({ servers: servers.urls });
    const jsm = await jetstreamManager(connection, PATIENT);
    await jsm.streams.add({ name: 'V3', subjects: ['v3.>'], num_replicas: 3 });
    const js = jetstream(connection, PATIENT);
    for (let i = 0; i < 10; i++) await js.publish(`v3.${i}`, `payload ${i}`);
    await jsm.consumers.add('V3', { durable_name: 'all', ack_policy: 'explicit' });
    const consumer = await js.consumers.get('V3', 'all');
    const subjects: string[] = [];
    for await (const message of await consumer.fetch({ max_messages: 10, expires: 5000 })) {
      subjects.push(message.subject);
      message.ack();
    }
    assert.deepEqual(
      subjects,
      Array.from({ length: 10 }, (_, i) => `v3.${i}`),
    );
    const kv = await new Kvm(connection).create('v3kv', { replicas: 3 });
    await kv.put('k', 'v');
    await waitFor('the value being read', async () => (await kv.get('k'))?.string() === 'v');
    await jsm.streams.delete('V3');
    await connection.close();
  });
});
