/** Owns `sub`: messages as they are published. What streams have kept is read in replay.ts. */
import type { Msg, Subscription } from '@nats-io/transport-node';
import { command } from '../command.ts';
import { onInterruption, type Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import { formOf, MESSAGE_FORM } from '../message-form.ts';
import { printMessage, type Column, type MessageForm } from '../output/index.ts';
import { checkSubject, count, duration, flag, list, manyArguments, text, type Input } from '../parameters/index.ts';
import { formatBytes, formatCount } from '../units.ts';
import { readsStream, readStream, REPLAY_OPTIONS } from './replay.ts';
import { stopAfter } from './stop-after.ts';

const PARAMETERS = {
  subjects: manyArguments('SUBJECT', 'Subjects to listen on; "*" and ">" match any token and any rest'),
  queue: text('Share the messages with all who name the same group', { short: 'q', placeholder: 'GROUP' }),
  inbox: flag('Listen on a subject of its own, which is printed first', { short: 'i' }),
  count: count('Stop after this many messages', { short: 'n' }),
  wait: duration('Stop when nothing has come for so long'),
  ...MESSAGE_FORM,
  timestamp: flag('Print when each message came', { short: 't' }),
  ignore: list('Leave out messages of these subjects', { placeholder: 'SUBJECT', also: ['ignore-subject'] }),
  ack: flag('Acknowledge what a stream pushes there'),
  reportSubjects: flag('Print no messages, but at the end how many came of each subject'),
  ...REPLAY_OPTIONS,
} as const;

type SubInput = Input<typeof PARAMETERS>;

export const SUB = command({
  summary: 'Print messages as they arrive',
  details: 'Goes on until Ctrl-C unless told otherwise. With a stream, messages come as the stream has kept them.',
  parameters: PARAMETERS,
  examples: [
    'sub "orders.>"',
    'sub orders.new --queue workers --count 10',
    'sub ">" --ignore "_INBOX.>" --report-subjects --wait 10s',
    'sub --stream ORDERS --all --until-end',
    'sub "orders.>" --since 1h --raw',
  ],
  run: async (input, context) => {
    const form = formOf(input);
    for (const subject of [...input.subjects, ...(input.ignore ?? [])]) checkSubject(subject);
    if (readsStream(input)) await readStream(input, form, context);
    else await listen(input, form, context);
  },
});

async function listen(input: SubInput, form: MessageForm, context: Context): Promise<void> {
  if (input.subjects.length === 0 && !input.inbox) throw new UsageError('SUBJECT is missing');
  const signal = context.untilInterrupted();
  const connection = await context.connect({ lasting: true });
  const { createInbox } = await import('@nats-io/transport-node');
  const subjects = input.inbox ? [createInbox(context.settings.inboxPrefix), ...input.subjects] : input.subjects;
  const options = input.queue === undefined ? {} : { queue: input.queue };
  const subscriptions = subjects.map((subject) => connection.subscribe(subject, options));
  await connection.flush();
  context.note(`Listening on ${subjects.join(', ')}`);
  const stop = (): void => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
  onInterruption(signal, stop);
  const receiver = new Receiver(input, form, context, stop);
  await Promise.all(subscriptions.map((subscription) => receiver.takeAll(subscription)));
  await receiver.finish();
  // The last acknowledgement may wait in the client yet. After Ctrl-C the server may be gone.
  if (input.ack && !signal.aborted) await connection.flush();
}

/** Takes the messages of all subscriptions together: they are numbered and counted as they come. */
class Receiver {
  readonly #input: SubInput;
  readonly #form: MessageForm;
  readonly #context: Context;
  readonly #quota: ReturnType<typeof stopAfter>;
  readonly #ignored: (subject: string) => boolean;
  readonly #silence: NodeJS.Timeout | undefined;
  readonly #tallies = new Map<string, Tally>();

  constructor(input: SubInput, form: MessageForm, context: Context, stop: () => void) {
    this.#input = input;
    this.#form = form;
    this.#context = context;
    this.#quota = stopAfter(input.count, stop);
    this.#ignored = matcherOf(input.ignore ?? []);
    if (input.wait !== undefined) this.#silence = setTimeout(stop, input.wait);
  }

  async takeAll(subscription: Subscription): Promise<void> {
    for await (const message of subscription) {
      if (this.#ignored(message.subject)) continue;
      const number = this.#quota.take();
      if (number === undefined) return;
      this.#silence?.refresh();
      if (this.#input.reportSubjects) this.#tally(message);
      else await this.#print(message, number);
      if (this.#input.ack && message.reply?.startsWith('$JS.ACK.') === true) message.respond();
    }
  }

  async #print({ subject, reply, headers, data }: Msg, number: number): Promise<void> {
    const arrived = this.#input.timestamp ? { arrived: new Date() } : {};
    await printMessage(this.#context.output, { subject, reply, headers, data, ...arrived }, this.#form, number);
  }

  #tally({ subject, data }: Msg): void {
    const tally = this.#tallies.get(subject) ?? { subject, messages: 0, bytes: 0 };
    tally.messages += 1;
    tally.bytes += data.length;
    this.#tallies.set(subject, tally);
  }

  async finish(): Promise<void> {
    clearTimeout(this.#silence);
    if (!this.#input.reportSubjects) return;
    const { output } = this.#context;
    const rows = [...this.#tallies.values()].sort((a, b) => b.messages - a.messages);
    await output.document(rows, () => output.table(TALLY_COLUMNS, rows, 'No messages.'));
  }
}

interface Tally {
  readonly subject: string;
  messages: number;
  bytes: number;
}

const TALLY_COLUMNS: readonly Column<Tally>[] = [
  { title: 'Subject', cell: ({ subject }) => subject },
  { title: 'Messages', align: 'right', cell: ({ messages }) => formatCount(messages) },
  { title: 'Bytes', align: 'right', cell: ({ bytes }) => formatBytes(bytes) },
];

/** Whether a subject is one of those that `patterns` stand for. */
function matcherOf(patterns: readonly string[]): (subject: string) => boolean {
  const wanted = patterns.map((pattern) => pattern.split('.'));
  return (subject) => {
    const tokens = subject.split('.');
    return wanted.some((pattern) => {
      const isLonger = pattern.at(-1) === '>' && tokens.length >= pattern.length;
      if (!isLonger && tokens.length !== pattern.length) return false;
      return pattern.every(
        (token, i) => token === '*' || token === tokens[i] || (isLonger && i === pattern.length - 1),
      );
    });
  };
}
