import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex } from '../../src/raft/index.ts';
import { checkpoint, openFixture, readAll, readOne, sortedPages } from './stream-fixture.ts';

test('published messages get consecutive sequences and come back through a cursor and by sequence', () => {
  const { stream, submit, group } = openFixture();
  const first = submit([
    { subject: 'a', payload: 'one' },
    { subject: 'b', payload: 'two' },
  ]);
  const second = submit([{ subject: 'a', payload: 'three' }]);
  group.run();
  assert.deepEqual(first.outcome, { kind: 'applied', firstSeq: 1, exceptions: [] });
  assert.deepEqual(second.outcome, { kind: 'applied', firstSeq: 3, exceptions: [] });
  assert.deepEqual(readAll(stream), ['1 a one', '2 b two', '3 a three']);
  assert.equal(readOne(stream, 2), '2 b two');
  assert.equal(readOne(stream, 4), 'gone');
});

test('a stream restored from its checkpoint equals the one that wrote it, and goes on alike', async () => {
  const live = openFixture({ maxMsgsPerSubject: 3 });
  for (let i = 0; i < 40; i++)
    live.submit([
      { subject: `s.${i % 7}`, payload: `p${i}` },
      { subject: 't', payload: 'x' },
    ]);
  live.group.run();
  const deleted = live.stream.execute({ op: 'deleteMessage', seq: 70, erase: false });
  live.group.run();
  await deleted;
  const pages = new Map<string, Buffer>();
  checkpoint(live.stream, pages);
  const restored = openFixture({ maxMsgsPerSubject: 3 });
  for (const [index, entry] of live.group.entries) restored.group.entries.set(index, entry);
  const appliedIndex = live.group.status.lastApplied;
  await restored.stream.restore({ appliedIndex, pages: sortedPages(pages) });
  assert.deepEqual(restored.stream.state(), live.stream.state());
  assert.deepEqual(readAll(restored.stream), readAll(live.stream));
  assert.equal(restored.stream.digest(), live.stream.digest());
  live.submit([{ subject: 's.1', payload: 'after' }]);
  const entry = live.group.pending[0]!;
  live.group.run();
  restored.group.commit([entry]);
  assert.equal(restored.stream.digest(), live.stream.digest());
  assert.deepEqual(readAll(restored.stream), readAll(live.stream));
});

test('who waits for an entry hears of it once it is applied or restored, and of it not coming', async () => {
  const { stream, submit, group, runtime } = openFixture();
  const wait = async (index: number): Promise<string> => {
    const applied = await stream.whenApplied(index as LogIndex, 1000);
    return `${index} at ${stream.appliedIndex}: ${applied}`;
  };
  const [none, second, ninth] = [wait(0), wait(2), wait(9)];
  for (let i = 1; i <= 2; i++) submit([{ subject: 'a' }]);
  group.run();
  assert.deepEqual(await Promise.all([none, second]), ['0 at 2: true', '2 at 2: true']);
  await stream.restore({ appliedIndex: 9 as LogIndex, pages: sortedPages(new Map()) });
  assert.equal(await ninth, '9 at 9: true');
  const late = wait(11);
  runtime.advance(1000);
  assert.equal(await late, '11 at 9: false');
  const closed = wait(11);
  stream.close();
  assert.equal(await closed, '11 at 9: false');
  assert.equal(await wait(11), '11 at 9: false');
});
