/** Owns `stream view`: the messages of a stream, page by page. */
import { command } from '../command.ts';
import type { Api } from '../connection/index.ts';
import type { Context } from '../context.ts';
import { apiCode, MESSAGE_NOT_FOUND, UsageError } from '../failure.ts';
import { formOf, MESSAGE_FORM } from '../message-form.ts';
import { printMessage } from '../output/index.ts';
import { count, numberArgument, optional, text, time } from '../parameters/index.ts';
import { NAME, streamInfo } from './configure.ts';
import { shownMessage, type StoredMessage } from './stored-message.ts';

const PAGE = 10;

export const VIEW = command({
  summary: 'Page through the messages of a stream',
  details: 'On a terminal, Enter shows the next page and q ends it. Elsewhere there is one page.',
  parameters: {
    stream: NAME,
    size: optional(numberArgument('SIZE', `How many messages make a page (${PAGE} unless given)`)),
    startSequence: count('Begin at this sequence', { also: ['id', 'start-seq'] }),
    since: time('Begin at this time, or this long ago'),
    subject: text('Only messages of this subject', { placeholder: 'SUBJECT' }),
    ...MESSAGE_FORM,
  },
  examples: ['stream view ORDERS', 'stream view ORDERS 50 --since 1h', 'stream view ORDERS --subject "orders.eu.>"'],
  run: async (input, context) => {
    const { stream, startSequence, since, subject = '>' } = input;
    if (startSequence !== undefined && since !== undefined)
      throw new UsageError('--start-sequence and --since exclude each other');
    const api = await context.api();
    await streamInfo(api, stream);
    const form = formOf(input);
    let onPage = 0;
    let query: Query = since === undefined ? { seq: startSequence ?? 1 } : { start_time: since };
    for (;;) {
      const found = await next(api, stream, { ...query, next_by_subj: subject });
      if (found === undefined) return;
      if (onPage === (input.size ?? PAGE)) {
        if (!(await wantsMore(context))) return;
        onPage = 0;
      }
      if (context.output.json) await context.output.item(found, String);
      else await printMessage(context.output, await shownMessage(stream, found), form);
      onPage += 1;
      query = { seq: found.message.seq + 1 };
    }
  },
});

type Query = { readonly seq: number } | { readonly start_time: string };

/** Undefined at the end of the stream. */
async function next(
  api: Api,
  stream: string,
  query: Query & { readonly next_by_subj: string },
): Promise<StoredMessage | undefined> {
  try {
    return await api.request<StoredMessage>(`STREAM.MSG.GET.${stream}`, query);
  } catch (error) {
    if (apiCode(error) === MESSAGE_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Without a terminal there is nobody to read on. */
async function wantsMore(context: Context): Promise<boolean> {
  if (!context.surroundings.stdout.isTTY) return false;
  const answer = await context.ask('Next page? [Enter, or q] ');
  return answer !== undefined && !/^[qn]/i.test(answer);
}
