import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogWindow } from '../../src/raft/core/log-window.ts';
import { allocateRecord, chainChecksum, sealRecord } from '../../src/raft/record.ts';
import type { Entry, GroupId, LogIndex, Term } from '../../src/raft/types.ts';
import { Random } from '../sim/random.ts';

const BODY_BYTES = 60;
const RECORD_BYTES = BODY_BYTES + 40;

function entry(index: number, term: number): Entry {
  const record = allocateRecord(BODY_BYTES).fill(index % 256, 40);
  const header = { kind: 'normal', group: 1 as GroupId, previousChecksum: 0 } as const;
  return sealRecord(record, { ...header, index: index as LogIndex, term: term as Term });
}

const at = (index: number) => index as LogIndex;

test('entries that are on disk leave memory when they take too much room, others never', () => {
  const log = new LogWindow(3 * RECORD_BYTES);
  for (let index = 1; index <= 10; index++) log.append(entry(index, 1));
  assert.equal(log.firstInMemory, 1);
  log.persisted(at(5), 1 as Term);
  assert.equal(log.firstInMemory, 6);
  log.persisted(at(10), 1 as Term);
  assert.equal(log.firstInMemory, 8);
  assert.equal(log.slice(at(7), at(10), 1000), undefined);
  assert.equal(log.entryAt(at(7)), undefined);
  assert.equal(log.termAt(at(1)), 1, 'their terms stay');
});

test('a slice holds at most so many bytes, but always one entry', () => {
  const log = new LogWindow(10_000);
  for (let index = 1; index <= 5; index++) log.append(entry(index, 1));
  const indexes = (maxBytes: number) => log.slice(at(2), at(4), maxBytes)?.map(({ index }) => index);
  assert.deepEqual(indexes(1), [2]);
  assert.deepEqual(indexes(2 * RECORD_BYTES), [2, 3]);
  assert.deepEqual(indexes(Number.POSITIVE_INFINITY), [2, 3, 4]);
});

test("word of a write that was overtaken by a new leader's entries proves nothing", () => {
  const log = new LogWindow(10_000);
  for (let index = 1; index <= 3; index++) log.append(entry(index, 1));
  log.truncateFrom(at(2));
  log.append(entry(2, 2));
  log.append(entry(3, 2));
  log.persisted(at(3), 1 as Term);
  assert.equal(log.durableIndex, 0);
  log.persisted(at(3), 2 as Term);
  assert.equal(log.durableIndex, 3);
});

test('it answers like a plain list through any appends, truncations, writes and checkpoints', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const log = new LogWindow(4 * RECORD_BYTES);
    const model: Entry[] = [];
    let snapshot = 0;
    let durable = 0;
    let term = 1;
    for (let step = 0; step < 200; step++) {
      const last = model.length;
      if (random.chance(0.6)) {
        if (random.chance(0.2)) term += 1 + random.below(2);
        model.push(entry(last + 1, term));
        log.append(model[last]!);
      } else if (random.chance(0.4) && last > snapshot) {
        const from = snapshot + 1 + random.below(last - snapshot);
        model.length = from - 1;
        durable = Math.min(durable, model.length);
        log.truncateFrom(at(from));
      } else if (random.chance(0.5) && last > durable) {
        durable += 1 + random.below(last - durable);
        log.persisted(at(durable), model[durable - 1]!.term);
      } else if (durable > snapshot) {
        snapshot += 1 + random.below(durable - snapshot);
        log.compactTo(at(snapshot));
      }
      compare(log, model, { snapshot, durable, term });
    }
  }
});

function compare(
  log: LogWindow,
  model: readonly Entry[],
  state: { readonly snapshot: number; readonly durable: number; readonly term: number },
): void {
  assert.equal(log.lastIndex, model.length);
  assert.equal(log.snapshotIndex, state.snapshot);
  assert.equal(log.durableIndex, state.durable);
  assert.equal(log.lastTerm, model[model.length - 1]?.term ?? 0);
  for (let index = 1; index <= model.length; index++) {
    const { term, record } = model[index - 1]!;
    assert.equal(log.termAt(at(index)), index < state.snapshot ? undefined : term);
    assert.equal(log.checksumAt(at(index)), index < state.snapshot ? undefined : chainChecksum(record));
    assert.equal(log.entryAt(at(index)), index >= log.firstInMemory ? model[index - 1] : undefined);
  }
  for (let term = 0; term <= state.term; term++) {
    let expected = model.length;
    while (expected > state.snapshot && model[expected - 1]!.term > term) expected--;
    assert.equal(log.lastIndexOfTermAtMost(log.lastIndex, term as Term), expected);
  }
}
