/**
 * Owns what the measurements of whole clusters share: who is measured, ours and with PEER=/path/to/nats-server the
 * reference server the same way, and the table in which the results end up beside each other.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import { startServers, type ServerProcess, type Servers } from '../test/harness/server-process.ts';
import { waitFor } from '../test/harness/wait-for.ts';

/** What was measured, and its value in words. */
export type Result = readonly [quantity: string, value: string];

export interface Contestant {
  readonly servers: Servers;
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
}

/** Runs `measure` on fresh nodes of each kind of server, one kind after the other, and prints what it returns. */
export async function contest(
  title: string,
  measure: (at: Contestant) => Promise<readonly Result[]>,
  nodes: 1 | 3 = 3,
): Promise<void> {
  const columns: { readonly label: string; readonly results: readonly Result[] }[] = [
    { label: 'millrace', results: await runOne(undefined, nodes, measure) },
  ];
  const peer = process.env['PEER'];
  if (peer !== undefined) columns.push({ label: 'peer', results: await runOne(peer, nodes, measure) });
  console.log(row([title, ...columns.map(({ label }) => label)]));
  for (const [at, [quantity]] of columns[0]!.results.entries()) {
    console.log(row([quantity, ...columns.map(({ results }) => results[at]![1])]));
  }
}

async function runOne(
  binary: string | undefined,
  nodes: 1 | 3,
  measure: (at: Contestant) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const servers = await startServers({ nodes, ...(binary !== undefined && { binary }) });
  try {
    const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const jsm = await waitFor('JetStream', () => connection.jetstreamManager());
    const results = await measure({ servers, connection, jsm });
    await connection.close();
    return results;
  } finally {
    await servers.stop('SIGKILL');
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(52) : cell.padStart(28))).join('');
}

/** The node that leads the stream. */
export async function leaderOf(stream: string, { servers, jsm }: Contestant): Promise<ServerProcess> {
  const name = await waitFor('a stream leader', async () => (await jsm.streams.info(stream)).cluster?.leader);
  return servers.byName(name);
}

/** Calls `use` with the path of the load generator, which is built for it. */
export async function withLoadGenerator(use: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  try {
    const path = join(directory, 'loadgen');
    execFileSync('gcc', ['-O2', '-o', path, join(import.meta.dirname, 'loadgen.c')]);
    await use(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
