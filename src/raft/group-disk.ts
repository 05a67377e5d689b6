/** Owns what of a group waits for the next batch, and what becomes due when that is durable. */
import type { Checkpointer } from './checkpoints/checkpointer.ts';
import type { Effects } from './core/effects.ts';
import type { PeerMessage } from './messages.ts';
import type { GroupStorage } from './storage/group-storage.ts';
import type { WriteBatch } from './storage/write-batch.ts';
import type { LogIndex, Term } from './types.ts';

/** What a batch holds of one group, and what becomes due when it is durable. */
export interface GroupWrite {
  readonly index: LogIndex;
  readonly term: Term;
  readonly hardState: Effects['hardState'];
  readonly install: Effects['install'];
  readonly send: readonly PeerMessage[];
  readonly checkpointComplete: boolean;
  readonly whenDurable: readonly (() => void)[];
}

/** A change that is to ride in the next batch. */
export type PendingPut = (batch: WriteBatch) => void;

export class GroupDisk {
  readonly #storage: GroupStorage;
  readonly #effects: Effects;
  readonly #checkpointer: Checkpointer;
  readonly #puts: PendingPut[] = [];
  #whenDurable: (() => void)[] = [];
  #writing = false;

  constructor(storage: GroupStorage, effects: Effects, checkpointer: Checkpointer) {
    this.#storage = storage;
    this.#effects = effects;
    this.#checkpointer = checkpointer;
  }

  get hasWork(): boolean {
    return this.#effects.needsDisk || this.#puts.length > 0 || this.#checkpointer.hasWork;
  }

  /** A batch with something of this group is under way. */
  get isWriting(): boolean {
    return this.#writing;
  }

  put(change: PendingPut, durable?: () => void): void {
    this.#puts.push(change);
    if (durable !== undefined) this.#whenDurable.push(durable);
  }

  /** Puts everything that is to be stored into `batch`; `install` adds a received checkpoint that takes force. */
  collect(batch: WriteBatch, install: (received: NonNullable<Effects['install']>) => void): GroupWrite {
    const effects = this.#effects;
    this.#writing = true;
    // In front of the puts: a loss that one of them marks was found after the one that was repaired, or outweighs it.
    if (effects.repaired) this.#storage.setRepairing(batch, false);
    for (const put of this.#puts) put(batch);
    this.#puts.length = 0;
    const { install: received, hardState } = effects;
    if (received !== undefined) install(received);
    if (hardState !== undefined) this.#storage.putHardState(batch, hardState);
    if (effects.append.length > 0) this.#storage.append(batch, effects.append);
    const last = effects.append[effects.append.length - 1] ?? received?.snapshot;
    const checkpointComplete = this.#checkpointer.hasWork && this.#checkpointer.write(batch);
    const write: GroupWrite = {
      index: last?.index ?? (0 as LogIndex),
      term: last?.term ?? (0 as Term),
      hardState,
      install: received,
      send: effects.sendOncePersisted.slice(),
      checkpointComplete,
      whenDurable: this.#whenDurable,
    };
    this.#whenDurable = [];
    effects.sendOncePersisted.length = 0;
    effects.append.length = 0;
    effects.hardState = undefined;
    effects.install = undefined;
    effects.repaired = false;
    return write;
  }

  /** What was collected is on disk. */
  written(): void {
    this.#writing = false;
  }
}
