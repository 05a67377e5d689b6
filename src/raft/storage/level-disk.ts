/** Owns the LevelDB database of a node, which is the index of its log: its options, and what its errors mean. */
import { ClassicLevel } from 'classic-level';
import { invariant, StorageError } from '../../base/errors.ts';
import type { DiskBatch, KeyRange } from './key-value-disk.ts';
import type { IndexDatabase } from './value-index.ts';

/** LevelDB keeps up to two of these in memory, and replays as much at start. Large values never get here. */
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const BLOCK_CACHE_BYTES = 8 * 1024 * 1024;
const ITERATOR_BUFFER_BYTES = 256 * 1024;

const BEHIND_ALL_KEYS = Buffer.from([0xff, 0xff]);

type Database = ClassicLevel<Buffer, Buffer>;

class LevelBatch implements DiskBatch {
  readonly chained: ReturnType<Database['batch']>;

  constructor(chained: ReturnType<Database['batch']>) {
    this.chained = chained;
  }

  put(key: Buffer, value: Buffer): void {
    this.chained.put(key, value);
  }

  delete(key: Buffer): void {
    this.chained.del(key);
  }
}

export class LevelDisk implements IndexDatabase {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /**
   * @throws {StorageError} STORAGE_OPEN: in use by another process, damaged, missing although `create` is false, or
   * there although it is true.
   */
  static async open(directory: string, options: { readonly create: boolean }): Promise<LevelDisk> {
    const database: Database = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    try {
      await database.open({
        createIfMissing: options.create,
        errorIfExists: options.create,
        // Payloads are the client's: often compressed already, and snappy would cost more than the disk does.
        compression: false,
        writeBufferSize: WRITE_BUFFER_BYTES,
        maxFileSize: MAX_FILE_BYTES,
        cacheSize: BLOCK_CACHE_BYTES,
      });
    } catch (error) {
      throw new StorageError('STORAGE_OPEN', `database ${directory}: ${openFailure(error)}`, { cause: error });
    }
    return new LevelDisk(database);
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    try {
      return await this.#database.get(key);
    } catch (error) {
      throw readFailure(error);
    }
  }

  async getMany(keys: readonly Buffer[]): Promise<(Buffer | undefined)[]> {
    try {
      return await this.#database.getMany([...keys]);
    } catch (error) {
      throw readFailure(error);
    }
  }

  /** Compacting a range in which nothing is makes LevelDB write its buffer to a table, and wait for it; no more. */
  async flush(): Promise<void> {
    try {
      await this.#database.compactRange(BEHIND_ALL_KEYS, BEHIND_ALL_KEYS);
    } catch (error) {
      throw new StorageError('STORAGE_WRITE', 'writing a table failed', { cause: error });
    }
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]> {
    const iterator = this.#database.iterator(within(range));
    try {
      yield* iterator;
    } catch (error) {
      throw readFailure(error);
    }
  }

  async *keys(range: KeyRange): AsyncIterable<Buffer> {
    const iterator = this.#database.keys(within(range));
    try {
      yield* iterator;
    } catch (error) {
      throw readFailure(error);
    }
  }

  batch(): LevelBatch {
    return new LevelBatch(this.#database.batch());
  }

  async write(batch: DiskBatch, sync: boolean): Promise<void> {
    invariant(batch instanceof LevelBatch, 'a batch goes to the disk that made it');
    try {
      await batch.chained.write({ sync });
    } catch (error) {
      throw new StorageError('STORAGE_WRITE', 'writing to the database failed', { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

/** Values that are read once must not displace those that are read often. */
function within(range: KeyRange) {
  return { gte: range.from, lt: range.to, fillCache: false, highWaterMarkBytes: ITERATOR_BUFFER_BYTES };
}

function readFailure(cause: unknown): StorageError {
  return new StorageError('STORAGE_READ', 'reading the database failed', { cause });
}

function openFailure(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') return 'in use by another process';
  return cause instanceof Error ? cause.message : String(cause);
}
