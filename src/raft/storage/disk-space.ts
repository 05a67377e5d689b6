/**
 * Owns the space on the disk: a reserve that is given up when LevelDB needs room to open at all, and a low-water mark
 * below which publishes should be refused while deletes still work.
 */
import { open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../base/logger.ts';
import type { Runtime, Timer } from '../../base/runtime.ts';

const RESERVE_FILE = 'reserve';
/** Room for a start: LevelDB writes a table before it opens at all, the log a segment, and cleaning it another. */
export const RESERVE_BYTES = 64 * 1024 * 1024;
const SLICE_BYTES = 1024 * 1024;
const POLL_MS = 1000;
/** With less than this free, space is low; it is enough again with a quarter more. */
export const LOW_WATER_BYTES = 4 * RESERVE_BYTES;
const ENOUGH_AGAIN = 1.25;

export class DiskSpace {
  readonly #directory: string;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  #low = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(directory: string, runtime: Runtime, logger: Logger) {
    this.#directory = directory;
    this.#runtime = runtime;
    this.#logger = logger;
  }

  get isLow(): boolean {
    return this.#low;
  }

  /** Before the database is opened: gives up the reserve if there is hardly anything left. */
  async beforeOpen(): Promise<void> {
    const free = await freeBytes(this.#directory);
    if (free === undefined) return;
    this.#judge(free);
    if (free >= RESERVE_BYTES) return;
    this.#logger.warn({ freeBytes: free }, 'disk.reserveGivenUp');
    await rm(join(this.#directory, RESERVE_FILE), { force: true });
  }

  /** Watches from here on. The reserve is made when there is room for it, in the background and not while starting. */
  start(): void {
    this.#pollLater();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #poll(): Promise<void> {
    const free = await freeBytes(this.#directory);
    if (free !== undefined && !this.#closed) {
      this.#judge(free);
      if (!this.#low) await this.#makeReserve();
    }
    this.#pollLater();
  }

  #judge(free: number): void {
    const low = free < LOW_WATER_BYTES * (this.#low ? ENOUGH_AGAIN : 1);
    if (low !== this.#low) this.#logger.warn({ low, freeBytes: free }, 'disk.space');
    this.#low = low;
  }

  #pollLater(): void {
    if (this.#closed) return;
    this.#timer = this.#runtime.after(POLL_MS, () => {
      void this.#poll();
    });
  }

  /** Failing to is no failure of the storage: nothing was promised. */
  async #makeReserve(): Promise<void> {
    const path = join(this.#directory, RESERVE_FILE);
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= RESERVE_BYTES) return;
    try {
      const file = await open(path, 'w');
      try {
        const slice = Buffer.alloc(SLICE_BYTES);
        for (let at = 0; at < RESERVE_BYTES && !this.#closed; at += SLICE_BYTES)
          await file.write(slice, 0, SLICE_BYTES, at);
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#logger.warn({ error }, 'disk.noReserve');
      await rm(path, { force: true }).catch(() => undefined);
    }
  }
}

/** Undefined where the system does not tell. */
async function freeBytes(directory: string): Promise<number | undefined> {
  const found = await statfs(directory).catch(() => undefined);
  return found === undefined ? undefined : found.bavail * found.bsize;
}
