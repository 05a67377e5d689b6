/**
 * Owns when a group's checkpoint is taken, and its way to disk: slices of pages ride in ordinary batches, and the root in
 * the last of them makes it count. Afterwards it deletes what the checkpoint made superfluous.
 */
import type { SnapshotPoint } from '../core/input.ts';
import type { GroupStorage } from '../storage/group-storage.ts';
import { IndexRanges } from '../storage/index-ranges.ts';
import type { DiskBatch } from '../storage/key-value-disk.ts';
import type { LogIndex, StateMachine } from '../types.ts';

/** Of pages per batch. */
const SLICE_BYTES = 256 * 1024;
export interface CheckpointPolicy {
  /** A checkpoint is taken when so much log would have to be replayed, ... */
  readonly afterBytes: number;
  readonly afterEntries: number;
  /** ... less with many groups, so that what all of them would replay together stays below this: about a second. */
  readonly replayBytesPerNode: number;
  /** Entries in front of the checkpoint that stay in the log, dead or not, for followers that are a little behind. */
  readonly trailingEntries: number;
}

export const DEFAULT_CHECKPOINT_POLICY: CheckpointPolicy = {
  afterBytes: 32 * 1024 * 1024,
  afterEntries: 50_000,
  replayBytesPerNode: 256 * 1024 * 1024,
  trailingEntries: 1024,
};

/** However many groups there are: below this a checkpoint would cost more than the log it saves. */
const AFTER_BYTES_MIN = 256 * 1024;

/** True if so much was applied since the last checkpoint that another one pays. */
export function isCheckpointDue(
  policy: CheckpointPolicy,
  since: { readonly bytes: number; readonly entries: number; readonly groups: number },
): boolean {
  const share = Math.max(AFTER_BYTES_MIN, policy.replayBytesPerNode / Math.max(1, since.groups));
  return since.bytes >= Math.min(policy.afterBytes, share) || since.entries >= policy.afterEntries;
}

type Phase = 'idle' | 'writing' | 'rootWritten';

export class Checkpointer {
  readonly #storage: GroupStorage;
  readonly #machine: StateMachine;
  readonly #trailingEntries: number;
  #phase: Phase = 'idle';
  #point: SnapshotPoint | undefined;
  #digest = 0;
  /** Raft's own entries: dead as soon as a checkpoint covers them. */
  #ownEntries: LogIndex[] = [];
  #pins = 0;
  #deadChanged = false;
  /** Dead entries up to here may be deleted. */
  #deletableThrough = 0 as LogIndex;
  #waiting: (() => void)[] = [];

  constructor(storage: GroupStorage, machine: StateMachine, policy: CheckpointPolicy) {
    this.#storage = storage;
    this.#machine = machine;
    this.#trailingEntries = policy.trailingEntries;
    // What a crash kept from being deleted; after a restart the log begins at the checkpoint.
    this.#deletableThrough = storage.checkpoints.root?.index ?? (0 as LogIndex);
  }

  get isRunning(): boolean {
    return this.#phase !== 'idle';
  }

  /** Something is to be written. */
  get hasWork(): boolean {
    return this.#phase === 'writing' || this.#deadChanged || (this.#pins === 0 && this.#hasGarbage);
  }

  get #hasGarbage(): boolean {
    return this.#storage.checkpoints.hasGarbage || this.#storage.dead.hasUpTo(this.#deletableThrough);
  }

  applied(own: LogIndex): void {
    this.#ownEntries.push(own);
  }

  /** Freezes the machine at `point`, which is what it has applied. */
  begin(point: SnapshotPoint): void {
    this.#machine.beginCheckpoint();
    this.#storage.checkpoints.begin(false);
    this.#digest = this.#machine.digest();
    this.#point = point;
    this.#phase = 'writing';
  }

  whenIdle(done: () => void): void {
    if (this.#phase === 'idle') done();
    else this.#waiting.push(done);
  }

  /** Nothing that a transfer reads may be deleted while it is pinned. */
  pin(): void {
    this.#pins++;
  }

  unpin(): void {
    this.#pins--;
  }

  /** Puts the next slice into `batch`. True if this completes the checkpoint: then `durable` is due. */
  write(batch: DiskBatch): boolean {
    const { checkpoints } = this.#storage;
    const data = this.#storage.dataBatch(batch);
    if (this.#deadChanged) {
      checkpoints.updateDead(data, this.#storage.dead.ranges());
      this.#deadChanged = false;
    }
    if (this.#phase !== 'writing') {
      this.#collectGarbage(batch);
      return false;
    }
    checkpoints.writeInto(data);
    if (!this.#machine.writePages(checkpoints, SLICE_BYTES)) return false;
    checkpoints.complete(data, { ...this.#point!, digest: this.#digest, dead: this.#storage.dead.ranges() });
    this.#phase = 'rootWritten';
    return true;
  }

  /** The batch with the root is on disk. Returns how far the log may be forgotten. */
  durable(): LogIndex {
    const { index } = this.#point!;
    this.#phase = 'idle';
    this.#machine.endCheckpoint(true);
    const dead = this.#machine.takeDeadEntries().concat(this.#ownEntries.filter((own) => own <= index));
    this.#storage.markDead(IndexRanges.from(dead.sort((a, b) => a - b).map((each) => [each, each])));
    this.#ownEntries = this.#ownEntries.filter((own) => own > index);
    this.#deadChanged = !this.#storage.dead.isEmpty;
    const forgotten = Math.max(0, index - this.#trailingEntries) as LogIndex;
    if (forgotten > this.#deletableThrough) this.#deletableThrough = forgotten;
    this.#settle();
    return forgotten;
  }

  /** A checkpoint from elsewhere takes the place of ours. */
  abandon(): void {
    if (this.#phase === 'idle') return;
    this.#phase = 'idle';
    this.#storage.checkpoints.abandon();
    this.#machine.endCheckpoint(false);
    this.#settle();
  }

  /** A received checkpoint is in force. */
  replaced(index: LogIndex): void {
    this.#ownEntries = this.#ownEntries.filter((own) => own > index);
    this.#deletableThrough = index;
    this.#deadChanged = !this.#storage.dead.isEmpty;
  }

  /** Nothing of the checkpoints is to be believed; with `batch` they are gone. */
  forget(batch: DiskBatch): void {
    this.abandon();
    this.#storage.checkpoints.forget(this.#storage.dataBatch(batch));
    this.#deletableThrough = 0 as LogIndex;
    this.#deadChanged = false;
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  #collectGarbage(batch: DiskBatch): void {
    if (this.#pins > 0) return;
    this.#storage.checkpoints.collectGarbage(this.#storage.dataBatch(batch));
    this.#storage.deleteDead(batch, this.#deletableThrough);
  }
}
