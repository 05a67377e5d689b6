import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { BatchWriter } from '../../src/raft/batch-writer.ts';
import type { Group } from '../../src/raft/group.ts';
import { NO_METRICS } from '../../src/raft/host-metrics.ts';
import type { NodeStorage } from '../../src/raft/storage/node-storage.ts';

/** Notes which batches of a group, which always has something to write, were begun and which it was told are written. */
function writingGroup(events: string[]): Group {
  let batches = 0;
  const group = {
    isInUse: true,
    needsDisk: true,
    collect: () => {
      events.push(`begin ${++batches}`);
      return batches;
    },
  };
  return group as unknown as Group;
}

/** A disk on which a batch takes a few turns of the microtask queue. */
function fakeStorage(): NodeStorage {
  const storage = {
    begin: () => ({ bytes: 1, isEmpty: false }),
    commit: async () => {
      for (let step = 0; step < 5; step++) await Promise.resolve();
    },
  };
  return storage as unknown as NodeStorage;
}

test('a group hears that a batch is written before the next one is begun', async () => {
  const events: string[] = [];
  const group = writingGroup(events);
  const runtime = new SystemRuntime();
  const writer = new BatchWriter(fakeStorage(), {
    runtime,
    metrics: NO_METRICS,
    written: (writes) => {
      for (const [, write] of writes) events.push(`written ${Number(write)}`);
    },
    // As early as a host could: its turns are microtasks.
    free: () => {
      runtime.soon(() => {
        writer.write();
      });
    },
  });
  writer.add(group);
  writer.write();
  writer.add(group);
  writer.write();
  await new Promise(setImmediate);
  assert.deepEqual(events, ['begin 1', 'written 1', 'begin 2', 'written 2']);
});
