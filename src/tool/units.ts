/** Owns quantities as people write and read them: bytes, durations, counts, times. */
import { UsageError } from './failure.ts';

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9,
  t: 2 ** 40,
  tib: 2 ** 40,
  tb: 1e12,
};

/** `10MiB`, `1.5GB`, `64K` (binary), `1024`. `-1` and `unlimited` are -1. @throws {UsageError} */
export function parseBytes(text: string): number {
  if (text === '-1' || text === 'unlimited') return -1;
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text);
  const unit = BYTE_UNITS[match?.[2]!.toLowerCase() ?? '?'];
  if (match === null || unit === undefined) throw new UsageError(`"${text}" is not a size such as 10MiB, 64K or 1GB`);
  return Math.round(Number(match[1]) * unit);
}

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};
const NANOS_PER_MS = 1_000_000;

/** `5m`, `1h30m`, `250ms`, `2d`, `0`; in milliseconds. @throws {UsageError} */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w|y)/g)];
  const read = parts.map(([part]) => part).join('');
  if (text === '' || read !== text) throw new UsageError(`"${text}" is not a duration such as 5m, 1h30m or 250ms`);
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * DURATION_UNITS_MS[unit!]!, 0);
}

/** The API's durations are nanoseconds. */
export function toNanos(milliseconds: number): number {
  return Math.round(milliseconds * NANOS_PER_MS);
}

export function fromNanos(nanos: number): number {
  return nanos / NANOS_PER_MS;
}

/** A time as the API wants it, from a date, a date and time, or a duration that reaches back from now. @throws {UsageError} */
export function parseTime(text: string, now: number): string {
  if (/^\d+(\.\d+)?[a-zµ]/.test(text)) return new Date(now - parseDuration(text)).toISOString();
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new UsageError(`"${text}" is not a time such as 2026-01-31T12:00:00Z or 1h (ago)`);
  return new Date(time).toISOString();
}

/** The same, of which a duration reaches forward from now. @throws {UsageError} */
export function parseFutureTime(text: string): string {
  if (/^\d{4}-/.test(text)) return parseTime(text, Date.now());
  return new Date(Date.now() + parseDuration(text)).toISOString();
}

const BYTE_NAMES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < BYTE_NAMES.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? amount : trim(amount.toFixed(amount < 100 ? 1 : 0))} ${BYTE_NAMES[unit]!}`;
}

/** The API says "no limit" with -1, and at times with 0. */
export function formatLimit(limit: number | undefined, format: (value: number) => string = formatCount): string {
  return limit === undefined || limit <= 0 ? 'unlimited' : format(limit);
}

/** `1 message`, `2,998 messages`. */
export function formatCountOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const GROUPS_OF_THREE = /\B(?=(\d{3})+$)/g;

export function formatCount(count: number): string {
  const [whole, fraction] = String(count).split('.');
  return whole!.replace(GROUPS_OF_THREE, ',') + (fraction === undefined ? '' : `.${fraction}`);
}

const LONG_UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['y', DURATION_UNITS_MS['y']!],
  ['d', DURATION_UNITS_MS['d']!],
  ['h', DURATION_UNITS_MS['h']!],
  ['m', DURATION_UNITS_MS['m']!],
];

/** All of it, as it may be given again: `1h30m`, `2d`, `1.5s`, `250ms`, `12µs`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  if (milliseconds < 0) return `-${formatDuration(-milliseconds)}`;
  if (milliseconds < 1) return `${trim((milliseconds * 1000).toFixed(1))}µs`;
  if (milliseconds < 1000) return `${trim(milliseconds.toFixed(2))}ms`;
  let rest = milliseconds;
  let text = '';
  for (const [name, unit] of LONG_UNITS) {
    const amount = Math.floor(rest / unit);
    if (amount > 0) text += `${amount}${name}`;
    rest -= amount * unit;
  }
  return rest === 0 ? text : `${text}${trim((rest / 1000).toFixed(3))}s`;
}

/** As headers want it: they know no units above the hour. */
export function formatGoDuration(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/** How long ago, in its two largest units. */
export function formatAge(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))}ms`;
  const parts = formatDuration(Math.round(milliseconds / 1000) * 1000).match(/[\d.]+[a-z]+/g) ?? [];
  return parts.slice(0, 2).join('');
}

const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Local date and time; the API's zero time is "never". */
export function formatTime(time: string | Date | undefined): string {
  if (time === undefined || time === ZERO_TIME) return 'never';
  const date = new Date(time);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

/** Drops the zeros that end a fraction. */
function trim(number: string): string {
  return number.includes('.') ? number.replace(/\.?0+$/, '') : number;
}
