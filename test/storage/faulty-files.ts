/**
 * Owns a file system and a database for the batch log that lose power: of what was not synced, any pages of a file and
 * any batches of the database survive, the later without the earlier as well.
 */
import { MemoryDisk } from '../../src/raft/storage/memory-disk.ts';
import type { DiskBatch, KeyRange } from '../../src/raft/index.ts';
import type { LogFile, LogFiles } from '../../src/raft/storage/log-files.ts';
import type { IndexDatabase } from '../../src/raft/storage/value-index.ts';

const PAGE = 4096;

type Chance = () => number;

class Platter {
  durable: Buffer = Buffer.alloc(0);
  /** What a process that is still running reads. */
  seen: Buffer = Buffer.alloc(0);

  write(bytes: Buffer, offset: number): void {
    const length = Math.max(this.seen.length, offset + bytes.length);
    this.seen = Buffer.concat([this.seen, Buffer.alloc(length - this.seen.length)]);
    bytes.copy(this.seen, offset);
  }

  crash(chance: Chance): void {
    const kept = Buffer.alloc(chance() < 0.5 ? this.seen.length : this.durable.length);
    this.durable.copy(kept);
    for (let at = 0; at < kept.length; at += PAGE) if (chance() < 0.5) this.seen.copy(kept, at, at, at + PAGE);
    this.durable = kept;
    this.seen = Buffer.from(kept);
  }
}

/** What of the files outlives the processes that open them. */
export class FaultyFiles {
  readonly platters = new Map<number, Platter>();
  #power = { on: true };

  get bytes(): number {
    let bytes = 0;
    for (const { seen } of this.platters.values()) bytes += seen.length;
    return bytes;
  }

  crash(chance: Chance): void {
    this.#power.on = false;
    this.#power = { on: true };
    for (const platter of this.platters.values()) platter.crash(chance);
  }

  mount(): LogFiles {
    const { platters } = this;
    const alive = aliveWith(this.#power);
    return {
      list: async () => {
        await alive();
        const found = [...platters].map(([segment, { seen }]) => ({ segment, bytes: seen.length }));
        return found.sort((a, b) => a.segment - b.segment);
      },
      create: async (segment) => {
        await alive();
        const platter = new Platter();
        platters.set(segment, platter);
        return fileOn(platter, alive);
      },
      open: async (segment) => {
        await alive();
        const platter = platters.get(segment);
        return platter && fileOn(platter, alive);
      },
      remove: async (segment) => {
        await alive();
        platters.delete(segment);
      },
    };
  }
}

/** Takes a turn of the loop, and for ever once the power was off: a process that is gone does nothing more. */
function aliveWith(power: { readonly on: boolean }): () => Promise<void> {
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (!power.on) await new Promise<never>(() => undefined);
  };
}

function fileOn(platter: Platter, alive: () => Promise<void>): LogFile {
  return {
    write: async (buffers, offset, sync) => {
      await alive();
      platter.write(Buffer.concat(buffers), offset);
      await alive();
      if (sync) platter.durable = Buffer.from(platter.seen);
    },
    sync: async () => {
      const synced = Buffer.from(platter.seen);
      await alive();
      platter.durable = synced;
    },
    read: async (offset, bytes) => {
      await alive();
      return Buffer.from(platter.seen.subarray(offset, offset + bytes));
    },
    close: () => Promise.resolve(),
  };
}

type Changes = (readonly [key: Buffer, value: Buffer | undefined])[];

class Batch implements DiskBatch {
  readonly changes: Changes = [];

  put(key: Buffer, value: Buffer): void {
    this.changes.push([Buffer.from(key), Buffer.from(value)]);
  }

  delete(key: Buffer): void {
    this.changes.push([Buffer.from(key), undefined]);
  }
}

/** What of a database outlives the processes that open it. */
export class FaultyDatabase {
  #durable: Changes[] = [];
  #unsynced: Changes[] = [];
  #power = { on: true };

  mount(): IndexDatabase {
    const memory = new MemoryDisk();
    const alive = aliveWith(this.#power);
    const apply = (changes: Changes): void => {
      for (const [key, value] of changes) {
        if (value === undefined) memory.delete(key);
        else memory.put(key, value);
      }
    };
    for (const changes of this.#durable) apply(changes);
    const sync = (count: number): void => {
      this.#durable.push(...this.#unsynced.splice(0, count));
    };
    return {
      get: async (key) => {
        await alive();
        return memory.get(key);
      },
      getMany: async (keys) => {
        await alive();
        return Promise.all(keys.map((key) => memory.get(key)));
      },
      entries: (range: KeyRange) => memory.entries(range),
      keys: (range: KeyRange) => memory.keys(range),
      batch: () => new Batch(),
      write: async (batch, synced) => {
        await alive();
        if (!(batch instanceof Batch)) throw new Error('a batch goes to the database that made it');
        const { changes } = batch;
        apply(changes);
        this.#unsynced.push(changes);
        if (synced) sync(this.#unsynced.length);
      },
      flush: async () => {
        const count = this.#unsynced.length;
        const batches = this.#unsynced.slice(0, count);
        await alive();
        this.#unsynced = this.#unsynced.filter((each) => !batches.includes(each));
        this.#durable.push(...batches);
      },
      close: () => Promise.resolve(),
    };
  }

  crash(chance: Chance): void {
    this.#power.on = false;
    this.#power = { on: true };
    this.#durable.push(...this.#unsynced.filter(() => chance() < 0.5));
    this.#unsynced = [];
  }
}
