/**
 * Owns elections: the tally of one that this node holds, and the rules by which it votes in others' (§5.2, §5.4.1).
 */
import type { NodeId } from '../../base/brand.ts';
import type { RequestVote, RequestVoteReply } from '../messages.ts';
import type { Term } from '../types.ts';
import type { Effects } from './effects.ts';
import { isVoter, members } from './membership.ts';
import { isQuorum } from './quorum.ts';
import type { Replica } from './replica.ts';

const NO_TERM = 0 as Term;

/** The answers to one round of asking. Our own is yes, from the start. */
export class Tally {
  readonly #replica: Replica;
  readonly #votes = new Map<NodeId, boolean>();

  constructor(replica: Replica) {
    this.#replica = replica;
    this.#votes.set(replica.node, true);
  }

  record(voter: NodeId, granted: boolean): void {
    if (!this.#votes.has(voter)) this.#votes.set(voter, granted);
  }

  /** Asked anew each time: the membership can change while votes come in. */
  get outcome(): 'won' | 'lost' | 'open' {
    const { membership } = this.#replica;
    if (isQuorum(membership, (voter) => this.#votes.get(voter) === true)) return 'won';
    return isQuorum(membership, (voter) => this.#votes.get(voter) !== false) ? 'open' : 'lost';
  }
}

/** A leader's word that another may campaign: its term, and the round that began with it. */
export interface Transfer {
  readonly term: Term;
  readonly round: number;
}

/** Asks every other voter. A real campaign's requests wait until term and vote are on disk; a pre-vote promises nothing. */
export function requestVotes(
  replica: Replica,
  campaign: { readonly term: Term; readonly preVote: boolean; readonly transfer: Transfer | undefined },
  effects: Effects,
): void {
  for (const to of members(replica.membership)) {
    if (to === replica.node || !isVoter(replica.membership, to)) continue;
    const { lastIndex, lastTerm } = replica.log;
    const message: RequestVote = {
      kind: 'requestVote',
      from: replica.node,
      to,
      term: campaign.term,
      preVote: campaign.preVote,
      leadershipTransfer: campaign.transfer !== undefined,
      transferTerm: campaign.transfer?.term ?? NO_TERM,
      transferRound: campaign.transfer?.round ?? 0,
      lastLogIndex: lastIndex,
      lastLogTerm: lastTerm,
    };
    (campaign.preVote ? effects.send : effects.sendOncePersisted).push(message);
  }
}

/**
 * Answers a request of our term or, if it is a pre-vote, of a later one. Whoever asks need not be a voter of the
 * membership we know: ours may be old (§6).
 */
export function answerVote(replica: Replica, message: RequestVote, effects: Effects): void {
  const mayVote = !replica.repairing && replica.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  if (mayVote && message.term <= replica.voteFloor) {
    // Nothing but our past is in the way: tell how far to leap over it.
    effects.sendOncePersisted.push(voteReply(replica, message, replica.voteFloor, false));
    return;
  }
  if (message.preVote) {
    if (!mayVote || message.term === replica.currentTerm) refuseVote(replica, message, effects);
    // A promise in the term asked for, which binds nobody.
    else replica.say(voteReply(replica, message, message.term, true), effects);
    return;
  }
  if (!mayVote || (replica.votedFor !== undefined && replica.votedFor !== message.from)) {
    refuseVote(replica, message, effects);
    return;
  }
  if (replica.votedFor === undefined) replica.enterTerm(replica.currentTerm, message.from, effects);
  effects.restartElectionTimer = true;
  effects.sendOncePersisted.push(voteReply(replica, message, replica.currentTerm, true));
}

/** Tells our term as well, in case the asker is behind. */
export function refuseVote(replica: Replica, message: RequestVote, effects: Effects): void {
  replica.say(voteReply(replica, message, replica.currentTerm, false), effects);
}

function voteReply(replica: Replica, message: RequestVote, term: Term, voteGranted: boolean): RequestVoteReply {
  const { preVote, from } = message;
  return { kind: 'requestVoteReply', from: replica.node, to: from, term, preVote, voteGranted, journal: 0 };
}
