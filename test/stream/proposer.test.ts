/** How publishes become entries, and what their submitters are told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId, TimestampUs } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import type { Term } from '../../src/raft/index.ts';
import { allocateBatch } from '../../src/stream/entries/entry-format.ts';
import { openFixture, readAll, START_US } from './stream-fixture.ts';

test('a publish on an idle stream is proposed at once, and those that come meanwhile share one entry', () => {
  const { submit, group } = openFixture();
  group.maxInFlight = 1;
  submit([{ subject: 'a' }]);
  assert.equal(group.pending.length, 1);
  for (let i = 0; i < 5; i++) submit([{ subject: 'a' }, { subject: 'b' }]);
  assert.equal(group.pending.length, 1);
  group.commit(group.pending.splice(0));
  assert.equal(group.pending.length, 1);
  group.run();
  assert.equal(group.entries.size, 2);
});

test('submissions that share an entry each get their own part of the outcome, in order', () => {
  const { submit, group } = openFixture();
  group.maxInFlight = 1;
  submit([{ subject: 'a' }]);
  const wrong = { subject: 'a', headers: { 'Nats-Expected-Stream': 'T' } };
  const results = [
    submit([{ subject: 'a' }, wrong]),
    submit([{ subject: 'a' }]),
    submit([wrong, wrong]),
    submit([wrong, { subject: 'a' }, { subject: 'a' }]),
  ];
  group.run();
  const outcomes = results.map(({ outcome }) => {
    assert.equal(outcome?.kind, 'applied');
    return [outcome.firstSeq, outcome.exceptions.map(({ ordinal }) => ordinal)];
  });
  assert.deepEqual(outcomes, [
    [2, [1]],
    [3, []],
    [4, [0, 1]],
    [4, [0]],
  ]);
});

test('an entry is cut at a bound, and a larger submission has one of its own', () => {
  const { submit, group } = openFixture();
  group.maxInFlight = 1;
  submit([{ subject: 'a' }]);
  const payload = 'p'.repeat(300_000);
  for (let i = 0; i < 3; i++) submit([{ subject: 'a', payload }]);
  submit([{ subject: 'a', payload: payload.repeat(3) }]);
  group.run();
  assert.equal(group.entries.size, 5);
});

test('the stream keeps nothing of a submission’s buffer once it is settled', () => {
  const { stream, group } = openFixture();
  group.maxInFlight = 0;
  const messages = Buffer.from([0, 0, 0, 14, 0, 0, 0, 0, 0, 1, 0, 0, 0x61, 0x62]);
  stream.submit({ messages, count: 1, settle: () => messages.fill(0xff) });
  group.maxInFlight = 1;
  stream.proposalsWelcome();
  group.run();
  assert.deepEqual(readAll(stream), ['1 a b']);
});

test('a deposed leader answers for nothing that it proposed, and gives back what it had not', () => {
  const { submit, group } = openFixture();
  group.maxInFlight = 1;
  const proposed = submit([{ subject: 'a' }]);
  const queued = submit([{ subject: 'b' }]);
  group.changeStatus({ role: 'follower', term: 2 as Term, leader: 'n2' as NodeId });
  assert.deepEqual(proposed.outcome, { kind: 'unknown' });
  assert.deepEqual(queued.outcome, { kind: 'refused', reason: 'notLeader' });
  assert.deepEqual(submit([{ subject: 'c' }]).outcome, { kind: 'refused', reason: 'notLeader' });
});

test('an operation of a deposed leader is rejected, telling whether it was proposed', async () => {
  const { stream, group } = openFixture();
  group.maxInFlight = 1;
  const proposed = stream.execute({ op: 'deleteMessage', seq: 1, erase: false });
  const queued = stream.execute({ op: 'deleteMessage', seq: 1, erase: false });
  group.changeStatus({ role: 'follower', term: 2 as Term });
  await assert.rejects(proposed, (error) => error instanceof NotLeaderError && !error.notProposed);
  await assert.rejects(queued, (error) => error instanceof NotLeaderError && error.notProposed);
});

test('what another leader put in the place of a proposal does not count as its outcome', () => {
  const { submit, group } = openFixture();
  const lost = submit([{ subject: 'a' }, { subject: 'a' }]);
  const record = allocateBatch(START_US as TimestampUs, 0, 0);
  group.commit([group.replacePending(record)]);
  assert.deepEqual(lost.outcome, { kind: 'unknown' });
});

test('a leader that is elected anew does not answer for its earlier term', () => {
  const { submit, group } = openFixture();
  const lost = submit([{ subject: 'a' }]);
  group.changeStatus({ term: 3 as Term });
  assert.deepEqual(lost.outcome, { kind: 'unknown' });
});

test('publishes above the bound of the queue are refused, and so are bytes that are no messages', () => {
  const { submit, stream, group } = openFixture();
  group.maxInFlight = 0;
  const payload = 'p'.repeat(16 * 1024 * 1024);
  const outcomes = [1, 2, 3, 4].map(() => submit([{ subject: 'a', payload }]));
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    [undefined, undefined, undefined, { kind: 'refused', reason: 'overloaded' }],
  );
  let outcome: unknown;
  const settle = (settled: unknown): void => {
    outcome = settled;
  };
  stream.submit({ messages: Buffer.from('not a message at all'), count: 1, settle });
  assert.deepEqual(outcome, { kind: 'refused', reason: 'overloaded' });
});

test('closing settles everything', () => {
  const { submit, stream, group } = openFixture();
  group.maxInFlight = 1;
  const results = [submit([{ subject: 'a' }]), submit([{ subject: 'a' }])];
  stream.close();
  assert.deepEqual(
    results.map(({ outcome }) => outcome?.kind),
    ['unknown', 'refused'],
  );
});
