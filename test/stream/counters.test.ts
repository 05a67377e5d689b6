/** Counter streams: what is stored follows from all that was stored before, whatever is under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import type { Term } from '../../src/raft/index.ts';
import { addCounts, parseCount, readCounter } from '../../src/stream/counters/counter-value.ts';
import { openFixture, readOne, type Fixture, type Publish } from './stream-fixture.ts';

const increment = (subject: string, by: number | string, headers: Readonly<Record<string, string>> = {}): Publish => ({
  subject,
  headers: { 'Nats-Incr': String(by), ...headers },
});

function openCounters(): Fixture {
  return openFixture({ allowMsgCounter: true, subjects: ['>'] });
}

/** The answers to a submission's messages: new values, or error codes. */
function answers(result: ReturnType<Fixture['submit']>): (string | number | undefined)[] {
  assert.equal(result.outcome?.kind, 'applied');
  return result.outcome.exceptions.map(({ reply }) => {
    const parsed = JSON.parse(reply!) as { val?: string; duplicate?: boolean; error?: { err_code: number } };
    return parsed.duplicate === true ? 'duplicate' : (parsed.val ?? parsed.error?.err_code);
  });
}

test('counts agree with arithmetic without bounds', () => {
  const count = fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt());
  fc.assert(
    fc.property(count, count, (a, b) => {
      const sum = addCounts(parseCount(a.toString())!, parseCount(b.toString())!);
      assert.equal(sum.toString(), (a + b).toString());
    }),
  );
});

test('whatever is stored, reading it as a counter gives a counter or nothing', () => {
  const json = fc.oneof(fc.string(), fc.json());
  fc.assert(
    fc.property(json, fc.option(json, { nil: undefined }), (payload, sources) => {
      const counter = readCounter(Buffer.from(payload), sources);
      assert.ok(counter === undefined || ['number', 'bigint'].includes(typeof counter.total));
    }),
  );
});

test('increments that share an entry add to each other, subject by subject', () => {
  const { group, submit, stream } = openCounters();
  const first = submit([increment('a', 1), increment('b', 5), increment('a', 2)]);
  const second = submit([increment('a', 4), increment('a', 'x')]);
  const third = submit([increment('b', -6)]);
  group.run();
  assert.deepEqual([answers(first), answers(second), answers(third)], [['1', '5', '3'], ['7', 10171], ['-1']]);
  assert.equal(readOne(stream, 4), '4 a {"val":"7"}');
});

test('what arrives while an entry is in flight waits for it, and shares the next one', () => {
  const { group, submit } = openCounters();
  submit([increment('a', 1)]);
  const waiting = [submit([increment('a', 1)]), submit([increment('a', 1)])];
  assert.equal(group.pending.length, 1);
  group.commit(group.pending.splice(0));
  assert.equal(group.pending.length, 1);
  group.run();
  assert.deepEqual(waiting.map(answers), [['2'], ['3']]);
  assert.equal(group.entries.size, 2);
});

test('a purge that is under way comes before the increments behind it', async () => {
  const { group, submit, stream } = openCounters();
  submit([increment('a', 7)]);
  group.run();
  const purged = stream.execute({ op: 'purge', filter: 'a', seq: undefined, keep: undefined });
  const behind = submit([increment('a', 1)]);
  group.run();
  await purged;
  assert.deepEqual(answers(behind), ['1']);
});

test('an id that comes twice counts once, in one entry and in two', () => {
  const { group, submit } = openCounters();
  const id = { 'Nats-Msg-Id': 'm' };
  const both = submit([increment('a', 1, id), increment('a', 1, id), increment('a', 1)]);
  group.run();
  const later = submit([increment('a', 1, id), increment('a', 1)]);
  group.run();
  assert.deepEqual(
    [answers(both), answers(later)],
    [
      ['1', 'duplicate', '2'],
      ['duplicate', '3'],
    ],
  );
});

test('an id counts again when its window has passed, though nothing happened meanwhile', () => {
  const { group, submit, runtime } = openCounters();
  const id = { 'Nats-Msg-Id': 'm' };
  submit([increment('a', 1, id)]);
  group.run();
  runtime.advance(120_001);
  const later = submit([increment('a', 1, id)]);
  group.run();
  assert.deepEqual(answers(later), ['2']);
});

test('values that are on disk only are read before anything is added to them', async () => {
  const { group, submit } = openCounters();
  submit([increment('a', 3), increment('b', 4)]);
  group.run();
  // Another life of this node, which remembers nothing.
  const reopened = openCounters();
  reopened.group.commit([...group.entries.values()]);
  for (const index of group.entries.keys()) reopened.group.coldRecords.add(index);
  const result = reopened.submit([increment('b', 1), increment('a', 1)]);
  assert.equal(reopened.group.pending.length, 0);
  await new Promise((resolve) => setImmediate(resolve));
  reopened.group.run();
  assert.deepEqual(answers(result), ['5', '4']);
});

test('a value that can not be read breaks its counter only', async () => {
  const { group, submit } = openCounters();
  submit([increment('a', 3)]);
  group.run();
  const reopened = openCounters();
  reopened.group.commit([...group.entries.values()]);
  for (const index of group.entries.keys()) reopened.group.corruptRecords.add(index);
  const result = reopened.submit([increment('a', 1), increment('b', 1)]);
  await new Promise((resolve) => setImmediate(resolve));
  reopened.group.run();
  assert.deepEqual(answers(result), [10172, '1']);
});

test('increments that wait when leadership goes are refused; those in flight are not answered', () => {
  const { group, submit } = openCounters();
  const inFlight = submit([increment('a', 1)]);
  const waiting = submit([increment('a', 1)]);
  group.changeStatus({ role: 'follower', term: 2 as Term });
  assert.deepEqual(inFlight.outcome, { kind: 'unknown' });
  assert.deepEqual(waiting.outcome, { kind: 'refused', reason: 'notLeader' });
});

test('nothing is counted before the leader has applied what those before it left', () => {
  const { group, submit } = openCounters();
  group.changeStatus({ ready: false });
  const result = submit([increment('a', 1)]);
  assert.equal(group.pending.length, 0);
  group.changeStatus({ ready: true });
  group.run();
  assert.deepEqual(answers(result), ['1']);
});
