/** Owns the claims that hold for a node's storage on every kind of disk. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { NodeStorage, type GroupId, type KeyValueDisk, type LogIndex, type Term } from '../../src/raft/index.ts';
import { makeMembership } from '../../src/raft/core/membership.ts';
import { allocateRecord, chainChecksum, openRecord, sealRecord } from '../../src/raft/record.ts';
import { GroupStorage } from '../../src/raft/storage/group-storage.ts';
import { groupRange } from '../../src/raft/storage/keys.ts';
import { RecordCache } from '../../src/raft/storage/record-cache.ts';
import { recoverGroup, type RecoveredGroup } from '../../src/raft/storage/recovery.ts';
import type { Entry } from '../../src/raft/types.ts';

const GROUP = 9 as GroupId;
const OTHER_GROUP = 10 as GroupId;
const ALONE = makeMembership({ voters: ['n1' as NodeId] });
const THREE = makeMembership({ voters: ['n1', 'n2', 'n3'] as NodeId[] });

/** A place that outlives the storages opened on it. */
export interface Place {
  /** Opens the disk that is there; made on the first call. */
  open(): Promise<KeyValueDisk>;
  dispose(): Promise<void>;
}

export async function openStorage(disk: KeyValueDisk, bootstrap: boolean): Promise<NodeStorage> {
  return NodeStorage.open({
    disk,
    node: 'n1' as NodeId,
    databaseId: 'one',
    bootstrap,
    syncInterval: 'always',
    runtime: new SystemRuntime(),
    logger: silentLogger,
  });
}

/** `texts` as entries of one term, chained behind `previous`. */
export function entriesOf(texts: readonly string[], from = 1, previousChecksum = 0, term = 1): Entry[] {
  let checksum = previousChecksum;
  return texts.map((text, at) => {
    const record = allocateRecord(text.length);
    record.write(text, record.length - text.length);
    const entry = sealRecord(record, {
      kind: 'normal',
      group: GROUP,
      index: (from + at) as LogIndex,
      term: term as Term,
      previousChecksum: checksum,
    });
    checksum = chainChecksum(record);
    return entry;
  });
}

function groupOn(storage: NodeStorage): GroupStorage {
  return new GroupStorage(storage, GROUP, 'file', new RecordCache(0));
}

async function store(storage: NodeStorage, group: GroupStorage, entries: readonly Entry[]): Promise<void> {
  const batch = storage.begin();
  group.append(batch, entries);
  await storage.commit(batch);
}

async function create(storage: NodeStorage, membership = ALONE): Promise<GroupStorage> {
  const group = groupOn(storage);
  const batch = storage.begin();
  group.putInfo(batch, { name: 'group', storage: 'file', membership });
  group.putHardState(batch, { term: 1 as Term, votedFor: 'n1' as NodeId, voteFloor: 0 as Term });
  await storage.commit(batch);
  return group;
}

async function recover(storage: NodeStorage): Promise<RecoveredGroup | undefined> {
  return recoverGroup(groupOn(storage), { bootstrap: ALONE, logger: silentLogger });
}

async function pagesOf(group: GroupStorage): Promise<Record<string, string>> {
  const pages: Record<string, string> = {};
  for await (const [key, value] of group.checkpoints.load()) pages[key.toString()] = value.toString();
  return pages;
}

/** Writes a checkpoint that puts, or (undefined) deletes, these pages. */
async function checkpoint(
  storage: NodeStorage,
  group: GroupStorage,
  pages: Record<string, string | undefined>,
  options: { readonly complete: boolean; readonly index?: number; readonly checksum?: number } = { complete: true },
): Promise<void> {
  const { checkpoints } = group;
  checkpoints.begin(false);
  const batch = storage.begin();
  checkpoints.writeInto(batch);
  for (const [key, value] of Object.entries(pages)) {
    if (value === undefined) checkpoints.delete(Buffer.from(key));
    else checkpoints.put(Buffer.from(key), Buffer.from(value));
  }
  if (options.complete) {
    const index = (options.index ?? 1) as LogIndex;
    const state = { index, term: 1 as Term, checksum: options.checksum ?? 7, membership: ALONE, digest: 1, dead: [] };
    checkpoints.complete(batch, state);
  }
  await storage.commit(batch);
}

export function storageSuite(name: string, makePlace: () => Promise<Place>): void {
  const on = (title: string, body: (place: Place) => Promise<void>): void => {
    test(`${name}: ${title}`, async () => {
      const place = await makePlace();
      try {
        await body(place);
      } finally {
        await place.dispose();
      }
    });
  };

  on('hard state and log come back as they were stored', async (place) => {
    let storage = await openStorage(await place.open(), true);
    await store(storage, await create(storage), entriesOf(['a', 'b', 'c']));
    await storage.close();
    storage = await openStorage(await place.open(), false);
    const found = (await recover(storage))!;
    assert.deepEqual(found.state.hardState, { term: 1, votedFor: 'n1', voteFloor: 0 });
    assert.deepEqual(
      found.state.log.map((entry) => entry.index),
      [1, 2, 3],
    );
    assert.equal(found.repairing, false);
    assert.equal((await groupOn(storage).readEntry(2 as LogIndex))!.body.toString(), 'b');
    await storage.close();
  });

  on('a replaced end of the log takes what was behind it along', async (place) => {
    let storage = await openStorage(await place.open(), true);
    const group = await create(storage);
    const first = entriesOf(['a', 'b', 'c', 'd']);
    await store(storage, group, first);
    await store(storage, group, entriesOf(['B'], 2, chainChecksum(first[0]!.record), 2));
    await storage.close();
    storage = await openStorage(await place.open(), false);
    const found = (await recover(storage))!;
    assert.deepEqual(
      found.state.log.map(({ index, term }) => [index, term]),
      [
        [1, 1],
        [2, 2],
      ],
    );
    await storage.close();
  });

  on('a missing entry is a hole, not an end', async (place) => {
    let storage = await openStorage(await place.open(), true);
    const group = await create(storage, THREE);
    const entries = entriesOf(['a', 'b', 'c']);
    await store(storage, group, [entries[0]!, entries[2]!]);
    await storage.close();
    storage = await openStorage(await place.open(), false);
    const found = (await recover(storage))!;
    assert.equal(found.repairing, true);
    assert.equal(found.state.log.length, 1);
    await storage.close();
  });

  on('an entry that does not follow the one before it is a hole', async (place) => {
    let storage = await openStorage(await place.open(), true);
    const group = await create(storage, THREE);
    await store(storage, group, [...entriesOf(['a']), ...entriesOf(['b'], 2, 12345)]);
    await storage.close();
    storage = await openStorage(await place.open(), false);
    assert.equal((await recover(storage))!.repairing, true);
    await storage.close();
  });

  on('a checkpoint counts when its root is there, and not before', async (place) => {
    let storage = await openStorage(await place.open(), true);
    const group = await create(storage);
    await checkpoint(storage, group, { a: '1', b: '1', c: '1' });
    await checkpoint(storage, group, { a: '2', c: undefined, 'd\0': '2' });
    await checkpoint(storage, group, { a: '3', b: undefined }, { complete: false });
    await storage.close();
    storage = await openStorage(await place.open(), false);
    const again = groupOn(storage);
    await again.checkpoints.readRoot();
    assert.deepEqual(await pagesOf(again), { a: '2', b: '1', 'd\0': '2' });
    // The half-written one must not shine through the next.
    await checkpoint(storage, again, { e: '4' });
    await storage.close();
    storage = await openStorage(await place.open(), false);
    const third = groupOn(storage);
    await third.checkpoints.readRoot();
    assert.deepEqual(await pagesOf(third), { a: '2', b: '1', 'd\0': '2', e: '4' });
    await storage.close();
  });

  on('superseded pages are deleted afterwards', async (place) => {
    const storage = await openStorage(await place.open(), true);
    const group = await create(storage);
    await checkpoint(storage, group, { a: '1' });
    await checkpoint(storage, group, { a: '2' });
    const batch = storage.begin();
    group.checkpoints.collectGarbage(batch);
    await storage.commit(batch);
    let pages = 0;
    for await (const key of storage.disk.keys(groupRange(GROUP))) if (key[5] === 6) pages++;
    assert.equal(pages, 1);
    await storage.close();
  });

  on(
    'a compacted record behind the log verifies, and the chain still closes; in the log it is damage',
    async (place) => {
      let storage = await openStorage(await place.open(), true);
      const group = await create(storage);
      const entries = entriesOf(['long body', 'another', 'c']);
      const compact = async (entry: Entry): Promise<void> => {
        const batch = storage.begin();
        group.putCompacted(batch, entry, Buffer.from('short'));
        await storage.commit(batch);
      };
      await store(storage, group, entries);
      await checkpoint(storage, group, {}, { complete: true, checksum: chainChecksum(entries[0]!.record) });
      await compact(entries[0]!);
      assert.equal((await recover(storage))!.state.log.length, 2);
      await compact(entries[1]!);
      await storage.close();
      storage = await openStorage(await place.open(), false);
      await assert.rejects(recover(storage), /entry 2 was compacted/);
      const record = await groupOn(storage).readRecord(1 as LogIndex);
      const entry = openRecord(record, { group: GROUP, index: 1 as LogIndex });
      assert.equal(typeof entry === 'string' ? entry : entry.body.toString(), 'short');
      await storage.close();
    },
  );

  on('what peers were heard to have written is remembered', async (place) => {
    let storage = await openStorage(await place.open(), true);
    storage.notePeerCounter('n2' as NodeId, 41);
    storage.notePeerCounter('n2' as NodeId, 40);
    await storage.commit(storage.begin());
    await storage.close();
    storage = await openStorage(await place.open(), false);
    assert.equal(storage.peerCounter('n2' as NodeId), 41);
    await storage.close();
  });

  on('amnesia marks every group, and counts on behind what peers have seen', async (place) => {
    let storage = await openStorage(await place.open(), true);
    await create(storage, THREE);
    await storage.close();
    storage = await openStorage(await place.open(), false);
    await storage.markAmnesia(1000);
    assert.ok(storage.durableCounter > 1000);
    await storage.close();
    storage = await openStorage(await place.open(), false);
    assert.deepEqual(storage.gaps, []);
    assert.equal((await recover(storage))!.repairing, true);
    await storage.close();
  });

  on('a destroyed group leaves its neighbours alone', async (place) => {
    const storage = await openStorage(await place.open(), true);
    await store(storage, await create(storage), entriesOf(['a']));
    const neighbour = new GroupStorage(storage, OTHER_GROUP, 'file', new RecordCache(0));
    const batch = storage.begin();
    neighbour.putInfo(batch, { name: 'neighbour', storage: 'file', membership: ALONE });
    await storage.commit(batch);
    await storage.destroy(GROUP, (deletes) => storage.commit(deletes));
    assert.equal(await recover(storage), undefined);
    assert.equal((await neighbour.readInfo())?.name, 'neighbour');
    await storage.close();
  });

  on('another database under the same identity is refused', async (place) => {
    await (await openStorage(await place.open(), true)).close();
    const opened = NodeStorage.open({
      disk: await place.open(),
      node: 'n1' as NodeId,
      databaseId: 'two',
      bootstrap: false,
      syncInterval: 'always',
      runtime: new SystemRuntime(),
      logger: silentLogger,
    });
    await assert.rejects(opened, { code: 'STORAGE_IDENTITY' });
  });

  on('what is written after the storage was closed is refused', async (place) => {
    const storage = await openStorage(await place.open(), true);
    const batch = storage.begin();
    await storage.close();
    await assert.rejects(storage.commit(batch), { code: 'STORAGE_CLOSED' });
  });
}
