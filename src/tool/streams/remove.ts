/** Owns the commands that empty and delete streams. */
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { count, integer, text } from '../parameters/index.ts';
import { formatCountOf } from '../units.ts';
import { FORCE, NAME } from './configure.ts';

export const RM = command({
  summary: 'Delete a stream with all its messages and consumers',
  parameters: { stream: NAME, force: FORCE },
  examples: ['stream rm ORDERS --force'],
  run: async ({ stream, force }, context) => {
    const api = await context.api();
    await context.confirm(`Delete ${stream} with all that it holds?`, force);
    const answer = await api.request<object>(`STREAM.DELETE.${stream}`);
    await context.output.document(answer, () => `Deleted ${stream}.\n`);
  },
});

export const PURGE = command({
  summary: 'Remove messages from a stream: all, those of some subjects, or all but the newest',
  parameters: {
    stream: NAME,
    subject: text('Only those of these subjects', { placeholder: 'SUBJECT' }),
    before: count('Only those before this sequence', { placeholder: 'SEQ' }),
    keep: integer('All but this many of the newest'),
    force: FORCE,
  },
  examples: ['stream purge ORDERS --subject "orders.old.>" --force', 'stream purge ORDERS --keep 1000 --force'],
  run: async ({ stream, subject, before, keep, force }, context) => {
    if (before !== undefined && keep !== undefined) throw new UsageError('--before and --keep exclude each other');
    const api = await context.api();
    await context.confirm(`Remove messages of ${stream}?`, force);
    const answer = await api.request<{ readonly purged: number }>(`STREAM.PURGE.${stream}`, {
      ...(subject !== undefined && { filter: subject }),
      ...(before !== undefined && { seq: before }),
      ...(keep !== undefined && { keep }),
    });
    await context.output.document(answer, () => `Removed ${formatCountOf(answer.purged, 'message')} of ${stream}.\n`);
  },
});
