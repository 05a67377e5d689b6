/** Mirrors and sources over real nodes that are killed: what was published arrives, once, in order. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { waitFor } from '../harness/wait-for.ts';
import { killLeader, publishAll, publishUntilAcked, readAll, withNodes, type RunningNodes } from './real-nodes.ts';

const MESSAGES = 1500;
const IN_FLIGHT = 50;
const CATCH_UP_MS = 60_000;

/** Sequences and payloads of all messages, once there are so many. */
async function contentOf(running: RunningNodes, stream: string, messages: number): Promise<[number, string][]> {
  await waitFor(
    `${stream} holding ${messages}`,
    async () => {
      const { state } = await running.asking.streams.info(stream);
      assert.ok(state.messages <= messages, `${stream} holds ${state.messages}`);
      return state.messages === messages;
    },
    CATCH_UP_MS,
  );
  return (await readAll(running, stream)).map((message) => [message.seq, message.string()]);
}

describe('mirrors and sources over real processes', () => {
  test('a mirror and a source lose and double nothing while leaders on both sides are killed', () =>
    withNodes(3, async (running) => {
      const { connection, jsm } = running;
      await jsm.streams.add({ name: 'UP', subjects: ['up'], num_replicas: 3 });
      await jsm.streams.add({ name: 'MIRROR', mirror: { name: 'UP' }, num_replicas: 3 });
      await jsm.streams.add({ name: 'INTO', sources: [{ name: 'UP' }], num_replicas: 3 });
      const kills = new Map([
        [MESSAGES / 5, 'UP'],
        [(2 * MESSAGES) / 5, 'MIRROR'],
        [(3 * MESSAGES) / 5, 'INTO'],
      ]);
      let killed = Promise.resolve();
      const onAck = (count: number): void => {
        const victim = kills.get(count);
        if (victim !== undefined) killed = killed.then(() => killLeader(running, victim));
      };
      await publishAll(connection, 'up', { messages: MESSAGES, inFlight: IN_FLIGHT, onAck });
      await killed;
      const expected = await contentOf(running, 'UP', MESSAGES);
      assert.deepEqual(await contentOf(running, 'MIRROR', MESSAGES), expected);
      const taken = await contentOf(running, 'INTO', MESSAGES);
      assert.deepEqual(
        taken.map(([, payload]) => payload),
        expected.map(([, payload]) => payload),
      );
    }));

  test('a mirror and a source catch up after all nodes were down', () =>
    withNodes(3, async (running) => {
      const { servers, connection, jsm } = running;
      await jsm.streams.add({ name: 'UP', subjects: ['up'] });
      await jsm.streams.add({ name: 'MIRROR', mirror: { name: 'UP' }, num_replicas: 3 });
      await jsm.streams.add({ name: 'INTO', sources: [{ name: 'UP' }] });
      for (let i = 0; i < 50; i++) await publishUntilAcked(connection, 'up', i);
      await Promise.all(servers.nodes.map((node) => node.kill('SIGKILL')));
      for (const node of servers.nodes) node.start();
      await Promise.all(servers.nodes.map((node) => node.ready()));
      for (let i = 50; i < 100; i++) await publishUntilAcked(connection, 'up', i);
      const expected = await contentOf(running, 'UP', 100);
      assert.deepEqual(await contentOf(running, 'MIRROR', 100), expected);
      assert.deepEqual(await contentOf(running, 'INTO', 100), expected);
    }));

  test('a work queue is emptied into a stream that is killed, and nothing is lost on the way', () =>
    withNodes(3, async (running) => {
      const { connection, jsm, asking } = running;
      await jsm.streams.add({
        name: 'QUEUE',
        subjects: ['up'],
        retention: 'workqueue' as never,
        num_replicas: 3,
      });
      await jsm.streams.add({ name: 'INTO', sources: [{ name: 'QUEUE' }], num_replicas: 3 });
      let killed = Promise.resolve();
      const onAck = (count: number): void => {
        if (count === MESSAGES / 3) killed = killLeader(running, 'INTO');
      };
      await publishAll(connection, 'up', { messages: MESSAGES, inFlight: IN_FLIGHT, onAck });
      await killed;
      const taken = await contentOf(running, 'INTO', MESSAGES);
      const payloads = taken.map(([, payload]) => Number(payload)).sort((a, b) => a - b);
      assert.deepEqual(
        payloads,
        Array.from({ length: MESSAGES }, (_, id) => id),
      );
      await waitFor(
        'the queue being empty',
        async () => (await asking.streams.info('QUEUE')).state.messages === 0,
        CATCH_UP_MS,
      );
    }));
});
