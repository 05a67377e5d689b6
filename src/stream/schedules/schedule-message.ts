/** Owns what a stored schedule says, and the messages that it produces (streams.md 7.8). */
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { encodeMessage, MessageHeaders } from '../messages/message-headers.ts';
import type { MessageParts } from '../records/message-reader.ts';
import { parseMessageTtl } from '../expiry/message-ttl.ts';
import { PURGE_SCHEDULE } from './schedule-checks.ts';
import { nextFiring, parseSchedule, type SchedulePattern } from './schedule-pattern.ts';

/** Headers of the schedule, or of its source, that are not those of what it produces. */
const OWN_PREFIXES = ['Nats-Schedule', 'Nats-Expected-'];
const OWN_NAMES: ReadonlySet<string> = new Set(['Nats-Msg-Id', 'Nats-TTL', 'Nats-Rollup']);

export class ScheduleMessage {
  readonly #message: MessageParts;
  readonly #headers: MessageHeaders;
  readonly #pattern: SchedulePattern;

  static parse(message: MessageParts): ScheduleMessage | undefined {
    const headers = MessageHeaders.parse(message.headers);
    const pattern = parseSchedule(headers.get('Nats-Schedule') ?? '');
    return pattern && new ScheduleMessage(message, headers, pattern);
  }

  private constructor(message: MessageParts, headers: MessageHeaders, pattern: SchedulePattern) {
    this.#message = message;
    this.#headers = headers;
    this.#pattern = pattern;
  }

  get message(): MessageParts {
    return this.#message;
  }

  get target(): string {
    return this.#headers.get('Nats-Schedule-Target') ?? '';
  }

  /** Empty: it is its own source. */
  get source(): string {
    return this.#headers.get('Nats-Schedule-Source') ?? '';
  }

  get zone(): string {
    return this.#headers.get('Nats-Schedule-Time-Zone') ?? 'UTC';
  }

  /** Raised to `least` seconds, like that of a message that is published. */
  productTtl(least: number): string {
    const text = this.#headers.get('Nats-Schedule-TTL') ?? '';
    const seconds = text === '' ? undefined : parseMessageTtl(text);
    return seconds !== undefined && seconds < least ? String(least) : text;
  }

  get productRollup(): string {
    return this.#headers.get('Nats-Schedule-Rollup') ?? '';
  }

  /** When it is due, having fired last for `firedUs` (0: never). Undefined: not again. */
  nextUs(times: { readonly firedUs: number; readonly storedUs: number; readonly nowUs: number }): number | undefined {
    const { firedUs, storedUs, nowUs } = times;
    if (firedUs !== 0 && this.#pattern.kind === 'once') return undefined;
    return nextFiring(this.#pattern, this.zone, { sinceUs: firedUs === 0 ? storedUs : firedUs, nowUs });
  }
}

/** The message that the schedule produces from `content`, or from itself; `nextUs`: when it will again. */
export function productOf(
  schedule: ScheduleMessage,
  content: MessageParts | undefined,
  options: { readonly nextUs: number | undefined; readonly leastTtl: number },
): Buffer {
  const { nextUs, leastTtl } = options;
  const ttl = schedule.productTtl(leastTtl);
  const from = content ?? schedule.message;
  const headers = MessageHeaders.parse(from.headers);
  headers.remove((name) => OWN_NAMES.has(name) || OWN_PREFIXES.some((prefix) => name.startsWith(prefix)));
  headers.add('Nats-Scheduler', schedule.message.subject.toString());
  headers.add('Nats-Schedule-Next', nextUs === undefined ? PURGE_SCHEDULE : formatRfc3339(nextUs));
  if (ttl !== '') headers.add('Nats-TTL', ttl);
  if (schedule.productRollup !== '') headers.add('Nats-Rollup', schedule.productRollup);
  return encodeMessage({ subject: Buffer.from(schedule.target), headers: headers.encode(), payload: from.payload });
}
