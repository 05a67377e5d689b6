/** Real nodes, killed for real: nothing that was acknowledged is lost, and nothing is doubled. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, connect, StringCodec, type JetStreamClient, type NatsConnection } from 'nats';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const text = StringCodec();
const MESSAGES = 3000;
const IN_FLIGHT = 100;

async function leaderOf(connection: NatsConnection, stream: string): Promise<string> {
  const jsm = await connection.jetstreamManager();
  return waitFor('a leader', async () => (await jsm.streams.info(stream)).cluster?.leader);
}

/** Publishes one message until it is acknowledged; its id makes repeating harmless. */
async function publishUntilAcked(js: JetStreamClient, subject: string, id: number): Promise<number> {
  return waitFor(`an ack for ${id}`, async () => {
    const ack = await js.publish(subject, text.encode(String(id)), { msgID: `m-${id}`, timeout: 2000 });
    return ack.seq;
  });
}

async function publishAll(connection: NatsConnection, subject: string, onAck: (count: number) => void): Promise<void> {
  const js = connection.jetstream();
  let next = 0;
  let acked = 0;
  const worker = async (): Promise<void> => {
    while (next < MESSAGES) {
      await publishUntilAcked(js, subject, next++);
      onAck(++acked);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function withServers(run: (servers: Servers, connection: NatsConnection) => Promise<void>): Promise<void> {
  const servers = await startServers({ nodes: 3 });
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  try {
    await run(servers, connection);
  } finally {
    await connection.close();
    await servers.stop();
  }
}

describe('durability over real processes', () => {
  test('killing the leader in the middle of publishing loses and doubles nothing', () =>
    withServers(async (servers, connection) => {
      const jsm = await connection.jetstreamManager();
      await jsm.streams.add({ name: 'KEPT', subjects: ['kept'], num_replicas: 3 });
      let killed: Promise<void> | undefined;
      await publishAll(connection, 'kept', (count) => {
        if (count !== MESSAGES / 3) return;
        killed = (async () => {
          const leader = servers.byName(await leaderOf(connection, 'KEPT'));
          await leader.kill('SIGKILL');
          leader.start();
          await leader.ready();
        })();
      });
      await killed;
      await jsm.consumers.add('KEPT', { durable_name: 'all', ack_policy: AckPolicy.None });
      const consumer = await connection.jetstream().consumers.get('KEPT', 'all');
      const read: number[] = [];
      for await (const message of await consumer.fetch({ max_messages: MESSAGES, expires: 20_000 })) {
        read.push(Number(message.string()));
      }
      assert.equal(read.length, MESSAGES);
      assert.equal(new Set(read).size, MESSAGES);
    }));

  test('after all three nodes were killed at once, everything acknowledged is there', () =>
    withServers(async (servers, connection) => {
      const jsm = await connection.jetstreamManager();
      await jsm.streams.add({ name: 'ALL', subjects: ['all'], num_replicas: 3 });
      await jsm.consumers.add('ALL', { durable_name: 'D', ack_policy: AckPolicy.Explicit });
      const js = connection.jetstream();
      for (let i = 0; i < 50; i++) await js.publish('all', text.encode(String(i)));
      const consumer = await js.consumers.get('ALL', 'D');
      for await (const message of await consumer.fetch({ max_messages: 20, expires: 5000 })) await message.ackAck();
      await Promise.all(servers.nodes.map((node) => node.kill('SIGKILL')));
      for (const node of servers.nodes) node.start();
      await Promise.all(servers.nodes.map((node) => node.ready()));
      const ack = await waitFor('a first ack after the restart', () => js.publish('all', text.encode('51')));
      assert.equal(ack.seq, 51);
      const rest: number[] = [];
      const again = await waitFor('the consumer', () => js.consumers.get('ALL', 'D'));
      for await (const message of await again.fetch({ max_messages: 31, expires: 10_000 })) rest.push(message.seq);
      assert.deepEqual(
        rest,
        Array.from({ length: 31 }, (_, i) => i + 21),
      );
    }));

  test('a single node keeps what it acknowledged through a kill', async () => {
    const servers = await startServers({ nodes: 1 });
    const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
    try {
      const jsm = await connection.jetstreamManager();
      await jsm.streams.add({ name: 'ONE', subjects: ['one'] });
      for (let i = 0; i < 20; i++) await connection.jetstream().publish('one', text.encode(String(i)));
      await servers.first.kill('SIGKILL');
      servers.first.start();
      await servers.first.ready();
      const info = await waitFor('the stream', () => jsm.streams.info('ONE'));
      assert.deepEqual([info.state.messages, info.state.last_seq], [20, 20]);
    } finally {
      await connection.close();
      await servers.stop();
    }
  });
});
