/** Reading ahead of those who go through a stream in order. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import type { Seq } from '../../src/base/brand.ts';
import { ReadBudget, subjectFilter, type StreamCursor } from '../../src/stream/index.ts';
import { FakeRuntime, openFixture, type Fixture } from './stream-fixture.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A stream whose records, of one message each, are all on disk. */
function coldStream(
  messages: number,
  options: { bytes?: number; reads?: ReadBudget; subject?: (number: number) => string } = {},
): Fixture {
  const { bytes = 10, reads, subject = () => 'a' } = options;
  const fixture = openFixture({}, new FakeRuntime(), undefined, undefined, undefined, reads);
  const payload = 'x'.repeat(bytes);
  for (let number = 1; number <= messages; number++) fixture.publish(subject(number), {}, payload);
  for (const index of fixture.group.entries.keys()) fixture.group.coldRecords.add(index);
  return fixture;
}

function open({ stream }: Fixture, position = 1, subjects: string[] = []): StreamCursor {
  const filter = subjectFilter(subjects);
  return stream.openCursor({ position: position as Seq, filter, onReady: () => undefined });
}

/** Reads up to `count` messages, and lets the disk answer after each step. */
async function read(cursor: StreamCursor, count: number): Promise<{ waits: number; seqs: number[] }> {
  let waits = 0;
  const seqs: number[] = [];
  while (seqs.length < count) {
    const step = cursor.advance();
    if (step === 'message') seqs.push(cursor.view.seq);
    else if (step === 'end') break;
    else waits++;
    await setImmediate();
  }
  return { waits, seqs };
}

function upTo(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, at) => from + at);
}

test('a reader in order waits at its beginning only, and meets every message once', async () => {
  const fixture = coldStream(1000);
  const { waits, seqs } = await read(open(fixture), 1001);
  assert.deepEqual(seqs, upTo(1000));
  assert.equal(waits, 2);
  assert.deepEqual(fixture.group.reads, upTo(1000));
});

test('several readers share what is read ahead', async () => {
  const fixture = coldStream(300);
  const cursors = [open(fixture), open(fixture), open(fixture)];
  for (let message = 0; message < 300; message++) for (const cursor of cursors) await read(cursor, 1);
  // Where they begin, one goes ahead before the others do.
  const shared = fixture.group.reads.filter((index) => index > 10);
  assert.deepEqual(shared, upTo(290, 11));
});

test('one record that is asked for by itself brings no other', async () => {
  const fixture = coldStream(10);
  for (const position of [3, 7, 1, 8, 2]) await read(open(fixture, position), 1);
  const wanderer = open(fixture, 5);
  await read(wanderer, 1);
  wanderer.seek(10 as Seq);
  await read(wanderer, 1);
  wanderer.seek(4 as Seq);
  await read(wanderer, 1);
  assert.deepEqual(fixture.group.reads, [3, 7, 1, 8, 2, 5, 10, 4]);
});

test('nothing is read ahead of a filter that leaves blocks out', async () => {
  const fixture = coldStream(100, { subject: (number) => (number % 10 < 3 ? `a.${number}` : 'b') });
  const { seqs } = await read(open(fixture, 1, ['a.*']), 1000);
  assert.deepEqual(
    seqs,
    upTo(100).filter((seq) => seq % 10 < 3),
  );
  assert.deepEqual(fixture.group.reads, seqs);
});

test('ahead of a filter that lets block after block through it is read', async () => {
  const fixture = coldStream(100, { subject: (number) => `a.${number}` });
  const { waits, seqs } = await read(open(fixture, 1, ['a.*']), 1000);
  assert.deepEqual(seqs, upTo(100));
  assert.equal(waits, 5);
});

test('a reader that turns back or ahead leaves what was read for it', async () => {
  const reads = new ReadBudget({ aheadBytes: MIB });
  const fixture = coldStream(100, { bytes: 20 * KIB, reads });
  const cursor = open(fixture);
  await read(cursor, 10);
  for (const position of [50, 3, 70]) {
    cursor.seek(position as Seq);
    assert.deepEqual((await read(cursor, 5)).seqs, upTo(5, position));
  }
  cursor.close();
  assert.ok(reads.takeAhead(MIB, 0), 'everything was given back');
});

test('as little is read ahead as a reader may have, and all readers together', async () => {
  const alone = coldStream(500, { bytes: 100 * KIB });
  const cursor = open(alone);
  for (let message = 1; message <= 100; message++) {
    await read(cursor, 1);
    const ahead = alone.group.reads.length - message;
    assert.ok(ahead * 100 * KIB <= 2 * MIB, `${ahead} records ahead at ${message}`);
  }
  const reads = new ReadBudget({ aheadBytes: 500 * KIB });
  const shared = coldStream(500, { bytes: 100 * KIB, reads });
  const cursors = [1, 101, 201, 301].map((position) => open(shared, position));
  for (let message = 1; message <= 50; message++) {
    for (const each of cursors) await read(each, 1);
    const ahead = shared.group.reads.length - message * cursors.length;
    assert.ok(ahead <= 4, `${ahead} records ahead at ${message}`);
  }
});

test('a reader that goes away leaves nothing behind, also of what is still on its way', async () => {
  const reads = new ReadBudget({ aheadBytes: MIB });
  const fixture = coldStream(20, { reads });
  const cursor = open(fixture);
  await read(cursor, 1);
  // The second wait makes it begin, and nothing has arrived yet.
  assert.equal(cursor.advance(), 'wait');
  assert.ok(fixture.group.reads.length > 10);
  cursor.close();
  await setImmediate();
  assert.ok(reads.takeAhead(MIB, 0));
  fixture.group.reads.length = 0;
  await read(open(fixture, 10), 1);
  assert.deepEqual(fixture.group.reads, [10]);
});

test('a reader that stands still gives way to one that moves', async () => {
  const reads = new ReadBudget({ aheadBytes: 110 * KIB });
  const fixture = coldStream(200, { bytes: 50 * KIB, reads });
  const still = open(fixture);
  await read(still, 5);
  const moving = open(fixture, 101);
  assert.equal((await read(moving, 20)).waits, 20);
  fixture.runtime.advance(1000);
  assert.ok((await read(moving, 20)).waits <= 2);
  assert.deepEqual((await read(still, 20)).seqs, upTo(20, 6));
});

test('a record that is damaged is lost when its turn comes, and no earlier', async () => {
  const fixture = coldStream(10);
  const damaged = [...fixture.group.entries.keys()][4]!;
  fixture.group.corruptRecords.add(damaged);
  const cursor = open(fixture);
  const { seqs } = await read(cursor, 4);
  assert.deepEqual(seqs, upTo(4));
  let step = cursor.advance();
  while (step === 'wait') {
    await setImmediate();
    step = cursor.advance();
  }
  assert.equal(step, 'lost');
  assert.deepEqual((await read(cursor, 100)).seqs, upTo(5, 6));
});

test('what is deleted while it is read ahead is left out', async () => {
  const fixture = coldStream(50);
  const cursor = open(fixture);
  await read(cursor, 5);
  const purge = fixture.stream.execute({ op: 'purge', filter: undefined, seq: 31, keep: undefined });
  fixture.group.run();
  await purge;
  const { seqs } = await read(cursor, 100);
  assert.deepEqual(seqs, upTo(20, 31));
});
