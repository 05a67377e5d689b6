/** Owns how a log line looks: `[pid] 2026/11/23 10:43:26.602757 [INF] text key=value`, as tools and people expect it. */

/** The names under which pino hands over what is not a field of the caller's. */
export const LEVEL_KEY = '@level';
export const TIME_KEY = '@time';
export const EVENT_KEY = '@event';

export interface LineFormat {
  readonly pid: number;
  readonly time: boolean;
  readonly timeUtc: boolean;
  readonly colored: boolean;
}

type LevelName = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const LABELS: Readonly<Record<LevelName, string>> = {
  trace: 'TRC',
  debug: 'DBG',
  info: 'INF',
  warn: 'WRN',
  error: 'ERR',
  fatal: 'FTL',
};

/** ANSI colours by level. */
const COLORS: Readonly<Record<LevelName, number>> = { trace: 33, debug: 36, info: 32, warn: 33, error: 31, fatal: 31 };

/** `record`: what pino wrote, parsed. Fields follow the event in the order in which they were given. */
export function formatLine(record: Readonly<Record<string, unknown>>, format: LineFormat): string {
  const level = record[LEVEL_KEY] as LevelName;
  const label = format.colored ? `\u001b[${COLORS[level]}m${LABELS[level]}\u001b[0m` : LABELS[level];
  const time = format.time ? ` ${formatTime(record[TIME_KEY] as number, format.timeUtc)}` : '';
  let line = `[${format.pid}]${time} [${label}] ${record[EVENT_KEY] as string}`;
  for (const [key, value] of Object.entries(record)) {
    if (key !== LEVEL_KEY && key !== TIME_KEY && key !== EVENT_KEY) line += ` ${key}=${formatValue(value)}`;
  }
  return `${line}\n`;
}

/** A line stays a line whatever is in the value. */
function formatValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' && !/^[^\s"=\p{Cc}]+$/u.test(text) ? JSON.stringify(text) : text;
}

function formatTime(microseconds: number, utc: boolean): string {
  const date = new Date(microseconds / 1000);
  const shifted = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const [day = '', clock = ''] = shifted.toISOString().split('T');
  const fraction = String(Math.floor(microseconds % 1_000_000)).padStart(6, '0');
  return `${day.replaceAll('-', '/')} ${clock.slice(0, 8)}.${fraction}`;
}
