import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { StorageError } from '../../src/base/errors.ts';
import { EMPTY_NODE_STATE, fileState } from '../../src/cluster/node-state.ts';
import { StateKeeper } from '../../src/cluster/state-keeper.ts';
import { nodeId } from './link-harness.ts';

const unexpected = (error: Error): never => {
  throw error;
};

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-state-'));
  try {
    await body(join(directory, 'cluster-state'));
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('a state is found again as it was saved last, by whoever opens the file next', () =>
  withFile(async (path) => {
    const keeper = await StateKeeper.open(fileState(path), unexpected);
    assert.deepEqual(keeper.state, EMPTY_NODE_STATE);
    const promised = { round: 3, node: nodeId('n2') };
    const formed = { id: 'g', voters: [nodeId('n1')], learners: [] };
    await Promise.all([keeper.update({ promised }), keeper.update({ formed })]);
    const again = await StateKeeper.open(fileState(path), unexpected);
    assert.deepEqual(again.state, { ...EMPTY_NODE_STATE, promised, formed });
    assert.deepEqual(await readdir(join(path, '..')), ['cluster-state']);
  }));

test('a flipped bit anywhere in the file is noticed', () =>
  withFile(async (path) => {
    const keeper = await StateKeeper.open(fileState(path), unexpected);
    await keeper.update({ promised: { round: 1, node: nodeId('n1') } });
    const intact = await readFile(path);
    for (let i = 0; i < intact.length * 8; i++) {
      const damaged = Buffer.from(intact);
      damaged[i >> 3]! ^= 1 << (i & 7);
      await writeFile(path, damaged);
      await assert.rejects(StateKeeper.open(fileState(path), unexpected), { code: 'STORAGE_CORRUPT' });
    }
  }));

test('a state that can not be saved is fatal, and so is every change after it', () =>
  withFile(async (path) => {
    const errors: Error[] = [];
    const gone = fileState(join(path, 'no-such-directory', 'cluster-state'));
    const keeper = await StateKeeper.open({ ...gone, load: () => Promise.resolve(undefined) }, (error) => {
      errors.push(error);
    });
    const promised = { round: 1, node: nodeId('n1') };
    await assert.rejects(keeper.update({ promised }), StorageError);
    await assert.rejects(keeper.update({ promised }), { code: 'STORAGE_WRITE' });
    assert.equal(errors.length, 2);
  }));
