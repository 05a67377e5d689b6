/** Messages that produce others at their times (streams.md 7.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seq } from '../../src/base/brand.ts';
import { emptyStoredMessage, type StreamConfig } from '../../src/stream/index.ts';
import {
  checkpoint,
  FakeRuntime,
  openFixture,
  readAll,
  sortedPages,
  START_US,
  type Fixture,
} from './stream-fixture.ts';
import { pass } from './timed.ts';

const CONFIG: Partial<StreamConfig> = {
  subjects: ['s.>'],
  allowMsgSchedules: true,
  allowMsgTtl: true,
  allowRollupHdrs: true,
};
const at = (ms: number): string => new Date(START_US / 1000 + ms).toISOString();

function headersOf({ stream }: Fixture, seq: number): string[] {
  const view = emptyStoredMessage();
  assert.equal(
    stream.read(seq as Seq, view, () => undefined),
    'message',
  );
  return view.buffer.toString('utf8', view.headersStart, view.payloadStart).trim().split('\r\n').slice(1);
}

test('a schedule for one time produces its message then, and goes', async () => {
  const fixture = openFixture(CONFIG);
  fixture.publish(
    's.at',
    {
      'Nats-Schedule': `@at ${at(5000)}`,
      'Nats-Schedule-Target': 's.t',
      'Nats-Schedule-TTL': '10s',
      'Nats-Schedule-Rollup': 'sub',
      A: 'b',
      'Nats-Msg-Id': 'x',
      'Nats-Expected-Stream': 'S',
    },
    'body',
  );
  await pass(fixture, 4900);
  assert.deepEqual(readAll(fixture.stream), ['1 s.at body']);
  assert.ok(headersOf(fixture, 1).includes('Nats-Rollup: sub'));
  await pass(fixture, 200);
  assert.deepEqual(readAll(fixture.stream), ['2 s.t body']);
  assert.deepEqual(headersOf(fixture, 2), [
    'A: b',
    'Nats-Scheduler: s.at',
    'Nats-Schedule-Next: purge',
    'Nats-TTL: 10s',
    'Nats-Rollup: sub',
  ]);
});

test('a repeating schedule goes on, and says when', async () => {
  const fixture = openFixture(CONFIG);
  fixture.publish('s.every', { 'Nats-Schedule': '@every 2s', 'Nats-Schedule-Target': 's.t' }, 'x');
  await pass(fixture, 4200);
  assert.deepEqual(readAll(fixture.stream), ['1 s.every x', '2 s.t x', '3 s.t x']);
  assert.deepEqual(headersOf(fixture, 2).at(-1), `Nats-Schedule-Next: ${at(4000).replace('.000', '')}`);
});

test('the source gives the content, and the schedule itself does until there is one', async () => {
  const fixture = openFixture(CONFIG);
  const headers = {
    'Nats-Schedule': '@every 1s',
    'Nats-Schedule-Target': 's.t',
    'Nats-Schedule-Source': 's.src',
    Z: 'z',
  };
  fixture.publish('s.every', headers, 'own');
  await pass(fixture, 1200);
  fixture.publish('s.src', { Q: 'q', 'Nats-TTL': '9', 'Nats-Msg-Id': 'i' }, 'source');
  await pass(fixture, 1000);
  assert.deepEqual(readAll(fixture.stream).slice(1), ['2 s.t own', '3 s.src source', '4 s.t source']);
  assert.deepEqual(headersOf(fixture, 4).slice(0, 2), ['Q: q', 'Nats-Scheduler: s.every']);
});

test('whatever removes or replaces a schedule ends it', async () => {
  const fixture = openFixture(CONFIG);
  const every = { 'Nats-Schedule': '@every 1s', 'Nats-Schedule-Target': 's.t' };
  for (const subject of ['s.1', 's.2', 's.3', 's.4']) fixture.publish(subject, every);
  const done = [
    fixture.stream.execute({ op: 'deleteMessage', seq: 1, erase: false }),
    fixture.stream.execute({ op: 'purge', filter: 's.2', seq: undefined, keep: undefined }),
  ];
  fixture.group.run();
  await Promise.all(done);
  fixture.publish('s.3', {}, 'plain');
  fixture.publish('s.t', { 'Nats-Scheduler': 's.4', 'Nats-Schedule-Next': 'purge' }, 'last');
  await pass(fixture, 3000);
  assert.deepEqual(readAll(fixture.stream), ['3 s.3 ', '5 s.3 plain', '6 s.t last']);
});

test('a schedule goes on after a restart; what was missed fires once', async () => {
  const runtime = new FakeRuntime();
  const fixture = openFixture(CONFIG, runtime);
  fixture.publish('s.every', { 'Nats-Schedule': '@every 10s', 'Nats-Schedule-Target': 's.t' });
  await pass(fixture, 10_500);
  const pages = new Map<string, Buffer>();
  checkpoint(fixture.stream, pages);
  fixture.group.changeStatus({ role: 'follower' });
  await fixture.stream.restore({ appliedIndex: fixture.group.status.lastApplied, pages: sortedPages(pages) });
  await pass(fixture, 60_000, 10_000);
  assert.equal(fixture.stream.state().lastSeq, 2);
  fixture.group.changeStatus({ role: 'leader' });
  await pass(fixture, 9000);
  assert.equal(fixture.stream.state().lastSeq, 2);
  await pass(fixture, 3000);
  assert.equal(fixture.stream.state().lastSeq, 3);
});

test('a time that passed while nobody led fires at once', async () => {
  const fixture = openFixture(CONFIG);
  fixture.publish('s.at', { 'Nats-Schedule': '@at 2020-01-01T00:00:00Z', 'Nats-Schedule-Target': 's.t' }, 'x');
  await pass(fixture, 500);
  assert.deepEqual(readAll(fixture.stream), ['2 s.t x']);
});

test('two leaders that fire for the same time produce one message', async () => {
  const fixture = openFixture(CONFIG);
  fixture.publish('s.every', { 'Nats-Schedule': '@every 1s', 'Nats-Schedule-Target': 's.t' });
  await pass(fixture, 500);
  fixture.runtime.advance(600);
  for (let turn = 0; turn < 100 && fixture.group.pending.length === 0; turn++) await Promise.resolve();
  // The entry comes back as one that another leader proposed before.
  const [entry] = fixture.group.pending;
  assert.ok(entry);
  fixture.stream.apply([entry]);
  await pass(fixture, 250);
  assert.equal(fixture.stream.state().lastSeq, 2);
});

test('an unknown time zone is refused by the leader', () => {
  const fixture = openFixture(CONFIG);
  const headers = { 'Nats-Schedule': '@daily', 'Nats-Schedule-Target': 's.t', 'Nats-Schedule-Time-Zone': 'Foo/Bar' };
  const reply = fixture.publish('s.x', headers) as { error?: { err_code: number } };
  assert.equal(reply.error?.err_code, 10223);
});
