/** Owns times as text: RFC 3339 in UTC. */
import type { TimestampUs } from './brand.ts';
import { writePaddedDecimal } from './byte-writing.ts';

const ZERO_TIME = '0001-01-01T00:00:00Z';
/** The zero time, in microseconds before 1970. */
const ZERO_TIME_US = -62_135_596_800_000_000 as TimestampUs;
const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 in UTC with as many digits as needed; 0 (never) is the zero time. */
export function formatRfc3339(timestampUs: number): string {
  if (timestampUs === 0 || timestampUs === ZERO_TIME_US) return ZERO_TIME;
  const micros = ((timestampUs % 1_000_000) + 1_000_000) % 1_000_000;
  const seconds = new Date((timestampUs - micros) / 1000).toISOString().slice(0, 19);
  const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
  return `${seconds}${fraction}Z`;
}

/** The most that `writeRfc3339` writes. */
export const MAX_RFC3339_BYTES = 32;
const US_PER_DAY = 86_400_000_000;
const ZERO = 0x30;
/** The day that was written last: times that are asked for together mostly share it. */
let writtenDay = -1;
let writtenDate = '';

/** Writes what `formatRfc3339` returns to `target` at `at`; returns where it ends. */
export function writeRfc3339(target: Buffer, at: number, timestampUs: number): number {
  const day = Math.floor(timestampUs / US_PER_DAY);
  if (timestampUs <= 0) return at + target.write(formatRfc3339(timestampUs), at, 'latin1');
  if (day !== writtenDay) {
    writtenDay = day;
    writtenDate = new Date((day * US_PER_DAY) / 1000).toISOString().slice(0, 11);
  }
  let to = at;
  for (let i = 0; i < writtenDate.length; i++) target[to++] = writtenDate.charCodeAt(i);
  const us = timestampUs - day * US_PER_DAY;
  const seconds = Math.floor(us / 1_000_000);
  to = writePaddedDecimal(target, to, Math.floor(seconds / 3600), 2);
  target[to++] = 0x3a;
  to = writePaddedDecimal(target, to, Math.floor(seconds / 60) % 60, 2);
  target[to++] = 0x3a;
  to = writePaddedDecimal(target, to, seconds % 60, 2);
  const micros = us - seconds * 1_000_000;
  if (micros !== 0) {
    target[to++] = 0x2e;
    to = writePaddedDecimal(target, to, micros, 6);
    while (target[to - 1] === ZERO) to--;
  }
  target[to++] = 0x5a;
  return to;
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
