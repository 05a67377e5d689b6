/** Owns the kinds of words that a command takes: options with their units, and arguments by position. Pure data and parsing. */
import { UsageError } from './failure.ts';
import { parseBytes, parseDuration, parseTime } from './units.ts';

/** One option or argument. `T` is what the command gets. */
export interface Parameter<T> {
  readonly kind: 'switch' | 'option' | 'argument';
  readonly help: string;
  /** Names the value in help; of an argument, the argument. */
  readonly placeholder: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Of an argument: how many words it takes. */
  readonly arity?: 'one' | 'optional' | 'many';
  /** Reads all texts that were given, in order. @throws {UsageError} */
  readonly read: (texts: readonly string[]) => T;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** What a command gets, by the names of its parameters. */
export type Input<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };

interface Looks {
  readonly short?: string;
  readonly placeholder?: string;
}

/** Off unless given. */
export function flag(help: string, looks: Looks = {}): Parameter<boolean> {
  return { kind: 'switch', help, placeholder: '', ...looks, read: (texts) => texts.at(-1) === 'true' };
}

/** Given with `--x`, `--no-x` or `--x=false`, or left as it is. */
export function toggle(help: string, looks: Looks = {}): Parameter<boolean | undefined> {
  const read = (texts: readonly string[]): boolean | undefined =>
    texts.length === 0 ? undefined : texts.at(-1) === 'true';
  return { kind: 'switch', help, placeholder: '', ...looks, read };
}

/** An option of which the last one given counts. */
function single<T>(
  help: string,
  looks: Looks,
  placeholder: string,
  read: (text: string) => T,
): Parameter<T | undefined> {
  const readLast = (texts: readonly string[]): T | undefined => {
    const text = texts.at(-1);
    return text === undefined ? undefined : read(text);
  };
  return { kind: 'option', help, placeholder, ...looks, read: readLast };
}

export function text(help: string, looks: Looks = {}): Parameter<string | undefined> {
  return single(help, looks, 'TEXT', (value) => value);
}

export function integer(help: string, looks: Looks = {}): Parameter<number | undefined> {
  return single(help, looks, 'N', (value) => {
    const plain = value.replaceAll('_', '').replaceAll(',', '');
    if (plain === 'unlimited') return -1;
    if (!/^-?\d+$/.test(plain)) throw new UsageError(`"${value}" is not a whole number`);
    const number = Number(plain);
    if (!Number.isSafeInteger(number)) throw new UsageError(`${value} is too large`);
    return number;
  });
}

/** In bytes. */
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

export function choice<const C extends string>(
  help: string,
  choices: readonly C[],
  looks: Looks = {},
): Parameter<C | undefined> {
  return single(help, looks, choices.join('|'), (value) => {
    const found = choices.find((candidate) => candidate === value);
    if (found === undefined) throw new UsageError(`"${value}" is none of ${choices.join(', ')}`);
    return found;
  });
}

/** May be given several times, or with commas between the values. Undefined when never given. */
export function list(help: string, looks: Looks = {}): Parameter<readonly string[] | undefined> {
  const read = (texts: readonly string[]): readonly string[] | undefined =>
    texts.length === 0 ? undefined : texts.flatMap((value) => value.split(',')).filter((value) => value !== '');
  return { kind: 'option', help: `${help} (repeatable)`, placeholder: 'TEXT', ...looks, read };
}

/** Pairs such as `key=value` or `Name: value`, in order; may be given several times. Undefined when never given. */
export function pairs(
  help: string,
  separator: '=' | ':',
  looks: Looks = {},
): Parameter<readonly (readonly [string, string])[] | undefined> {
  const placeholder = separator === '=' ? 'KEY=VALUE' : 'NAME:VALUE';
  const readPair = (value: string): readonly [string, string] => {
    const at = value.indexOf(separator);
    if (at <= 0) throw new UsageError(`"${value}" has no ${separator} between name and value`);
    return [value.slice(0, at).trim(), value.slice(at + 1).trimStart()];
  };
  const read = (texts: readonly string[]): readonly (readonly [string, string])[] | undefined =>
    texts.length === 0 ? undefined : texts.map(readPair);
  return { kind: 'option', help: `${help} (repeatable)`, placeholder, ...looks, read };
}

/** The same option, with a value for when it is not given. */
export function withDefault<T>(option: Parameter<T | undefined>, value: T, shown = String(value)): Parameter<T> {
  const help = `${option.help} (default: ${shown})`;
  return { ...option, help, read: (texts) => option.read(texts) ?? value };
}

/** The same option, which must be given. */
export function mandatory<T>(option: Parameter<T | undefined>, name: string): Parameter<T> {
  return {
    ...option,
    help: `${option.help} (required)`,
    read: (texts) => {
      const value = option.read(texts);
      if (value === undefined) throw new UsageError(`--${name} is missing`);
      return value;
    },
  };
}

export function argument(placeholder: string, help: string): Parameter<string> {
  return { kind: 'argument', arity: 'one', placeholder, help, read: (texts) => texts[0]! };
}

export function sequenceArgument(placeholder: string, help: string): Parameter<number> {
  const { read } = integer(help);
  return { ...argument(placeholder, help), read: (texts) => read(texts)! };
}

export function optionalArgument(placeholder: string, help: string): Parameter<string | undefined> {
  return { kind: 'argument', arity: 'optional', placeholder, help, read: (texts) => texts[0] };
}

export function manyArguments(placeholder: string, help: string): Parameter<readonly string[]> {
  return { kind: 'argument', arity: 'many', placeholder, help, read: (texts) => texts };
}
