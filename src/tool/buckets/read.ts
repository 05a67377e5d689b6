/** Owns the commands that read keys. */
import type { KvWatchOptions } from '@nats-io/kv';
import { command } from '../command.ts';
import { onInterruption, type Context } from '../context.ts';
import { ToolError, UsageError } from '../failure.ts';
import { stopAfter } from '../messages/stop-after.ts';
import type { Column } from '../output/index.ts';
import { argument, count, flag, manyArguments, optional } from '../parameters/index.ts';
import { formatTime } from '../units.ts';
import { BUCKET, KEY, openBucket } from './bucket.ts';
import { entryDocument, entryLine } from './entry.ts';

export const GET = command({
  summary: 'Print the value of a key',
  parameters: {
    bucket: BUCKET,
    key: KEY,
    revision: count('An earlier value of it', { placeholder: 'REVISION' }),
    raw: flag('Print the value without a newline at its end', { short: 'r' }),
  },
  examples: ['kv get settings theme', 'kv get settings theme --raw'],
  run: async ({ bucket, key, revision, raw }, context) => {
    const kv = await openBucket(context, bucket);
    const entry = await kv.get(key, revision === undefined ? undefined : { revision });
    if (entry?.operation !== 'PUT')
      throw new ToolError(`${bucket} has no key ${key}${revision === undefined ? '' : ' of that revision'}`);
    if (context.output.json) await context.output.document(entryDocument(entry), String);
    else await context.output.write(raw ? entry.value : Buffer.concat([entry.value, Buffer.from('\n')]));
  },
});

export const KEYS = command({
  summary: 'List the keys of a bucket',
  parameters: {
    bucket: BUCKET,
    filters: manyArguments('FILTER', 'Only keys that match one of these, such as "user.*"'),
  },
  examples: ['kv keys settings', 'kv keys settings "user.>"'],
  run: async ({ bucket, filters }, context) => {
    await context.output.names(await keysOf(context, bucket, filters));
  },
});

/** In order. */
export async function keysOf(context: Context, bucket: string, filters: readonly string[]): Promise<readonly string[]> {
  const kv = await openBucket(context, bucket);
  const keys: string[] = [];
  for await (const key of await kv.keys(filters.length === 0 ? undefined : [...filters])) keys.push(key);
  return keys.sort();
}

interface HistoryRow {
  readonly revision: number;
  readonly operation: string;
  readonly created: Date;
  readonly key: string;
  readonly value: string;
}

const HISTORY_COLUMNS: readonly Column<HistoryRow>[] = [
  { title: 'Key', cell: ({ key }) => key },
  { title: 'Revision', align: 'right', cell: ({ revision }) => String(revision) },
  { title: 'Operation', cell: ({ operation }) => operation },
  { title: 'Time', cell: ({ created }) => formatTime(created) },
  { title: 'Value', cell: ({ value }) => value },
];
const LONGEST_VALUE = 60;

export const HISTORY = command({
  summary: 'List the values that keys have had, as far as the bucket keeps them',
  parameters: { bucket: BUCKET, key: optional(argument('KEY', 'Key, or several such as "user.*"; all unless given')) },
  examples: ['kv history settings theme', 'kv history settings --json'],
  run: async ({ bucket, key }, context) => {
    const kv = await openBucket(context, bucket);
    const documents: object[] = [];
    const rows: HistoryRow[] = [];
    for await (const entry of await kv.history(key === undefined ? {} : { key })) {
      documents.push(entryDocument(entry));
      const { revision, operation, created, key: name } = entry;
      rows.push({ revision, operation, created, key: name, value: firstLine(entry.string()) });
    }
    await context.output.document(documents, () => context.output.table(HISTORY_COLUMNS, rows, 'No values.'));
  },
});

function firstLine(value: string): string {
  const line = value.split('\n', 1)[0]!;
  return line.length <= LONGEST_VALUE ? line : `${line.slice(0, LONGEST_VALUE - 1)}…`;
}

export const WATCH = command({
  summary: 'Print keys as they change, beginning with what they are now',
  details: 'Goes on until Ctrl-C unless told otherwise.',
  parameters: {
    bucket: BUCKET,
    keys: manyArguments('KEY', 'Keys to watch, such as "user.*"; all unless given'),
    history: flag('Begin with all values that the bucket keeps'),
    updatesOnly: flag('Begin with the next change'),
    fromRevision: count('Begin with this revision', { placeholder: 'REVISION' }),
    ignoreDeletes: flag('Leave out deletions'),
    count: count('Stop after this many changes', { short: 'n' }),
  },
  examples: ['kv watch settings', 'kv watch settings "user.*" --updates-only', 'kv watch settings --count 1 --json'],
  run: async (input, context) => {
    const { history, updatesOnly, fromRevision } = input;
    if ([history, updatesOnly, fromRevision !== undefined].filter(Boolean).length > 1) {
      throw new UsageError('choose one place to begin');
    }
    const signal = context.untilInterrupted();
    await context.connect({ lasting: true });
    const kv = await openBucket(context, input.bucket);
    const options: KvWatchOptions = { ignoreDeletes: input.ignoreDeletes };
    if (input.keys.length > 0) options.key = [...input.keys];
    if (history) options.include = 'history';
    if (updatesOnly) options.include = 'updates';
    if (fromRevision !== undefined) options.resumeFromRevision = fromRevision;
    const changes = await kv.watch(options);
    context.note(`Watching ${input.bucket}`);
    const stop = (): void => {
      changes.stop();
    };
    onInterruption(signal, stop);
    const quota = stopAfter(input.count, stop);
    for await (const entry of changes) {
      if (quota.take() === undefined) break;
      await context.output.item(entryDocument(entry), () => entryLine(entry, context.output));
    }
  },
});
