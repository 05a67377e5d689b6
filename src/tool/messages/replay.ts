/** Owns how `sub` reads a stream: through an ordered consumer, from where one likes. */
import type { Consumer, ConsumerMessages, OrderedConsumerOptions } from '@nats-io/jetstream';
import { onInterruption, type Context } from '../context.ts';
import { ToolError, UsageError } from '../failure.ts';
import { printMessage, type MessageForm } from '../output/index.ts';
import { count, flag, text, time, type Input } from '../parameters/index.ts';
import { formatCountOf } from '../units.ts';
import { stopAfter } from './stop-after.ts';

export const REPLAY_OPTIONS = {
  stream: text('Read from this stream instead, from --new unless told otherwise', { placeholder: 'STREAM' }),
  all: flag('From the first message that the stream has'),
  last: flag('From its last message'),
  lastPerSubject: flag('From the last message of each subject'),
  new: flag('From the next message that it stores'),
  startSequence: count('From this sequence', { also: ['start-seq'] }),
  since: time('From this time, or from this long ago'),
  untilEnd: flag('Stop when the stream has no more messages'),
  originalPace: flag('As fast as they were once published'),
} as const;

type StartInput = Input<typeof REPLAY_OPTIONS>;

/** Together with the options of `sub` that also mean something here. */
interface ReplayInput extends StartInput {
  readonly subjects: readonly string[];
  readonly headersOnly: boolean;
  readonly count: number | undefined;
  readonly wait: number | undefined;
}

/** What has no meaning for a stream. */
const FOR_LISTENING = ['queue', 'inbox', 'ignore', 'ack', 'timestamp', 'reportSubjects'] as const;
type ForListening = Readonly<Record<(typeof FOR_LISTENING)[number], unknown>>;

function startOptions(input: StartInput): readonly boolean[] {
  const { all, last, lastPerSubject, startSequence, since } = input;
  return [all, last, lastPerSubject, input.new, startSequence !== undefined, since !== undefined];
}

export function readsStream(input: StartInput): boolean {
  return input.stream !== undefined || input.untilEnd || input.originalPace || startOptions(input).includes(true);
}

export async function readStream(
  input: ReplayInput & ForListening,
  form: MessageForm,
  context: Context,
): Promise<void> {
  for (const name of FOR_LISTENING) {
    if (input[name] !== undefined && input[name] !== false) {
      const option = name === 'reportSubjects' ? 'report-subjects' : name;
      throw new UsageError(`--${option} and a stream exclude each other`);
    }
  }
  if (startOptions(input).filter(Boolean).length > 1) throw new UsageError('choose one place to start from');
  const signal = context.untilInterrupted();
  const js = await context.jetstream(await context.connect({ lasting: true }));
  const stream = input.stream ?? (await streamOf(input.subjects, context));
  const consumer = await js.consumers.get(stream, orderedOptions(input));
  const { num_pending: waiting } = await consumer.info(true);
  context.note(`Reading ${stream}, where ${formatCountOf(waiting, 'message')} ${waiting === 1 ? 'waits' : 'wait'}`);
  if (input.untilEnd && waiting === 0) return;
  const messages = await consumer.consume({ idle_heartbeat: HEARTBEAT_MS });
  onInterruption(signal, () => {
    messages.stop();
  });
  if (input.untilEnd) void stopAtEnd(consumer, messages);
  await printStored(messages, input, form, context);
}

const HEARTBEAT_MS = 1000;

/** What is removed before it is read never comes, so the last message need not tell that it is the last. */
async function stopAtEnd(consumer: Consumer, messages: ConsumerMessages): Promise<void> {
  for await (const { type } of messages.status()) {
    if (type !== 'heartbeat') continue;
    // Without an answer, the next heartbeat asks again.
    const info = await consumer.info().catch(() => undefined);
    if (info?.num_pending === 0) messages.stop();
  }
}

async function printStored(
  messages: ConsumerMessages,
  input: ReplayInput,
  form: MessageForm,
  context: Context,
): Promise<void> {
  const stop = (): void => {
    messages.stop();
  };
  const quota = stopAfter(input.count, stop);
  const silence = input.wait === undefined ? undefined : setTimeout(stop, input.wait);
  for await (const message of messages) {
    const number = quota.take();
    if (number === undefined) break;
    silence?.refresh();
    const { stream, pending } = message.info;
    const position = { stream, seq: message.seq, time: message.time.toISOString(), pending };
    const { subject, data, headers } = message;
    await printMessage(context.output, { subject, data, headers, position }, form, number);
    if (input.untilEnd && pending === 0) stop();
  }
  clearTimeout(silence);
}

function orderedOptions(input: ReplayInput): Partial<OrderedConsumerOptions> {
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
