/**
 * Owns getting the records of blocks for reading: from memory at once, otherwise from disk, and those who wait are called
 * when it pays to try again. What came from disk is kept for them within the node's budget, and so is what was asked for
 * before anybody waits. A record that is damaged here is fetched from a peer meanwhile, so readers wait for it a while
 * before it counts as lost.
 */
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { GroupHandle, LogIndex } from '../../raft/index.ts';
import type { Loaded, ReadBudget, Shelf } from './read-budget.ts';

/** Where others hold a record as well, it is asked for again so often. */
const REPAIR_ATTEMPTS = 50;
const REPAIR_PAUSE_MS = 100;

export type LoadedRecord = Loaded | 'wait';

export class RecordLoader {
  readonly #group: GroupHandle;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly budget: ReadBudget;
  readonly #loading = new Map<LogIndex, Set<() => void>>();
  readonly #shelf: Shelf = new Map();
  /** How many readers are on their way to a record that they asked for ahead. */
  readonly #expected = new Map<LogIndex, number>();
  #closed = false;

  constructor(
    group: GroupHandle,
    services: { readonly runtime: Runtime; readonly logger: Logger; readonly budget: ReadBudget },
  ) {
    this.#group = group;
    this.#runtime = services.runtime;
    this.#logger = services.logger;
    this.budget = services.budget;
  }

  /** `wait`: `onReady` will be called, once. `lost`: its record can't be proven; asking again tries again. */
  get(index: LogIndex, onReady: () => void): LoadedRecord {
    const cached = this.#group.cachedRecord(index);
    if (cached !== undefined) return cached;
    const kept = this.#shelf.get(index)?.record;
    if (kept === 'lost') this.forget(index);
    if (kept !== undefined) return kept;
    const waiting = this.#loading.get(index);
    if (waiting !== undefined) waiting.add(onReady);
    else void this.#load(index, new Set([onReady]));
    return 'wait';
  }

  /** In memory, and not because somebody had it loaded. */
  isCached(index: LogIndex): boolean {
    return this.#group.cachedRecord(index) !== undefined;
  }

  /** A reader will come for it, and calls `release` then, or when it won't come after all. */
  readAhead(index: LogIndex): void {
    this.#expected.set(index, (this.#expected.get(index) ?? 0) + 1);
    if (!this.#shelf.has(index) && !this.#loading.has(index)) void this.#load(index, new Set());
  }

  /** The last reader that was expected takes the record along, if anybody does. */
  release(index: LogIndex): void {
    const expected = this.#expected.get(index) ?? 0;
    if (expected > 1) {
      this.#expected.set(index, expected - 1);
      return;
    }
    this.#expected.delete(index);
    this.forget(index);
  }

  /** The record changed or is no longer needed. */
  forget(index: LogIndex): void {
    this.budget.forget(this.#shelf, index);
  }

  close(): void {
    this.#closed = true;
    this.budget.clear(this.#shelf);
    this.#loading.clear();
    this.#expected.clear();
  }

  async #load(index: LogIndex, waiting: Set<() => void>): Promise<void> {
    this.#loading.set(index, waiting);
    const record = await this.#read(index, waiting);
    if (this.#closed) return;
    this.#loading.delete(index);
    const isAwaited = waiting.size > 0 || (record !== 'lost' && this.#expected.has(index));
    if (isAwaited) this.budget.keep(this.#shelf, index, record);
    for (const ready of waiting) ready();
  }

  async #read(index: LogIndex, waiting: ReadonlySet<unknown>): Promise<Loaded> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#group.readRecord(index);
      } catch (error) {
        // The group reports and repairs it; here it only means that these messages can't be read now.
        if (attempt === 1) this.#logger.warn({ index, error }, 'stream.record_unreadable');
        const isReplicated = this.#group.status.voters.length > 1;
        if (this.#closed || !isReplicated || attempt === REPAIR_ATTEMPTS || waiting.size === 0) return 'lost';
      }
      await new Promise<void>((resolve) => {
        this.#runtime.after(REPAIR_PAUSE_MS, resolve);
      });
    }
  }
}
