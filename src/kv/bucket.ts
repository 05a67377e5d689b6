/** Owns the bucket view: a key-value bucket is a stream by the name `KV_<bucket>`, and this is how it is told and shown. */
import type { StreamConfig, StreamState } from '../stream/index.ts';

const STREAM_PREFIX = 'KV_';
const BUCKET_NAME = /^[-\w]+$/;

export interface BucketStatus {
  readonly bucket: string;
  /** Revisions held, over all keys; delete markers count. */
  readonly values: number;
  readonly keys: number;
  readonly bytes: number;
  /** Revisions kept per key; -1 is unlimited. */
  readonly history: number;
  /** 0: values stay. */
  readonly ttlMs: number;
  readonly storage: StreamConfig['storage'];
  readonly replicas: number;
}

/** Name of the bucket that a stream holds; undefined if it holds none. */
export function bucketOfStream(streamName: string): string | undefined {
  if (!streamName.startsWith(STREAM_PREFIX)) return undefined;
  const bucket = streamName.slice(STREAM_PREFIX.length);
  return BUCKET_NAME.test(bucket) ? bucket : undefined;
}

/** Undefined if the stream holds no bucket. */
export function bucketStatus(config: StreamConfig, state: StreamState): BucketStatus | undefined {
  const bucket = bucketOfStream(config.name);
  if (bucket === undefined) return undefined;
  return {
    bucket,
    values: state.messages,
    keys: state.numSubjects,
    bytes: state.bytes,
    history: config.maxMsgsPerSubject,
    ttlMs: config.maxAgeMs,
    storage: config.storage,
    replicas: config.numReplicas,
  };
}
