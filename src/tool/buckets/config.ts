/** Owns the options that make up a bucket's configuration, and what they mean to the stream underneath. */
import type { KvOptions } from '@nats-io/kv';
import type { StreamConfig } from '@nats-io/jetstream';
import { given } from '../config-file.ts';
import { UsageError } from '../failure.ts';
import { bytes, choice, count, duration, list, pairs, text, toggle, type Input } from '../parameters/index.ts';
import { PLACEMENT_OPTIONS, UNASKED } from '../streams/config-options.ts';
import { placementOf } from '../streams/stream-config.ts';
import { toNanos } from '../units.ts';

/** Those that can be changed later. */
export const BUCKET_OPTIONS = {
  description: text('What it is for'),
  history: count('How many values to keep of a key, up to 64 (1 unless given)'),
  ttl: duration('How long to keep values; for ever unless given'),
  markerTtl: duration('Leave a marker for this long where a value has expired; allows --ttl for single keys', {
    also: ['limit-marker-ttl'],
  }),
  maxBytes: bytes('Most bytes to keep, such as 1GiB', { also: ['max-bucket-size'] }),
  maxValueSize: bytes('Largest value to accept'),
  replicas: count('How many servers keep a copy (1 unless given)', { short: 'r' }),
  compression: toggle('Compress files', { also: ['compress'] }),
  direct: toggle('Let every replica answer (on unless --no-direct)'),
  ...PLACEMENT_OPTIONS,
  republishSource: text('Publish again what is put: keys that match this', { placeholder: 'SUBJECT' }),
  republishDestination: text('... as this subject', { placeholder: 'SUBJECT' }),
  metadata: pairs('Facts of your own to keep with it', '='),
} as const;

/** Those that can't. */
export const NEW_BUCKET_OPTIONS = {
  ...BUCKET_OPTIONS,
  storage: choice('Where values are kept (file unless given)', ['file', 'memory']),
  mirror: text('Be a copy of this bucket', { placeholder: 'BUCKET' }),
  source: list('Take in the keys of this bucket', { placeholder: 'BUCKET' }),
  defaults: UNASKED,
} as const;

const MOST_HISTORY = 64;

type BucketInput = Input<typeof BUCKET_OPTIONS>;

function checkHistory({ history }: BucketInput): void {
  if (history !== undefined && history > MOST_HISTORY)
    throw new UsageError(`--history: a bucket keeps up to ${MOST_HISTORY} values of a key`);
}

/** For a new bucket, as the library takes it. @throws {UsageError} */
export function bucketOptions(input: Input<typeof NEW_BUCKET_OPTIONS>): Partial<KvOptions> {
  checkHistory(input);
  return given<KvOptions>({
    description: input.description,
    history: input.history ?? 1,
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
    republish: republishOf(input),
    placement: placementOf(input, {}),
    metadata: input.metadata === undefined ? undefined : Object.fromEntries(input.metadata),
  });
}

/** Of a bucket that there is: the members of its stream's configuration that change. @throws {UsageError} */
export function changedMembers(input: BucketInput, before: StreamConfig): Partial<StreamConfig> {
  checkHistory(input);
  return given<StreamConfig>({
    description: input.description,
    max_msgs_per_subject: input.history,
    max_age: input.ttl === undefined ? undefined : toNanos(input.ttl),
    allow_msg_ttl: input.markerTtl === undefined ? undefined : true,
    subject_delete_marker_ttl: input.markerTtl === undefined ? undefined : toNanos(input.markerTtl),
    max_bytes: input.maxBytes,
    max_msg_size: input.maxValueSize,
    num_replicas: input.replicas,
    compression: input.compression === undefined ? undefined : input.compression ? 's2' : 'none',
    allow_direct: input.direct,
    republish: republishOf(input),
    placement: placementOf(input, {}),
    metadata: input.metadata === undefined ? undefined : { ...before.metadata, ...Object.fromEntries(input.metadata) },
  });
}

function republishOf({ republishSource: src, republishDestination: dest }: BucketInput): StreamConfig['republish'] {
  if (dest !== undefined) return { src: src ?? '>', dest };
  if (src !== undefined) throw new UsageError('--republish-source needs --republish-destination');
  return undefined;
}
