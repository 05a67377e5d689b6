/**
 * Owns how far the logs of streams had got, as far as clients of this node can know: by acknowledgements and answers that
 * came to them from the leader on another node. What a client reads here is not older than what it was told.
 */
import type { GroupId, LogIndex } from '../../raft/index.ts';

export class ToldProgress {
  readonly #indexes = new Map<GroupId, LogIndex>();

  /** Clients hear of what was applied through `index`. */
  note(group: GroupId, index: LogIndex): void {
    const before = this.#indexes.get(group);
    if (before === undefined || before < index) this.#indexes.set(group, index);
  }

  /** 0: they were told nothing. */
  of(group: GroupId): LogIndex {
    return this.#indexes.get(group) ?? (0 as LogIndex);
  }

  /** The group is gone for good. */
  forget(group: GroupId): void {
    this.#indexes.delete(group);
  }
}
