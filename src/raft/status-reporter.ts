/** Owns how a group looks from outside, and when its machine is told that this has changed. */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { RaftCore } from './core/core.ts';
import type { HostContext } from './host-context.ts';
import type { SnapshotSender } from './checkpoints/snapshot-sender.ts';
import type { GroupStatus, LogIndex, PeerStatus, StateMachine } from './types.ts';

export class StatusReporter {
  readonly #context: HostContext;
  readonly #machine: StateMachine;
  readonly #sender: SnapshotSender;
  readonly #logger: Logger;
  #leaderSeen: NodeId | undefined;
  /** Leader: where its term's first entry was known to be committed. It is ready when that is applied here. */
  #readyAt: LogIndex | undefined;
  #readyApplied = false;

  constructor(
    context: HostContext,
    parts: { readonly machine: StateMachine; readonly sender: SnapshotSender; readonly logger: Logger },
  ) {
    this.#context = context;
    this.#machine = parts.machine;
    this.#sender = parts.sender;
    this.#logger = parts.logger;
  }

  status(core: RaftCore, lastApplied: LogIndex): GroupStatus {
    const { membership } = core;
    return {
      role: core.role,
      term: core.currentTerm,
      leader: core.leader,
      ready: core.ready && this.#readyApplied,
      commitIndex: core.commitIndex,
      lastApplied,
      voters: membership.voters,
      learners: membership.learners,
      repairing: core.repairing,
      peers: this.#peers(core),
    };
  }

  #peers(core: RaftCore): PeerStatus[] {
    const peers: PeerStatus[] = [];
    const now = this.#context.runtime.monotonicMs();
    for (const [node, progress] of core.peers) {
      const lastContact = this.#context.lastContactMs(node);
      peers.push({
        node,
        matchIndex: progress.matchIndex,
        lag: core.lastIndex - progress.matchIndex,
        lastContactMs: lastContact === undefined ? undefined : now - lastContact,
        catchingUp: this.#sender.isSendingTo(node) || progress.repair !== undefined,
      });
    }
    return peers;
  }

  /** Role, leader, membership or the like is another. */
  changed(core: RaftCore, lastApplied: LogIndex): void {
    const { leader } = core;
    if (leader !== this.#leaderSeen) {
      this.#leaderSeen = leader;
      this.#context.metrics.leaderChanged();
      this.#logger.info({ leader, term: core.currentTerm, role: core.role }, 'group.leader');
    }
    this.#announce(core, lastApplied);
  }

  /** More was applied: a leader may have become ready by it. */
  applied(core: RaftCore, lastApplied: LogIndex): void {
    if (!this.#readyApplied && this.#isReady(lastApplied)) this.#announce(core, lastApplied);
  }

  #announce(core: RaftCore, lastApplied: LogIndex): void {
    if (!core.ready) this.#readyAt = undefined;
    else this.#readyAt ??= core.commitIndex;
    this.#readyApplied = this.#isReady(lastApplied);
    this.#machine.statusChanged(this.status(core, lastApplied));
  }

  #isReady(lastApplied: LogIndex): boolean {
    return this.#readyAt !== undefined && lastApplied >= this.#readyAt;
  }
}
