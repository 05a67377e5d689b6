/**
 * Owns the disk of a simulated node: what was written without sync is lost by a power cut, kept by a mere crash of the
 * process, or, as on real disks, kept in part. Batches are atomic, as LevelDB's are; which of them survive is not.
 */
import type { DiskBatch, KeyRange, KeyValueDisk } from '../../src/raft/index.ts';

/** `lose`: all that was not synced is gone. `keep`: nothing is. A number: so many of the unsynced batches are kept. */
export type PowerCut = 'lose' | 'keep' | number;

export interface DiskFaults {
  /** Fails the next write; its outcome is open. */
  failNextWrite?: 'applied' | 'lost';
  /** Delays each write. */
  delay?: () => Promise<void>;
}

class Batch implements DiskBatch {
  readonly changes: [key: string, value: Buffer | undefined][] = [];

  put(key: Buffer, value: Buffer): void {
    this.changes.push([key.toString('hex'), Buffer.from(value)]);
  }

  delete(key: Buffer): void {
    this.changes.push([key.toString('hex'), undefined]);
  }
}

/** The platter: outlives the processes that open it. */
export class SimulatedDisk {
  readonly faults: DiskFaults = {};
  #durable = new Map<string, Buffer>();
  #unsynced: Batch[] = [];
  /** Everything ever synced, in order. */
  #synced: Batch[] = [];
  #mounted: Mounted | undefined;

  /** What a process opens; the one opened before it is cut off. */
  mount(): KeyValueDisk {
    this.#mounted?.detach();
    this.#mounted = new Mounted(this);
    return this.#mounted;
  }

  /** Ends the process that has it open. */
  crash(cut: PowerCut): void {
    this.#mounted?.detach();
    this.#mounted = undefined;
    const kept = cut === 'keep' ? this.#unsynced.length : cut === 'lose' ? 0 : cut;
    for (const batch of this.#unsynced.slice(0, kept)) {
      applyTo(this.#durable, batch);
      this.#synced.push(batch);
    }
    this.#unsynced = [];
  }

  /** How many batches were ever synced. */
  get syncedBatches(): number {
    return this.#synced.length;
  }

  /** Loses one batch although it was synced, as a flipped bit in LevelDB's log does. `age` 0: the last one. */
  loseSynced(age: number): void {
    const lost = this.#synced.length - 1 - age;
    this.#rewrite(this.#synced.filter((_, at) => at !== lost));
  }

  /** Loses the last batches although they were synced, as a log that was cut does. */
  loseTail(count: number): void {
    this.#rewrite(this.#synced.slice(0, -count));
  }

  #rewrite(batches: Batch[]): void {
    this.#synced = batches;
    this.#durable = new Map();
    for (const batch of batches) applyTo(this.#durable, batch);
  }

  /** Changes one stored value behind everybody's back. */
  damage(key: Buffer, change: (value: Buffer) => Buffer | undefined): void {
    const hex = key.toString('hex');
    const value = this.#durable.get(hex);
    if (value === undefined) throw new Error(`nothing is stored under ${hex}`);
    const changed = change(Buffer.from(value));
    if (changed === undefined) this.#durable.delete(hex);
    else this.#durable.set(hex, changed);
  }

  /** Everything that would survive a power cut now, as `crash` and `damage` see it. */
  storedKeys(): Buffer[] {
    return [...this.#durable.keys()].sort().map((key) => Buffer.from(key, 'hex'));
  }

  visible(): Map<string, Buffer> {
    if (this.#unsynced.length === 0) return this.#durable;
    const all = new Map(this.#durable);
    for (const batch of this.#unsynced) applyTo(all, batch);
    return all;
  }

  async write(batch: DiskBatch, sync: boolean): Promise<void> {
    if (!(batch instanceof Batch)) throw new Error('a batch goes to the disk that made it');
    await this.faults.delay?.();
    const { failNextWrite } = this.faults;
    if (failNextWrite !== undefined) {
      delete this.faults.failNextWrite;
      if (failNextWrite === 'applied') this.#commit(batch, true);
      throw new Error('EIO: the simulated disk failed');
    }
    this.#commit(batch, sync);
  }

  #commit(batch: Batch, sync: boolean): void {
    this.#unsynced.push(batch);
    if (!sync) return;
    for (const each of this.#unsynced) applyTo(this.#durable, each);
    this.#synced.push(...this.#unsynced);
    this.#unsynced = [];
  }
}

class Mounted implements KeyValueDisk {
  #disk: SimulatedDisk | undefined;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  detach(): void {
    this.#disk = undefined;
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    await Promise.resolve();
    const value = this.#open.visible().get(key.toString('hex'));
    return value === undefined ? undefined : Buffer.from(value);
  }

  async *entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]> {
    await Promise.resolve();
    const values = new Map(this.#open.visible());
    for (const key of within(values, range)) yield [Buffer.from(key, 'hex'), Buffer.from(values.get(key)!)];
  }

  async *keys(range: KeyRange): AsyncIterable<Buffer> {
    await Promise.resolve();
    for (const key of within(this.#open.visible(), range)) yield Buffer.from(key, 'hex');
  }

  batch(): DiskBatch {
    return new Batch();
  }

  async write(batch: DiskBatch, sync: boolean): Promise<void> {
    await this.#open.write(batch, sync);
    // Whoever was cut off meanwhile never hears that it was done.
    if (this.#disk === undefined) await new Promise<never>(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.detach();
  }

  get #open(): SimulatedDisk {
    if (this.#disk === undefined) throw new Error('the simulated disk was taken away');
    return this.#disk;
  }
}

function within(values: ReadonlyMap<string, Buffer>, range: KeyRange): string[] {
  const from = range.from.toString('hex');
  const to = range.to.toString('hex');
  return [...values.keys()].filter((key) => key >= from && key < to).sort();
}

function applyTo(values: Map<string, Buffer>, batch: Batch): void {
  for (const [key, value] of batch.changes) {
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }
}
