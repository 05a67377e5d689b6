/**
 * Owns everything durable of one node: one database, written by one batch at a time, each with its journal record. Any
 * failure to write is final: nothing is written or promised after it, for what a disk says after a failed fsync proves
 * nothing.
 */
import type { NodeId } from '../../base/brand.ts';
import { StorageError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';
import type { GroupId } from '../types.ts';
import { openHardState, putHardState } from './hard-state.ts';
import { Journal, type JournalGap } from './journal.ts';
import {
  DATABASE_KEY,
  groupOfKey,
  groupRange,
  latestRootKey,
  GROUPS_RANGE,
  hardStateKey,
  nodeOfPeerCounterKey,
  PEER_COUNTER_RANGE,
  peerCounterKey,
} from './keys.ts';
import type { KeyValueDisk } from './key-value-disk.ts';
import { openValue, sealValue } from './sealed-value.ts';
import { WriteBatch } from './write-batch.ts';

/** `always`: a write is done when it would survive power loss. Otherwise at most so many milliseconds are at risk. */
export type SyncInterval = 'always' | number;

/** Keys deleted in one batch when a group is destroyed. */
const DESTROY_SLICE = 512;

export interface NodeStorageOptions {
  readonly disk: KeyValueDisk;
  readonly node: NodeId;
  /** Must be what is stored in the database, unless `bootstrap`: then it is stored there. */
  readonly databaseId: string;
  readonly bootstrap: boolean;
  readonly syncInterval: SyncInterval;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** True while publishes should be refused for want of space. Default: never. */
  readonly lowOnSpace?: () => boolean;
  /** The journal counter when the storage was last closed in order; undefined: it was not. */
  readonly closedAt?: number | undefined;
  /** Called when the storage was closed, with its last counter unless a write has failed. */
  readonly release?: (closedAt: number | undefined) => Promise<void>;
}

export class NodeStorage {
  readonly node: NodeId;
  readonly disk: KeyValueDisk;
  /** What the journal found missing at start. Every vote since then was in doubt, and its group marked repairing. */
  readonly gaps: readonly JournalGap[];
  /** The last batch that was on disk when this storage was opened. */
  readonly startCounter: number;
  readonly #options: NodeStorageOptions;
  readonly #journal: Journal;
  readonly #groups: Set<GroupId>;
  readonly #peerCounters: Map<NodeId, number>;
  readonly #changedPeerCounters = new Set<NodeId>();
  #durableCounter: number;
  #lastSyncMs: number;
  #unsynced = false;
  #writing = false;
  #failure: StorageError | undefined;
  #onFatal: ((error: StorageError) => void) | undefined;

  private constructor(
    options: NodeStorageOptions,
    state: {
      readonly journal: Journal;
      readonly gaps: readonly JournalGap[];
      readonly groups: Set<GroupId>;
      readonly peerCounters: Map<NodeId, number>;
    },
  ) {
    this.node = options.node;
    this.disk = options.disk;
    this.gaps = state.gaps;
    this.startCounter = state.journal.counter;
    this.#options = options;
    this.#journal = state.journal;
    this.#groups = state.groups;
    this.#peerCounters = state.peerCounters;
    this.#durableCounter = state.journal.counter;
    this.#lastSyncMs = options.runtime.monotonicMs();
  }

  /**
   * Checks identity and journal. If the journal has gaps, every stored group is durably marked as repairing before this
   * resolves. @throws {StorageError}
   */
  static async open(options: NodeStorageOptions): Promise<NodeStorage> {
    const { disk } = options;
    if (!options.bootstrap) await checkDatabase(disk, options.databaseId);
    const { journal, gaps } = await Journal.recover(disk);
    const { closedAt = 0 } = options;
    if (closedAt > journal.counter) gaps.push({ from: journal.counter + 1, through: closedAt });
    const groups = await findGroups(disk);
    const storage = new NodeStorage(options, { journal, gaps, groups, peerCounters: await readPeerCounters(disk) });
    const batch = storage.begin();
    if (options.bootstrap) {
      batch.put(DATABASE_KEY, sealValue(DATABASE_KEY, Buffer.from(options.databaseId, 'utf8')));
    }
    if (gaps.length > 0) {
      options.logger.error({ gaps, groups: groups.size }, 'journal.gaps');
      await storage.#markRepairing(batch, groups);
      journal.restart(batch, Math.max(closedAt, journal.counter));
    }
    // Also without content: a disk that can't do this must not carry any promise.
    await storage.commit(batch, true);
    return storage;
  }

  /** The last batch that is durable: the number that goes out with every promise. */
  get durableCounter(): number {
    return this.#durableCounter;
  }

  get failure(): StorageError | undefined {
    return this.#failure;
  }

  get lowOnSpace(): boolean {
    return this.#options.lowOnSpace?.() ?? false;
  }

  /** Told once, of the failure that ended this storage. */
  set onFatal(listener: (error: StorageError) => void) {
    this.#onFatal = listener;
  }

  /** Groups that have something stored, sorted. */
  groups(): GroupId[] {
    return [...this.#groups].sort((a, b) => a - b);
  }

  hasGroup(group: GroupId): boolean {
    return this.#groups.has(group);
  }

  addGroup(group: GroupId): void {
    this.#groups.add(group);
  }

  begin(): WriteBatch {
    return new WriteBatch(this.disk.batch());
  }

  /**
   * Writes `batch` with its journal record. With `syncInterval` 'always', or with `force`, what it holds is durable when
   * this resolves. Calls must not overlap. @throws {StorageError} after which nothing is written any more.
   */
  async commit(batch: WriteBatch, force = false): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#writing) throw this.#fail(new Error('two batches at once'));
    this.#writing = true;
    for (const node of this.#changedPeerCounters) putPeerCounter(batch, node, this.#peerCounters.get(node)!);
    this.#changedPeerCounters.clear();
    const counter = this.#journal.seal(batch.disk, batch);
    const sync = force || this.#syncIsDue();
    try {
      await this.disk.write(batch.disk, sync);
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#writing = false;
    }
    this.#durableCounter = counter;
    this.#unsynced = !sync;
    if (sync) this.#lastSyncMs = this.#options.runtime.monotonicMs();
  }

  /** With a sync interval: something was written that is not durable yet, and it is time. */
  get needsSync(): boolean {
    return this.#unsynced && !this.#writing && this.#failure === undefined && this.#syncIsDue();
  }

  /** The highest journal counter that `node` was ever heard to have; 0: never heard of. */
  peerCounter(node: NodeId): number {
    return this.#peerCounters.get(node) ?? 0;
  }

  /** Remembered on disk with the next batch; not worth one of its own. */
  notePeerCounter(node: NodeId, counter: number): void {
    if (node === this.node || counter <= this.peerCounter(node)) return;
    this.#peerCounters.set(node, counter);
    this.#changedPeerCounters.add(node);
  }

  /**
   * A peer has seen promises of this node up to `seenCounter`, which are gone: every group is in doubt. Durable when
   * this resolves.
   */
  async markAmnesia(seenCounter: number): Promise<void> {
    const batch = this.begin();
    await this.#markRepairing(batch, this.#groups);
    this.#journal.restart(batch, seenCounter);
    await this.commit(batch, true);
  }

  /** Deletes everything of `group`. */
  async destroy(group: GroupId, write: (batch: WriteBatch) => Promise<void>): Promise<void> {
    let batch = this.begin();
    batch.delete(latestRootKey(group));
    let count = 0;
    for await (const key of this.disk.keys(groupRange(group))) {
      batch.delete(key);
      if (++count % DESTROY_SLICE !== 0) continue;
      await write(batch);
      batch = this.begin();
    }
    if (!batch.isEmpty) await write(batch);
    this.#groups.delete(group);
  }

  async close(): Promise<void> {
    const closedAt = this.#failure === undefined ? this.#durableCounter : undefined;
    this.#failure ??= new StorageError('STORAGE_CLOSED', 'the storage is closed');
    await this.disk.close();
    await this.#options.release?.(closedAt);
  }

  #syncIsDue(): boolean {
    const { syncInterval, runtime } = this.#options;
    return syncInterval === 'always' || runtime.monotonicMs() - this.#lastSyncMs >= syncInterval;
  }

  async #markRepairing(batch: WriteBatch, groups: Iterable<GroupId>): Promise<void> {
    for (const group of groups) {
      const stored = openHardState(group, await this.disk.get(hardStateKey(group)));
      if (stored !== undefined) putHardState(batch, group, { hardState: stored.hardState, repairing: true });
    }
  }

  #fail(cause: unknown): StorageError {
    this.#failure ??=
      cause instanceof StorageError ? cause : new StorageError('STORAGE_WRITE', 'writing failed', { cause });
    this.#options.logger.error({ error: this.#failure }, 'storage.failed');
    this.#onFatal?.(this.#failure);
    return this.#failure;
  }
}

async function checkDatabase(disk: KeyValueDisk, expected: string): Promise<void> {
  const value = await disk.get(DATABASE_KEY);
  const found = value === undefined ? undefined : openValue(DATABASE_KEY, value)?.toString('utf8');
  if (found === expected) return;
  throw new StorageError(
    'STORAGE_IDENTITY',
    `the database is ${found === undefined ? 'empty or damaged' : `another one (${found})`}, ` +
      `expected ${expected}; its content can't be trusted: rejoin as a new node with an empty directory`,
  );
}

/** Jumps from group to group instead of reading all of their keys. */
async function findGroups(disk: KeyValueDisk): Promise<Set<GroupId>> {
  const groups = new Set<GroupId>();
  let from = GROUPS_RANGE.from;
  for (;;) {
    let found: GroupId | undefined;
    for await (const key of disk.keys({ from, to: GROUPS_RANGE.to })) {
      found = groupOfKey(key);
      break;
    }
    if (found === undefined) return groups;
    groups.add(found);
    from = groupRange(found).to;
  }
}

async function readPeerCounters(disk: KeyValueDisk): Promise<Map<NodeId, number>> {
  const counters = new Map<NodeId, number>();
  for await (const [key, value] of disk.entries(PEER_COUNTER_RANGE)) {
    const content = openValue(key, value);
    if (content !== undefined) counters.set(nodeOfPeerCounterKey(key), readSafeInteger(content, 0));
  }
  return counters;
}

function putPeerCounter(batch: WriteBatch, node: NodeId, counter: number): void {
  const key = peerCounterKey(node);
  const content = Buffer.allocUnsafe(8);
  writeSafeInteger(content, counter, 0);
  batch.put(key, sealValue(key, content));
}
