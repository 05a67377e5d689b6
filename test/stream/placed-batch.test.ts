import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from '../harness/properties.ts';
import type { Seq, TimestampUs } from '../../src/base/brand.ts';
import { emptyPlacedBatch, emptyStoredMessage, PlacedBatchWriter } from '../../src/stream/index.ts';
import { checkpoint, openFixture, readAll, sortedPages, START_US, type Fixture } from './stream-fixture.ts';

interface Placed {
  readonly seq: number;
  readonly timeUs: number;
  readonly subject: string;
}

/** Places the messages, in as many batches as they need. */
async function place({ stream, group }: Fixture, messages: readonly Placed[]): Promise<number> {
  const writer = new PlacedBatchWriter();
  const batches: Promise<Seq>[] = [];
  for (const { seq, timeUs, subject } of messages) {
    if (!writer.accepts(seq as Seq, 100)) batches.push(stream.place(writer.take()));
    writer.add(seq as Seq, timeUs as TimestampUs, {
      subject: Buffer.from(subject),
      headers: Buffer.alloc(0),
      payload: Buffer.from(`p${seq}`),
    });
  }
  batches.push(stream.place(writer.take()));
  group.run();
  return Math.max(...(await Promise.all(batches)));
}

function timeOf({ stream }: Fixture, seq: number): number {
  const message = emptyStoredMessage();
  assert.equal(
    stream.read(seq as Seq, message, () => undefined),
    'message',
  );
  return message.timestampUs;
}

const at = (ms: number): number => START_US + ms * 1000;

test('placed messages keep their sequences and times, and what lies between them is deleted', async () => {
  const fixture = openFixture({ restoring: true });
  const last = await place(fixture, [
    { seq: 4, timeUs: at(0), subject: 'a' },
    { seq: 5, timeUs: at(7), subject: 'b' },
    { seq: 9, timeUs: at(20), subject: 'a' },
    { seq: 5000, timeUs: at(5_000_000), subject: 'c' },
  ]);
  const { stream } = fixture;
  assert.equal(last, 5000);
  assert.deepEqual(readAll(stream), ['4 a p4', '5 b p5', '9 a p9', '5000 c p5000']);
  assert.deepEqual(
    [4, 5, 9, 5000].map((seq) => timeOf(fixture, seq)),
    [at(0), at(7), at(20), at(5_000_000)],
  );
  const { messages, firstSeq, lastSeq, numDeleted, firstTimestampUs, lastTimestampUs } = stream.state();
  assert.deepEqual(
    { messages, firstSeq, lastSeq, numDeleted, firstTimestampUs, lastTimestampUs },
    {
      messages: 4,
      firstSeq: 4,
      lastSeq: 5000,
      numDeleted: 4993,
      firstTimestampUs: at(0),
      lastTimestampUs: at(5_000_000),
    },
  );
  assert.equal(stream.isLive(7 as Seq), false);
});

test('a time within a placed batch finds the message behind it', async () => {
  const fixture = openFixture({ restoring: true });
  await place(fixture, [
    { seq: 1, timeUs: at(0), subject: 'a' },
    { seq: 2, timeUs: at(10), subject: 'a' },
    { seq: 3, timeUs: at(20), subject: 'a' },
  ]);
  const found = [0, 1, 10, 11, 20, 21].map((ms) => fixture.stream.seqAtTime(at(ms) as TimestampUs));
  assert.deepEqual(found, [1, 2, 2, 3, 3, 4]);
});

test('a batch that was placed twice, or overlaps what is there, stores each message once', async () => {
  const fixture = openFixture({ restoring: true });
  const messages = [1, 2, 3, 4].map((seq) => ({ seq, timeUs: at(seq), subject: 'a' }));
  await place(fixture, messages.slice(0, 3));
  await place(fixture, messages.slice(0, 3));
  await place(fixture, messages.slice(1));
  assert.deepEqual(readAll(fixture.stream), ['1 a p1', '2 a p2', '3 a p3', '4 a p4']);
  assert.equal(timeOf(fixture, 4), at(4));
});

test('a stream that is neither a mirror nor being restored takes nothing that is placed', async () => {
  const fixture = openFixture();
  fixture.publish('a');
  const last = await place(
    fixture,
    [1, 2, 3].map((seq) => ({ seq, timeUs: at(seq), subject: 'b' })),
  );
  assert.equal(last, 1);
  assert.equal(readAll(fixture.stream).length, 1);
  assert.deepEqual(fixture.publish('a'), { stream: 'S', seq: 2 });
});

test('an empty placed batch moves the sequences on, and never back', async () => {
  const { stream, group, publish } = openFixture({ restoring: true });
  for (const next of [10, 3]) {
    const placed = stream.place(emptyPlacedBatch(next as Seq));
    group.run();
    assert.equal(await placed, 9);
  }
  assert.deepEqual(publish('a'), { stream: 'S', seq: 10 });
});

test('placed messages are trimmed by the limits of their stream, and expire at their own times', async () => {
  const fixture = openFixture({ restoring: true, maxMsgs: 3, maxAgeMs: 1000 });
  const messages = [1, 2, 3, 4, 5].map((seq) => ({ seq, timeUs: at(seq * 400), subject: 'a' }));
  await place(fixture, messages);
  assert.deepEqual(readAll(fixture.stream), ['3 a p3', '4 a p4', '5 a p5']);
  for (let ms = 0; ms < 2_700; ms += 300) {
    fixture.runtime.advance(300);
    fixture.group.run();
    // The next expiry is planned once the last one is known to be done.
    await setImmediate();
  }
  assert.deepEqual(readAll(fixture.stream), ['5 a p5']);
});

test('a restored checkpoint of placed batches equals the stream that wrote it', async () => {
  const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.nat(5_000_000), fc.constantFrom('a', 'b', 'c')), {
    minLength: 1,
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(gaps, async (steps) => {
      const live = openFixture({ restoring: true });
      let seq = 0;
      let timeUs = START_US;
      const messages = steps.map(([gap, pause, subject]) => ({
        seq: (seq += gap),
        timeUs: (timeUs += pause),
        subject,
      }));
      await place(live, messages);
      const pages = new Map<string, Buffer>();
      checkpoint(live.stream, pages);
      const restored = openFixture({ restoring: true });
      for (const [index, entry] of live.group.entries) restored.group.entries.set(index, entry);
      const appliedIndex = live.group.status.lastApplied;
      await restored.stream.restore({ appliedIndex, pages: sortedPages(pages) });
      assert.deepEqual(restored.stream.state(), live.stream.state());
      assert.deepEqual(readAll(restored.stream), readAll(live.stream));
      assert.equal(restored.stream.digest(), live.stream.digest());
      for (const message of messages) assert.equal(timeOf(restored, message.seq), message.timeUs);
    }),
    { numRuns: 60 },
  );
});
