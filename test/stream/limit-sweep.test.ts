/** Limits that are tightened on a large stream (streams.md 7.2): step by step, the same on every replica. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessages, openFixture, baseConfig, checkpoint, sortedPages, type Fixture } from './stream-fixture.ts';
import { pass } from './timed.ts';

const MESSAGES = 60_000;

/** Messages on ten subjects in turn, in entries of a thousand. */
function fill(fixture: Fixture): void {
  const batch = encodeMessages(Array.from({ length: 1000 }, (_, i) => ({ subject: `s.${i % 10}` })));
  for (let stored = 0; stored < MESSAGES; stored += 1000) {
    fixture.stream.submit({ messages: batch, count: 1000, settle: () => undefined });
    fixture.group.run();
  }
}

async function update(fixture: Fixture, limits: Partial<typeof baseConfig>): Promise<void> {
  const done = fixture.stream.execute({ op: 'configure', config: { ...baseConfig, ...limits }, revision: 2 });
  fixture.group.commit(fixture.group.pending.splice(0, 1));
  await done;
}

test('a limit per subject is reached in steps, whatever is published meanwhile', async () => {
  const fixture = openFixture();
  fill(fixture);
  await update(fixture, { maxMsgsPerSubject: 5 });
  assert.ok(fixture.stream.state().messages > 50);
  fixture.submit([{ subject: 's.0' }]);
  await pass(fixture, 250);
  assert.equal(fixture.stream.state().messages, 50);
  assert.equal(fixture.stream.state().lastSeq, MESSAGES + 1);
});

test('fewer messages are reached in steps, and publishes do not wait for that', async () => {
  const fixture = openFixture();
  fill(fixture);
  await update(fixture, { maxMsgs: 10 });
  const before = fixture.stream.state().messages;
  assert.ok(before > 10);
  fixture.publish('s.0');
  await pass(fixture, 250);
  assert.equal(fixture.stream.state().messages, 10);
});

test('a step of it that a checkpoint cut short goes on behind it', async () => {
  const fixture = openFixture();
  fill(fixture);
  await update(fixture, { maxMsgsPerSubject: 5 });
  fixture.group.changeStatus({ role: 'follower' });
  fixture.group.pending.length = 0;
  const pages = new Map<string, Buffer>();
  checkpoint(fixture.stream, pages);
  const restored = fixture.stream.restore({
    appliedIndex: fixture.group.status.lastApplied,
    pages: sortedPages(pages),
  });
  await pass(fixture, 50, 1);
  await restored;
  fixture.group.changeStatus({ role: 'leader' });
  await pass(fixture, 250);
  assert.equal(fixture.stream.state().messages, 50);
});

test('a stream that begins to keep by interest loses in steps what nobody wants', async () => {
  const fixture = openFixture();
  fill(fixture);
  fixture.extension.interest = (subject) => subject === 's.3';
  await update(fixture, { retention: 'interest' });
  await pass(fixture, 250);
  assert.equal(fixture.stream.state().messages, MESSAGES / 10);
});
