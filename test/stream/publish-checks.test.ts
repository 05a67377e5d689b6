/** What a publish is answered, check by check (streams.md 5.1 to 5.7, 7). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFixture, readAll, type Fixture } from './stream-fixture.ts';

function refusal(code: number, errCode: number, description: string): unknown {
  return { error: { code, err_code: errCode, description }, stream: 'S', seq: 0 };
}

const stored = (seq: number): unknown => ({ stream: 'S', seq });
const WRONG_LAST_0 = refusal(400, 10071, 'wrong last sequence: 0');

test('a refused message takes no sequence, and its neighbours in the batch are stored', () => {
  const { submit, group, stream } = openFixture();
  const result = submit([
    { subject: 'a', payload: '1' },
    { subject: 'a', headers: { 'Nats-Expected-Stream': 'T' } },
    { subject: 'b', payload: '2' },
  ]);
  group.run();
  const reply =
    '{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"},"stream":"S","seq":0}';
  assert.deepEqual(result.outcome, {
    kind: 'applied',
    firstSeq: 1,
    exceptions: [{ ordinal: 1, stored: false, reply }],
  });
  assert.deepEqual(readAll(stream), ['1 a 1', '2 b 2']);
});

test('a repeated message id is answered with the first sequence, spelt as the reference server spells it', () => {
  const { submit, group } = openFixture();
  const headers = { 'Nats-Msg-Id': 'x' };
  const result = submit([
    { subject: 'a', headers },
    { subject: 'b', headers },
  ]);
  group.run();
  assert.deepEqual(result.outcome, {
    kind: 'applied',
    firstSeq: 1,
    exceptions: [{ ordinal: 1, stored: false, reply: '{"stream":"S","seq":1,"duplicate": true}' }],
  });
});

test('the domain is named in the answer to a duplicate and not in an error', () => {
  const { submit, group } = openFixture({}, undefined, 'hub');
  const headers = { 'Nats-Msg-Id': 'x' };
  const result = submit([
    { subject: 'a', headers },
    { subject: 'a', headers },
    { subject: 'a', headers: { 'Nats-Expected-Stream': 'T' } },
  ]);
  group.run();
  const outcome = result.outcome;
  assert.equal(outcome?.kind, 'applied');
  const replies = outcome.exceptions.map(({ reply }) => reply);
  assert.equal(replies[0], '{"stream":"S","domain":"hub","seq":1,"duplicate": true}');
  assert.ok(!replies[1]!.includes('hub'));
});

test('an id is forgotten when the window has passed since its message, not since its repeat', () => {
  const { publish, runtime } = openFixture({ duplicateWindowMs: 1_000 });
  const headers = { 'Nats-Msg-Id': 'x' };
  assert.deepEqual(publish('a', headers), stored(1));
  runtime.advance(999);
  assert.deepEqual(publish('a', headers), { stream: 'S', seq: 1, duplicate: true });
  runtime.advance(1);
  assert.deepEqual(publish('a', headers), stored(2));
});

test('an id outlives its message', async () => {
  const { publish, stream, group } = openFixture();
  publish('a', { 'Nats-Msg-Id': 'x' });
  const purged = stream.execute({ op: 'purge', filter: undefined, seq: undefined, keep: undefined });
  group.run();
  assert.deepEqual(await purged, { kind: 'done', purged: 1 });
  assert.deepEqual(publish('a', { 'Nats-Msg-Id': 'x' }), { stream: 'S', seq: 1, duplicate: true });
});

test('a clock that jumps back does not bring time in the stream back', () => {
  const { publish, runtime, stream } = openFixture({ duplicateWindowMs: 1_000 });
  publish('a', { 'Nats-Msg-Id': 'x' });
  const before = stream.state().lastTimestampUs;
  runtime.turnBack(60_000);
  publish('a');
  assert.equal(stream.state().lastTimestampUs, before);
});

test('header names are case-sensitive, leading spaces are skipped, trailing ones count, empty means absent', () => {
  const { publish } = openFixture();
  assert.deepEqual(publish('a', { 'nats-expected-stream': 'T' }), stored(1));
  assert.deepEqual(publish('a', { 'Nats-Expected-Stream': '   S' }), stored(2));
  assert.deepEqual(
    publish('a', { 'Nats-Expected-Stream': 'S ' }),
    refusal(400, 10060, 'expected stream does not match'),
  );
  assert.deepEqual(publish('a', { 'Nats-Expected-Stream': '' }), stored(3));
});

test('expected sequences must be met, and a number that is none never is', () => {
  const { publish } = openFixture();
  assert.deepEqual(publish('a', { 'Nats-Expected-Last-Sequence': '0' }), stored(1));
  assert.deepEqual(publish('a', { 'Nats-Expected-Last-Sequence': '0' }), refusal(400, 10071, 'wrong last sequence: 1'));
  assert.deepEqual(
    publish('a', { 'Nats-Expected-Last-Sequence': '1x' }),
    refusal(400, 10071, 'wrong last sequence: 1'),
  );
  assert.deepEqual(publish('b', { 'Nats-Expected-Last-Subject-Sequence': '1' }), WRONG_LAST_0);
  assert.deepEqual(publish('a', { 'Nats-Expected-Last-Subject-Sequence': '1' }), stored(2));
});

test('the expected subject sequence may be that of another subject, or the last over a wildcard', () => {
  const { publish } = openFixture();
  publish('k.1');
  publish('k.2');
  const subject = { 'Nats-Expected-Last-Subject-Sequence-Subject': 'k.*' };
  assert.deepEqual(
    publish('k.1', { 'Nats-Expected-Last-Subject-Sequence': '1', ...subject }),
    refusal(400, 10071, 'wrong last sequence: 2'),
  );
  assert.deepEqual(publish('k.1', { 'Nats-Expected-Last-Subject-Sequence': '2', ...subject }), stored(3));
  assert.deepEqual(
    publish('k.1', subject),
    refusal(400, 10193, 'missing sequence for expected last sequence per subject'),
  );
});

test('the expected last message id is that of the message stored last', () => {
  const { publish } = openFixture();
  publish('a', { 'Nats-Msg-Id': 'one' });
  assert.deepEqual(
    publish('a', { 'Nats-Expected-Last-Msg-Id': 'zero' }),
    refusal(400, 10070, 'wrong last msg ID: one'),
  );
  assert.deepEqual(publish('a', { 'Nats-Expected-Last-Msg-Id': 'one' }), stored(2));
  assert.deepEqual(publish('a', { 'Nats-Expected-Last-Msg-Id': 'one' }), refusal(400, 10070, 'wrong last msg ID: '));
});

test('checks run in the order of an unreplicated stream', () => {
  const { publish } = openFixture({ maxMsgSize: 500, maxMsgs: 1, discard: 'new', allowMsgTtl: true });
  publish('a', { 'Nats-Msg-Id': 'x' });
  // Each is refused for the first of the reasons it has; the next one then lacks that.
  const reasons: readonly (readonly [name: string, value: string, errCode: number | undefined])[] = [
    ['Nats-Batch-Id', 'b', 10174],
    ['Nats-Incr', '1', 10168],
    ['Nats-Expected-Stream', 'T', 10060],
    ['Nats-Expected-Last-Subject-Sequence', '7', 10071],
    ['Nats-Expected-Last-Sequence', '9', 10071],
    ['Nats-Schedule', '@daily', 10188],
    ['Nats-Scheduler', 'x', 10212],
    ['Nats-Stream-Source', 'O 1', 10227],
    ['Nats-Msg-Id', 'x', undefined],
    ['Nats-Expected-Last-Msg-Id', 'y', 10070],
    ['Nats-Rollup', 'sub', 10111],
    ['Nats-TTL', 'z', 10165],
    ['Other', 'o', 10077],
  ];
  reasons.forEach(([name, , errCode], index) => {
    const headers = Object.fromEntries(reasons.slice(index).map(([each, value]) => [each, value]));
    const reply = publish('a', headers) as { error?: { err_code: number } };
    assert.equal(reply.error?.err_code, errCode, name);
    const large = publish('a', headers, 'p'.repeat(500));
    assert.deepEqual(large, refusal(400, 10054, 'message size exceeds maximum allowed'));
  });
});

test('headers above 64 KiB are refused, and so are those of features that are off', () => {
  const { publish } = openFixture();
  const huge = publish('a', { X: 'x'.repeat(65_536) });
  assert.deepEqual(huge, refusal(400, 10097, 'header size exceeds maximum allowed of 64k'));
  assert.deepEqual(publish('a', { 'Nats-TTL': '1s' }), refusal(400, 10166, 'per-message TTL is disabled'));
  assert.deepEqual(publish('a', { 'Nats-Incr': '1' }), refusal(400, 10168, 'message counters is disabled'));
  assert.deepEqual(publish('a', { 'Nats-Batch-Id': 'b' }), refusal(400, 10174, 'atomic publish is disabled'));
  assert.deepEqual(publish('a', { 'Nats-Schedule': '@daily' }), refusal(400, 10188, 'message schedules is disabled'));
  const source = publish('a', { 'Nats-Stream-Source': 'O 1' });
  assert.deepEqual(source, refusal(400, 10227, 'message stream source header is not allowed'));
});

test('a sealed stream takes nothing', () => {
  const { publish } = openFixture({ sealed: true });
  assert.deepEqual(publish('a'), refusal(400, 10109, 'invalid operation on sealed stream'));
});

test('a rollup leaves the message alone on its subject, or in the stream; its value is read without regard to case', () => {
  const { publish, stream } = openFixture({ allowRollupHdrs: true });
  for (const subject of ['a', 'b', 'a']) publish(subject);
  assert.deepEqual(publish('a', { 'Nats-Rollup': 'SUB' }), stored(4));
  assert.deepEqual(readAll(stream), ['2 b ', '4 a ']);
  assert.deepEqual(publish('c', { 'Nats-Rollup': 'all' }), stored(5));
  assert.deepEqual(readAll(stream), ['5 c ']);
  assert.deepEqual(publish('c', { 'Nats-Rollup': 'foo' }), refusal(500, 10111, 'rollup value invalid: "foo"'));
});

test('discard new refuses at the limits; a full subject is replaced unless that is refused as well', () => {
  const full = refusal(503, 10077, 'maximum messages per subject exceeded');
  const perSubject = openFixture({ discard: 'new', maxMsgsPerSubject: 1 });
  perSubject.publish('a');
  assert.deepEqual(perSubject.publish('a'), stored(2));
  const refusing = openFixture({
    discard: 'new',
    maxMsgsPerSubject: 1,
    discardNewPerSubject: true,
    allowRollupHdrs: true,
  });
  refusing.publish('a');
  assert.deepEqual(refusing.publish('a'), full);
  assert.deepEqual(refusing.publish('a', { 'Nats-Rollup': 'sub' }), stored(2));
  const bytes = openFixture({ discard: 'new', maxBytes: 100 });
  assert.deepEqual(bytes.publish('a', {}, 'p'.repeat(69)), stored(1));
  assert.deepEqual(bytes.publish('a'), refusal(503, 10077, 'maximum bytes exceeded'));
});

test('a full stream takes what replaces a message of a full subject that is no smaller', () => {
  const limits = { discard: 'new', maxMsgsPerSubject: 1, allowRollupHdrs: true } as const;
  const count = openFixture({ ...limits, maxMsgs: 2 });
  for (const subject of ['a', 'b']) count.publish(subject);
  assert.deepEqual(count.publish('c'), refusal(503, 10077, 'maximum messages exceeded'));
  assert.deepEqual(count.publish('c', { 'Nats-Rollup': 'all' }), refusal(503, 10077, 'maximum messages exceeded'));
  assert.deepEqual(count.publish('a'), stored(3));
  const bytes = openFixture({ ...limits, maxBytes: 75 });
  for (const subject of ['a', 'b']) bytes.publish(subject, {}, 'pppp');
  assert.deepEqual(bytes.publish('a', {}, 'pppp'), stored(3));
  assert.deepEqual(bytes.publish('a', {}, 'ppppp'), refusal(503, 10077, 'maximum bytes exceeded'));
});

test('bytes count as in the reference server, by kind of storage', () => {
  const bytes = ({ publish, stream }: Fixture): number[] => {
    publish('abc', {}, '12345');
    const plain = stream.state().bytes;
    publish('abc', { H: 'v' }, '12345');
    return [plain, stream.state().bytes - plain];
  };
  const headers = 'NATS/1.0\r\nH: v\r\n\r\n'.length;
  assert.deepEqual(bytes(openFixture({ storage: 'file' })), [30 + 3 + 5, 34 + 3 + headers + 5]);
  assert.deepEqual(bytes(openFixture({ storage: 'memory' })), [16 + 3 + 5, 16 + 3 + headers + 5]);
});

test('discard old makes room: per subject first, then at the head', () => {
  const { publish, stream } = openFixture({ maxMsgs: 3, maxMsgsPerSubject: 2 });
  for (const subject of ['a', 'b', 'a', 'a', 'c']) publish(subject);
  assert.deepEqual(readAll(stream), ['3 a ', '4 a ', '5 c ']);
});

test('a message that nobody is interested in takes a sequence and is not kept', () => {
  const { publish, stream, extension } = openFixture({ retention: 'interest' });
  extension.interest = (subject) => subject === 'wanted';
  assert.deepEqual(publish('unwanted', { 'Nats-Msg-Id': 'x' }), stored(1));
  assert.deepEqual(publish('wanted'), stored(2));
  assert.deepEqual(publish('unwanted', { 'Nats-Msg-Id': 'x' }), { stream: 'S', seq: 1, duplicate: true });
  assert.deepEqual(readAll(stream), ['2 wanted ']);
});
