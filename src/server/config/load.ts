/** Owns loading the options: the file, what it includes, and the flags on top of it. At start and at every reload. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { assemble } from './assemble.ts';
import { emptyDraft, type FlagOverrides, type OptionsDraft } from './draft.ts';
import type { ServerOptions } from './options.ts';
import { parseConfig } from './parser.ts';
import { ConfigError, Problems } from './problems.ts';
import { topLevel } from './schema.ts';
import { readSection } from './section.ts';

export interface LoadInputs {
  readonly file: string | undefined;
  readonly flags: FlagOverrides;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @throws what the file system says */
  readonly readFile?: (path: string) => string;
}

export interface LoadedOptions {
  readonly options: ServerOptions;
  /** Things that work, but hardly as meant, each with its place. */
  readonly warnings: readonly string[];
}

/** @throws {ConfigError} naming everything that is wrong */
export function loadOptions(inputs: LoadInputs): LoadedOptions {
  const problems = new Problems();
  const draft = emptyDraft();
  let digest = '';
  if (inputs.file !== undefined) {
    const readFile = inputs.readFile ?? ((path: string) => readFileSync(path, 'utf8'));
    const text = readMain(inputs.file, readFile);
    digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    const root = parseConfig(text, inputs.file, { env: inputs.env, readFile }, problems);
    // What comes after a syntax error is unknown, so complaints about the options would mislead.
    problems.throwIfAny();
    if (root.entries.size === 0) problems.warn(undefined, `${inputs.file}: config has no values or is empty`);
    readSection(root, topLevel, draft, problems);
  }
  overlay(draft, inputs.flags);
  const options = assemble(draft, { file: inputs.file, digest }, problems);
  problems.throwIfAny();
  return { options, warnings: problems.warnings };
}

function readMain(file: string, readFile: (path: string) => string): string {
  try {
    return readFile(file);
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message;
    throw new ConfigError([`open ${file}: ${reason}`]);
  }
}

/** Flags win, member by member. */
function overlay(draft: OptionsDraft, flags: FlagOverrides): void {
  const { jetStream, cluster, security, ...top } = flags;
  Object.assign(draft, top);
  // A directory from the command line replaces the file's, wherever that was written.
  if (top.storeDir !== undefined) delete draft.jetStream.storeDir;
  Object.assign(draft.jetStream, jetStream);
  Object.assign(draft.cluster, cluster);
  const { user, password, token } = security;
  Object.assign(draft.security, user !== undefined && { user, password }, token !== undefined && { token });
}
