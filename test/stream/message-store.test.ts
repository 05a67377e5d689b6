/** The store at a size at which its table has many chunks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimestampUs } from '../../src/base/brand.ts';
import type { LogIndex, PageSink } from '../../src/raft/index.ts';
import {
  DEAD_PAGES,
  MessageStore,
  ROW_PAGES,
  SIDE_PAGES,
  SUBJECT_PAGES,
} from '../../src/stream/store/message-store.ts';
import { recount, restoreSide } from '../../src/stream/store/store-restore.ts';
import { pageNumber } from '../../src/stream/store/page-tracker.ts';
import { collectMatching, countFrom } from '../../src/stream/store/store-queries.ts';
import { subjectFilter } from '../../src/stream/index.ts';
import { Random } from '../sim/random.ts';

/** A store and what it should hold; entries are blocks of one message or of a few. */
class StoreRun {
  readonly emptied: number[] = [];
  readonly store = newStore(this.emptied);
  readonly held = new Map<number, string>();
  readonly pages = new Map<string, Buffer>();
  #index = 0;

  add(subjects: readonly string[]): void {
    const { store } = this;
    const index = ++this.#index as LogIndex;
    store.beginBatch(index, index as number as TimestampUs, subjects.length);
    for (const subject of subjects) {
      const bytes = Buffer.from(subject);
      this.held.set(store.add(bytes, 0, bytes.length, 10 + bytes.length), subject);
    }
    store.endBatch();
    store.table.tidy();
  }

  remove(seq: number): void {
    assert.equal(this.store.remove(seq, true), this.held.delete(seq));
    this.store.table.tidy();
  }

  /** One checkpoint; `change` runs after it was begun. */
  checkpoint(change: () => void): void {
    const { table, subjects } = this.store;
    const trackers = [subjects.pages, table.rowPages, table.sidePages, table.deadPages];
    for (const tracker of trackers) tracker.freeze();
    change();
    const sink: PageSink = {
      put: (key, value) => this.pages.set(key.toString('hex'), value),
      delete: (key) => {
        assert.ok(this.pages.delete(key.toString('hex')), 'only stored pages are deleted');
      },
    };
    for (const tracker of trackers) {
      assert.ok(tracker.write(sink, { left: Infinity }));
      tracker.end(true);
    }
  }

  async restored(): Promise<MessageStore> {
    const store = newStore([]);
    store.lastSeq = this.store.lastSeq;
    const dead = new Map<number, Uint8Array>();
    for (const hex of [...this.pages.keys()].sort()) {
      const key = Buffer.from(hex, 'hex');
      const value = this.pages.get(hex)!;
      const page = pageNumber(key)!;
      if (key[0] === SUBJECT_PAGES) assert.ok(store.subjects.restorePage(page, value));
      if (key[0] === ROW_PAGES) assert.ok(store.table.restoreRows(page, value));
      if (key[0] === SIDE_PAGES) assert.ok(restoreSide(store, page, value));
      if (key[0] === DEAD_PAGES) dead.set(page, value);
    }
    assert.ok(await recount(store, dead, () => Promise.resolve()));
    return store;
  }
}

function newStore(emptied: number[]): MessageStore {
  return new MessageStore({
    removed: () => undefined,
    blockEmptied: (index) => emptied.push(index),
    blockThinned: () => undefined,
  });
}

/** Every subject is found from both ends, and from anywhere in between. */
function assertFinds(store: MessageStore, held: ReadonlyMap<number, string>): void {
  const seqsOf = new Map<string, number[]>();
  for (const [seq, subject] of held) seqsOf.set(subject, [...(seqsOf.get(subject) ?? []), seq]);
  for (const [subject, seqs] of seqsOf) {
    const bytes = Buffer.from(subject);
    const id = store.subjects.find(bytes, 0, bytes.length);
    assert.equal(store.firstOf(id), seqs[0]);
    assert.equal(store.lastOf(id), seqs.at(-1));
    for (const [i, seq] of seqs.entries()) assert.equal(store.nextOf(id, seq + 1), seqs[i + 1] ?? 0);
  }
}

function assertHolds(store: MessageStore, held: ReadonlyMap<number, string>): void {
  assertFinds(store, held);
  const all = { from: 0, below: Infinity, limit: Infinity };
  assert.deepEqual(collectMatching(store, undefined, all), [...held.keys()]);
  assert.equal(store.messages, held.size);
  const rows = store.table.chunks.reduce((sum, { size, deadRows }) => sum + size - deadRows, 0);
  const live = store.table.chunks.reduce((sum, { liveMessages }) => sum + liveMessages, 0);
  assert.ok(rows <= held.size);
  assert.equal(live, held.size);
}

test('many small blocks, thinned at random and saved again and again, come back as they are', async () => {
  const random = new Random(5);
  const run = new StoreRun();
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 300; i++) {
      const count = random.chance(0.7) ? 1 : random.integer(2, 6);
      run.add(Array.from({ length: count }, () => `s.${random.integer(0, 400)}`));
    }
    const thin = (share: number): void => {
      for (const seq of [...run.held.keys()]) if (random.chance(share)) run.remove(seq);
    };
    thin(0.3);
    const frozen = new Map(run.held);
    run.checkpoint(() => {
      thin(0.4);
      run.add(['later.1', 'later.2']);
    });
    assertHolds(run.store, run.held);
    assertHolds(await run.restored(), frozen);
  }
  for (const seq of [...run.held.keys()]) run.remove(seq);
  assert.equal(run.store.table.chunks.length, 0);
  assert.equal(run.store.subjects.size, 0);
  run.checkpoint(() => undefined);
  assert.equal(run.pages.size, 0);
});

test('a subject is found among many large blocks, before a restore and after it', async () => {
  const random = new Random(6);
  const run = new StoreRun();
  for (let block = 0; block < 1_200; block++) {
    const count = random.pick([1, 3, 70, 200]);
    run.add(Array.from({ length: count }, () => (random.chance(0.002) ? 'rare' : `s.${random.integer(0, 3_000)}`)));
  }
  for (const seq of [...run.held.keys()]) if (random.chance(0.2)) run.remove(seq);
  run.checkpoint(() => undefined);
  assertFinds(run.store, run.held);
  assertFinds(await run.restored(), run.held);
});

test('the table shrinks with the blocks that live, wherever the dead ones were', () => {
  const run = new StoreRun();
  for (let i = 0; i < 20_000; i++) run.add([`s.${i % 50}`]);
  for (let seq = 1; seq <= 20_000; seq++) if (seq % 100 !== 0) run.store.remove(seq, true);
  run.store.table.tidy();
  const rows = run.store.table.chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
  assert.equal(run.store.messages, 200);
  assert.ok(rows < 2_000, `${rows} rows for 200 blocks`);
});

test('a block that moved to its neighbour’s page is saved there', async () => {
  const run = new StoreRun();
  for (let i = 0; i < 512; i++) run.add(['a']);
  for (let seq = 1; seq <= 200; seq++) run.remove(seq);
  run.checkpoint(() => undefined);
  for (let seq = 257; seq <= 450; seq++) run.remove(seq);
  assert.equal(run.store.table.chunks.length, 1);
  run.checkpoint(() => undefined);
  assertHolds(await run.restored(), run.held);
});

test('a change to one message rewrites one small page', () => {
  const run = new StoreRun();
  for (let i = 0; i < 2_000; i++) run.add(['a', 'b', 'c', 'd']);
  run.checkpoint(() => undefined);
  const before = new Map(run.pages);
  run.store.remove(4_001, true);
  run.checkpoint(() => undefined);
  const changed = [...run.pages].filter(([key, value]) => before.get(key) !== value);
  assert.deepEqual(
    changed.map(([, value]) => value.length),
    [1],
  );
});

test('counts behind a position agree with counting one by one', () => {
  const random = new Random(9);
  const run = new StoreRun();
  for (let i = 0; i < 1_000; i++)
    run.add(Array.from({ length: random.integer(1, 4) }, () => `k.${random.integer(0, 9)}`));
  for (const seq of [...run.held.keys()]) if (random.chance(0.3)) run.remove(seq);
  for (const filter of [undefined, subjectFilter(['k.3']), subjectFilter(['k.1', 'k.2']), subjectFilter(['*.7'])]) {
    for (let i = 0; i < 20; i++) {
      const from = random.integer(0, run.store.lastSeq + 2);
      const expected = collectMatching(run.store, filter, { from, below: Infinity, limit: Infinity }).length;
      assert.equal(countFrom(run.store, filter, from), expected);
    }
  }
});

test('a message whose block moved and then went is not taken for live, however often one asks', () => {
  const run = new StoreRun();
  const { store } = run;
  const gone = 8;
  for (let seq = 1; seq <= gone; seq++) run.add(['s']);
  // Where it is, is remembered, and more blocks make the table move it.
  assert.ok(store.isLive(gone));
  for (let seq = 1; seq <= gone; seq++) run.add(['s']);
  for (const seq of [...run.held.keys()]) run.remove(seq);
  for (let times = 0; times < 2; times++) {
    assert.equal(store.isLive(gone), false);
    assert.equal(store.remove(gone, true), false);
  }
});
