/**
 * `npm run bench [filter]`: throughput and latency, as a table. With PEER=/path/to/nats-server every case runs against both
 * servers in alternation, and the table shows medians and ratios. RUNS (default 3) and SCALE (default 1, multiplies the
 * message counts) shorten or lengthen it; ALWAYS=0 leaves out the peer that syncs each message.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect, RetentionPolicy, StorageType, type JetStreamManager, type NatsConnection } from 'nats';
import { startServers, type ServerProcess, type Servers } from '../test/harness/server-process.ts';
import { waitFor } from '../test/harness/wait-for.ts';
import { CASES, type BenchCase } from './cases.ts';

const RUNS = Number(process.env['RUNS'] ?? 3);
const SCALE = Number(process.env['SCALE'] ?? 1);
const PEER = process.env['PEER'];
const WITH_ALWAYS = process.env['ALWAYS'] !== '0';
const filter = process.argv[2] ?? '';
const run = promisify(execFile);

interface Measurement {
  readonly rate: number;
  readonly p50_us: number;
  readonly p99_us: number;
}

/** One kind of server with one setting, running while its cases run. */
interface Contestant {
  readonly label: string;
  readonly servers: Servers;
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  /** Of the messages that the others get: a server that syncs each one would take minutes. */
  readonly share: number;
}

/** Of the reference server that syncs every message. */
const SHARE_OF_ALWAYS = 0.05;

async function contestant(label: string, nodes: number, binary?: string, jetstream?: string): Promise<Contestant> {
  const servers = await startServers({ nodes, ...(binary && { binary }), ...(jetstream && { jetstream }) });
  const connection = await connect({ servers: servers.urls });
  const jsm = await waitFor('JetStream', () => connection.jetstreamManager());
  return { label, servers, connection, jsm, share: jetstream === undefined ? 1 : SHARE_OF_ALWAYS };
}

/** The node a case publishes at: the stream's leader, or one that is not. */
async function nodeFor(benchCase: BenchCase, at: Contestant): Promise<ServerProcess> {
  if (benchCase.nodes === 1 || benchCase.stream === undefined) return at.servers.first;
  const leader = await waitFor('a stream leader', async () => (await at.jsm.streams.info('BENCH')).cluster?.leader);
  if (benchCase.at !== 'follower') return at.servers.byName(leader);
  return at.servers.nodes.find((node) => node.name !== leader)!;
}

async function prepare(benchCase: BenchCase, at: Contestant): Promise<void> {
  await at.jsm.streams.delete('BENCH').catch(() => undefined);
  if (benchCase.stream === undefined) return;
  await at.jsm.streams.add({
    name: 'BENCH',
    subjects: ['bench', 'bench.>'],
    num_replicas: benchCase.nodes === 1 ? 1 : 3,
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    ...benchCase.stream,
  });
  for (const config of benchCase.consumers ?? []) {
    const request = JSON.stringify({ stream_name: 'BENCH', config });
    const answer = await at.connection.request(`$JS.API.CONSUMER.CREATE.BENCH.${config.name}`, request);
    const { error } = answer.json<{ readonly error?: { readonly description: string } }>();
    if (error !== undefined) throw new Error(`consumer ${config.name}: ${error.description}`);
  }
}

async function measure(benchCase: BenchCase, loadgen: string, at: Contestant): Promise<Measurement> {
  await prepare(benchCase, at);
  const node = await nodeFor(benchCase, at);
  const count = Math.max(1000, Math.round(benchCase.count * SCALE * at.share));
  let measurement: Measurement | undefined;
  for (const args of benchCase.commands(String(count))) {
    const [mode, ...rest] = args;
    const { stdout } = await run(loadgen, [mode!, String(node.port), ...rest]);
    measurement = JSON.parse(stdout) as Measurement;
  }
  return measurement!;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function row(cells: readonly (string | number)[]): string {
  return cells.map((cell, i) => (i === 0 ? String(cell).padEnd(44) : String(cell).padStart(18))).join('');
}

async function runCase(benchCase: BenchCase, loadgen: string, contestants: readonly Contestant[]): Promise<void> {
  const results = new Map(contestants.map(({ label }) => [label, [] as Measurement[]]));
  for (let i = 0; i < RUNS; i++) {
    for (const at of contestants) results.get(at.label)!.push(await measure(benchCase, loadgen, at));
  }
  const of = (quantity: 'rate' | 'p50_us' | 'p99_us', label: string): number =>
    median(results.get(label)!.map((measurement) => measurement[quantity]));
  const [ours, ...others] = contestants.map(({ label }) => label);
  if (benchCase.shows === 'latency') {
    const both = (label: string): string => `${of('p50_us', label)} (${of('p99_us', label)} us)`;
    console.log(row([`${benchCase.name}: p50 (p99)`, both(ours!), '', ...others.map(both)]));
    return;
  }
  const rate = of('rate', ours!);
  const ratios = others.map((label) => `${Math.round(of('rate', label))} (${(rate / of('rate', label)).toFixed(2)}x)`);
  console.log(row([benchCase.name, Math.round(rate), `${of('p50_us', ours!)} us`, ...ratios]));
}

async function runGroup(nodes: number, cases: readonly BenchCase[], loadgen: string): Promise<void> {
  const contestants = [await contestant('millrace', nodes)];
  try {
    if (PEER !== undefined) {
      contestants.push(await contestant('lazy', nodes, PEER));
      if (WITH_ALWAYS) contestants.push(await contestant('always', nodes, PEER, 'sync_interval: always'));
    }
    const peers = contestants.slice(1).map(({ label }) => `peer ${label}`);
    console.log(row([`${nodes} node(s), messages/s`, 'millrace', 'p50', ...peers]));
    for (const benchCase of cases) await runCase(benchCase, loadgen, contestants);
  } finally {
    for (const { connection, servers } of contestants) {
      await connection.close();
      await servers.stop('SIGKILL');
    }
  }
}

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
try {
  const loadgen = join(directory, 'loadgen');
  execFileSync('gcc', ['-O2', '-o', loadgen, join(import.meta.dirname, 'loadgen.c')]);
  for (const nodes of [1, 3]) {
    const cases = CASES.filter((benchCase) => benchCase.nodes === nodes && benchCase.name.includes(filter));
    if (cases.length > 0) await runGroup(nodes, cases, loadgen);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
