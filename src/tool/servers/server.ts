/** Owns `server`: what a client can learn about the server that it is connected to. */
import type { JetStreamAccountStats, StreamInfo } from '@nats-io/jetstream';
import { setTimeout as delay } from 'node:timers/promises';
import { command, group } from '../command.ts';
import type { Context } from '../context.ts';
import { describe, ToolError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { count, duration, integer, withDefault } from '../parameters/index.ts';
import { formatBytes, formatCount, formatCountOf, formatDuration } from '../units.ts';

const INFO = command({
  summary: 'Show who the server is',
  parameters: {},
  examples: ['server info'],
  run: async (_, context) => {
    const connection = await context.connect();
    const info = connection.info!;
    const yes = (on: boolean | undefined): string => (on === true ? 'yes' : 'no');
    await context.output.document(info, () =>
      context.output.facts([
        {
          title: `Server ${info.server_name}`,
          facts: [
            ['Id', info.server_id],
            ['Version', info.version],
            ['Address', connection.getServer()],
            ['Cluster', info.cluster],
            ['Other servers', info.connect_urls?.join(', ')],
            ['JetStream', yes(info.jetstream)],
            ['API level', info.api_lvl === undefined ? undefined : String(info.api_lvl)],
            ['Largest payload', formatBytes(info.max_payload)],
            ['TLS required', yes(info.tls_required)],
            ['Authentication', yes(info.auth_required)],
            ['Client id', formatCount(info.client_id)],
            ['Client address', info.client_ip],
          ],
        },
      ]),
    );
  },
});

const PING = command({
  summary: 'Measure how long the server takes to answer',
  parameters: {
    count: withDefault(count('How often', { short: 'n' }), 5),
    interval: withDefault(duration('How long to wait between'), 200, '200ms'),
  },
  examples: ['server ping', 'server ping --count 10 --interval 1s'],
  run: async ({ count, interval }, context) => {
    const connection = await context.connect();
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      if (i > 0) await delay(interval);
      const begin = performance.now();
      await connection.flush();
      times.push(performance.now() - begin);
      await context.output.say(`${connection.getServer()}: ${formatDuration(times.at(-1)!)}`);
    }
    const average = times.reduce((sum, time) => sum + time, 0) / count;
    const document = {
      server: connection.getServer(),
      count,
      min_ms: Math.min(...times),
      avg_ms: average,
      max_ms: Math.max(...times),
    };
    await context.output.document(document, () => {
      return `min ${formatDuration(document.min_ms)}, average ${formatDuration(average)}, max ${formatDuration(document.max_ms)}\n`;
    });
  },
});

interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

const CHECK_COLUMNS: readonly Column<Check>[] = [
  { title: 'Check', cell: ({ what }) => what },
  { title: '', cell: ({ ok }) => (ok ? 'ok' : 'FAILED') },
  { title: 'Detail', cell: ({ detail }) => detail },
];

const CHECK = command({
  summary: 'Check that the server answers, and that streams have a leader and replicas that follow',
  details: 'Exits with 1 if something is wrong.',
  parameters: { maxLag: withDefault(integer('How far a replica may be behind'), 1000) },
  examples: ['server check', 'server check --json'],
  run: async ({ maxLag }, context) => {
    const checks = await runChecks(context, maxLag);
    await context.output.document(checks, () => context.output.table(CHECK_COLUMNS, checks, ''));
    const failed = checks.filter(({ ok }) => !ok).length;
    if (failed > 0) throw new ToolError(`${failed} of ${checks.length} checks failed`);
  },
});

async function runChecks(context: Context, maxLag: number): Promise<readonly Check[]> {
  const connection = await context.connect();
  const begin = performance.now();
  await connection.flush();
  const answer = `answers in ${formatDuration(performance.now() - begin)}`;
  const checks: Check[] = [{ what: `server ${connection.info!.server_name}`, ok: true, detail: answer }];
  try {
    const api = await context.api();
    const { streams, storage } = await api.request<JetStreamAccountStats>('INFO');
    checks.push({
      what: 'JetStream',
      ok: true,
      detail: `${formatCountOf(streams, 'stream')}, ${formatBytes(storage)}`,
    });
    const all = await api.list<StreamInfo>('STREAM.LIST', 'streams');
    for (const stream of all) checks.push(checkStream(stream, maxLag));
  } catch (error) {
    checks.push({ what: 'JetStream', ok: false, detail: describe(error) });
  }
  return checks;
}

function checkStream({ config, cluster, state }: StreamInfo, maxLag: number): Check {
  const problems: string[] = [];
  if (cluster !== undefined && cluster.leader === undefined) problems.push('no leader');
  for (const { name, offline, current, ...replica } of cluster?.replicas ?? []) {
    const lag = (replica.lag as number | undefined) ?? 0;
    if (offline) problems.push(`${name} is offline`);
    else if (!current && lag > maxLag) problems.push(`${name} is ${formatCount(lag)} behind`);
  }
  const lost = (state.lost as { readonly msgs: readonly number[] | null } | undefined)?.msgs?.length ?? 0;
  if (lost > 0) problems.push(`${formatCountOf(lost, 'message')} lost`);
  const detail = problems.length === 0 ? formatCountOf(state.messages, 'message') : problems.join(', ');
  return { what: `stream ${config.name}`, ok: problems.length === 0, detail };
}

export const SERVER = group({
  summary: 'The server: who it is, how far, how well',
  commands: { info: INFO, ping: PING, check: CHECK },
  aliases: { rtt: 'ping' },
  examples: ['server info', 'server check'],
});
