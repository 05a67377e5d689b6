/** Owns how a stream is described to people. */
import type { ClusterInfo, StreamConfig, StreamInfo, StreamSource, StreamSourceInfo } from '@nats-io/jetstream';
import type { Fact, Output } from '../output/index.ts';
import { formatAge, formatBytes, formatCount, formatDuration, formatLimit, formatTime, fromNanos } from '../units.ts';

export function streamText(info: StreamInfo, output: Output): string {
  const { config } = info;
  return output.facts([
    { title: `Stream ${config.name}`, facts: identity(info) },
    { title: 'Limits', facts: limits(config) },
    { title: 'Options', facts: options(config) },
    { title: 'Origins', facts: origins(info) },
    { title: 'Cluster', facts: clusterFacts(info.cluster) },
    { title: 'State', facts: stateFacts(info) },
    { title: 'Metadata', facts: metadataFacts(config.metadata) },
  ]);
}

function identity({ config, created }: StreamInfo): readonly Fact[] {
  return [
    ['Description', config.description],
    ['Subjects', (config.subjects as string[] | undefined)?.join(', ')],
    ['Storage', config.storage + (config.compression === 's2' ? ', compressed' : '')],
    ['Replicas', String(config.num_replicas)],
    ['Retention', config.retention],
    ['Created', formatTime(created)],
  ];
}

function limits(config: StreamConfig): readonly Fact[] {
  const duration = (nanos: number): string => formatDuration(fromNanos(nanos));
  const { inactive_threshold: inactive, max_ack_pending: ackPending } = config.consumer_limits ?? {};
  const discard = config.discard === 'new' ? 'refuse new messages' : 'remove old messages';
  return [
    ['Messages', formatLimit(config.max_msgs)],
    ['Messages of a subject', formatLimit(config.max_msgs_per_subject)],
    ['Bytes', formatLimit(config.max_bytes, formatBytes)],
    ['Age', formatLimit(config.max_age, duration)],
    ['Message size', formatLimit(config.max_msg_size, formatBytes)],
    ['Consumers', formatLimit(config.max_consumers)],
    ['At a limit', config.discard_new_per_subject ? `${discard}, also of a subject` : discard],
    ['Duplicate window', duration(config.duplicate_window)],
    [
      'Delete markers',
      config.subject_delete_marker_ttl === undefined ? undefined : duration(config.subject_delete_marker_ttl),
    ],
    ['Consumer inactivity', inactive === undefined ? undefined : duration(inactive)],
    ['Consumer unacknowledged', ackPending === undefined ? undefined : formatCount(ackPending)],
  ];
}

/** Only what is out of the ordinary. */
function options(config: StreamConfig): readonly Fact[] {
  const yes = (on: boolean | undefined): string | undefined => (on === true ? 'yes' : undefined);
  const { republish, subject_transform: transform } = config;
  const renamed = transform === undefined ? undefined : `${transform.src ?? '>'} to ${transform.dest}`;
  return [
    ['Sealed', yes(config.sealed)],
    ['Without acknowledgement', yes(config.no_ack)],
    ['Direct gets', yes(config.allow_direct)],
    ['Direct gets of the origin', yes(config.mirror_direct)],
    ['Roll-ups', yes(config.allow_rollup_hdrs)],
    ['Deletes refused', yes(config.deny_delete)],
    ['Purges refused', yes(config.deny_purge)],
    ['Message TTL', yes(config.allow_msg_ttl)],
    ['Counters', yes(config.allow_msg_counter)],
    ['Atomic batches', yes(config.allow_atomic)],
    ['Fast batches', yes(config.allow_batched)],
    ['Schedules', yes(config.allow_msg_schedules)],
    ['Persistence', config.persist_mode === 'async' ? 'acknowledged before the write' : undefined],
    ['Subjects renamed', renamed],
    ['Published again', republish === undefined ? undefined : `${republish.src} as ${republish.dest}`],
    ['Placement', placementText(config)],
  ];
}

function placementText({ placement }: StreamConfig): string | undefined {
  if (placement === undefined) return undefined;
  const { cluster, tags } = placement as { readonly cluster?: string; readonly tags?: readonly string[] };
  return [cluster ?? '', ...(tags ?? []).map((tag) => `tag ${tag}`)].filter((part) => part !== '').join(', ');
}

function origins({ config, mirror, sources }: StreamInfo): readonly Fact[] {
  const facts: Fact[] = [];
  if (config.mirror !== undefined) facts.push(['Mirror of', originText(config.mirror, mirror)]);
  for (const source of config.sources ?? []) {
    facts.push([
      'Source',
      originText(
        source,
        sources?.find(({ name }) => name === source.name),
      ),
    ]);
  }
  return facts;
}

function originText(origin: StreamSource, info: StreamSourceInfo | undefined): string {
  const filter = origin.filter_subject === undefined ? '' : ` (${origin.filter_subject})`;
  if (info === undefined) return `${origin.name}${filter}`;
  const seen = info.active < 0 ? 'never seen' : `seen ${formatAge(fromNanos(info.active))} ago`;
  const failure = info.error === undefined ? '' : `, ${info.error.description}`;
  return `${origin.name}${filter}, ${formatCount(info.lag)} behind, ${seen}${failure}`;
}

/** Also of consumers. */
export function clusterFacts(cluster: ClusterInfo | undefined): readonly Fact[] {
  if (cluster === undefined) return [];
  const replicas = (cluster.replicas ?? []).map((replica): Fact => [
    'Replica',
    `${replica.name}, ${replicaState(replica)}`,
  ]);
  return [['Name', cluster.name], ['Leader', cluster.leader ?? 'none'], ...replicas];
}

function replicaState(replica: NonNullable<ClusterInfo['replicas']>[number]): string {
  const state = replica.offline ? 'offline' : replica.current ? 'current' : 'behind';
  const lag = (replica.lag as number | undefined) ?? 0;
  const seen = replica.active > 0 ? `, seen ${formatAge(fromNanos(replica.active))} ago` : '';
  return `${state}${seen}${lag > 0 ? `, lag ${formatCount(lag)}` : ''}`;
}

export function stateFacts({ state: now }: StreamInfo): readonly Fact[] {
  const { num_deleted: deleted, lost } = now as Partial<StreamInfo['state']>;
  return [
    ['Messages', formatCount(now.messages)],
    ['Bytes', formatBytes(now.bytes)],
    ['First', position(now.first_seq, now.first_ts)],
    ['Last', position(now.last_seq, now.last_ts)],
    ['Subjects', now.num_subjects === undefined ? undefined : formatCount(now.num_subjects)],
    ['Deleted between', deleted === undefined ? undefined : formatCount(deleted)],
    ['Lost', lost === undefined ? undefined : formatCount(lost.msgs?.length ?? 0)],
    ['Consumers', formatCount(now.consumer_count)],
  ];
}

/** A sequence without a time is where the next message will be, or was: nothing is there. */
function position(seq: number, time: string): string {
  const when = formatTime(time);
  return when === 'never' ? 'none' : `${formatCount(seq)} at ${when}`;
}

/** Also of consumers. The server's own entries are left out. */
export function metadataFacts(metadata: Readonly<Record<string, string>> | undefined): readonly Fact[] {
  return Object.entries(metadata ?? {}).filter(([name]) => !name.startsWith('_nats.'));
}
