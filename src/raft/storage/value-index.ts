/**
 * Owns the index of the batch log: a database with every small value, and for each large one the place in the log where
 * it lies. It is brought up to date behind the log and without sync: what it loses when the power fails, the log still
 * has. Under keys of its own (they begin with ff) it also keeps
 *
 *     ff 01 <u32 segment>   how many bytes of values in this segment are still meant by some key
 *     ff 02                 u64 number of the last batch that is in here
 *     ff 03                 u64 number | u32 segment | u32 offset: up to here everything is in tables, here replaying begins
 *
 * Each update is one batch of the database, with the counts that follow from it: applying a logged batch again changes
 * nothing. Only a power cut that takes an update out of the middle can leave a count wrong, so nothing is ever removed
 * because of a count alone.
 */
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import type { LoggedBatch, LogPosition } from './batch-log.ts';
import type { LoggedChange, Place } from './batch-record.ts';
import type { DiskBatch, KeyRange, KeyValueDisk } from './key-value-disk.ts';
import { openValue, sealValue } from './sealed-value.ts';

const SPACE = 0xff;
const COUNTS: KeyRange = { from: Buffer.from([SPACE, 1]), to: Buffer.from([SPACE, 2]) };
const LATEST_KEY = Buffer.from([SPACE, 2]);
const START_KEY = Buffer.from([SPACE, 3]);
const COUNT_KEY_BYTES = 6;
/** Of a sealed place. Values that large keys can have are longer. */
const PLACE_BYTES = 16;

/** What the index is kept in. */
export interface IndexDatabase extends KeyValueDisk {
  getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]>;
  /** Moves everything written before this call into files that are synced. */
  flush(): Promise<void>;
}

/** Up to and with this batch everything is in the index for good. */
export interface ReplayStart extends LogPosition {
  readonly number: number;
}

export class ValueIndex {
  readonly #database: IndexDatabase;
  /** Keys whose values may lie in the log; what is stored under others is never looked at. */
  readonly #mayBeLarge: (key: Buffer) => boolean;
  readonly #liveBytes = new Map<number, number>();
  #freedBytes = 0;
  #latest = 0;
  #start: ReplayStart = { number: 0, segment: 0, offset: 0 };

  private constructor(database: IndexDatabase, mayBeLarge: (key: Buffer) => boolean) {
    this.#database = database;
    this.#mayBeLarge = mayBeLarge;
  }

  static async open(database: IndexDatabase, mayBeLarge: (key: Buffer) => boolean): Promise<ValueIndex> {
    const index = new ValueIndex(database, mayBeLarge);
    const latest = await index.#own(LATEST_KEY);
    if (latest !== undefined) index.#latest = readSafeInteger(latest, 0);
    const start = await index.#own(START_KEY);
    if (start !== undefined) {
      const number = readSafeInteger(start, 0);
      index.#start = { number, segment: start.readUInt32BE(8), offset: start.readUInt32BE(12) };
    }
    for await (const [key, value] of database.entries(COUNTS)) {
      const content = openValue(key, value);
      if (content !== undefined) index.#liveBytes.set(key.readUInt32BE(2), readSafeInteger(content, 0));
    }
    return index;
  }

  async #own(key: Buffer): Promise<Buffer | undefined> {
    const value = await this.#database.get(key);
    return value && openValue(key, value);
  }

  /** Number of the last batch in here. */
  get latest(): number {
    return this.#latest;
  }

  get replayStart(): ReplayStart {
    return this.#start;
  }

  /** Bytes of values that nobody means any more, since the last `settle`. */
  get freedBytes(): number {
    return this.#freedBytes;
  }

  liveBytesOf(segment: number): number {
    return this.#liveBytes.get(segment) ?? 0;
  }

  /** The value, or where it is. */
  async get(key: Buffer): Promise<Buffer | Place | undefined> {
    const value = await this.#database.get(key);
    return value && (this.#placeIn(key, value) ?? value);
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer, Place | undefined]> {
    for await (const [key, value] of this.#database.entries(range)) yield [key, value, this.#placeIn(key, value)];
  }

  keys(range: KeyRange): AsyncIterable<Buffer> {
    return this.#database.keys(range);
  }

  /** For each key: where its value is, if that is in the log. */
  async places(keys: readonly Buffer[]): Promise<(Place | undefined)[]> {
    if (keys.length === 0) return [];
    const values = await this.#database.getMany(keys);
    return values.map((value, at) => value && this.#placeIn(keys[at]!, value));
  }

  #placeIn(key: Buffer, value: Buffer): Place | undefined {
    if (value.length !== PLACE_BYTES || !this.#mayBeLarge(key)) return undefined;
    const content = openValue(key, value);
    if (content === undefined) return undefined;
    return { segment: content.readUInt32BE(0), offset: content.readUInt32BE(4), bytes: content.readUInt32BE(8) };
  }

  /** Brings in what the log has taken, in its order. Calls must not overlap. */
  async apply(batches: readonly LoggedBatch[]): Promise<void> {
    const places = await this.#placesBefore(batches);
    const update = this.#database.batch();
    const counted = new Set<number>();
    for (const batch of batches) {
      for (const change of batch.changes) this.#apply(update, batch, change, places, counted);
    }
    for (const segment of counted) this.#putCount(update, segment);
    const latest = batches.at(-1)!.number;
    const content = Buffer.allocUnsafe(8);
    writeSafeInteger(content, latest, 0);
    update.put(LATEST_KEY, sealValue(LATEST_KEY, content));
    await this.#database.write(update, false);
    this.#latest = latest;
  }

  /** Places by key as latin1, for the keys that may have one. */
  async #placesBefore(batches: readonly LoggedBatch[]): Promise<Map<string, Place | undefined>> {
    const keys: Buffer[] = [];
    for (const { changes } of batches) for (const { key } of changes) if (this.#mayBeLarge(key)) keys.push(key);
    const found = await this.places(keys);
    return new Map(keys.map((key, at) => [key.toString('latin1'), found[at]]));
  }

  #apply(
    update: DiskBatch,
    batch: LoggedBatch,
    change: LoggedChange,
    places: Map<string, Place | undefined>,
    counted: Set<number>,
  ): void {
    const { key } = change;
    const name = this.#mayBeLarge(key) ? key.toString('latin1') : undefined;
    const before = name === undefined ? undefined : places.get(name);
    if (change.kind === 'move' && (before === undefined || !isSamePlace(before, change.from))) return;
    const after =
      change.kind === 'bulk' || change.kind === 'move'
        ? { segment: batch.segment, offset: batch.offset + change.offset, bytes: change.bytes }
        : undefined;
    if (before !== undefined) {
      this.#freedBytes += before.bytes;
      this.#count(before.segment, -before.bytes, counted);
    }
    if (after !== undefined) this.#count(after.segment, after.bytes, counted);
    if (name !== undefined) places.set(name, after);
    if (after !== undefined) update.put(key, sealPlace(key, after));
    else if (change.kind === 'put') update.put(key, change.value);
    else update.delete(key);
  }

  #count(segment: number, bytes: number, counted: Set<number>): void {
    this.#liveBytes.set(segment, Math.max(0, this.liveBytesOf(segment) + bytes));
    counted.add(segment);
  }

  #putCount(update: DiskBatch, segment: number): void {
    const key = countKey(segment);
    const content = Buffer.allocUnsafe(8);
    writeSafeInteger(content, this.liveBytesOf(segment), 0);
    update.put(key, sealValue(key, content));
  }

  /**
   * Everything up to `start`, which was applied before this call, is put into tables; from then on replaying begins
   * there.
   */
  async settle(start: ReplayStart): Promise<void> {
    this.#freedBytes = 0;
    await this.#database.flush();
    const update = this.#database.batch();
    const content = Buffer.allocUnsafe(16);
    writeSafeInteger(content, start.number, 0);
    content.writeUInt32BE(start.segment, 8);
    content.writeUInt32BE(start.offset, 12);
    update.put(START_KEY, sealValue(START_KEY, content));
    // A database that has failed to make a table takes no write any more, and this is where that shows.
    await this.#database.write(update, true);
    this.#start = start;
  }

  /** The segment is no more. */
  async forget(segment: number): Promise<void> {
    this.#liveBytes.delete(segment);
    const update = this.#database.batch();
    update.delete(countKey(segment));
    await this.#database.write(update, false);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

export function isSamePlace(a: Place, b: Place): boolean {
  return a.segment === b.segment && a.offset === b.offset && a.bytes === b.bytes;
}

function countKey(segment: number): Buffer {
  const key = Buffer.allocUnsafe(COUNT_KEY_BYTES);
  key[0] = SPACE;
  key[1] = 1;
  key.writeUInt32BE(segment, 2);
  return key;
}

function sealPlace(key: Buffer, place: Place): Buffer {
  const content = Buffer.allocUnsafe(12);
  content.writeUInt32BE(place.segment, 0);
  content.writeUInt32BE(place.offset, 4);
  content.writeUInt32BE(place.bytes, 8);
  return sealValue(key, content);
}
