/**
 * Owns who a data directory belongs to. The identity file names cluster, node, database and format; the database names
 * itself as well. If the two don't fit, the node does not start: with another node's memory, or none, it could break
 * promises it knows nothing of.
 */
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32c } from '../../base/checksum.ts';
import { syncDirectory, writeDurably } from '../../base/durable-files.ts';
import { StorageError } from '../../base/errors.ts';
import type { Runtime } from '../../base/runtime.ts';

const FILE = 'identity.json';
/** There while a new directory is being made; whatever is found beside it was promised to nobody. */
const UNFINISHED_FILE = 'identity.json.new';
const CLOSED_FILE = 'closed';
export const DATABASE_DIRECTORY = 'db';
export const LOG_DIRECTORY = 'log';
/** 2: entries are in the batch log, and LevelDB is its index. */
const FORMAT = 2;

export interface Identity {
  readonly format: number;
  readonly cluster: string;
  readonly node: string;
  readonly databaseId: string;
}

const REJOIN = 'to rejoin, remove the node from the cluster, empty the directory and start it under a new name';

/** What the directory says it is; undefined if it is empty, or was left in the middle of being made. */
export async function readIdentity(directory: string): Promise<Identity | undefined> {
  const text = await readFile(join(directory, FILE), 'utf8').catch(ignoreMissing);
  if (text === undefined) {
    await requireNothing(directory);
    return undefined;
  }
  const identity = parseIdentity(text);
  if (identity === undefined) {
    throw new StorageError('STORAGE_IDENTITY', `${join(directory, FILE)} is damaged; ${REJOIN}`);
  }
  for (const part of [DATABASE_DIRECTORY, LOG_DIRECTORY]) {
    // An older format had other parts, and is refused for what it is.
    if (identity.format !== FORMAT || (await exists(join(directory, part)))) continue;
    throw new StorageError('STORAGE_IDENTITY', `${directory} has an identity but no ${part}; ${REJOIN}`);
  }
  return identity;
}

async function requireNothing(directory: string): Promise<void> {
  const names = (await readdir(directory).catch(ignoreMissing)) ?? [];
  if (names.length === 0 || names.includes(UNFINISHED_FILE)) return;
  throw new StorageError('STORAGE_IDENTITY', `${directory} is not empty but has no identity file; ${REJOIN}`);
}

/** @throws {StorageError} STORAGE_IDENTITY if the directory is another node's. */
export function checkIdentity(identity: Identity, expected: { readonly cluster: string; readonly node: string }): void {
  if (identity.format !== FORMAT) {
    throw new StorageError('STORAGE_IDENTITY', `the data has format ${identity.format}, this program knows ${FORMAT}`);
  }
  if (identity.cluster === expected.cluster && identity.node === expected.node) return;
  throw new StorageError(
    'STORAGE_IDENTITY',
    `the data belongs to node ${identity.node} of cluster ${identity.cluster}, ` +
      `not to ${expected.node} of ${expected.cluster}; start it under its own name, or, ${REJOIN}`,
  );
}

/** Makes the directory and says that it is unfinished. Durable when this resolves. */
export async function beginDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await syncDirectory(dirname(directory));
  await writeDurably(join(directory, UNFINISHED_FILE), '');
  await syncDirectory(directory);
  await rm(join(directory, DATABASE_DIRECTORY), { recursive: true, force: true });
  await rm(join(directory, LOG_DIRECTORY), { recursive: true, force: true });
}

/** The database is there: from here on the directory has an identity. Durable when this resolves. */
export async function finishDirectory(directory: string, identity: Identity): Promise<void> {
  await writeDurably(join(directory, UNFINISHED_FILE), `${JSON.stringify(identity)}\n`);
  await rename(join(directory, UNFINISHED_FILE), join(directory, FILE));
  await syncDirectory(join(directory, DATABASE_DIRECTORY));
  await syncDirectory(directory);
}

/**
 * Where the journal ended when the storage was last closed in order. LevelDB takes a log that was damaged since for one
 * that ends earlier; this tells the difference.
 */
export async function readClosedAt(directory: string): Promise<number | undefined> {
  const text = await readFile(join(directory, CLOSED_FILE), 'utf8').catch(ignoreMissing);
  const [counter, checksum] = (text ?? '').trim().split(' ');
  return counter !== undefined && checksum === String(crc32c(Buffer.from(counter))) ? Number(counter) : undefined;
}

/** Once more is written, or what is missing has been noted, it means nothing any more. */
export async function forgetClosedAt(directory: string): Promise<void> {
  await rm(join(directory, CLOSED_FILE), { force: true });
}

export async function storeClosedAt(directory: string, counter: number): Promise<void> {
  await writeDurably(join(directory, CLOSED_FILE), `${counter} ${crc32c(Buffer.from(String(counter)))}\n`);
  await syncDirectory(directory);
}

export function newIdentity(names: { readonly cluster: string; readonly node: string }, runtime: Runtime): Identity {
  let databaseId = '';
  while (databaseId.length < 32)
    databaseId += Math.floor(runtime.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return { format: FORMAT, cluster: names.cluster, node: names.node, databaseId };
}

function parseIdentity(text: string): Identity | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // The caller says what that means.
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { format, cluster, node, databaseId } = parsed as Partial<Record<keyof Identity, unknown>>;
  if (typeof format !== 'number' || typeof cluster !== 'string') return undefined;
  if (typeof node !== 'string' || typeof databaseId !== 'string') return undefined;
  return { format, cluster, node, databaseId };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(ignoreMissing)) !== undefined;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
