/** Hosts with real cores, groups and storage, on virtual time, a simulated network and simulated disks. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { HostCluster } from './host-cluster.ts';

test('what is proposed on the leader is applied on every replica', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a', 'b', 'c');
  await cluster.untilEqual();
  for (const node of cluster.nodes) assert.deepEqual(node.machine!.bodies, ['a', 'b', 'c'], node.id);
});

test('a new leader takes over well within a second, and nothing acknowledged is lost', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('kept');
  const old = await cluster.untilLeader();
  cluster.crash(old);
  const killedAt = cluster.time.nowMs;
  await cluster.publish('after');
  assert.ok(cluster.time.nowMs - killedAt < 1000, `it took ${cluster.time.nowMs - killedAt} ms`);
  await cluster.start(old);
  await cluster.untilEqual();
  for (const node of cluster.nodes) assert.deepEqual(node.machine!.bodies, ['kept', 'after'], node.id);
});

test('after a power cut of all nodes the group goes on with everything that was acknowledged', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a', 'b');
  for (const node of cluster.nodes) cluster.crash(node, 'lose');
  await cluster.startAll();
  await cluster.publish('c');
  await cluster.untilEqual();
  for (const node of cluster.nodes) {
    assert.deepEqual(node.machine!.bodies, ['a', 'b', 'c'], node.id);
    assert.ok(!node.events.includes('node.amnesia'), node.id);
  }
});
