import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpointer } from '../../src/raft/checkpoints/checkpointer.ts';
import { Effects } from '../../src/raft/core/effects.ts';
import { GroupDisk } from '../../src/raft/group-disk.ts';
import type { GroupStorage } from '../../src/raft/storage/group-storage.ts';
import type { WriteBatch } from '../../src/raft/storage/write-batch.ts';

test('a loss that is marked in the same batch in which an earlier one counts as repaired stays marked', () => {
  const marks: boolean[] = [];
  const storage = {
    setRepairing: (_batch: WriteBatch, repairing: boolean) => marks.push(repairing),
  } as unknown as GroupStorage;
  const effects = new Effects();
  const disk = new GroupDisk(storage, effects, { hasWork: false } as unknown as Checkpointer);
  const batch = {} as unknown as WriteBatch;
  disk.put((into) => {
    storage.setRepairing(into, true);
  });
  effects.repaired = true;
  disk.collect(batch, () => undefined);
  assert.deepEqual(marks, [false, true]);
});
