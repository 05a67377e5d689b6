/** Hosts with real cores, groups and storage, on virtual time, a simulated network and simulated disks. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { GroupId, LogIndex } from '../../src/raft/index.ts';
import { entryKey, groupInfoKey } from '../../src/raft/storage/keys.ts';
import { recordOf } from './counting-machine.ts';
import { GROUP, HostCluster, type TestNode } from './host-cluster.ts';

const EAGER = { afterEntries: 10, trailingEntries: 2 };

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

test('a leader can read what a majority has stored while its own disk is still busy with something else', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('before');
  const leader = await cluster.untilLeader();
  leader.disk.faults.delay = () =>
    new Promise((resolve) => {
      cluster.time.schedule(500, resolve);
    });
  leader.group!.propose(recordOf('being written'));
  await cluster.time.run(1);
  const index = leader.group!.propose(recordOf('waiting'))!;
  await cluster.until('it is applied', () => leader.machine!.bodies.includes('waiting'), 400);
  assert.ok(leader.group!.cachedRecord(index)!.includes('waiting'));
  assert.ok((await leader.group!.readRecord(index)).includes('waiting'));
  assert.ok(!leader.events.includes('record.damaged'));
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

test('a follower that the log no longer reaches gets the checkpoint, and then the log', async () => {
  const cluster = new HostCluster({ nodes: 3, checkpoints: EAGER });
  await cluster.startAll();
  await cluster.publish('before');
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const away = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(away);
  const texts = Array.from({ length: 45 }, (_, at) => `m${at}`);
  await cluster.publish(...texts);
  await cluster.start(away);
  await cluster.untilEqual();
  assert.deepEqual(away.machine!.bodies, ['before', ...texts]);
  assert.equal(away.machine!.restored, 1, 'by a checkpoint, not by the log');
  await cluster.publish('later');
  await cluster.untilEqual();
  cluster.crash(away);
  await cluster.start(away);
  await cluster.untilEqual();
  assert.equal(away.machine!.bodies.at(-1), 'later');
});

test('an idle group says nothing at all, and is awake as soon as somebody proposes', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.time.run(3000);
  const before = cluster.network.framesDelivered;
  await cluster.time.run(10_000);
  // Ten beats a second from each node to both others, whatever the number of groups.
  assert.ok(cluster.network.framesDelivered - before <= 6 * 101, `${cluster.network.framesDelivered - before} frames`);
  await cluster.publish('b');
  await cluster.untilEqual();
});

test('when the leader of an idle group dies, the others notice by its node and elect', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.time.run(3000);
  const old = await cluster.untilLeader();
  cluster.crash(old);
  const killedAt = cluster.time.nowMs;
  await cluster.untilLeader();
  assert.ok(cluster.time.nowMs - killedAt < 1500, `it took ${cluster.time.nowMs - killedAt} ms`);
});

test('the leader of an idle group gives up when its followers are gone', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.time.run(3000);
  const leader = await cluster.untilLeader();
  for (const node of cluster.nodes) if (node !== leader) cluster.crash(node);
  await cluster.until('it gives up', () => leader.group!.status.role !== 'leader', 3000);
});

test('a follower that restarts finds the leader of an idle group, who keeps leading', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.time.run(3000);
  const leader = await cluster.untilLeader();
  const { term } = leader.group!.status;
  const follower = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(follower);
  await cluster.start(follower);
  await cluster.untilEqual();
  await cluster.time.run(3000);
  assert.equal(leader.group!.status.term, term);
  assert.equal(follower.group!.status.leader, leader.id);
});

test('a replica whose state differs from the leader’s leaves the quorum and is built anew', async () => {
  const cluster = new HostCluster({ nodes: 3, checkpoints: EAGER });
  await cluster.startAll();
  await cluster.publish(...Array.from({ length: 15 }, (_, at) => `m${at}`));
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const wrong = cluster.nodes.find((node) => node !== leader)!;
  wrong.machine!.corrupt();
  await cluster.publish('a', 'b', 'c');
  await cluster.until('the mismatch is seen', () => wrong.events.includes('group.digestMismatch'));
  await cluster.untilEqual();
  await cluster.until('it counts again', () => !wrong.group!.status.repairing);
  assert.deepEqual(wrong.machine!.bodies, leader.machine!.bodies);
});

test('a leader whose state differs from the majority’s is the one that is built anew, and another leads', async () => {
  const cluster = new HostCluster({ nodes: 3, checkpoints: EAGER });
  await cluster.startAll();
  await cluster.publish(...Array.from({ length: 15 }, (_, at) => `m${at}`));
  await cluster.untilEqual();
  const wrong = await cluster.untilLeader();
  wrong.machine!.corrupt();
  await cluster.publish('a');
  await cluster.until('the mismatch is seen', () => wrong.events.includes('group.digestMismatch'));
  await cluster.publish('b');
  await cluster.untilEqual();
  await cluster.until('it counts again', () => !wrong.group!.status.repairing);
  const others = cluster.nodes.filter((node) => node !== wrong);
  assert.deepEqual(wrong.machine!.bodies, others[0]!.machine!.bodies);
  for (const node of others) assert.ok(!node.events.includes('group.digestMismatch'), node.id);
});

test('while nobody can tell who is right, a replica that differs is not judged', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const [wrong, away] = cluster.nodes.filter((node) => node !== leader) as [TestNode, TestNode];
  cluster.crash(away);
  wrong.machine!.corrupt();
  await cluster.publish('b');
  await cluster.until('it doubts', () => wrong.events.includes('group.digestDoubt'));
  await cluster.time.run(1000);
  assert.ok(!wrong.events.includes('group.digestMismatch'));
  await cluster.start(away);
  await cluster.publish('c');
  await cluster.until('it is judged', () => wrong.events.includes('group.digestMismatch'));
  await cluster.untilEqual();
  assert.ok(!leader.events.includes('group.digestMismatch'));
});

test('a group whose replicas all differ stops, and says so', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.untilEqual();
  for (const [at, node] of cluster.nodes.entries()) node.machine!.corrupt(at + 1);
  (await cluster.untilLeader()).group!.propose(recordOf('b'));
  await cluster.until('all have stopped', () => cluster.nodes.every((node) => node.events.includes('group.failed')));
  for (const node of cluster.nodes) assert.equal(node.machine!.closed, true, node.id);
});

test('a node whose disk lost what it promised neither votes nor counts until a leader has repaired it', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a', 'b', 'c');
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const forgetful = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(forgetful);
  forgetful.disk.loseTail(3);
  await cluster.start(forgetful);
  await cluster.until('the loss is noticed', () => forgetful.events.includes('node.amnesia'));
  await cluster.until('it is marked', () => forgetful.group!.status.repairing);
  await cluster.until('it is repaired', () => !forgetful.group!.status.repairing);
  await cluster.untilEqual();
});

test('a batch missing in the middle of the journal puts every group in doubt', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a', 'b', 'c', 'd');
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const damaged = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(damaged);
  damaged.disk.loseSynced(2);
  await cluster.start(damaged);
  assert.ok(damaged.events.includes('journal.gaps'));
  assert.equal(damaged.group!.status.repairing, true);
  await cluster.until('it is repaired', () => !damaged.group!.status.repairing);
  await cluster.untilEqual();
});

test('a damaged entry is fetched again from another replica', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a', 'b', 'c');
  await cluster.untilEqual();
  const hurt = cluster.nodes[0]!;
  const index = hurt.machine!.indexes[1]!;
  for (const node of cluster.nodes) {
    await cluster.settle('it has stopped', node.host!.shutdown({ transferLeaderships: false }));
    cluster.crash(node);
  }
  hurt.disk.damage(entryKey(GROUP, index), flipLastBit);
  await cluster.startAll();
  await cluster.untilLeader();
  await cluster.until('the group took up its work', () => hurt.group!.status.commitIndex >= index);
  await assert.rejects(hurt.group!.readRecord(index), { code: 'STORAGE_CORRUPT' });
  await cluster.until('it is repaired', () => hurt.events.includes('record.repaired'));
  assert.equal((await hurt.group!.readRecord(index)).toString('utf8', 40), 'b');
});

test('a failed write ends the host for good, and says so once', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  const leader = await cluster.untilLeader();
  leader.disk.faults.failNextWrite = 'lost';
  await cluster.until('the disk fails', () => {
    if (leader.group!.canPropose) leader.group!.propose(recordOf('never promised'));
    return leader.fatal !== undefined;
  });
  assert.equal(leader.group!.canPropose, false);
  assert.equal(leader.machine!.closed, true);
  assert.ok(!leader.machine!.bodies.includes('never promised'));
  cluster.crash(leader);
  await cluster.publish('b');
});

test('reads wait for what was committed before, on a leader that still is one', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  const leader = await cluster.untilLeader();
  await cluster.settle('the barrier opens', leader.group!.readBarrier());
  const follower = cluster.nodes.find((node) => node !== leader)!;
  await assert.rejects(follower.group!.readBarrier(), { name: 'NotLeaderError' });
});

test('leadership is handed over on request and before a shutdown', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a');
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const heir = cluster.nodes.find((node) => node !== leader)!;
  assert.equal(await cluster.settle('it was handed over', leader.group!.transferLeadership(heir.id)), true);
  assert.equal((await cluster.untilLeader()).id, heir.id);
  await cluster.settle('it has stopped', heir.host!.shutdown({ transferLeaderships: true }));
  assert.equal(heir.machine!.checkpoints, 1);
  cluster.crash(heir);
  await cluster.publish('b');
});

test('members come and go while the group works', async () => {
  const cluster = new HostCluster({ nodes: 3, checkpoints: EAGER });
  const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode];
  await cluster.startHost(first);
  await cluster.openGroup(first, GROUP, [first.id]);
  await cluster.publish(...Array.from({ length: 25 }, (_, at) => `m${at}`));
  for (const node of [second, third]) {
    await cluster.startHost(node);
    await cluster.openGroup(node, GROUP, [first.id]);
  }
  const change = { voters: cluster.voters, learners: [] };
  await cluster.settle('all three vote', first.group!.changeMembership(change));
  await cluster.untilEqual();
  cluster.crash(first);
  await cluster.publish('without the first');
  assert.equal(third.machine!.bodies[0], 'm0');
});

test('a memory replica that restarts is filled by the others before it counts', async () => {
  const cluster = new HostCluster({ nodes: 3, storage: 'memory', checkpoints: EAGER });
  await cluster.startAll();
  const texts = Array.from({ length: 25 }, (_, at) => `m${at}`);
  await cluster.publish(...texts);
  const leader = await cluster.untilLeader();
  const restarted = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(restarted, 'keep');
  await cluster.start(restarted);
  assert.equal(restarted.group!.status.repairing, true);
  await cluster.until('it counts again', () => !restarted.group!.status.repairing);
  await cluster.untilEqual();
  assert.deepEqual(restarted.machine!.bodies, texts);
});

test('a memory group of which every replica restarted begins again, empty', async () => {
  const cluster = new HostCluster({ nodes: 3, storage: 'memory' });
  await cluster.startAll();
  await cluster.publish('gone');
  for (const node of cluster.nodes) cluster.crash(node, 'keep');
  const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode];
  await cluster.start(first);
  await cluster.start(second);
  await cluster.time.run(3000);
  assert.equal(cluster.leader(), undefined, 'the third may still have it');
  await cluster.start(third);
  await cluster.publish('new');
  await cluster.untilEqual();
  for (const node of cluster.nodes) assert.deepEqual(node.machine!.bodies, ['new'], node.id);
});

test('a group that is destroyed leaves nothing behind', async () => {
  const cluster = new HostCluster({ nodes: 1, checkpoints: EAGER });
  const [node] = cluster.nodes as [TestNode];
  await cluster.start(node);
  await cluster.publish(...Array.from({ length: 25 }, (_, at) => `m${at}`));
  await cluster.settle('it is destroyed', node.host!.destroyGroup(GROUP));
  assert.deepEqual(
    node.disk.storedKeys().filter((key) => key[0] === 1),
    [],
  );
  assert.equal(node.host!.group(GROUP), undefined);
  assert.deepEqual(await node.host!.storedGroups(), []);
});

test('what is proposed while a group is being removed from the disk is not forgotten', async () => {
  const cluster = new HostCluster({ nodes: 1 });
  const [node] = cluster.nodes as [TestNode];
  await cluster.start(node);
  await cluster.openGroup(node, 8 as GroupId);
  await cluster.publish('before');
  let proposed = false;
  node.disk.faults.delay = async () => {
    // The group takes its turn while the disk is still busy with the removal.
    if (!proposed) node.group!.propose(recordOf('meanwhile'));
    proposed = true;
    await new Promise<void>((resolve) => {
      node.runtime.after(1, resolve);
    });
  };
  await cluster.settle('it is destroyed', node.host!.destroyGroup(GROUP));
  assert.ok(proposed);
  await cluster.until('it is applied', () => node.machine!.bodies.includes('meanwhile'));
});

test('dead entries are deleted once a checkpoint covers them and no follower is near them', async () => {
  const cluster = new HostCluster({ nodes: 1, checkpoints: EAGER });
  const [node] = cluster.nodes as [TestNode];
  await cluster.start(node);
  for (let at = 0; at < 40; at++) {
    await cluster.publish(`m${at}`);
    if (at % 2 === 0) node.machine!.dead.push(node.machine!.indexes.at(-1)!);
  }
  const dead = node.machine!.indexes[10]!;
  const alive = node.machine!.indexes[11]!;
  const has = (index: LogIndex) => node.disk.storedKeys().some((key) => key.equals(entryKey(GROUP, index)));
  await cluster.until('the dead entry is deleted', () => !has(dead));
  assert.ok(has(alive));
});

test('a replica whose description was damaged is in doubt once, and not at every start', async () => {
  const cluster = new HostCluster({ nodes: 3 });
  await cluster.startAll();
  await cluster.publish('a', 'b');
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const hurt = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(hurt);
  hurt.disk.damage(groupInfoKey(GROUP), flipLastBit);
  await cluster.start(hurt);
  assert.equal(hurt.group!.status.repairing, true);
  await cluster.until('it is repaired', () => !hurt.group!.status.repairing);
  await cluster.untilEqual();
  cluster.crash(hurt);
  await cluster.start(hurt);
  assert.equal(hurt.group!.status.repairing, false);
});

test('a damaged checkpoint of one replica is replaced by the leader’s', async () => {
  const cluster = new HostCluster({ nodes: 3, checkpoints: EAGER });
  await cluster.startAll();
  await cluster.publish(...Array.from({ length: 25 }, (_, at) => `m${at}`));
  await cluster.untilEqual();
  const leader = await cluster.untilLeader();
  const hurt = cluster.nodes.find((node) => node !== leader)!;
  cluster.crash(hurt);
  const page = hurt.disk.storedKeys().find((key) => key[0] === 1 && key[5] === 6)!;
  hurt.disk.damage(page, flipLastBit);
  await cluster.start(hurt);
  await cluster.until('it is seen', () => hurt.events.includes('group.checkpointDamaged'));
  await cluster.untilEqual();
  await cluster.until('it counts again', () => !hurt.group!.status.repairing);
});

test('nothing is applied before the checkpoint is restored, however long that takes', async () => {
  const cluster = new HostCluster({ nodes: 1, checkpoints: EAGER });
  const [node] = cluster.nodes as [TestNode];
  await cluster.start(node);
  await cluster.publish(...Array.from({ length: 25 }, (_, at) => `m${at}`));
  await cluster.until('a checkpoint is durable', () => node.machine!.checkpoints > 0);
  // The log goes on behind it.
  for (const body of ['x', 'y', 'z']) await cluster.publish(body);
  const { bodies } = node.machine!;
  cluster.crash(node, 'keep');
  let restored: () => void = () => undefined;
  node.restoreGate = new Promise((resolve) => {
    restored = resolve;
  });
  await cluster.startHost(node);
  // Another group keeps the clock going, as the meta group does on a real node.
  await cluster.openGroup(node, (GROUP + 1) as GroupId);
  const opened = cluster.openGroup(node, GROUP);
  await cluster.time.runUntil(() => false, 2_000);
  assert.equal(node.machine!.restored, 0);
  restored();
  await opened;
  await cluster.untilLeader();
  await cluster.publish('after');
  assert.ok(node.machine!.indexes.length > 1, 'entries behind the checkpoint were applied');
  assert.deepEqual(node.machine!.bodies, [...bodies, 'after']);
});

test('without another replica a damaged log is refused by name', async () => {
  const cluster = new HostCluster({ nodes: 1 });
  const [node] = cluster.nodes as [TestNode];
  await cluster.start(node);
  await cluster.publish('a', 'b', 'c');
  const index = node.machine!.indexes[1]!;
  cluster.crash(node);
  node.disk.damage(entryKey(GROUP, index), flipLastBit);
  await assert.rejects(cluster.start(node), (error: Error) => error.message.includes(`entry ${index} is damaged`));
});

function flipLastBit(value: Buffer): Buffer {
  value[value.length - 1]! ^= 1;
  return value;
}
