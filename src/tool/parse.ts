/**
 * Owns the syntax of a command's words: `--name value`, `--name=value`, `--switch`, `--no-switch`, `-s value`, `--` before
 * words that are none of these. An option's value may begin with a dash, so that `--max-msgs -1` works.
 */
import { UsageError } from './failure.ts';
import type { Parameter, Parameters } from './parameters/index.ts';
import { didYouMean } from './suggestion.ts';

export type Parsed =
  { readonly kind: 'help' } | { readonly kind: 'input'; readonly values: Readonly<Record<string, unknown>> };

/** `maxBytes` is given as `--max-bytes`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** @throws {UsageError} */
export function parse(parameters: Parameters, words: readonly string[]): Parsed {
  const reader = new WordReader(parameters);
  if (!reader.readAll(words)) return { kind: 'help' };
  return { kind: 'input', values: reader.values() };
}

class WordReader {
  readonly #parameters: Parameters;
  readonly #keyOfFlag = new Map<string, string>();
  /** Texts given, by the parameter's key. */
  readonly #texts = new Map<string, string[]>();
  readonly #positional: string[] = [];

  constructor(parameters: Parameters) {
    this.#parameters = parameters;
    for (const [key, parameter] of Object.entries(parameters)) {
      if (parameter.kind === 'argument') continue;
      for (const name of [optionName(key), ...(parameter.also ?? [])]) {
        this.#keyOfFlag.set(`--${name}`, key);
        if (parameter.kind === 'switch') this.#keyOfFlag.set(`--no-${name}`, key);
      }
      if (parameter.short !== undefined) this.#keyOfFlag.set(`-${parameter.short}`, key);
    }
  }

  /** False when help is asked for. */
  readAll(words: readonly string[]): boolean {
    for (let next = 0; next < words.length; next++) {
      const word = words[next]!;
      if (word === '--') {
        this.#positional.push(...words.slice(next + 1));
        return true;
      }
      if (word === '--help' || word === '-h') return false;
      if (word === '-' || !word.startsWith('-')) this.#positional.push(word);
      else if (this.#readFlag(word, words[next + 1])) next += 1;
    }
    return true;
  }

  /** True when the following word belongs to it. */
  #readFlag(word: string, following: string | undefined): boolean {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const inline = equals < 0 ? undefined : word.slice(equals + 1);
    const key = this.#keyOfFlag.get(name);
    if (key === undefined) throw new UsageError(`unknown option ${name}${didYouMean(name, this.#keyOfFlag.keys())}`);
    if (this.#parameters[key]!.kind === 'switch') {
      this.#give(key, switchText(name, inline));
      return false;
    }
    const value = inline ?? following;
    if (value === undefined) throw new UsageError(`option ${name} needs a value`);
    this.#give(key, value);
    return inline === undefined;
  }

  #give(key: string, value: string): void {
    const texts = this.#texts.get(key);
    if (texts === undefined) this.#texts.set(key, [value]);
    else texts.push(value);
  }

  values(): Readonly<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    let taken = 0;
    for (const [key, parameter] of Object.entries(this.#parameters)) {
      if (parameter.kind === 'argument') {
        const texts = this.#positionalFor(parameter, taken);
        taken += texts.length;
        values[key] = readNamed(parameter, parameter.placeholder, texts);
      } else {
        values[key] = readNamed(parameter, `--${optionName(key)}`, this.#texts.get(key) ?? []);
      }
    }
    const surplus = this.#positional[taken];
    if (surplus !== undefined) throw new UsageError(`"${surplus}" is one word too many`);
    return values;
  }

  #positionalFor(parameter: Parameter<unknown>, taken: number): readonly string[] {
    if (parameter.arity === 'many') return this.#positional.slice(taken);
    const word = this.#positional[taken];
    if (word !== undefined) return [word];
    if (parameter.arity === 'one') throw new UsageError(`${parameter.placeholder} is missing`);
    return [];
  }
}

function switchText(name: string, inline: string | undefined): string {
  const negated = name.startsWith('--no-');
  if (inline === undefined) return String(!negated);
  if (negated || (inline !== 'true' && inline !== 'false')) throw new UsageError(`${name} takes no value ${inline}`);
  return inline;
}

/** A complaint about a value says whose value it is. */
function readNamed(parameter: Parameter<unknown>, name: string, texts: readonly string[]): unknown {
  try {
    return parameter.read(texts);
  } catch (error) {
    if (!(error instanceof UsageError) || error.message.startsWith('--')) throw error;
    throw new UsageError(`${name}: ${error.message}`);
  }
}
