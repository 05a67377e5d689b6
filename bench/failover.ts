/**
 * `npm run bench:failover`: how long publishes wait when the leader of their stream is killed. A client at another node
 * publishes one message at a time; the time runs from `kill -9` to the next acknowledgement. TRIES (default 10).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type JetStreamClient, type NatsConnection } from 'nats';
import { waitFor } from '../test/harness/wait-for.ts';
import { contest, leaderOf, type Contestant, type Result } from './contest.ts';

const TRIES = Number(process.env['TRIES'] ?? 10);
const STREAM = 'FAILOVER';
const SUBJECT = 'failover';
/** Shorter than an election, so that a publish that nobody will answer costs little. */
const PUBLISH_TIMEOUT_MS = 100;
const WARM_UP = 50;

async function publishUntilAcked(js: JetStreamClient): Promise<void> {
  await waitFor('a PubAck', async () => {
    await js.publish(SUBJECT, 'x', { timeout: PUBLISH_TIMEOUT_MS });
    return true;
  });
}

async function isWhole({ jsm, servers }: Contestant): Promise<boolean> {
  const { cluster } = await jsm.streams.info(STREAM);
  const current = cluster?.replicas?.filter((replica) => replica.current).length;
  return cluster?.leader !== undefined && current === servers.nodes.length - 1;
}

async function failOver(at: Contestant): Promise<number> {
  await waitFor('all replicas being current', () => isWhole(at));
  const leader = await leaderOf(STREAM, at);
  const entry = at.servers.nodes.find((node) => node !== leader)!;
  const connection: NatsConnection = await connect({ servers: entry.url });
  const js = connection.jetstream();
  for (let number = 0; number < WARM_UP; number++) await publishUntilAcked(js);
  // Not in step with heartbeats: what the last publish had just restarted would always have its full time.
  await delay(Math.random() * 100);
  await leader.kill('SIGKILL');
  const killedMs = performance.now();
  await publishUntilAcked(js);
  const waitedMs = performance.now() - killedMs;
  await connection.close();
  leader.start();
  await leader.ready();
  return waitedMs;
}

await contest('kill -9 of the leader, to the next PubAck', async (at): Promise<Result[]> => {
  await at.jsm.streams.add({ name: STREAM, subjects: [SUBJECT], num_replicas: 3 });
  const waits: number[] = [];
  for (let number = 0; number < TRIES; number++) waits.push(await failOver(at));
  const sorted = [...waits].sort((a, b) => a - b);
  return [
    ...waits.map((ms, number): Result => [`try ${number + 1}`, `${Math.round(ms)} ms`]),
    ['median', `${Math.round(sorted[sorted.length >> 1]!)} ms`],
    ['maximum', `${Math.round(sorted.at(-1)!)} ms`],
  ];
});
