/**
 * Owns a host's way to the disk: one batch at a time, with everything that is ready, of all groups. While it is on its
 * way the next one gathers: that is group commit.
 */
import { StorageError } from '../base/errors.ts';
import type { Runtime } from '../base/runtime.ts';
import type { Group } from './group.ts';
import type { GroupWrite } from './group-disk.ts';
import type { HostMetrics } from './host-metrics.ts';
import type { NodeStorage } from './storage/node-storage.ts';
import type { WriteBatch } from './storage/write-batch.ts';

/** What one batch holds at most; the groups that are left wait for the next. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

type Writes = readonly (readonly [Group, GroupWrite])[];

export interface BatchWriterOptions {
  readonly runtime: Runtime;
  readonly metrics: HostMetrics;
  /** These are on disk, just now. No other batch has been begun since. */
  readonly written: (writes: Writes) => void;
  /** The disk is free again, and was not when `write` was called. */
  readonly free: () => void;
}

export class BatchWriter {
  readonly #storage: NodeStorage;
  readonly #options: BatchWriterOptions;
  readonly #waiting = new Set<Group>();
  #writing = false;
  #idle: (() => void)[] = [];

  constructor(storage: NodeStorage, options: BatchWriterOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  /** The group has something for the next batch. */
  add(group: Group): void {
    this.#waiting.add(group);
  }

  /** Begins the next batch, if the disk is free. Memory groups alone need none: what they store is stored. */
  write(): void {
    if (this.#writing || this.#waiting.size === 0) return;
    const batch = this.#storage.begin();
    const writes: [Group, GroupWrite][] = [];
    for (const group of this.#waiting) {
      if (batch.bytes >= MAX_BATCH_BYTES) break;
      this.#waiting.delete(group);
      if (group.isInUse && group.needsDisk) writes.push([group, group.collect(batch)]);
    }
    if (!batch.isEmpty) void this.#commit(batch, writes);
    else for (const [group, write] of writes) group.written(write);
  }

  async #commit(batch: WriteBatch, writes: Writes): Promise<void> {
    const { runtime, metrics, written } = this.#options;
    const startMs = runtime.monotonicMs();
    try {
      await this.exclusively(async () => {
        await this.#storage.commit(batch);
        metrics.wrote((runtime.monotonicMs() - startMs) / 1000, batch.bytes);
        // Before the next batch may begin: a group that heard of this one later would take the next for written, too.
        written(writes);
      });
    } catch (error) {
      if (error instanceof StorageError) return; // Its storage has told the host.
      throw error;
    }
  }

  /** With a sync interval: makes durable what is not. */
  syncIfDue(): void {
    if (!this.#storage.needsSync) return;
    void this.exclusively(() => this.#storage.commit(this.#storage.begin(), true)).catch(() => undefined);
  }

  /** One write at a time: LevelDB would queue them, and hold a thread for each. */
  async exclusively(run: () => Promise<void>): Promise<void> {
    while (this.#writing) {
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
      });
    }
    this.#writing = true;
    try {
      await run();
    } finally {
      this.#writing = false;
      const idle = this.#idle;
      this.#idle = [];
      for (const resume of idle) resume();
      // What wanted to write meanwhile was turned away, and nothing else may come to ask for it.
      if (this.#waiting.size > 0) this.#options.free();
    }
  }

  async whenWritten(): Promise<void> {
    if (this.#storage.failure === undefined) await this.exclusively(() => Promise.resolve());
  }
}
