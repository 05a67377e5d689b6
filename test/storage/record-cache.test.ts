import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LogIndex } from '../../src/raft/index.ts';
import { waitFor } from '../harness/wait-for.ts';
import { RecordCache, type CachedGroup } from '../../src/raft/storage/record-cache.ts';

const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('the newest records are kept up to the bound, and the memory of the others is free at once', async () => {
  const cache = new RecordCache(4 * MIB);
  const group: CachedGroup = new Map();
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 1; index <= 64; index++) cache.add(group, index as LogIndex, Buffer.alloc(MIB));
  assert.deepEqual([...group.keys()], [61, 62, 63, 64]);
  // What a collection finds is given back by a thread of its own, a little later.
  await waitFor('the memory being free', () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers - before < 8 * MIB;
  });
  cache.add(group, 65 as LogIndex, Buffer.alloc(MIB));
  assert.deepEqual([...group.keys()], [62, 63, 64, 65]);
});
