/**
 * Owns what is stored of one group: hard state, entries, checkpoints. A memory group keeps entries and checkpoints in
 * memory, and the rest on disk with everybody else's.
 */
import { invariant, StorageError } from '../../base/errors.ts';
import type { HardState } from '../core/input.ts';
import { decodeMembership, encodeMembership, type Membership } from '../core/membership.ts';
import { chainChecksum, chains, compactedRecord, openRecord } from '../record.ts';
import type { Entry, GroupId, LogIndex } from '../types.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { INITIAL_HARD_STATE, putHardState } from './hard-state.ts';
import { IndexRanges } from './index-ranges.ts';
import { entriesFrom, entryKey, entryRange, groupInfoKey, indexOfEntryKey, installKey } from './keys.ts';
import type { DiskBatch, KeyValueDisk } from './key-value-disk.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { NodeStorage } from './node-storage.ts';
import type { CachedGroup, RecordCache } from './record-cache.ts';
import { openJson, sealJson } from './sealed-value.ts';

/** Dead entries deleted with one batch. */
const DELETES_PER_BATCH = 256;

export interface GroupInfo {
  readonly name: string;
  readonly storage: 'file' | 'memory';
  /** File groups: the first one. Memory groups, whose log is gone after a restart: the last one applied. */
  readonly membership: Membership;
}

export class GroupStorage {
  readonly group: GroupId;
  readonly storage: 'file' | 'memory';
  readonly checkpoints: CheckpointStore;
  readonly node: NodeStorage;
  readonly #cache: RecordCache;
  readonly #cached: CachedGroup = new Map();
  readonly #memory: MemoryDisk | undefined;
  /** Where entries and pages are. */
  readonly #data: KeyValueDisk;
  /** The highest position at which something is stored, also behind a gap. */
  #top = 0 as LogIndex;
  #dead = new IndexRanges();
  #hardState = INITIAL_HARD_STATE;
  #repairing = false;

  constructor(node: NodeStorage, group: GroupId, storage: 'file' | 'memory', cache: RecordCache) {
    this.node = node;
    this.group = group;
    this.storage = storage;
    this.#cache = cache;
    this.#memory = storage === 'memory' ? new MemoryDisk() : undefined;
    this.#data = this.#memory ?? node.disk;
    this.checkpoints = new CheckpointStore(group, this.#data);
  }

  /** Where changes of entries and pages go: into the node's batch, or to memory at once. */
  dataBatch(batch: DiskBatch): DiskBatch {
    return this.#memory ?? batch;
  }

  get repairing(): boolean {
    return this.#repairing;
  }

  /** What recovery found. */
  restoreState(found: { hardState: HardState; repairing: boolean; top: LogIndex; dead: IndexRanges }): void {
    this.#hardState = found.hardState;
    this.#repairing = found.repairing;
    this.#top = found.top;
    this.#dead = found.dead;
  }

  putInfo(batch: DiskBatch, info: GroupInfo): void {
    this.node.addGroup(this.group);
    const key = groupInfoKey(this.group);
    batch.put(key, sealJson(key, { ...info, membership: encodeMembership(info.membership).toString('base64') }));
  }

  async readInfo(): Promise<GroupInfo | undefined> {
    const key = groupInfoKey(this.group);
    const value = await this.node.disk.get(key);
    const stored = value === undefined ? undefined : openJson(key, value);
    if (stored === undefined) return undefined;
    const info = stored as Omit<GroupInfo, 'membership'> & { readonly membership: string };
    const membership = decodeMembership(Buffer.from(info.membership, 'base64'));
    return membership === undefined ? undefined : { ...info, membership };
  }

  get hasAnything(): boolean {
    return this.node.hasGroup(this.group);
  }

  putHardState(batch: DiskBatch, hardState: HardState): void {
    this.#hardState = hardState;
    putHardState(batch, this.group, { hardState, repairing: this.#repairing });
  }

  setRepairing(batch: DiskBatch, repairing: boolean): void {
    this.#repairing = repairing;
    putHardState(batch, this.group, { hardState: this.#hardState, repairing });
  }

  /** The node has marked all of its groups on disk. */
  repairingMarked(): void {
    this.#repairing = true;
  }

  /** Stores `entries`, and removes whatever lies behind the last of them. They are readable at once. */
  append(batch: DiskBatch, entries: readonly Entry[]): void {
    const data = this.dataBatch(batch);
    for (const entry of entries) {
      data.put(entryKey(this.group, entry.index), entry.record);
      this.#cache.add(this.#cached, entry.index, entry.record);
    }
    this.deleteBehind(batch, entries[entries.length - 1]!.index);
  }

  /** Stores an entry of a snapshot, or one fetched again. Nothing else is removed. */
  putEntry(batch: DiskBatch, entry: Entry): void {
    this.dataBatch(batch).put(entryKey(this.group, entry.index), entry.record);
    this.#cached.delete(entry.index);
    if (entry.index > this.#top) this.#top = entry.index;
  }

  /** Replaces an entry by its compacted form. */
  putCompacted(batch: DiskBatch, entry: Entry, body: Buffer): void {
    const record = compactedRecord(entry, body);
    this.dataBatch(batch).put(entryKey(this.group, entry.index), record);
    if (this.#cached.has(entry.index)) this.#cache.add(this.#cached, entry.index, record);
  }

  cachedRecord(index: LogIndex): Buffer | undefined {
    return this.#cached.get(index);
  }

  /** @throws {StorageError} STORAGE_CORRUPT if there is none, or not the one that belongs there. */
  async readRecord(index: LogIndex): Promise<Buffer> {
    const cached = this.#cached.get(index);
    if (cached !== undefined) return cached;
    const entry = await this.readEntry(index);
    if (entry !== undefined) return entry.record;
    throw new StorageError('STORAGE_CORRUPT', `group ${this.group}: entry ${index} is missing or damaged`);
  }

  /** Undefined when it is missing or damaged. */
  async readEntry(index: LogIndex): Promise<Entry | undefined> {
    const record = this.#cached.get(index) ?? (await this.#data.get(entryKey(this.group, index)));
    if (record === undefined) return undefined;
    const entry = openRecord(record, { group: this.group, index });
    return typeof entry === 'string' ? undefined : entry;
  }

  /** From `from` on, at most about `maxBytes` but at least one; ends early where one can't be read. */
  async readEntries(from: LogIndex, through: LogIndex, maxBytes: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = from; index <= through && (bytes < maxBytes || index === from); index++) {
      const entry = await this.readEntry(index);
      if (entry === undefined) break;
      entries.push(entry);
      bytes += entry.record.length;
    }
    return entries;
  }

  /** Every entry behind `from`, in order, unverified. */
  async *recordsFrom(from: LogIndex): AsyncIterable<readonly [LogIndex, Buffer]> {
    for await (const [key, record] of this.#data.entries(entriesFrom(this.group, from))) {
      const index = indexOfEntryKey(key);
      if (index !== undefined) yield [index, record];
    }
  }

  /** Positions up to `through` at which something is stored that is not dead. */
  async heldEntries(through: LogIndex): Promise<IndexRanges> {
    const held = new IndexRanges();
    for await (const key of this.#data.keys(entryRange(this.group, 1 as LogIndex, through))) {
      const index = indexOfEntryKey(key);
      if (index !== undefined && !this.#dead.has(index)) held.add(index);
    }
    return held;
  }

  /** True if `record` is what the entry behind it, as stored here, says it must be; also if that can't be told. */
  async fitsBefore(record: Buffer, index: LogIndex): Promise<boolean> {
    const next = await this.readEntry((index + 1) as LogIndex);
    return next === undefined || chains(next.record, chainChecksum(record));
  }

  /** These hold nothing that anybody needs; they are deleted when `deleteDead` reaches them. */
  markDead(indexes: IndexRanges): void {
    this.#dead.addAll(indexes);
  }

  get dead(): IndexRanges {
    return this.#dead;
  }

  /** Deletes some of the dead entries up to `through`. */
  deleteDead(batch: DiskBatch, through: LogIndex): void {
    invariant(through <= (this.checkpoints.root?.index ?? 0), 'only what a checkpoint covers may be deleted');
    const data = this.dataBatch(batch);
    for (const index of this.#dead.take(through, DELETES_PER_BATCH)) {
      data.delete(entryKey(this.group, index));
      this.#cached.delete(index);
    }
  }

  /** Removes every entry behind `index`. */
  deleteBehind(batch: DiskBatch, index: LogIndex): void {
    const data = this.dataBatch(batch);
    for (let behind = (index + 1) as LogIndex; behind <= this.#top; behind++) {
      data.delete(entryKey(this.group, behind));
      this.#cached.delete(behind);
    }
    this.#top = index;
  }

  /** While a snapshot is being received, entries behind a gap are part of it, and not a damaged log. */
  markInstalling(batch: DiskBatch, staged: IndexRanges): void {
    const key = installKey(this.group);
    batch.put(key, sealJson(key, staged.ranges()));
  }

  unmarkInstalling(batch: DiskBatch): void {
    batch.delete(installKey(this.group));
  }

  /** Entries of a snapshot that was being received; undefined: none was. */
  async readInstalling(): Promise<IndexRanges | undefined> {
    const key = installKey(this.group);
    const value = await this.node.disk.get(key);
    const stored = value === undefined ? undefined : openJson(key, value);
    return stored === undefined ? undefined : IndexRanges.from(stored as [number, number][]);
  }

  close(): void {
    this.#cached.clear();
  }
}
