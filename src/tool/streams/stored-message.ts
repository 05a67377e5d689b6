/** Owns getting single messages out of a stream, and deleting them. */
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { formOf, MESSAGE_FORM } from '../message-form.ts';
import { printMessage, type ShownMessage } from '../output/index.ts';
import { flag, numberArgument, optional, text, time, toggle } from '../parameters/index.ts';
import { FORCE, NAME } from './configure.ts';

/** The API's form of a message. */
export interface StoredMessage {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly time: string;
    readonly data?: string;
    /** The header block, in base64. */
    readonly hdrs?: string;
  };
}

export const GET = command({
  summary: 'Print one message of a stream',
  parameters: {
    stream: NAME,
    seq: optional(numberArgument('SEQ', 'Sequence of the message')),
    last: flag('The last message'),
    subject: text('The last one of this subject with --last, else the next one from SEQ on', {
      placeholder: 'SUBJECT',
    }),
    since: time('The first one from this time on, or from this long ago'),
    ...MESSAGE_FORM,
  },
  examples: ['stream get ORDERS 1', 'stream get ORDERS --last', 'stream get ORDERS --last --subject orders.new --raw'],
  run: async (input, context) => {
    const api = await context.api();
    const answer = await api.request<StoredMessage>(`STREAM.MSG.GET.${input.stream}`, query(input));
    if (context.output.json) {
      await context.output.document(answer, String);
      return;
    }
    await printMessage(context.output, await shownMessage(input.stream, answer), formOf(input));
  },
});

interface Selection {
  readonly seq: number | undefined;
  readonly last: boolean;
  readonly subject: string | undefined;
  readonly since: string | undefined;
}

function query({ seq, last, subject, since }: Selection): object {
  if ([seq, since].filter((given) => given !== undefined).length + Number(last) > 1) {
    throw new UsageError('SEQ, --last and --since exclude each other');
  }
  if (last) return { last_by_subj: subject ?? '>' };
  if (since !== undefined) return { start_time: since, ...(subject !== undefined && { next_by_subj: subject }) };
  if (subject !== undefined) return { seq: seq ?? 1, next_by_subj: subject };
  if (seq === undefined) throw new UsageError('SEQ is missing, or one of --last, --subject, --since');
  return { seq };
}

export async function shownMessage(stream: string, { message }: StoredMessage): Promise<ShownMessage> {
  const { MsgHdrsImpl } = await import('@nats-io/transport-node');
  const headers = message.hdrs === undefined ? undefined : MsgHdrsImpl.decode(Buffer.from(message.hdrs, 'base64'));
  return {
    subject: message.subject,
    headers,
    data: Buffer.from(message.data ?? '', 'base64'),
    position: { stream, seq: message.seq, time: message.time },
  };
}

export const DELETE_MESSAGE = command({
  summary: 'Delete one message of a stream',
  parameters: {
    stream: NAME,
    seq: numberArgument('SEQ', 'Sequence of the message'),
    erase: toggle('Overwrite its content (on unless --no-erase)'),
    force: FORCE,
  },
  examples: ['stream rmm ORDERS 1 --force'],
  run: async ({ stream, seq, erase, force }, context) => {
    const api = await context.api();
    await context.confirm(`Delete message ${seq} of ${stream}?`, force);
    const answer = await api.request<object>(`STREAM.MSG.DELETE.${stream}`, {
      seq,
      ...(erase === false && { no_erase: true }),
    });
    await context.output.document(answer, () => `Deleted message ${seq} of ${stream}.\n`);
  },
});
