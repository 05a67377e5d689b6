/** What expires, and what is left in its place (streams.md 7.4, 7.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seq } from '../../src/base/brand.ts';
import { parseMessageTtl } from '../../src/stream/expiry/message-ttl.ts';
import { emptyStoredMessage } from '../../src/stream/index.ts';
import { checkpoint, openFixture, readAll, sortedPages, type Fixture } from './stream-fixture.ts';
import { pass } from './timed.ts';

const ttl = (value: string): Record<string, string> => ({ 'Nats-TTL': value });

function headersOf({ stream }: Fixture, seq: number): string {
  const view = emptyStoredMessage();
  assert.equal(
    stream.read(seq as Seq, view, () => undefined),
    'message',
  );
  return view.buffer.toString('utf8', view.headersStart, view.payloadStart);
}

test('a time to live is seconds, a duration of at least one, or never', () => {
  const good: readonly (readonly [string, number])[] = [
    ['1', 1],
    ['5', 5],
    ['1s', 1],
    ['1h30m', 5400],
    ['2500ms', 2],
    ['1000000us', 1],
    ['1.s', 1],
    ['never', 0xffff_ffff],
    ['NEVER', 0xffff_ffff],
    ['99999999999', 0xffff_fffe],
    ['9223372036854775807', 0xffff_fffe],
  ];
  for (const [text, seconds] of good.slice(0, -1)) assert.equal(parseMessageTtl(text), seconds, text);
  for (const text of ['0', '-1', '500ms', 'abc', '1d', '5 ', '+5', '0x10', '1e3', '-5s', '0s', '5.5', '2562048h']) {
    assert.equal(parseMessageTtl(text), undefined, text);
  }
});

test('a message goes when its time has come, and stays readable until then', async () => {
  const fixture = openFixture({ allowMsgTtl: true });
  const { publish, stream } = fixture;
  publish('a', ttl('2'));
  publish('b', ttl('1'));
  publish('c');
  await pass(fixture, 900);
  assert.deepEqual(readAll(stream), ['1 a ', '2 b ', '3 c ']);
  await pass(fixture, 500);
  assert.deepEqual(readAll(stream), ['1 a ', '3 c ']);
  await pass(fixture, 1000);
  assert.deepEqual(readAll(stream), ['3 c ']);
});

test('a shorter time that comes later is not held up by a longer one', async () => {
  const fixture = openFixture({ allowMsgTtl: true, maxAgeMs: 3_600_000 });
  fixture.publish('a', ttl('1h'));
  await pass(fixture, 250);
  fixture.publish('b', ttl('1'));
  await pass(fixture, 1500);
  assert.deepEqual(readAll(fixture.stream), ['1 a ']);
});

test('max_age removes what lives longer, but not what lives for ever', async () => {
  const fixture = openFixture({ allowMsgTtl: true, maxAgeMs: 2000 });
  const { publish, stream } = fixture;
  publish('a', ttl('never'));
  publish('b', ttl('1h'));
  publish('c');
  await pass(fixture, 1000);
  publish('d', ttl('never'));
  publish('e');
  await pass(fixture, 1500);
  assert.deepEqual(readAll(stream), ['1 a ', '4 d ', '5 e ']);
  await pass(fixture, 1000);
  assert.deepEqual(readAll(stream), ['1 a ', '4 d ']);
});

test('times to live survive a restart, and each replica has the same after every expiry', async () => {
  const fixture = openFixture({ allowMsgTtl: true });
  for (let i = 0; i < 20; i++) fixture.publish(`s.${i}`, ttl(String(1 + (i % 3))));
  const pages = new Map<string, Buffer>();
  checkpoint(fixture.stream, pages);
  await fixture.stream.restore({ appliedIndex: fixture.group.status.lastApplied, pages: sortedPages(pages) });
  await pass(fixture, 1500);
  assert.equal(fixture.stream.state().messages, 13);
  await pass(fixture, 2000);
  assert.equal(fixture.stream.state().messages, 0);
});

test('a leader that comes late expires what is due at once', async () => {
  const fixture = openFixture({ allowMsgTtl: true, maxAgeMs: 0 });
  fixture.publish('a', ttl('1'));
  fixture.group.changeStatus({ role: 'follower' });
  await pass(fixture, 5000, 1000);
  assert.equal(fixture.stream.state().messages, 1);
  fixture.group.changeStatus({ role: 'leader' });
  await pass(fixture, 500);
  assert.equal(fixture.stream.state().messages, 0);
});

test('the last message of a subject leaves a marker, which leaves none', async () => {
  const fixture = openFixture({ allowMsgTtl: true, allowRollupHdrs: true, subjectDeleteMarkerTtlMs: 3000 });
  const { publish, stream } = fixture;
  publish('a', ttl('3'));
  publish('a', ttl('3'));
  publish('b');
  publish('b', ttl('3'));
  await pass(fixture, 3500);
  assert.deepEqual(readAll(stream), ['3 b ', '5 a ']);
  assert.equal(
    headersOf(fixture, 5),
    'NATS/1.0\r\nNats-Marker-Reason: MaxAge\r\nNats-TTL: 3s\r\nNats-Rollup: sub\r\n\r\n',
  );
  await pass(fixture, 3500);
  assert.deepEqual(readAll(stream), ['3 b ']);
});

test('max_age leaves markers too, and a purged key has its own', async () => {
  const config = { allowMsgTtl: true, allowRollupHdrs: true, subjectDeleteMarkerTtlMs: 60_000, maxAgeMs: 1000 };
  const fixture = openFixture(config);
  fixture.publish('a');
  fixture.publish('k', { 'KV-Operation': 'PURGE', 'Nats-Rollup': 'sub' });
  await pass(fixture, 1500);
  assert.deepEqual(readAll(fixture.stream), ['3 a ']);
});

test('a marker that was proposed does not remove what was published meanwhile', async () => {
  const fixture = openFixture({ allowMsgTtl: true, allowRollupHdrs: true, subjectDeleteMarkerTtlMs: 1000 });
  fixture.publish('a', ttl('1'));
  fixture.submit([{ subject: 'a', payload: 'new' }]);
  // The publish is in the log, and the expiry is proposed before it is applied.
  fixture.runtime.advance(1250);
  await Promise.resolve();
  await pass(fixture, 250);
  assert.deepEqual(readAll(fixture.stream), ['2 a new']);
});

test('a time to live is raised to that of the markers, in whole seconds', () => {
  const config = { allowMsgTtl: true, subjectDeleteMarkerTtlMs: 3000 };
  const fixture = openFixture(config);
  fixture.publish('a', { A: 'b', 'Nats-TTL': '1s', C: 'd' });
  fixture.publish('a', { 'Nats-TTL': '1h30m' });
  fixture.publish('a', { 'Nats-TTL': 'never' });
  assert.equal(headersOf(fixture, 1), 'NATS/1.0\r\nA: b\r\nC: d\r\nNats-TTL: 3\r\n\r\n');
  assert.equal(headersOf(fixture, 2), 'NATS/1.0\r\nNats-TTL: 1h30m\r\n\r\n');
  assert.equal(headersOf(fixture, 3), 'NATS/1.0\r\nNats-TTL: never\r\n\r\n');
  const single = openFixture({ ...config, maxMsgsPerSubject: 1 });
  single.publish('a', { 'Nats-TTL': '1s' });
  assert.equal(headersOf(single, 1), 'NATS/1.0\r\nNats-TTL: 1s\r\n\r\n');
});

test('what is too much for one step goes in the next one at once', async () => {
  const fixture = openFixture({ allowMsgTtl: true });
  const many = Array.from({ length: 10_000 }, (_, i) => ({ subject: `s.${i % 100}`, headers: ttl('1') }));
  fixture.submit(many);
  fixture.group.run();
  await pass(fixture, 1250);
  await pass(fixture, 250);
  assert.equal(fixture.stream.state().messages, 0);
  assert.ok(fixture.group.entries.size > 3);
});
