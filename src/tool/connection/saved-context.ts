/**
 * Owns connection settings that are kept under a name. They are the files of the `nats` tool, so that whoever has contexts
 * there finds them here, and the other way round. Members that this program doesn't know are kept.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ToolError } from '../failure.ts';
import type { Environment } from './settings.ts';

export interface SavedContext {
  readonly description?: string;
  readonly url?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly tls_first?: boolean;
  readonly jetstream_domain?: string;
  readonly jetstream_api_prefix?: string;
  readonly inbox_prefix?: string;
}

const SUFFIX = '.json';
/** It may hold a password. */
const OWNER_ONLY = 0o600;

export class SavedContexts {
  readonly #directory: string;
  readonly #selection: string;

  constructor(env: Environment) {
    const configuration = env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? homedir(), '.config');
    this.#directory = join(configuration, 'nats', 'context');
    this.#selection = join(configuration, 'nats', 'context.txt');
  }

  /** @throws {ToolError} when there is none, or it can't be read. */
  read(name: string): SavedContext {
    let text: string;
    try {
      text = readFileSync(this.#path(name), 'utf8');
    } catch (error) {
      throw new ToolError(`no context is called ${name}; "millrace context ls" lists them`, { cause: error });
    }
    try {
      // Empty members are those that were not given.
      const members = JSON.parse(text) as Readonly<Record<string, unknown>>;
      return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ''));
    } catch (error) {
      throw new ToolError(`${this.#path(name)} is not JSON`, { cause: error });
    }
  }

  write(name: string, context: SavedContext): void {
    mkdirSync(this.#directory, { recursive: true });
    writeFileSync(this.#path(name), `${JSON.stringify(context, null, 2)}\n`, { mode: OWNER_ONLY });
  }

  /** In order of their names. */
  names(): readonly string[] {
    const files = withoutMissing(() => readdirSync(this.#directory), []);
    return files.flatMap((file) => (file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : [])).sort();
  }

  /** The one that is used when none is named. */
  selected(): string | undefined {
    const name = withoutMissing(() => readFileSync(this.#selection, 'utf8').trim(), '');
    return name === '' ? undefined : name;
  }

  /** Undefined: none. */
  select(name: string | undefined): void {
    if (name === undefined) rmSync(this.#selection, { force: true });
    else {
      this.read(name);
      writeFileSync(this.#selection, name);
    }
  }

  remove(name: string): void {
    this.read(name);
    rmSync(this.#path(name));
    if (this.selected() === name) this.select(undefined);
  }

  #path(name: string): string {
    return join(this.#directory, `${name}${SUFFIX}`);
  }
}

function withoutMissing<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}
