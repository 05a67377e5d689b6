/**
 * `npm run bench:consumers`: what ten thousand consumers on one node cost, a thousand on each stream. How fast they are
 * created, what they hold in memory and use while nothing happens, how fast a stream with a thousand of them can be
 * published into, and how soon all is back after `kill -9`. SCALE (default 1) multiplies the number of streams.
 */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { waitFor } from '../test/harness/wait-for.ts';
import { contest, withLoadGenerator, type Contestant, type Result } from './contest.ts';

const STREAMS = Math.max(1, Math.round(10 * Number(process.env['SCALE'] ?? 1)));
const CONSUMERS = 1_000;
const IN_FLIGHT = 16;
const PUBLISHES = 100_000;
/** Creating has ended so long ago when idleness is measured. */
const SETTLE_MS = 4_000;
const IDLE_MS = 10_000;

const run = promisify(execFile);

/** Runs the load generator against the node; returns the rate it reports, per second. */
type Load = (mode: string, ...args: readonly (string | number)[]) => Promise<number>;

function loadOn({ servers }: Contestant, loadGenerator: string): Load {
  return async (mode, ...args) => {
    const { stdout } = await run(loadGenerator, [mode, `${servers.first.port}`, ...args.map(String)]);
    return (JSON.parse(stdout) as { readonly rate: number }).rate;
  };
}

async function createConsumers(load: Load, stream: string, filter: string): Promise<number> {
  const config = `{"name":"C#","durable_name":"C#","ack_policy":"explicit","filter_subject":"${filter}"}`;
  const body = `{"stream_name":"${stream}","config":${config}}`;
  return load('req', `$JS.API.CONSUMER.CREATE.${stream}.C#.${filter}`, CONSUMERS, IN_FLIGHT, body);
}

/** Stream 0 has consumers of everything; in the others each has a subject of its own. Rates of the first and the last stream. */
async function createAll(at: Contestant, load: Load): Promise<readonly [number, number]> {
  const rates: number[] = [];
  for (let i = 0; i < STREAMS; i++) {
    await at.jsm.streams.add({ name: `S${i}`, subjects: [`s${i}.>`] });
    rates.push(await createConsumers(load, `S${i}`, i === 0 ? 's0.>' : `s${i}.#`));
  }
  return [rates[0]!, rates.at(-1)!];
}

async function residentMiB({ servers }: Contestant): Promise<number> {
  return (await servers.first.residentBytes()) / 2 ** 20;
}

async function idleCores({ servers }: Contestant): Promise<number> {
  const before = await servers.first.cpuSeconds();
  await delay(IDLE_MS);
  return ((await servers.first.cpuSeconds()) - before) / (IDLE_MS / 1000);
}

async function publishRate(load: Load, subject: string): Promise<number> {
  return load('js', subject, PUBLISHES, 128, 1000, CONSUMERS);
}

/** Milliseconds from the start of the killed node until it is healthy, and until its last consumer answers. */
async function restart({ servers }: Contestant): Promise<{ readonly healthyMs: number; readonly consumerMs: number }> {
  const node = servers.first;
  await node.kill('SIGKILL');
  const startMs = performance.now();
  node.start();
  const healthy = node.ready().then(() => performance.now() - startMs);
  const connection = await waitFor('a connection', () => connect({ servers: servers.urls, reconnect: false }));
  const jsm = await connection.jetstreamManager({ checkAPI: false });
  await waitFor('the last consumer', () => jsm.consumers.info(`S${STREAMS - 1}`, `C${CONSUMERS - 1}`));
  const consumerMs = performance.now() - startMs;
  await connection.close();
  return { healthyMs: await healthy, consumerMs };
}

await withLoadGenerator((loadGenerator) =>
  contest(
    `${STREAMS * CONSUMERS} consumers on one node`,
    async (at): Promise<Result[]> => {
      const load = loadOn(at, loadGenerator);
      await at.jsm.streams.add({ name: 'NONE', subjects: ['none.>'] });
      await publishRate(load, 'none.#');
      const without = await publishRate(load, 'none.#');
      const before = await residentMiB(at);
      const [first, last] = await createAll(at, load);
      await delay(SETTLE_MS);
      const grown = (await residentMiB(at)) - before;
      const cores = await idleCores(at);
      const everything = await publishRate(load, 's0.#');
      const filtered = STREAMS > 1 ? await publishRate(load, 's1.#') : everything;
      const { healthyMs, consumerMs } = await restart(at);
      return [
        [`created, ${IN_FLIGHT} in flight, first thousand`, `${Math.round(first)} /s`],
        ['last thousand', `${Math.round(last)} /s`],
        ['resident memory they add', `${Math.round(grown)} MiB`],
        ['idle', `${cores.toFixed(3)} cores`],
        ['publish, no consumers', `${Math.round(without)} /s`],
        ['publish, 1000 idle consumers of everything', `${Math.round(everything)} /s`],
        ['publish, 1000 idle consumers, a subject each', `${Math.round(filtered)} /s`],
        ['kill -9, start: healthy', `${Math.round(healthyMs)} ms`],
        ['kill -9, start: the last consumer answers', `${Math.round(consumerMs)} ms`],
      ];
    },
    1,
  ),
);
