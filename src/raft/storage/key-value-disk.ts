/**
 * Owns the seam between this node's storage and what it is stored in. LevelDB implements it, memory implements it, and
 * the simulator's disk implements it with crashes, so that everything above runs unchanged on each of them.
 */

/** Collects changes; nothing of it is visible before `KeyValueDisk.write`. Neither keys nor values are copied. */
export interface DiskBatch {
  put(key: Buffer, value: Buffer): void;
  delete(key: Buffer): void;
}

export interface KeyRange {
  /** Inclusive. */
  readonly from: Buffer;
  /** Exclusive. */
  readonly to: Buffer;
}

export interface KeyValueDisk {
  get(key: Buffer): Promise<Buffer | undefined>;
  /** Ascending, as of this call. */
  entries(range: KeyRange): AsyncIterable<readonly [Buffer, Buffer]>;
  /** The keys alone, which is much cheaper where values are large. */
  keys(range: KeyRange): AsyncIterable<Buffer>;
  batch(): DiskBatch;
  /**
   * Writes all of `batch` or nothing. With `sync` it resolves when the batch and all written before it would survive
   * power loss. Calls must not overlap. After a rejection nothing may be assumed about what was written.
   */
  write(batch: DiskBatch, sync: boolean): Promise<void>;
  close(): Promise<void>;
}
