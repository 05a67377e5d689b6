/** The batch log with its index, on files and a database that lose power, against a map that does not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c } from '../../src/base/checksum.ts';
import type { GroupId, LogIndex } from '../../src/raft/index.ts';
import { entryKey, hardStateKey, isEntryKey } from '../../src/raft/storage/keys.ts';
import { LoggedDisk } from '../../src/raft/storage/logged-disk.ts';
import { Random } from '../sim/random.ts';
import { FaultyDatabase, FaultyFiles } from './faulty-files.ts';

const SEEDS = 40;
const ROUNDS = 4;
const BATCHES_PER_ROUND = 40;
const SEGMENT_BYTES = 96 * 1024;
const ALL = { from: Buffer.from([0]), to: Buffer.from([0xff]) };
const GROUP = 3 as GroupId;

type Model = Map<string, string>;

class Place {
  readonly files = new FaultyFiles();
  readonly database = new FaultyDatabase();

  open(): Promise<LoggedDisk> {
    const database = this.database.mount();
    const files = this.files.mount();
    return LoggedDisk.open({ files, database, databaseMark: 77, mayBeLarge: isEntryKey, segmentBytes: SEGMENT_BYTES });
  }

  crash(chance: () => number): void {
    this.files.crash(chance);
    this.database.crash(chance);
  }
}

function large(text: string): Buffer {
  return Buffer.alloc(4096 + text.length * 500, text);
}

/** Enough to tell values apart. */
function shown(value: Buffer): string {
  return `${value.length}:${crc32c(value)}`;
}

function key(number: number): Buffer {
  return number % 4 === 0 ? hardStateKey(number as GroupId) : entryKey(GROUP, number as LogIndex);
}

async function contentOf(disk: LoggedDisk): Promise<Model> {
  const found: Model = new Map();
  for await (const [each, value] of disk.entries(ALL)) found.set(each.toString('hex'), shown(value));
  return found;
}

/** One random batch; what it does is done to `model` as well. */
function change(disk: LoggedDisk, random: Random, model: Model): ReturnType<LoggedDisk['batch']> {
  const batch = disk.batch();
  for (let count = 1 + random.below(4); count > 0; count--) {
    const each = key(random.below(24));
    if (random.next() < 0.3) {
      batch.delete(each);
      model.delete(each.toString('hex'));
      continue;
    }
    const text = String(random.below(1_000_000));
    const value = random.next() < 0.6 ? large(text) : Buffer.from(text);
    batch.put(each, value);
    model.set(each.toString('hex'), shown(value));
  }
  return batch;
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`what was written with sync is there after every power cut, whole batches only (SEED=${seed})`, async () => {
    const random = new Random(seed);
    const chance = () => random.next();
    const place = new Place();
    let model: Model = new Map();
    for (let round = 0; round < ROUNDS; round++) {
      const disk = await place.open();
      assert.deepEqual(await contentOf(disk), model, `round ${round}`);
      for (let count = random.below(BATCHES_PER_ROUND); count > 0; count--) {
        await disk.write(change(disk, random, model), true);
        if (random.next() < 0.1) await new Promise((resolve) => setImmediate(resolve));
      }
      if (random.next() < 0.2) {
        await disk.close();
        continue;
      }
      // One that nobody was told of: all of it is there, or none.
      const before = new Map(model);
      void disk.write(change(disk, random, model), true);
      for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      place.crash(chance);
      const found = await contentOf(await place.open());
      if (found.size === before.size && [...before].every(([each, value]) => found.get(each) === value)) model = before;
      else assert.deepEqual(found, model, `after the cut of round ${round}`);
      place.crash(chance);
    }
  });
}

test('what was not synced is readable at once, and survives the end of the process', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new Random(seed);
    const place = new Place();
    const disk = await place.open();
    const model: Model = new Map();
    for (let count = 0; count < 12; count++) {
      await disk.write(change(disk, random, model), random.chance(0.3));
      const some = key(random.below(24));
      const value = await disk.get(some);
      assert.equal(value && shown(value), model.get(some.toString('hex')));
    }
    place.crash(() => 0);
    assert.deepEqual(await contentOf(await place.open()), model, `seed ${seed}`);
  }
});

async function fill(disk: LoggedDisk, numbers: readonly number[]): Promise<void> {
  for (const number of numbers) {
    const batch = disk.batch();
    batch.put(entryKey(GROUP, number as LogIndex), large(String(number)));
    batch.put(hardStateKey(GROUP), Buffer.from(`state ${number}`));
    await disk.write(batch, true);
  }
}

const NUMBERS = Array.from({ length: 300 }, (_, at) => at + 1);

test('space comes back when what was in it is deleted, and what is left of a segment moves on', async () => {
  const place = new Place();
  const disk = await place.open();
  await fill(disk, NUMBERS);
  const full = place.files.bytes;
  const kept = NUMBERS.filter((number) => number % 10 === 0);
  for (const number of NUMBERS) {
    const batch = disk.batch();
    if (number % 10 !== 0) batch.delete(entryKey(GROUP, number as LogIndex));
    await disk.write(batch, true);
  }
  for (let count = 0; count < 20; count++) await fill(disk, [1000]);
  await disk.close();
  assert.ok(place.files.bytes < full / 3, `${place.files.bytes} of ${full} bytes are left`);
  const again = await place.open();
  for (const number of kept) {
    assert.deepEqual(await again.get(entryKey(GROUP, number as LogIndex)), large(String(number)), `${number}`);
  }
  await again.close();
});

test('starts leave no trail of small segments', async () => {
  const place = new Place();
  for (let start = 0; start < 20; start++) {
    const disk = await place.open();
    const batch = disk.batch();
    batch.put(hardStateKey(GROUP), Buffer.from(`start ${start}`));
    await disk.write(batch, true);
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
    await disk.close();
  }
  assert.ok(place.files.platters.size < 10, `${place.files.platters.size} segments`);
});

/** Damages the batch that has `number` as its entry, after a crash of the process alone. */
async function damaged(number: number): Promise<LoggedDisk> {
  const place = new Place();
  const disk = await place.open();
  await fill(disk, [1, 2, 3, 4, 5]);
  await contentOf(disk);
  place.crash(() => 0);
  const needle = Buffer.from(`state ${number}`);
  for (const platter of place.files.platters.values()) {
    const at = platter.seen.indexOf(needle);
    if (at >= 0) platter.seen[at]! ^= 1;
  }
  return place.open();
}

test('a damaged batch does not set back what the index already has', async () => {
  for (const number of [1, 3, 5]) {
    const disk = await damaged(number);
    assert.equal((await disk.get(hardStateKey(GROUP)))?.toString(), 'state 5', `batch ${number}`);
    await disk.close();
  }
});

test('a value that is lost reads as one that no record is, and never as none', async () => {
  const place = new Place();
  const disk = await place.open();
  await fill(disk, [1, 2]);
  await disk.close();
  for (const segment of [...place.files.platters.keys()]) place.files.platters.delete(segment);
  const again = await place.open();
  assert.equal((await again.get(entryKey(GROUP, 1 as LogIndex)))?.length, 1);
  assert.deepEqual(
    [...(await contentOf(again)).values()].map((value) => value.split(':')[0]),
    ['7', '1', '1'],
  );
  await again.close();
});

test('the log of another database is not taken for ours', async () => {
  const place = new Place();
  const disk = await place.open();
  await fill(disk, [1, 2]);
  await disk.close();
  const files = place.files.mount();
  const database = new FaultyDatabase().mount();
  const other = await LoggedDisk.open({ files, database, databaseMark: 78, mayBeLarge: isEntryKey });
  assert.equal((await contentOf(other)).size, 0);
  await other.close();
});
