/** Made-up histories: the checkers refuse the bad ones, and accept the good ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import type { GroupId, LogIndex, Term } from '../../src/raft/index.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import {
  checkContent,
  LogChecker,
  PromiseChecker,
  PublishChecker,
  ReadChecker,
  type Complain,
  type ShownMessage,
} from './checkers.ts';
import { ConsumerModel } from './consumer-model.ts';

type History = (complain: Complain) => void;

const GROUP = 7 as GroupId;
const node = (name: string): NodeId => name as NodeId;
const index = (value: number): LogIndex => value as LogIndex;

function complaints(history: History): string[] {
  const found: string[] = [];
  history((violation) => found.push(violation));
  return found;
}

function vote(from: string, to: string, term: number): PeerMessage {
  const addresses = { from: node(from), to: node(to), term: term as Term };
  return { kind: 'requestVoteReply', ...addresses, preVote: false, voteGranted: true, journal: 0 };
}

function lead(from: string, term: number): PeerMessage {
  return { kind: 'timeoutNow', from: node(from), to: node('n9'), term: term as Term, round: 1 };
}

function entry(at: number, term: number, checksum: number): { index: LogIndex; term: Term; checksum: number } {
  return { index: index(at), term: term as Term, checksum };
}

function said(complain: Complain, ...messages: PeerMessage[]): PromiseChecker {
  const checker = new PromiseChecker(complain);
  for (const message of messages) checker.said(GROUP, message);
  return checker;
}

function published(complain: Complain): PublishChecker {
  const checker = new PublishChecker(complain);
  for (const id of ['a', 'b']) checker.sending(id);
  checker.committed('a', { kind: 'stored', seq: 1 });
  checker.committed('b', { kind: 'stored', seq: 2 });
  return checker;
}

function message(seq: number, payload = `p${seq}`, timestampUs = seq): ShownMessage {
  return { seq, timestampUs, subject: 's', headers: '', payload };
}

function shows(complain: Complain, ...shown: ShownMessage[]): void {
  const expected = new Map([1, 2, 3].map((seq) => [seq, message(seq)]));
  checkContent(node('n1'), shown, expected, complain);
}

function consumed(complain: Complain, maxDeliver = -1): ConsumerModel {
  const model = new ConsumerModel({ ackPolicy: 'explicit', ackWaitMs: 100, backoffMs: [], maxDeliver }, complain);
  model.delivered({ seq: 1, attempts: 1, reply: 'r' }, 0);
  return model;
}

const BAD: Readonly<Record<string, History>> = {
  'two leaders in a term': (complain) => said(complain, lead('n1', 3), lead('n2', 3)),
  'two votes in a term': (complain) => said(complain, vote('n1', 'n2', 3), vote('n1', 'n3', 3)),
  'a second vote after a restart': (complain) => {
    const checker = said(complain, vote('n1', 'n2', 3));
    checker.reborn(node('n1'), true);
    checker.said(GROUP, vote('n1', 'n3', 3));
  },
  'a term that falls over a restart': (complain) => {
    const checker = said(complain, vote('n1', 'n2', 3));
    checker.reborn(node('n1'), false);
    checker.said(GROUP, vote('n1', 'n2', 2));
  },
  'a committed entry that changes': (complain) => {
    const checker = new LogChecker(complain);
    checker.applying(node('n1'), entry(1, 1, 11));
    checker.applying(node('n2'), entry(1, 2, 22));
  },
  'an entry that appears among those applied': (complain) => {
    const checker = new LogChecker(complain);
    checker.applying(node('n1'), entry(3, 1, 33));
    checker.applying(node('n2'), entry(2, 1, 22));
  },
  'states that differ': (complain) => {
    const checker = new LogChecker(complain);
    checker.applied(node('n1'), index(5), 1);
    checker.applied(node('n2'), index(5), 2);
  },
  'a checkpoint that brings another state': (complain) => {
    const checker = new LogChecker(complain);
    checker.applied(node('n1'), index(5), 1);
    checker.restored(node('n2'), index(6), 2);
  },
  'an acked publish that is not in the log': (complain) => {
    const checker = new PublishChecker(complain);
    checker.sending('a');
    checker.acknowledged('a', { kind: 'stored', seq: 1 });
  },
  'an ack that names the wrong sequence': (complain) => {
    published(complain).acknowledged('a', { kind: 'stored', seq: 2 });
  },
  'a publish that nobody sent': (complain) => {
    published(complain).committed('c', { kind: 'stored', seq: 3 });
  },
  'a publish that was refused, and stored': (complain) => {
    published(complain).refused('a');
  },
  'a publish stored before what was acked when it was sent': (complain) => {
    const checker = published(complain);
    checker.acknowledged('b', { kind: 'stored', seq: 2 });
    checker.sending('c');
    checker.committed('c', { kind: 'stored', seq: 1 });
    checker.acknowledged('c', { kind: 'stored', seq: 1 });
  },
  'a stale read': (complain) => {
    const checker = new ReadChecker(complain);
    checker.knows(5);
    checker.begin()(4);
  },
  'a read that goes back behind another': (complain) => {
    const checker = new ReadChecker(complain);
    checker.begin()(5);
    checker.begin()(4);
  },
  'a lost message': (complain) => {
    shows(complain, message(1), message(3));
  },
  'a message that nobody expects': (complain) => {
    shows(complain, message(1), message(2), message(3), message(4));
  },
  'swapped payloads': (complain) => {
    shows(complain, message(1, 'p2'), message(2, 'p1'), message(3));
  },
  'a doubled message': (complain) => {
    shows(complain, message(1), message(2), message(2), message(3));
  },
  'a time that falls': (complain) => {
    shows(complain, message(1), message(2, 'p2', 9), message(3));
  },
  'a delivery after its confirmed ack': (complain) => {
    const model = consumed(complain);
    model.asked(1, 'answer');
    model.answered('answer');
    model.leaderChanged();
    model.delivered({ seq: 1, attempts: 2, reply: 'r' }, 500);
  },
  'one attempt too many': (complain) => {
    consumed(complain, 1).delivered({ seq: 1, attempts: 2, reply: 'r' }, 500);
  },
  'a delivery that comes again too early': (complain) => {
    consumed(complain).delivered({ seq: 1, attempts: 2, reply: 'r' }, 99);
  },
};

const GOOD: Readonly<Record<string, History>> = {
  'terms, leaders and votes that go on': (complain) => {
    const checker = said(complain, vote('n1', 'n2', 3), vote('n1', 'n2', 3), lead('n2', 3), lead('n3', 4));
    checker.reborn(node('n1'), false);
    checker.said(GROUP, vote('n1', 'n3', 4));
  },
  'a log that all apply alike, one of them from a checkpoint': (complain) => {
    const checker = new LogChecker(complain);
    for (const name of ['n1', 'n2']) {
      checker.applying(node(name), entry(1, 1, 11));
      checker.applied(node(name), index(1), 1);
      checker.applying(node(name), entry(3, 2, 33));
      checker.applied(node(name), index(3), 3);
    }
    checker.restored(node('n3'), index(4), 3);
  },
  'publishes acked as the log has them': (complain) => {
    const checker = published(complain);
    checker.committed('a', { kind: 'duplicate', seq: 1 });
    checker.acknowledged('a', { kind: 'duplicate', seq: 1 });
    checker.acknowledged('b', { kind: 'stored', seq: 2 });
  },
  'reads that overlap, each no older than what was known': (complain) => {
    const checker = new ReadChecker(complain);
    const early = checker.begin();
    checker.begin()(7);
    early(5);
  },
  'everything where it should be': (complain) => {
    shows(complain, message(1), message(2), message(3));
  },
  'a redelivery in time': (complain) => {
    consumed(complain, 2).delivered({ seq: 1, attempts: 2, reply: 'r' }, 100);
  },
};

for (const [what, history] of Object.entries(BAD)) {
  test(`a history is refused with ${what}`, () => {
    assert.notDeepEqual(complaints(history), []);
  });
}

for (const [what, history] of Object.entries(GOOD)) {
  test(`a history is accepted with ${what}`, () => {
    assert.deepEqual(complaints(history), []);
  });
}
