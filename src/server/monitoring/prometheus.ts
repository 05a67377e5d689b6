/**
 * Owns `/metrics`: the server's measurements in Prometheus' text format. Nothing is kept in step while nobody looks:
 * every value is read when it is scraped. Loaded at the first scrape, as prom-client would lengthen every start.
 */
import { collectDefaultMetrics, Registry, type Metric } from 'prom-client';
import type { LatencyHistogram, ServerMetrics } from '../metrics.ts';
import type { MonitoringSources, StreamFacts } from './sources.ts';

/** A server may hold any number of streams, and a scrape must stay small: the first ones by name get series. */
const MAX_STREAM_SERIES = 1000;

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: () => readonly Sample[];
}

export class PrometheusExporter {
  readonly #registry = new Registry();
  readonly contentType = this.#registry.contentType;

  constructor(sources: MonitoringSources, metrics: ServerMetrics) {
    const families = [
      ...clientFamilies(sources),
      ...jetStreamFamilies(sources),
      ...streamFamilies(sources),
      ...runtimeFamilies(metrics),
    ];
    for (const family of families) register(this.#registry, family);
    collectDefaultMetrics({ register: this.#registry });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** A registry asks its metrics for nothing but this; prom-client's own classes would want a copy of every value. */
function register(registry: Registry, { name, help, type, samples }: Family): void {
  const metric = { name, help, get: () => ({ name, help, type, aggregator: 'sum', values: samples() }) };
  registry.registerMetric(metric as unknown as Metric);
}

function single(type: 'counter' | 'gauge', name: string, help: string, value: () => number): Family {
  return { name, help, type, samples: () => [{ labels: {}, value: value() }] };
}

function clientFamilies(sources: MonitoringSources): Family[] {
  const traffic = () => sources.traffic();
  return [
    single('gauge', 'millrace_connections', 'Open client connections.', () => sources.connections().length),
    single(
      'counter',
      'millrace_connections_total',
      'Client connections ever accepted.',
      () => traffic().totalConnections,
    ),
    single('gauge', 'millrace_subscriptions', 'Subscriptions of this server.', () => sources.subscriptions().count),
    single('gauge', 'millrace_routes', 'Peers this server is connected to.', () => sources.routes().length),
    single('counter', 'millrace_client_in_messages_total', 'Messages from clients.', () => traffic().inClientMsgs),
    single(
      'counter',
      'millrace_client_in_bytes_total',
      'Payload and header bytes from clients.',
      () => traffic().inClientBytes,
    ),
    single('counter', 'millrace_client_out_messages_total', 'Messages to clients.', () => traffic().outClientMsgs),
    single(
      'counter',
      'millrace_client_out_bytes_total',
      'Payload and header bytes to clients.',
      () => traffic().outClientBytes,
    ),
    single(
      'counter',
      'millrace_slow_consumers_total',
      'Clients disconnected because they read too slowly.',
      () => traffic().slowConsumers,
    ),
  ];
}

function jetStreamFamilies(sources: MonitoringSources): Family[] {
  const facts = () => sources.jetStream();
  const leadsMeta = () => {
    const meta = facts()?.meta;
    return meta !== undefined && meta.leader === sources.identity.serverName ? 1 : 0;
  };
  return [
    single('gauge', 'millrace_streams', 'Streams with a replica here.', () => facts()?.streams().length ?? 0),
    single('gauge', 'millrace_storage_file_bytes', 'Bytes of file streams.', () => facts()?.usedFileBytes ?? 0),
    single('gauge', 'millrace_storage_memory_bytes', 'Bytes of memory streams.', () => facts()?.usedMemoryBytes ?? 0),
    single('counter', 'millrace_api_requests_total', 'JetStream API requests.', () => facts()?.apiTotal ?? 0),
    single('counter', 'millrace_api_errors_total', 'Those answered by an error.', () => facts()?.apiErrors ?? 0),
    single('gauge', 'millrace_meta_leader', '1 if this server leads the meta group.', leadsMeta),
    {
      name: 'millrace_raft_groups',
      help: 'Raft groups of this server, by its role in them.',
      type: 'gauge',
      samples: () => countRoles(sources),
    },
  ];
}

function countRoles(sources: MonitoringSources): Sample[] {
  const counts = { LEADER: 0, FOLLOWER: 0, CANDIDATE: 0 };
  for (const group of sources.raftGroups()) counts[group.role] += 1;
  return Object.entries(counts).map(([role, value]) => ({ labels: { role: role.toLowerCase() }, value }));
}

function streamFamilies(sources: MonitoringSources): Family[] {
  const streams = () => sources.jetStream()?.streams() ?? [];
  const perStream = (name: string, help: string, value: (stream: StreamFacts) => number): Family => ({
    name,
    help,
    type: 'gauge',
    samples: () =>
      shownStreams(streams()).map((stream) => ({
        labels: { account: stream.account, stream: stream.name },
        value: value(stream),
      })),
  });
  return [
    perStream('millrace_stream_messages', 'Messages in the stream.', (stream) => stream.messages),
    perStream('millrace_stream_bytes', 'Bytes in the stream.', (stream) => stream.bytes),
    perStream('millrace_stream_last_sequence', 'Sequence of the latest message.', (stream) => stream.lastSeq),
    perStream('millrace_stream_consumers', 'Consumers of the stream.', (stream) => stream.consumerCount),
    perStream('millrace_stream_leader', '1 if this server leads the stream.', (stream) => (stream.leads ? 1 : 0)),
    single(
      'gauge',
      'millrace_streams_without_series',
      'Streams left out of the series above, as there are too many.',
      () => Math.max(0, streams().length - MAX_STREAM_SERIES),
    ),
  ];
}

function shownStreams(streams: readonly StreamFacts[]): readonly StreamFacts[] {
  const key = (stream: StreamFacts): string => `${stream.account} ${stream.name}`;
  if (streams.length <= MAX_STREAM_SERIES) return streams;
  return streams.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)).slice(0, MAX_STREAM_SERIES);
}

function runtimeFamilies(metrics: ServerMetrics): Family[] {
  return [
    histogram('millrace_fsync_duration_seconds', 'Durable writes, one for all groups that were ready.', metrics.fsync),
    histogram('millrace_commit_duration_seconds', 'From the proposal of an entry to its commit.', metrics.commit),
    ...raftCounters(metrics),
    {
      name: 'millrace_event_loop_lag_seconds',
      help: 'What the event loop was late by since the scrape before; quantile 1 is the worst.',
      type: 'gauge',
      samples: () => {
        const { p50, p99, max } = metrics.takeLoopDelay();
        return [
          { labels: { quantile: '0.5' }, value: p50 },
          { labels: { quantile: '0.99' }, value: p99 },
          { labels: { quantile: '1' }, value: max },
        ];
      },
    },
  ];
}

/** Name, help, and what is counted. */
const RAFT_COUNTERS = [
  ['millrace_raft_leader_changes_total', 'Changes of leaders that this server has seen.', 'leaderChanges'],
  ['millrace_raft_elections_total', 'Elections that this server has started.', 'elections'],
  ['millrace_storage_written_bytes_total', 'Bytes written to the database.', 'writtenBytes'],
  ['millrace_raft_snapshot_sent_bytes_total', 'Bytes of checkpoints and blocks sent to replicas.', 'snapshotSentBytes'],
  ['millrace_raft_snapshot_received_bytes_total', 'The same, received.', 'snapshotReceivedBytes'],
  ['millrace_storage_repaired_records_total', 'Damaged records fetched again from a peer.', 'repairedRecords'],
  ['millrace_raft_digest_mismatches_total', 'Replicas found to differ from their leader.', 'digestMismatches'],
] as const;

function raftCounters(metrics: ServerMetrics): Family[] {
  return RAFT_COUNTERS.map(([name, help, counter]) => single('counter', name, help, () => metrics.counts[counter]));
}

function histogram(name: string, help: string, source: LatencyHistogram): Family {
  const samples = (): readonly Sample[] => {
    const { bounds, cumulative, sum } = source.snapshot();
    const buckets = cumulative.map((value, index) => ({
      metricName: `${name}_bucket`,
      labels: { le: bounds[index] ?? '+Inf' },
      value,
    }));
    const count = cumulative.at(-1) ?? 0;
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ];
  };
  return { name, help, type: 'histogram', samples };
}
