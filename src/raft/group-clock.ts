/**
 * Owns a group's share of time: when a follower that hears nothing campaigns, and when a leader speaks, or falls silent
 * because there has been nothing to say for a while.
 */
import type { NodeId } from '../base/brand.ts';
import type { HostContext } from './host-context.ts';
import type { Group } from './group.ts';
import { TICKS_PER_HEARTBEAT } from './timing.ts';

export class GroupClock {
  readonly #context: HostContext;
  readonly #group: Group;
  #electionTick = 0;
  #quietBeats = 0;

  constructor(context: HostContext, group: Group) {
    this.#context = context;
    this.#group = group;
  }

  /** Something is going on: the group is not to fall silent. */
  noteTraffic(): void {
    this.#quietBeats = 0;
  }

  /** A leader was heard of, or nobody shall campaign for another reason: silence begins anew. */
  restartElectionTimer(): void {
    this.#electionTick = this.#context.drawElectionTick();
  }

  tick(tick: number, isBeat: boolean): void {
    if (this.#group.isLeader) {
      if (isBeat) this.#beat();
      return;
    }
    if (this.#electionTick < tick + 1) this.#campaignAfter(this.#electionTick - tick);
    if (isBeat) this.#group.step({ kind: 'heartbeatTimeout' });
  }

  /** Unless a leader is heard of within this part of a tick. */
  #campaignAfter(ticks: number): void {
    const due = this.#electionTick;
    const { heartbeatMs } = this.#context.timing;
    this.#context.runtime.after(Math.max(0, ticks) * (heartbeatMs / TICKS_PER_HEARTBEAT), () => {
      // The loop may have stood still: what the sockets hold is read first.
      this.#context.runtime.defer(() => {
        if (this.#electionTick === due && this.#group.isInUse && this.#context.mayVote(this.#group)) this.#campaign();
      });
    });
  }

  readonly #nodeContact = (node: NodeId): number | undefined => this.#context.lastContactMs(node);

  #campaign(): void {
    const group = this.#group;
    if (group.members.isVoter && !group.repairing && !group.isHibernating) this.#context.metrics.electionStarted();
    group.step({ kind: 'electionTimeout' });
  }

  #beat(): void {
    if (this.#group.canHibernate) this.#quietBeats++;
    else this.#quietBeats = 0;
    const rests = this.#quietBeats >= this.#context.timing.hibernateAfterBeats;
    this.#group.step(rests ? { kind: 'hibernate' } : { kind: 'heartbeatTimeout', nodeContact: this.#nodeContact });
  }
}
