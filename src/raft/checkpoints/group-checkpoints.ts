/** Owns when a group's machine is written to a checkpoint, and when it is replaced by one. */
import { StorageError } from '../../base/errors.ts';
import type { Applier } from '../applier.ts';
import { isCheckpointDue, type Checkpointer } from './checkpointer.ts';
import type { Effects } from '../core/effects.ts';
import type { SnapshotPoint } from '../core/input.ts';
import type { Group } from '../group.ts';
import type { HostContext } from '../host-context.ts';
import type { WriteBatch } from '../storage/write-batch.ts';
import type { LogIndex, StateMachine } from '../types.ts';

export class GroupCheckpoints {
  readonly #context: HostContext;
  readonly #group: Group;
  readonly #machine: StateMachine;
  readonly #applier: Applier;
  readonly #checkpointer: Checkpointer;
  #replacing = false;

  constructor(
    context: HostContext,
    group: Group,
    parts: { readonly machine: StateMachine; readonly applier: Applier; readonly checkpointer: Checkpointer },
  ) {
    this.#context = context;
    this.#group = group;
    this.#machine = parts.machine;
    this.#applier = parts.applier;
    this.#checkpointer = parts.checkpointer;
  }

  /** The machine's state is being replaced, or not to be believed: nothing is applied to it. */
  get isReplacing(): boolean {
    return this.#replacing;
  }

  stopApplying(): void {
    this.#replacing = true;
  }

  takeIfDue(): void {
    if (this.#checkpointer.isRunning || this.#isUnusable) return;
    const { bytesSinceCheckpoint: bytes, entriesSinceCheckpoint: entries } = this.#applier;
    const { checkpointPolicy, groupCount: groups } = this.#context;
    if (isCheckpointDue(checkpointPolicy, { bytes, entries, groups })) this.#begin();
  }

  /** Resolves when a checkpoint of everything applied so far is durable. */
  async take(): Promise<void> {
    await this.#whenIdle();
    if (this.#isUnusable || this.#applier.entriesSinceCheckpoint === 0) return;
    if (this.#begin()) await this.#whenIdle();
  }

  get #isUnusable(): boolean {
    return this.#replacing || this.#group.receiver.isReceiving;
  }

  #begin(): boolean {
    const point = this.#group.snapshotPoint(this.#applier.lastApplied);
    if (point === undefined || point.index === 0) return false;
    this.#applier.checkpointed();
    this.#checkpointer.begin(point);
    this.#context.markDirty(this.#group);
    return true;
  }

  #whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#checkpointer.whenIdle(resolve);
    });
  }

  /** At start. A replicated group whose checkpoint turns out to be damaged gets another from its leader. */
  async restoreOwn(appliedIndex: LogIndex): Promise<void> {
    try {
      await this.#machine.restore({ appliedIndex, pages: this.#group.storage.checkpoints.load() });
    } catch (error) {
      if (this.#group.members.isAlone || !isCorruption(error)) throw error;
      this.#group.repair.checkpointDamaged(error);
    }
  }

  /** A received checkpoint takes force with `batch`. */
  install(batch: WriteBatch, { snapshot, keepLog }: NonNullable<Effects['install']>): void {
    this.#group.receiver.install(batch, snapshot, keepLog);
    this.#checkpointer.replaced(snapshot.index);
    this.#replacing = true;
  }

  /** It is on disk. */
  async restoreReceived(snapshot: SnapshotPoint): Promise<void> {
    const pages = this.#group.storage.checkpoints.load();
    try {
      await this.#machine.restore({ appliedIndex: snapshot.index, pages });
    } catch (error) {
      if (isCorruption(error)) this.#group.repair.buildAnew();
      else this.#context.groupFailed(this.#group, error);
      return;
    }
    // Not before: until now the machine has shown what it was, and readers were told of `lastApplied` with it.
    this.#applier.reset(snapshot.index);
    this.#replacing = false;
    this.#context.markDirty(this.#group);
  }

  /** The state in front of the first entry: everything that can be proven is applied anew. */
  async restoreNothing(): Promise<void> {
    await this.#machine.restore({ appliedIndex: 0 as LogIndex, pages: noPages() });
    this.#applier.restart();
    this.#replacing = false;
  }
}

function isCorruption(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'STORAGE_CORRUPT';
}

async function* noPages(): AsyncIterable<readonly [Buffer, Buffer]> {
  // A state before the first entry has none.
}
