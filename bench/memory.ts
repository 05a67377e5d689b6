/**
 * `npm run bench:memory`: what a node holds in memory. With a million small messages stored on three replicas, and while
 * a publisher sends as fast as it can and neither reads nor waits for acknowledgements. What it was acknowledged must be
 * stored. SCALE (default 1) multiplies the number of messages.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { waitFor } from '../test/harness/wait-for.ts';
import { contest, leaderOf, withLoadGenerator, type Contestant, type Result } from './contest.ts';

const MESSAGES = Math.round(1_000_000 * Number(process.env['SCALE'] ?? 1));
const MESSAGE_BYTES = 128;
const IN_FLIGHT = '1000';
const STREAM = 'MEMORY';
const SUBJECT = 'memory';
const FLOOD_MS = 10_000;
const SAMPLE_MS = 100;
/** Of publishes written at once. */
const CHUNK = 256;
/** Acknowledgements have all come when none came for so long. */
const QUIET_MS = 1_000;

const run = promisify(execFile);

async function residentMiB({ servers }: Contestant): Promise<number[]> {
  const each = await Promise.all(servers.nodes.map((node) => node.residentBytes()));
  return each.map((bytes) => Math.round(bytes / 2 ** 20));
}

interface Flood {
  readonly peakMiB: readonly number[];
  readonly acked: number;
}

/** Publishes without reading for a while, then reads what there is. */
async function flood(port: number, at: Contestant): Promise<Flood> {
  const socket = dial(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write('CONNECT {"verbose":false,"pedantic":false}\r\nSUB flood.acks 1\r\n');
  const peak = at.servers.nodes.map(() => 0);
  const ended = performance.now() + FLOOD_MS;
  const writing = writeUntil(ended, socket);
  while (performance.now() < ended) {
    const now = await residentMiB(at);
    for (const [node, mib] of now.entries()) peak[node] = Math.max(peak[node]!, mib);
    await delay(SAMPLE_MS);
  }
  await writing;
  return { peakMiB: peak, acked: await countAcks(socket) };
}

async function writeUntil(endMs: number, socket: Socket): Promise<void> {
  const publish = `PUB ${SUBJECT} flood.acks ${MESSAGE_BYTES}\r\n${'x'.repeat(MESSAGE_BYTES)}\r\n`;
  const chunk = Buffer.from(publish.repeat(CHUNK));
  while (performance.now() < endMs && !socket.destroyed) {
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), delay(endMs - performance.now())]);
  }
}

async function countAcks(socket: Socket): Promise<number> {
  let acked = 0;
  let rest = '';
  let lastMs = performance.now();
  socket.on('data', (bytes) => {
    lastMs = performance.now();
    const text = rest + bytes.toString('latin1');
    const lines = text.split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith('{"stream"')) acked++;
  });
  socket.resume();
  await waitFor('the last acknowledgement', () => performance.now() - lastMs > QUIET_MS);
  socket.destroy();
  return acked;
}

await withLoadGenerator((loadGenerator) =>
  contest(`${MESSAGES} messages of ${MESSAGE_BYTES} B, 3 replicas`, async (at): Promise<Result[]> => {
    await at.jsm.streams.add({ name: STREAM, subjects: [SUBJECT], num_replicas: 3 });
    const leader = await leaderOf(STREAM, at);
    const empty = await residentMiB(at);
    await run(loadGenerator, ['js', `${leader.port}`, SUBJECT, `${MESSAGES}`, `${MESSAGE_BYTES}`, IN_FLIGHT]);
    const before = (await at.jsm.streams.info(STREAM)).state.messages;
    const full = await residentMiB(at);
    const { peakMiB, acked } = await flood(leader.port, at);
    const stored = (await at.jsm.streams.info(STREAM)).state.messages - before;
    return [
      ['resident per node, empty', `${empty.join(', ')} MiB`],
      ['resident per node, with the messages', `${full.join(', ')} MiB`],
      ['publisher that never reads, peak per node', `${peakMiB.join(', ')} MiB`],
      ['of its messages acknowledged', `${acked}`],
      ['of its messages stored', `${stored}${acked > stored ? ': LOST SOME' : ''}`],
    ];
  }),
);
