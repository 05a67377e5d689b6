/** The storage of a node on the disks it knows, and what only one of them can show. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { NodeStorage, openNodeStorage } from '../../src/raft/index.ts';
import { isEntryKey, journalKey } from '../../src/raft/storage/keys.ts';
import { LevelDisk } from '../../src/raft/storage/level-disk.ts';
import { createLogDirectory, DirectoryFiles } from '../../src/raft/storage/log-files.ts';
import { LoggedDisk } from '../../src/raft/storage/logged-disk.ts';
import { SimulatedDisk } from '../sim/simulated-disk.ts';
import { openStorage, storageSuite } from './suite.ts';

storageSuite('simulated disk', () => {
  const disk = new SimulatedDisk();
  return Promise.resolve({ open: () => Promise.resolve(disk.mount()), dispose: () => Promise.resolve() });
});

storageSuite('batch log and LevelDB', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-storage-'));
  const files = new DirectoryFiles(join(directory, 'log'));
  await createLogDirectory(join(directory, 'log'));
  let disk: LoggedDisk | undefined;
  return {
    open: async () => {
      const database = await LevelDisk.open(join(directory, 'db'), { create: disk === undefined });
      return (disk = await LoggedDisk.open({ files, database, databaseMark: 1, mayBeLarge: isEntryKey }));
    },
    dispose: async () => {
      await disk?.close();
      await rm(directory, { recursive: true });
    },
  };
});

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'millrace-storage-'));
  try {
    await body(join(parent, 'data'));
  } finally {
    await rm(parent, { recursive: true });
  }
}

function open(directory: string, changes: { bootstrap?: boolean; node?: string; clusterName?: string } = {}) {
  return openNodeStorage({
    directory,
    node: (changes.node ?? 'n1') as NodeId,
    clusterName: changes.clusterName ?? 'c1',
    runtime: new SystemRuntime(),
    logger: silentLogger,
    bootstrap: changes.bootstrap ?? false,
  });
}

test('a new directory is made only when asked for, and found again afterwards', () =>
  withDirectory(async (directory) => {
    await assert.rejects(open(directory), { code: 'STORAGE_IDENTITY' });
    await (await open(directory, { bootstrap: true })).close();
    await (await open(directory)).close();
    // Starting with the same command line again is no new node.
    await (await open(directory, { bootstrap: true })).close();
  }));

test('a directory of another node or cluster is refused', () =>
  withDirectory(async (directory) => {
    await (await open(directory, { bootstrap: true })).close();
    await assert.rejects(open(directory, { node: 'n2' }), { code: 'STORAGE_IDENTITY', message: /rejoin/ });
    await assert.rejects(open(directory, { clusterName: 'c2' }), { code: 'STORAGE_IDENTITY' });
  }));

test('identity without database or log, and database without identity, are refused', () =>
  withDirectory(async (directory) => {
    await (await open(directory, { bootstrap: true })).close();
    for (const part of ['log', 'db']) {
      await rm(join(directory, part), { recursive: true });
      await assert.rejects(open(directory, { bootstrap: true }), { code: 'STORAGE_IDENTITY', message: /rejoin/ });
    }
    await rm(directory, { recursive: true });
    await (await open(directory, { bootstrap: true })).close();
    await rm(join(directory, 'identity.json'));
    await assert.rejects(open(directory, { bootstrap: true }), { code: 'STORAGE_IDENTITY', message: /not empty/ });
  }));

test('a directory left in the middle of being made is made anew', () =>
  withDirectory(async (directory) => {
    await (await open(directory, { bootstrap: true })).close();
    await rm(join(directory, 'identity.json'));
    await writeFile(join(directory, 'identity.json.new'), '');
    await (await open(directory, { bootstrap: true })).close();
  }));

test('a second process on one directory is told so', () =>
  withDirectory(async (directory) => {
    const storage = await open(directory, { bootstrap: true });
    await assert.rejects(open(directory), { code: 'STORAGE_OPEN', message: /in use/ });
    await storage.close();
  }));

test('LevelDB’s own log may vanish: the batch log has what was in it', () =>
  withDirectory(async (directory) => {
    const storage = await open(directory, { bootstrap: true });
    for (let count = 0; count < 5; count++) await storage.commit(storage.begin());
    const last = storage.durableCounter;
    const copy = `${directory}-copy`;
    await cp(directory, copy, { recursive: true });
    await storage.close();
    const names = await readdir(join(copy, 'db'));
    await writeFile(
      join(
        copy,
        'db',
        names.find((name) => name.endsWith('.log'))!,
      ),
      '',
    );
    const again = await open(copy);
    assert.deepEqual(again.gaps, []);
    assert.equal(again.startCounter, last);
    await again.close();
  }));

test('data put back to where it was before an orderly stop is found out', () =>
  withDirectory(async (directory) => {
    const storage = await open(directory, { bootstrap: true });
    for (const name of ['db', 'log']) await cp(join(directory, name), join(directory, '..', name), { recursive: true });
    for (let count = 0; count < 5; count++) await storage.commit(storage.begin());
    const last = storage.durableCounter;
    await storage.close();
    for (const name of ['db', 'log']) {
      await rm(join(directory, name), { recursive: true });
      await rename(join(directory, '..', name), join(directory, name));
    }
    const back = await open(directory);
    assert.deepEqual(back.gaps.at(-1)?.through, last);
    await back.close();
  }));

test('a directory of another format is refused for what it is', () =>
  withDirectory(async (directory) => {
    await (await open(directory, { bootstrap: true })).close();
    const file = join(directory, 'identity.json');
    const identity = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...identity, format: 1 }));
    await rm(join(directory, 'log'), { recursive: true });
    await assert.rejects(open(directory), { code: 'STORAGE_IDENTITY', message: /format 1/ });
  }));

test('a batch lost from the middle of the journal is named', async () => {
  const disk = new SimulatedDisk();
  const storage = await openStorage(disk.mount(), true);
  for (let count = 0; count < 5; count++) await storage.commit(storage.begin());
  disk.crash('lose');
  disk.damage(journalKey(3), () => undefined);
  const again = await openStorage(disk.mount(), false);
  assert.deepEqual(again.gaps, [{ from: 3, through: 3 }]);
  await again.close();
  const third = await openStorage(disk.mount(), false);
  assert.deepEqual(third.gaps, [], 'dealt with');
});

test('an older journal record that came back breaks the chain', async () => {
  const disk = new SimulatedDisk();
  const storage = await openStorage(disk.mount(), true);
  for (let count = 0; count < 5; count++) await storage.commit(storage.begin());
  disk.crash('lose');
  disk.damage(journalKey(4), (value) => {
    value[value.length - 1]! ^= 1;
    return value;
  });
  assert.equal((await openStorage(disk.mount(), false)).gaps.length > 0, true);
});

test('a power cut loses what was not synced and nothing else; a torn end is no hole', async () => {
  for (const kept of [0, 1, 2]) {
    const disk = new SimulatedDisk();
    const storage = await openStorage(disk.mount(), true);
    const mounted = storage.disk;
    await storage.commit(storage.begin());
    const before = storage.durableCounter;
    for (const text of ['one', 'two', 'three']) {
      const batch = mounted.batch();
      batch.put(Buffer.from([2]), Buffer.from(text));
      await mounted.write(batch, false);
    }
    disk.crash(kept);
    const again = await openStorage(disk.mount(), false);
    assert.deepEqual(again.gaps, []);
    assert.equal(again.startCounter, before);
    assert.equal((await again.disk.get(Buffer.from([2])))?.toString(), [undefined, 'one', 'two'][kept]);
  }
});

test('a failed write is final: the storage takes no other', async () => {
  for (const outcome of ['lost', 'applied'] as const) {
    const disk = new SimulatedDisk();
    const storage = await openStorage(disk.mount(), true);
    let fatal: Error | undefined;
    storage.onFatal = (error) => {
      fatal = error;
    };
    disk.faults.failNextWrite = outcome;
    await assert.rejects(storage.commit(storage.begin()), { code: 'STORAGE_WRITE' });
    assert.notEqual(fatal, undefined);
    const before = storage.durableCounter;
    await assert.rejects(storage.commit(storage.begin()), { code: 'STORAGE_WRITE' });
    assert.equal(storage.durableCounter, before);
  }
});

test('with a sync interval, what was written is synced when the interval is over', async () => {
  const disk = new SimulatedDisk();
  let nowMs = 0;
  const runtime = Object.assign(new SystemRuntime(), { monotonicMs: () => nowMs });
  const storage = await NodeStorage.open({
    disk: disk.mount(),
    node: 'n1' as NodeId,
    databaseId: 'one',
    bootstrap: true,
    syncInterval: 1000,
    runtime,
    logger: silentLogger,
  });
  await storage.commit(storage.begin());
  assert.equal(storage.needsSync, false);
  nowMs = 1001;
  assert.equal(storage.needsSync, true);
  await storage.commit(storage.begin(), true);
  const { durableCounter } = storage;
  disk.crash('lose');
  assert.equal((await openStorage(disk.mount(), false)).startCounter, durableCounter);
});
