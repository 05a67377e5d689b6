/**
 * Owns what a group does about a replica that is not what it should be: it leaves the quorum, durably and before
 * anything else, and comes back when its state was built anew or a leader has vouched for its log.
 */
import type { NodeId } from '../../base/brand.ts';
import type { Logger } from '../../base/logger.ts';
import type { Group } from '../group.ts';
import type { HostContext } from '../host-context.ts';
import type { DiskBatch } from '../storage/key-value-disk.ts';
import type { LogIndex } from '../types.ts';

/** What only the group itself can do. */
export interface RepairActions {
  /** Nothing more is applied to the state that can't be believed, and no checkpoint that is arriving replaces it. */
  readonly stopApplying: () => void;
  readonly forgetCheckpoint: (batch: DiskBatch) => void;
  /** Builds the state anew from what the log proves and, if that is not all, from a leader's checkpoint. */
  readonly startOver: () => Promise<void>;
}

export class GroupRepair {
  readonly #context: HostContext;
  readonly #group: Group;
  readonly #logger: Logger;
  readonly #actions: RepairActions;
  #buildsAnew = false;
  /** Memory group: this life began with nothing although the group is not new. The members that said the same. */
  #emptyMembers: Set<NodeId> | undefined;

  constructor(context: HostContext, group: Group, logger: Logger, actions: RepairActions) {
    this.#context = context;
    this.#group = group;
    this.#logger = logger;
    this.#actions = actions;
  }

  /** Our state is another than the majority's: we are not to be counted, and fetch it whole. A leader hands over. */
  quarantine(index: LogIndex): void {
    // A state that is being replaced needs no verdict any more.
    if (this.#group.repairing || this.#buildsAnew || this.#group.isReplacing) return;
    this.#context.metrics.digestMismatch();
    this.#logger.error({ index }, 'group.digestMismatch');
    if (this.#group.isLeader) void this.#group.transferLeadership();
    this.buildAnew();
  }

  /** A replicated group whose checkpoint turns out to be damaged gets another from its leader. */
  checkpointDamaged(error: unknown): void {
    this.#logger.error({ error }, 'group.checkpointDamaged');
    this.buildAnew();
  }

  /** The state can't be believed: out of the quorum with it, durably, and then from the beginning. */
  buildAnew(): void {
    if (this.#buildsAnew) return;
    this.#buildsAnew = true;
    this.#actions.stopApplying();
    this.#group.put(
      (batch) => {
        this.#group.storage.setRepairing(batch, true);
        this.#actions.forgetCheckpoint(batch);
      },
      () => {
        this.#buildsAnew = false;
        void this.#actions.startOver();
      },
    );
  }

  /** Something that was promised may be gone. Durable first, then known to the core. */
  mark(): void {
    this.#group.put(
      (batch) => {
        this.#group.storage.setRepairing(batch, true);
      },
      () => {
        this.#group.step({ kind: 'repairNeeded' });
      },
    );
  }

  /** The same, found by the host, which has stored it for all groups. */
  marked(): void {
    this.#group.storage.repairingMarked();
    this.#group.step({ kind: 'repairNeeded' });
  }

  /** A peer's log contradicts ours: one of the two is damaged. */
  brokenChain(broken: { readonly peer: NodeId; readonly index: LogIndex }): void {
    this.#logger.error(broken, 'group.brokenChain');
    void this.#checkEntry(broken.index);
  }

  async #checkEntry(index: LogIndex): Promise<void> {
    const group = this.#group;
    const entry = await group.storage.readEntry(index);
    if (entry === undefined && !group.members.isAlone && !group.isLeader) this.mark();
  }

  // --- Memory groups ---

  /** A memory group was recovered: its log and state are gone. */
  memoryLost(): void {
    this.#emptyMembers = new Set([this.#context.node]);
  }

  /**
   * A memory group that no member remembers anything of begins again, empty. Each member says so while it has nothing
   * and knows no leader; whoever heard it from every voter, and has nothing either, counts again. A voter that still had
   * something would not say so, and without a healthy majority nobody can have got anything meanwhile: any leader's
   * quorum holds one voter that is not repairing. Terms and votes are on disk, and stay.
   */
  nothingLeftAt(node: NodeId): void {
    const group = this.#group;
    if (this.#emptyMembers === undefined || !group.repairing || !group.hasNothing) return;
    this.#emptyMembers.add(node);
    // Whoever has only begun to join knows no voters, and is none.
    if (!group.members.isVoter) return;
    if (!group.members.voterSets.every((voters) => voters.every((voter) => this.#emptyMembers!.has(voter)))) return;
    this.#logger.warn({}, 'group.beginsAgainEmpty');
    group.put(
      (batch) => {
        group.storage.setRepairing(batch, false);
      },
      () => {
        void this.#actions.startOver();
      },
    );
  }

  /** Comes with every beat. */
  tellNothingLeft(): void {
    const group = this.#group;
    if (this.#emptyMembers === undefined || !group.hasNothing) return;
    for (const node of group.members.all) {
      if (node === this.#context.node) continue;
      this.#context.sendFrame(node, { kind: 'nothingLeft', group: group.id }, 'control');
    }
  }
}
