/** Mirrors and sources over real nodes that are killed: what was published arrives, once, in order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, StringCodec, type JetStreamManager, type NatsConnection, type StreamConfig } from 'nats';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const text = StringCodec();
const MESSAGES = 1500;
const IN_FLIGHT = 50;
const CATCH_UP_MS = 60_000;

type Config = Partial<StreamConfig> & { readonly name: string };

async function withServers(
  nodes: number,
  run: (servers: Servers, connection: NatsConnection) => Promise<void>,
): Promise<void> {
  const servers = await startServers({ nodes });
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  try {
    await run(servers, connection);
  } finally {
    await connection.close();
    await servers.stop();
  }
}

async function add(connection: NatsConnection, config: Config): Promise<JetStreamManager> {
  const jsm = await connection.jetstreamManager();
  await jsm.streams.add(config);
  return jsm;
}

async function killLeader(servers: Servers, jsm: JetStreamManager, stream: string): Promise<void> {
  const name = await waitFor(`a leader of ${stream}`, async () => (await jsm.streams.info(stream)).cluster?.leader);
  const leader = servers.byName(name);
  await leader.kill('SIGKILL');
  leader.start();
  await leader.ready();
}

/** Publishes 0, 1, 2, ... each until it is acknowledged; `onAck` hears how many were. */
async function publishAll(connection: NatsConnection, subject: string, onAck: (count: number) => void): Promise<void> {
  const js = connection.jetstream();
  let next = 0;
  let acked = 0;
  const worker = async (): Promise<void> => {
    while (next < MESSAGES) {
      const id = next++;
      await waitFor(`an ack for ${id}`, () =>
        js.publish(subject, text.encode(String(id)), { msgID: `m-${id}`, timeout: 2000 }),
      );
      onAck(++acked);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Sequences and payloads of all messages, once there are so many. */
async function contentOf(connection: NatsConnection, stream: string, messages: number): Promise<[number, string][]> {
  const jsm = await connection.jetstreamManager();
  await waitFor(
    `${stream} holding ${messages}`,
    async () => {
      const { state } = await jsm.streams.info(stream);
      assert.ok(state.messages <= messages, `${stream} holds ${state.messages}`);
      return state.messages === messages;
    },
    CATCH_UP_MS,
  );
  const consumer = await connection.jetstream().consumers.get(stream);
  const content: [number, string][] = [];
  for await (const message of await consumer.fetch({ max_messages: messages, expires: 20_000 })) {
    content.push([message.seq, message.string()]);
  }
  return content;
}

describe('mirrors and sources over real processes', () => {
  test('a mirror and a source lose and double nothing while leaders on both sides are killed', () =>
    withServers(3, async (servers, connection) => {
      const jsm = await add(connection, { name: 'UP', subjects: ['up'], num_replicas: 3 });
      await jsm.streams.add({ name: 'MIRROR', mirror: { name: 'UP' }, num_replicas: 3 });
      await jsm.streams.add({ name: 'INTO', sources: [{ name: 'UP' }], num_replicas: 3 });
      const kills = new Map([
        [MESSAGES / 5, 'UP'],
        [(2 * MESSAGES) / 5, 'MIRROR'],
        [(3 * MESSAGES) / 5, 'INTO'],
      ]);
      let killed = Promise.resolve();
      await publishAll(connection, 'up', (count) => {
        const victim = kills.get(count);
        if (victim !== undefined) killed = killed.then(() => killLeader(servers, jsm, victim));
      });
      await killed;
      const expected = await contentOf(connection, 'UP', MESSAGES);
      assert.deepEqual(await contentOf(connection, 'MIRROR', MESSAGES), expected);
      const taken = await contentOf(connection, 'INTO', MESSAGES);
      assert.deepEqual(
        taken.map(([, payload]) => payload),
        expected.map(([, payload]) => payload),
      );
    }));

  test('a mirror and a source catch up after all nodes were down', () =>
    withServers(3, async (servers, connection) => {
      const jsm = await add(connection, { name: 'UP', subjects: ['up'] });
      await jsm.streams.add({ name: 'MIRROR', mirror: { name: 'UP' }, num_replicas: 3 });
      await jsm.streams.add({ name: 'INTO', sources: [{ name: 'UP' }] });
      const js = connection.jetstream();
      for (let i = 0; i < 50; i++) await js.publish('up', text.encode(String(i)));
      await Promise.all(servers.nodes.map((node) => node.kill('SIGKILL')));
      for (const node of servers.nodes) node.start();
      await Promise.all(servers.nodes.map((node) => node.ready()));
      for (let i = 50; i < 100; i++) await waitFor(`an ack for ${i}`, () => js.publish('up', text.encode(String(i))));
      const expected = await contentOf(connection, 'UP', 100);
      assert.deepEqual(await contentOf(connection, 'MIRROR', 100), expected);
      assert.deepEqual(await contentOf(connection, 'INTO', 100), expected);
    }));

  test('a work queue is emptied into a stream that is killed, and nothing is lost on the way', () =>
    withServers(3, async (servers, connection) => {
      const jsm = await add(connection, {
        name: 'QUEUE',
        subjects: ['up'],
        retention: 'workqueue' as never,
        num_replicas: 3,
      });
      await jsm.streams.add({ name: 'INTO', sources: [{ name: 'QUEUE' }], num_replicas: 3 });
      let killed = Promise.resolve();
      await publishAll(connection, 'up', (count) => {
        if (count === MESSAGES / 3) killed = killLeader(servers, jsm, 'INTO');
      });
      await killed;
      const taken = await contentOf(connection, 'INTO', MESSAGES);
      const payloads = taken.map(([, payload]) => Number(payload)).sort((a, b) => a - b);
      assert.deepEqual(
        payloads,
        Array.from({ length: MESSAGES }, (_, id) => id),
      );
      await waitFor(
        'the queue being empty',
        async () => (await jsm.streams.info('QUEUE')).state.messages === 0,
        CATCH_UP_MS,
      );
    }));
});
