/** Owns the time to live of single messages: how `Nats-TTL` spells it (streams.md 5.4), and the number it is kept as. */
import { parseDurationNs } from '../../base/go-duration.ts';
import type { PublishHeaders } from '../messages/publish-headers.ts';

/** A message without a time to live of its own. Any value but this one and `NEVER_EXPIRES` is a number of seconds. */
export const NO_TTL = 0;
/** `never`: not even the stream's `max_age` removes the message. */
export const NEVER_EXPIRES = 0xffff_ffff;
/** Differs from the reference server, which knows 292 years: what would live longer than 136 years lives that long. */
const MAX_TTL_SECONDS = NEVER_EXPIRES - 1;

const NS_PER_SECOND = 1e9;
/** Numbers of seconds and nanoseconds alike are 64 bits wide on the wire. */
const MAX_WIRE_NUMBER = 2 ** 63;
const DIGITS = /^\d{1,19}$/;

/** Whole seconds, or `NEVER_EXPIRES`. Undefined: the text is no time to live, or less than a second. */
export function parseMessageTtl(text: string): number | undefined {
  if (text.toLowerCase() === 'never') return NEVER_EXPIRES;
  const isSeconds = DIGITS.test(text);
  const value = isSeconds ? Number(text) : parseDurationNs(text);
  if (value === undefined || value >= MAX_WIRE_NUMBER) return undefined;
  const seconds = isSeconds ? value : Math.floor(value / NS_PER_SECOND);
  return seconds < 1 ? undefined : Math.min(seconds, MAX_TTL_SECONDS);
}

/** The same for a header of a message; one that is plain digits makes no string. */
export function messageTtl(headers: PublishHeaders, header: number): number | undefined {
  const seconds = headers.sequence(header);
  return seconds > 0 ? Math.min(seconds, MAX_TTL_SECONDS) : parseMessageTtl(headers.text(header));
}
