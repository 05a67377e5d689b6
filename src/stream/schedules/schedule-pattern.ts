/**
 * Owns the patterns of scheduled messages (streams.md 7.8): `@at`, `@every`, the named ones and six cron fields, and when
 * each fires next. Reading a pattern needs no clock and no table of time zones, so that all replicas read it alike; only
 * the leader asks when it fires.
 */
import { parseDurationNs } from '../../base/go-duration.ts';
import { parseRfc3339 } from '../../base/rfc3339.ts';
import { nextCronTime, parseCron, type CronFields } from './cron.ts';

const US_PER_SECOND = 1_000_000;
const MIN_INTERVAL_NS = 1e9;
const MAX_INTERVAL_NS = 2 ** 63;

const NAMED: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@annually', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
]);

export type SchedulePattern =
  | { readonly kind: 'once'; readonly atUs: number }
  | { readonly kind: 'every'; readonly intervalUs: number }
  | { readonly kind: 'cron'; readonly fields: CronFields };

export function parseSchedule(text: string): SchedulePattern | undefined {
  if (text.startsWith('@at ')) {
    const atUs = parseRfc3339(text.slice('@at '.length));
    return atUs === undefined ? undefined : { kind: 'once', atUs };
  }
  if (text.startsWith('@every ')) {
    const interval = parseDurationNs(text.slice('@every '.length));
    if (interval === undefined || interval < MIN_INTERVAL_NS || interval >= MAX_INTERVAL_NS) return undefined;
    return { kind: 'every', intervalUs: Math.floor(interval / 1000) };
  }
  const fields = parseCron(NAMED.get(text) ?? text);
  return fields === undefined ? undefined : { kind: 'cron', fields };
}

/**
 * When the schedule fires next, having been stored or fired last at `sinceUs`. What was missed fires once: the time after
 * that counts from `nowUs`. Undefined: never again.
 */
export function nextFiring(
  pattern: SchedulePattern,
  zone: string,
  times: { readonly sinceUs: number; readonly nowUs: number },
): number | undefined {
  const { sinceUs, nowUs } = times;
  switch (pattern.kind) {
    case 'once':
      return pattern.atUs;
    case 'every': {
      const next = toSecond(sinceUs) + pattern.intervalUs;
      return next < nowUs ? toSecond(nowUs) + pattern.intervalUs : next;
    }
    case 'cron': {
      const next = nextCronTime(pattern.fields, sinceUs, zone);
      return next !== undefined && next < nowUs ? nextCronTime(pattern.fields, nowUs, zone) : next;
    }
  }
}

function toSecond(timeUs: number): number {
  return Math.round(timeUs / US_PER_SECOND) * US_PER_SECOND;
}
