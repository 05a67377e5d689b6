/** Owns `account backup` and `account restore`: all streams of an account, each in a directory of its own. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { describe, ToolError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { argument, flag } from '../parameters/index.ts';
import { backUp } from '../streams/backup.ts';
import { readBackup, restore } from '../streams/restore.ts';
import { formatCount } from '../units.ts';

interface Row {
  readonly stream: string;
  readonly messages?: number;
  readonly error?: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Stream', cell: ({ stream }) => stream },
  { title: 'Messages', align: 'right', cell: ({ messages }) => (messages === undefined ? '' : formatCount(messages)) },
  { title: 'Problem', cell: ({ error }) => error ?? '' },
];

/** One stream that fails is no reason to leave the others. @throws {ToolError} when there was one. */
async function forEach(
  names: readonly string[],
  context: Context,
  work: (name: string) => Promise<number>,
): Promise<void> {
  const rows: Row[] = [];
  for (const stream of names) {
    try {
      rows.push({ stream, messages: await work(stream) });
    } catch (error) {
      if (context.brokenOff) throw error;
      rows.push({ stream, error: describe(error) });
    }
  }
  await context.output.document(rows, () => context.output.table(COLUMNS, rows, 'No streams.'));
  const failed = rows.filter(({ error }) => error !== undefined).length;
  if (failed > 0) throw new ToolError(`${failed} of ${rows.length} streams failed`);
}

export const BACKUP = command({
  summary: 'Write all streams of the account, with their consumers, into a directory',
  parameters: {
    directory: argument('DIRECTORY', 'Directory to write to; it is made if need be'),
    check: flag('Have the server check all messages first'),
  },
  examples: ['account backup ./backup'],
  run: async ({ directory, check }, context) => {
    const names = await (await context.api()).list<string>('STREAM.NAMES', 'streams');
    await forEach(names, context, async (stream) => {
      const written = await backUp({ stream, directory: join(directory, stream), consumers: true, check }, context);
      return written.state.messages;
    });
  },
});

export const RESTORE = command({
  summary: 'Create all streams of a backup of an account',
  details: 'Streams that there are fail, and stay as they are.',
  parameters: { directory: argument('DIRECTORY', 'Directory with the backup') },
  examples: ['account restore ./backup'],
  run: async ({ directory }, context) => {
    const entries = await readdir(directory, { withFileTypes: true });
    const names = entries.flatMap((entry) => (entry.isDirectory() ? entry.name : [])).sort();
    await forEach(names, context, async (name) => {
      const { config, state } = await readBackup(join(directory, name));
      return (await restore(config, state, join(directory, name), context)).state.messages;
    });
  },
});
