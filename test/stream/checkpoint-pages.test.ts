/** What a restore makes of pages that are not simply right; that right ones come back is in model.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../../src/base/errors.ts';
import type { LogIndex } from '../../src/raft/index.ts';
import { checkpoint, openFixture, readAll, sortedPages, type Fixture } from './stream-fixture.ts';

function saved(fixture: Fixture): Map<string, Buffer> {
  const pages = new Map<string, Buffer>();
  checkpoint(fixture.stream, pages);
  return pages;
}

function restore(fixture: Fixture, pages: ReadonlyMap<string, Buffer>): Promise<void> {
  return fixture.stream.restore({ appliedIndex: 1 as LogIndex, pages: sortedPages(pages) });
}

function filled(): Fixture {
  const fixture = openFixture();
  fixture.submit([
    { subject: 'a', payload: '1' },
    { subject: 'b', payload: '22' },
    { subject: 'a', payload: '3' },
  ]);
  fixture.group.run();
  return fixture;
}

const isCorrupt = (error: unknown): boolean => error instanceof StorageError && error.code === 'STORAGE_CORRUPT';

test('a checkpoint without pages is that of a new stream', async () => {
  const fixture = filled();
  const digest = openFixture().stream.digest();
  await restore(fixture, new Map());
  assert.equal(fixture.stream.state().messages, 0);
  assert.equal(fixture.stream.state().lastSeq, 0);
  assert.equal(fixture.stream.digest(), digest);
});

test('a restore replaces what was there', async () => {
  const target = openFixture();
  target.publish('old', {}, 'gone');
  const source = filled();
  for (const [index, entry] of source.group.entries) target.group.entries.set(index, entry);
  await restore(target, saved(source));
  assert.deepEqual(readAll(target.stream), ['1 a 1', '2 b 22', '3 a 3']);
  assert.equal(target.stream.digest(), source.stream.digest());
});

test('while a restore is under way, and when it fails, readers see what there was', async () => {
  const target = openFixture();
  target.publish('old', {}, 'still here');
  const before = target.stream.state();
  const pages = saved(filled());
  async function* watched(): AsyncGenerator<readonly [Buffer, Buffer]> {
    for await (const page of sortedPages(pages)) {
      assert.deepEqual(readAll(target.stream), ['1 old still here']);
      assert.deepEqual(target.stream.state(), before);
      yield page;
    }
    throw new StorageError('STORAGE_CORRUPT', 'the last page');
  }
  const restored = target.stream.restore({ appliedIndex: 1 as LogIndex, pages: watched() });
  await assert.rejects(restored, isCorrupt);
  assert.deepEqual(readAll(target.stream), ['1 old still here']);
});

test('a page that is missing, cut short or unknown is corruption, never a silent loss', async () => {
  const pages = saved(filled());
  for (const key of pages.keys()) {
    if (key.startsWith('@') || key.startsWith('!')) continue;
    const without = new Map(pages);
    without.delete(key);
    await assert.rejects(
      restore(openFixture(), without),
      isCorrupt,
      `without ${Buffer.from(key, 'latin1').toString('hex')}`,
    );
    if (key === ' ') continue;
    const cut = new Map(pages).set(key, pages.get(key)!.subarray(0, -1));
    await assert.rejects(restore(openFixture(), cut), isCorrupt, `cut ${Buffer.from(key, 'latin1').toString('hex')}`);
  }
  await assert.rejects(restore(openFixture(), new Map(pages).set('?', Buffer.alloc(3))), isCorrupt);
});

test('only what changed is written again', () => {
  const fixture = filled();
  saved(fixture);
  const pages = saved(fixture);
  assert.deepEqual([...pages.keys()].sort(), [' ', '@k']);
});
