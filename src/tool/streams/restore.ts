/** Owns `stream restore`: a backup is sent in chunks, each a request whose answer makes room for another. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamInfo, StreamState } from '@nats-io/jetstream';
import { command } from '../command.ts';
import { parseAnswer, type Api } from '../connection/index.ts';
import type { Context } from '../context.ts';
import { argument, count, list, text } from '../parameters/index.ts';
import { CONFIG_FILE, DATA_FILE } from './backup.ts';
import { PLACEMENT_OPTIONS } from './config-options.ts';
import { placementOf, type StreamDocument } from './stream-config.ts';
import { streamText } from './info-text.ts';

const CHUNK_BYTES = 128 * 1024;
const CHUNKS_IN_FLIGHT = 8;
const CHUNK_TIMEOUT_MS = 30_000;
/** The server builds the stream before it answers. */
const END_TIMEOUT_MS = 10 * 60_000;

interface Backup {
  readonly config: StreamDocument;
  readonly state: StreamState;
}

export const RESTORE = command({
  summary: 'Create a stream from a backup',
  parameters: {
    directory: argument('DIRECTORY', 'Directory with the backup'),
    name: text('Give the stream another name', { placeholder: 'STREAM' }),
    subjects: list('Subjects that it stores from now on', { placeholder: 'SUBJECT' }),
    replicas: count('How many servers keep a copy', { short: 'r' }),
    ...PLACEMENT_OPTIONS,
  },
  examples: ['stream restore ./orders-backup', 'stream restore ./orders-backup --replicas 3'],
  run: async (input, context) => {
    const { config, state } = await readBackup(input.directory);
    const { name, subjects, replicas } = input;
    const placement = placementOf(input, config);
    const wanted = {
      ...config,
      ...(name !== undefined && { name }),
      ...(subjects !== undefined && { subjects: [...subjects] }),
      ...(replicas !== undefined && { num_replicas: replicas }),
      ...(placement !== undefined && { placement }),
    };
    const info = await restore(wanted, state, input.directory, context);
    await context.output.document(info, () => `Restored.\n\n${streamText(info, context.output)}`);
  },
});

/** Also of all streams of an account. */
export async function restore(
  config: StreamDocument,
  state: StreamState,
  directory: string,
  context: Context,
): Promise<StreamInfo> {
  const api = await context.api();
  const begun = await api.request<{ readonly deliver_subject: string }>(`STREAM.RESTORE.${config.name!}`, {
    config,
    state,
  });
  await send(api, context, begun.deliver_subject, join(directory, DATA_FILE));
  const answer = await api.connection.request(begun.deliver_subject, '', { timeout: END_TIMEOUT_MS });
  return parseAnswer(answer.string()) as StreamInfo;
}

export async function readBackup(directory: string): Promise<Backup> {
  return JSON.parse(await readFile(join(directory, CONFIG_FILE), 'utf8')) as Backup;
}

async function send(api: Api, context: Context, subject: string, path: string): Promise<void> {
  const { size } = await stat(path);
  const progress = context.progress({ label: 'Restoring', total: size, unit: 'bytes' });
  const sendChunk = async (chunk: Uint8Array): Promise<void> => {
    const answer = await api.connection.request(subject, chunk, { timeout: CHUNK_TIMEOUT_MS });
    // A chunk is answered by nothing, unless the restore has failed.
    if (answer.data.length > 0) parseAnswer(answer.string());
    progress.add(chunk.length);
  };
  let inFlight: Promise<void>[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>) {
    inFlight.push(sendChunk(chunk));
    if (inFlight.length < CHUNKS_IN_FLIGHT) continue;
    await Promise.all(inFlight);
    inFlight = [];
  }
  await Promise.all(inFlight);
  progress.end();
}
