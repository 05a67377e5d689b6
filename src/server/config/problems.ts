/** Owns how problems of a configuration are gathered and reported: all of them at once, each with its place. */

/** A place in a configuration file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:col: message`, or only the message when it belongs to no place (flags, missing options). */
function describe(position: Position | undefined, message: string): string {
  if (position === undefined) return message;
  return `${position.file}:${position.line}:${position.column}: ${message}`;
}

/** The configuration can't be used. `problems` names everything that is wrong with it, in the order it was found. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Collects while reading goes on, so that one run shows everything that needs correction. */
export class Problems {
  readonly #errors: string[] = [];
  readonly #warnings: string[] = [];

  error(position: Position | undefined, message: string): void {
    this.#errors.push(describe(position, message));
  }

  /** Something that works, but hardly as meant. It fails a configuration test, not a start. */
  warn(position: Position | undefined, message: string): void {
    this.#warnings.push(describe(position, message));
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** @throws {ConfigError} if there was an error */
  throwIfAny(): void {
    if (this.#errors.length > 0) throw new ConfigError([...this.#errors]);
  }
}
