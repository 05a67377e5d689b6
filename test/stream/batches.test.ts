/** Batches whose parts depend on each other: what the leader keeps of them, and that they are applied as one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import type { Term } from '../../src/raft/index.ts';
import { parseFastReply } from '../../src/stream/batches/fast-reply.ts';
import { encodeMessages, openFixture, readAll, type Fixture, type Publish } from './stream-fixture.ts';

function member(id: string, seq: number, more: Readonly<Record<string, string>> = {}): Publish {
  return { subject: 'a', headers: { 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': String(seq), ...more } };
}
const COMMIT = { 'Nats-Batch-Commit': '1' };

/** The replies to a submission's messages, in order. */
function replies(result: ReturnType<Fixture['submit']>): (string | undefined)[] {
  assert.equal(result.outcome?.kind, 'applied');
  return result.outcome.exceptions.map(({ reply }) => reply);
}

function errorCode(reply: string | undefined): number | undefined {
  return (JSON.parse(reply ?? '{}') as { error?: { err_code: number } }).error?.err_code;
}

/** Publishes with the reply subjects of a fast batch; gives all that its client is told. */
function submitFast(
  { stream }: Fixture,
  publishes: readonly { readonly reply: string; readonly headers?: Readonly<Record<string, string>> }[],
): string[] {
  const told: string[] = [];
  stream.submit({
    messages: encodeMessages(publishes.map(({ headers }) => ({ subject: 'a', ...(headers && { headers }) }))),
    count: publishes.length,
    batchReplies: publishes.map(({ reply }, ordinal) => ({ ordinal, reply })),
    settle(outcome) {
      if (outcome.kind === 'applied') told.push(...outcome.exceptions.flatMap(({ reply }) => reply ?? []));
    },
  });
  return told;
}

test('a batch within one submission is one entry, between what came before and after it', () => {
  const { group, submit, stream } = openFixture({ allowAtomic: true });
  const result = submit([{ subject: 'b' }, member('u', 1), member('u', 2, COMMIT), { subject: 'c' }]);
  group.run();
  assert.equal(group.entries.size, 3);
  assert.deepEqual(replies(result), ['', '{"stream":"S","seq":3,"batch":"u","count":2}', '{"stream":"S","seq":4}']);
  assert.deepEqual(readAll(stream), ['1 b ', '2 a ', '3 a ', '4 c ']);
});

test('a refused batch leaves no trace, on the leader and where it is applied again', () => {
  const { group, submit, stream } = openFixture({ allowAtomic: true });
  const result = submit([member('u', 1), member('u', 2, { ...COMMIT, 'Nats-Expected-Stream': 'T' })]);
  group.run();
  assert.equal(errorCode(replies(result)[1]), 10060);
  const follower = openFixture({ allowAtomic: true });
  follower.group.commit([...group.entries.values()]);
  assert.equal(stream.state().lastSeq, 0);
  assert.equal(follower.stream.digest(), stream.digest());
});

test('a change of leader ends open batches', () => {
  const { group, submit } = openFixture({ allowAtomic: true });
  submit([member('u', 1)]);
  group.changeStatus({ role: 'follower', term: 2 as Term });
  group.changeStatus({ role: 'leader', term: 3 as Term });
  assert.equal(errorCode(replies(submit([member('u', 2, COMMIT)]))[0]), 10176);
});

test('a batch that gets nothing for its time is given up', () => {
  const { submit, runtime } = openFixture({ allowAtomic: true });
  submit([member('u', 1)]);
  runtime.advance(9_000);
  assert.deepEqual(replies(submit([member('u', 2)])), ['']);
  runtime.advance(10_000);
  assert.equal(errorCode(replies(submit([member('u', 3, COMMIT)]))[0]), 10176);
});

test('the commit of a batch whose outcome is not known is not answered', () => {
  const { group, submit } = openFixture({ allowAtomic: true });
  const result = submit([member('u', 1), member('u', 2, COMMIT)]);
  group.changeStatus({ role: 'follower', term: 2 as Term });
  assert.deepEqual(replies(result), ['', undefined]);
});

test('where a fast batch allows no gaps, nothing behind a refused message is stored', () => {
  const fixture = openFixture({ allowBatched: true });
  const wrong = { 'Nats-Expected-Last-Sequence': '99' };
  const told = submitFast(fixture, [
    { reply: '_I.a.5.fail.1.0.$FI' },
    { reply: '_I.a.5.fail.2.1.$FI', headers: wrong },
    { reply: '_I.a.5.fail.3.1.$FI' },
    { reply: '_I.a.5.fail.4.2.$FI' },
  ]);
  fixture.group.run();
  assert.equal(fixture.stream.state().messages, 1);
  assert.deepEqual(
    told.map((text) => errorCode(text) ?? text),
    ['{"type":"ack","seq":0,"msgs":5}', 10071, '{"stream":"S","seq":1,"batch":"a","count":1}', 10208, 10208],
  );
});

test('what arrives for a fast batch while a run is in flight goes with the next run', () => {
  const fixture = openFixture({ allowBatched: true });
  submitFast(fixture, [{ reply: '_I.a.5.ok.1.0.$FI' }]);
  for (let seq = 2; seq <= 4; seq++) submitFast(fixture, [{ reply: `_I.a.5.ok.${seq}.1.$FI` }]);
  const told = submitFast(fixture, [{ reply: '_I.a.5.ok.5.2.$FI' }]);
  fixture.group.run();
  assert.equal(fixture.group.entries.size, 2);
  assert.deepEqual(told, ['{"stream":"S","seq":5,"batch":"a","count":5}']);
});

test('no reply subject confuses the reader of fast batches', () => {
  const token = fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom('ok', 'fail', '$FI', ''));
  fc.assert(
    fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
      const parsed = parseFastReply(`${tokens.join('.')}.$FI`);
      assert.ok(parsed === undefined || (parsed.seq >= 1 && parsed.flow >= 1 && parsed.flow <= 65_535));
    }),
  );
});

test('whatever headers batches come with, every message is answered once and the stream stays whole', () => {
  const header = fc.record({
    id: fc.constantFrom('u', 'v', '', 'k'.repeat(65), '\u{1f4e6}'),
    seq: fc.oneof(fc.integer({ min: -1, max: 4 }).map(String), fc.constantFrom('', 'x', '1e3', '18446744073709551616')),
    commit: fc.constantFrom('', '1', 'eob', 'x'),
    more: fc.constantFrom({}, { 'Nats-Msg-Id': 'm' }, { 'Nats-Rollup': 'sub' }, { 'Nats-Expected-Last-Sequence': '0' }),
  });
  fc.assert(
    fc.property(fc.array(header, { minLength: 1, maxLength: 12 }), (headers) => {
      const fixture = openFixture({ allowAtomic: true, allowRollupHdrs: true });
      const follower = openFixture({ allowAtomic: true, allowRollupHdrs: true });
      const messages = headers.map(({ id, seq, commit, more }) => ({
        subject: 'a',
        headers: { 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': seq, 'Nats-Batch-Commit': commit, ...more },
      }));
      const result = fixture.submit(messages);
      fixture.group.run();
      assert.equal(result.outcome?.kind, 'applied');
      follower.group.commit([...fixture.group.entries.values()]);
      assert.equal(follower.stream.digest(), fixture.stream.digest());
      assert.equal(readAll(fixture.stream).length, fixture.stream.state().messages);
    }),
    { numRuns: 200 },
  );
});
