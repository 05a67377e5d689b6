import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NotLeaderError } from '../../src/base/errors.ts';
import { TRAFFIC, type CatalogueChange, type ClusterNode } from '../../src/cluster/index.ts';
import { META_GROUP, type GroupId, type GroupStatus } from '../../src/raft/index.ts';
import { TestCluster, upNodes } from './cluster-harness.ts';
import { nodeId, until } from './link-harness.ts';

const n1 = nodeId('n1');
const n2 = nodeId('n2');
const n3 = nodeId('n3');
const n4 = nodeId('n4');

async function startThree(cluster: TestCluster): Promise<void> {
  await Promise.all([1, 2, 3].map((number) => cluster.start(number)));
  await cluster.untilFormed(['n1', 'n2', 'n3']);
}

const create = (name: string, replicas: number): CatalogueChange => ({
  kind: 'createStream',
  account: 'A',
  name,
  config: { name },
  storage: 'file',
  replicas,
  conflictsWith: () => false,
});

test('three nodes whose routes name all of them form one meta group at once, led by the proposer', () =>
  TestCluster.run(3, async (cluster) => {
    await startThree(cluster);
    const openings = cluster.raft.opened.map(({ options }) => options.bootstrap);
    assert.equal(openings.length, 3);
    for (const bootstrap of openings) assert.deepEqual(bootstrap, openings[0]);
    assert.deepEqual([...openings[0]!.voters].sort(), ['n1', 'n2', 'n3']);
    const leader = openings[0]!.firstLeader;
    await until('the first members are admitted', () => cluster.node('n3').cluster.catalogue.nodes().length === 3);
    for (const name of ['n1', 'n2', 'n3']) {
      assert.equal(cluster.node(name).cluster.leaderOf(META_GROUP), leader);
      assert.deepEqual(upNodes(cluster.node(name)), ['n1', 'n2', 'n3']);
    }
  }));

test('a change made on the meta leader shows on every node, and a stream of three is placed on all', () =>
  TestCluster.run(3, async (cluster) => {
    await startThree(cluster);
    const leader = cluster.node(cluster.raft.groups.get(META_GROUP)!.leader!).cluster;
    const result = await leader.change(create('ORDERS', 3));
    assert.equal(result.kind, 'applied');
    const assignment = leader.catalogue.stream('A', 'ORDERS');
    assert.deepEqual(assignment?.members, ['n1', 'n2', 'n3']);
    assert.match(assignment.groupName, /^S-R3F-[0-9A-Za-z]{8}$/);
    for (const name of ['n1', 'n2', 'n3']) {
      const { catalogue } = cluster.node(name).cluster;
      await until(`${name} has the stream`, () => catalogue.stream('A', 'ORDERS') !== undefined);
      assert.deepEqual(catalogue.streamOfGroup(assignment.group), assignment);
    }
    const follower = ['n1', 'n2', 'n3'].find((name) => name !== leader.node)!;
    await assert.rejects(cluster.node(follower).cluster.change(create('B', 1)), NotLeaderError);
  }));

test('two of three nodes form the group after the grace period, and the third joins as a learner, then votes', () =>
  TestCluster.run(3, async (cluster) => {
    await Promise.all([1, 2].map((number) => cluster.start(number)));
    await cluster.untilFormed(['n1', 'n2']);
    assert.deepEqual([...cluster.node('n1').cluster.metaStatus()!.voters].sort(), ['n1', 'n2']);
    await cluster.start(3);
    await cluster.untilFormed(['n3']);
    const opening = cluster.raft.opened.at(-1)!;
    assert.deepEqual([opening.node, opening.options.bootstrap.learners], ['n3', ['n3']]);
    await until('n3 votes', () => cluster.node('n1').cluster.metaStatus()!.voters.includes(n3));
    assert.deepEqual(cluster.node('n3').cluster.catalogue.nodes(), ['n1', 'n2', 'n3']);
  }));

test('one working route is enough, and a node without routes is found', () =>
  TestCluster.run(3, async (cluster) => {
    const seed = [cluster.routes[0]!];
    await Promise.all([
      cluster.start(1, { routes: [] }),
      cluster.start(2, { routes: seed }),
      cluster.start(3, { routes: seed }),
    ]);
    await cluster.untilFormed(['n1', 'n2', 'n3']);
    await until('all are linked', () => ['n1', 'n2', 'n3'].every((name) => upNodes(cluster.node(name)).length === 3));
    // Every group that was opened is the same one: those who came late joined it.
    const ids = new Set(cluster.raft.opened.map(({ options }) => options.bootstrap.voters[0]));
    assert.equal(ids.size, 1);
  }));

test('a restarted node takes up its stored meta group; a wiped one is taken out first and comes back as a learner', () =>
  TestCluster.run(3, async (cluster) => {
    await startThree(cluster);
    const leader = cluster.raft.groups.get(META_GROUP)!.leader!;
    const [kept, wiped] = ['n1', 'n2', 'n3'].filter((name) => name !== leader) as [string, string];
    const before = await cluster.stop(kept);
    await cluster.start(Number(kept.slice(1)), { previous: before });
    assert.deepEqual(cluster.raft.opened.at(-1)!.options.bootstrap, cluster.raft.opened[0]!.options.bootstrap);
    await cluster.stop(wiped);
    const openings = cluster.raft.opened.length;
    await cluster.start(Number(wiped.slice(1)));
    await until('it opened the group', () => cluster.raft.opened.length > openings);
    const { bootstrap } = cluster.raft.opened.at(-1)!.options;
    assert.deepEqual([bootstrap.learners, bootstrap.voters.includes(nodeId(wiped))], [[wiped], false]);
    await until('it votes again', () => cluster.raft.groups.get(META_GROUP)!.voters.includes(nodeId(wiped)));
  }));

test('a removed node leaves the catalogue and the meta group', () =>
  TestCluster.run(3, async (cluster) => {
    await startThree(cluster);
    const group = cluster.raft.groups.get(META_GROUP)!;
    const leader = cluster.node(group.leader!).cluster;
    await until('the first members are admitted', () => leader.catalogue.nodes().length === 3);
    const victim = [n1, n2, n3].find((node) => node !== leader.node)!;
    assert.equal(await leader.removeNode(victim), true);
    assert.equal(await leader.removeNode(victim), false);
    await until('it votes no more', () => !group.voters.includes(victim));
    assert.equal(leader.catalogue.nodes().includes(victim), false);
  }));

test('interest, leaderships and all else is told again after a link broke, interest before any traffic', () =>
  TestCluster.run(2, async (cluster) => {
    const heard: string[] = [];
    await cluster.start(1, {
      prepare: (node) => {
        node.onInterest((from, { account, subject, queue, members }) => {
          heard.push(`${from} ${account} ${subject} ${queue ?? '-'} ${members}`);
        });
        node.onInterestLost((from) => heard.push(`lost ${from}`));
        node.onTraffic(TRAFFIC.routedMessages, (from, frame) => heard.push(`${from} says ${frame.toString()}`));
      },
    });
    const group = 7 as GroupId;
    const prepareSecond = (node: ClusterNode): void => {
      node.setInterest({ account: 'A', subject: 'orders.*', queue: undefined, members: 1 });
      node.setInterest({ account: 'A', subject: 'jobs', queue: 'workers', members: 3 });
      node.setInterest({ account: 'A', subject: 'gone', queue: undefined, members: 1 });
      node.setInterest({ account: 'A', subject: 'gone', queue: undefined, members: 0 });
      node.onNodesChange(() => node.send(n1, TRAFFIC.routedMessages, Buffer.from('hi')));
      node.groupStatusChanged(group, { ...idle, role: 'leader', leader: n2 });
    };
    let second = await cluster.start(2, { prepare: prepareSecond });
    const told = ['n2 A orders.* - 1', 'n2 A jobs workers 3', 'n2 says hi'];
    await until('the interest and the frame arrived', () => heard.length >= 3);
    assert.deepEqual(heard.slice(0, 3), told);
    const first = cluster.node('n1').cluster;
    await until('the leadership is known', () => first.leaderOf(group) === n2);

    second.cluster.setInterest({ account: 'A', subject: 'jobs', queue: 'workers', members: 0 });
    await until('the change arrived', () => heard.includes('n2 A jobs workers 0'));

    const previous = await cluster.stop('n2');
    await until('the interest is lost', () => heard.at(-1) === 'lost n2');
    assert.equal(first.leaderOf(group), undefined);
    heard.length = 0;
    second = await cluster.start(2, { previous, prepare: prepareSecond });
    await until('all arrived again', () => heard.length >= 3);
    assert.deepEqual(heard.slice(0, 3), told);
    await until('the leadership is known again', () => first.leaderOf(group) === n2);
    assert.equal(second.cluster.leaderOf(group), n2);
  }));

const idle = {
  term: 1,
  ready: true,
  commitIndex: 0,
  lastApplied: 0,
  voters: [],
  learners: [],
  repairing: false,
  peers: [],
} as unknown as GroupStatus;

test('requests are answered, refused, timed out, or fail when the link breaks', () =>
  TestCluster.run(2, async (cluster) => {
    await cluster.start(1);
    await cluster.start(2, {
      prepare: (node) => {
        node.serve('echo', (from, body) => Promise.resolve(Buffer.concat([Buffer.from(`${from}:`), body])));
        node.serve('silent', () => new Promise(() => undefined));
        node.serve('follower', () => Promise.reject(new NotLeaderError('ask n3', true)));
        node.serve('broken', () => Promise.reject(new Error('disk')));
      },
    });
    const { cluster: first } = cluster.node('n1');
    await until('they are linked', () => upNodes(cluster.node('n1')).length === 2);
    const ask = (service: string, timeoutMs = 5000): Promise<Buffer> =>
      first.request(n2, service, Buffer.from('x'), timeoutMs);
    assert.equal((await ask('echo')).toString(), 'n1:x');
    await assert.rejects(ask('nobody'), { name: 'NotLeaderError', notProposed: true });
    await assert.rejects(ask('follower'), { message: 'ask n3', notProposed: true });
    await assert.rejects(ask('broken'), { message: 'disk', notProposed: false });
    await assert.rejects(ask('silent', 20), { notProposed: false, message: /did not answer/ });
    await assert.rejects(first.request(n4, 'echo', Buffer.alloc(0), 100), { notProposed: true });
    const lost = assert.rejects(ask('silent'), { notProposed: false, message: /link to n2 broke/ });
    await cluster.stop('n2');
    await lost;
    await assert.rejects(ask('echo'), { notProposed: true, message: /not connected/ });
  }));

test('interest is known to a node before the request or the answer that relies on it', () =>
  TestCluster.run(2, async (cluster) => {
    const heard: string[] = [];
    /** Gathers interest, as the router does until its turn is over. */
    const gathering = (node: ClusterNode): ((subject: string) => void) => {
      const gathered: string[] = [];
      node.onInterest((_from, { subject }) => heard.push(subject));
      node.onInterestDue(() => {
        for (const subject of gathered.splice(0))
          node.setInterest({ account: 'A', subject, queue: undefined, members: 1 });
      });
      return (subject) => gathered.push(subject);
    };
    let ask!: (subject: string) => void;
    await cluster.start(1, {
      prepare: (node) => {
        ask = gathering(node);
      },
    });
    await cluster.start(2, {
      prepare: (node) => {
        const subscribe = gathering(node);
        node.serve('open', (_from, body) => {
          heard.push(`asked ${body.toString()}`);
          subscribe('upload');
          return Promise.resolve(Buffer.from('upload'));
        });
      },
    });
    await until('they are linked', () => upNodes(cluster.node('n1')).length === 2);
    ask('inbox');
    const answer = await cluster.node('n1').cluster.request(n2, 'open', Buffer.from('inbox'), 30_000);
    assert.deepEqual(
      [...heard, `answered ${answer.toString()}`],
      ['inbox', 'asked inbox', 'upload', 'answered upload'],
    );
  }));

test('the raft host hears frames and link changes, and a node that leaves is known to be gone', () =>
  TestCluster.run(2, async (cluster) => {
    const [a, b] = [await cluster.start(1), await cluster.start(2)];
    await until('they are linked', () => a.host.linkChanges.length > 0 && b.host.linkChanges.length > 0);
    assert.deepEqual(a.host.linkChanges, ['n2 up']);
    await cluster.stop('n2');
    await until('the link is down', () => a.host.linkChanges.length > 1);
    assert.deepEqual(a.host.linkChanges, ['n2 up', 'n2 down']);
    assert.deepEqual(
      a.cluster.nodes().map(({ node, up, clientUrls }) => [node, up, clientUrls]),
      [
        ['n1', true, ['127.0.0.1:1']],
        ['n2', false, ['127.0.0.1:2']],
      ],
    );
  }));

test('the sixth node is a learner of the meta group until a voter is removed, which then learns on while it is there', () =>
  TestCluster.run(6, async (cluster) => {
    const names = [1, 2, 3, 4, 5, 6].map((number) => `n${number}`);
    await Promise.all(names.map((_, i) => cluster.start(i + 1)));
    await cluster.untilFormed(names);
    const group = cluster.raft.groups.get(META_GROUP)!;
    await until('the sixth is a learner', () => group.voters.length === 5 && group.learners.length === 1);
    const leader = cluster.node(group.leader!).cluster;
    await until('all are admitted', () => leader.catalogue.nodes().length === 6);
    const learner = group.learners[0]!;
    const removed = group.voters.find((node) => node !== group.leader)!;
    assert.equal(await leader.removeNode(removed), true);
    await until('the learner took its place', () => group.voters.includes(learner));
    assert.deepEqual([group.voters.length, group.voters.includes(removed), group.learners], [5, false, [removed]]);
    const previous = await cluster.stop(removed);
    await until('it is gone', () => group.learners.length === 0);
    assert.deepEqual([leader.catalogue.wasRemoved(removed), leader.catalogue.nodes().length], [true, 5]);
    await cluster.start(Number(removed.slice(1)), { previous });
    await until('it is taken in again', () => !leader.catalogue.wasRemoved(removed));
    assert.deepEqual([group.learners, leader.catalogue.nodes().length], [[removed], 6]);
  }));

test('a node without JetStream links up and hears of leaders, and takes no part in the meta group', () =>
  TestCluster.run(3, async (cluster) => {
    await Promise.all([cluster.start(1), cluster.start(2), cluster.start(3, { jetstream: false })]);
    await cluster.untilFormed(['n1', 'n2']);
    const third = cluster.node('n3').cluster;
    await until('it knows the leader', () => third.leaderOf(META_GROUP) !== undefined);
    assert.deepEqual([third.metaStatus(), cluster.raft.opened.length], [undefined, 2]);
    const leader = cluster.node(cluster.raft.groups.get(META_GROUP)!.leader!).cluster;
    assert.equal((await leader.change(create('S', 3))).kind, 'noPeers');
    assert.equal((await leader.change(create('S', 2))).kind, 'applied');
  }));
