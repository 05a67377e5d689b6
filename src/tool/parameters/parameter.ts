/** Owns what an option or an argument is, and the options that are switches or texts. Pure data and parsing. */
import { UsageError } from '../failure.ts';

/** One option or argument. `T` is what the command gets. */
export interface Parameter<T> {
  readonly kind: 'switch' | 'option' | 'argument';
  readonly help: string;
  /** Names the value in help; of an argument, the argument. */
  readonly placeholder: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Further names, without the dashes: what the `nats` tool calls it. */
  readonly also?: readonly string[];
  /** Of an argument: how many words it takes. */
  readonly arity?: 'one' | 'optional' | 'many';
  /** Reads all texts that were given, in order. @throws {UsageError} */
  readonly read: (texts: readonly string[]) => T;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** What a command gets, by the names of its parameters. */
export type Input<P extends Parameters> = { readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };

export interface Looks {
  readonly short?: string;
  readonly placeholder?: string;
  readonly also?: readonly string[];
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
export function single<T>(
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
