/** Owns the commands that take messages from a consumer. */
import type { ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Api } from '../connection/index.ts';
import { onInterruption, type Context } from '../context.ts';
import { ToolError, UsageError } from '../failure.ts';
import { formOf, MESSAGE_FORM } from '../message-form.ts';
import { printMessage } from '../output/index.ts';
import { count, duration, flag, text, toggle, withDefault, type Input } from '../parameters/index.ts';
import { consumerInfo, NAME, STREAM } from './configure.ts';

const RECEIVING = {
  stream: STREAM,
  consumer: NAME,
  ack: toggle('Acknowledge messages (on unless --no-ack)'),
  nak: flag('Have messages delivered again instead'),
  nakDelay: duration('With --nak, when they should come again'),
  term: flag('Have messages never delivered again, and not count as done'),
  ...MESSAGE_FORM,
  priorityGroup: text('Pull for this priority group', { placeholder: 'GROUP' }),
} as const;

type ReceivingInput = Input<typeof RECEIVING>;

async function show(message: JsMsg, input: ReceivingInput, context: Context, count: number): Promise<void> {
  const { stream, consumer, deliveryCount, pending } = message.info;
  const time = message.time.toISOString();
  const position = { stream, seq: message.seq, time, consumer, deliveries: deliveryCount, pending };
  const { subject, data, headers } = message;
  await printMessage(context.output, { subject, data, headers, position }, formOf(input), count);
}

/** An acknowledgement is confirmed: what was printed and acknowledged does not come again. */
async function settle(message: JsMsg, outcome: Outcome, nakDelay: number | undefined): Promise<void> {
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

type Outcome = 'ack' | 'nak' | 'term' | 'none';

/** Without acknowledgements nothing would confirm one. @throws {UsageError} */
async function outcomeOf(input: ReceivingInput, api: Api): Promise<Outcome> {
  const { ack, nak, nakDelay, term } = input;
  if ([ack === true, nak, term].filter(Boolean).length > 1)
    throw new UsageError('--ack, --nak and --term exclude each other');
  if (nakDelay !== undefined && !nak) throw new UsageError('--nak-delay needs --nak');
  if (nak) return 'nak';
  if (term) return 'term';
  if (ack === false) return 'none';
  const { config } = await consumerInfo(api, input.stream, input.consumer);
  return config.ack_policy === 'none' ? 'none' : 'ack';
}

export const NEXT = command({
  summary: 'Pull messages and acknowledge them',
  parameters: { ...RECEIVING, count: withDefault(count('How many messages', { short: 'n' }), 1) },
  examples: [
    'consumer next ORDERS worker',
    'consumer next ORDERS worker --count 10 --raw',
    'consumer next ORDERS worker --nak',
  ],
  run: async (input, context) => {
    const outcome = await outcomeOf(input, await context.api());
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
      await settle(message, outcome, input.nakDelay);
    }
    if (received === 0) throw new ToolError('no message in time; --timeout waits longer');
    // A refusal is not answered: with this the server has it, before a command that follows.
    await (await context.connect()).flush();
  },
});

export const SUB = command({
  summary: 'Take messages as they come, and acknowledge them',
  details: 'Goes on until Ctrl-C unless told otherwise.',
  parameters: { ...RECEIVING, count: count('Stop after this many messages', { short: 'n' }) },
  examples: ['consumer sub ORDERS worker', 'consumer sub ORDERS worker --count 100 --raw'],
  run: async (input, context) => {
    const signal = context.untilInterrupted();
    const connection = await context.connect({ lasting: true });
    const outcome = await outcomeOf(input, await context.api());
    const source = await sourceOf(await context.jetstream(connection), input, signal);
    context.note(`Receiving from ${input.consumer} of ${input.stream}`);
    let received = 0;
    for await (const message of source) {
      received += 1;
      await show(message, input, context, received);
      await settle(message, outcome, input.nakDelay);
      if (received === input.count) break;
    }
    // After Ctrl-C the server may be gone.
    if (!signal.aborted) await connection.flush();
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
  onInterruption(signal, () => {
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
