/**
 * Owns `stream backup`: the server sends a stream's snapshot in chunks, and further ones only as those are acknowledged, so
 * each is acknowledged when it is written. The result is complete or not there: it gets its name at the end.
 */
import { mkdir, open, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { StreamConfig, StreamState } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import { argument, flag } from '../parameters/index.ts';
import { formatBytes, formatCountOf } from '../units.ts';
import { NAME } from './configure.ts';

export const CONFIG_FILE = 'backup.json';
/** The name that other tools look for, whatever the format inside. */
export const DATA_FILE = 'stream.tar.s2';
const CHUNK_BYTES = 128 * 1024;
const WINDOW_BYTES = 8 * 1024 * 1024;
/** The server gives up on a receiver after five seconds; a sender that is silent for longer than this is gone. */
const SILENCE_MS = 15_000;

interface Snapshot {
  readonly config: StreamConfig;
  readonly state: StreamState;
}

export const BACKUP = command({
  summary: 'Write a stream into a directory',
  parameters: {
    stream: NAME,
    directory: argument('DIRECTORY', 'Directory to write to; it is made if need be'),
    consumers: flag('With its consumers and their positions'),
    check: flag('Have the server check all messages first'),
  },
  examples: ['stream backup ORDERS ./orders-backup --consumers'],
  run: async (input, context) => {
    const { directory } = input;
    const { bytes, ...snapshot } = await backUp(input, context);
    await context.output.document({ ...snapshot, bytes, directory }, () => {
      const what = formatCountOf(snapshot.state.messages, 'message');
      return `Wrote ${input.stream} with ${what} to ${directory} (${formatBytes(bytes)}).\n`;
    });
  },
});

/** Also of all streams of an account. @throws {ToolError} when the directory holds a backup. */
export async function backUp(input: BackupInput, context: Context): Promise<Snapshot & { readonly bytes: number }> {
  const { directory } = input;
  await mkdir(directory, { recursive: true });
  const exists = await stat(join(directory, CONFIG_FILE)).catch(() => undefined);
  if (exists !== undefined) throw new ToolError(`${directory} holds a backup already`);
  const partial = join(directory, `${DATA_FILE}.part`);
  const { snapshot, bytes } = await receive(input, context, partial).catch(async (error: unknown) => {
    await rm(partial, { force: true });
    throw error;
  });
  await rename(partial, join(directory, DATA_FILE));
  const { config, state } = snapshot;
  await writeFile(join(directory, CONFIG_FILE), `${JSON.stringify({ config, state }, null, 2)}\n`);
  return { ...snapshot, bytes };
}

interface BackupInput {
  readonly stream: string;
  readonly directory: string;
  readonly consumers: boolean;
  readonly check: boolean;
}

async function receive(
  { stream, consumers, check }: BackupInput,
  context: Context,
  path: string,
): Promise<{ readonly snapshot: Snapshot; readonly bytes: number }> {
  const api = await context.api();
  const { createInbox } = await import('@nats-io/transport-node');
  const inbox = createInbox(context.settings.inboxPrefix);
  const chunks = api.connection.subscribe(inbox, { timeout: SILENCE_MS });
  const file = await open(path, 'w');
  try {
    const snapshot = await api.request<Snapshot>(`STREAM.SNAPSHOT.${stream}`, {
      deliver_subject: inbox,
      no_consumers: !consumers,
      chunk_size: CHUNK_BYTES,
      window_size: WINDOW_BYTES,
      ...(check && { jsck: true }),
    });
    const progress = context.progress({ label: stream, total: snapshot.state.bytes, unit: 'bytes' });
    const bytes = await writeChunks(chunks, file, (length) => {
      progress.add(length);
    });
    progress.end();
    await file.sync();
    return { snapshot, bytes };
  } finally {
    chunks.unsubscribe();
    await file.close();
  }
}

/** Returns how many bytes there were. @throws {ToolError} when the server broke off. */
async function writeChunks(chunks: Subscription, file: FileHandle, written: (length: number) => void): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) {
    if (chunk.data.length === 0) {
      checkEnd(chunk);
      return bytes;
    }
    await file.writeFile(chunk.data);
    bytes += chunk.data.length;
    written(chunk.data.length);
    chunk.respond();
  }
  throw new ToolError('the connection closed before the end of the snapshot');
}

const END_OF_DATA = 204;

/** Without a status, or with 204, all was sent. */
function checkEnd({ headers }: Msg): void {
  if (headers === undefined || headers.code === 0 || headers.code === END_OF_DATA) return;
  throw new ToolError(`the server broke off the snapshot: ${headers.description} (${headers.code})`);
}
