/** Reading a stream in order. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import type { NodeId, Seq } from '../../src/base/brand.ts';
import type { LogIndex } from '../../src/raft/index.ts';
import { emptyStoredMessage, subjectFilter, type CursorStep, type StreamCursor } from '../../src/stream/index.ts';
import { checkpoint, describe, openFixture, sortedPages } from './stream-fixture.ts';

function drain(cursor: StreamCursor): [string[], CursorStep] {
  const found: string[] = [];
  for (;;) {
    const step = cursor.advance();
    if (step !== 'message') return [found, step];
    found.push(describe(cursor.view));
  }
}

function open(
  fixture: ReturnType<typeof openFixture>,
  position = 1,
  subjects: string[] = [],
  onReady = (): void => undefined,
) {
  const filter = subjectFilter(subjects);
  return fixture.stream.openCursor({ position: position as Seq, filter, onReady });
}

test('a cursor at the end goes on with what is published then', () => {
  const fixture = openFixture();
  const cursor = open(fixture);
  assert.deepEqual(drain(cursor), [[], 'end']);
  fixture.publish('a', {}, '1');
  assert.deepEqual(drain(cursor), [['1 a 1'], 'end']);
  fixture.publish('a', {}, '2');
  assert.deepEqual(drain(cursor), [['2 a 2'], 'end']);
});

test('a cursor at the end holds no record', () => {
  const fixture = openFixture();
  fixture.publish('a');
  const cursor = open(fixture);
  drain(cursor);
  assert.equal(cursor.view.buffer.length, 0);
});

test('messages removed between two steps are skipped, in the block at hand and in others', async () => {
  const fixture = openFixture();
  fixture.submit([1, 2, 3, 4].map((i) => ({ subject: 'a', payload: `${i}` })));
  fixture.group.run();
  for (const payload of ['5', '6']) fixture.publish('a', {}, payload);
  const cursor = open(fixture);
  assert.equal(cursor.advance(), 'message');
  for (const seq of [2, 3, 5]) {
    const result = fixture.stream.execute({ op: 'deleteMessage', seq, erase: false });
    fixture.group.run();
    await result;
  }
  assert.equal(cursor.countPending(), 2);
  assert.deepEqual(drain(cursor), [['4 a 4', '6 a 6'], 'end']);
});

test('a record on disk makes the cursor wait, once, and others read on', async () => {
  const fixture = openFixture();
  fixture.publish('a', {}, '1');
  fixture.publish('b', {}, '2');
  fixture.group.coldRecords.add(1 as LogIndex);
  let ready = 0;
  const cursor = open(fixture, 1, [], () => ready++);
  assert.equal(cursor.advance(), 'wait');
  assert.deepEqual(drain(open(fixture, 2)), [['2 b 2'], 'end']);
  const into = emptyStoredMessage();
  assert.equal(
    fixture.stream.read(1 as Seq, into, () => ready++),
    'wait',
  );
  await setImmediate();
  assert.equal(ready, 2);
  assert.equal(
    fixture.stream.read(1 as Seq, into, () => ready++),
    'message',
  );
  assert.deepEqual(drain(cursor), [['1 a 1', '2 b 2'], 'end']);
});

test('a record that can’t be proven is lost, and the cursor goes on behind it', async () => {
  const fixture = openFixture();
  fixture.submit([{ subject: 'a' }, { subject: 'a' }]);
  fixture.group.run();
  fixture.publish('b', {}, '3');
  fixture.group.corruptRecords.add(1 as LogIndex);
  const cursor = open(fixture);
  assert.equal(cursor.advance(), 'wait');
  await setImmediate();
  assert.equal(cursor.advance(), 'lost');
  assert.equal(cursor.position, 3);
  assert.deepEqual(drain(cursor), [['3 b 3'], 'end']);
});

test('a damaged record that other replicas hold as well is waited for until it is repaired', async () => {
  const fixture = openFixture();
  fixture.group.changeStatus({ voters: ['n1', 'n2', 'n3'] as NodeId[] });
  fixture.publish('a', {}, '1');
  fixture.group.corruptRecords.add(1 as LogIndex);
  const cursor = open(fixture);
  assert.equal(cursor.advance(), 'wait');
  await setImmediate();
  fixture.runtime.advance(100);
  await setImmediate();
  assert.equal(cursor.advance(), 'wait');
  fixture.group.corruptRecords.clear();
  fixture.group.coldRecords.add(1 as LogIndex);
  fixture.runtime.advance(100);
  await setImmediate();
  assert.deepEqual(drain(cursor), [['1 a 1'], 'end']);
});

test('only blocks with a match are read', () => {
  const fixture = openFixture();
  for (const subject of ['a', 'b.1', 'a', 'b.2', 'a']) fixture.publish(subject);
  for (const index of [1, 3, 5]) fixture.group.corruptRecords.add(index as LogIndex);
  assert.deepEqual(drain(open(fixture, 1, ['b.*'])), [['2 b.1 ', '4 b.2 '], 'end']);
  assert.deepEqual(drain(open(fixture, 3, ['b.1', 'b.2'])), [['4 b.2 '], 'end']);
});

test('a long search for a rare match lets others have their turn', () => {
  const fixture = openFixture();
  const batch = Array.from({ length: 10_000 }, (_, i) => ({ subject: `a.${i % 2}` }));
  for (let i = 0; i < 6; i++) fixture.submit(batch);
  fixture.publish('z.1', {}, 'found');
  let ready = 0;
  const cursor = open(fixture, 1, ['z.*', 'y.*'], () => ready++);
  assert.equal(cursor.advance(), 'wait');
  fixture.runtime.advance(0);
  assert.equal(ready, 1);
  assert.deepEqual(drain(cursor), [['60001 z.1 found'], 'end']);
});

test('a rejected message shifts what is behind it in the record, not in the stream', () => {
  const fixture = openFixture();
  const wrong = { subject: 'x', headers: { 'Nats-Expected-Stream': 'T' } };
  fixture.submit([wrong, { subject: 'a', payload: '1' }, wrong, wrong, { subject: 'b', payload: '2' }]);
  fixture.group.run();
  assert.deepEqual(drain(open(fixture)), [['1 a 1', '2 b 2'], 'end']);
  const into = emptyStoredMessage();
  assert.equal(
    fixture.stream.read(2 as Seq, into, () => undefined),
    'message',
  );
  assert.equal(describe(into), '2 b 2');
});

test('a cursor outlives the replacement of the state by a checkpoint', async () => {
  const source = openFixture();
  for (const payload of ['1', '2', '3']) source.publish('a', {}, payload);
  const pages = new Map<string, Buffer>();
  checkpoint(source.stream, pages);
  const fixture = openFixture();
  const cursor = open(fixture, 2, ['a']);
  assert.deepEqual(drain(cursor), [[], 'end']);
  cursor.seek(2 as Seq);
  for (const [index, entry] of source.group.entries) fixture.group.entries.set(index, entry);
  await fixture.stream.restore({ appliedIndex: 3 as LogIndex, pages: sortedPages(pages) });
  assert.deepEqual(drain(cursor), [['2 a 2', '3 a 3'], 'end']);
  assert.equal(cursor.countPending(), 0);
});
