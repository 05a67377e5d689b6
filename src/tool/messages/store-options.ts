/** Owns the options of `pub` that mean something to a stream: each is a header of the message. */
import { UsageError } from '../failure.ts';
import { duration, integer, text, type Input } from '../parameters/index.ts';
import { formatGoDuration, parseFutureTime } from '../units.ts';

const subject = { placeholder: 'SUBJECT' } as const;

export const STORE_OPTIONS = {
  msgId: text('Store it once only, however often this name is published', { placeholder: 'NAME' }),
  ttl: duration('Have the stream remove it after this time'),
  expectStream: text('Store it only in this stream', { placeholder: 'STREAM' }),
  expectLastSequence: integer("Store it only if this is the stream's last sequence"),
  expectLastSubjectSequence: integer('Store it only if this is the last sequence of its subject; 0 if it has none'),
  expectLastMsgId: text("Store it only if this is the last message's --msg-id", { placeholder: 'NAME' }),
  schedule: text('Have the stream publish it later: in 10m, at a time, "@every 1h", or "0 30 8 * * *"', {
    placeholder: 'WHEN',
  }),
  scheduleTarget: text('... to this subject', subject),
  scheduleSource: text('... with the content of the last message of this subject', subject),
  scheduleTtl: duration('... to be removed after this time'),
  scheduleTimeZone: text('... in the hours of this time zone, such as Europe/Berlin', { placeholder: 'ZONE' }),
} as const;

type StoreInput = Input<typeof STORE_OPTIONS>;
type Headers = readonly (readonly [string, string])[];

export interface StoreHeaders {
  /** Of each message. */
  readonly each: Headers;
  /** Of each message as well; of a batch, only of the first. */
  readonly expectations: Headers;
}

/** @throws {UsageError} */
export function storeHeaders(input: StoreInput): StoreHeaders {
  const { schedule, scheduleTarget } = input;
  const details = [scheduleTarget, input.scheduleSource, input.scheduleTtl, input.scheduleTimeZone];
  if (schedule === undefined && details.some((detail) => detail !== undefined))
    throw new UsageError('options of a schedule need --schedule');
  if (schedule !== undefined && scheduleTarget === undefined)
    throw new UsageError('--schedule needs --schedule-target');
  return {
    each: present([
      ['Nats-Msg-Id', input.msgId],
      ['Nats-TTL', ttlText(input.ttl)],
      ['Nats-Schedule', schedule === undefined ? undefined : scheduleText(schedule)],
      ['Nats-Schedule-Target', scheduleTarget],
      ['Nats-Schedule-Source', input.scheduleSource],
      ['Nats-Schedule-TTL', ttlText(input.scheduleTtl)],
      ['Nats-Schedule-Time-Zone', input.scheduleTimeZone],
    ]),
    expectations: present([
      ['Nats-Expected-Stream', input.expectStream],
      ['Nats-Expected-Last-Sequence', input.expectLastSequence?.toString()],
      ['Nats-Expected-Last-Subject-Sequence', input.expectLastSubjectSequence?.toString()],
      ['Nats-Expected-Last-Msg-Id', input.expectLastMsgId],
    ]),
  };
}

function present(pairs: readonly (readonly [string, string | undefined])[]): Headers {
  return pairs.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function ttlText(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : formatGoDuration(milliseconds);
}

/** What the protocol understands as it is, or a time, or how long from now. */
function scheduleText(when: string): string {
  if (when.startsWith('@') || when.includes(' ')) return when;
  try {
    return `@at ${parseFutureTime(when)}`;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`--schedule: "${when}" is neither a time, nor a duration, nor such as "@every 1h"`);
  }
}
