/** Owns `stream view`: the messages of a stream, page by page. */
import { createInterface, type Interface } from 'node:readline/promises';
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
    const prompt = new PagePrompt(context);
    let onPage = 0;
    let query: Query = since === undefined ? { seq: startSequence ?? 1 } : { start_time: since };
    try {
      for (;;) {
        const found = await next(api, stream, { ...query, next_by_subj: subject });
        if (found === undefined) return;
        if (onPage === (input.size ?? PAGE)) {
          if (!(await prompt.wantsMore())) return;
          onPage = 0;
        }
        if (context.output.json) await context.output.item(found, String);
        else await printMessage(context.output, await shownMessage(stream, found), form);
        onPage += 1;
        query = { seq: found.message.seq + 1 };
      }
    } finally {
      prompt.close();
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

/** Asks between pages, if there is a terminal to ask on. */
class PagePrompt {
  readonly #reader: Interface | undefined;

  constructor({ surroundings: { stdin, stdout, stderr } }: Context) {
    if (stdin.isTTY && stdout.isTTY) this.#reader = createInterface({ input: stdin, output: stderr });
  }

  async wantsMore(): Promise<boolean> {
    if (this.#reader === undefined) return false;
    const answer = await this.#reader.question('Next page? [Enter, or q] ');
    return !/^[qn]/i.test(answer.trim());
  }

  close(): void {
    this.#reader?.close();
  }
}
