/** Owns what the words on the command line lead to: options to run with, or an answer and an exit code. */
import {
  ConfigError,
  loadOptions,
  type FlagOverrides,
  type LoadedOptions,
  type ServerOptions,
} from '../config/index.ts';
import { FlagError, parseFlags, type ParsedFlags } from './flags.ts';
import { runSignalCommand, systemProcesses, type ProcessTable } from './signal-command.ts';
import { TLS_HELP, usage } from './usage.ts';
import { programName, versionLine } from './version.ts';

export type Command =
  | {
      readonly kind: 'run';
      readonly program: string;
      readonly options: ServerOptions;
      /** To be logged: things that work, but hardly as meant. */
      readonly warnings: readonly string[];
      /** Reads the file again, with the same flags on top. @throws {ConfigError} */
      readonly reload: () => LoadedOptions;
    }
  | { readonly kind: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** `argv` as in `process.argv`: the program's path is its second word. `--signal` is carried out right here. */
export function parseCommandLine(argv: readonly string[], env: Environment, processes = systemProcesses): Command {
  const program = programName(argv[1]);
  let flags: ParsedFlags;
  try {
    flags = parseFlags(argv.slice(2));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    // As in the reference server: the usage on stdout, and no failure.
    return exit(0, { stdout: usage(program), stderr: `${error.message}\n` });
  }
  return informational(flags, program) ?? signal(flags, program, processes) ?? load(flags, program, env);
}

function exit(code: number, output: { readonly stdout?: string; readonly stderr?: string }): Command {
  return { kind: 'exit', code, stdout: output.stdout ?? '', stderr: output.stderr ?? '' };
}

function failure(program: string, message: string): Command {
  return exit(1, { stderr: `${program}: ${message}\n` });
}

/** Version and help, as flags or as words. */
function informational(flags: ParsedFlags, program: string): Command | undefined {
  if (flags.showVersion) return exit(0, { stdout: `${versionLine(program)}\n` });
  if (flags.showHelp) return exit(0, { stdout: usage(program) });
  if (flags.showTlsHelp) return exit(0, { stdout: TLS_HELP });
  for (const word of flags.words) {
    switch (word.toLowerCase()) {
      case 'version':
        return exit(0, { stdout: `${versionLine(program)}\n` });
      case 'help':
        return exit(0, { stdout: usage(program) });
      default:
        return failure(program, `unrecognized command: "${word}"`);
    }
  }
  return undefined;
}

function signal(flags: ParsedFlags, program: string, processes: ProcessTable): Command | undefined {
  if (flags.signal === undefined) return undefined;
  const problem = runSignalCommand(flags.signal, program, processes);
  return problem === undefined ? exit(0, {}) : failure(program, problem);
}

function load(flags: ParsedFlags, program: string, env: Environment): Command {
  if (flags.testConfig && flags.configFile === undefined) {
    return failure(program, 'must specify [-c, --config] option to check configuration file syntax');
  }
  const reload = (): LoadedOptions => read(flags, env);
  try {
    const { options, warnings } = reload();
    if (!flags.testConfig) return { kind: 'run', program, options, warnings, reload };
    if (warnings.length > 0) return failure(program, warnings.join('\n'));
    const digest = options.configDigest;
    return exit(0, { stderr: `${program}: configuration file ${flags.configFile!} is valid (${digest})\n` });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return failure(program, error.message);
  }
}

/** Problems of the flags are shown together with those of the file. */
function read(flags: ParsedFlags, env: Environment): LoadedOptions {
  let loaded: LoadedOptions | undefined;
  let problems: readonly string[] = flags.problems;
  try {
    loaded = loadOptions({ file: flags.configFile, flags: copyOf(flags.overrides), env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems = [...problems, ...error.problems];
  }
  if (loaded === undefined || problems.length > 0) throw new ConfigError(problems);
  return loaded;
}

/** Options are frozen in depth, and the flags serve again at the next reload. */
function copyOf(overrides: FlagOverrides): FlagOverrides {
  return structuredClone(overrides);
}
