/** Real nodes whose streams are scaled, moved and given to others under load: nothing that was acknowledged is lost. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, connect, type JetStreamManager, type NatsConnection, type StreamInfo } from 'nats';
import { PATIENT, REPEATED } from '../harness/patience.ts';
import { waitFor } from '../harness/wait-for.ts';
import { withNodes } from './real-nodes.ts';

const IN_FLIGHT = 20;
/** A publish that takes longer counts as failed: much longer than a change of leaders, also where the machine is busy. */
const PUBLISH_MS = 15_000;

/** Publishes until it is told to stop; each message until it is acknowledged, under an id that makes repeating harmless. */
class Load {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #running: Promise<unknown>;
  #sent = 0;
  #stopped = false;
  /** Tries that were not acknowledged at once. */
  retries = 0;
  acked = 0;

  constructor(connection: NatsConnection, subject: string) {
    this.#connection = connection;
    this.#subject = subject;
    this.#running = Promise.all(Array.from({ length: IN_FLIGHT }, () => this.#publish()));
  }

  /** As many more were acknowledged since now. */
  async further(count: number): Promise<void> {
    const goal = this.acked + count;
    await waitFor(`${goal} acknowledgements`, () => this.acked >= goal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #publish(): Promise<void> {
    const js = this.#connection.jetstream();
    while (!this.#stopped) {
      const id = `m-${++this.#sent}`;
      let tries = 0;
      await waitFor(`an ack for ${id}`, async () => {
        if (tries++ > 0) this.retries++;
        return js.publish(this.#subject, id, { msgID: id, timeout: PUBLISH_MS });
      });
      this.acked++;
    }
  }
}

/** The stream has so many replicas, all of them up to date, and is on its way to no others. */
async function settled(asking: JetStreamManager, stream: string, replicas: number): Promise<readonly string[]> {
  return waitFor(`${replicas} replicas of ${stream}`, async () => {
    const { cluster } = (await asking.streams.info(stream)) as StreamInfo & { cluster: { desired?: object } };
    const others = cluster.replicas ?? [];
    if (cluster.desired !== undefined || cluster.leader === undefined || cluster.leader === '') return undefined;
    if (others.length !== replicas - 1 || others.some(({ current }) => !current)) return undefined;
    return [cluster.leader, ...others.map(({ name }) => name)];
  });
}

async function call(
  connection: NatsConnection,
  subject: string,
  body: object,
  patience = PATIENT,
): Promise<Record<string, unknown>> {
  const answer = await connection.request(`$JS.API.${subject}`, JSON.stringify(body), patience);
  return answer.json<Record<string, unknown>>();
}

async function assertAllThere(asking: JetStreamManager, stream: string, acked: number): Promise<void> {
  const { state } = await waitFor(`the state of ${stream}`, () => asking.streams.info(stream));
  assert.deepEqual([state.messages, state.last_seq], [acked, acked]);
}

describe('streams that change their members', () => {
  test('a stream grows from one replica to five and shrinks to one again, under load', () =>
    withNodes(5, async ({ connection, jsm, asking }) => {
      await jsm.streams.add({ name: 'GROWS', subjects: ['grows'] });
      const load = new Load(connection, 'grows');
      await load.further(200);
      for (const replicas of [3, 5, 1]) {
        await jsm.streams.update('GROWS', { num_replicas: replicas });
        await settled(asking, 'GROWS', replicas);
        await load.further(200);
      }
      await load.stop();
      assert.equal(load.retries, 0, 'a change of members costs no failed publish');
      await assertAllThere(asking, 'GROWS', load.acked);
    }));

  test('a dead node is replaced by another, which then holds all there is', () =>
    withNodes(4, async ({ servers, connection, jsm, asking }) => {
      await jsm.streams.add({ name: 'HEALS', subjects: ['heals'], num_replicas: 3 });
      const members = await settled(asking, 'HEALS', 3);
      const load = new Load(connection, 'heals');
      await load.further(300);
      const dead = members[1]!;
      await servers.byName(dead).kill('SIGKILL');
      const removed = await waitFor('the call to be taken', async () => {
        const answer = await call(connection, 'STREAM.PEER.REMOVE.HEALS', { peer: dead }, REPEATED);
        return answer['error'] === undefined && answer;
      });
      assert.equal(removed['success'], true);
      const replaced = await waitFor(`${dead} being replaced`, async () => {
        const now = await settled(asking, 'HEALS', 3);
        return !now.includes(dead) && now;
      });
      await load.further(100);
      await load.stop();
      await assertAllThere(asking, 'HEALS', load.acked);
      // Only with what the new one holds there is a quorum of all that was acknowledged.
      const fresh = replaced.find((node) => !members.includes(node))!;
      const old = replaced.find((node) => node !== fresh)!;
      await servers.byName(old).kill('SIGKILL');
      await waitFor('a leader after another loss', async () => {
        await assertAllThere(asking, 'HEALS', load.acked);
        return true;
      });
      // The dead one comes back, and holds nothing of it any more.
      servers.byName(dead).start();
      await servers.byName(dead).ready();
      await waitFor('it to let go', async () => (await servers.byName(dead).log()).includes('stream.left'));
    }));

  test('a stream with one replica moves to another node with all it holds, and nothing fails meanwhile', () =>
    withNodes(3, async ({ connection, jsm, asking }) => {
      await jsm.streams.add({ name: 'MOVES', subjects: ['moves'] });
      const load = new Load(connection, 'moves');
      await load.further(200);
      const [before] = await settled(asking, 'MOVES', 1);
      const moved = await call(connection, 'ACCOUNT.STREAM.MOVE.$G.MOVES', { server: before });
      assert.equal(moved['error'], undefined);
      await waitFor('the stream being elsewhere', async () => (await settled(asking, 'MOVES', 1))[0] !== before);
      await load.further(200);
      await load.stop();
      assert.equal(load.retries, 0);
      await assertAllThere(asking, 'MOVES', load.acked);
    }));

  test('a leader that hears from no majority any more says so, and gives up', () =>
    withNodes(3, async ({ servers, jsm, asking }) => {
      await jsm.streams.add({ name: 'LOST', subjects: ['lost'], num_replicas: 3 });
      const [leader, ...others] = await settled(asking, 'LOST', 3);
      await jsm.consumers.add('LOST', { durable_name: 'three', ack_policy: AckPolicy.Explicit });
      await jsm.consumers.add('LOST', { durable_name: 'one', ack_policy: AckPolicy.Explicit, num_replicas: 1 });
      const beside = await connect({ servers: [servers.byName(leader!).url] });
      try {
        const heard: { type: string; stream: string; consumer?: string; replicas: object[] }[] = [];
        beside.subscribe('$JS.EVENT.ADVISORY.*.QUORUM_LOST.>', {
          callback: (_error, message) => heard.push(message.json()),
        });
        await beside.flush();
        await Promise.all(others.map((node) => servers.byName(node).kill('SIGKILL')));
        await waitFor('both advisories', () => heard.length > 1);
        const advisory = 'io.nats.jetstream.advisory.v1';
        assert.deepEqual(
          heard.map(({ type, stream, consumer, replicas }) => [type, stream, consumer, replicas.length]),
          [
            [`${advisory}.stream_quorum_lost`, 'LOST', undefined, 3],
            [`${advisory}.consumer_quorum_lost`, 'LOST', 'three', 3],
          ],
        );
      } finally {
        await beside.close();
      }
    }));
});
