/** Owns the way from the words on the command line to an exit code. */
import type { Command, Group } from './command.ts';
import { ALIASES, COMMANDS } from './commands.ts';
import { COMMON_OPTIONS, type CommonOptions } from './connection/index.ts';
import { Context, type Surroundings } from './context.ts';
import { describe, UsageError } from './failure.ts';
import { commandHelp, groupHelp, overview, PROGRAM } from './help.ts';
import { styleFor } from './output/index.ts';
import { parse } from './parse.ts';
import { didYouMean } from './suggestion.ts';

const SUCCESS = 0;
const FAILURE = 1;
const USAGE = 2;
/** What shells say of a command that Ctrl-C ended. */
const INTERRUPTED = 130;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const CLEANING_UP_MS = 300;

/** `words` come after the program's name. Never throws: what goes wrong is said in one line on stderr. */
export async function runTool(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const path: string[] = [];
  try {
    return await dispatch(words, path, surroundings);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    surroundings.stderr.write(`${PROGRAM}: ${describe(error)}\n`);
    if (isUsage) surroundings.stderr.write(`Try: ${['millrace help', ...path].join(' ')}\n`);
    return isUsage ? USAGE : FAILURE;
  }
}

/** `path` becomes the words that were understood, for the hint after a failure. */
async function dispatch(words: readonly string[], path: string[], surroundings: Surroundings): Promise<number> {
  const { stdout, env } = surroundings;
  const style = styleFor(stdout.isTTY, env);
  const wantsHelp = words[0] === 'help';
  const rest = wantsHelp ? words.slice(1) : [...words];
  if (rest.length === 0) {
    stdout.write(
      overview(
        Object.entries(COMMANDS).map(([name, { summary }]) => ({ name, summary })),
        style,
      ),
    );
    return SUCCESS;
  }
  const found = await find(rest, path);
  if (found.kind === 'group') {
    const next = rest[path.length];
    if (next !== undefined && !isHelp(next)) {
      const hint = next.startsWith('-')
        ? '; options come after the command'
        : didYouMean(next, Object.keys(found.commands));
      throw new UsageError(`unknown command "${[...path, next].join(' ')}"${hint}`);
    }
    stdout.write(groupHelp(found, path, style));
    return next !== undefined || wantsHelp ? SUCCESS : USAGE;
  }
  const parsed = wantsHelp ? HELP : parse({ ...found.parameters, ...COMMON_OPTIONS }, rest.slice(path.length));
  if (parsed.kind === 'help') {
    stdout.write(commandHelp(found, path, style));
    return SUCCESS;
  }
  return execute(found, parsed.values, surroundings);
}

const HELP = { kind: 'help' } as const;

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h' || word === 'help';
}

/** As far as the words lead. */
async function find(words: readonly string[], path: string[]): Promise<Command | Group> {
  const first = words[0]!;
  const name = ALIASES[first] ?? first;
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined)
    throw new UsageError(`unknown command "${first}"${didYouMean(first, Object.keys(COMMANDS))}`);
  path.push(name);
  let found = await entry.load();
  while (found.kind === 'group') {
    const word = words[path.length] ?? '';
    const next = found.aliases[word] ?? word;
    if (!Object.hasOwn(found.commands, next)) break;
    path.push(next);
    found = found.commands[next]!;
  }
  return found;
}

async function execute(
  command: Command,
  values: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<number> {
  // The common options were parsed together with the command's.
  const context = new Context(values as CommonOptions, surroundings);
  const signals = new Signals(context);
  try {
    await Promise.race([command.execute(values, context), signals.brokenOff]);
  } catch (error) {
    if (!context.brokenOff) throw error;
  } finally {
    signals.close();
    if (!context.brokenOff) await context.close();
  }
  if (context.brokenOff) return INTERRUPTED;
  return context.complained ? FAILURE : SUCCESS;
}

/** Ctrl-C, while a command runs. A second one ends the process as if nobody had cared for the first. */
class Signals {
  /** Resolves some time after a command was broken off: until then it may clean up. */
  readonly brokenOff: Promise<void>;
  readonly #interrupt: () => void;

  constructor(context: Context) {
    let resolve = (): void => undefined;
    this.brokenOff = new Promise((settle) => (resolve = settle));
    this.#interrupt = (): void => {
      this.close();
      context.interrupt();
      if (context.brokenOff) setTimeout(resolve, CLEANING_UP_MS);
    };
    for (const signal of SIGNALS) process.on(signal, this.#interrupt);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
  }
}
