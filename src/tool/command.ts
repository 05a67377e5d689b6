/** Owns what a command is: its words, its examples and what it does, declared together so that help and parsing agree. */
import type { Context } from './context.ts';
import type { Input, Parameters } from './parameters/index.ts';

export interface Command {
  readonly kind: 'command';
  /** One line, for lists of commands. */
  readonly summary: string;
  /** Further paragraphs of its help. */
  readonly details: string | undefined;
  readonly parameters: Parameters;
  /** Lines to be typed after the program's name; they work as printed. */
  readonly examples: readonly string[];
  /** `values` are those of `parameters`. */
  readonly execute: (values: Readonly<Record<string, unknown>>, context: Context) => Promise<void>;
}

export interface Group {
  readonly kind: 'group';
  readonly summary: string;
  readonly commands: Readonly<Record<string, Command | Group>>;
  /** Other words for its commands. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
}

interface CommandOptions<P extends Parameters> {
  readonly summary: string;
  readonly details?: string;
  readonly parameters: P;
  readonly examples: readonly string[];
  readonly run: (input: Input<P>, context: Context) => Promise<void>;
}

export function command<P extends Parameters>(options: CommandOptions<P>): Command {
  const { summary, details, parameters, examples, run } = options;
  // The parser reads each value with the parameter of the same name, so they have the input's types.
  const execute = (values: Readonly<Record<string, unknown>>, context: Context): Promise<void> =>
    run(values as Input<P>, context);
  return { kind: 'command', summary, details, parameters, examples, execute };
}

export function group(options: {
  readonly summary: string;
  readonly commands: Readonly<Record<string, Command | Group>>;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly examples?: readonly string[];
}): Group {
  return { kind: 'group', aliases: {}, examples: [], ...options };
}
