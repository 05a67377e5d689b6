/** Owns reading single values: their types, units and bounds. A reader reports what is wrong and then says undefined. */
import type { Address } from './draft.ts';
import { parseDurationMs } from './durations.ts';
import type { RouteAddress } from './options.ts';
import type { Position, Problems } from './problems.ts';
import { kindName, type ConfigValue } from './values.ts';

/** What a reader works on: the value, and where and under which name its problems are reported. */
export interface Reading {
  readonly name: string;
  readonly value: ConfigValue;
  readonly position: Position;
  readonly problems: Problems;
}

export type Reader<T> = (reading: Reading) => T | undefined;

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

const MAX_PORT = 65_535;
/** Longest delay that a timer can be set to. */
const MAX_DURATION_MS = 2 ** 31 - 1;

function wrongKind(reading: Reading, wanted: string): void {
  reading.problems.error(reading.position, `${reading.name}: expected ${wanted}, got ${kindName(reading.value.kind)}`);
}

function within(reading: Reading, value: number, bounds: Bounds): number | undefined {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  if (value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `between ${min} and ${max}`;
  reading.problems.error(reading.position, `${reading.name}: ${value} is out of range, it must be ${range}`);
  return undefined;
}

export const text: Reader<string> = (reading) => {
  if (reading.value.kind === 'string') return reading.value.value;
  wrongKind(reading, 'a string');
  return undefined;
};

/** A name that appears in subjects and URLs: no blanks. */
export function nameText(what: string): Reader<string> {
  return (reading) => {
    const value = text(reading);
    if (value === undefined || !/\s/.test(value)) return value;
    reading.problems.error(reading.position, `${what} cannot contain spaces`);
    return undefined;
  };
}

export const flag: Reader<boolean> = (reading) => {
  if (reading.value.kind === 'boolean') return reading.value.value;
  wrongKind(reading, 'a boolean');
  return undefined;
};

export function integer(bounds: Bounds): Reader<number> {
  return (reading) => {
    if (reading.value.kind === 'integer') return within(reading, reading.value.value, bounds);
    wrongKind(reading, 'an integer');
    return undefined;
  };
}

/** Sizes of JetStream: an integer, or a quoted one with `K M G T` as powers of 1024. */
export function storageSize(bounds: Bounds): Reader<number> {
  return (reading) => {
    if (reading.value.kind === 'integer') return within(reading, reading.value.value, bounds);
    if (reading.value.kind !== 'string') {
      wrongKind(reading, 'a size');
      return undefined;
    }
    const match = /^(-?\d+)([KMGT])?$/.exec(reading.value.value);
    if (match === null) {
      reading.problems.error(
        reading.position,
        `${reading.name}: "${reading.value.value}" is no size: a quoted one is digits with K, M, G or T at most`,
      );
      return undefined;
    }
    const [, digits = '', letter] = match;
    return within(reading, Number(digits) * 1024 ** (letter === undefined ? 0 : 'KMGT'.indexOf(letter) + 1), bounds);
  };
}

/** In milliseconds. `seconds: 'allowed'`: a bare integer is seconds, and is warned about. */
export function duration(options: Bounds & { readonly seconds?: 'allowed' }): Reader<number> {
  return (reading) => {
    const { name, value, position, problems } = reading;
    if (value.kind === 'integer' && options.seconds === 'allowed') {
      problems.warn(position, `${name}: ${value.value} is read as seconds; write a duration such as "${value.value}s"`);
      return within(reading, value.value * 1000, { min: 0, max: MAX_DURATION_MS, ...options });
    }
    if (value.kind !== 'string') {
      wrongKind(reading, 'a duration such as "10s"');
      return undefined;
    }
    const milliseconds = parseDurationMs(value.value);
    if (milliseconds === undefined) {
      problems.error(position, `${name}: "${value.value}" is not a duration such as "100ms", "10s" or "1h30m"`);
      return undefined;
    }
    return within(reading, milliseconds, { min: 0, max: MAX_DURATION_MS, ...options });
  };
}

/** A timeout: seconds as a number, or a duration. */
export const timeout: Reader<number> = (reading) => {
  const { value } = reading;
  if (value.kind === 'integer' || value.kind === 'float')
    return within(reading, value.value * 1000, { max: MAX_DURATION_MS });
  return duration({})(reading);
};

/** -1 asks for any free port. */
export const port: Reader<number> = integer({ min: -1, max: MAX_PORT });

/** A port, `"host:port"` or `":port"`. */
export const address: Reader<Address> = (reading) => {
  if (reading.value.kind === 'integer') {
    const number = port(reading);
    return number === undefined ? undefined : { host: undefined, port: number };
  }
  if (reading.value.kind !== 'string') {
    wrongKind(reading, 'a port or "host:port"');
    return undefined;
  }
  const parsed = parseAddress(reading.value.value);
  if (parsed === undefined) {
    reading.problems.error(reading.position, `${reading.name}: could not parse address "${reading.value.value}"`);
  }
  return parsed;
};

/** `host:port`, `:port`, `[::1]:port`; undefined if it is none of them. */
export function parseAddress(written: string): Address | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(-?\d{1,5})$/.exec(written);
  if (match === null) return undefined;
  const host = match[1] ?? match[2] ?? '';
  const number = Number(match[3]);
  if (number < -1 || number > MAX_PORT) return undefined;
  return { host: host === '' ? undefined : host, port: number };
}

/** One string, or an array of them. */
export const texts: Reader<readonly string[]> = (reading) => {
  if (reading.value.kind === 'string') return [reading.value.value];
  if (reading.value.kind !== 'array') {
    wrongKind(reading, 'a string or an array of strings');
    return undefined;
  }
  const values: string[] = [];
  for (const item of reading.value.items) {
    const value = text({ ...reading, value: item, position: item.position });
    if (value !== undefined) values.push(value);
  }
  return values;
};

export const textMap: Reader<Readonly<Record<string, string>>> = (reading) => {
  if (reading.value.kind !== 'map') {
    wrongKind(reading, 'a map of strings');
    return undefined;
  }
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const entry of reading.value.entries.values()) {
    const value = text({
      ...reading,
      name: `${reading.name}.${entry.key}`,
      value: entry.value,
      position: entry.position,
    });
    if (value !== undefined) values[entry.key] = value;
  }
  return values;
};

/** `nats://[user:pass@]host:port`, one or an array of them. */
export const routes: Reader<readonly RouteAddress[]> = (reading) => {
  if (reading.value.kind !== 'array') {
    wrongKind(reading, 'an array of route URLs');
    return undefined;
  }
  const values: RouteAddress[] = [];
  for (const item of reading.value.items) {
    const url = text({ ...reading, value: item, position: item.position });
    if (url === undefined) continue;
    const route = parseRoute(url);
    if (route === undefined) reading.problems.error(item.position, `error parsing route url "${url}"`);
    else values.push(route);
  }
  return values;
};

export function parseRoute(written: string): RouteAddress | undefined {
  const match = /^(?:nats|nats-route|tls):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/@]+)\/?$/.exec(written.trim());
  if (match === null) return undefined;
  const parsed = parseAddress(match[3]!);
  if (parsed?.host === undefined || parsed.port < 1) return undefined;
  return { host: parsed.host, port: parsed.port, user: decode(match[1]), password: decode(match[2]) };
}

/** Credentials in URLs are percent-encoded; text that is not is taken as it stands. */
function decode(part: string | undefined): string | undefined {
  if (part === undefined || part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone "%" is a legitimate character of a password
  }
}
