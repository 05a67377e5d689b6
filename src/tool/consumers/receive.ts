/** Owns the commands that take messages from a consumer. */
import type { ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Api } from '../connection/index.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import { printMessage, type MessageForm } from '../output/index.ts';
import { choice, count, duration, flag, text, withDefault, type Input } from '../parameters/index.ts';
import { consumerInfo, NAME, STREAM } from './configure.ts';

const RECEIVING = {
  stream: STREAM,
  consumer: NAME,
  outcome: withDefault(
    choice('What to answer: done, again, never again, or nothing', ['ack', 'nak', 'term', 'none']),
    'ack',
  ),
  nakDelay: duration('With --outcome nak, when it should come again'),
  raw: flag('Print nothing but the content', { short: 'r' }),
  headersOnly: flag('Print no content'),
  priorityGroup: text('Pull for this priority group', { placeholder: 'GROUP' }),
} as const;

type ReceivingInput = Input<typeof RECEIVING>;

function formOf({ raw, headersOnly }: ReceivingInput): MessageForm {
  if (raw) return 'raw';
  return headersOnly ? 'headers' : 'full';
}

async function show(message: JsMsg, input: ReceivingInput, context: Context, count: number): Promise<void> {
  const { stream, consumer, deliveryCount, pending } = message.info;
  const time = message.time.toISOString();
  const position = { stream, seq: message.seq, time, consumer, deliveries: deliveryCount, pending };
  const { subject, data, headers } = message;
  await printMessage(context.output, { subject, data, headers, position }, formOf(input), count);
}

/** An acknowledgement is confirmed: what was printed and acknowledged does not come again. */
async function settle(message: JsMsg, { outcome, nakDelay }: ReceivingInput): Promise<void> {
  switch (outcome) {
    case 'ack':
      if (!(await message.ackAck()))
        throw new ToolError(`the acknowledgement of message ${message.seq} was not confirmed`);
      return;
    case 'nak':
      message.nak(nakDelay);
      return;
    case 'term':
      message.term();
      return;
    case 'none':
      return;
  }
}

/** Without acknowledgements nothing would confirm one. */
async function answering<I extends ReceivingInput>(input: I, api: Api): Promise<I> {
  const { config } = await consumerInfo(api, input.stream, input.consumer);
  return config.ack_policy === 'none' ? { ...input, outcome: 'none' } : input;
}

export const NEXT = command({
  summary: 'Pull messages and acknowledge them',
  parameters: { ...RECEIVING, count: withDefault(count('How many messages', { short: 'n' }), 1) },
  examples: [
    'consumer next ORDERS worker',
    'consumer next ORDERS worker --count 10 --raw',
    'consumer next ORDERS worker --outcome nak',
  ],
  run: async (given, context) => {
    const input = await answering(given, await context.api());
    const js = await context.jetstream();
    const consumer = await js.consumers.get(input.stream, input.consumer);
    const messages = await consumer.fetch({
      max_messages: input.count,
      expires: Math.max(1000, context.settings.timeoutMs),
      ...(input.priorityGroup !== undefined && { group: input.priorityGroup }),
    });
    let received = 0;
    for await (const message of messages) {
      received += 1;
      await show(message, input, context, received);
      await settle(message, input);
    }
    if (received === 0) throw new ToolError('no message in time; --timeout waits longer');
  },
});

export const SUB = command({
  summary: 'Take messages as they come, and acknowledge them',
  details: 'Goes on until Ctrl-C unless told otherwise.',
  parameters: { ...RECEIVING, count: count('Stop after this many messages', { short: 'n' }) },
  examples: ['consumer sub ORDERS worker', 'consumer sub ORDERS worker --count 100 --raw'],
  run: async (given, context) => {
    const signal = context.untilInterrupted();
    const connection = await context.connect({ lasting: true });
    const input = await answering(given, await context.api());
    const source = await sourceOf(await context.jetstream(connection), input, signal);
    context.note(`Receiving from ${input.consumer} of ${input.stream}`);
    let received = 0;
    for await (const message of source) {
      received += 1;
      await show(message, input, context, received);
      await settle(message, input);
      if (received === input.count) break;
    }
    await connection.flush();
  },
});

type SubInput = ReceivingInput & { readonly count: number | undefined };

/** How long a pull for a limited number of messages waits before it is asked again. */
const PULL_MS = 30_000;

async function sourceOf(js: JetStreamClient, input: SubInput, signal: AbortSignal): Promise<AsyncIterable<JsMsg>> {
  const { stream, consumer: name, priorityGroup, count } = input;
  const { config } = await (await js.jetstreamManager(false)).consumers.info(stream, name);
  if (config.deliver_subject !== undefined) {
    return stopping(await (await js.consumers.getPushConsumer(stream, name)).consume(), signal);
  }
  const consumer = await js.consumers.get(stream, name);
  const group = priorityGroup === undefined ? {} : { group: priorityGroup };
  if (count === undefined) return stopping(await consumer.consume(group), signal);
  return pull(count, signal, (wanted) => consumer.fetch({ max_messages: wanted, expires: PULL_MS, ...group }));
}

function stopping(messages: ConsumerMessages, signal: AbortSignal): ConsumerMessages {
  signal.addEventListener('abort', () => {
    messages.stop();
  });
  return messages;
}

/** Asks for no more messages than are wanted: others would only come again for somebody else after a while. */
async function* pull(
  count: number,
  signal: AbortSignal,
  fetch: (wanted: number) => Promise<ConsumerMessages>,
): AsyncGenerator<JsMsg> {
  let left = count;
  while (left > 0 && !signal.aborted) {
    for await (const message of stopping(await fetch(Math.min(left, MOST_AT_ONCE)), signal)) {
      left -= 1;
      yield message;
    }
  }
}

const MOST_AT_ONCE = 100;
