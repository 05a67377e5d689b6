/** Owns `req`. */
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import { printMessage } from '../output/index.ts';
import { argument, count, flag, integer, optional, pairs, text, toggle, withDefault } from '../parameters/index.ts';
import { fillBody, fillHeaders, fillSubject, readBody, type MessageSource } from './body.ts';
import { TEMPLATE_HELP } from './template.ts';

export const REQ = command({
  summary: 'Send a request and print the answers',
  details: `Waits for --timeout (5s unless told otherwise).\n\n${TEMPLATE_HELP}`,
  parameters: {
    subject: argument('SUBJECT', 'Subject to ask on'),
    body: optional(argument('BODY', 'Content of the request; "-" reads it from stdin (empty unless given)')),
    file: text('Read the content from this file', { short: 'f', placeholder: 'FILE' }),
    header: pairs('Header of the request', ':', { short: 'H' }),
    replies: withDefault(integer('How many answers to wait for; 0 waits for all that come in time'), 1),
    count: withDefault(count('How many requests to send', { short: 'n' }), 1),
    raw: flag('Print nothing but the content of answers', { short: 'r' }),
    templates: toggle('Replace words in double braces (on unless --no-templates)'),
  },
  examples: [
    'req help.me "is anybody there?"',
    'req help.me "who is there?" --replies 0 --timeout 1s',
    "req '$JS.API.INFO' --raw",
  ],
  run: async (input, context) => {
    const body =
      input.body === undefined && input.file === undefined ? '' : await readBody(context, input.body, input.file);
    const source = { subject: input.subject, body, headers: input.header ?? [], templates: input.templates ?? true };
    for (let number = 1; number <= input.count; number++) {
      await ask(context, { ...input, source, count: number });
    }
  },
});

interface Question {
  readonly source: MessageSource;
  readonly count: number;
  readonly replies: number;
  readonly raw: boolean;
}

async function ask(context: Context, { source, count, replies, raw }: Question): Promise<void> {
  const connection = await context.connect();
  const headers = await fillHeaders(source, { count });
  const answers = await connection.requestMany(fillSubject(source, { count }), fillBody(source, { count }), {
    maxWait: context.settings.timeoutMs,
    strategy: replies === 0 ? 'timer' : 'count',
    ...(replies > 0 && { maxMessages: replies }),
    ...(headers !== undefined && { headers }),
  });
  let received = 0;
  for await (const answer of answers) {
    received += 1;
    const { subject: inbox, reply, headers: answered, data } = answer;
    await printMessage(
      context.output,
      { subject: inbox, reply, headers: answered, data },
      raw ? 'raw' : 'full',
      received,
    );
  }
  if (received === 0) throw new ToolError('no answer in time; --timeout gives it longer');
  if (received < replies) throw new ToolError(`only ${received} of ${replies} answers came in time`);
}
