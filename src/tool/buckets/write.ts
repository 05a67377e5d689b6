/** Owns the commands that change keys. */
import type { Bucket } from '@nats-io/kv';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { apiCode, ToolError, UsageError } from '../failure.ts';
import { readBody } from '../messages/body.ts';
import { argument, count, duration, numberArgument, optional, text } from '../parameters/index.ts';
import { formatGoDuration } from '../units.ts';
import { BUCKET, FORCE, KEY, openBucket } from './bucket.ts';
import { removeBucket } from './manage.ts';

const VALUE = optional(argument('VALUE', 'Its value; "-" or none reads it from stdin'));
const FILE = text('Read the value from this file', { short: 'f', placeholder: 'FILE' });
const TTL = duration(
  'Remove it after this time (needs a bucket with --marker-ttl, which is the least where it has a history)',
);
const WRONG_LAST_SEQUENCE = 10071;

async function stored(context: Context, bucket: string, key: string, revision: number): Promise<void> {
  await context.output.document({ bucket, key, revision }, () => `${key} is at revision ${revision}\n`);
}

export const PUT = command({
  summary: 'Set the value of a key',
  parameters: { bucket: BUCKET, key: KEY, value: VALUE, file: FILE, ttl: TTL },
  examples: [
    'kv put settings theme dark',
    'kv put settings package --file package.json',
    'kv put locks build anna --ttl 30s',
  ],
  run: async ({ bucket, key, value, file, ttl }, context) => {
    const content = await readBody(context, value, file);
    const kv = await openBucket(context, bucket);
    await stored(context, bucket, key, await put(kv, key, content, { ttl, context }));
  },
});

interface PutOptions {
  /** In milliseconds. */
  readonly ttl: number | undefined;
  readonly context: Context;
}

/** The library's own `put` gives no value a life of its own; its publish does. Returns the revision. */
async function put(kv: Bucket, key: string, content: string | Uint8Array, options: PutOptions): Promise<number> {
  const { ttl, context } = options;
  const timeout = context.settings.timeoutMs;
  if (ttl === undefined) return kv.put(key, content, { timeout });
  kv.validateKey(key);
  const ack = await kv.js.publish(kv.subjectForKey(key, true), content, { timeout, ttl: formatGoDuration(ttl) });
  return ack.seq;
}

export const CREATE = command({
  summary: 'Set the value of a key that has none',
  parameters: {
    bucket: BUCKET,
    key: KEY,
    value: VALUE,
    file: FILE,
    ttl: TTL,
  },
  examples: ['kv create settings owner anna', 'kv create locks build anna --ttl 30s'],
  run: async ({ bucket, key, value, file, ttl }, context) => {
    const content = await readBody(context, value, file);
    const kv = await openBucket(context, bucket);
    try {
      const revision = await kv.create(key, content, ttl === undefined ? undefined : formatGoDuration(ttl));
      await stored(context, bucket, key, revision);
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_SEQUENCE) throw new ToolError(`${key} has a value already`, { cause: error });
      throw error;
    }
  },
});

export const UPDATE = command({
  summary: 'Set the value of a key if nobody else has since',
  parameters: {
    bucket: BUCKET,
    key: KEY,
    value: optional(argument('VALUE', 'Its value; "-" reads it from stdin')),
    revision: numberArgument('REVISION', 'Its revision when you read it'),
  },
  examples: ['kv update settings theme light 1'],
  run: async ({ bucket, key, value, revision }, context) => {
    const content = await readBody(context, value);
    const kv = await openBucket(context, bucket);
    const updating = kv.update(key, content, revision, context.settings.timeoutMs);
    await stored(context, bucket, key, await updating.catch(explainConflict(key, revision)));
  },
});

export const REVERT = command({
  summary: 'Set a key to a value that it had before',
  parameters: { bucket: BUCKET, key: KEY, revision: numberArgument('REVISION', 'Revision of that value') },
  examples: ['kv revert settings theme 1'],
  run: async ({ bucket, key, revision }, context) => {
    const kv = await openBucket(context, bucket);
    const [before, now] = await Promise.all([kv.get(key, { revision }), kv.get(key)]);
    if (before?.operation !== 'PUT') throw new ToolError(`${bucket} has no value of ${key} at revision ${revision}`);
    // What somebody else sets meanwhile is not overwritten.
    const previousSeq = now?.revision ?? 0;
    const options = { previousSeq, timeout: context.settings.timeoutMs };
    await stored(
      context,
      bucket,
      key,
      await kv.put(key, before.value, options).catch(explainConflict(key, previousSeq)),
    );
  },
});

/** Somebody else was faster. */
function explainConflict(key: string, revision: number): (error: unknown) => never {
  return (error) => {
    if (apiCode(error) !== WRONG_LAST_SEQUENCE) throw error;
    throw new ToolError(`${key} is no longer at revision ${revision}`, { cause: error });
  };
}

export const DEL = command({
  summary: 'Delete a key, or without one the whole bucket',
  details: "The key's history is kept as far as the bucket keeps it.",
  parameters: {
    bucket: BUCKET,
    key: optional(KEY),
    revision: count('Only if it is at this revision', { placeholder: 'REVISION' }),
    force: FORCE,
  },
  examples: ['kv del settings theme --force', 'kv del settings --force'],
  run: async ({ bucket, key, revision, force }, context) => {
    if (key === undefined) {
      if (revision !== undefined) throw new UsageError('--revision needs a KEY');
      await removeBucket(context, bucket, force);
      return;
    }
    const kv = await openBucket(context, bucket);
    await context.confirm(`Delete ${key} of ${bucket}?`, force);
    const options = revision === undefined ? undefined : { previousSeq: revision };
    await kv.delete(key, options).catch(explainConflict(key, revision ?? 0));
    await context.output.document({ bucket, key, operation: 'DEL' }, () => `Deleted ${key}.\n`);
  },
});

export const PURGE = command({
  summary: 'Delete a key with its history',
  parameters: {
    bucket: BUCKET,
    key: KEY,
    revision: count('Only if it is at this revision', { placeholder: 'REVISION' }),
    ttl: duration('Remove the marker of deletion as well, after this time'),
    force: FORCE,
  },
  examples: ['kv purge settings theme --force'],
  run: async ({ bucket, key, revision, ttl, force }, context) => {
    const kv = await openBucket(context, bucket);
    await context.confirm(`Delete ${key} of ${bucket} with its history?`, force);
    const options = {
      ...(revision !== undefined && { previousSeq: revision }),
      ...(ttl !== undefined && { ttl: formatGoDuration(ttl) }),
    };
    await kv.purge(key, options).catch(explainConflict(key, revision ?? 0));
    await context.output.document({ bucket, key, operation: 'PURGE' }, () => `Purged ${key}.\n`);
  },
});
