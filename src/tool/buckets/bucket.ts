/** Owns finding a bucket, and the parameters that its commands share. */
import type { Bucket } from '@nats-io/kv';
import type { StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Context } from '../context.ts';
import { apiCode, STREAM_NOT_FOUND, ToolError } from '../failure.ts';
import { argument, bucketArgument, flag } from '../parameters/index.ts';

export const BUCKET = bucketArgument('BUCKET', 'Name of the bucket');
export const KEY = argument('KEY', 'Key');
export const FORCE = flag('Do it without asking', { short: 'f' });

const PREFIX = 'KV_';

/** Undefined when there is none. */
export async function findBucket(context: Context, name: string): Promise<StreamInfo | undefined> {
  const api = await context.api();
  try {
    return await api.request<StreamInfo>(`STREAM.INFO.${PREFIX}${name}`);
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

export async function bucketInfo(context: Context, name: string): Promise<StreamInfo> {
  const info = await findBucket(context, name);
  if (info === undefined) throw new ToolError(`no bucket is called ${name}`);
  return info;
}

/** All buckets, by what their names begin with. */
export async function listBuckets(context: Context, prefix = PREFIX): Promise<readonly StreamInfo[]> {
  const streams = await (await context.api()).list<StreamInfo>('STREAM.LIST', 'streams');
  return streams.filter(({ config }) => config.name.startsWith(prefix));
}

export function bucketName({ config }: StreamInfo): string {
  return config.name.slice(PREFIX.length);
}

/** Over `connection`, if it is not to be the context's own. @throws {ToolError} when there is none. */
export async function openBucket(context: Context, name: string, connection?: NatsConnection): Promise<Bucket> {
  const { config } = await bucketInfo(context, name);
  const { Bucket, Kvm } = await import('@nats-io/kv');
  const manager = new Kvm(await context.jetstream(connection));
  const timeout = context.settings.timeoutMs;
  // Only the longer way, which asks for the configuration again, knows that keys of another domain are written there.
  const kv =
    config.mirror?.external === undefined
      ? await manager.open(name, { timeout, allow_direct: config.allow_direct })
      : await manager.create(name, { timeout });
  if (!(kv instanceof Bucket)) throw new ToolError(`${name} is of a kind that this program does not know`);
  if (config.mirror !== undefined && config.mirror.external === undefined) {
    // A copy has the keys under the subjects of the bucket that it copies, and they are written there.
    kv.prefix = `$KV.${config.mirror.name.slice(PREFIX.length)}`;
    kv.editPrefix = kv.prefix;
  }
  return kv;
}
