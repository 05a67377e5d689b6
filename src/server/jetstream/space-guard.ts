/**
 * Owns what happens to publishes while the disk has hardly any room left: they are refused, so that deletes, purges and
 * acks still have some, and their stream is handed to a node that may be better off.
 */
import type { Runtime } from '../../base/runtime.ts';
import type { GroupId } from '../../raft/index.ts';

/** How often a stream that is led here all the same is handed away: the others may be no better off. */
const HAND_AWAY_INTERVAL_MS = 10_000;

export class SpaceGuard {
  readonly #runtime: Runtime;
  readonly #lowOnSpace: () => boolean;
  readonly #handAway: (group: GroupId) => void;
  /** When a stream may be handed away again. */
  readonly #nextMs = new Map<GroupId, number>();

  constructor(options: {
    readonly runtime: Runtime;
    readonly lowOnSpace: () => boolean;
    readonly handAway: (group: GroupId) => void;
  }) {
    this.#runtime = options.runtime;
    this.#lowOnSpace = options.lowOnSpace;
    this.#handAway = options.handAway;
  }

  /** Whether the stream of `group` may take publishes now. One that may not is enough to hand the stream away. */
  mayStore(group: GroupId): boolean {
    if (!this.#lowOnSpace()) {
      this.#nextMs.clear();
      return true;
    }
    const nowMs = this.#runtime.monotonicMs();
    if (nowMs >= (this.#nextMs.get(group) ?? 0)) {
      this.#nextMs.set(group, nowMs + HAND_AWAY_INTERVAL_MS);
      this.#handAway(group);
    }
    return false;
  }
}
