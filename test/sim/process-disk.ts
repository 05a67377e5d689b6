/**
 * Owns the disk as one process sees it: writes take time, and a write with sync is first in the cache and only later on the
 * platter, so that a crash may come between the two. What a dead process was waiting for never comes.
 */
import type { DiskBatch, KeyRange, KeyValueDisk } from '../../src/raft/index.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How long each half of a write takes. */
export interface DiskPace {
  readonly minMs: number;
  readonly maxMs: number;
}

interface Surroundings {
  readonly pace: () => DiskPace;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly life: { isOver(): boolean };
}

export class ProcessDisk implements KeyValueDisk {
  readonly #disk: KeyValueDisk;
  readonly #surroundings: Surroundings;

  constructor(disk: KeyValueDisk, surroundings: Surroundings) {
    this.#disk = disk;
    this.#surroundings = surroundings;
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    await this.#alive();
    return this.#disk.get(key);
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]> {
    await this.#alive();
    for await (const entry of this.#disk.entries(range)) {
      await this.#alive();
      yield entry;
    }
  }

  async *keys(range: KeyRange): AsyncIterable<Buffer> {
    await this.#alive();
    for await (const key of this.#disk.keys(range)) {
      await this.#alive();
      yield key;
    }
  }

  batch(): DiskBatch {
    return this.#disk.batch();
  }

  async write(batch: DiskBatch, sync: boolean): Promise<void> {
    await this.#pause();
    await this.#disk.write(batch, false);
    await this.#alive();
    if (!sync) return;
    await this.#pause();
    await this.#disk.write(this.#disk.batch(), true);
    await this.#alive();
  }

  async close(): Promise<void> {
    await this.#alive();
    await this.#disk.close();
  }

  async #pause(): Promise<void> {
    const { time, random } = this.#surroundings;
    const pace = this.#surroundings.pace();
    await new Promise<void>((resolve) => {
      time.schedule(pace.minMs + random.next() * (pace.maxMs - pace.minMs), resolve);
    });
    await this.#alive();
  }

  async #alive(): Promise<void> {
    if (this.#surroundings.life.isOver()) await new Promise<never>(() => undefined);
  }
}
