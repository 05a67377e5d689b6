/** Owns the measurements with key-value buckets. */
import { findBucket, openBucket } from '../buckets/bucket.ts';
import { command } from '../command.ts';
import { ToolError } from '../failure.ts';
import { choice, count, text, withDefault } from '../parameters/index.ts';
import { BENCH_OPTIONS, inWindow, measure, WINDOW } from './run.ts';

const BUCKET = withDefault(text('Bucket to use', { placeholder: 'BUCKET' }), 'bench');
const KEYS = withDefault(count('How many keys there are'), 1000);

/** Requests are counted from 1. */
function keyOf(i: number, keys: number): string {
  return `key-${(i - 1) % keys}`;
}

export const KV_PUT = command({
  summary: 'Set the values of keys',
  details: 'The bucket is created if there is none, and stays.',
  parameters: {
    ...BENCH_OPTIONS,
    bucket: BUCKET,
    keys: KEYS,
    window: WINDOW,
    storage: withDefault(choice('Where a new bucket keeps its values', ['file', 'memory']), 'file'),
    replicas: withDefault(count('How many servers keep a copy of a new bucket', { short: 'r' }), 1),
  },
  examples: ['bench kv put --count 10000', 'bench kv put --count 10000 --window 50'],
  run: async (input, context) => {
    const { bucket, storage, replicas } = input;
    if ((await findBucket(context, bucket)) === undefined) {
      const { Kvm } = await import('@nats-io/kv');
      await new Kvm(await context.jetstream()).create(bucket, { storage, replicas });
    }
    await measure(context, { ...input, name: 'kv put' }, async ({ connection, count: puts, payload, share }) => {
      const kv = await openBucket(context, bucket, connection);
      share.begin();
      await inWindow(puts, input.window, async (i) => {
        const begin = performance.now();
        await kv.put(keyOf(i, input.keys), payload);
        share.done(1, payload.length, begin);
      });
    });
  },
});

export const KV_GET = command({
  summary: 'Read the values of keys',
  details: '"bench kv put" with the same number of keys sets them.',
  parameters: {
    clients: BENCH_OPTIONS.clients,
    count: BENCH_OPTIONS.count,
    bucket: BUCKET,
    keys: KEYS,
    window: WINDOW,
  },
  examples: ['bench kv get --count 10000', 'bench kv get --count 10000 --window 50'],
  run: async (input, context) => {
    await measure(context, { ...input, size: 0, name: 'kv get' }, async ({ connection, count: gets, share }) => {
      const kv = await openBucket(context, input.bucket, connection);
      share.begin();
      await inWindow(gets, input.window, async (i) => {
        const begin = performance.now();
        const entry = await kv.get(keyOf(i, input.keys));
        if (entry === null) throw new ToolError(`${keyOf(i, input.keys)} is not set; "bench kv put" sets all keys`);
        share.done(1, entry.value.length, begin);
      });
    });
  },
});
