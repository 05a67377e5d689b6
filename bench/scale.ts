/**
 * `npm run bench:scale`: what a thousand replicated streams on three nodes cost. How fast they are created, what they
 * use while nothing happens, and how soon the first publish is acknowledged after all nodes were killed at once.
 * SCALE (default 1) multiplies the number of streams.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type JetStreamManager } from 'nats';
import { waitFor } from '../test/harness/wait-for.ts';
import { contest, type Contestant, type Result } from './contest.ts';

const STREAMS = Math.round(1000 * Number(process.env['SCALE'] ?? 1));
/** A part of them, one after the other; the rest with so many requests in flight. */
const ONE_BY_ONE = Math.round(STREAMS / 5);
const IN_FLIGHT = 16;
/** Creating has ended so long ago when idleness is measured. */
const SETTLE_MS = 4_000;
const IDLE_MS = 10_000;
const PUBLISH_TIMEOUT_MS = 250;

async function create(jsm: JetStreamManager, number: number): Promise<void> {
  await jsm.streams.add({ name: `S${number}`, subjects: [`s.${number}`], num_replicas: 3 });
}

/** Streams per second. */
async function createAll(jsm: JetStreamManager, from: number, to: number, inFlight: number): Promise<number> {
  const startMs = performance.now();
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) await create(jsm, next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return ((to - from) * 1000) / (performance.now() - startMs);
}

/** Cores in use by all nodes together. */
async function idleCores({ servers }: Contestant): Promise<number> {
  const used = async (): Promise<number> => {
    const each = await Promise.all(servers.nodes.map((node) => node.cpuSeconds()));
    return each.reduce((sum, seconds) => sum + seconds, 0);
  };
  const before = await used();
  await delay(IDLE_MS);
  return ((await used()) - before) / (IDLE_MS / 1000);
}

/** Milliseconds from the start of all nodes to the first acknowledged publish, and until all say that they are healthy. */
async function restart({ servers }: Contestant): Promise<{ readonly firstAckMs: number; readonly healthyMs: number }> {
  await Promise.all(servers.nodes.map((node) => node.kill('SIGKILL')));
  const startMs = performance.now();
  for (const node of servers.nodes) node.start();
  const healthy = Promise.all(servers.nodes.map((node) => node.ready())).then(() => performance.now() - startMs);
  const connection = await waitFor('a node to connect to', () =>
    connect({ servers: servers.urls, reconnect: false, timeout: 1_000 }),
  );
  const js = connection.jetstream();
  await waitFor('a PubAck', async () => {
    await js.publish(`s.${STREAMS >> 1}`, 'after the restart', { timeout: PUBLISH_TIMEOUT_MS });
    return true;
  });
  const firstAckMs = performance.now() - startMs;
  const healthyMs = await healthy;
  await connection.close();
  return { firstAckMs, healthyMs };
}

await contest(`${STREAMS} streams, 3 replicas`, async (at): Promise<Result[]> => {
  const sequential = await createAll(at.jsm, 0, ONE_BY_ONE, 1);
  const parallel = await createAll(at.jsm, ONE_BY_ONE, STREAMS, IN_FLIGHT);
  await delay(SETTLE_MS);
  const cores = await idleCores(at);
  const resident = await Promise.all(at.servers.nodes.map((node) => node.residentBytes()));
  const { firstAckMs, healthyMs } = await restart(at);
  return [
    ['created, one after the other', `${Math.round(sequential)} /s`],
    [`created, ${IN_FLIGHT} in flight`, `${Math.round(parallel)} /s`],
    ['idle, all nodes', `${cores.toFixed(3)} cores`],
    ['resident, largest node', `${Math.round(Math.max(...resident) / 2 ** 20)} MiB`],
    ['kill -9 of all, start: first PubAck', `${Math.round(firstAckMs)} ms`],
    ['kill -9 of all, start: all healthy', `${Math.round(healthyMs)} ms`],
  ];
});
