/** Owns the arithmetic of majorities, single and joint: while two memberships overlap, each must agree (§6). */
import type { NodeId } from '../../base/brand.ts';
import type { Membership } from './membership.ts';

/** The highest value that a quorum has reached, each voter by itself having reached `valueOf(voter)`. */
export function reachedByQuorum(membership: Membership, valueOf: (voter: NodeId) => number): number {
  const reached = reachedByMajority(membership.voters, valueOf);
  if (membership.outgoing.length === 0) return reached;
  return Math.min(reached, reachedByMajority(membership.outgoing, valueOf));
}

/** No voters at all reach nothing: a node that knows no membership must never elect itself. */
function reachedByMajority(voters: readonly NodeId[], valueOf: (voter: NodeId) => number): number {
  if (voters.length === 0) return Number.NEGATIVE_INFINITY;
  if (voters.length === 1) return valueOf(voters[0]!);
  const values = voters.map(valueOf).sort((a, b) => b - a);
  return values[Math.floor(values.length / 2)]!;
}

export function isQuorum(membership: Membership, includes: (voter: NodeId) => boolean): boolean {
  return reachedByQuorum(membership, (voter) => (includes(voter) ? 1 : 0)) === 1;
}
