/**
 * Owns the arithmetic of counters (streams.md 7.7) and their form in messages. Totals are numbers as long as these are
 * exact, and grow beyond that without bound.
 */

export type Count = number | bigint;

/** By stream and subject there: what each source has contributed so far. */
export type CounterSources = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What the last message of a subject says. */
export interface Counter {
  readonly total: Count;
  /** Undefined: it is not fed by sources. */
  readonly sources: CounterSources | undefined;
}

export const NO_COUNTER: Counter = { total: 0, sources: undefined };
export const COUNTER_SOURCES_HEADER = 'Nats-Counter-Sources';

const DECIMAL = /^[+-]?[0-9]+$/;
/** Decimals up to this length are exact as numbers, whatever their digits. */
const EXACT_DIGITS = 15;

/** Undefined: `text` is not a whole decimal number. */
export function parseCount(text: string): Count | undefined {
  if (!DECIMAL.test(text)) return undefined;
  if (text.length <= EXACT_DIGITS) return Number(text);
  return exact(text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', '')));
}

export function addCounts(a: Count, b: Count): Count {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return exact(BigInt(a) + BigInt(b));
}

export function subtractCounts(a: Count, b: Count): Count {
  return addCounts(a, -b);
}

/** Reads a stored message: its payload, and the text of its `Nats-Counter-Sources`. Undefined: it is no counter. */
export function readCounter(payload: Buffer, sources: string | undefined): Counter | undefined {
  const body = parseObject(payload.toString());
  if (body === undefined) return undefined;
  const value = body['val'] ?? '0';
  const total = typeof value === 'string' ? parseCount(value) : undefined;
  if (total === undefined) return undefined;
  if (sources === undefined || sources === '' || sources === 'null') return { total, sources: undefined };
  const parsed = parseObject(sources);
  if (!isSources(parsed)) return undefined;
  return { total, sources: Object.keys(parsed).length === 0 ? undefined : parsed };
}

export function counterPayload(total: Count): Buffer {
  return Buffer.from(`{"val":"${total}"}`);
}

/** What a subject there has contributed so far; what can't be read as a count is nothing, as with the reference server. */
export function shareOf({ sources }: Counter, origin: string, subject: string): Count {
  // The names are anybody's: they must not be found among what every object has.
  if (sources === undefined || !Object.hasOwn(sources, origin)) return 0;
  const shares = sources[origin]!;
  return Object.hasOwn(shares, subject) ? (parseCount(shares[subject]!) ?? 0) : 0;
}

export function withShare(
  sources: CounterSources,
  { origin, subject, total }: { readonly origin: string; readonly subject: string; readonly total: Count },
): CounterSources {
  const shares = Object.hasOwn(sources, origin) ? sources[origin] : {};
  return { ...sources, [origin]: { ...shares, [subject]: String(total) } };
}

/** Sorted, as the reference server writes it. */
export function sourcesText(sources: CounterSources): string {
  return objectText(sources, (shares) => objectText(shares, jsonText));
}

/** Written member by member: objects put members that look like numbers first. */
function objectText<T>(members: Readonly<Record<string, T>>, valueText: (value: T) => string): string {
  const names = Object.keys(members).sort();
  return `{${names.map((name) => `${jsonText(name)}:${valueText(members[name]!)}`).join(',')}}`;
}

function jsonText(text: string): string {
  return JSON.stringify(text).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

function exact(count: bigint): Count {
  const number = Number(count);
  return Number.isSafeInteger(number) ? number : count;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // Whatever else is stored there, it is no counter.
  }
}

function isSources(value: Record<string, unknown> | undefined): value is Record<string, Record<string, string>> {
  return (
    value !== undefined &&
    Object.values(value).every(
      (totals) =>
        typeof totals === 'object' &&
        totals !== null &&
        Object.values(totals).every((total) => typeof total === 'string'),
    )
  );
}
