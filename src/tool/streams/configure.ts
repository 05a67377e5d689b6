/** Owns the commands that create and change streams. */
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import { differences, differencesText } from '../config-file.ts';
import type { Api } from '../connection/index.ts';
import type { Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import { flag, nameArgument, numberArgument, optional } from '../parameters/index.ts';
import { changedConfig, tightens, type StreamDocument } from './stream-config.ts';
import { STREAM_CONFIG_OPTIONS } from './config-options.ts';
import { streamText } from './info-text.ts';

export const NAME = nameArgument('STREAM', 'Name of the stream');
export const FORCE = flag('Do it without asking', { short: 'f' });

export async function streamInfo(api: Api, name: string): Promise<StreamInfo> {
  return api.request<StreamInfo>(`STREAM.INFO.${name}`);
}

export const ADD = command({
  summary: 'Create a stream',
  details: 'What is not given is as the server has it: no limits, kept in files, one replica.',
  parameters: {
    stream: optional(nameArgument('STREAM', 'Name of the stream, if not in --config')),
    ...STREAM_CONFIG_OPTIONS,
  },
  examples: [
    'stream add ORDERS --subjects "orders.>"',
    'stream add EVENTS --subjects "events.*,audit.>" --max-age 30d --max-bytes 10GiB',
    'stream add JOBS --subjects "jobs.>" --retention workqueue --discard new --max-msgs 100000',
    'stream add BACKUP --mirror ORDERS',
  ],
  run: async (input, context) => {
    const config = await changedConfig({}, input);
    const name = input.stream ?? config.name;
    if (name === undefined) throw new UsageError('STREAM is missing');
    await create(context, { ...config, name }, input.pedantic);
  },
});

async function create(
  context: Context,
  config: StreamDocument & { readonly name: string },
  pedantic: boolean,
): Promise<void> {
  const api = await context.api();
  const info = await api.request<StreamInfo>(`STREAM.CREATE.${config.name}`, {
    ...config,
    ...(pedantic && { pedantic }),
  });
  await context.output.document(info, () => `Created.\n\n${streamText(info, context.output)}`);
}

export const EDIT = command({
  summary: 'Change a stream',
  details: 'Changes what is given and leaves the rest. Asks first if messages may have to go.',
  parameters: { stream: NAME, ...STREAM_CONFIG_OPTIONS, force: FORCE, dryRun: flag('Only show what would change') },
  examples: [
    'stream edit ORDERS --description "All orders" --max-msg-size 1MiB',
    'stream edit ORDERS --max-age 30d --force',
  ],
  run: async (input, context) => {
    const api = await context.api();
    const { config: before } = await streamInfo(api, input.stream);
    const after = { ...(await changedConfig(before, input)), name: input.stream };
    await editStream(context, before, after, { ...input, text: (info) => streamText(info, context.output) });
  },
});

interface EditOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly pedantic?: boolean;
  readonly text: (info: StreamInfo) => string;
}

/** Shows what changes, asks where messages may have to go, and has it changed. Also of buckets. */
export async function editStream(
  context: Context,
  before: StreamDocument,
  after: StreamDocument,
  { dryRun, force, pedantic = false, text }: EditOptions,
): Promise<void> {
  const changes = differences(before, after);
  await context.output.say(changes.length === 0 ? 'Nothing changes.\n' : differencesText(changes));
  if (dryRun) {
    if (context.output.json) await context.output.document(after, String);
    return;
  }
  if (tightens(before, after)) await context.confirm('Messages beyond the new limits are removed. Go on?', force);
  const info = await update(context, after, pedantic);
  await context.output.document(info, () => text(info));
}

async function update(context: Context, config: StreamDocument, pedantic = false): Promise<StreamInfo> {
  const api = await context.api();
  return api.request<StreamInfo>(`STREAM.UPDATE.${config.name!}`, { ...config, ...(pedantic && { pedantic }) });
}

async function updateAndShow(context: Context, config: StreamDocument): Promise<void> {
  const info = await update(context, config);
  await context.output.document(info, () => streamText(info, context.output));
}

export const SCALE = command({
  summary: "Change a stream's number of replicas",
  parameters: { stream: NAME, replicas: numberArgument('REPLICAS', 'How many servers keep a copy') },
  examples: ['stream cluster scale ORDERS 3'],
  run: async ({ stream, replicas }, context) => {
    const api = await context.api();
    const { config } = await streamInfo(api, stream);
    await updateAndShow(context, { ...config, num_replicas: replicas });
  },
});

export const COPY = command({
  summary: 'Create a stream with the configuration of another',
  details: "Copies no messages; --source takes them in. Two streams can't store the same subjects, so name others.",
  parameters: {
    stream: nameArgument('STREAM', 'Stream to copy'),
    name: nameArgument('NEW', 'Name of the new stream'),
    ...STREAM_CONFIG_OPTIONS,
  },
  examples: ['stream copy ORDERS OLD_ORDERS --subjects "old.orders.>"'],
  run: async (input, context) => {
    const { config } = await streamInfo(await context.api(), input.stream);
    // A copy of what is sealed begins open: no stream can be created sealed.
    const copied = { ...(await changedConfig(config, input)), name: input.name, sealed: false };
    await create(context, copied, input.pedantic);
  },
});

export const SEAL = command({
  summary: 'Seal a stream: nothing is added to it or removed from it again',
  parameters: { stream: NAME, force: FORCE },
  examples: ['stream seal ORDERS --force'],
  run: async ({ stream, force }, context) => {
    const api = await context.api();
    const { config } = await streamInfo(api, stream);
    await context.confirm(`A sealed stream stays sealed. Seal ${stream}?`, force);
    await updateAndShow(context, { ...config, sealed: true });
  },
});
