/** Owns who belongs to a group as far as this node knows: its members, and before its first leader those who may be some. */
import type { NodeId } from '../base/brand.ts';
import { isJoint, isVoter, members, type Membership } from './core/membership.ts';
import type { HostContext } from './host-context.ts';

export class GroupMembers {
  readonly #context: HostContext;
  readonly #membership: () => Membership;
  #all: readonly NodeId[];
  /** See `GroupOptions.others`. Of no interest any more once there is a leader. */
  #others: readonly NodeId[];

  /** `membership`: as the core has it now. */
  constructor(context: HostContext, membership: () => Membership, others: readonly NodeId[]) {
    this.#context = context;
    this.#membership = membership;
    this.#all = members(membership());
    this.#others = others;
  }

  /** Sorted; as of the last `refresh`. */
  get all(): readonly NodeId[] {
    return this.#all;
  }

  /** This node is the only member, and nobody knows of another. */
  get isAlone(): boolean {
    return this.#all.length === 1 && this.#all[0] === this.#context.node && this.#others.length === 0;
  }

  /** Members, and those who may be some: they are asked what they remember of this node. */
  get relatives(): readonly NodeId[] {
    return this.#others.length === 0 ? this.#all : [...this.#all, ...this.#others];
  }

  get isVoter(): boolean {
    return isVoter(this.#membership(), this.#context.node);
  }

  /** Voters that must agree, per set of a joint membership. */
  get voterSets(): readonly (readonly NodeId[])[] {
    const membership = this.#membership();
    const { voters, outgoing } = membership;
    if (isJoint(membership)) return [voters, outgoing];
    if (this.#others.length === 0) return [voters];
    return [voters, [...new Set([...voters, ...this.#others])]];
  }

  /** The nodes of a majority were heard of lately. */
  get reachesMajority(): boolean {
    return this.voterSets.every((voters) => {
      const reached = voters.filter((voter) => this.#context.isAlive(voter));
      return reached.length * 2 > voters.length;
    });
  }

  /** Those told at first may have gone for good: nobody must wait for them. */
  reviseOthers(nodes: readonly NodeId[]): void {
    if (this.#others.length > 0) this.#others = nodes;
  }

  /** The core's status changed, or the core is another. */
  refresh(hasLeader: boolean): void {
    this.#all = members(this.#membership());
    if (hasLeader) this.#others = [];
  }
}
