/**
 * Owns the seam between the batch log and the file system, and its one implementation with real files. Tests put a disk
 * in its place that loses power.
 */
import { constants, type Stats } from 'node:fs';
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../base/durable-files.ts';

/** One segment of the log. */
export interface LogFile {
  /** Writes `buffers` behind each other from `offset` on. With `sync` they are durable when this resolves. */
  write(buffers: readonly Buffer[], offset: number, sync: boolean): Promise<void>;
  /** Makes everything written so far durable. */
  sync(): Promise<void>;
  /** Fewer bytes than asked for: the file ends there. */
  read(offset: number, bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface LogFiles {
  /** In order of their numbers. */
  list(): Promise<readonly { readonly segment: number; readonly bytes: number }[]>;
  /** Its name is durable when this resolves. */
  create(segment: number): Promise<LogFile>;
  /** For reading. Undefined: there is none. */
  open(segment: number): Promise<LogFile | undefined>;
  remove(segment: number): Promise<void>;
}

const NAME = /^(\d{10})\.log$/;
/** One call instead of two for a write that is to be durable. Elsewhere such a write may end in the drive's cache. */
const WRITES_CAN_SYNC = process.platform === 'linux';
const { O_RDWR, O_WRONLY, O_CREAT, O_EXCL, O_DSYNC } = constants;

/** Makes the directory itself. Durable when this resolves. */
export async function createLogDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await syncDirectory(dirname(directory));
}

export class DirectoryFiles implements LogFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async list(): Promise<readonly { readonly segment: number; readonly bytes: number }[]> {
    const found: { segment: number; bytes: number }[] = [];
    for (const name of await readdir(this.#directory)) {
      const digits = NAME.exec(name)?.[1];
      if (digits === undefined) continue;
      const { size }: Stats = await stat(join(this.#directory, name));
      found.push({ segment: Number(digits), bytes: size });
    }
    return found.sort((a, b) => a.segment - b.segment);
  }

  async create(segment: number): Promise<LogFile> {
    const path = this.#path(segment);
    const plain = await open(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
    const synced = WRITES_CAN_SYNC ? await open(path, O_WRONLY | O_DSYNC) : undefined;
    await syncDirectory(this.#directory);
    return new RealFile(plain, synced);
  }

  async open(segment: number): Promise<LogFile | undefined> {
    try {
      return new RealFile(await open(this.#path(segment), 'r'), undefined);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async remove(segment: number): Promise<void> {
    await rm(this.#path(segment), { force: true });
  }

  #path(segment: number): string {
    return join(this.#directory, `${String(segment).padStart(10, '0')}.log`);
  }
}

class RealFile implements LogFile {
  readonly #plain: FileHandle;
  readonly #synced: FileHandle | undefined;
  /** Writes through `#plain`, and how many of them are synced. */
  #writes = 0;
  #syncedWrites = 0;

  constructor(plain: FileHandle, synced: FileHandle | undefined) {
    this.#plain = plain;
    this.#synced = synced;
  }

  async write(buffers: readonly Buffer[], offset: number, sync: boolean): Promise<void> {
    // What was written without sync before is not covered by the other handle's.
    const atOnce = sync && this.#writes === this.#syncedWrites && this.#synced !== undefined;
    if (!atOnce) this.#writes++;
    let bytes = 0;
    for (const buffer of buffers) bytes += buffer.length;
    const { bytesWritten } = await (atOnce ? this.#synced : this.#plain).writev(buffers, offset);
    if (bytesWritten !== bytes) throw new Error(`only ${bytesWritten} of ${bytes} bytes could be written`);
    if (sync && !atOnce) await this.sync();
  }

  async sync(): Promise<void> {
    const writes = this.#writes;
    if (writes === this.#syncedWrites) return;
    await this.#plain.datasync();
    this.#syncedWrites = writes;
  }

  async read(offset: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(bytes);
    let read = 0;
    while (read < bytes) {
      const { bytesRead } = await this.#plain.read(buffer, read, bytes - read, offset + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return buffer.subarray(0, read);
  }

  async close(): Promise<void> {
    await this.#synced?.close();
    await this.#plain.close();
  }
}
