/** Owns the way from a directory to a node's storage: identity, space, database, journal, in this order. */
import { join } from 'node:path';
import { crc32c } from '../../base/checksum.ts';
import type { NodeId } from '../../base/brand.ts';
import { StorageError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import { DiskSpace } from './disk-space.ts';
import {
  beginDirectory,
  checkIdentity,
  DATABASE_DIRECTORY,
  finishDirectory,
  forgetClosedAt,
  LOG_DIRECTORY,
  newIdentity,
  readClosedAt,
  readIdentity,
  storeClosedAt,
} from './identity.ts';
import { isEntryKey } from './keys.ts';
import type { KeyValueDisk } from './key-value-disk.ts';
import { LevelDisk } from './level-disk.ts';
import { createLogDirectory, DirectoryFiles } from './log-files.ts';
import { LoggedDisk } from './logged-disk.ts';
import { NodeStorage, type SyncInterval } from './node-storage.ts';

export interface OpenNodeStorageOptions {
  readonly directory: string;
  readonly node: NodeId;
  readonly clusterName: string;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** An empty directory may be made a new node's. Never true for a node that should have data. */
  readonly bootstrap: boolean;
  /** Default: 'always'. */
  readonly syncInterval?: SyncInterval;
}

/** @throws {StorageError} saying what is wrong, and how to rejoin where that is the only way. */
export async function openNodeStorage(options: OpenNodeStorageOptions): Promise<NodeStorage> {
  try {
    return await open(options);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('STORAGE_OPEN', `directory ${options.directory} can't be used`, { cause: error });
  }
}

async function open(options: OpenNodeStorageOptions): Promise<NodeStorage> {
  const { directory, runtime, logger } = options;
  const names = { cluster: options.clusterName, node: options.node };
  const found = await readIdentity(directory);
  if (found !== undefined) checkIdentity(found, names);
  else if (!options.bootstrap) {
    throw new StorageError('STORAGE_IDENTITY', `${directory} holds no data, and starting a new node was not asked for`);
  }
  const isNew = found === undefined;
  const identity = found ?? newIdentity(names, runtime);
  if (isNew) await beginDirectory(directory);
  const space = new DiskSpace(directory, runtime, logger);
  await space.beforeOpen();
  const disk = await openDisk(directory, { create: isNew, databaseId: identity.databaseId });
  try {
    const storage = await NodeStorage.open({
      disk,
      node: options.node,
      databaseId: identity.databaseId,
      bootstrap: isNew,
      syncInterval: options.syncInterval ?? 'always',
      runtime,
      logger,
      lowOnSpace: () => space.isLow,
      closedAt: await readClosedAt(directory),
      release: async (closedAt) => {
        space.close();
        if (closedAt !== undefined) await storeClosedAt(directory, closedAt);
      },
    });
    if (isNew) await finishDirectory(directory, identity);
    await forgetClosedAt(directory);
    space.start();
    return storage;
  } catch (error) {
    await disk.close();
    throw error;
  }
}

async function openDisk(
  directory: string,
  options: { readonly create: boolean; readonly databaseId: string },
): Promise<KeyValueDisk> {
  const logDirectory = join(directory, LOG_DIRECTORY);
  if (options.create) await createLogDirectory(logDirectory);
  // LevelDB's lock is what keeps a second process out, so it comes first.
  const database = await LevelDisk.open(join(directory, DATABASE_DIRECTORY), { create: options.create });
  try {
    return await LoggedDisk.open({
      files: new DirectoryFiles(logDirectory),
      database,
      databaseMark: crc32c(Buffer.from(options.databaseId)),
      mayBeLarge: isEntryKey,
    });
  } catch (error) {
    await database.close();
    throw error;
  }
}
