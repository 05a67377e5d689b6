/** Owns times as text: RFC 3339 in UTC. */
import type { TimestampUs } from './brand.ts';

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

/** Undefined when it is not a time. What lies below a microsecond is cut off. */
export function parseRfc3339(value: string): TimestampUs | undefined {
  const match = RFC3339.exec(value);
  if (match === null) return undefined;
  const [, date, clock, fraction = '', zone] = match;
  const milliseconds = Date.parse(`${date!}T${clock!}${zone!.toUpperCase()}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return (milliseconds * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))) as TimestampUs;
}
