/** Owns the words of forming the meta group; formation.ts speaks them, wire.ts encodes them, node-state.ts keeps them. */
import type { NodeId } from '../base/brand.ts';

/** Further nodes are learners: a larger quorum would only make every change slower. */
export const MAX_META_VOTERS = 5;

/** Totally ordered: by round, then by the name of the proposer. */
export interface Ballot {
  readonly round: number;
  readonly node: NodeId;
}

export interface MetaGroup {
  /** Never the same for two groups: a link between nodes of different ones is refused. */
  readonly id: string;
  readonly voters: NodeId[];
  readonly learners: NodeId[];
}

export interface FormationRequest {
  readonly step: 'prepare' | 'accept' | 'formed';
  readonly ballot: Ballot | undefined;
  readonly value: MetaGroup | undefined;
}

export interface FormationReply {
  readonly granted: boolean;
  /** The highest ballot promised. */
  readonly promised: Ballot | undefined;
  readonly acceptedBallot: Ballot | undefined;
  readonly accepted: MetaGroup | undefined;
}

/** Negative when `a` is the lower one; undefined is lower than any. */
export function compareBallots(a: Ballot | undefined, b: Ballot | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  if (a.round !== b.round) return a.round - b.round;
  return a.node < b.node ? -1 : Number(a.node > b.node);
}
