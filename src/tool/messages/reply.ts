/** Owns `reply`. */
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../command.ts';
import { onInterruption } from '../context.ts';
import { UsageError } from '../failure.ts';
import { printMessage } from '../output/index.ts';
import {
  argument,
  duration,
  flag,
  count,
  optional,
  pairs,
  text,
  toggle,
  withDefault,
  subjectArgument,
} from '../parameters/index.ts';
import { fillBody, fillHeaders } from './body.ts';
import { stopAfter } from './stop-after.ts';
import { TEMPLATE_HELP } from './template.ts';

const QUEUE = 'millrace-reply';

export const REPLY = command({
  summary: 'Answer requests',
  details: `Goes on until Ctrl-C unless told otherwise.\n\n${TEMPLATE_HELP}`,
  parameters: {
    subject: subjectArgument('SUBJECT', 'Subject to answer on'),
    body: optional(argument('BODY', 'Content of the answers')),
    echo: flag('Answer with the request itself'),
    header: pairs('Header of the answers', ':', { short: 'H' }),
    queue: withDefault(
      text('Share the requests with all who name the same group', { short: 'q', placeholder: 'GROUP' }),
      QUEUE,
    ),
    count: count('Stop after this many requests', { short: 'n' }),
    sleep: duration('How long to wait before each answer'),
    templates: toggle('Replace words in double braces (on unless --no-templates)'),
    quiet: flag('Do not print the requests'),
  },
  examples: [
    'reply help.me "I am, {{Time}}"',
    'reply "echo.>" --echo',
    'reply help.me "answer {{Count}} to {{Request}}" --count 3',
  ],
  run: async (input, context) => {
    if (input.echo === (input.body !== undefined)) throw new UsageError('give either a BODY or --echo');
    const { output } = context;
    const signal = context.untilInterrupted();
    const connection = await context.connect({ lasting: true });
    const subscription = connection.subscribe(input.subject, { queue: input.queue });
    await connection.flush();
    context.note(`Answering on ${input.subject}`);
    const stop = (): void => {
      subscription.unsubscribe();
    };
    onInterruption(signal, stop);
    const quota = stopAfter(input.count, stop);
    const source = {
      subject: '',
      body: input.body ?? '',
      headers: input.header ?? [],
      templates: input.templates ?? true,
    };
    for await (const request of subscription) {
      const count = quota.take();
      if (count === undefined) break;
      const { subject, reply, headers, data } = request;
      if (!input.quiet) await printMessage(output, { subject, reply, headers, data }, 'full', count);
      if (input.sleep !== undefined) await delay(input.sleep);
      const values = { count, request: request.string() };
      const answerHeaders = await fillHeaders(source, values);
      request.respond(input.echo ? data : fillBody(source, values), {
        ...(answerHeaders !== undefined && { headers: answerHeaders }),
      });
    }
    // After Ctrl-C the server may be gone.
    if (!signal.aborted) await connection.flush();
  },
});
