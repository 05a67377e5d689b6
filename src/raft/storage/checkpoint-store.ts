/**
 * Owns the checkpoints of one group. A checkpoint of sequence C writes the pages that changed under version C, in any
 * number of batches, and at last the root, which makes it the one that counts. A page's value is the one of the greatest
 * version from the root's base up to C. Superseded versions are deleted afterwards. The root also carries count and
 * combined checksum of the live pages, so that a page that is missing, or an older version that came back, shows.
 */
import { StorageError } from '../../base/errors.ts';
import { decodeMembership, encodeMembership } from '../core/membership.ts';
import type { SnapshotPoint } from '../core/input.ts';
import { writeSafeInteger } from '../safe-integer.ts';
import type { GroupId, PageSink } from '../types.ts';
import { latestRootKey, pageKey, pagesRange, partsOfPageKey, rootKey } from './keys.ts';
import type { DiskBatch, KeyValueDisk } from './key-value-disk.ts';
import { checksumOfValue, openJson, openValue, sealJson, sealValue } from './sealed-value.ts';

const TOMBSTONE = 0;
const PAGE = 1;
/** Superseded page versions deleted with one batch. */
const GARBAGE_PER_BATCH = 256;

/** Everything about a checkpoint but its pages. */
export interface CheckpointRoot extends SnapshotPoint {
  readonly sequence: number;
  /** Pages of earlier versions belong to a state that was replaced as a whole. */
  readonly baseSequence: number;
  /** Of the state machine, at `index`. */
  readonly digest: number;
  /** Entries that nobody needs and that are not deleted yet. */
  readonly dead: readonly (readonly [number, number])[];
  readonly pages: number;
  readonly pagesChecksum: number;
}

/** What the caller knows of a checkpoint that is complete. */
export type CheckpointState = Pick<CheckpointRoot, 'index' | 'term' | 'checksum' | 'membership' | 'digest' | 'dead'>;

/** Names one page as of one checkpoint. */
export interface PageVersion {
  readonly page: Buffer;
  readonly version: number;
}

interface LivePage {
  readonly version: number;
  readonly checksum: number;
}

export class CheckpointStore implements PageSink {
  readonly #group: GroupId;
  readonly #disk: KeyValueDisk;
  #root: CheckpointRoot | undefined;
  /** By page key as latin1. */
  #live = new Map<string, LivePage>();
  /** Pages of the checkpoint being written; undefined: deleted. */
  #changed = new Map<string, LivePage | undefined>();
  #sequence = 0;
  #base = 0;
  #batch: DiskBatch | undefined;
  /** Keys of superseded versions; deleting them can wait. */
  #garbage: Buffer[] = [];
  /** Keys of pages that no root covers: they must be gone before the next root is written. */
  #strays: Buffer[] = [];

  constructor(group: GroupId, disk: KeyValueDisk) {
    this.#group = group;
    this.#disk = disk;
  }

  get root(): CheckpointRoot | undefined {
    return this.#root;
  }

  /** Reads the root alone. `damaged`: there is one, but it can't be believed. */
  async readRoot(): Promise<CheckpointRoot | 'none' | 'damaged'> {
    const value = await this.#disk.get(rootKey(this.#group));
    const latest = await this.#disk.get(latestRootKey(this.#group));
    if (value === undefined) return latest === undefined ? 'none' : 'damaged';
    const root = decodeRoot(openJson(rootKey(this.#group), value));
    if (root === undefined || latest === undefined || !isSequence(this.#group, latest, root.sequence)) return 'damaged';
    this.#root = root;
    this.#sequence = root.sequence;
    this.#base = root.baseSequence;
    return root;
  }

  /**
   * The live pages in key order, each verified; must be read to the end before the first checkpoint.
   * @throws {StorageError} STORAGE_CORRUPT, at the latest at the end.
   */
  async *load(): AsyncIterable<readonly [Buffer, Buffer]> {
    const root = this.#root;
    this.#live.clear();
    let candidate: { page: Buffer; version: number; key: Buffer; value: Buffer } | undefined;
    for await (const [key, value] of this.#disk.entries(pagesRange(this.#group))) {
      const parts = partsOfPageKey(key);
      if (parts === undefined || root === undefined || parts.version > root.sequence) {
        this.#strays.push(key);
        continue;
      }
      if (parts.version < root.baseSequence) {
        this.#garbage.push(key);
        continue;
      }
      if (candidate !== undefined) {
        if (candidate.page.equals(parts.page)) {
          this.#garbage.push(candidate.key);
        } else {
          const content = this.#openPage(candidate);
          if (content !== undefined) yield [candidate.page, content];
        }
      }
      candidate = { ...parts, key, value };
    }
    if (candidate !== undefined) {
      const content = this.#openPage(candidate);
      if (content !== undefined) yield [candidate.page, content];
    }
    this.#checkComplete();
  }

  /** Content of one live page as of the current root. @throws {StorageError} STORAGE_CORRUPT */
  async readPage(page: Buffer, version: number): Promise<Buffer> {
    const key = pageKey(this.#group, page, version);
    const value = await this.#disk.get(key);
    const content = value === undefined ? undefined : openValue(key, value);
    if (content?.[0] !== PAGE) throw this.#corrupt('a checkpoint page is missing or damaged');
    return content.subarray(1);
  }

  /** The live pages of the current root, in key order. A copy: checkpoints may go on meanwhile. */
  livePages(): PageVersion[] {
    return [...this.#live]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([page, { version }]) => ({ page: Buffer.from(page, 'latin1'), version }));
  }

  /** Starts a checkpoint. `replaceAll`: nothing of the earlier ones belongs to it. */
  begin(replaceAll: boolean): void {
    this.#sequence++;
    this.#changed = new Map();
    if (replaceAll) this.#base = this.#sequence;
  }

  /** Where `put` and `delete` go until the next call. */
  writeInto(batch: DiskBatch): void {
    this.#batch = batch;
  }

  put(page: Buffer, value: Buffer): void {
    this.#changed.set(page.toString('latin1'), this.#putVersion(page, PAGE, value));
  }

  delete(page: Buffer): void {
    this.#putVersion(page, TOMBSTONE, Buffer.alloc(0));
    this.#changed.set(page.toString('latin1'), undefined);
  }

  /** Makes the checkpoint the one that counts, as soon as `batch` is written. */
  complete(batch: DiskBatch, state: CheckpointState): void {
    for (const key of this.#strays) batch.delete(key);
    this.#strays = [];
    if (this.#base === this.#sequence) {
      for (const [page, live] of this.#live) this.#discard(page, live.version);
      this.#live.clear();
    }
    for (const [page, live] of this.#changed) {
      const before = this.#live.get(page);
      if (before !== undefined) this.#discard(page, before.version);
      if (live === undefined) {
        this.#live.delete(page);
        this.#discard(page, this.#sequence);
      } else {
        this.#live.set(page, live);
      }
    }
    this.#changed = new Map();
    const { pages, checksum: pagesChecksum } = this.#totals();
    this.#root = { ...state, sequence: this.#sequence, baseSequence: this.#base, pages, pagesChecksum };
    this.#putRoot(batch, this.#root);
  }

  /** Stores what became known after the root was written: entries that died with it. */
  updateDead(batch: DiskBatch, dead: CheckpointRoot['dead']): void {
    if (this.#root === undefined) return;
    this.#root = { ...this.#root, dead };
    this.#putRoot(batch, this.#root);
  }

  /** Nothing of what the checkpoints hold is to be believed. */
  forget(batch: DiskBatch): void {
    batch.delete(rootKey(this.#group));
    batch.delete(latestRootKey(this.#group));
    for (const [page, live] of this.#live) this.#discard(page, live.version);
    this.#live.clear();
    this.#root = undefined;
  }

  /** Gives up the checkpoint begun last. */
  abandon(): void {
    for (const page of this.#changed.keys()) {
      this.#strays.push(pageKey(this.#group, Buffer.from(page, 'latin1'), this.#sequence));
    }
    this.#changed = new Map();
    this.#base = this.#root?.baseSequence ?? 0;
  }

  /** Deletes some of what is superseded; true if there is more. */
  collectGarbage(batch: DiskBatch): boolean {
    for (const key of this.#garbage.splice(0, GARBAGE_PER_BATCH)) batch.delete(key);
    return this.#garbage.length > 0;
  }

  get hasGarbage(): boolean {
    return this.#garbage.length > 0;
  }

  #putVersion(page: Buffer, kind: number, value: Buffer): LivePage {
    const key = pageKey(this.#group, page, this.#sequence);
    const content = Buffer.allocUnsafe(1 + value.length);
    content[0] = kind;
    value.copy(content, 1);
    const sealed = sealValue(key, content);
    this.#batch!.put(key, sealed);
    return { version: this.#sequence, checksum: checksumOfValue(sealed) };
  }

  #discard(page: string, version: number): void {
    this.#garbage.push(pageKey(this.#group, Buffer.from(page, 'latin1'), version));
  }

  /** Undefined for a deleted page. */
  #openPage(found: { page: Buffer; version: number; key: Buffer; value: Buffer }): Buffer | undefined {
    const content = openValue(found.key, found.value);
    if (content === undefined) throw this.#corrupt('a checkpoint page is damaged');
    if (content[0] === TOMBSTONE) {
      this.#garbage.push(found.key);
      return undefined;
    }
    this.#live.set(found.page.toString('latin1'), {
      version: found.version,
      checksum: checksumOfValue(found.value),
    });
    return content.subarray(1);
  }

  #checkComplete(): void {
    const { pages, checksum } = this.#totals();
    if (this.#root === undefined || (pages === this.#root.pages && checksum === this.#root.pagesChecksum)) return;
    throw this.#corrupt(`the checkpoint has ${pages} of ${this.#root.pages} pages, or an old one`);
  }

  #totals(): { pages: number; checksum: number } {
    let checksum = 0;
    for (const page of this.#live.values()) checksum ^= page.checksum;
    return { pages: this.#live.size, checksum: checksum >>> 0 };
  }

  #putRoot(batch: DiskBatch, root: CheckpointRoot): void {
    const latest = latestRootKey(this.#group);
    batch.put(latest, sealValue(latest, encodeSequence(root.sequence)));
    const key = rootKey(this.#group);
    batch.put(key, sealJson(key, { ...root, membership: encodeMembership(root.membership).toString('base64') }));
  }

  #corrupt(problem: string): StorageError {
    return new StorageError('STORAGE_CORRUPT', `group ${this.#group}: ${problem}`);
  }
}

function encodeSequence(sequence: number): Buffer {
  const content = Buffer.allocUnsafe(8);
  writeSafeInteger(content, sequence, 0);
  return content;
}

/** Whether the sealed `value` of the group's latest root says `sequence`. */
function isSequence(group: GroupId, value: Buffer, sequence: number): boolean {
  return openValue(latestRootKey(group), value)?.equals(encodeSequence(sequence)) === true;
}

/** Undefined when the seal was broken. */
function decodeRoot(stored: unknown): CheckpointRoot | undefined {
  if (stored === undefined) return undefined;
  const root = stored as Omit<CheckpointRoot, 'membership'> & { readonly membership: string };
  const membership = decodeMembership(Buffer.from(root.membership, 'base64'));
  if (membership === undefined) return undefined;
  return { ...root, membership };
}
