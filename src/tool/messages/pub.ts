/** Owns `pub`. */
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import {
  argument,
  count,
  duration,
  flag,
  optional,
  pairs,
  text,
  toggle,
  withDefault,
  type Input,
} from '../parameters/index.ts';
import { formatCountOf } from '../units.ts';
import { fillBody, fillHeaders, fillSubject, readBody, stdinLines } from './body.ts';
import { BatchPublishing, PlainPublishing, StoredPublishing, type PubAck, type Publishing } from './publishing.ts';
import { STORE_OPTIONS, storeHeaders, type StoreHeaders } from './store-options.ts';
import { TEMPLATE_HELP } from './template.ts';

const PROGRESS_FROM = 1000;

const PARAMETERS = {
  subject: argument('SUBJECT', 'Subject to publish to'),
  body: optional(argument('BODY', 'Content of the message; "-" reads it from stdin')),
  file: text('Read the content from this file', { short: 'f', placeholder: 'FILE' }),
  lines: flag('Publish each line of stdin as a message'),
  header: pairs('Header of the message', ':', { short: 'H' }),
  reply: text('Reply subject of the message', { placeholder: 'SUBJECT' }),
  count: withDefault(count('How many messages to publish', { short: 'n' }), 1),
  sleep: duration('How long to wait between messages'),
  jetstream: flag('Wait until a stream has stored each message, and print where', { short: 'J' }),
  atomic: flag('Have the stream store all messages together, or none of them'),
  ...STORE_OPTIONS,
  templates: toggle('Replace words in double braces (on unless --no-templates)'),
  quiet: flag('Say nothing', { short: 'q' }),
} as const;

type PubInput = Input<typeof PARAMETERS>;

export const PUB = command({
  summary: 'Publish messages',
  details: `Without BODY the message is read from stdin. Options that are for a stream imply --jetstream.\n\n${TEMPLATE_HELP}`,
  parameters: PARAMETERS,
  examples: [
    'pub orders.new "first order"',
    'pub orders.new --msg-id order-1 --jetstream "order 1"',
    'pub "orders.{{Count}}" "order number {{Count}}" --count 5 --sleep 100ms',
    'pub orders.new "all or nothing, {{Count}}" --count 10 --atomic',
    'pub reminders.1 "call back" --schedule 10m --schedule-target reminders.due',
    'pub orders.file --file package.json',
  ],
  run: async (input, context) => {
    if (input.lines && (input.body !== undefined || input.file !== undefined))
      throw new UsageError('--lines reads the messages from stdin');
    const store = storeHeaders(input);
    const stored = input.jetstream || input.atomic || store.each.length > 0 || store.expectations.length > 0;
    if (stored && input.reply !== undefined)
      throw new UsageError('--reply and a stream exclude each other: its answer comes there');
    const publisher = new Publisher(input, store, await publishingOf(input, stored, context));
    if (input.lines) for await (const line of stdinLines(context)) await publisher.publish(line);
    else await repeat(publisher, await readBody(context, input.body, input.file), input.count, context);
    await publisher.finish();
    if (!input.quiet && !stored) {
      const { count: messages } = publisher;
      const text = `Published ${formatCountOf(messages, 'message')} to ${input.subject}\n`;
      await context.output.document({ subject: input.subject, messages }, () => text);
    }
  },
});

async function publishingOf(input: PubInput, stored: boolean, context: Context): Promise<Publishing> {
  const connection = await context.connect();
  if (!stored) return new PlainPublishing(connection, input.reply);
  const options = {
    connection,
    timeoutMs: context.settings.timeoutMs,
    stored: async (ack: PubAck): Promise<void> => {
      if (!input.quiet) await context.output.item(ack, () => ackText(ack));
    },
  };
  return input.atomic ? new BatchPublishing(options) : new StoredPublishing(options);
}

function ackText({ stream, seq, duplicate, count: stored }: PubAck): string {
  const what = stored === undefined ? 'Stored' : `Stored ${formatCountOf(stored, 'message')}`;
  return `${what} in ${stream} as ${seq}${duplicate === true ? ', as it was already' : ''}\n`;
}

async function repeat(publisher: Publisher, body: string | Uint8Array, times: number, context: Context): Promise<void> {
  const progress =
    times < PROGRESS_FROM ? undefined : context.progress({ label: 'Publishing', total: times, unit: 'messages' });
  for (let i = 0; i < times; i++) {
    await publisher.publish(body);
    progress?.add(1);
  }
  progress?.end();
}

/** Makes the messages: numbers them, and fills in their templates. */
class Publisher {
  readonly #input: PubInput;
  readonly #store: StoreHeaders;
  readonly #publishing: Publishing;
  readonly #templates: boolean;
  count = 0;

  constructor(input: PubInput, store: StoreHeaders, publishing: Publishing) {
    this.#input = input;
    this.#store = store;
    this.#publishing = publishing;
    this.#templates = input.templates ?? true;
  }

  async publish(body: string | Uint8Array): Promise<void> {
    const { sleep, subject, atomic, header = [] } = this.#input;
    if (sleep !== undefined && this.count > 0) await delay(sleep);
    this.count += 1;
    const expectations = atomic && this.count > 1 ? [] : this.#store.expectations;
    const headers = [...header, ...this.#store.each, ...expectations];
    const source = { subject, body, headers, templates: this.#templates };
    const values = { count: this.count };
    await this.#publishing.publish({
      subject: fillSubject(source, values),
      body: fillBody(source, values),
      headers: await fillHeaders(source, values),
    });
  }

  async finish(): Promise<void> {
    await this.#publishing.finish();
  }
}
