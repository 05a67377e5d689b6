/** Owns how times, durations and numbers beyond JavaScript's are written in monitoring's JSON. */
import { randomUUID } from 'node:crypto';

/** The reference server's zero time. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC without trailing zeros. */
export function formatTime(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const [seconds = ''] = new Date(milliseconds).toISOString().split('.');
  const fraction = String(Math.floor(microseconds) % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
const YEAR_S = 365 * DAY_S;

/** `1y2d3h4m5s` without leading zero units; what exporters parse. */
export function formatUptime(microseconds: number): string {
  const total = Math.max(0, Math.floor(microseconds / 1e6));
  const years = Math.floor(total / YEAR_S);
  const days = Math.floor((total % YEAR_S) / DAY_S);
  const hours = Math.floor((total % DAY_S) / HOUR_S);
  const minutes = Math.floor((total % HOUR_S) / MINUTE_S);
  const seconds = total % MINUTE_S;
  if (years > 0) return `${years}y${days}d${hours}h${minutes}m${seconds}s`;
  if (days > 0) return `${days}d${hours}h${minutes}m${seconds}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}

/** A short duration as Go prints it: `148µs`, `300.834ms`, `1.5s`. */
export function formatRtt(microseconds: number): string {
  if (microseconds < 1) return `${Math.max(0, Math.round(microseconds * 1000))}ns`;
  if (microseconds < 1000) return `${round(microseconds)}µs`;
  if (microseconds < 1e6) return `${round(microseconds / 1000)}ms`;
  const minutes = Math.floor(microseconds / 60e6);
  const seconds = `${round((microseconds % 60e6) / 1e6)}s`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/**
 * Stands for 2^64-1, the reference server's "unlimited" in unsigned fields. No JavaScript number has these digits, and
 * the nearest one makes Go programs refuse the whole document, so the digits are put in after serialization. The name is
 * new in every process, so that nobody's data can look like it.
 */
export const UINT64_MAX = `uint64-max-${randomUUID()}`;
const UINT64_MAX_DIGITS = '18446744073709551615';

export function toJson(value: unknown, indent: number): string {
  return JSON.stringify(value, undefined, indent).replaceAll(`"${UINT64_MAX}"`, UINT64_MAX_DIGITS);
}

/** `member` if it says something: zero, empty and false are left out, as Go's `omitempty` does. */
export function unlessEmpty<Key extends string, Value>(
  key: Key,
  member: Value,
): Partial<Record<Key, NonNullable<Value>>> {
  const empty =
    member === undefined ||
    member === null ||
    member === 0 ||
    member === '' ||
    member === false ||
    (Array.isArray(member) && member.length === 0);
  return empty ? {} : ({ [key]: member } as Record<Key, NonNullable<Value>>);
}
