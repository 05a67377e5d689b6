/** Purge, delete, changes of configuration, expiry, and what the extension is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INSUFFICIENT_RESOURCES } from '../../src/base/api-errors.ts';
import { setImmediate as immediate } from 'node:timers/promises';
import { NotLeaderError } from '../../src/base/errors.ts';
import type { NodeId, Seq, TimestampUs } from '../../src/base/brand.ts';
import type { LogIndex } from '../../src/raft/index.ts';
import type { OperationResult, StreamOperation } from '../../src/stream/index.ts';
import { baseConfig, checkpoint, openFixture, readAll, sortedPages, START_US, type Fixture } from './stream-fixture.ts';
import { pass } from './timed.ts';

async function run({ stream, group }: Fixture, operation: StreamOperation): Promise<OperationResult> {
  const result = stream.execute(operation);
  group.run();
  // A purge that keeps messages finds out which ones before it proposes anything.
  await immediate();
  group.run();
  return result;
}

function purge(fixture: Fixture, options: { filter?: string; seq?: number; keep?: number }): Promise<OperationResult> {
  return run(fixture, { op: 'purge', filter: options.filter, seq: options.seq, keep: options.keep });
}

/** Messages 1 to 6 on a b a b a b. */
function six(config: Parameters<typeof openFixture>[0] = {}): Fixture {
  const fixture = openFixture(config);
  for (let i = 0; i < 6; i++) fixture.publish(i % 2 === 0 ? 'a' : 'b');
  return fixture;
}

const seqs = ({ stream }: Fixture): number[] => readAll(stream).map((message) => Number(message.split(' ')[0]));

const PURGES = [
  { name: 'nothing given', options: {}, left: [], purged: 6 },
  { name: 'seq', options: { seq: 3 }, left: [3, 4, 5, 6], purged: 2 },
  { name: 'seq 1', options: { seq: 1 }, left: [1, 2, 3, 4, 5, 6], purged: 0 },
  { name: 'keep', options: { keep: 2 }, left: [5, 6], purged: 4 },
  { name: 'keep more than there are', options: { keep: 9 }, left: [1, 2, 3, 4, 5, 6], purged: 0 },
  { name: 'filter', options: { filter: 'a' }, left: [2, 4, 6], purged: 3 },
  { name: 'filter >', options: { filter: '>' }, left: [], purged: 6 },
  { name: 'filter and seq', options: { filter: 'a', seq: 5 }, left: [2, 4, 5, 6], purged: 2 },
  { name: 'filter and keep', options: { filter: '*', keep: 2 }, left: [5, 6], purged: 4 },
];
for (const { name, options, left, purged } of PURGES) {
  test(`purge by ${name} leaves ${left.length} of six messages`, async () => {
    const fixture = six();
    assert.deepEqual(await purge(fixture, options), { kind: 'done', purged });
    assert.deepEqual(seqs(fixture), left);
    assert.equal(fixture.stream.state().lastSeq, 6);
    assert.equal(fixture.stream.state().firstSeq, left[0] ?? 7);
  });
}

test('a purge of many messages is several entries, and spares what is published between them', async () => {
  const fixture = openFixture({}, undefined, undefined, undefined, 2);
  for (let i = 0; i < 6; i++) fixture.publish(i % 2 === 0 ? 'a' : 'b');
  const { stream, group } = fixture;
  let purged: OperationResult | undefined;
  void stream.execute({ op: 'purge', filter: 'a', seq: undefined, keep: undefined }).then((result) => {
    purged = result;
  });
  let entries = 0;
  while (purged === undefined) {
    entries += group.pending.length;
    group.run();
    fixture.publish('a');
    await immediate();
  }
  assert.deepEqual(purged, { kind: 'done', purged: 3 });
  assert.equal(entries, 3);
  assert.deepEqual(seqs(fixture), [2, 4, 6, 7, 8, 9]);
});

test('a purge beyond the end moves the stream forward', async () => {
  const fixture = six();
  await purge(fixture, { seq: 100 });
  assert.deepEqual([fixture.stream.state().firstSeq, fixture.stream.state().lastSeq], [100, 99]);
  assert.deepEqual(fixture.publish('a'), { stream: 'S', seq: 100 });
});

test('purge is refused with both bounds, on a sealed stream, and where it is denied', async () => {
  const code = async (fixture: Fixture, options = {}): Promise<unknown> => {
    const result = await purge(fixture, options);
    return result.kind === 'error' && [result.error.code, result.error.errCode, result.error.description];
  };
  assert.deepEqual(await code(six(), { seq: 2, keep: 2 }), [400, 10003, 'bad request']);
  assert.deepEqual(await code(openFixture({ sealed: true })), [400, 10109, 'invalid operation on sealed stream']);
  assert.deepEqual(await code(six({ denyPurge: true })), [500, 10110, 'stream purge not permitted']);
});

test('deleting answers as the storage does, and keeps the last sequence', async () => {
  const remove = async (fixture: Fixture, seq: number): Promise<unknown> => {
    const result = await run(fixture, { op: 'deleteMessage', seq, erase: false });
    return result.kind === 'error' ? [result.error.errCode, result.error.description] : result.purged;
  };
  const fixture = six();
  assert.equal(await remove(fixture, 3), 1);
  assert.equal(await remove(fixture, 6), 1);
  assert.equal(fixture.stream.state().lastSeq, 6);
  assert.equal(fixture.stream.state().numDeleted, 2);
  assert.deepEqual(await remove(fixture, 3), [10043, 'sequence 3 not found']);
  assert.deepEqual(await remove(fixture, 7), [10057, 'stream store EOF']);
  assert.deepEqual(await remove(fixture, 0), [10057, 'no message found']);
  assert.deepEqual(await remove(six({ storage: 'memory' }), 7), [10043, 'sequence 7 not found']);
  assert.deepEqual(await remove(six({ denyDelete: true }), 3), [10057, 'message delete not permitted']);
});

test('a secure delete takes the payload out of the record, and leaves its neighbours readable', async () => {
  const fixture = openFixture();
  fixture.submit([
    { subject: 'a', payload: 'keep-me' },
    { subject: 'a', payload: 'secret' },
    { subject: 'a', payload: 'too' },
  ]);
  fixture.group.run();
  await run(fixture, { op: 'deleteMessage', seq: 2, erase: true });
  fixture.runtime.advance(1_000);
  const [entry] = fixture.group.entries.values();
  assert.equal(entry!.record.includes('secret'), false);
  assert.deepEqual(readAll(fixture.stream), ['1 a keep-me', '3 a too']);
});

test('a record that may be applied again is rewritten only once a checkpoint has left it behind', async () => {
  const fixture = openFixture();
  fixture.group.compactableThrough = 0 as LogIndex;
  fixture.submit([
    { subject: 'a', payload: 'keep-me' },
    { subject: 'a', payload: 'secret' },
  ]);
  fixture.group.run();
  await run(fixture, { op: 'deleteMessage', seq: 2, erase: true });
  fixture.runtime.advance(1_000);
  assert.equal(fixture.group.compactions, 0);
  checkpoint(fixture.stream, new Map());
  fixture.group.compactableThrough = 2 as LogIndex;
  fixture.runtime.advance(1_000);
  const [entry] = fixture.group.entries.values();
  assert.equal(entry!.record.includes('secret'), false);
  assert.deepEqual(readAll(fixture.stream), ['1 a keep-me']);
});

test('a record of which most is dead is rewritten without the dead, rejected messages included', () => {
  const fixture = openFixture({ maxMsgsPerSubject: 1 });
  const payload = 'p'.repeat(1_000);
  const wrong = { 'Nats-Expected-Stream': 'T' };
  const batch = Array.from({ length: 20 }, (_, i) => ({
    subject: `s.${i}`,
    payload,
    ...(i === 3 && { headers: wrong }),
  }));
  fixture.submit(batch);
  fixture.group.run();
  for (let i = 0; i < 18; i++) fixture.publish(`s.${i}`, {}, 'new');
  fixture.runtime.advance(1_000);
  assert.ok(fixture.group.compactions > 0);
  const [entry] = fixture.group.entries.values();
  assert.ok(entry!.record.length < 10_000);
  assert.deepEqual(readAll(fixture.stream).slice(0, 2), [`18 s.18 ${payload}`, `19 s.19 ${payload}`]);
});

test('what a new limit removes goes in order of sequences, whichever subject came first', async () => {
  const fixture = six();
  fixture.extension.events.length = 0;
  await run(fixture, { op: 'configure', config: { ...baseConfig, maxMsgsPerSubject: 1 }, revision: 2 });
  assert.deepEqual(
    fixture.extension.events.filter((event) => event.startsWith('removed')),
    ['removed 1 a', 'removed 2 b', 'removed 3 a', 'removed 4 b'],
  );
});

test('new limits hold at once', async () => {
  const fixture = six();
  await run(fixture, { op: 'configure', config: { ...baseConfig, maxMsgsPerSubject: 2 }, revision: 2 });
  assert.deepEqual(seqs(fixture), [3, 4, 5, 6]);
  await run(fixture, { op: 'configure', config: { ...baseConfig, maxMsgs: 1 }, revision: 3 });
  assert.deepEqual(seqs(fixture), [6]);
  assert.equal(fixture.stream.configRevision, 3);
  assert.equal(fixture.stream.config.maxMsgs, 1);
});

test('a configuration that is not newer than the applied one changes nothing', async () => {
  const fixture = six();
  await run(fixture, { op: 'configure', config: { ...baseConfig, maxMsgs: 1 }, revision: 1 });
  assert.equal(seqs(fixture).length, 6);
});

test('messages that nobody wants leave when the stream begins to keep them for interest only', async () => {
  const fixture = six();
  fixture.extension.interest = (subject) => subject === 'b';
  await run(fixture, { op: 'configure', config: { ...baseConfig, retention: 'interest' }, revision: 2 });
  assert.deepEqual(seqs(fixture), [2, 4, 6]);
});

test('messages expire by an entry of the leader once they are older than max_age, and not before', () => {
  const fixture = openFixture({ maxAgeMs: 1_000 });
  fixture.publish('a');
  fixture.runtime.advance(600);
  fixture.publish('b');
  fixture.group.run();
  fixture.runtime.advance(399);
  assert.equal(fixture.group.pending.length, 0);
  fixture.runtime.advance(1);
  assert.equal(fixture.group.pending.length, 1);
  fixture.group.run();
  assert.deepEqual(seqs(fixture), [2]);
});

test('a follower proposes no expiry, and does once it leads', () => {
  const fixture = openFixture({ maxAgeMs: 1_000 });
  fixture.publish('a');
  fixture.group.changeStatus({ role: 'follower', leader: 'n2' as NodeId });
  fixture.runtime.advance(5_000);
  assert.equal(fixture.group.pending.length, 0);
  fixture.group.changeStatus({ role: 'leader' });
  fixture.runtime.advance(250);
  fixture.group.run();
  assert.deepEqual(seqs(fixture), []);
});

test('the extension learns of removals with their subject, of the head as a whole, and of runs that stayed', async () => {
  const fixture = openFixture({ maxMsgsPerSubject: 2 });
  fixture.submit([{ subject: 'a' }, { subject: 'b' }, { subject: 'a' }, { subject: 'a' }]);
  fixture.group.run();
  assert.deepEqual(fixture.extension.events.splice(0), ['stored 2-4']);
  fixture.publish('a');
  assert.deepEqual(fixture.extension.events.splice(0), ['removed 3 a', 'stored 5-5']);
  await purge(fixture, { seq: 5 });
  assert.deepEqual(fixture.extension.events.splice(0), ['below 5']);
});

test('an operation of the extension resolves with its result, and may remove messages', async () => {
  const fixture = six();
  const host = fixture.stream as unknown as {
    removeMessage(seq: Seq): void;
    proposeOperation(body: Buffer): Promise<unknown>;
  };
  fixture.extension.onOperation = (body) => {
    host.removeMessage(2 as Seq);
    return `did ${body.toString()}`;
  };
  const result = host.proposeOperation(Buffer.from('it'));
  fixture.group.run();
  assert.equal(await result, 'did it');
  assert.deepEqual(seqs(fixture), [1, 3, 4, 5, 6]);
});

test('operations are refused by a node that does not lead', async () => {
  const fixture = six();
  fixture.group.changeStatus({ role: 'follower' });
  await assert.rejects(
    fixture.stream.execute({ op: 'deleteMessage', seq: 1, erase: false }),
    (error) => error instanceof NotLeaderError && error.notProposed,
  );
});

test('dead entries are reported once, and only when a checkpoint that knows of it is durable', async () => {
  const fixture = six();
  await purge(fixture, { seq: 3 });
  assert.deepEqual(fixture.stream.takeDeadEntries(), []);
  checkpoint(fixture.stream, new Map(), { durable: false });
  assert.deepEqual(fixture.stream.takeDeadEntries(), []);
  checkpoint(fixture.stream, new Map());
  assert.deepEqual(fixture.stream.takeDeadEntries().sort(), [1, 2, 7]);
  assert.deepEqual(fixture.stream.takeDeadEntries(), []);
});

test('times lead to sequences, and an unused stream reports zeros unless it begins later', () => {
  const fixture = openFixture();
  assert.deepEqual([fixture.stream.state().firstSeq, fixture.stream.state().lastSeq], [0, 0]);
  fixture.publish('a');
  fixture.runtime.advance(1_000);
  fixture.publish('b');
  const at = (ms: number): number => fixture.stream.seqAtTime((START_US + ms * 1000) as TimestampUs);
  assert.deepEqual([at(-5), at(0), at(1), at(1_000), at(1_001)], [1, 1, 2, 2, 3]);
  const later = openFixture({ firstSeq: 50 }).stream.state();
  assert.deepEqual([later.firstSeq, later.lastSeq], [50, 49]);
});

test('without room publishes are refused, and everything that makes room goes on', async () => {
  let room = true;
  const { stream, group, publish, submit } = openFixture({}, undefined, undefined, () => {
    return room ? undefined : INSUFFICIENT_RESOURCES;
  });
  publish('a');
  publish('b');
  room = false;
  const refused = { error: { code: 503, err_code: 10023, description: 'insufficient resources' }, stream: 'S', seq: 0 };
  assert.deepEqual(publish('a'), refused);
  const { outcome } = submit([{ subject: 'a' }, { subject: 'b' }]);
  assert.equal(outcome?.kind === 'applied' && outcome.exceptions.length, 2);

  const deleted = stream.execute({ op: 'deleteMessage', seq: 1, erase: false });
  const purged = stream.execute({ op: 'purge', filter: undefined, seq: undefined, keep: undefined });
  group.run();
  assert.equal((await deleted).kind, 'done');
  assert.deepEqual(await purged, { kind: 'done', purged: 1 });

  room = true;
  assert.deepEqual(publish('a'), { stream: 'S', seq: 3 });
});

test('a purge whose leader is deposed in between is finished by the next one, a checkpoint between them or not', async () => {
  for (const isRestored of [false, true]) {
    const fixture = openFixture({}, undefined, undefined, undefined, 2);
    for (let i = 0; i < 6; i++) fixture.publish(i % 2 === 0 ? 'a' : 'b');
    const { stream, group } = fixture;
    const answer = stream.execute({ op: 'purge', filter: 'a', seq: undefined, keep: undefined });
    const refused = assert.rejects(answer, NotLeaderError);
    group.run();
    await immediate();
    group.pending.length = 0;
    group.changeStatus({ role: 'follower' });
    await refused;
    assert.deepEqual(seqs(fixture), [2, 3, 4, 5, 6]);
    if (isRestored) await restoreFromCheckpoint(fixture);
    group.changeStatus({ role: 'leader' });
    for (let turn = 0; turn < 5; turn++) {
      group.run();
      await immediate();
    }
    assert.deepEqual(seqs(fixture), [2, 4, 6]);
  }
});

async function restoreFromCheckpoint(fixture: Fixture): Promise<void> {
  const { stream, group } = fixture;
  const pages = new Map<string, Buffer>();
  checkpoint(stream, pages);
  const restored = stream.restore({ appliedIndex: group.status.lastApplied, pages: sortedPages(pages) });
  await pass(fixture, 50, 1);
  await restored;
}
