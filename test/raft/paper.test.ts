/**
 * One claim of the Raft paper per test ("§": extended version; "thesis": Ongaro's dissertation), then what we added.
 * The group is driven by hand: core-cluster.ts.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { CoreCluster } from './core-cluster.ts';

const to = (id: string) => (message: PeerMessage) => message.to === id;
const kind = (wanted: PeerMessage['kind']) => (message: PeerMessage) => message.kind === wanted;

/** A group of `nodes` led by n1, at rest. */
function ledByFirst(nodes = 3, options: Partial<ConstructorParameters<typeof CoreCluster>[0]> = {}): CoreCluster {
  const cluster = new CoreCluster({ nodes, ...options });
  cluster.elect('n1');
  return cluster;
}

describe('elections', () => {
  test('a member that hears from nobody campaigns and, with a majority, leads (§5.2)', () => {
    const cluster = new CoreCluster({ nodes: 3 });
    cluster.timeout('n1');
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n1']);
    assert.equal(cluster.core('n2').leader, 'n1');
    assert.equal(cluster.core('n1').currentTerm, 1);
  });

  test('a minority elects nobody (§5.2)', () => {
    const cluster = new CoreCluster({ nodes: 5 });
    cluster.isolate('n1', 'n2');
    cluster.timeout('n1');
    cluster.run();
    assert.deepEqual(cluster.leaders, []);
  });

  test('a group of one leads itself (§5.2)', () => {
    const cluster = new CoreCluster({ nodes: 1 });
    cluster.elect('n1');
    cluster.propose('n1', 'a');
    cluster.run();
    assert.deepEqual(cluster.applied('n1'), ['a']);
  });

  test('a split vote ends without a leader, and a later term has one (§5.2)', () => {
    const cluster = new CoreCluster({ nodes: 2 });
    cluster.timeout('n1');
    cluster.timeout('n2');
    cluster.run();
    assert.deepEqual(cluster.leaders, []);
    cluster.elect('n1');
    assert.equal(cluster.core('n1').currentTerm, 2);
  });

  test('a vote is on disk before it is spoken (§5.2)', () => {
    const cluster = new CoreCluster({ nodes: 3 });
    cluster.slowDisks.add('n1').add('n2').add('n3');
    cluster.timeout('n1');
    cluster.run();
    assert.equal(cluster.core('n1').role, 'candidate');
    assert.ok(!cluster.network.some(kind('requestVote')), 'the candidate asks nobody before its own vote is on disk');
    cluster.write('n1');
    cluster.deliver(to('n2'));
    assert.ok(!cluster.network.some(kind('requestVoteReply')));
    cluster.write('n2');
    const reply = cluster.deliver(kind('requestVoteReply'));
    assert.ok(reply.kind === 'requestVoteReply' && reply.voteGranted);
    assert.equal(cluster.core('n1').role, 'leader');
  });

  test('one vote per term, also across a restart (§5.2)', () => {
    const cluster = new CoreCluster({ nodes: 3 });
    cluster.isolate('n3');
    cluster.elect('n1');
    cluster.crash('n2');
    cluster.restart('n2');
    assert.deepEqual(cluster.core('n2').hardState, { term: 1, votedFor: 'n1', voteFloor: 0 });
  });

  test('only a log at least as long, or of a later last term, gets votes (§5.4.1)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    cluster.propose('n1', 'a');
    cluster.run();
    cluster.heal();
    cluster.crash('n1');
    cluster.timeout('n3');
    cluster.run();
    assert.deepEqual(
      cluster.leaders.filter((id) => id === 'n3'),
      [],
    );
    cluster.elect('n2');
    assert.deepEqual(cluster.applied('n3'), ['a']);
  });

  test('a later term makes a leader step down (§5.1)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n1');
    cluster.elect('n2');
    cluster.heal();
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.leaders, ['n2']);
    assert.equal(cluster.core('n1').currentTerm, 2);
  });

  test('a member cut off does not raise its term, so its return deposes nobody (thesis §9.6)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    for (let round = 0; round < 5; round++) {
      cluster.heartbeat('n1');
      cluster.timeout('n3');
      cluster.run();
    }
    cluster.heal();
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.leaders, ['n1']);
    assert.equal(cluster.core('n3').currentTerm, 1);
  });

  test('whoever hears from a leader refuses pre-votes and ignores votes (§6, thesis §4.2.3)', () => {
    const cluster = ledByFirst();
    cluster.advance(1000);
    cluster.heartbeat('n1');
    const request = {
      from: cluster.node('n3').id,
      to: cluster.node('n2').id,
      lastLogIndex: 9,
      lastLogTerm: 9,
    } as never;
    for (const preVote of [true, false]) {
      const message = {
        kind: 'requestVote',
        term: 9,
        preVote,
        leadershipTransfer: false,
        ...(request as object),
      } as PeerMessage;
      cluster.step('n2', { kind: 'peer', message });
    }
    cluster.run();
    assert.equal(cluster.core('n2').currentTerm, 1);
    assert.deepEqual(cluster.leaders, ['n1']);
  });

  test('a leader that hears of no quorum for an election timeout steps down (§6.2 of the thesis)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n1');
    for (let beat = 0; beat < 10; beat++) cluster.heartbeat('n1');
    assert.equal(cluster.core('n1').role, 'follower');
  });

  test('a leader that stood still itself gives the others a chance to be heard', () => {
    const cluster = ledByFirst();
    cluster.advance(5000);
    cluster.heartbeat('n1');
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.leaders, ['n1']);
  });

  test('the first leader agreed on in advance leads without an election, and only after a creation', () => {
    const cluster = new CoreCluster({ nodes: 3, firstLeader: 'n2' });
    cluster.slowDisks.add('n2');
    cluster.run();
    assert.ok(!cluster.network.some(kind('appendEntries')), 'nothing is said before the term is on disk');
    cluster.slowDisks.clear();
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n2']);
    cluster.crash('n2');
    cluster.restart('n2');
    assert.deepEqual(cluster.leaders, []);
  });

  test('a restarted member refuses votes until a lease it may have granted is over (thesis §6.4.1)', () => {
    const cluster = ledByFirst();
    cluster.crash('n2');
    cluster.restart('n2');
    cluster.isolate('n1');
    cluster.step('n3', { kind: 'electionTimeout' });
    cluster.advance(299);
    cluster.step('n3', { kind: 'electionTimeout' });
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n1']);
    cluster.elect('n3');
  });
});

describe('the log', () => {
  test('what a majority has on disk is committed, and applied everywhere in order (§5.3)', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a', 'b');
    cluster.propose('n1', 'c');
    cluster.run();
    for (const id of cluster.nodes.keys()) assert.deepEqual(cluster.applied(id), ['a', 'b', 'c'], id);
  });

  test('a follower acknowledges nothing that is not on its disk (§5.3)', () => {
    const cluster = ledByFirst();
    cluster.slowDisks.add('n2').add('n3');
    cluster.propose('n1', 'a');
    cluster.run();
    assert.deepEqual(cluster.applied('n1'), []);
    cluster.slowDisks.delete('n3');
    cluster.run();
    assert.deepEqual(cluster.applied('n1'), ['a']);
  });

  test('a leader writes in parallel with its followers, and may be the last to have an entry (thesis §10.2.1)', () => {
    const cluster = ledByFirst();
    cluster.slowDisks.add('n1');
    cluster.propose('n1', 'a');
    cluster.run();
    assert.deepEqual(cluster.applied('n2'), ['a']);
    assert.equal(cluster.core('n1').durableIndex, 1);
  });

  test('a leader counts itself only for what is on its own disk', () => {
    const cluster = ledByFirst();
    cluster.slowDisks.add('n1').add('n3');
    cluster.propose('n1', 'a');
    cluster.run();
    assert.deepEqual(cluster.applied('n1'), []);
  });

  test("a leader cut off commits nothing, and takes over the others' log on healing (§5.3, §5.4)", () => {
    const cluster = ledByFirst();
    cluster.isolate('n1');
    cluster.propose('n1', 'lost');
    cluster.run();
    cluster.elect('n2');
    cluster.propose('n2', 'kept');
    cluster.run();
    cluster.heal();
    cluster.heartbeat('n2');
    for (const id of cluster.nodes.keys()) assert.deepEqual(cluster.applied(id), ['kept'], id);
  });

  test('one refusal per conflicting term finds where the logs part (§5.3)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n1');
    for (let at = 0; at < 50; at++) cluster.propose('n1', `lost${at}`);
    cluster.run();
    cluster.elect('n2');
    cluster.propose('n2', 'kept');
    cluster.run();
    cluster.heal();
    cluster.drop();
    cluster.step('n2', { kind: 'heartbeatTimeout' });
    let refusals = 0;
    while (cluster.network.length > 0) {
      const message = cluster.deliver();
      if (message.kind === 'appendEntriesReply' && !message.success) refusals++;
      for (const id of cluster.nodes.keys()) cluster.write(id);
    }
    assert.ok(refusals <= 2, `${refusals} refusals`);
    assert.deepEqual(cluster.applied('n1'), ['kept']);
  });

  test('entries of an earlier term are not committed by counting (§5.4.2, figure 8)', () => {
    const cluster = new CoreCluster({ nodes: 5, core: { limits: { maxAppendBytes: 1 } } });
    cluster.elect('n1');
    cluster.isolate('n1', 'n2');
    cluster.propose('n1', 'old');
    cluster.run();
    cluster.crash('n1');
    cluster.isolate('n4', 'n5');
    cluster.restart('n1');
    cluster.timeout('n1');
    // 'old' reaches n3 and so a majority; of the new term nobody gets an entry.
    for (let turn = 0; turn < 60; turn++) {
      cluster.drop((message) => message.to === 'n4' || message.to === 'n5');
      cluster.network = cluster.network.map((message) =>
        message.kind === 'appendEntries' && message.entries[0]?.term === 2 ? { ...message, entries: [] } : message,
      );
      if (cluster.network.length > 0) cluster.deliver();
      for (const id of cluster.nodes.keys()) cluster.write(id);
      cluster.load('n1');
    }
    assert.equal(cluster.core('n1').role, 'leader');
    assert.equal(cluster.core('n3').termAt(2 as never), 1, "'old' is on a majority");
    assert.ok(cluster.core('n1').commitIndex < 2);
  });

  test('a new leader commits what earlier terms left, with an empty entry of its own (§5.4.2, §8)', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.deliver(to('n2'));
    cluster.write('n2');
    cluster.crash('n1');
    cluster.drop();
    cluster.elect('n2');
    assert.deepEqual(cluster.applied('n3'), ['a']);
  });

  test('messages doubled, lost and out of order do no harm (§5.3, §5.5)', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.propose('n1', 'b');
    cluster.network = [...cluster.network, ...cluster.network].reverse();
    cluster.run();
    cluster.heartbeat('n1');
    for (const id of cluster.nodes.keys()) assert.deepEqual(cluster.applied(id), ['a', 'b'], id);
  });

  test('a follower that missed messages is brought up to date after the next heartbeat (§5.3)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    cluster.propose('n1', 'a', 'b');
    cluster.run();
    cluster.heal();
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.applied('n3'), ['a', 'b']);
  });

  test('a follower so far behind that the window forgot it is served from disk', () => {
    const cluster = ledByFirst(3, { core: { limits: { windowBytes: 100 } } });
    cluster.isolate('n3');
    for (let at = 0; at < 20; at++) {
      cluster.propose('n1', `v${at}`);
      cluster.run();
    }
    assert.equal(cluster.core('n1').cachedEntry(2 as never), undefined);
    cluster.heal();
    cluster.heartbeat('n1');
    assert.equal(cluster.applied('n3').length, 20);
  });

  test('what is in flight to a follower is bounded (thesis §10.2.1)', () => {
    const cluster = ledByFirst(3, { core: { limits: { maxInflightMessages: 3 } } });
    for (let at = 0; at < 10; at++) cluster.propose('n1', `v${at}`);
    assert.equal(cluster.network.filter(to('n2')).length, 3);
    cluster.run();
    assert.equal(cluster.applied('n2').length, 10);
  });

  test('a slow disk does not make a follower look dead', () => {
    const cluster = ledByFirst();
    cluster.slowDisks.add('n2').add('n3');
    cluster.propose('n1', 'a');
    for (let beat = 0; beat < 20; beat++) cluster.heartbeat('n1');
    assert.deepEqual(cluster.leaders, ['n1']);
    assert.deepEqual(cluster.applied('n1'), []);
  });

  test('an entry that does not chain to the one before it is refused and reported', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    const message = cluster.network.find((each) => each.kind === 'appendEntries' && each.to === 'n2')!;
    assert.ok(message.kind === 'appendEntries');
    const entry = message.entries[0]!;
    const record = Buffer.from(entry.record);
    record.writeUInt32BE(12345, 4);
    const forged = { ...message, entries: [{ ...entry, record }] };
    cluster.step('n2', { kind: 'peer', message: forged });
    assert.deepEqual(cluster.brokenChains, [{ node: 'n2', index: 2 }]);
    assert.equal(cluster.core('n2').lastIndex, 1);
  });
});

describe('checkpoints', () => {
  test("a follower behind the log's beginning gets a checkpoint, then the log (§7)", () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    cluster.propose('n1', 'a', 'b', 'c');
    cluster.run();
    cluster.node('n1').checkpoint(cluster.now);
    cluster.propose('n1', 'd');
    cluster.run();
    cluster.heal();
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.snapshotsWanted, [{ from: 'n1', to: 'n3' }]);
    assert.equal(cluster.core('n1').peers.get(cluster.node('n3').id)?.state.kind, 'snapshot');
    cluster.installCheckpoint('n1', 'n3');
    assert.deepEqual(cluster.applied('n3'), ['a', 'b', 'c', 'd']);
  });

  test('a checkpoint that covers only committed entries changes nothing (§7)', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.run();
    cluster.node('n1').checkpoint(cluster.now);
    cluster.propose('n1', 'b');
    cluster.run();
    cluster.installCheckpoint('n1', 'n2');
    assert.deepEqual(cluster.applied('n2'), ['a', 'b']);
    assert.equal(cluster.core('n2').lastIndex, 3);
  });

  test('a member restarts from its checkpoint and the log behind it (§7)', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.run();
    cluster.node('n2').checkpoint(cluster.now);
    cluster.propose('n1', 'b');
    cluster.run();
    cluster.crash('n2');
    cluster.restart('n2');
    assert.deepEqual(cluster.applied('n2'), ['a']);
    cluster.heartbeat('n1');
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.applied('n2'), ['a', 'b']);
  });

  test("a checkpoint of a later term than one's own brings that term along", () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    cluster.transfer('n1', 'n2');
    cluster.run();
    cluster.propose('n2', 'a');
    cluster.run();
    cluster.node('n2').checkpoint(cluster.now);
    cluster.node('n3').receiveCheckpoint(cluster.node('n2').id, cluster.node('n2').disk.checkpoint, cluster.now);
    assert.equal(cluster.core('n3').currentTerm, 2);
  });
});
