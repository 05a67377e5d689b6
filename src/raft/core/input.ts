/** Owns everything the world can tell a core, and what a core is made from. */
import type { NodeId } from '../../base/brand.ts';
import type { PeerMessage } from '../messages.ts';
import type { Entry, GroupId, LogIndex, Term } from '../types.ts';
import type { Membership, MembershipChange } from './membership.ts';

/** What must survive a restart besides the log. Every member stores it before anything that follows from it is said. */
export interface HardState {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  /** A replica that has lost something may have voted in any term up to here, and does not vote there again. Mostly 0. */
  readonly voteFloor: Term;
}

/** Milliseconds on the core's clock; undefined: never heard of. */
export type NodeContact = (node: NodeId) => number | undefined;

export type Input =
  /** The delay drawn when the timer was last restarted is over, and nobody restarted it meanwhile. */
  | { readonly kind: 'electionTimeout' }
  /**
   * Comes every heartbeat interval; only a leader listens. `nodeContact`: when the host last heard of a voter's node,
   * by whatever it said, on the clock of `now`. A node whose disk keeps its answers waiting is slow, and not gone.
   */
  | { readonly kind: 'heartbeatTimeout'; readonly nodeContact?: NodeContact }
  | { readonly kind: 'peer'; readonly message: PeerMessage }
  /** Records from `allocateRecord`, bodies filled. Ignored unless `canPropose`. */
  | { readonly kind: 'propose'; readonly records: readonly Buffer[] }
  /**
   * A batch is durable: the log up to its last entry (or, without any, the snapshot it installed; 0: neither), and this
   * hard state if it held one.
   */
  | {
      readonly kind: 'persisted';
      readonly index: LogIndex;
      readonly term: Term;
      readonly hardState: HardState | undefined;
    }
  /** Answers a `load`. Fewer entries than could be are fine, none means: they can't be read, try again later. */
  | { readonly kind: 'loaded'; readonly to: NodeId; readonly entries: readonly Entry[] }
  /** A durable checkpoint covers the log up to `index`; the entries up to there can no longer be loaded. */
  | { readonly kind: 'compact'; readonly index: LogIndex }
  /** Wants to know when reads at the current commit index are linearizable. Leader only; answered by a `read`. */
  | { readonly kind: 'readIndex'; readonly context: number }
  | { readonly kind: 'changeMembership'; readonly change: MembershipChange }
  /** Without `to`: the most advanced voter. */
  | { readonly kind: 'transferLeadership'; readonly to: NodeId | undefined }
  /** Leader: the transfer that a `snapshot` effect asked for ended. */
  | { readonly kind: 'snapshotSent'; readonly to: NodeId; readonly index: LogIndex; readonly success: boolean }
  /** Follower: a checkpoint has arrived and lies ready, not in force yet; answered by `install` unless it is outdated. */
  | { readonly kind: 'snapshotReceived'; readonly from: NodeId; readonly snapshot: SnapshotPoint }
  /** This node found that it lost something promised. The mark is durable already. */
  | { readonly kind: 'repairNeeded' }
  /** The state machine's digest after `index`, to be told to followers. */
  | { readonly kind: 'digest'; readonly index: LogIndex; readonly digest: number }
  | { readonly kind: 'hibernate' }
  | { readonly kind: 'wake' };

/** Where a checkpoint ends and the log begins. */
export interface SnapshotPoint {
  readonly index: LogIndex;
  readonly term: Term;
  /** `chainChecksum` of the entry at `index`; 0 at index 0. */
  readonly checksum: number;
  /** In force at `index`. */
  readonly membership: Membership;
}

/** What a node knows about an entry it has stored, without its body. */
export interface StoredEntry {
  readonly index: LogIndex;
  readonly term: Term;
  /** Its `chainChecksum`. */
  readonly checksum: number;
}

export interface RecoveredState {
  readonly hardState: HardState;
  readonly snapshot: SnapshotPoint;
  /** Every entry behind the snapshot, in order, without gaps. */
  readonly log: readonly StoredEntry[];
  /** The membership entries among them. */
  readonly memberships: readonly { readonly index: LogIndex; readonly membership: Membership }[];
  /** Something known to be committed, at most the last index; the snapshot's index will do. */
  readonly commitIndex: LogIndex;
}

export interface CoreOptions {
  readonly node: NodeId;
  readonly group: GroupId;
  readonly state:
    | {
        readonly kind: 'created';
        /** The first membership, the same on every member. */
        readonly membership: Membership;
        /** Gets everybody's vote of term 1 in advance, so that no election is needed. */
        readonly firstLeader: NodeId | undefined;
      }
    | { readonly kind: 'recovered'; readonly state: RecoveredState; readonly repairing: boolean };
  /** A positive number for a repair, which none of this node's repairs had before, those of earlier processes included. */
  readonly repairNumber: () => number;
  /** Shortest silence after which anybody may campaign. Votes are refused for as long after each word of a leader. */
  readonly electionTimeoutMinMs: number;
  /** How long a leader may answer reads alone after a round that a quorum acknowledged; default 0.8 of the above. */
  readonly leaseMs?: number;
  readonly limits?: Partial<CoreLimits>;
  /** Which terms' entries count towards commit; the default is the only safe one (§5.4.2). */
  readonly commitRule?: CommitRule;
}

export type CommitRule = (entryTerm: Term, currentTerm: Term) => boolean;

export interface CoreLimits {
  /** Entries of one AppendEntries: at most so many bytes, but always one. */
  readonly maxAppendBytes: number;
  /** Per follower: sent, not yet acknowledged. */
  readonly maxInflightBytes: number;
  readonly maxInflightMessages: number;
  /** Entries kept in memory behind their being stored. */
  readonly windowBytes: number;
  /** A learner this close behind may become a voter. */
  readonly catchUpEntries: number;
}

export const DEFAULT_LIMITS: CoreLimits = {
  maxAppendBytes: 1024 * 1024,
  maxInflightBytes: 8 * 1024 * 1024,
  maxInflightMessages: 64,
  windowBytes: 8 * 1024 * 1024,
  catchUpEntries: 64,
};
