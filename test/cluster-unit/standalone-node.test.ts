import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { createCluster, TRAFFIC, type ClusterNode } from '../../src/cluster/index.ts';
import { META_GROUP } from '../../src/raft/index.ts';
import { FakeGroup, FakeRaft } from './fake-raft.ts';
import { nodeId } from './link-harness.ts';

const solo = nodeId('solo');

function standalone(raft: FakeRaft): Promise<ClusterNode> {
  return createCluster({
    node: solo,
    clusterName: '',
    host: raft.host(solo),
    runtime: new SystemRuntime(),
    logger: silentLogger,
    version: '0',
    clientUrls: ['127.0.0.1:4222'],
  });
}

test('a standalone node is its own leader and only peer, and answers its own requests', async () => {
  const node = await standalone(new FakeRaft());
  await node.start();
  node.serve('echo', (from, body) => Promise.resolve(Buffer.concat([Buffer.from(`${from}:`), body])));
  assert.equal((await node.request(solo, 'echo', Buffer.from('x'), 100)).toString(), 'solo:x');
  await assert.rejects(node.request(nodeId('n2'), 'echo', Buffer.alloc(0), 100), { notProposed: true });
  assert.equal(node.send(nodeId('n2'), TRAFFIC.acks, Buffer.alloc(0)), false);
  assert.deepEqual([node.leaderOf(META_GROUP), node.catalogue.nodes()], ['solo', ['solo']]);
  assert.deepEqual(
    node.nodes().map(({ up, clientUrls }) => [up, clientUrls]),
    [[true, ['127.0.0.1:4222']]],
  );
  await node.stop();
});

test('the store of a cluster is not taken for that of a standalone node', async () => {
  const raft = new FakeRaft();
  const voters = [nodeId('n1'), solo];
  const stored = { id: META_GROUP, name: '_meta_', storage: 'file', bootstrap: { voters, learners: [] } } as const;
  raft.groups.set(META_GROUP, new FakeGroup({ ...stored, machine: () => assert.fail() }));
  const node = await standalone(raft);
  await assert.rejects(node.start(), { code: 'STORAGE_IDENTITY', message: /n1, solo/ });
});
