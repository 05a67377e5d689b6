import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageSink } from '../../src/raft/index.ts';
import { DedupeWindow } from '../../src/stream/publish/dedupe-window.ts';
import { pageNumber } from '../../src/stream/store/page-tracker.ts';

function write(window: DedupeWindow, pages: Map<string, Buffer>): void {
  const sink: PageSink = {
    put: (key, value) => pages.set(key.toString('hex'), value),
    delete: (key) => pages.delete(key.toString('hex')),
  };
  assert.ok(window.pages.write(sink, { left: Infinity }));
  window.pages.end(true);
}

function restored(pages: ReadonlyMap<string, Buffer>, head: number): DedupeWindow {
  const window = new DedupeWindow();
  for (const key of [...pages.keys()].sort()) {
    assert.ok(window.restorePage(pageNumber(Buffer.from(key, 'hex'))!, pages.get(key)!));
  }
  window.restoreHead(head);
  return window;
}

const find = (window: DedupeWindow, id: string): number => window.find(Buffer.from(id), 0, id.length);
const add = (window: DedupeWindow, id: string, seq: number): void => {
  window.add(Buffer.from(id), 0, id.length, seq, seq * 10);
};

test('ids are known until they expire', () => {
  const window = new DedupeWindow();
  for (let seq = 1; seq <= 2_000; seq++) add(window, `id-${seq}`, seq);
  window.expire(15_000);
  assert.equal(window.size, 500);
  assert.equal(find(window, 'id-1500'), 0);
  assert.equal(find(window, 'id-1501'), 1501);
  assert.equal(find(window, 'id-2000'), 2000);
});

test('ids that expire while a checkpoint is written are still in it, as replay from there decides by them', () => {
  const window = new DedupeWindow();
  const pages = new Map<string, Buffer>();
  for (let seq = 1; seq <= 1_000; seq++) add(window, `id-${seq}`, seq);
  window.expire(1_000);
  window.pages.freeze();
  const { head } = window;
  window.expire(4_000);
  for (let seq = 1_001; seq <= 1_100; seq++) add(window, `id-${seq}`, seq);
  write(window, pages);
  const copy = restored(pages, head);
  assert.equal(copy.size, 900);
  assert.equal(find(copy, 'id-100'), 0);
  assert.equal(find(copy, 'id-101'), 101);
  assert.equal(find(copy, 'id-1001'), 0);
});

test('pages whose ids all expired are deleted, and what is left comes back in order', () => {
  const window = new DedupeWindow();
  const pages = new Map<string, Buffer>();
  for (let round = 0; round < 20; round++) {
    for (let i = 1; i <= 300; i++) add(window, `id-${round}-${i}`, round * 300 + i);
    window.expire(round * 3_000 - 3_000);
    window.pages.freeze();
    write(window, pages);
    const copy = restored(pages, window.head);
    assert.equal(copy.size, window.size);
    assert.equal(find(copy, `id-${round}-1`), round * 300 + 1);
  }
  assert.ok(pages.size <= 4, `${pages.size} pages`);
});
