/** Owns `server check`: whether something is wrong that a person should know of. */
import type { ConsumerInfo, JetStreamAccountStats, StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Api } from '../connection/index.ts';
import type { Context } from '../context.ts';
import { describe, ToolError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { integer, text, withDefault, type Input } from '../parameters/index.ts';
import { streamInfo } from '../streams/configure.ts';
import { formatBytes, formatCount, formatCountOf, formatDuration } from '../units.ts';

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

const LIMITS = {
  stream: text('Check only this stream', { placeholder: 'STREAM' }),
  maxLag: withDefault(integer('How many messages a replica, a mirror or a source may be behind'), 1000),
  maxPending: integer('Check consumers as well: how many messages may wait for one'),
  maxAckPending: integer('Check consumers as well: how many messages one may have unacknowledged'),
} as const;

type Limits = Input<typeof LIMITS>;

export const CHECK = command({
  summary: 'Check that the server answers, and that streams have a leader and replicas that follow',
  details: 'Exits with 1 if something is wrong.',
  parameters: LIMITS,
  examples: ['server check', 'server check --stream ORDERS --max-pending 10000', 'server check --json'],
  run: async (limits, context) => {
    const checks = await runChecks(context, limits);
    await context.output.document(checks, () => context.output.table(CHECK_COLUMNS, checks, ''));
    const failed = checks.filter(({ ok }) => !ok).length;
    if (failed > 0) throw new ToolError(`${failed} of ${checks.length} checks failed`);
  },
});

async function runChecks(context: Context, limits: Limits): Promise<readonly Check[]> {
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
    for (const stream of await streamsOf(api, limits)) {
      checks.push(checkStream(stream, limits));
      checks.push(...(await consumerChecks(api, stream.config.name, limits)));
    }
  } catch (error) {
    checks.push({ what: 'JetStream', ok: false, detail: describe(error) });
  }
  return checks;
}

async function streamsOf(api: Api, { stream }: Limits): Promise<readonly StreamInfo[]> {
  if (stream === undefined) return api.list<StreamInfo>('STREAM.LIST', 'streams');
  return [await streamInfo(api, stream)];
}

async function consumerChecks(api: Api, stream: string, limits: Limits): Promise<readonly Check[]> {
  const { maxPending = Infinity, maxAckPending = Infinity } = limits;
  if (maxPending === Infinity && maxAckPending === Infinity) return [];
  const consumers = await api.list<ConsumerInfo>(`CONSUMER.LIST.${stream}`, 'consumers');
  return consumers.map(({ name, num_pending: pending, num_ack_pending: unacknowledged, cluster }) => {
    const detail = `${formatCount(pending)} waiting, ${formatCount(unacknowledged)} unacknowledged`;
    const leads = cluster === undefined || cluster.leader !== undefined;
    const ok = leads && pending <= maxPending && unacknowledged <= maxAckPending;
    return { what: `consumer ${stream} ${name}`, ok, detail: leads ? detail : 'no leader' };
  });
}

function checkStream({ config, cluster, state, mirror, sources }: StreamInfo, { maxLag }: Limits): Check {
  const problems: string[] = [];
  if (cluster !== undefined && cluster.leader === undefined) problems.push('no leader');
  for (const { name, offline, current, ...replica } of cluster?.replicas ?? []) {
    const lag = (replica.lag as number | undefined) ?? 0;
    if (offline) problems.push(`${name} is offline`);
    else if (!current && lag > maxLag) problems.push(`${name} is ${formatCount(lag)} behind`);
  }
  for (const { name, lag, error } of [...(mirror === undefined ? [] : [mirror]), ...(sources ?? [])]) {
    if (error !== undefined) problems.push(`${name}: ${error.description}`);
    else if (lag > maxLag) problems.push(`${formatCount(lag)} behind ${name}`);
  }
  const lost = (state.lost as { readonly msgs: readonly number[] | null } | undefined)?.msgs?.length ?? 0;
  if (lost > 0) problems.push(`${formatCountOf(lost, 'message')} lost`);
  const detail = problems.length === 0 ? formatCountOf(state.messages, 'message') : problems.join(', ');
  return { what: `stream ${config.name}`, ok: problems.length === 0, detail };
}
