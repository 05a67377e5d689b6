/** Owns the commands about buckets as a whole. */
import type { KvOptions } from '@nats-io/kv';
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import { given } from '../config-file.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { bytes, choice, count, duration, flag, list, pairs, text, toggle, withDefault } from '../parameters/index.ts';
import { clusterFacts, metadataFacts } from '../streams/info-text.ts';
import {
  formatBytes,
  formatCount,
  formatCountOf,
  formatDuration,
  formatLimit,
  formatTime,
  fromNanos,
} from '../units.ts';
import { BUCKET, bucketInfo, bucketName, findBucket, FORCE, listBuckets, openBucket } from './bucket.ts';

export const ADD = command({
  summary: 'Create a bucket',
  parameters: {
    bucket: BUCKET,
    description: text('What it is for'),
    history: withDefault(count('How many values to keep of a key, up to 64'), 1),
    ttl: duration('How long to keep values; for ever unless given'),
    markerTtl: duration('Leave a marker for this long where a value has expired; allows --ttl for single keys'),
    maxBytes: bytes('Most bytes to keep, such as 1GiB'),
    maxValueSize: bytes('Largest value to accept'),
    storage: withDefault(choice('Where values are kept', ['file', 'memory']), 'file'),
    replicas: withDefault(count('How many servers keep a copy', { short: 'r' }), 1),
    compression: toggle('Compress files'),
    direct: toggle('Let every replica answer (on unless --no-direct)'),
    mirror: text('Be a copy of this bucket', { placeholder: 'BUCKET' }),
    source: list('Take in the keys of this bucket', { placeholder: 'BUCKET' }),
    republishSource: text('Publish again what is put: keys that match this', { placeholder: 'SUBJECT' }),
    republishDestination: text('... as this subject', { placeholder: 'SUBJECT' }),
    placementCluster: text('Cluster to place it in', { placeholder: 'NAME' }),
    placementTags: list('Tags that its servers must have', { placeholder: 'TAG' }),
    metadata: pairs('Facts of your own to keep with it', '='),
  },
  examples: [
    'kv add settings',
    'kv add sessions --ttl 12h --storage memory',
    'kv add locks --marker-ttl 1m',
    'kv add audit --history 10 --max-bytes 1GiB',
  ],
  run: async (input, context) => {
    if ((await findBucket(context, input.bucket)) !== undefined) throw new ToolError(`${input.bucket} exists already`);
    const { Kvm } = await import('@nats-io/kv');
    const { placementCluster: cluster, placementTags: tags, republishDestination: dest } = input;
    const options = given<KvOptions>({
      description: input.description,
      history: input.history,
      ttl: input.ttl,
      markerTTL: input.markerTtl,
      max_bytes: input.maxBytes,
      maxValueSize: input.maxValueSize,
      storage: input.storage,
      replicas: input.replicas,
      compression: input.compression,
      allow_direct: input.direct ?? true,
      mirror: input.mirror === undefined ? undefined : { name: input.mirror },
      sources: input.source?.map((name) => ({ name })),
      republish: dest === undefined ? undefined : { src: input.republishSource ?? '>', dest },
      placement:
        cluster === undefined && tags === undefined ? undefined : { cluster: cluster ?? '', tags: [...(tags ?? [])] },
      metadata: input.metadata === undefined ? undefined : Object.fromEntries(input.metadata),
    });
    await new Kvm(await context.jetstream()).create(input.bucket, options);
    const info = await bucketInfo(context, input.bucket);
    await context.output.document(info, () => `Created.\n\n${statusText(info, context)}`);
  },
});

export const STATUS = command({
  summary: 'Show the configuration and state of a bucket',
  parameters: { bucket: BUCKET },
  examples: ['kv status settings'],
  run: async ({ bucket }, context) => {
    const info = await bucketInfo(context, bucket);
    await context.output.document(info, () => statusText(info, context));
  },
});

function statusText(info: StreamInfo, context: Context): string {
  const { config, state } = info;
  const duration = (nanos: number): string => formatDuration(fromNanos(nanos));
  return context.output.facts([
    {
      title: `Bucket ${bucketName(info)}`,
      facts: [
        ['Description', config.description],
        ['Values of a key', formatLimit(config.max_msgs_per_subject)],
        ['Kept for', config.max_age === 0 ? 'ever' : duration(config.max_age)],
        [
          'Expiry markers',
          config.subject_delete_marker_ttl === undefined ? undefined : duration(config.subject_delete_marker_ttl),
        ],
        ['Bytes', formatLimit(config.max_bytes, formatBytes)],
        ['Value size', formatLimit(config.max_msg_size, formatBytes)],
        ['Storage', config.storage + (config.compression === 's2' ? ', compressed' : '')],
        ['Replicas', String(config.num_replicas)],
        ['Mirror of', config.mirror?.name.replace(/^KV_/, '')],
        ['Created', formatTime(info.created)],
      ],
    },
    { title: 'Cluster', facts: clusterFacts(info.cluster) },
    {
      title: 'State',
      facts: [
        ['Values', formatCount(state.messages)],
        ['Bytes', formatBytes(state.bytes)],
        ['Last revision', formatCount(state.last_seq)],
        ['Last change', formatTime(state.last_ts)],
      ],
    },
    { title: 'Metadata', facts: metadataFacts(config.metadata) },
  ]);
}

const COLUMNS: readonly Column<StreamInfo>[] = [
  { title: 'Bucket', cell: bucketName },
  { title: 'Description', cell: ({ config }) => config.description ?? '' },
  { title: 'History', align: 'right', cell: ({ config }) => formatCount(config.max_msgs_per_subject) },
  { title: 'Values', align: 'right', cell: ({ state }) => formatCount(state.messages) },
  { title: 'Bytes', align: 'right', cell: ({ state }) => formatBytes(state.bytes) },
  { title: 'Last change', cell: ({ state }) => formatTime(state.last_ts) },
];

export const LS = command({
  summary: 'List buckets',
  parameters: { names: flag('Print only their names', { short: 'n' }) },
  examples: ['kv ls'],
  run: async ({ names }, context) => {
    const buckets = await listBuckets(context);
    if (names) {
      await context.output.names(buckets.map(bucketName));
      return;
    }
    await context.output.document(buckets, () => context.output.table(COLUMNS, buckets, 'No buckets.'));
  },
});

export const RM_BUCKET = command({
  summary: 'Delete a bucket with all its keys',
  parameters: { bucket: BUCKET, force: FORCE },
  examples: ['kv rm-bucket settings --force'],
  run: async ({ bucket, force }, context) => {
    const { config } = await bucketInfo(context, bucket);
    await context.confirm(`Delete ${bucket} with all its keys?`, force);
    const answer = await (await context.api()).request<object>(`STREAM.DELETE.${config.name}`);
    await context.output.document(answer, () => `Deleted ${bucket}.\n`);
  },
});

export const COMPACT = command({
  summary: 'Forget the history of deleted keys, and old markers of deletion',
  parameters: {
    bucket: BUCKET,
    olderThan: withDefault(
      duration('Remove markers that are older; newer ones only lose their history'),
      30 * 60_000,
      '30m',
    ),
    force: FORCE,
  },
  examples: ['kv compact settings --older-than 1h --force'],
  run: async ({ bucket, olderThan, force }, context) => {
    const kv = await openBucket(context, bucket);
    const { Bucket } = await import('@nats-io/kv');
    if (!(kv instanceof Bucket)) throw new ToolError('this bucket can not be compacted');
    await context.confirm(`Remove deleted keys of ${bucket}?`, force);
    const answer = await kv.purgeDeletes(olderThan);
    await context.output.document(
      answer,
      () => `Removed what was deleted from ${bucket}: ${formatCountOf(answer.purged, 'message')}.\n`,
    );
  },
});
