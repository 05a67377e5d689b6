/** Owns configurations as JSON documents: read from files, put together from what was given, compared. */
import { readFile } from 'node:fs/promises';
import { ToolError } from './failure.ts';
import { formatDuration, fromNanos } from './units.ts';

/** Accepts the documents that `info --json` prints as well, of which the configuration is a part. @throws {ToolError} */
export async function readConfigFile<T extends object>(path: string): Promise<T> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new ToolError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ToolError(`${path}: not a JSON object`);
  }
  return 'config' in document ? (document.config as T) : (document as T);
}

/** Drops what was not given. */
export function given<T extends object>(members: { readonly [K in keyof T]?: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export interface Difference {
  readonly member: string;
  readonly before: string;
  readonly after: string;
}

/** Members whose values differ, in order of their names. */
export function differences(before: object, after: object): readonly Difference[] {
  const was = new Map<string, unknown>(Object.entries(before));
  const is = new Map<string, unknown>(Object.entries(after));
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .map((member) => ({ member, before: shown(member, was.get(member)), after: shown(member, is.get(member)) }))
    .filter((difference) => difference.before !== difference.after);
}

export function differencesText(changes: readonly Difference[]): string {
  return changes.map(({ member, before, after }) => `${member}: ${before} -> ${after}\n`).join('');
}

/** In nanoseconds, as the API has them. */
const DURATIONS = new Set([
  'ack_wait',
  'duplicate_window',
  'idle_heartbeat',
  'inactive_threshold',
  'max_age',
  'max_expires',
  'priority_timeout',
  'subject_delete_marker_ttl',
]);

function shown(member: string, value: unknown): string {
  if (value === undefined) return 'not set';
  if (DURATIONS.has(member) && typeof value === 'number') return formatDuration(fromNanos(value));
  return JSON.stringify(value);
}
