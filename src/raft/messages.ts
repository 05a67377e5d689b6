/**
 * Owns what members of a group say to each other, under the paper's names. The bytes are in frame.ts.
 *
 * `from` and `to` are not on the wire: a frame travels between two nodes that have proven who they are.
 */
import type { NodeId } from '../base/brand.ts';
import type { Entry, GroupId, LogIndex, Term } from './types.ts';

interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
  /** The sender's `currentTerm`; in a pre-vote the term it would campaign in. */
  readonly term: Term;
}

export interface RequestVote extends Addressed {
  readonly kind: 'requestVote';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** Asks whether a campaign could be won, without starting one (thesis §9.6). */
  readonly preVote: boolean;
  /** The leader itself wants this election: voters need not wait for its lease to run out (thesis §3.10). */
  readonly leadershipTransfer: boolean;
  /** Of the `timeoutNow` that says so; otherwise 0. */
  readonly transferTerm: Term;
  readonly transferRound: number;
}

export interface RequestVoteReply extends Addressed {
  readonly kind: 'requestVoteReply';
  readonly preVote: boolean;
  readonly voteGranted: boolean;
  /** Counter of the sender's last durable batch when the message leaves. Filled in by the host. */
  journal: number;
}

/** Without entries it is a heartbeat. */
export interface AppendEntries extends Addressed {
  readonly kind: 'appendEntries';
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly leaderCommit: LogIndex;
  readonly entries: readonly Entry[];
  /** Number of the leader's latest round; the reply echoes it. See core/rounds.ts. */
  readonly readContext: number;
  /** The state machine's digest after it had applied `digestIndex`; index 0: none. Carried for the host to compare. */
  readonly digestIndex: LogIndex;
  readonly digest: number;
  /** The leader is about to fall silent; a follower with nothing left to do may stop its election timer. */
  readonly hibernate: boolean;
  /** The leader vouches that the follower, in the repair of this number, holds all it may once have promised. 0: it doesn't. */
  readonly repaired: number;
  /** No transfer of leadership is under way: whoever was told to campaign in this term before this round is too late. */
  readonly transfersOver: boolean;
}

export interface AppendEntriesReply extends Addressed {
  readonly kind: 'appendEntriesReply';
  readonly success: boolean;
  /** `prevLogIndex` of the message replied to. */
  readonly prevLogIndex: LogIndex;
  /** Success: the last index known to equal the leader's log, durable here. Otherwise 0. */
  readonly matchIndex: LogIndex;
  /** Refusal: the last index that can still match, and the term there (0: unknown). */
  readonly conflictIndex: LogIndex;
  readonly conflictTerm: Term;
  readonly commitIndex: LogIndex;
  readonly readContext: number;
  /** The sender can't prove what it once promised: it must not be counted. The number of this repair, or 0. */
  readonly repairing: number;
  /** As in `RequestVoteReply`. */
  journal: number;
}

/** Tells the target of a leadership transfer to campaign at once. */
export interface TimeoutNow extends Addressed {
  readonly kind: 'timeoutNow';
  /** The leader's round that began with it. */
  readonly round: number;
}

/** Offers a checkpoint to a follower that the log no longer reaches. The bytes of it travel on the bulk link. */
export interface InstallSnapshot extends Addressed {
  readonly kind: 'installSnapshot';
  readonly lastIncludedIndex: LogIndex;
  readonly lastIncludedTerm: Term;
  /** Distinguishes attempts; chosen by the sender. */
  readonly transfer: number;
  /** The host's own: what the checkpoint consists of. */
  readonly body: Buffer;
}

export interface InstallSnapshotReply extends Addressed {
  readonly kind: 'installSnapshotReply';
  readonly stage: 'accepted' | 'progress' | 'done' | 'refused';
  readonly lastIncludedIndex: LogIndex;
  readonly transfer: number;
  /** How far the receiver has got, in the host's units. */
  readonly position: number;
  /** The host's own: what the receiver holds already, or why it refused. */
  readonly body: Buffer;
}

export type PeerMessage =
  | RequestVote
  | RequestVoteReply
  | AppendEntries
  | AppendEntriesReply
  | TimeoutNow
  | InstallSnapshot
  | InstallSnapshotReply;

export interface GroupMessage {
  readonly group: GroupId;
  readonly message: PeerMessage;
}
