/**
 * Owns cron patterns of six fields (seconds, minutes, hours, day of month, month, day of week), and the times they name
 * on the clocks of a time zone. Clocks that are put forward skip the times in between; those of an hour that comes twice
 * fire twice.
 */
import { isKnownZone, zoneOffsetMs } from './time-zones.ts';

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** A pattern that names no time within so many years names none. */
const HORIZON_MS = 5 * 366 * DAY_MS;
/** No zone changes its clocks twice within this time. */
const STEP_MS = 14 * DAY_MS;

interface Range {
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const DAYS_PER_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const SECONDS: Range = { least: 0, most: 59, names: [] };
const HOURS: Range = { least: 0, most: 23, names: [] };
const DAYS: Range = { least: 1, most: 31, names: [] };
const MONTHS_OF_YEAR: Range = { least: 1, most: 12, names: MONTHS };
const DAYS_OF_WEEK: Range = { least: 0, most: 6, names: WEEKDAYS };

/** Allowed values by number; `isAny`: the field restricts nothing. */
interface Field {
  readonly allowed: readonly boolean[];
  readonly isAny: boolean;
}

export interface CronFields {
  readonly seconds: Field;
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  readonly weekdays: Field;
}

/** Undefined: not six good fields, or no day of the year fits them. */
export function parseCron(text: string): CronFields | undefined {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== 6) return undefined;
  const seconds = parseField(parts[0]!, SECONDS);
  const minutes = parseField(parts[1]!, SECONDS);
  const hours = parseField(parts[2]!, HOURS);
  const days = parseField(parts[3]!, DAYS);
  const months = parseField(parts[4]!, MONTHS_OF_YEAR);
  const weekdays = parseField(parts[5]!, DAYS_OF_WEEK);
  if (!seconds || !minutes || !hours || !days || !months || !weekdays) return undefined;
  const fields = { seconds, minutes, hours, days, months, weekdays };
  return namesADay(fields) ? fields : undefined;
}

/** The first time behind `afterUs`, in microseconds. Undefined: none for years, or the zone is not known here. */
export function nextCronTime(fields: CronFields, afterUs: number, zone: string): number | undefined {
  if (!isKnownZone(zone)) return undefined;
  let from = (Math.floor(afterUs / 1000 / SECOND_MS) + 1) * SECOND_MS;
  const horizon = from + HORIZON_MS;
  while (from < horizon) {
    const offset = zoneOffsetMs(zone, from);
    const local = nextLocal(fields, from + offset, horizon + offset);
    const time = local === undefined ? horizon : local - offset;
    const change = firstChange(zone, from, time);
    if (change === undefined) return local === undefined ? undefined : time * 1000;
    // The clocks change before: what they show from then on is searched anew.
    from = change;
  }
  return undefined;
}

function parseField(text: string, range: Range): Field | undefined {
  const allowed = new Array<boolean>(range.most + 1).fill(false);
  let isAny = false;
  const items = text.split(',').filter((item) => item !== '');
  if (items.length === 0) return undefined;
  for (const item of items) {
    const parsed = parseItem(item, range);
    if (parsed === undefined) return undefined;
    const { first, last, step } = parsed;
    for (let value = first; value <= last; value += step) allowed[value] = true;
    isAny ||= parsed.isAny;
  }
  return { allowed, isAny };
}

/** `*`, `?`, `n`, `n-m`, each with `/step`; `n/step` goes on to the end. */
function parseItem(
  item: string,
  range: Range,
): { readonly first: number; readonly last: number; readonly step: number; readonly isAny: boolean } | undefined {
  const [span, stepText, ...more] = item.split('/');
  if (span === undefined || more.length > 0) return undefined;
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  if (step === undefined || step === 0) return undefined;
  const [low, high, ...rest] = span.split('-');
  if (low === undefined || rest.length > 0) return undefined;
  if (low === '*' || low === '?') return { first: range.least, last: range.most, step, isAny: step === 1 };
  const first = parseValue(low, range);
  const last = high !== undefined ? parseValue(high, range) : stepText === undefined ? first : range.most;
  if (first === undefined || last === undefined || first > last) return undefined;
  return first < range.least || last > range.most ? undefined : { first, last, step, isAny: false };
}

function parseValue(text: string, { least, names }: Range): number | undefined {
  const name = names.indexOf(text.toLowerCase());
  return name >= 0 ? name + least : parseNumber(text);
}

function parseNumber(text: string): number | undefined {
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function namesADay({ days, months, weekdays }: CronFields): boolean {
  if (days.isAny || !weekdays.isAny) return true;
  return DAYS_PER_MONTH.some((length, month) => months.allowed[month + 1]! && days.allowed.indexOf(true) <= length);
}

/** The first fitting time at or behind `from`, before `until`: readings of a clock, in milliseconds as if it were UTC. */
function nextLocal(fields: CronFields, from: number, until: number): number | undefined {
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < until; day += DAY_MS) {
    const date = new Date(day);
    if (!fields.months.allowed[date.getUTCMonth() + 1]!) {
      day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - DAY_MS;
      continue;
    }
    if (!fitsDay(fields, date)) continue;
    const time = nextOfDay(fields, Math.max(0, from - day));
    if (time !== undefined) return day + time;
  }
  return undefined;
}

/** With both of them restricted, either kind of day will do. */
function fitsDay({ days, weekdays }: CronFields, date: Date): boolean {
  const fitsDate = days.allowed[date.getUTCDate()]!;
  const fitsWeekday = weekdays.allowed[date.getUTCDay()]!;
  return days.isAny || weekdays.isAny ? fitsDate && fitsWeekday : fitsDate || fitsWeekday;
}

/** The first fitting time of a day at or behind `from`, both in milliseconds since midnight. */
function nextOfDay({ hours, minutes, seconds }: CronFields, from: number): number | undefined {
  const start = Math.ceil(from / SECOND_MS);
  for (let hour = Math.floor(start / 3600); hour < 24; hour++) {
    if (!hours.allowed[hour]!) continue;
    for (let minute = Math.max(0, Math.floor((start - hour * 3600) / 60)); minute < 60; minute++) {
      if (!minutes.allowed[minute]!) continue;
      const passed = hour * 3600 + minute * 60;
      const second = seconds.allowed.indexOf(true, Math.max(0, start - passed));
      if (second >= 0) return (passed + second) * SECOND_MS;
    }
  }
  return undefined;
}

/** The first time in (from, to] at which the zone's clocks are not what they were; undefined: they go on to `to`. */
function firstChange(zone: string, from: number, to: number): number | undefined {
  const offset = zoneOffsetMs(zone, from);
  for (let start = from; start < to; start += STEP_MS) {
    const end = Math.min(to, start + STEP_MS);
    if (zoneOffsetMs(zone, end) !== offset) return bisectChange(zone, start, end);
  }
  return undefined;
}

function bisectChange(zone: string, from: number, to: number): number {
  const offset = zoneOffsetMs(zone, from);
  let same = from;
  let other = to;
  while (other - same > SECOND_MS) {
    const middle = Math.floor((same + other) / 2 / SECOND_MS) * SECOND_MS;
    if (zoneOffsetMs(zone, middle) === offset) same = middle;
    else other = middle;
  }
  return other;
}
