/** Real nodes, killed for real: nothing that was acknowledged is lost, and nothing is doubled. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy } from 'nats';
import { waitFor } from '../harness/wait-for.ts';
import { killLeader, publishAll, withNodes } from './real-nodes.ts';

const MESSAGES = 3000;
const IN_FLIGHT = 100;

describe('durability over real processes', () => {
  test('killing the leader in the middle of publishing loses and doubles nothing', () =>
    withNodes(3, async (running) => {
      const { connection, jsm } = running;
      await jsm.streams.add({ name: 'KEPT', subjects: ['kept'], num_replicas: 3 });
      let killed = Promise.resolve();
      const onAck = (count: number): void => {
        if (count === MESSAGES / 3) killed = killLeader(running, 'KEPT');
      };
      await publishAll(connection, 'kept', { messages: MESSAGES, inFlight: IN_FLIGHT, onAck });
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
    withNodes(3, async ({ servers, connection, jsm }) => {
      await jsm.streams.add({ name: 'ALL', subjects: ['all'], num_replicas: 3 });
      await jsm.consumers.add('ALL', { durable_name: 'D', ack_policy: AckPolicy.Explicit });
      const js = connection.jetstream();
      for (let i = 0; i < 50; i++) await js.publish('all', String(i));
      const consumer = await js.consumers.get('ALL', 'D');
      for await (const message of await consumer.fetch({ max_messages: 20, expires: 5000 })) await message.ackAck();
      await Promise.all(servers.nodes.map((node) => node.kill('SIGKILL')));
      for (const node of servers.nodes) node.start();
      await Promise.all(servers.nodes.map((node) => node.ready()));
      const ack = await waitFor('a first ack after the restart', () => js.publish('all', '51'));
      assert.equal(ack.seq, 51);
      const rest: number[] = [];
      const again = await waitFor('the consumer', () => js.consumers.get('ALL', 'D'));
      for await (const message of await again.fetch({ max_messages: 31, expires: 10_000 })) rest.push(message.seq);
      assert.deepEqual(
        rest,
        Array.from({ length: 31 }, (_, i) => i + 21),
      );
    }));

  test('a single node keeps what it acknowledged through a kill', () =>
    withNodes(1, async ({ servers, connection, jsm }) => {
      await jsm.streams.add({ name: 'ONE', subjects: ['one'] });
      for (let i = 0; i < 20; i++) await connection.jetstream().publish('one', String(i));
      await servers.first.kill('SIGKILL');
      servers.first.start();
      await servers.first.ready();
      const info = await waitFor('the stream', () => jsm.streams.info('ONE'));
      assert.deepEqual([info.state.messages, info.state.last_seq], [20, 20]);
    }));
});
