/** Mirrors that answer direct gets of an origin whose node is gone, through whatever node a client asks. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type ServerProcess } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const ORIGIN = 'UP';
const MIRROR = 'MIRROR';
/** A request may get lost with a connection: this long it is waited for, and then repeated. */
const ATTEMPT_MS = 5000;

/** Who answers for the origin's last message at this node: the stream, and what it says. */
async function answerAt(connection: NatsConnection): Promise<string> {
  const { headers, data } = await connection.request(`$JS.API.DIRECT.GET.${ORIGIN}.up.a`, undefined, {
    timeout: ATTEMPT_MS,
  });
  return `${headers?.get('Nats-Stream') ?? ''} ${Buffer.from(data).toString()}`;
}

/** A client that stays with its node, also when that was away: others would answer otherwise. */
function connectTo({ port }: ServerProcess): Promise<NatsConnection> {
  return connect({ servers: `127.0.0.1:${port}`, maxReconnectAttempts: -1, ignoreClusterUpdates: true });
}

async function withCluster(
  mirrorReplicas: number,
  run: (cluster: {
    readonly nodes: readonly ServerProcess[];
    readonly connections: ReadonlyMap<ServerProcess, NatsConnection>;
    readonly originNode: ServerProcess;
  }) => Promise<void>,
): Promise<void> {
  const servers = await startServers({ nodes: 3 });
  const connections = new Map<ServerProcess, NatsConnection>();
  try {
    for (const node of servers.nodes) {
      connections.set(node, await connectTo(node));
    }
    const [first] = connections.values();
    const jsm = await first!.jetstreamManager(PATIENT);
    await jsm.streams.add({ name: ORIGIN, subjects: ['up.>'], allow_direct: true });
    await first!.jetstream(PATIENT).publish('up.a', 'v');
    await jsm.streams.add({ name: MIRROR, mirror: { name: ORIGIN }, num_replicas: mirrorReplicas });
    await waitFor('the mirror holding what its origin holds', async () => {
      return (await jsm.streams.info(MIRROR)).state.messages === 1;
    });
    const leader = await waitFor(
      'a leader of the origin',
      async () => (await jsm.streams.info(ORIGIN)).cluster?.leader,
    );
    await run({ nodes: servers.nodes, connections, originNode: servers.byName(leader) });
  } finally {
    for (const connection of connections.values()) await connection.close();
    await servers.stop();
  }
}

async function comesToAnswer(connection: NatsConnection, stream: string): Promise<void> {
  await waitFor(`${stream} answering`, async () => {
    assert.equal(await answerAt(connection), `${stream} v`);
    return true;
  });
}

describe('mirrors that answer for their origin', () => {
  test('an origin whose only node is killed is answered for by its mirror, at every node that is left', () =>
    withCluster(3, async ({ nodes, connections, originNode }) => {
      await comesToAnswer(connections.get(originNode)!, ORIGIN);
      await originNode.kill('SIGKILL');
      for (const node of nodes) if (node !== originNode) await comesToAnswer(connections.get(node)!, MIRROR);
      originNode.start();
      await originNode.ready();
      await comesToAnswer(connections.get(originNode)!, ORIGIN);
    }));

  test('a mirror answers on its own node while its origin is up elsewhere, and everywhere once that is deleted', () =>
    withCluster(1, async ({ nodes, connections, originNode }) => {
      const [first] = connections.values();
      const jsm = await first!.jetstreamManager(PATIENT);
      const mirrorNode = (await jsm.streams.info(MIRROR)).cluster?.leader;
      for (const node of nodes) {
        const mirrorIsNearest = node.name === mirrorNode && node !== originNode;
        await comesToAnswer(connections.get(node)!, mirrorIsNearest ? MIRROR : ORIGIN);
      }
      await jsm.streams.delete(ORIGIN);
      for (const connection of connections.values()) await comesToAnswer(connection, MIRROR);
    }));
});
