/** Owns the commands that put objects into a store, take them out, and remove them. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable, Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ObjectStoreMeta } from '@nats-io/obj';
import { command } from '../command.ts';
import { onInterruption, type Context } from '../context.ts';
import { ToolError, UsageError } from '../failure.ts';
import { stopAfter } from '../messages/stop-after.ts';
import { argument, bytes, count, flag, optional, pairs, text } from '../parameters/index.ts';
import { formatBytes, formatTime } from '../units.ts';
import { isLink, objectDocument, removeStore } from './manage.ts';
import { BUCKET, FORCE, openStore } from './store.ts';

const NAME = argument('NAME', 'Name of the object');

/** Passes bytes on, and counts them. */
function counter(count: (bytes: number) => void): Transform {
  return new Transform({
    transform: (chunk: Uint8Array, _, done) => {
      count(chunk.length);
      done(null, chunk);
    },
  });
}

export const PUT = command({
  summary: 'Store a file',
  parameters: {
    bucket: BUCKET,
    file: argument('FILE', 'File to store; "-" stores what comes from stdin'),
    name: text('Name of the object (that of the file, unless given)', { placeholder: 'NAME' }),
    description: text('What it is'),
    chunkSize: bytes('Size of the pieces it is stored in'),
    metadata: pairs('Facts of your own to keep with it', '='),
  },
  examples: ['object put files package.json', 'object put files README.md --name docs/readme --description "Read me"'],
  run: async (input, context) => {
    const name = input.name ?? (input.file === '-' ? undefined : basename(input.file));
    if (name === undefined) throw new UsageError('--name is missing');
    const store = await openStore(context, input.bucket);
    const size = input.file === '-' ? undefined : (await stat(input.file)).size;
    const source = input.file === '-' ? context.surroundings.stdin : createReadStream(input.file);
    const meta: ObjectStoreMeta = { name };
    if (input.description !== undefined) meta.description = input.description;
    if (input.chunkSize !== undefined) meta.options = { max_chunk_size: input.chunkSize };
    if (input.metadata !== undefined) meta.metadata = Object.fromEntries(input.metadata);
    const progress = context.progress({ label: name, total: size, unit: 'bytes' });
    const counted = counter((length) => {
      progress.add(length);
    });
    // Whichever fails first is what went wrong; the other is then only cut off.
    const [info] = await Promise.all([
      store.put(meta, Readable.toWeb(counted), { timeout: context.settings.timeoutMs }),
      pipeline(source, counted),
    ]);
    progress.end();
    await context.output.document(
      objectDocument(info),
      () => `Stored ${name} in ${input.bucket} (${formatBytes(info.size)}).\n`,
    );
  },
});

export const GET = command({
  summary: 'Write an object to a file',
  parameters: {
    bucket: BUCKET,
    name: NAME,
    output: text('File to write to, "-" for stdout (named as the object, unless given)', {
      short: 'O',
      placeholder: 'FILE',
    }),
    force: flag('Replace the file if there is one', { short: 'f' }),
  },
  examples: ['object get files package.json --output ./copy.json', 'object get files package.json --output -'],
  run: async ({ bucket, name, output, force }, context) => {
    if (output === '-' && context.output.json) throw new UsageError('--output - prints the content, which is not JSON');
    const store = await openStore(context, bucket);
    const found = await store.get(name);
    if (found === null) throw new ToolError(`${bucket} has no object ${name}`);
    const { info, data, error } = found;
    const read = async (target: Writable): Promise<void> => {
      const progress = context.progress({ label: name, total: info.size, unit: 'bytes' });
      const counted = counter((length) => {
        progress.add(length);
      });
      await pipeline(Readable.fromWeb(data), counted, target, {
        end: target !== context.surroundings.stdout,
      });
      progress.end();
      const failure = await error;
      // The library says null in its types, and undefined in fact.
      if (failure instanceof Error) throw failure;
    };
    if (output === '-') {
      await read(context.surroundings.stdout);
      return;
    }
    const path = output ?? basename(name);
    await writeAside(path, force, context, read);
    await context.output.document(
      { ...objectDocument(info), file: path },
      () => `Wrote ${name} to ${path} (${formatBytes(info.size)}).\n`,
    );
  },
});

/** The file gets its name when it is whole: half an object looks like one. */
async function writeAside(
  path: string,
  force: boolean,
  context: Context,
  write: (target: Writable) => Promise<void>,
): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present !== undefined) await context.confirm(`Replace ${path}?`, force);
  const partial = `${path}.part`;
  try {
    await write(createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

export const RM = command({
  summary: 'Remove an object, or without a name the whole bucket',
  parameters: { bucket: BUCKET, name: optional(NAME), force: FORCE },
  examples: ['object rm files package.json --force', 'object rm files --force'],
  run: async ({ bucket, name, force }, context) => {
    if (name === undefined) {
      await removeStore(context, bucket, force);
      return;
    }
    const store = await openStore(context, bucket);
    await context.confirm(`Remove ${name} of ${bucket}?`, force);
    const info = await store.info(name);
    if (info === null || info.deleted) throw new ToolError(`${bucket} has no object ${name}`);
    const answer = await store.delete(name);
    await context.output.document(answer, () => `Removed ${name}.\n`);
  },
});

export const LINK = command({
  summary: 'Make a name that stands for an object, or for a whole bucket',
  parameters: {
    bucket: BUCKET,
    name: argument('NAME', 'Name of the link'),
    target: optional(argument('TARGET', 'Object that it stands for; none for a whole bucket')),
    targetBucket: text('Bucket of the object (the same, unless given)', { placeholder: 'BUCKET' }),
  },
  examples: ['object link files latest package.json', 'object link files everything --target-bucket other'],
  run: async ({ bucket, name, target, targetBucket }, context) => {
    const store = await openStore(context, bucket);
    if (target === undefined && targetBucket === undefined)
      throw new UsageError('TARGET is missing, or --target-bucket');
    const other = targetBucket === undefined ? store : await openStore(context, targetBucket);
    if (target === undefined) {
      const info = await store.linkStore(name, other);
      await context.output.document(objectDocument(info), () => `${name} stands for ${targetBucket!}.\n`);
      return;
    }
    const object = await other.info(target);
    if (object === null || object.deleted) throw new ToolError(`${targetBucket ?? bucket} has no object ${target}`);
    const info = await store.link(name, object);
    await context.output.document(objectDocument(info), () => `${name} stands for ${target}.\n`);
  },
});

export const WATCH = command({
  summary: 'Print what is put and removed, beginning with what there is',
  details: 'Goes on until Ctrl-C unless told otherwise.',
  parameters: {
    bucket: BUCKET,
    updatesOnly: flag('Begin with the next change'),
    ignoreDeletes: flag('Leave out removals'),
    count: count('Stop after this many changes', { short: 'n' }),
  },
  examples: ['object watch files', 'object watch files --count 1 --json'],
  run: async ({ bucket, updatesOnly, ignoreDeletes, count }, context) => {
    const signal = context.untilInterrupted();
    await context.connect({ lasting: true });
    const store = await openStore(context, bucket);
    const changes = await store.watch({ includeHistory: !updatesOnly, ignoreDeletes });
    context.note(`Watching ${bucket}`);
    const stop = (): void => {
      changes.stop();
    };
    onInterruption(signal, stop);
    const quota = stopAfter(count, stop);
    for await (const info of changes) {
      if (quota.take() === undefined) break;
      const what = info.deleted ? 'removed' : isLink(info) ? 'link' : formatBytes(info.size);
      await context.output.item(
        info,
        () => `${formatTime(new Date())}  ${context.output.style.bold(info.name)}  ${what}\n`,
      );
    }
  },
});
