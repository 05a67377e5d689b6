/**
 * Owns bringing the groups that this node leads to the members that the catalogue wants, and telling the meta leader when
 * they are there.
 *
 * The catalogue says where a group is to go; the group's leader takes it there by joint consensus; only when exactly those
 * members are committed in the group is the reconfiguration settled in the catalogue, and only then do nodes that are no
 * longer members let go of their replicas. Every step can be repeated: whoever leads the group next begins again with the
 * first one, and finds done what was done. So any node may stop at any moment.
 *
 * Decisions are numbered by the assignment's generation, and the number travels with the group's membership: a leader
 * whose catalogue is old can't take the group back to where an earlier decision wanted it.
 *
 * A leader that is not among the members to come hands over first, as soon as one of them is a voter: what waits to be
 * published is held back for that moment, and not lost with the leader's last entries.
 */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import type { GroupHandle, GroupId } from '../raft/index.ts';
import type { StreamAssignment } from './types.ts';

/** After a step failed: the quorum is away, or the meta leader is. */
const RETRY_MS = 250;

export interface ReconfiguratorOptions {
  readonly node: NodeId;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly assignment: (group: GroupId) => StreamAssignment | undefined;
  readonly group: (group: GroupId) => GroupHandle | undefined;
  /** Tells the meta leader. Rejects when that may not have worked. */
  readonly settle: (assignment: StreamAssignment) => Promise<void>;
}

interface Drive {
  readonly generation: number;
  timer: Timer | undefined;
}

export class Reconfigurator {
  readonly #options: ReconfiguratorOptions;
  readonly #drives = new Map<GroupId, Drive>();
  #stopped = false;

  constructor(options: ReconfiguratorOptions) {
    this.#options = options;
  }

  /** To be called whenever the group's status or its stream's assignment changed. */
  review(group: GroupId): void {
    const assignment = this.#options.assignment(group);
    const isOurs = assignment?.reconfiguration !== undefined && this.#led(group) !== undefined && !this.#stopped;
    const drive = this.#drives.get(group);
    if (isOurs && drive?.generation === assignment.generation) return;
    drive?.timer?.cancel();
    this.#drives.delete(group);
    if (!isOurs) return;
    const next: Drive = { generation: assignment.generation, timer: undefined };
    this.#drives.set(group, next);
    // We may have been called by the group itself, amid its own step.
    this.#options.runtime.defer(() => {
      this.#begin(group, next);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#drives.values()) timer?.cancel();
    this.#drives.clear();
  }

  #led(group: GroupId): GroupHandle | undefined {
    const handle = this.#options.group(group);
    return handle?.status.role === 'leader' && handle.status.ready ? handle : undefined;
  }

  #begin(group: GroupId, drive: Drive): void {
    if (this.#drives.get(group) !== drive) return;
    const { runtime, logger } = this.#options;
    const again = (): void => {
      if (this.#drives.get(group) !== drive) return;
      drive.timer = runtime.after(RETRY_MS, () => {
        this.#begin(group, drive);
      });
    };
    // Settled or handed over, it is looked at once more: the news may be slower than we are, or have been lost.
    this.#step(group, drive).then(again, (error: unknown) => {
      logger.debug({ group, reason: String(error) }, 'stream.reconfigurationWaits');
      again();
    });
  }

  async #step(group: GroupId, drive: Drive): Promise<void> {
    const { node, logger, settle, assignment: find } = this.#options;
    const assignment = find(group);
    const handle = this.#led(group);
    if (assignment?.reconfiguration === undefined || handle === undefined) {
      this.#drives.delete(group);
      return;
    }
    const { members } = assignment;
    if (!members.includes(node)) {
      await this.#handOver(handle, members, drive.generation);
      return;
    }
    await handle.changeMembership({ voters: members, learners: [], generation: drive.generation });
    if (this.#drives.get(group) !== drive) return;
    logger.info({ group, stream: assignment.name, members }, 'stream.reconfigured');
    await settle(assignment);
  }

  async #handOver(handle: GroupHandle, members: readonly NodeId[], generation: number): Promise<void> {
    const everybody = [...new Set([...handle.status.voters, ...members])];
    await handle.changeMembership({ voters: everybody, learners: [], generation });
    const { peers } = handle.status;
    const heirs = peers
      .filter((peer) => members.includes(peer.node) && !peer.catchingUp)
      .sort((a, b) => a.lag - b.lag || (a.lastContactMs ?? Infinity) - (b.lastContactMs ?? Infinity));
    if (heirs[0] !== undefined) await handle.transferLeadership(heirs[0].node);
  }
}
