/** Owns real nodes that a test kills, and a client that goes on publishing meanwhile. */
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

/** A publish whose leader dies is never answered: this long the client waits before it repeats it. */
const PUBLISH_TIMEOUT_MS = 2000;

interface RunningNodes {
  readonly servers: Servers;
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
}

/** Runs `run` beside `nodes` nodes, with a client that reconnects for ever. */
export async function withNodes(nodes: number, run: (running: RunningNodes) => Promise<void>): Promise<void> {
  const servers = await startServers({ nodes });
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  try {
    await run({ servers, connection, jsm: await connection.jetstreamManager() });
  } finally {
    await connection.close();
    await servers.stop('SIGKILL');
  }
}

/** Kills the leader of `stream`, and resolves once its node is back. */
export async function killLeader({ servers, jsm }: RunningNodes, stream: string): Promise<void> {
  const name = await waitFor(`a leader of ${stream}`, async () => (await jsm.streams.info(stream)).cluster?.leader);
  const leader = servers.byName(name);
  await leader.kill('SIGKILL');
  leader.start();
  await leader.ready();
}

/**
 * Publishes the numbers 0, 1, 2, ... each until it is acknowledged, several at a time; its id makes repeating harmless.
 * `onAck` hears how many were acknowledged so far.
 */
export async function publishAll(
  connection: NatsConnection,
  subject: string,
  options: { readonly messages: number; readonly inFlight: number; readonly onAck: (count: number) => void },
): Promise<void> {
  const js = connection.jetstream();
  let next = 0;
  let acked = 0;
  const worker = async (): Promise<void> => {
    while (next < options.messages) {
      const id = String(next++);
      await waitFor(`an ack for ${id}`, () => js.publish(subject, id, { msgID: id, timeout: PUBLISH_TIMEOUT_MS }));
      options.onAck(++acked);
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, worker));
}
