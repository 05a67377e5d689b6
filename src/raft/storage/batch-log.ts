/**
 * Owns the batch log: segment files to whose end every batch of the node is written, once. Records are only appended, so
 * their numbers ascend from segment to segment; a start begins a new segment, and leaves a torn end behind.
 */
import { crc32c } from '../../base/checksum.ts';
import {
  BATCH_HEADER_BYTES,
  BLOCK_BYTES,
  decodeChanges,
  encodeBatch,
  readBatchHeader,
  type BatchHeader,
  type Change,
  type LoggedChange,
  type Place,
} from './batch-record.ts';
import type { LogFile, LogFiles } from './log-files.ts';

/**
 * The file grows by this much at a time, with zeros, under batches up to `SMALL_BATCH_BYTES`: a write that makes the file
 * longer costs a commit of the file system's journal, twice the time of one that does not.
 */
const GROWTH_BYTES = 256 * 1024;
const SMALL_BATCH_BYTES = 32 * 1024;
const GROWTH = Buffer.alloc(GROWTH_BYTES);
/** Segments kept open for reading. */
const MAX_OPEN_FILES = 128;
const SCAN_WINDOW_BYTES = 1024 * 1024;
const GLANCE_WINDOW_BYTES = 32 * 1024;

export interface LogPosition {
  readonly segment: number;
  readonly offset: number;
}

/** A batch that is in the log. */
export interface LoggedBatch {
  readonly number: number;
  readonly segment: number;
  /** Of the record in its segment. */
  readonly offset: number;
  /** Where the record ends. */
  readonly end: number;
  readonly changes: readonly LoggedChange[];
}

interface OpenFile {
  readonly file: Promise<LogFile | undefined>;
  users: number;
  /** To be closed by its last user. */
  unwanted: boolean;
}

interface ActiveSegment {
  readonly segment: number;
  readonly file: LogFile;
  /** The file is this long; behind the records there are zeros. */
  grownTo: number;
}

export class BatchLog {
  readonly #files: LogFiles;
  /** Marks our records: those of another database are none. */
  readonly #database: number;
  readonly #segmentBytes: number;
  /** By segment: where its records end. */
  readonly #ends = new Map<number, number>();
  /** For reading, in the order of their last use. */
  readonly #open = new Map<number, OpenFile>();
  #active: ActiveSegment | undefined;
  /** The one after it: made ahead, for a new name has to wait for the file system. */
  #next: { readonly segment: number; readonly file: Promise<LogFile> } | undefined;

  private constructor(files: LogFiles, database: number, segmentBytes: number) {
    this.#files = files;
    this.#database = database;
    this.#segmentBytes = segmentBytes;
  }

  /** A segment takes no further batch beyond `segmentBytes`; but one batch may be larger. */
  static async open(files: LogFiles, database: number, segmentBytes: number): Promise<BatchLog> {
    const log = new BatchLog(files, database, segmentBytes);
    for (const { segment, bytes } of await files.list()) log.#ends.set(segment, bytes);
    return log;
  }

  /** Segments that take no more, ascending. */
  sealedSegments(): number[] {
    return [...this.#ends.keys()].filter((segment) => segment !== this.#active?.segment);
  }

  bytesOf(segment: number): number {
    return this.#ends.get(segment) ?? 0;
  }

  /** Calls must not overlap. With `sync`, this batch and all before it are durable when this resolves. */
  async append(number: number, changes: readonly Change[], sync: boolean): Promise<LoggedBatch> {
    const batch = encodeBatch(changes, { database: this.#database, number });
    let active = this.#active;
    if (active === undefined || this.bytesOf(active.segment) + batch.bytes > this.#segmentBytes)
      active = await this.#roll();
    const offset = this.bytesOf(active.segment);
    const end = offset + batch.bytes;
    if (end > active.grownTo) {
      const growth = batch.bytes > SMALL_BATCH_BYTES ? 0 : this.#growthBehind(end);
      if (growth > 0) batch.buffers.push(GROWTH.subarray(0, growth));
      active.grownTo = end + growth;
    }
    await active.file.write(batch.buffers, offset, sync);
    this.#ends.set(active.segment, end);
    if (end > this.#segmentBytes / 2) this.#makeNext();
    return { number, segment: active.segment, offset, end, changes: batch.changes };
  }

  #growthBehind(end: number): number {
    return Math.max(0, Math.min(GROWTH_BYTES - (end % GROWTH_BYTES), this.#segmentBytes - end));
  }

  async sync(): Promise<void> {
    await this.#active?.file.sync();
  }

  /** Failing to is told to whoever needs it. */
  #makeNext(): { readonly segment: number; readonly file: Promise<LogFile> } {
    if (this.#next !== undefined) return this.#next;
    const segment = Math.max(0, ...this.#ends.keys()) + 1;
    const file = this.#files.create(segment);
    file.catch(() => undefined);
    return (this.#next = { segment, file });
  }

  async #roll(): Promise<ActiveSegment> {
    const full = this.#active;
    await full?.file.sync();
    const next = this.#makeNext();
    const active = { segment: next.segment, file: await next.file, grownTo: 0 };
    this.#next = undefined;
    this.#ends.set(active.segment, 0);
    this.#active = active;
    if (full !== undefined) {
      this.#keepOpen(full.segment, { file: Promise.resolve(full.file), users: 0, unwanted: false });
    }
    return active;
  }

  /** Undefined when it is not there: the segment is gone, or was cut. */
  async read(place: Place): Promise<Buffer | undefined> {
    const { offset, bytes } = place;
    const value = await this.#using(place.segment, (file) => file?.read(offset, bytes) ?? Promise.resolve(undefined));
    return value?.length === bytes ? value : undefined;
  }

  /**
   * The batches of a sealed segment from `offset` on, as far as they can be believed; what can't is passed over.
   * `glance`: the values are not looked at.
   */
  async *batches(segment: number, offset: number, glance = false): AsyncIterable<LoggedBatch> {
    const window = new Window(
      (from, bytes) => this.#using(segment, (file) => file?.read(from, bytes) ?? Promise.resolve(Buffer.alloc(0))),
      glance ? GLANCE_WINDOW_BYTES : SCAN_WINDOW_BYTES,
    );
    const fileEnd = this.bytesOf(segment);
    let at = offset;
    for (;;) {
      const start = await window.read(at, BATCH_HEADER_BYTES);
      if (start.length < BATCH_HEADER_BYTES) return;
      const header = readBatchHeader(start, this.#database);
      const fits = header !== undefined && at + header.bytes <= fileEnd;
      const changes = fits ? await readChanges(window, at, header, glance) : undefined;
      if (header === undefined || changes === undefined) {
        at += BLOCK_BYTES;
        continue;
      }
      const end = at + header.bytes;
      yield { number: header.number, segment, offset: at, end, changes };
      at = end;
    }
  }

  async remove(segment: number): Promise<void> {
    const open = this.#open.get(segment);
    this.#open.delete(segment);
    this.#ends.delete(segment);
    if (open !== undefined) await release(open);
    await this.#files.remove(segment);
  }

  async close(): Promise<void> {
    await this.#active?.file.close();
    const unused = await this.#next?.file.catch(() => undefined);
    await unused?.close();
    for (const open of this.#open.values()) await release(open);
    this.#open.clear();
  }

  async #using<T>(segment: number, use: (file: LogFile | undefined) => Promise<T>): Promise<T> {
    if (segment === this.#active?.segment) return use(this.#active.file);
    const open = this.#open.get(segment) ?? { file: this.#files.open(segment), users: 0, unwanted: false };
    this.#keepOpen(segment, open);
    open.users++;
    try {
      return await use(await open.file);
    } catch (error) {
      // It may be another time that it can be opened.
      if (this.#open.get(segment) === open) this.#open.delete(segment);
      open.unwanted = true;
      throw error;
    } finally {
      open.users--;
      if (open.unwanted) await release(open);
    }
  }

  #keepOpen(segment: number, open: OpenFile): void {
    this.#open.delete(segment);
    this.#open.set(segment, open);
    if (this.#open.size <= MAX_OPEN_FILES) return;
    const [oldest, unused] = this.#open.entries().next().value!;
    this.#open.delete(oldest);
    void release(unused);
  }
}

/** Closes it, or leaves that to its last user. What fails here was only read. */
async function release(open: OpenFile): Promise<void> {
  open.unwanted = true;
  if (open.users > 0) return;
  const file = await open.file.catch(() => undefined);
  await file?.close().catch(() => undefined);
}

/** Undefined unless everything that is looked at is as it was written. */
async function readChanges(
  window: Window,
  at: number,
  header: BatchHeader,
  glance: boolean,
): Promise<LoggedChange[] | undefined> {
  const head = await window.read(at, header.headBytes);
  if (head.length < header.headBytes) return undefined;
  const changes = decodeChanges(head);
  if (changes === undefined || glance) return changes;
  const values = await window.read(at + header.headBytes, header.valuesBytes);
  return values.length === header.valuesBytes && crc32c(values) === header.valuesChecksum ? changes : undefined;
}

/** Reads a file forwards, in large pieces. */
class Window {
  readonly #read: (offset: number, bytes: number) => Promise<Buffer>;
  readonly #bytes: number;
  #start = 0;
  #content: Buffer = Buffer.alloc(0);

  constructor(read: (offset: number, bytes: number) => Promise<Buffer>, bytes: number) {
    this.#read = read;
    this.#bytes = bytes;
  }

  /** A view, valid until the next call; shorter at the end of the file. */
  async read(offset: number, bytes: number): Promise<Buffer> {
    const from = offset - this.#start;
    if (from >= 0 && from + bytes <= this.#content.length) return this.#content.subarray(from, from + bytes);
    this.#start = offset;
    this.#content = await this.#read(offset, Math.max(bytes, this.#bytes));
    return this.#content.subarray(0, bytes);
  }
}
