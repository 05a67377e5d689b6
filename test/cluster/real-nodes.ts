/** Owns real nodes that a test kills, and a client that goes on publishing and reading, whoever leads. */
import { connect, type JetStreamManager, type JsMsg, type NatsConnection, type PubAck } from 'nats';
import { PATIENT, REPEATED } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

/** A publish whose leader dies is never answered: this long the client waits before it repeats it. */
const PUBLISH_TIMEOUT_MS = 2000;

export interface RunningNodes {
  readonly servers: Servers;
  readonly connection: NatsConnection;
  /** For calls that are made once. */
  readonly jsm: JetStreamManager;
  /** For calls that are repeated until they succeed. */
  readonly asking: JetStreamManager;
}

/** Runs `run` beside `nodes` nodes, with a client that reconnects for ever. */
export async function withNodes(nodes: number, run: (running: RunningNodes) => Promise<void>): Promise<void> {
  const servers = await startServers({ nodes });
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  try {
    const jsm = await connection.jetstreamManager(PATIENT);
    await run({ servers, connection, jsm, asking: await connection.jetstreamManager(REPEATED) });
  } finally {
    await connection.close();
    await servers.stop('SIGKILL');
  }
}

/** Kills the leader of `stream`, and resolves once its node is back. */
export async function killLeader({ servers, asking }: RunningNodes, stream: string): Promise<void> {
  const name = await waitFor(`a leader of ${stream}`, async () => (await asking.streams.info(stream)).cluster?.leader);
  const leader = servers.byName(name);
  await leader.kill('SIGKILL');
  leader.start();
  await leader.ready();
}

/** Publishes a number until it is acknowledged; as its message id it makes repeating harmless. */
export function publishUntilAcked(connection: NatsConnection, subject: string, number: number): Promise<PubAck> {
  const js = connection.jetstream({ timeout: PUBLISH_TIMEOUT_MS });
  return waitFor(`an ack for ${number}`, () => js.publish(subject, String(number), { msgID: `m-${number}` }));
}

/** Publishes the numbers 0, 1, 2, ... several at a time. `onAck` hears how many were acknowledged so far. */
export async function publishAll(
  connection: NatsConnection,
  subject: string,
  options: { readonly messages: number; readonly inFlight: number; readonly onAck: (count: number) => void },
): Promise<void> {
  let next = 0;
  let acked = 0;
  const worker = async (): Promise<void> => {
    while (next < options.messages) {
      await publishUntilAcked(connection, subject, next++);
      options.onAck(++acked);
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, worker));
}

/** All messages of a stream that nobody publishes to any more, and whose last one is there. */
export async function readAll({ connection, asking }: RunningNodes, stream: string): Promise<readonly JsMsg[]> {
  const { state } = await waitFor(`the state of ${stream}`, () => asking.streams.info(stream));
  const read: JsMsg[] = [];
  if (state.messages === 0) return read;
  const consumer = await connection.jetstream(PATIENT).consumers.get(stream);
  // Unlike a fetch, it goes on with the next leader.
  const messages = await consumer.consume({ callback: (message) => void read.push(message), expires: 5000 });
  await waitFor(`the last message of ${stream}`, () => read.at(-1)?.seq === state.last_seq);
  await messages.close();
  return read;
}
