/**
 * The Raft algorithm and nothing else: inputs in, effects out. No clock, no chance, no disk, no wire: same state and
 * same inputs, same effects. "§" is the extended Raft paper, "thesis" Ongaro's dissertation.
 *
 * What is here
 * - Leader election (§5.2, §5.4.1) with PreVote (thesis §9.6) and CheckQuorum (§6.2): election.ts, and the transitions
 *   between roles below.
 * - Log replication (§5.3, §5.4.2), pipelined (thesis §10.2.1): leader.ts, replicator.ts, progress.ts,
 *   follower.ts, log-window.ts.
 * - Reads without writing, by ReadIndex and lease (thesis §6.4): rounds.ts.
 * - Membership changes by joint consensus with learners (§6, thesis §4.2.1): membership.ts, membership-driver.ts.
 * - Leadership transfer (thesis §3.10): leader.ts. Installing checkpoints (§7): only the decision; bytes are the host's.
 *
 * Durability is explicit. A step may want things on disk (`hardState`, `append`, `install`) and has two kinds of
 * messages: those in `send` may leave at once, those in `sendOncePersisted` are promises and wait. The host tells by
 * `persisted` what is on disk; only then does a leader count itself, or let its term be heard.
 *
 * Time is an argument of every step: a monotonic clock, read after the input arrived and before its effects leave.
 * Both matter to the lease: a follower must not believe it heard from the leader earlier than it did, nor a leader that
 * it began a round later. Timers are the host's; the core judges silence by `now`, so an early timer does no harm.
 *
 * Where it departs from the paper
 * - The first leader of a new group may be agreed on in advance: every member, when it creates the group, votes for it
 *   in term 1. That is an election like any other, with the requests left out.
 * - A replica that finds it has lost something it had promised is *repairing*: it neither campaigns nor votes, and does
 *   not count, until a leader has vouched for it (progress.ts says why that is enough). Each repair has a number, so that
 *   the word that ended an earlier one does not end another when it comes late.
 * - A member always answers a leader or candidate of an older term, with its own: with PreVote nobody may listen to a
 *   member that is ahead, and without an answer it and an old leader could wait for each other for ever.
 * - A restarted member refuses votes for one election timeout, since it may have helped to grant a lease before. Nobody
 *   votes within that time of having heard from a leader, not even in a later term that it came to by hearsay.
 * - A leadership transfer that was given up does not count any more for whoever has heard of that: each of its words names
 *   the round that began with it, and AppendEntries says when such rounds are over. So leases hold again in the same term.
 * - An idle group may fall silent (hibernate). That is an agreement to let timers rest and nothing more: promises are
 *   judged as ever, and whoever doubts wakes the others by campaigning.
 *
 * What is left out: reads and proposals forwarded by followers, and the transport of checkpoints. Both are the host's.
 */
import type { NodeId } from '../../base/brand.ts';
import type { AppendEntries, PeerMessage, RequestVote, RequestVoteReply, TimeoutNow } from '../messages.ts';
import type { LogIndex, Role, Term } from '../types.ts';
import type { Effects } from './effects.ts';
import { answerVote, refuseVote, requestVotes, Tally, type Transfer } from './election.ts';
import { acknowledgeSnapshot, refuseAppend, takeAppend } from './follower.ts';
import type { CoreOptions, HardState, Input, NodeContact, SnapshotPoint } from './input.ts';
import { Leader } from './leader.ts';
import { isVoter, type Membership } from './membership.ts';
import type { Progress } from './progress.ts';
import { Replica } from './replica.ts';

const NO_PEERS: ReadonlyMap<NodeId, Progress> = new Map<NodeId, Progress>();

/** What only one role has lives in it: a follower can't hold a `nextIndex`. */
type RoleState =
  | { readonly kind: 'follower'; leader: NodeId | undefined; hibernating: boolean }
  | { readonly kind: 'preCandidate'; readonly tally: Tally }
  | { readonly kind: 'candidate'; readonly tally: Tally }
  | Leader;

export class RaftCore {
  readonly #replica: Replica;
  readonly #options: CoreOptions;
  #role: RoleState = { kind: 'follower', leader: undefined, hibernating: false };

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#replica = new Replica(options);
  }

  /** Comes once, before any step. */
  start(now: number, effects: Effects): void {
    const { state } = this.#options;
    this.#replica.now = now;
    effects.restartElectionTimer = true;
    effects.statusChanged = true;
    if (state.kind === 'recovered') {
      // Before the restart we may have acknowledged a round, and so granted a lease.
      this.#replica.lastLeaderContact = now;
      this.#replica.restartedAt = now;
      this.#replica.handOut(effects);
      return;
    }
    if (state.firstLeader === undefined) return;
    this.#replica.enterTerm(1 as Term, state.firstLeader, effects);
    if (state.firstLeader === this.#replica.node && this.#replica.mayCampaign) this.#becomeLeader(effects);
  }

  /** `now` in milliseconds. All branching on the kind of event lives here. */
  step(input: Input, now: number, effects: Effects): void {
    this.#replica.now = now;
    switch (input.kind) {
      case 'electionTimeout':
        this.#electionTimeout(effects);
        return;
      case 'heartbeatTimeout':
        this.#heartbeatTimeout(input.nodeContact, effects);
        return;
      case 'peer':
        this.#stepPeer(input.message, effects);
        break;
      case 'propose':
        this.#asLeader?.propose(input.records, effects);
        return;
      case 'persisted':
        this.#persisted(input.index, input.term, input.hardState, effects);
        break;
      case 'loaded':
        if (input.to === this.#replica.node) this.#replica.loadedToApply(input.entries, effects);
        else this.#asLeader?.replicator.loaded(input.to, input.entries, effects);
        return;
      case 'compact':
        this.#replica.compactTo(input.index);
        return;
      case 'readIndex':
        if (this.#asLeader === undefined) effects.abortedReads.push(input.context);
        else this.#asLeader.readIndex(input.context, effects);
        return;
      case 'changeMembership':
        if (this.#asLeader === undefined) effects.membershipOutcome = 'refused';
        else this.#asLeader.changeMembership(input.change, effects);
        break;
      case 'transferLeadership':
        this.#asLeader?.transfer(input.to, effects);
        return;
      case 'snapshotSent':
        this.#asLeader?.replicator.snapshotSent(input.to, input.index, input.success, effects);
        return;
      case 'snapshotReceived':
        this.#snapshotReceived(input.from, input.snapshot, effects);
        return;
      case 'repairNeeded':
        this.#replica.beginRepair(effects);
        if (this.#role.kind !== 'follower') this.#becomeFollower(undefined, effects);
        return;
      case 'digest':
        this.#asLeader?.setDigest(input.index, input.digest);
        return;
      case 'hibernate':
        if (this.#role.kind === 'follower') this.#role.hibernating = this.canHibernate;
        else this.#asLeader?.hibernate(effects);
        return;
      case 'wake':
        this.#wake(effects);
        return;
    }
    this.#leaveIfRemoved(effects);
  }

  // --- What the host may ask ---

  get role(): Role {
    if (this.#role.kind !== 'follower') return this.#role.kind;
    return isVoter(this.#replica.membership, this.#replica.node) ? 'follower' : 'learner';
  }

  get currentTerm(): Term {
    return this.#replica.currentTerm;
  }

  get hardState(): HardState {
    return this.#replica.hardState;
  }

  get leader(): NodeId | undefined {
    if (this.#role.kind === 'leader') return this.#replica.node;
    return this.#role.kind === 'follower' ? this.#role.leader : undefined;
  }

  get commitIndex(): LogIndex {
    return this.#replica.commitIndex;
  }

  /** The last entry handed out in `apply`. */
  get applyIndex(): LogIndex {
    return this.#replica.applyIndex;
  }

  get lastIndex(): LogIndex {
    return this.#replica.log.lastIndex;
  }

  get durableIndex(): LogIndex {
    return this.#replica.log.durableIndex;
  }

  get snapshotIndex(): LogIndex {
    return this.#replica.log.snapshotIndex;
  }

  get membership(): Membership {
    return this.#replica.membership;
  }

  get repairing(): boolean {
    return this.#replica.repairing;
  }

  /** Leader that has committed an entry of its own term. */
  get ready(): boolean {
    return this.#asLeader?.ready ?? false;
  }

  get canPropose(): boolean {
    return this.#asLeader?.canPropose ?? false;
  }

  /** Where a leadership transfer under way goes to; it was given up when this is undefined and we still lead. */
  get transferTarget(): NodeId | undefined {
    return this.#asLeader?.transferTarget;
  }

  get hibernating(): boolean {
    return this.#role.kind === 'follower' ? this.#role.hibernating : (this.#asLeader?.hibernating ?? false);
  }

  /** Leader: everybody has everything and knows it. Follower: nothing is open, and there is a leader. */
  get canHibernate(): boolean {
    if (this.#asLeader !== undefined) return this.#asLeader.canHibernate;
    const { log, commitIndex, repairing } = this.#replica;
    return this.leader !== undefined && log.lastIndex === commitIndex && !repairing;
  }

  /** Other members as a leader sees them, sorted; empty elsewhere. */
  get peers(): ReadonlyMap<NodeId, Progress> {
    return this.#asLeader?.peers ?? NO_PEERS;
  }

  /** Reads at `commitIndex` are linearizable without asking anybody. */
  hasLease(now: number): boolean {
    return this.#asLeader?.hasLease(now) ?? false;
  }

  /** Undefined where the log does not reach, and in front of the snapshot. */
  termAt(index: LogIndex): Term | undefined {
    return this.#replica.log.termAt(index);
  }

  /** The point to store with a checkpoint of what was applied up to `index`. */
  snapshotPoint(index: LogIndex): SnapshotPoint | undefined {
    const { log, memberships } = this.#replica;
    const term = log.termAt(index);
    const checksum = log.checksumAt(index);
    if (term === undefined || checksum === undefined) return undefined;
    return { index, term, checksum, membership: memberships.at(index) };
  }

  /** Only if it is in memory. */
  cachedEntry(index: LogIndex) {
    return this.#replica.log.entryAt(index);
  }

  get #asLeader(): Leader | undefined {
    return this.#role.kind === 'leader' ? this.#role : undefined;
  }

  // --- Changing roles ---

  #becomeFollower(leader: NodeId | undefined, effects: Effects): void {
    this.#asLeader?.stop(effects);
    this.#role = { kind: 'follower', leader, hibernating: false };
    effects.restartElectionTimer = true;
    effects.statusChanged = true;
  }

  #enterTerm(term: Term, leader: NodeId | undefined, effects: Effects): void {
    this.#replica.enterTerm(term, undefined, effects);
    this.#becomeFollower(leader, effects);
  }

  /** Asks first whether it could win, so that a node cut off does not come back with a term that deposes a leader. */
  #preCampaign(effects: Effects): void {
    this.#role = { kind: 'preCandidate', tally: new Tally(this.#replica) };
    effects.statusChanged = true;
    const term = this.#replica.nextTerm;
    requestVotes(this.#replica, { term, preVote: true, transfer: undefined }, effects);
    this.#countVotes(effects);
  }

  #campaign(transfer: Transfer | undefined, effects: Effects): void {
    const term = this.#replica.nextTerm;
    this.#replica.enterTerm(term, this.#replica.node, effects);
    this.#role = { kind: 'candidate', tally: new Tally(this.#replica) };
    effects.statusChanged = true;
    effects.restartElectionTimer = true;
    requestVotes(this.#replica, { term, preVote: false, transfer }, effects);
    this.#countVotes(effects);
  }

  #countVotes(effects: Effects): void {
    if (this.#role.kind !== 'candidate' && this.#role.kind !== 'preCandidate') return;
    switch (this.#role.tally.outcome) {
      case 'open':
        return;
      case 'lost':
        this.#becomeFollower(undefined, effects);
        return;
      case 'won':
        if (this.#role.kind === 'preCandidate') this.#campaign(undefined, effects);
        else this.#becomeLeader(effects);
    }
  }

  #becomeLeader(effects: Effects): void {
    const leader = new Leader(this.#replica);
    this.#role = leader;
    effects.statusChanged = true;
    leader.start(effects);
  }

  #leaveIfRemoved(effects: Effects): void {
    const leader = this.#asLeader;
    if (leader === undefined || !leader.isRemoved) return;
    leader.abdicate(effects);
    this.#becomeFollower(undefined, effects);
  }

  // --- Inputs ---

  #electionTimeout(effects: Effects): void {
    if (this.#role.kind === 'leader' || this.hibernating) return;
    effects.restartElectionTimer = true;
    if (this.#replica.heardFromLeaderLately) return;
    if (this.#replica.mayCampaign) this.#preCampaign(effects);
    else this.#becomeFollower(undefined, effects);
  }

  #heartbeatTimeout(nodeContact: NodeContact | undefined, effects: Effects): void {
    const leader = this.#asLeader;
    if (leader !== undefined && !leader.heartbeat(nodeContact, effects)) this.#becomeFollower(undefined, effects);
  }

  #persisted(index: LogIndex, term: Term, hardState: HardState | undefined, effects: Effects): void {
    const wasDurable = this.#replica.termIsDurable;
    this.#replica.persisted(index, term, hardState?.term);
    this.#asLeader?.persisted(!wasDurable && this.#replica.termIsDurable, effects);
  }

  #snapshotReceived(from: NodeId, snapshot: SnapshotPoint, effects: Effects): void {
    // Found by a random run: after a loss our term may be older than what the checkpoint holds.
    if (snapshot.term > this.#replica.currentTerm) this.#enterTerm(snapshot.term, undefined, effects);
    if (this.#role.kind === 'leader') return;
    this.#replica.install(snapshot, effects);
    acknowledgeSnapshot(this.#replica, from, effects);
  }

  #wake(effects: Effects): void {
    this.#asLeader?.wake(effects);
    if (this.#role.kind !== 'follower' || !this.#role.hibernating) return;
    this.#role.hibernating = false;
    effects.restartElectionTimer = true;
    effects.statusChanged = true;
  }

  // --- Peers ---

  #stepPeer(message: PeerMessage, effects: Effects): void {
    const isLater = message.term > this.#replica.currentTerm;
    if (isLater && !this.#meetLaterTerm(message, effects)) return;
    if (message.term < this.#replica.currentTerm) {
      this.#answerEarlierTerm(message, effects);
      return;
    }
    switch (message.kind) {
      case 'requestVote':
        if (!isLater && this.#endangersLease(message)) refuseVote(this.#replica, message, effects);
        else this.#requestVote(message, effects);
        return;
      case 'requestVoteReply':
        this.#requestVoteReply(message, effects);
        return;
      case 'appendEntries':
        this.#appendEntries(message, effects);
        return;
      case 'appendEntriesReply':
        this.#asLeader?.reply(message, effects);
        return;
      case 'timeoutNow':
        this.#timeoutNow(message, effects);
        return;
      case 'installSnapshot':
        this.#heardFromLeader(message.from, false, effects);
        return;
      case 'installSnapshotReply':
        return;
    }
  }

  /** Only from the leader that we follow, unless it has changed its mind: otherwise it is late. */
  #timeoutNow({ from, term, round }: TimeoutNow, effects: Effects): void {
    const transfer = { term, round };
    if (this.#role.kind !== 'follower' || this.leader !== from || !this.#replica.heedsTransfer(transfer)) return;
    if (this.#replica.mayCampaign) this.#campaign(transfer, effects);
  }

  /** A later term makes anybody a follower (§5.1), with exceptions. False: the message is not to be heard at all. */
  #meetLaterTerm(message: PeerMessage, effects: Effects): boolean {
    switch (message.kind) {
      case 'requestVote':
        // A pre-vote only names a term. Its answer comes by the ordinary way.
        if (message.preVote) {
          this.#requestVote(message, effects);
          return false;
        }
        // Whoever hears from a leader helps nobody to depose it (§6): the lease rests on this.
        if (this.#leaderIsKnown && !this.#heedsTransfer(message)) return false;
        break;
      case 'requestVoteReply':
        if (message.preVote && message.voteGranted) {
          if (message.term === this.#replica.nextTerm) this.#requestVoteReply(message, effects);
          return false;
        }
        break;
      case 'appendEntries':
      case 'installSnapshot':
      case 'appendEntriesReply':
      case 'timeoutNow':
      case 'installSnapshotReply':
        break;
    }
    const isLeaders = message.kind === 'appendEntries' || message.kind === 'installSnapshot';
    this.#enterTerm(message.term, isLeaders ? message.from : undefined, effects);
    return true;
  }

  /** The leader itself asked for this election, and has not changed its mind since. */
  #heedsTransfer({ leadershipTransfer, transferTerm, transferRound }: RequestVote): boolean {
    if (!leadershipTransfer) return false;
    const leader = this.#asLeader;
    if (leader !== undefined && transferTerm === this.#replica.currentTerm) return !leader.canPropose;
    return this.#replica.heedsTransfer({ term: transferTerm, round: transferRound });
  }

  /** We may have come to its term by somebody's word alone, and have granted the leader of an earlier one a lease. */
  #endangersLease(message: RequestVote): boolean {
    if (message.preVote || this.#replica.votedFor === message.from) return false;
    return this.#replica.heardFromLeaderLately && !this.#heedsTransfer(message);
  }

  /** A leader was heard of within the shortest election timeout, or is this node. */
  get #leaderIsKnown(): boolean {
    return this.#role.kind === 'leader' || this.#replica.heardFromLeaderLately;
  }

  /** Whoever is behind must learn it, even if nobody else may listen to us now. */
  #answerEarlierTerm(message: PeerMessage, effects: Effects): void {
    if (message.kind === 'appendEntries') refuseAppend(this.#replica, message, effects);
    else if (message.kind === 'requestVote') refuseVote(this.#replica, message, effects);
  }

  #requestVote(message: RequestVote, effects: Effects): void {
    // Somebody doubts the silence. A leader that lives will speak up now, before we have to help to replace it.
    const leaderIsSilent = this.hibernating;
    if (leaderIsSilent) this.#wake(effects);
    if (message.preVote && (leaderIsSilent || this.#leaderIsKnown)) refuseVote(this.#replica, message, effects);
    else answerVote(this.#replica, message, effects);
  }

  #requestVoteReply(reply: RequestVoteReply, effects: Effects): void {
    const role = this.#role;
    if (role.kind !== 'preCandidate' && role.kind !== 'candidate') return;
    if (reply.preVote !== (role.kind === 'preCandidate')) return;
    role.tally.record(reply.from, reply.voteGranted);
    this.#countVotes(effects);
  }

  #appendEntries(message: AppendEntries, effects: Effects): void {
    // Two leaders in one term cannot be; whoever says so is not to be believed.
    if (this.#role.kind === 'leader') return;
    if (message.transfersOver) this.#replica.transfersAreOver(message.readContext);
    const outcome = takeAppend(this.#replica, message, effects);
    if (outcome === 'broken') return;
    const rests = message.hibernate && outcome === 'matched' && this.#replica.log.lastIndex === message.leaderCommit;
    this.#heardFromLeader(message.from, rests && !this.#replica.repairing, effects);
  }

  #heardFromLeader(leader: NodeId, hibernating: boolean, effects: Effects): void {
    this.#replica.lastLeaderContact = this.#replica.now;
    if (this.#role.kind === 'leader') return;
    if (this.#role.kind !== 'follower') this.#becomeFollower(leader, effects);
    if (this.#role.kind !== 'follower') return;
    if (this.#role.leader !== leader || this.#role.hibernating !== hibernating) effects.statusChanged = true;
    this.#role.leader = leader;
    this.#role.hibernating = hibernating;
    effects.restartElectionTimer = true;
  }
}
