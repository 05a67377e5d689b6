/** Owns going through one map of the configuration by a table of options: names, aliases, and what is not an option. */
import type { Position, Problems } from './problems.ts';
import type { Reader, Reading } from './readers.ts';
import { kindName, type ConfigMap } from './values.ts';

/** Takes one option's value into the draft of its section. */
export type OptionHandler<Draft> = (draft: Draft, reading: Reading) => void;

/** Handlers by lower-case option name; aliases have entries of their own. */
export type Section<Draft> = ReadonlyMap<string, OptionHandler<Draft>>;

/** Builds a section from rows of names (the first is the one used in messages) and a handler. */
export function section<Draft>(
  rows: readonly (readonly [names: string, handler: OptionHandler<Draft>])[],
): Section<Draft> {
  const handlers = new Map<string, OptionHandler<Draft>>();
  for (const [names, handler] of rows) {
    for (const name of names.split(' ')) handlers.set(name, handler);
  }
  return handlers;
}

/** Reads every entry of `map` into `draft`. Option names are case-insensitive. */
export function readSection<Draft>(
  map: ConfigMap,
  options: Section<Draft>,
  draft: Draft,
  problems: Problems,
  path = '',
): void {
  for (const entry of map.entries.values()) {
    const handler = options.get(entry.key.toLowerCase());
    if (handler !== undefined) {
      handler(draft, { name: path + entry.key, value: entry.value, position: entry.position, problems });
    } else if (!entry.usedAsVariable) {
      problems.error(entry.position, `unknown field "${entry.key}"`);
    }
  }
}

/** The plain case: one value, one member of the draft. */
export function set<Draft, Key extends keyof Draft>(
  key: Key,
  read: Reader<NonNullable<Draft[Key]>>,
): OptionHandler<Draft> {
  return (draft, reading) => {
    const value = read(reading);
    if (value !== undefined) draft[key] = value;
  };
}

/** An option whose value is a map with options of its own. */
export function nested<Draft, Inner>(
  options: Section<Inner>,
  select: (draft: Draft, position: Position) => Inner,
): OptionHandler<Draft> {
  return (draft, reading) => {
    const { name, value, position, problems } = reading;
    if (value.kind === 'map') readSection(value, options, select(draft, position), problems, `${name}.`);
    else problems.error(position, `${name}: expected a map, got ${kindName(value.kind)}`);
  };
}

/**
 * A known option of the reference server that this server can't honour. It must not be ignored: whoever configured
 * authentication or encryption would believe to have it. Switched off explicitly, it asks for nothing.
 */
export function unsupported<Draft>(): OptionHandler<Draft> {
  return (_draft, { name, value, position, problems }) => {
    if (value.kind === 'boolean' && !value.value) return;
    problems.error(position, `"${name}" is not supported by this version`);
  };
}

/** A known option that has nothing to act on here, and whose absence nobody would notice. Not even its type matters. */
export function inert<Draft>(): OptionHandler<Draft> {
  return () => undefined;
}
