/**
 * Owns how a leader takes the group from one membership to another (§6): new members catch up as learners, then old
 * and new majorities decide together, then the new one alone. Each step is an entry; only one is under way at a time,
 * and none before the leader has committed an entry of its own term.
 *
 * A leader that finds a joint membership in its log finishes it, whoever began.
 */
import type { NodeId } from '../../base/brand.ts';
import { allocateRecord, RECORD_HEADER_BYTES } from '../record.ts';
import type { Effects } from './effects.ts';
import {
  encodeMembership,
  isJoint,
  makeMembership,
  members,
  sameMembership,
  type Membership,
  type MembershipChange,
} from './membership.ts';
import type { Progress } from './progress.ts';
import type { Replica } from './replica.ts';

export class MembershipDriver {
  readonly #replica: Replica;
  readonly #peers: ReadonlyMap<NodeId, Progress>;
  #target: Membership | undefined;

  constructor(replica: Replica, peers: ReadonlyMap<NodeId, Progress>) {
    this.#replica = replica;
    this.#peers = peers;
  }

  get pending(): boolean {
    return this.#target !== undefined;
  }

  /** False: it can't be taken up, or a later decision is being carried out already. One that still waits for learners to catch up is replaced by a newer one. */
  request(change: MembershipChange): boolean {
    const { membership } = this.#replica;
    const { generation = membership.generation } = change;
    if (change.voters.length === 0 || isJoint(membership) || generation < membership.generation) return false;
    this.#target = makeMembership({ ...change, generation });
    return true;
  }

  /** Takes the next step if its time has come. True: the membership in force is another now. */
  advance(effects: Effects): boolean {
    const { memberships, membership, commitIndex } = this.#replica;
    if (memberships.currentIndex > commitIndex) return false;
    if (isJoint(membership)) {
      this.#append(makeMembership({ ...membership, outgoing: [] }), effects);
      return true;
    }
    const target = this.#target;
    if (target === undefined) return false;
    if (sameMembership(membership, target)) {
      this.#target = undefined;
      effects.membershipOutcome = 'completed';
      return false;
    }
    const next = this.#stepTowards(target);
    if (next === undefined) return false;
    this.#append(next, effects);
    return true;
  }

  #stepTowards(target: Membership): Membership | undefined {
    const { membership: current } = this.#replica;
    const { generation } = target;
    const newVoters = target.voters.filter((node) => !current.voters.includes(node));
    if (newVoters.length === 0 && target.voters.length === current.voters.length) return target;
    const known = members(current);
    if (newVoters.some((node) => !known.includes(node))) {
      return makeMembership({ voters: current.voters, learners: [...current.learners, ...newVoters], generation });
    }
    if (!newVoters.every((node) => this.#caughtUp(node))) return undefined;
    if (target.voters.some((node) => this.#peers.get(node)?.repair !== undefined)) return undefined;
    return makeMembership({ voters: target.voters, outgoing: current.voters, learners: target.learners, generation });
  }

  /** A voter far behind would cost availability: nothing is committed while a majority waits for it (thesis §4.2.1). */
  #caughtUp(node: NodeId): boolean {
    const progress = this.#peers.get(node);
    if (progress === undefined) return node === this.#replica.node;
    if (progress.state.kind !== 'replicate') return false;
    return this.#replica.log.lastIndex - progress.matchIndex <= this.#replica.limits.catchUpEntries;
  }

  #append(membership: Membership, effects: Effects): void {
    const body = encodeMembership(membership);
    const record = allocateRecord(body.length);
    body.copy(record, RECORD_HEADER_BYTES);
    this.#replica.appendOwn(record, 'membership', effects);
  }
}
