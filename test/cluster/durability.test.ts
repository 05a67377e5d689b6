/** Real nodes, killed for real: nothing that was acknowledged is lost, and nothing is doubled. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, type Consumer } from 'nats';
import { PATIENT } from '../harness/patience.ts';
import { waitFor } from '../harness/wait-for.ts';
import { killLeader, publishAll, publishUntilAcked, readAll, withNodes } from './real-nodes.ts';

const MESSAGES = 3000;
const IN_FLIGHT = 100;
const FETCH_MS = 5000;

/** Takes messages until so many were acknowledged, and that was confirmed; a leader may step down between. */
async function acknowledge(consumer: Consumer, count: number): Promise<readonly number[]> {
  const acked: number[] = [];
  await waitFor(`${count} acknowledgements`, async () => {
    const messages = await consumer.fetch({ max_messages: count - acked.length, expires: FETCH_MS });
    for await (const message of messages) if (await message.ackAck()) acked.push(message.seq);
    return acked.length === count;
  });
  return acked;
}

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
      const read = (await readAll(running, 'KEPT')).map((message) => message.string());
      assert.equal(read.length, MESSAGES);
      assert.equal(new Set(read).size, MESSAGES);
    }));

  test('after all three nodes were killed at once, everything acknowledged is there', () =>
    withNodes(3, async ({ servers, connection, jsm }) => {
      await jsm.streams.add({ name: 'ALL', subjects: ['all'], num_replicas: 3 });
      await jsm.consumers.add('ALL', { durable_name: 'D', ack_policy: AckPolicy.Explicit });
      const js = connection.jetstream(PATIENT);
      for (let i = 0; i < 50; i++) await publishUntilAcked(connection, 'all', i);
      const acked = await acknowledge(await js.consumers.get('ALL', 'D'), 20);
      await Promise.all(servers.nodes.map((node) => node.kill('SIGKILL')));
      for (const node of servers.nodes) node.start();
      await Promise.all(servers.nodes.map((node) => node.ready()));
      assert.equal((await publishUntilAcked(connection, 'all', 50)).seq, 51);
      const again = await waitFor('the consumer', () => js.consumers.get('ALL', 'D'));
      const rest = await acknowledge(again, 31);
      assert.deepEqual(
        [...acked, ...rest].sort((a, b) => a - b),
        Array.from({ length: 51 }, (_, i) => i + 1),
      );
    }));

  test('a single node keeps what it acknowledged through a kill', () =>
    withNodes(1, async ({ servers, connection, jsm, asking }) => {
      await jsm.streams.add({ name: 'ONE', subjects: ['one'] });
      for (let i = 0; i < 20; i++) await publishUntilAcked(connection, 'one', i);
      await servers.first.kill('SIGKILL');
      servers.first.start();
      await servers.first.ready();
      const info = await waitFor('the stream', () => asking.streams.info('ONE'));
      assert.deepEqual([info.state.messages, info.state.last_seq], [20, 20]);
    }));
});
