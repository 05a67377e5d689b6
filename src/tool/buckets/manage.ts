/** Owns the commands about buckets as a whole. */
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { bucketArgument, duration, flag, manyArguments, optional, withDefault } from '../parameters/index.ts';
import { editStream } from '../streams/configure.ts';
import { formatBytes, formatCount, formatCountOf, formatTime } from '../units.ts';
import { BUCKET, bucketInfo, bucketName, findBucket, FORCE, listBuckets, openBucket } from './bucket.ts';
import { BUCKET_OPTIONS, bucketOptions, changedMembers, NEW_BUCKET_OPTIONS } from './config.ts';
import { keysOf } from './read.ts';
import { statusText } from './status-text.ts';

export const ADD = command({
  summary: 'Create a bucket',
  parameters: { bucket: BUCKET, ...NEW_BUCKET_OPTIONS },
  examples: [
    'kv add settings',
    'kv add sessions --ttl 12h --storage memory',
    'kv add locks --marker-ttl 1m',
    'kv add audit --history 10 --max-bytes 1GiB',
  ],
  run: async (input, context) => {
    if ((await findBucket(context, input.bucket)) !== undefined) throw new ToolError(`${input.bucket} exists already`);
    const { Kvm } = await import('@nats-io/kv');
    await new Kvm(await context.jetstream()).create(input.bucket, bucketOptions(input));
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

export const EDIT = command({
  summary: 'Change the configuration of a bucket',
  details: 'Changes what is given and leaves the rest. Asks first if values may have to go.',
  parameters: { bucket: BUCKET, ...BUCKET_OPTIONS, force: FORCE, dryRun: flag('Only show what would change') },
  examples: ['kv edit settings --history 10', 'kv edit settings --replicas 3'],
  run: async (input, context) => {
    const { config: before } = await bucketInfo(context, input.bucket);
    const after = { ...before, ...changedMembers(input, before) };
    await editStream(context, before, after, { ...input, text: (info) => statusText(info, context) });
  },
});

const COLUMNS: readonly Column<StreamInfo>[] = [
  { title: 'Bucket', cell: bucketName },
  { title: 'Description', cell: ({ config }) => config.description ?? '' },
  { title: 'History', align: 'right', cell: ({ config }) => formatCount(config.max_msgs_per_subject) },
  { title: 'Values', align: 'right', cell: ({ state }) => formatCount(state.messages) },
  { title: 'Bytes', align: 'right', cell: ({ state }) => formatBytes(state.bytes) },
  { title: 'Last change', cell: ({ state }) => formatTime(state.last_ts) },
];

export const LS = command({
  summary: 'List buckets, or the keys of one',
  parameters: {
    bucket: optional(bucketArgument('BUCKET', 'List the keys of this bucket')),
    filters: manyArguments('FILTER', 'Only keys that match one of these, such as "user.*"'),
    names: flag('Print only the names of the buckets', { short: 'n' }),
  },
  examples: ['kv ls', 'kv ls settings', 'kv ls settings "user.>"'],
  run: async ({ bucket, filters, names }, context) => {
    if (bucket !== undefined) {
      await context.output.names(await keysOf(context, bucket, filters));
      return;
    }
    const buckets = await listBuckets(context);
    if (names) await context.output.names(buckets.map(bucketName));
    else await context.output.document(buckets, () => context.output.table(COLUMNS, buckets, 'No buckets.'));
  },
});

export const RM_BUCKET = command({
  summary: 'Delete a bucket with all its keys',
  parameters: { bucket: BUCKET, force: FORCE },
  examples: ['kv rm-bucket settings --force'],
  run: async ({ bucket, force }, context) => removeBucket(context, bucket, force),
});

export async function removeBucket(context: Context, bucket: string, force: boolean): Promise<void> {
  const { config } = await bucketInfo(context, bucket);
  await context.confirm(`Delete ${bucket} with all its keys?`, force);
  const answer = await (await context.api()).request<object>(`STREAM.DELETE.${config.name}`);
  await context.output.document(answer, () => `Deleted ${bucket}.\n`);
}

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
    await context.confirm(`Remove deleted keys of ${bucket}?`, force);
    const answer = await kv.purgeDeletes(olderThan);
    await context.output.document(
      answer,
      () => `Removed what was deleted from ${bucket}: ${formatCountOf(answer.purged, 'message')}.\n`,
    );
  },
});
