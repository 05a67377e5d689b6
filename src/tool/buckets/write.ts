/** Owns the commands that change keys. */
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { apiCode, ToolError } from '../failure.ts';
import { readBody } from '../messages/body.ts';
import { argument, count, duration, numberArgument, optional, text } from '../parameters/index.ts';
import { formatDuration } from '../units.ts';
import { BUCKET, FORCE, KEY, openBucket } from './bucket.ts';

const VALUE = optional(argument('VALUE', 'Its value; "-" or none reads it from stdin'));
const FILE = text('Read the value from this file', { short: 'f', placeholder: 'FILE' });
const WRONG_LAST_SEQUENCE = 10071;

async function stored(context: Context, bucket: string, key: string, revision: number): Promise<void> {
  await context.output.document({ bucket, key, revision }, () => `${key} is at revision ${revision}\n`);
}

export const PUT = command({
  summary: 'Set the value of a key',
  parameters: { bucket: BUCKET, key: KEY, value: VALUE, file: FILE },
  examples: ['kv put settings theme dark', 'kv put settings package --file package.json'],
  run: async ({ bucket, key, value, file }, context) => {
    const content = await readBody(context, value, file);
    const kv = await openBucket(context, bucket);
    await stored(context, bucket, key, await kv.put(key, content, { timeout: context.settings.timeoutMs }));
  },
});

export const CREATE = command({
  summary: 'Set the value of a key that has none',
  parameters: {
    bucket: BUCKET,
    key: KEY,
    value: VALUE,
    file: FILE,
    ttl: duration('Remove it after this time (needs a bucket with --marker-ttl)'),
  },
  examples: ['kv create settings owner anna', 'kv create locks build anna --ttl 30s'],
  run: async ({ bucket, key, value, file, ttl }, context) => {
    const content = await readBody(context, value, file);
    const kv = await openBucket(context, bucket);
    try {
      const revision = await kv.create(key, content, ttl === undefined ? undefined : goDuration(ttl));
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
    try {
      await stored(context, bucket, key, await kv.update(key, content, revision, context.settings.timeoutMs));
    } catch (error) {
      if (apiCode(error) === WRONG_LAST_SEQUENCE) {
        throw new ToolError(`${key} is no longer at revision ${revision}`, { cause: error });
      }
      throw error;
    }
  },
});

export const DEL = command({
  summary: 'Delete a key; its history is kept as far as the bucket keeps it',
  parameters: {
    bucket: BUCKET,
    key: KEY,
    revision: count('Only if it is at this revision', { placeholder: 'REVISION' }),
    force: FORCE,
  },
  examples: ['kv del settings theme --force'],
  run: async ({ bucket, key, revision, force }, context) => {
    const kv = await openBucket(context, bucket);
    await context.confirm(`Delete ${key} of ${bucket}?`, force);
    await kv.delete(key, revision === undefined ? undefined : { previousSeq: revision });
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
    await kv.purge(key, {
      ...(revision !== undefined && { previousSeq: revision }),
      ...(ttl !== undefined && { ttl: goDuration(ttl) }),
    });
    await context.output.document({ bucket, key, operation: 'PURGE' }, () => `Purged ${key}.\n`);
  },
});

/** Headers have no units above the hour. */
function goDuration(milliseconds: number): string {
  return milliseconds < 1000 ? formatDuration(milliseconds) : `${Math.round(milliseconds / 1000)}s`;
}
