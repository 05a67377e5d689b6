/** Owns watching a state machine: every entry on its way into it, and the state that it has after each. */
import type { Entry, LogIndex, GroupStatus, PageSink, StateMachine } from '../../src/raft/index.ts';

export interface MachineWatch {
  applying(entry: Entry): void;
  applied(index: LogIndex, digest: number): void;
  restored(index: LogIndex, digest: number): void;
  statusChanged(status: GroupStatus): void;
}

export class WatchedMachine implements StateMachine {
  readonly #inner: StateMachine;
  readonly #watch: MachineWatch;

  constructor(inner: StateMachine, watch: MachineWatch) {
    this.#inner = inner;
    this.#watch = watch;
  }

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#watch.applying(entry);
      this.#inner.apply([entry]);
      this.#watch.applied(entry.index, this.#inner.digest());
    }
  }

  statusChanged(status: GroupStatus): void {
    this.#watch.statusChanged(status);
    this.#inner.statusChanged(status);
  }

  async beforeHandover(): Promise<void> {
    await this.#inner.beforeHandover?.();
  }

  staysLeader(): void {
    this.#inner.staysLeader?.();
  }

  proposalsWelcome(): void {
    this.#inner.proposalsWelcome();
  }

  digest(): number {
    return this.#inner.digest();
  }

  beginCheckpoint(): void {
    this.#inner.beginCheckpoint();
  }

  writePages(sink: PageSink, maxBytes: number): boolean {
    return this.#inner.writePages(sink, maxBytes);
  }

  endCheckpoint(durable: boolean): void {
    this.#inner.endCheckpoint(durable);
  }

  takeDeadEntries(): LogIndex[] {
    return this.#inner.takeDeadEntries();
  }

  async restore(checkpoint: Parameters<StateMachine['restore']>[0]): Promise<void> {
    await this.#inner.restore(checkpoint);
    this.#watch.restored(checkpoint.appliedIndex, this.#inner.digest());
  }

  close(): void {
    this.#inner.close();
  }
}
