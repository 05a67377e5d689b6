/** Owns what times, durations, names and binary data look like in the API's JSON. Units change here and nowhere else. */
import { createHash } from 'node:crypto';
import type { TimestampUs } from '../../base/brand.ts';

const ZERO_TIME = '0001-01-01T00:00:00Z';
/** The zero time, in microseconds before 1970. */
const ZERO_TIME_US = -62_135_596_800_000_000 as TimestampUs;
const NS_PER_MS = 1_000_000;
const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const PEER_ID_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** RFC 3339 in UTC with as many digits as needed; 0 (never) is the zero time. */
export function formatTime(timestampUs: number): string {
  if (timestampUs === 0 || timestampUs === ZERO_TIME_US) return ZERO_TIME;
  const micros = ((timestampUs % 1_000_000) + 1_000_000) % 1_000_000;
  const seconds = new Date((timestampUs - micros) / 1000).toISOString().slice(0, 19);
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
  return `${seconds}${fraction}Z`;
}

/** Undefined when it is not a time. What lies below a microsecond is cut off. */
export function parseRfc3339(value: string): TimestampUs | undefined {
  const match = RFC3339.exec(value);
  if (match === null) return undefined;
  const [, date, clock, fraction = '', zone] = match;
  const milliseconds = Date.parse(`${date!}T${clock!}${zone!.toUpperCase()}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return (milliseconds * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))) as TimestampUs;
}

/** Nanoseconds of the wire to milliseconds inside; fractions are kept, so that the way back is exact. */
export function nanosToMs(nanos: number): number {
  return nanos / NS_PER_MS;
}

export function msToNanos(milliseconds: number): number {
  return Math.round(milliseconds * NS_PER_MS);
}

/** Undefined (left out of the JSON) when empty. */
export function base64(data: Buffer): string | undefined {
  return data.length === 0 ? undefined : data.toString('base64');
}

/** The short name of a server in `cluster.replicas[].peer`: eight characters from the hash of its name. */
export function peerId(serverName: string): string {
  const digest = createHash('sha256').update(serverName).digest().subarray(0, 8);
  return Array.from(digest, (byte) => PEER_ID_ALPHABET[byte % 62]!).join('');
}
