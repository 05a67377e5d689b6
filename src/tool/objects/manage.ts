/** Owns the commands about object stores as a whole. */
import type { StreamInfo } from '@nats-io/jetstream';
import type { ObjectInfo, ObjectStoreOptions } from '@nats-io/obj';
import { listBuckets } from '../buckets/bucket.ts';
import { command } from '../command.ts';
import { given } from '../config-file.ts';
import type { Context } from '../context.ts';
import { apiCode, STREAM_NOT_FOUND, ToolError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import {
  bytes,
  choice,
  duration,
  count,
  bucketArgument,
  argument,
  optional,
  pairs,
  text,
  toggle,
  withDefault,
} from '../parameters/index.ts';
import { PLACEMENT_OPTIONS, UNASKED } from '../streams/config-options.ts';
import { clusterFacts, metadataFacts } from '../streams/info-text.ts';
import { placementOf } from '../streams/stream-config.ts';
import { formatBytes, formatCount, formatDuration, formatLimit, formatTime, fromNanos, toNanos } from '../units.ts';
import { BUCKET, FORCE, openStore, PREFIX } from './store.ts';

async function storeInfo(context: Context, bucket: string): Promise<StreamInfo> {
  return (await context.api()).request<StreamInfo>(`STREAM.INFO.${PREFIX}${bucket}`);
}

async function exists(context: Context, bucket: string): Promise<boolean> {
  try {
    await storeInfo(context, bucket);
    return true;
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return false;
    throw error;
  }
}

export const ADD = command({
  summary: 'Create a bucket',
  parameters: {
    bucket: BUCKET,
    description: text('What it is for'),
    ttl: duration('How long to keep objects; for ever unless given'),
    maxBytes: bytes('Most bytes to keep, such as 100GiB', { also: ['max-bucket-size'] }),
    storage: withDefault(choice('Where objects are kept', ['file', 'memory']), 'file'),
    replicas: withDefault(count('How many servers keep a copy', { short: 'r' }), 1),
    compression: toggle('Compress files', { also: ['compress'] }),
    ...PLACEMENT_OPTIONS,
    metadata: pairs('Facts of your own to keep with it', '='),
    defaults: UNASKED,
  },
  examples: ['object add files', 'object add builds --ttl 30d --max-bytes 1GiB'],
  run: async (input, context) => {
    if (await exists(context, input.bucket)) throw new ToolError(`${input.bucket} exists already`);
    const { Objm } = await import('@nats-io/obj');
    const options = given<ObjectStoreOptions>({
      description: input.description,
      ttl: input.ttl === undefined ? undefined : toNanos(input.ttl),
      max_bytes: input.maxBytes,
      storage: input.storage,
      replicas: input.replicas,
      compression: input.compression,
      placement: placementOf(input, {}),
      metadata: input.metadata === undefined ? undefined : Object.fromEntries(input.metadata),
    });
    await new Objm(await context.jetstream()).create(input.bucket, options);
    const info = await storeInfo(context, input.bucket);
    await context.output.document(info, () => `Created.\n\n${storeText(input.bucket, info, context)}`);
  },
});

export function storeText(bucket: string, info: StreamInfo, context: Context): string {
  const { config, state } = info;
  return context.output.facts([
    {
      title: `Bucket ${bucket}`,
      facts: [
        ['Description', config.description],
        ['Kept for', config.max_age === 0 ? 'ever' : formatDuration(fromNanos(config.max_age))],
        ['Bytes', formatLimit(config.max_bytes, formatBytes)],
        ['Storage', config.storage + (config.compression === 's2' ? ', compressed' : '')],
        ['Replicas', String(config.num_replicas)],
        ['Sealed', config.sealed ? 'yes' : 'no'],
        ['Created', formatTime(info.created)],
      ],
    },
    { title: 'Cluster', facts: clusterFacts(info.cluster) },
    {
      title: 'State',
      facts: [
        ['Bytes', formatBytes(state.bytes)],
        ['Last change', formatTime(state.last_ts)],
      ],
    },
    { title: 'Metadata', facts: metadataFacts(config.metadata) },
  ]);
}

const STORE_COLUMNS: readonly Column<StreamInfo>[] = [
  { title: 'Bucket', cell: ({ config }) => config.name.slice(PREFIX.length) },
  { title: 'Description', cell: ({ config }) => config.description ?? '' },
  { title: 'Bytes', align: 'right', cell: ({ state }) => formatBytes(state.bytes) },
  { title: 'Storage', cell: ({ config }) => config.storage },
  { title: 'Sealed', cell: ({ config }) => (config.sealed ? 'yes' : 'no') },
  { title: 'Last change', cell: ({ state }) => formatTime(state.last_ts) },
];

/** A link has no content of its own, and none of its measures. */
export function isLink({ options }: ObjectInfo): boolean {
  return options?.link !== undefined;
}

const OBJECT_COLUMNS: readonly Column<ObjectInfo>[] = [
  { title: 'Name', cell: ({ name }) => name },
  { title: 'Size', align: 'right', cell: (info) => (isLink(info) ? 'link' : formatBytes(info.size)) },
  { title: 'Chunks', align: 'right', cell: (info) => (isLink(info) ? '' : formatCount(info.chunks)) },
  { title: 'Time', cell: ({ mtime }) => formatTime(mtime) },
];

export const LS = command({
  summary: 'List buckets, or the objects of one',
  parameters: { bucket: optional(bucketArgument('BUCKET', 'List the objects of this bucket')) },
  examples: ['object ls', 'object ls files'],
  run: async ({ bucket }, context) => {
    const { output } = context;
    if (bucket === undefined) {
      const stores = await listBuckets(context, PREFIX);
      await output.document(stores, () => output.table(STORE_COLUMNS, stores, 'No buckets.'));
      return;
    }
    const objects = [...(await (await openStore(context, bucket)).list())].sort((a, b) => (a.name < b.name ? -1 : 1));
    await output.document(objects, () => output.table(OBJECT_COLUMNS, objects, 'No objects.'));
  },
});

export const INFO = command({
  summary: 'Show what is known about a bucket, or an object',
  parameters: { bucket: BUCKET, name: optional(argument('NAME', 'Name of an object')) },
  examples: ['object info files', 'object info files package.json'],
  run: async ({ bucket, name }, context) => {
    const store = await openStore(context, bucket);
    if (name === undefined) {
      const info = await storeInfo(context, bucket);
      await context.output.document(info, () => storeText(bucket, info, context));
      return;
    }
    const info = await store.info(name);
    if (info === null || info.deleted) throw new ToolError(`${bucket} has no object ${name}`);
    await context.output.document(objectDocument(info), () => objectText(info, context));
  },
});

/** The library's object hides its members behind accessors. */
export function objectDocument(info: ObjectInfo): object {
  const { name, description, bucket, nuid, size, chunks, digest, deleted, mtime, revision, options, metadata } = info;
  return { name, description, bucket, nuid, size, chunks, digest, deleted, mtime, revision, options, metadata };
}

function objectText(info: ObjectInfo, context: Context): string {
  const link = info.options?.link;
  return context.output.facts([
    {
      title: `Object ${info.name} of ${info.bucket}`,
      facts: [
        ['Description', info.description === '' ? undefined : info.description],
        ['Link to', link === undefined ? undefined : [link.bucket, link.name ?? ''].join(' ').trim()],
        ['Size', link === undefined ? formatBytes(info.size) : undefined],
        ['Chunks', link === undefined ? formatCount(info.chunks) : undefined],
        ['Digest', info.digest],
        ['Time', formatTime(info.mtime)],
      ],
    },
    { title: 'Metadata', facts: metadataFacts(info.metadata) },
  ]);
}

export const SEAL = command({
  summary: 'Seal a bucket: nothing is added to it or removed from it again',
  parameters: { bucket: BUCKET, force: FORCE },
  examples: ['object seal files --force'],
  run: async ({ bucket, force }, context) => {
    const store = await openStore(context, bucket);
    await context.confirm(`A sealed bucket stays sealed. Seal ${bucket}?`, force);
    const { streamInfo } = await store.seal();
    await context.output.document(streamInfo, () => `Sealed ${bucket}.\n`);
  },
});

export const RM_BUCKET = command({
  summary: 'Delete a bucket with all its objects',
  parameters: { bucket: BUCKET, force: FORCE },
  examples: ['object rm-bucket files --force'],
  run: async ({ bucket, force }, context) => removeStore(context, bucket, force),
});

export async function removeStore(context: Context, bucket: string, force: boolean): Promise<void> {
  const store = await openStore(context, bucket);
  await context.confirm(`Delete ${bucket} with all its objects?`, force);
  await store.destroy();
  await context.output.document({ success: true }, () => `Deleted ${bucket}.\n`);
}
