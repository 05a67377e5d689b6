/** Owns the options that are quantities: numbers with their bounds, sizes, durations, times. */
import { UsageError } from '../failure.ts';
import { parseBytes, parseDuration, parseTime } from '../units.ts';
import { single, type Looks, type Parameter } from './parameter.ts';

/** @throws {UsageError} when it is no whole number from `least` on. */
export function parseInteger(text: string, least: number): number {
  const plain = text.replaceAll('_', '').replaceAll(',', '');
  if (!/^-?\d+$/.test(plain)) throw new UsageError(`"${text}" is not a whole number`);
  const number = Number(plain);
  if (!Number.isSafeInteger(number)) throw new UsageError(`${text} is too large`);
  if (number < least) throw new UsageError(`${text} is less than ${least}`);
  return number;
}

/** From 0 on. */
export function integer(help: string, looks: Looks = {}): Parameter<number | undefined> {
  return single(help, looks, 'N', (value) => parseInteger(value, 0));
}

/** From 1 on: how many, or where a sequence begins. */
export function count(help: string, looks: Looks = {}): Parameter<number | undefined> {
  return single(help, looks, 'N', (value) => parseInteger(value, 1));
}

/** -1 and `unlimited` are no limit. */
export function limit(help: string, looks: Looks = {}): Parameter<number | undefined> {
  return single(help, looks, 'N', (value) => (value === 'unlimited' ? -1 : parseInteger(value, -1)));
}

/** In bytes; -1 and `unlimited` are no limit. */
export function bytes(help: string, looks: Looks = {}): Parameter<number | undefined> {
  return single(help, looks, 'SIZE', parseBytes);
}

/** In milliseconds. */
export function duration(help: string, looks: Looks = {}): Parameter<number | undefined> {
  return single(help, looks, 'DURATION', parseDuration);
}

/** RFC 3339. */
export function time(help: string, looks: Looks = {}): Parameter<string | undefined> {
  return single(help, looks, 'TIME', (value) => parseTime(value, Date.now()));
}
