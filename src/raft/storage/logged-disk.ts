/**
 * Owns the node's disk: a batch log (batch-log.ts) with an index in LevelDB (value-index.ts). A batch is written once, to
 * the end of the log, and is done when that is durable; the index follows. LevelDB alone would write a message to its own
 * log, to a table, and again whenever tables are merged, and make each write wait for a file that grows.
 */
import { invariant, StorageError } from '../../base/errors.ts';
import { BatchLog, type LoggedBatch, type LogPosition } from './batch-log.ts';
import type { Change, Place } from './batch-record.ts';
import type { DiskBatch, KeyRange, KeyValueDisk } from './key-value-disk.ts';
import type { LogFiles } from './log-files.ts';
import { findReplay } from './log-replay.ts';
import { SegmentCleaner } from './segment-cleaner.ts';
import { isSamePlace, ValueIndex, type IndexDatabase } from './value-index.ts';

/** From this size on, a value that may stay in the log does. A smaller one is better off in the index. */
const LARGE_VALUE_BYTES = 4096;
/** Batches that the index does not have yet are in memory; above this, writing waits for it. */
const MAX_BEHIND_BYTES = 16 * 1024 * 1024;
/** One segment is what is read to be cleaned, and removed as a whole. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Of earlier starts; with more of them, a start looks at once whether some can go. */
const MAX_SEGMENTS_LEFT = 4;
/** Batches brought into the index at a time when starting. */
const REPLAY_SLICE = 256;
/** In the place of a value that can't be read: no record is so short. */
const LOST = Buffer.alloc(1);

export interface LoggedDiskOptions {
  readonly files: LogFiles;
  readonly database: IndexDatabase;
  /** Tells this node's log from another's. Unsigned 32 bit. */
  readonly databaseMark: number;
  readonly mayBeLarge: (key: Buffer) => boolean;
  /** Also how much of the log a start may have to replay, give or take what is written while the index settles. */
  readonly segmentBytes?: number;
}

/** A batch on its way into the index. */
interface Behind {
  readonly logged: LoggedBatch;
  readonly changes: readonly Change[];
  readonly bytes: number;
}

class LogBatch implements DiskBatch {
  readonly changes: Change[] = [];
  readonly #mayBeLarge: (key: Buffer) => boolean;

  constructor(mayBeLarge: (key: Buffer) => boolean) {
    this.#mayBeLarge = mayBeLarge;
  }

  put(key: Buffer, value: Buffer): void {
    const kind = value.length >= LARGE_VALUE_BYTES && this.#mayBeLarge(key) ? 'bulk' : 'put';
    this.changes.push({ kind, key, value });
  }

  delete(key: Buffer): void {
    this.changes.push({ kind: 'delete', key });
  }
}

export class LoggedDisk implements KeyValueDisk {
  readonly #options: LoggedDiskOptions;
  readonly #segmentBytes: number;
  readonly #log: BatchLog;
  readonly #index: ValueIndex;
  readonly #cleaner: SegmentCleaner;
  /** In order of their numbers. */
  readonly #behind: Behind[] = [];
  #behindBytes = 0;
  #lastNumber: number;
  /** Up to here the log is durable; what is not may not enter the index, which would then know more than the log. */
  #durableNumber: number;
  #indexed: LogPosition & { readonly number: number };
  #writing: Promise<void> = Promise.resolve();
  #indexing = false;
  #syncing = false;
  #settling: Promise<void> | undefined;
  #bytesSinceSettled = 0;
  #closing = false;
  #failure: StorageError | undefined;
  #progress: (() => void)[] = [];

  private constructor(options: LoggedDiskOptions, log: BatchLog, index: ValueIndex, start: LogPosition, last: number) {
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#log = log;
    this.#index = index;
    this.#lastNumber = last;
    this.#durableNumber = last;
    this.#indexed = { ...start, number: last };
    this.#cleaner = new SegmentCleaner(log, index, async (changes) => {
      await this.#append(changes, true);
      await this.#caughtUp();
    });
  }

  /** Opens what `options` name, and brings the index up to date with the log. */
  static async open(options: LoggedDiskOptions): Promise<LoggedDisk> {
    const log = await BatchLog.open(options.files, options.databaseMark, options.segmentBytes ?? SEGMENT_BYTES);
    const index = await ValueIndex.open(options.database, options.mayBeLarge);
    const replay = await findReplay(log, index);
    for (let at = 0; at < replay.batches.length; at += REPLAY_SLICE) {
      await index.apply(replay.batches.slice(at, at + REPLAY_SLICE));
    }
    const disk = new LoggedDisk(options, log, index, replay.end, replay.lastNumber);
    if (replay.lastNumber !== index.replayStart.number) await index.settle(disk.#indexed);
    // Each start leaves one behind, however little was written to it.
    if (log.sealedSegments().length > MAX_SEGMENTS_LEFT) disk.#settleInBackground();
    return disk;
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    const change = this.#changeBehind(key);
    if (change !== undefined) return change.kind === 'delete' ? undefined : change.value;
    return this.#reading(async () => {
      const found = await this.#index.get(key);
      return found === undefined || Buffer.isBuffer(found) ? found : this.#valueOf(key, found);
    });
  }

  #changeBehind(key: Buffer): Change | undefined {
    for (let at = this.#behind.length - 1; at >= 0; at--) {
      const { changes } = this.#behind[at]!;
      for (let each = changes.length - 1; each >= 0; each--) {
        if (changes[each]!.key.equals(key)) return changes[each];
      }
    }
    return undefined;
  }

  async #valueOf(key: Buffer, place: Place): Promise<Buffer | undefined> {
    for (;;) {
      const value = await this.#log.read(place);
      if (value !== undefined) return value;
      const found = await this.#index.get(key);
      if (found === undefined || Buffer.isBuffer(found)) return found;
      // Not moved meanwhile, but lost: nothing that its reader could take for a value.
      if (isSamePlace(found, place)) return LOST;
      place = found;
    }
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]> {
    await this.#caughtUp();
    for await (const [key, stored, place] of this.#index.entries(range)) {
      const value = place === undefined ? stored : await this.#reading(() => this.#valueOf(key, place));
      if (value !== undefined) yield [key, value];
    }
  }

  async *keys(range: KeyRange): AsyncIterable<Buffer> {
    await this.#caughtUp();
    yield* this.#index.keys(range);
  }

  batch(): DiskBatch {
    return new LogBatch(this.#options.mayBeLarge);
  }

  async write(batch: DiskBatch, sync: boolean): Promise<void> {
    invariant(batch instanceof LogBatch, 'a batch goes to the disk that made it');
    await this.#append(batch.changes, sync);
  }

  /** One batch after the other: the cleaner writes as well. */
  async #append(changes: readonly Change[], sync: boolean): Promise<void> {
    const before = this.#writing;
    let done!: () => void;
    this.#writing = new Promise((resolve) => (done = resolve));
    await before;
    try {
      while (this.#behindBytes > MAX_BEHIND_BYTES && this.#failure === undefined) await this.#nextProgress();
      if (this.#failure !== undefined) throw this.#failure;
      const logged = await this.#log.append(this.#lastNumber + 1, changes, sync);
      this.#lastNumber = logged.number;
      const bytes = logged.end - logged.offset;
      this.#behind.push({ logged, changes, bytes });
      this.#behindBytes += bytes;
      this.#bytesSinceSettled += bytes;
      if (sync) this.#durableNumber = logged.number;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      done();
    }
    if (sync) void this.#bringIn();
    else void this.#syncSoon();
  }

  /** Whoever wrote without sync does not wait, but the index does. */
  async #syncSoon(): Promise<void> {
    if (this.#syncing) return;
    this.#syncing = true;
    try {
      while (this.#durableNumber < this.#lastNumber && this.#failure === undefined) {
        const number = this.#lastNumber;
        await this.#log.sync();
        this.#durableNumber = Math.max(this.#durableNumber, number);
        void this.#bringIn();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#syncing = false;
    }
  }

  /** Brings durable batches into the index, all that are there at once. */
  async #bringIn(): Promise<void> {
    if (this.#indexing) return;
    this.#indexing = true;
    try {
      for (;;) {
        const count = this.#durableBehind();
        if (count === 0) break;
        const taken = this.#behind.slice(0, count);
        await this.#index.apply(taken.map(({ logged }) => logged));
        const { number, segment, end } = taken[count - 1]!.logged;
        this.#indexed = { number, segment, offset: end };
        this.#behind.splice(0, count);
        for (const { bytes } of taken) this.#behindBytes -= bytes;
        this.#madeProgress();
        if (this.#isToSettle) this.#settleInBackground();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#indexing = false;
    }
  }

  #durableBehind(): number {
    let count = 0;
    while (count < this.#behind.length && this.#behind[count]!.logged.number <= this.#durableNumber) count++;
    return count;
  }

  get #isToSettle(): boolean {
    if (this.#closing || this.#settling !== undefined) return false;
    return this.#bytesSinceSettled >= this.#segmentBytes || this.#index.freedBytes >= this.#segmentBytes;
  }

  #settleInBackground(): void {
    this.#settling ??= this.#settle().finally(() => (this.#settling = undefined));
  }

  /** Moves the point at which a start begins to replay, and gives back the space that became free. */
  async #settle(): Promise<void> {
    try {
      do {
        this.#bytesSinceSettled = 0;
        const end = this.#indexed;
        await this.#index.settle(end);
        await this.#cleaner.removeCleaned();
        if (this.#closing) return;
        if (!(await this.#cleaner.clean(end))) return;
      } while (this.#failure === undefined);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Resolves when the index has everything written before this call. */
  async #caughtUp(): Promise<void> {
    const number = this.#lastNumber;
    while (this.#indexed.number < number) {
      if (this.#failure !== undefined) throw this.#failure;
      await this.#nextProgress();
    }
  }

  #nextProgress(): Promise<void> {
    return new Promise((resolve) => {
      this.#progress.push(resolve);
    });
  }

  #madeProgress(): void {
    const waiting = this.#progress;
    this.#progress = [];
    for (const resume of waiting) resume();
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      throw cause instanceof StorageError
        ? cause
        : new StorageError('STORAGE_READ', 'reading the log failed', { cause });
    }
  }

  #fail(cause: unknown): StorageError {
    this.#failure ??=
      cause instanceof StorageError ? cause : new StorageError('STORAGE_WRITE', 'writing the log failed', { cause });
    this.#madeProgress();
    return this.#failure;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#writing;
    try {
      await this.#settling;
      await this.#caughtUp();
      if (this.#indexed.number !== this.#index.replayStart.number) await this.#settle();
    } catch {
      // A failure was told to whoever wrote, and closing writes nothing that is needed.
    }
    await this.#log.close();
    await this.#index.close();
  }
}
