/** Owns `pub`. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MsgHdrs, NatsConnection, Payload } from '@nats-io/transport-node';
import { command } from '../command.ts';
import { parseAnswer } from '../connection/index.ts';
import type { Context } from '../context.ts';
import { isNoResponders, ToolError, UsageError } from '../failure.ts';
import { argument, duration, flag, count, optional, pairs, text, toggle, withDefault } from '../parameters/index.ts';
import { formatCountOf } from '../units.ts';
import { fillBody, fillHeaders, readBody, stdinLines, type MessageSource } from './body.ts';
import { fill, TEMPLATE_HELP } from './template.ts';

/** Between these, what was published is waited for: the client's buffer does not grow, and refusals are heard of. */
const FLUSH_EVERY = 1000;
const PROGRESS_FROM = 1000;

interface PubAck {
  readonly stream: string;
  readonly seq: number;
  readonly duplicate?: boolean;
}

export const PUB = command({
  summary: 'Publish messages',
  details: `Without BODY the message is read from stdin.\n\n${TEMPLATE_HELP}`,
  parameters: {
    subject: argument('SUBJECT', 'Subject to publish to'),
    body: optional(argument('BODY', 'Content of the message; "-" reads it from stdin')),
    file: text('Read the content from this file', { short: 'f', placeholder: 'FILE' }),
    lines: flag('Publish each line of stdin as a message'),
    header: pairs('Header of the message', ':', { short: 'H' }),
    reply: text('Reply subject of the message', { placeholder: 'SUBJECT' }),
    count: withDefault(count('How many messages to publish', { short: 'n' }), 1),
    sleep: duration('How long to wait between messages'),
    jetstream: flag('Wait until a stream has stored each message, and print where', { short: 'J' }),
    templates: toggle('Replace words in double braces (on unless --no-templates)'),
    quiet: flag('Say nothing', { short: 'q' }),
  },
  examples: [
    'pub orders.new "first order"',
    'pub orders.new --header Nats-Msg-Id:order-1 --jetstream "order 1"',
    'pub "orders.{{Count}}" "order number {{Count}}" --count 5 --sleep 100ms',
    'pub orders.file --file package.json',
  ],
  run: async (input, context) => {
    const connection = await context.connect();
    const shared = { headers: input.header ?? [], templates: input.templates ?? true };
    const publisher = new Publisher(context, connection, { ...input, templates: shared.templates });
    if (input.lines) {
      if (input.body !== undefined || input.file !== undefined)
        throw new UsageError('--lines reads the messages from stdin');
      for await (const line of stdinLines(context)) await publisher.publish({ ...shared, body: line });
    } else {
      const source = { ...shared, body: await readBody(context, input.body, input.file) };
      await publisher.repeat(source, input.count);
    }
    await connection.flush();
    if (!input.quiet && !input.jetstream) {
      await context.output.say(`Published ${formatCountOf(publisher.count, 'message')} to ${input.subject}`);
    }
  },
});

interface PublisherOptions {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly sleep: number | undefined;
  readonly jetstream: boolean;
  readonly templates: boolean;
  readonly quiet: boolean;
}

class Publisher {
  readonly #context: Context;
  readonly #connection: NatsConnection;
  readonly #options: PublisherOptions;
  count = 0;

  constructor(context: Context, connection: NatsConnection, options: PublisherOptions) {
    this.#context = context;
    this.#connection = connection;
    this.#options = options;
  }

  async repeat(source: MessageSource, count: number): Promise<void> {
    if (count < PROGRESS_FROM) {
      for (let i = 0; i < count; i++) await this.publish(source);
      return;
    }
    const progress = this.#context.progress({ label: 'Publishing', total: count, unit: 'messages' });
    for (let i = 0; i < count; i++) {
      await this.publish(source);
      progress.add(1);
    }
    progress.end();
  }

  async publish(source: MessageSource): Promise<void> {
    const { sleep, jetstream, reply, templates } = this.#options;
    if (sleep !== undefined && this.count > 0) await delay(sleep);
    this.count += 1;
    const values = { count: this.count };
    const subject = templates ? fill(this.#options.subject, values) : this.#options.subject;
    const body = fillBody(source, values);
    const headers = await fillHeaders(source, values);
    if (jetstream) {
      await this.#store(subject, body, headers);
      return;
    }
    const options = { ...(headers !== undefined && { headers }), ...(reply !== undefined && { reply }) };
    this.#connection.publish(subject, body, options);
    if (this.count % FLUSH_EVERY === 0) await this.#connection.flush();
  }

  async #store(subject: string, body: Payload, headers: MsgHdrs | undefined): Promise<void> {
    const timeout = this.#context.settings.timeoutMs;
    const options = { timeout, ...(headers !== undefined && { headers }) };
    const answer = await this.#connection.request(subject, body, options).catch((error: unknown) => {
      if (isNoResponders(error)) throw new ToolError(`no stream stores ${subject}`, { cause: error });
      throw error;
    });
    const ack = parseAnswer(answer.string()) as PubAck;
    if (this.#options.quiet) return;
    const repeated = ack.duplicate === true ? ', as it was already' : '';
    await this.#context.output.item(ack, () => `Stored in ${ack.stream} as ${ack.seq}${repeated}\n`);
  }
}
