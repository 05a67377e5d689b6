/** Owns `sub`: messages as they are published, or as a stream has kept them. */
import type { ConsumerMessages, OrderedConsumerOptions } from '@nats-io/jetstream';
import type { Subscription } from '@nats-io/transport-node';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { ToolError, UsageError } from '../failure.ts';
import { printMessage, type MessageForm } from '../output/index.ts';
import { count, flag, manyArguments, text, time, type Input } from '../parameters/index.ts';
import { formatCountOf } from '../units.ts';
import { stopAfter } from './stop-after.ts';

const PARAMETERS = {
  subjects: manyArguments('SUBJECT', 'Subjects to listen on; "*" and ">" match any token and any rest'),
  queue: text('Share the messages with all who name the same group', { short: 'q', placeholder: 'GROUP' }),
  count: count('Stop after this many messages', { short: 'n' }),
  raw: flag('Print nothing but the content', { short: 'r' }),
  headersOnly: flag('Print no content'),
  stream: text('Read from this stream instead, from --new unless told otherwise', { placeholder: 'STREAM' }),
  all: flag('From the first message that the stream has'),
  last: flag('From its last message'),
  lastPerSubject: flag('From the last message of each subject'),
  new: flag('From the next message that it stores'),
  startSequence: count('From this sequence'),
  since: time('From this time, or from this long ago'),
  untilEnd: flag('Stop when the stream has no more messages'),
  originalPace: flag('As fast as they were once published'),
} as const;

type SubInput = Input<typeof PARAMETERS>;

export const SUB = command({
  summary: 'Print messages as they arrive',
  details: 'Goes on until Ctrl-C unless told otherwise. With a stream, messages come as the stream has kept them.',
  parameters: PARAMETERS,
  examples: [
    'sub "orders.>"',
    'sub orders.new --queue workers --count 10',
    'sub --stream ORDERS --all --until-end',
    'sub "orders.>" --since 1h --raw',
  ],
  run: async (input, context) => {
    if (input.raw && input.headersOnly) throw new UsageError('--raw and --headers-only exclude each other');
    if (readsStream(input)) await readStream(input, context);
    else await listen(input, context);
  },
});

function startOptions(input: SubInput): readonly boolean[] {
  const { all, last, lastPerSubject, startSequence, since } = input;
  return [all, last, lastPerSubject, input.new, startSequence !== undefined, since !== undefined];
}

function readsStream(input: SubInput): boolean {
  return input.stream !== undefined || input.untilEnd || input.originalPace || startOptions(input).includes(true);
}

function formOf({ raw, headersOnly }: SubInput): MessageForm {
  if (raw) return 'raw';
  return headersOnly ? 'headers' : 'full';
}

async function listen(input: SubInput, context: Context): Promise<void> {
  if (input.subjects.length === 0) throw new UsageError('SUBJECT is missing');
  const signal = context.untilInterrupted();
  const connection = await context.connect({ lasting: true });
  const options = input.queue === undefined ? {} : { queue: input.queue };
  const subscriptions = input.subjects.map((subject) => connection.subscribe(subject, options));
  await connection.flush();
  context.note(`Listening on ${input.subjects.join(', ')}`);
  const stop = (): void => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
  signal.addEventListener('abort', stop);
  const quota = stopAfter(input.count, stop);
  const print = async (subscription: Subscription): Promise<void> => {
    for await (const message of subscription) {
      const number = quota.take();
      if (number === undefined) return;
      const { subject, reply, headers, data } = message;
      await printMessage(context.output, { subject, reply, headers, data }, formOf(input), number);
    }
  };
  await Promise.all(subscriptions.map(print));
}

async function readStream(input: SubInput, context: Context): Promise<void> {
  if (input.queue !== undefined)
    throw new UsageError('--queue and a stream exclude each other; a consumer shares its messages');
  if (startOptions(input).filter(Boolean).length > 1) throw new UsageError('choose one place to start from');
  const signal = context.untilInterrupted();
  const js = await context.jetstream(await context.connect({ lasting: true }));
  const stream = input.stream ?? (await streamOf(input.subjects, context));
  const consumer = await js.consumers.get(stream, orderedOptions(input));
  const { num_pending: waiting } = await consumer.info(true);
  context.note(`Reading ${stream}, where ${formatCountOf(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'}`);
  if (input.untilEnd && waiting === 0) return;
  const messages = await consumer.consume();
  signal.addEventListener('abort', () => {
    messages.stop();
  });
  await printStored(messages, input, context);
}

async function printStored(messages: ConsumerMessages, input: SubInput, context: Context): Promise<void> {
  const quota = stopAfter(input.count, () => {
    messages.stop();
  });
  for await (const message of messages) {
    const number = quota.take();
    if (number === undefined) return;
    const { stream, pending } = message.info;
    const position = { stream, seq: message.seq, time: message.time.toISOString(), pending };
    const { subject, data, headers } = message;
    await printMessage(context.output, { subject, data, headers, position }, formOf(input), number);
    if (input.untilEnd && pending === 0) messages.stop();
  }
}

function orderedOptions(input: SubInput): Partial<OrderedConsumerOptions> {
  const options: Partial<OrderedConsumerOptions> = {
    deliver_policy: 'new',
    replay_policy: input.originalPace ? 'original' : 'instant',
    headers_only: input.headersOnly,
  };
  if (input.subjects.length > 0) options.filter_subjects = [...input.subjects];
  if (input.all) options.deliver_policy = 'all';
  else if (input.last) options.deliver_policy = 'last';
  else if (input.lastPerSubject) {
    options.deliver_policy = 'last_per_subject';
    options.filter_subjects ??= ['>'];
  } else if (input.startSequence !== undefined) {
    options.deliver_policy = 'by_start_sequence';
    options.opt_start_seq = input.startSequence;
  } else if (input.since !== undefined) {
    options.deliver_policy = 'by_start_time';
    options.opt_start_time = input.since;
  } else if (!input.new && input.untilEnd) options.deliver_policy = 'all';
  return options;
}

async function streamOf(subjects: readonly string[], context: Context): Promise<string> {
  const [subject] = subjects;
  if (subject === undefined) throw new UsageError('SUBJECT is missing, or --stream');
  const names = await (await context.api()).list<string>('STREAM.NAMES', 'streams', { subject });
  if (names.length === 0) throw new ToolError(`no stream stores ${subject}`);
  if (names.length > 1) throw new ToolError(`${subject} is stored by ${names.join(', ')}: name one with --stream`);
  return names[0]!;
}
