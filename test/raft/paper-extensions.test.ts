/** The claims about reads, membership, hand-over, repair and hibernation; continues paper.test.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMembership, decodeMembership, makeMembership } from '../../src/raft/core/membership.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { CoreCluster } from './core-cluster.ts';

const kind = (wanted: PeerMessage['kind']) => (message: PeerMessage) => message.kind === wanted;

function ledByFirst(nodes = 3, options: Partial<ConstructorParameters<typeof CoreCluster>[0]> = {}): CoreCluster {
  const cluster = new CoreCluster({ nodes, ...options });
  cluster.elect('n1');
  return cluster;
}

describe('reads', () => {
  test('a leader answers reads after a round to a quorum (thesis §6.4)', () => {
    const cluster = ledByFirst();
    cluster.advance(10_000);
    cluster.read('n1', 7);
    assert.deepEqual(cluster.reads, []);
    cluster.run();
    assert.deepEqual(cluster.reads, [{ node: 'n1', context: 7, index: 1 }]);
  });

  test('reads that come while a round is under way share the next one (thesis §6.4)', () => {
    const cluster = ledByFirst();
    cluster.advance(10_000);
    for (let context = 1; context <= 20; context++) cluster.read('n1', context);
    const sent = cluster.network.filter(kind('appendEntries')).length;
    assert.equal(sent, 2, 'one round, to two followers');
    cluster.run();
    assert.equal(cluster.reads.length, 20);
  });

  test('a new leader answers no read before it has committed an entry of its own term (thesis §6.4)', () => {
    const cluster = new CoreCluster({ nodes: 3 });
    cluster.slowDisks.add('n2').add('n3');
    cluster.timeout('n1');
    cluster.run();
    for (const id of ['n2', 'n3']) cluster.write(id);
    cluster.run();
    assert.equal(cluster.core('n1').role, 'leader');
    cluster.read('n1', 1);
    cluster.run();
    assert.deepEqual(cluster.reads, []);
    cluster.slowDisks.clear();
    cluster.run();
    assert.deepEqual(cluster.reads, [{ node: 'n1', context: 1, index: 1 }]);
  });

  test('a leader that was replaced answers no read (thesis §6.4)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n1');
    cluster.elect('n2');
    cluster.propose('n2', 'new');
    cluster.run();
    cluster.read('n1', 1);
    cluster.run();
    cluster.heal();
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.reads, []);
    assert.deepEqual(cluster.abortedReads, [1]);
  });

  test('a lease answers at once, and is over before anybody else can be elected (thesis §6.4.1)', () => {
    const cluster = ledByFirst();
    cluster.heartbeat('n1');
    assert.ok(cluster.core('n1').hasLease(cluster.now));
    cluster.read('n1', 1);
    assert.equal(cluster.reads.length, 1);
    assert.ok(!cluster.core('n1').hasLease(cluster.now + 241));
  });

  test('a follower answers no read', () => {
    const cluster = ledByFirst();
    cluster.read('n2', 3);
    assert.deepEqual(cluster.abortedReads, [3]);
  });
});

describe('membership', () => {
  test('a new voter catches up as a learner, then both majorities decide, then the new one (§6)', () => {
    const cluster = ledByFirst(4, { voters: 3 });
    cluster.propose('n1', 'a');
    cluster.changeMembership('n1', ['n1', 'n2', 'n4']);
    assert.deepEqual(cluster.core('n1').membership.learners, ['n4']);
    cluster.run();
    assert.deepEqual(cluster.membershipOutcomes, ['completed']);
    assert.deepEqual(cluster.core('n4').membership, makeMembership({ voters: ['n1', 'n2', 'n4'] as never[] }));
    assert.deepEqual(cluster.applied('n4'), ['a']);
  });

  test('while moving, the old majority alone decides nothing (§6)', () => {
    const cluster = ledByFirst(6, { voters: 3 });
    cluster.changeMembership('n1', ['n4', 'n5', 'n6']);
    for (let turn = 0; cluster.core('n1').membership.outgoing.length === 0; turn++) {
      assert.ok(turn < 100, 'the joint membership never came');
      for (const id of cluster.nodes.keys()) cluster.write(id);
      if (cluster.network.length > 0) cluster.deliver();
    }
    const joint = cluster.core('n1').lastIndex;
    cluster.isolate('n1', 'n2', 'n3');
    cluster.drop();
    cluster.run();
    assert.ok(cluster.core('n1').commitIndex < joint);
    cluster.heal();
    cluster.heartbeat('n1');
    cluster.run();
    assert.deepEqual(
      cluster.leaders.filter((id) => id <= 'n3'),
      [],
    );
  });

  test('a leader that is no member any more steps down when that is committed, and names a successor (§6)', () => {
    const cluster = ledByFirst(3);
    cluster.changeMembership('n1', ['n2', 'n3']);
    cluster.run();
    assert.deepEqual(cluster.membershipOutcomes, ['completed']);
    assert.equal(cluster.core('n1').role, 'learner');
    assert.equal(cluster.leaders.length, 1);
  });

  test('a voter that is leaving campaigns until its leaving is committed (thesis §4.2.2)', () => {
    const cluster = ledByFirst(2, { voters: 1 });
    cluster.changeMembership('n1', ['n2']);
    for (let turn = 0; cluster.core('n1').membership.voters.includes('n1' as never); turn++) {
      assert.ok(turn < 200, 'the new membership never came');
      for (const id of cluster.nodes.keys()) cluster.write(id);
      if (cluster.network.length > 0) cluster.deliver();
      if (cluster.core('n1').membership.voters.includes('n1' as never)) continue;
      cluster.drop();
    }
    // n2 does not know the entry that makes it the only voter; only n1 can bring it.
    cluster.write('n1');
    cluster.crash('n1');
    cluster.restart('n1');
    cluster.timeout('n1');
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n2']);
    assert.deepEqual(cluster.core('n2').membership.voters, ['n2']);
  });

  test('a removed member disturbs nobody (§6)', () => {
    const cluster = ledByFirst(3);
    cluster.isolate('n3');
    cluster.changeMembership('n1', ['n1', 'n2']);
    cluster.run();
    cluster.heal();
    cluster.heartbeat('n1');
    for (let round = 0; round < 3; round++) {
      cluster.advance(250);
      cluster.heartbeat('n1');
      cluster.step('n3', { kind: 'electionTimeout' });
      cluster.run();
    }
    assert.deepEqual(cluster.leaders, ['n1']);
    assert.equal(cluster.core('n1').currentTerm, 1);
  });

  test('a learner gets the log but neither votes for itself nor counts (thesis §4.2.1)', () => {
    const cluster = ledByFirst(3, { voters: 2 });
    cluster.changeMembership('n1', ['n1', 'n2'], ['n3']);
    cluster.run();
    cluster.propose('n1', 'a');
    cluster.run();
    assert.equal(cluster.core('n3').role, 'learner');
    cluster.heartbeat('n1');
    assert.deepEqual(cluster.applied('n3'), ['a']);
    cluster.isolate('n2');
    cluster.propose('n1', 'b');
    cluster.run();
    assert.deepEqual(cluster.applied('n1'), ['a']);
    cluster.timeout('n3');
    cluster.run();
    assert.equal(cluster.core('n3').role, 'learner');
  });

  test('an uncommitted membership is forgotten together with its entry (§6)', () => {
    const cluster = ledByFirst(3);
    cluster.isolate('n1');
    cluster.changeMembership('n1', ['n1']);
    cluster.run();
    assert.deepEqual(cluster.core('n1').membership.voters, ['n1']);
    cluster.elect('n2');
    cluster.heal();
    cluster.heartbeat('n2');
    assert.deepEqual(cluster.core('n1').membership.voters, ['n1', 'n2', 'n3']);
  });

  test('a new leader finishes a move that its predecessor began (§6)', () => {
    const cluster = ledByFirst(3);
    cluster.changeMembership('n1', ['n2', 'n3']);
    cluster.deliver((message) => message.to === 'n2' && message.kind === 'appendEntries');
    cluster.write('n2');
    cluster.crash('n1');
    cluster.drop();
    cluster.elect('n2');
    cluster.run();
    assert.deepEqual(cluster.core('n3').membership, makeMembership({ voters: ['n2', 'n3'] as never[] }));
  });

  test('one change at a time; none without voters', () => {
    const cluster = ledByFirst(3);
    cluster.changeMembership('n1', []);
    cluster.changeMembership('n1', ['n1', 'n2']);
    cluster.changeMembership('n1', ['n3']);
    assert.deepEqual(cluster.membershipOutcomes, ['refused', 'refused']);
  });

  test('what encodes a membership decodes to the same, and nonsense to nothing', () => {
    const membership = makeMembership({ voters: ['b', 'a'], outgoing: ['c'], learners: ['d', 'a'] } as never);
    const body = encodeMembership(membership);
    assert.deepEqual(decodeMembership(body), membership);
    for (let cut = 0; cut < body.length; cut++) assert.equal(decodeMembership(body.subarray(0, cut)), undefined);
    assert.equal(decodeMembership(Buffer.concat([body, Buffer.from([0])])), undefined);
  });
});

describe('handing over', () => {
  test('leadership goes to the target without waiting for a timeout (thesis §3.10)', () => {
    const cluster = ledByFirst();
    cluster.transfer('n1', 'n3');
    assert.ok(!cluster.core('n1').canPropose);
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n3']);
  });

  test('the target is brought up to date first (thesis §3.10)', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.transfer('n1', 'n2');
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n2']);
    assert.deepEqual(cluster.applied('n2'), ['a']);
  });

  test('a transfer that does not come about is given up, and the leader leads on (thesis §3.10)', () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    cluster.transfer('n1', 'n3');
    for (let beat = 0; beat < 8; beat++) cluster.heartbeat('n1');
    assert.deepEqual(cluster.leaders, ['n1']);
    assert.ok(cluster.core('n1').canPropose);
  });

  /** The target's word to campaign is held up, and the leader gives the transfer up. */
  function givenUp(): { cluster: CoreCluster; late: PeerMessage } {
    const cluster = ledByFirst();
    cluster.heartbeat('n1');
    cluster.transfer('n1', 'n3');
    const late = cluster.network.find(kind('timeoutNow'))!;
    cluster.drop(kind('timeoutNow'));
    cluster.heartbeat('n1');
    assert.ok(!cluster.core('n1').hasLease(cluster.now), 'while it is under way, n3 may be elected at any moment');
    for (let beat = 0; beat < 8 && !cluster.core('n1').canPropose; beat++) cluster.heartbeat('n1');
    return { cluster, late };
  }

  test('once a transfer was given up, and a quorum has heard of that, leases hold again', () => {
    const { cluster } = givenUp();
    cluster.heartbeat('n1');
    assert.ok(cluster.core('n1').hasLease(cluster.now));
  });

  test('the word to campaign of a transfer that was given up is not heeded any more', () => {
    const { cluster, late } = givenUp();
    cluster.heartbeat('n1');
    cluster.step('n3', { kind: 'peer', message: late });
    cluster.run();
    assert.equal(cluster.core('n3').currentTerm, 1);
    assert.deepEqual(cluster.leaders, ['n1']);
  });

  test('a quorum does not help a target that heard too late, and nothing of its having been given up', () => {
    const { cluster, late } = givenUp();
    cluster.crash('n3');
    cluster.restart('n3');
    cluster.isolate('n3');
    cluster.heartbeat('n1');
    assert.ok(cluster.core('n1').hasLease(cluster.now));
    const request = {
      kind: 'requestVote',
      from: cluster.node('n3').id,
      term: 2,
      lastLogIndex: 99,
      lastLogTerm: 1,
      preVote: false,
      leadershipTransfer: true,
      transferTerm: 1,
      transferRound: (late as Extract<PeerMessage, { kind: 'timeoutNow' }>).round,
    } as unknown as PeerMessage;
    for (const to of ['n1', 'n2']) cluster.step(to, { kind: 'peer', message: { ...request, to: cluster.node(to).id } });
    cluster.run();
    assert.deepEqual([cluster.core('n1').currentTerm, cluster.core('n2').currentTerm], [1, 1]);
    assert.deepEqual(cluster.leaders, ['n1']);
  });

  test('a transfer after one that was given up comes about', () => {
    const { cluster } = givenUp();
    cluster.heartbeat('n1');
    cluster.transfer('n1', 'n3');
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n3']);
  });

  test('a follower that came to a later term by hearsay does not vote in it while a lease may rest on it', () => {
    const cluster = ledByFirst();
    cluster.heartbeat('n1');
    assert.ok(cluster.core('n1').hasLease(cluster.now));
    const [n2, n3] = [cluster.node('n2').id, cluster.node('n3').id];
    const refusal = {
      kind: 'requestVoteReply',
      from: n3,
      to: n2,
      term: 2,
      preVote: true,
      voteGranted: false,
      journal: 0,
    };
    cluster.step('n2', { kind: 'peer', message: refusal as unknown as PeerMessage });
    const request = {
      ...{ kind: 'requestVote', from: n3, to: n2, term: 2, lastLogIndex: 99, lastLogTerm: 1, preVote: false },
      ...{ leadershipTransfer: false, transferTerm: 0, transferRound: 0 },
    };
    cluster.step('n2', { kind: 'peer', message: request as unknown as PeerMessage });
    assert.equal(cluster.core('n2').currentTerm, 2);
    assert.equal(cluster.core('n2').hardState.votedFor, undefined);
  });
});

describe('repair', () => {
  test('a replica that lost its disk neither votes nor campaigns nor counts', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.run();
    cluster.loseDisk('n3', 0);
    cluster.isolate('n2');
    cluster.propose('n1', 'b');
    for (let beat = 0; beat < 3; beat++) cluster.heartbeat('n1');
    assert.deepEqual(cluster.applied('n1'), ['a'], 'n1 and a repairing n3 are no majority');
    cluster.crash('n1');
    cluster.heal();
    cluster.timeout('n3');
    cluster.timeout('n2');
    cluster.run();
    assert.equal(cluster.core('n3').role, 'follower');
    assert.notEqual(cluster.core('n2').role, 'leader');
  });

  test('a leader that a quorum without the replica confirms brings it back to full membership', () => {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.run();
    cluster.loseDisk('n3', 0);
    for (let beat = 0; beat < 4; beat++) cluster.heartbeat('n1');
    assert.ok(!cluster.core('n3').repairing);
    assert.deepEqual(cluster.applied('n3'), ['a']);
    cluster.isolate('n2');
    cluster.propose('n1', 'b');
    cluster.run();
    assert.deepEqual(cluster.applied('n1'), ['a', 'b']);
  });

  test('a repaired replica never votes again where it may have voted before', () => {
    const cluster = ledByFirst();
    cluster.loseDisk('n3', 0);
    for (let beat = 0; beat < 4; beat++) cluster.heartbeat('n1');
    const { voteFloor } = cluster.core('n3').hardState;
    assert.ok(voteFloor > 1_000_000);
    cluster.crash('n1');
    cluster.timeout('n2');
    cluster.run();
    assert.deepEqual(cluster.leaders, []);
    cluster.elect('n2');
    assert.equal(cluster.core('n2').currentTerm, voteFloor + 1);
  });

  test('a late word of a replica that was repaired meanwhile does not exclude it for ever', () => {
    const cluster = ledByFirst();
    cluster.loseDisk('n3', 0);
    const late: PeerMessage[] = [];
    for (let beat = 0; beat < 6; beat++) {
      cluster.advance(50);
      cluster.step('n1', { kind: 'heartbeatTimeout' });
      for (let turn = 0; turn < 30 && cluster.network.length > 0; turn++) {
        const message = cluster.deliver();
        if (message.kind === 'appendEntriesReply' && message.repairing !== 0) late.push(message);
        for (const id of cluster.nodes.keys()) cluster.write(id);
      }
    }
    assert.ok(late.length > 0 && !cluster.core('n3').repairing);
    for (const message of late) cluster.step('n1', { kind: 'peer', message });
    for (let beat = 0; beat < 4; beat++) cluster.heartbeat('n1');
    assert.equal(cluster.core('n1').peers.get(cluster.node('n3').id)?.repair, undefined);
  });
});

describe('word that a repair is over', () => {
  /** n3 lost its disk, and the leader vouches for it again: what it is told then. */
  function repairedOnce(cluster: CoreCluster): PeerMessage {
    cluster.loseDisk('n3', 0);
    let word: PeerMessage | undefined;
    for (let beat = 0; beat < 6; beat++) {
      cluster.advance(50);
      cluster.step('n1', { kind: 'heartbeatTimeout' });
      for (let turn = 0; turn < 30 && cluster.network.length > 0; turn++) {
        const message = cluster.deliver();
        if (message.kind === 'appendEntries' && message.repaired !== 0) word ??= message;
        for (const id of cluster.nodes.keys()) cluster.write(id);
      }
    }
    assert.ok(word !== undefined && !cluster.core('n3').repairing);
    return word;
  }

  test('does not end a later repair when it comes late', () => {
    const cluster = ledByFirst();
    const late = repairedOnce(cluster);
    cluster.crash('n3');
    cluster.node('n3').disk.repairing = true;
    cluster.restart('n3');
    cluster.step('n3', { kind: 'peer', message: late });
    assert.ok(cluster.core('n3').repairing);
    for (let beat = 0; beat < 6; beat++) cluster.heartbeat('n1');
    assert.ok(!cluster.core('n3').repairing);
  });
});

describe('hibernation', () => {
  function asleep(): CoreCluster {
    const cluster = ledByFirst();
    cluster.propose('n1', 'a');
    cluster.run();
    cluster.heartbeat('n1');
    cluster.step('n1', { kind: 'hibernate' });
    cluster.run();
    return cluster;
  }

  test('a group with nothing left to say falls silent, and its timers rest', () => {
    const cluster = asleep();
    for (const id of cluster.nodes.keys()) assert.ok(cluster.core(id).hibernating, id);
    cluster.advance(60_000);
    cluster.step('n1', { kind: 'heartbeatTimeout' });
    cluster.step('n2', { kind: 'electionTimeout' });
    assert.deepEqual(cluster.network, []);
  });

  test('work wakes it', () => {
    const cluster = asleep();
    cluster.advance(60_000);
    cluster.propose('n1', 'b');
    cluster.run();
    assert.deepEqual(cluster.applied('n2'), ['a', 'b']);
    assert.ok(!cluster.core('n2').hibernating);
  });

  test('a sleeping leader has no lease: a read needs a round', () => {
    const cluster = asleep();
    cluster.advance(60_000);
    assert.ok(!cluster.core('n1').hasLease(cluster.now));
    cluster.read('n1', 1);
    assert.equal(cluster.reads.length, 0);
    cluster.run();
    assert.equal(cluster.reads.length, 1);
  });

  test('whoever doubts that the leader lives wakes it', () => {
    const cluster = asleep();
    cluster.step('n2', { kind: 'wake' });
    cluster.timeout('n2');
    cluster.run();
    assert.deepEqual(cluster.leaders, ['n1']);
    assert.equal(cluster.core('n2').leader, 'n1');
  });

  test('if the leader is gone, those who wake elect another', () => {
    const cluster = asleep();
    cluster.crash('n1');
    cluster.step('n2', { kind: 'wake' });
    cluster.timeout('n2');
    cluster.run();
    cluster.elect('n2');
  });

  test('a group with an entry not everywhere does not fall silent', () => {
    const cluster = ledByFirst();
    cluster.isolate('n3');
    cluster.propose('n1', 'a');
    cluster.run();
    assert.ok(!cluster.core('n1').canHibernate);
  });
});
