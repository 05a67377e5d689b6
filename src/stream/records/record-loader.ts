/**
 * Owns getting the records of blocks for reading: from memory at once, otherwise from disk, and those who wait are called
 * when it pays to try again. What came from disk is kept for them within a bound. A record that is damaged here is fetched
 * from a peer meanwhile, so readers wait for it a while before it counts as lost.
 */
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { GroupHandle, LogIndex } from '../../raft/index.ts';

/** What was loaded and not yet read by all who waited. The oldest goes first; at least one is always kept. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/** Where others hold a record as well, it is asked for again so often. */
const REPAIR_ATTEMPTS = 50;
const REPAIR_PAUSE_MS = 100;

export type LoadedRecord = Buffer | 'wait' | 'lost';

export class RecordLoader {
  readonly #group: GroupHandle;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #loading = new Map<LogIndex, Set<() => void>>();
  readonly #kept = new Map<LogIndex, Buffer | 'lost'>();
  #keptBytes = 0;
  #closed = false;

  constructor(group: GroupHandle, runtime: Runtime, logger: Logger) {
    this.#group = group;
    this.#runtime = runtime;
    this.#logger = logger;
  }

  /** `wait`: `onReady` will be called, once. `lost`: its record can't be proven; asking again tries again. */
  get(index: LogIndex, onReady: () => void): LoadedRecord {
    const cached = this.#group.cachedRecord(index);
    if (cached !== undefined) return cached;
    const kept = this.#kept.get(index);
    if (kept === 'lost') this.forget(index);
    if (kept !== undefined) return kept;
    const waiting = this.#loading.get(index);
    if (waiting !== undefined) waiting.add(onReady);
    else void this.#load(index, onReady);
    return 'wait';
  }

  /** The record changed or is no longer needed. */
  forget(index: LogIndex): void {
    const kept = this.#kept.get(index);
    if (kept === undefined) return;
    this.#kept.delete(index);
    if (kept !== 'lost') this.#keptBytes -= kept.length;
  }

  close(): void {
    this.#closed = true;
    this.#kept.clear();
    this.#loading.clear();
  }

  async #load(index: LogIndex, onReady: () => void): Promise<void> {
    const waiting = new Set([onReady]);
    this.#loading.set(index, waiting);
    const record = await this.#read(index);
    if (this.#closed) return;
    this.#loading.delete(index);
    this.#keep(index, record);
    for (const ready of waiting) ready();
  }

  async #read(index: LogIndex): Promise<Buffer | 'lost'> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#group.readRecord(index);
      } catch (error) {
        // The group reports and repairs it; here it only means that these messages can't be read now.
        if (attempt === 1) this.#logger.warn({ index, error }, 'stream.record_unreadable');
        const isReplicated = this.#group.status.voters.length > 1;
        if (this.#closed || !isReplicated || attempt === REPAIR_ATTEMPTS) return 'lost';
      }
      await new Promise<void>((resolve) => {
        this.#runtime.after(REPAIR_PAUSE_MS, resolve);
      });
    }
  }

  #keep(index: LogIndex, record: Buffer | 'lost'): void {
    this.forget(index);
    this.#kept.set(index, record);
    if (record !== 'lost') this.#keptBytes += record.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= MAX_KEPT_BYTES || oldest === index) break;
      this.forget(oldest);
    }
  }
}
