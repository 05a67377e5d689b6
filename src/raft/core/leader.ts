/**
 * Owns what only a leader does: committing by counting, proving that it still leads, and handing over. What it sends is
 * in replicator.ts, changes of membership in membership-driver.ts, rounds and the lease in rounds.ts.
 */
import type { NodeContact } from './input.ts';
import type { NodeId } from '../../base/brand.ts';
import type { AppendEntriesReply } from '../messages.ts';
import { allocateRecord } from '../record.ts';
import type { LogIndex, Term } from '../types.ts';
import type { Effects } from './effects.ts';
import { isJoint, isVoter, members, type MembershipChange } from './membership.ts';
import { MembershipDriver } from './membership-driver.ts';
import { Progress } from './progress.ts';
import { reachedByQuorum } from './quorum.ts';
import type { Replica } from './replica.ts';
import { Replicator } from './replicator.ts';
import { MAX_WAITING_READS, Rounds } from './rounds.ts';

export class Leader {
  readonly kind = 'leader';
  readonly #replica: Replica;
  /** Every other member, in sorted order, so that a run replays. */
  readonly #peers = new Map<NodeId, Progress>();
  readonly #rounds: Rounds;
  readonly #replicator: Replicator;
  readonly #membership: MembershipDriver;
  /** Of the empty entry that opens the term. Until it is committed, nobody knows what is (§8). */
  readonly #firstIndex: LogIndex;
  /** Reads that came before that. */
  #earlyReads: number[] = [];
  #transfer: { readonly to: NodeId; readonly since: number; told: boolean } | undefined;
  #lastHeartbeat: number;

  constructor(replica: Replica) {
    this.#replica = replica;
    this.#rounds = new Rounds(replica.leaseMs);
    this.#replicator = new Replicator(replica, this.#peers, this.#rounds);
    this.#membership = new MembershipDriver(replica, this.#peers);
    this.#firstIndex = (replica.log.lastIndex + 1) as LogIndex;
    this.#lastHeartbeat = replica.now;
    this.#syncPeers();
  }

  /** Opens the term: the empty entry lets earlier ones be committed (§5.4.2, §8). */
  start(effects: Effects): void {
    this.#rounds.begin(this.#replica.now);
    this.#replica.appendOwn(allocateRecord(0), 'empty', effects);
    this.#replicator.broadcast(effects);
  }

  get peers(): ReadonlyMap<NodeId, Progress> {
    return this.#peers;
  }

  /** It has committed an entry of its own term: its commit index is at least every earlier leader's. */
  get ready(): boolean {
    return this.#replica.commitIndex >= this.#firstIndex;
  }

  get canPropose(): boolean {
    return this.#transfer === undefined;
  }

  get hibernating(): boolean {
    return this.#replicator.hibernating;
  }

  get transferTarget(): NodeId | undefined {
    return this.#transfer?.to;
  }

  /** For the host's answers: entries that were read, and checkpoints that were sent. */
  get replicator(): Replicator {
    return this.#replicator;
  }

  hasLease(now: number): boolean {
    return this.ready && this.#rounds.hasLease(now);
  }

  propose(records: readonly Buffer[], effects: Effects): void {
    if (!this.canPropose) return;
    this.wake(effects);
    for (const record of records) this.#replica.appendOwn(record, 'normal', effects);
    this.#replicator.replicateAll(effects);
  }

  /** Our own disk has caught up. A leader writes in parallel with its followers, and counts itself when it is done. */
  persisted(termBecameDurable: boolean, effects: Effects): void {
    if (termBecameDurable) this.#replicator.broadcast(effects);
    this.#advanceCommit(effects);
    this.#settleRounds(effects);
  }

  // --- Time ---

  /** False: no quorum was heard of for an election timeout, so another leader may be at work: step down (§6.2). */
  heartbeat(nodeContact: NodeContact | undefined, effects: Effects): boolean {
    this.#replica.handOut(effects);
    if (this.#replicator.hibernating) return true;
    const { now, electionTimeoutMinMs } = this.#replica;
    // If it was us who stood still, the others' words may still lie in our sockets: give them one more interval.
    const stoodStill = now - this.#lastHeartbeat >= electionTimeoutMinMs;
    this.#lastHeartbeat = now;
    if (!stoodStill && now - this.#lastQuorumContact(nodeContact) >= electionTimeoutMinMs) return false;
    if (this.#transfer !== undefined && now - this.#transfer.since >= electionTimeoutMinMs) {
      this.#rounds.restoreLease();
      this.#transfer = undefined;
      this.#replicator.transfersOver = true;
      effects.statusChanged = true;
    }
    for (const progress of this.#peers.values()) progress.resume();
    this.#rounds.begin(now);
    this.#replicator.broadcast(effects);
    this.#settleRounds(effects);
    return true;
  }

  /** Steps down at worst too late: neither commits nor leases rest on it. */
  #lastQuorumContact(nodeContact: NodeContact | undefined): number {
    const { node, now, membership } = this.#replica;
    return reachedByQuorum(membership, (voter) => {
      if (voter === node) return now;
      const progress = this.#peers.get(voter);
      if (progress === undefined || progress.repair !== undefined) return Number.NEGATIVE_INFINITY;
      return Math.max(progress.lastContact, nodeContact?.(voter) ?? Number.NEGATIVE_INFINITY);
    });
  }

  // --- Replies ---

  reply(reply: AppendEntriesReply, effects: Effects): void {
    const progress = this.#peers.get(reply.from);
    if (progress === undefined || reply.matchIndex > this.#replica.log.lastIndex) return;
    if (!this.#admit(progress, reply)) return;
    progress.lastContact = this.#replica.now;
    progress.commitIndex = reply.commitIndex;
    if (reply.readContext <= this.#rounds.latest && reply.readContext > progress.ackedRound) {
      progress.ackedRound = reply.readContext;
    }
    if (reply.success) progress.acknowledged(reply.matchIndex);
    else progress.refused(reply.prevLogIndex, this.#conflictHint(reply));
    if (this.#replicator.hibernating && !this.#isUpToDate(progress)) this.wake(effects);
    this.#vouch(progress);
    this.#advanceCommit(effects);
    const sent = this.#replicator.replicate(reply.from, progress, effects);
    if (!sent) this.#replicator.tellCommit(reply.from, progress, effects);
    this.#settleRounds(effects);
    this.#continueTransfer(effects);
    this.#advanceMembership(effects);
  }

  /** False: the reply describes a log that its sender has lost since, or one that may not count. */
  #admit(progress: Progress, reply: AppendEntriesReply): boolean {
    if (reply.readContext < progress.ignoreRoundsBefore) return false;
    if (reply.repairing !== 0) {
      if (progress.repair?.number === reply.repairing) return true;
      this.#rounds.begin(this.#replica.now);
      const hint = reply.success ? reply.matchIndex : reply.conflictIndex;
      const nextIndex = (Math.min(hint, this.#replica.log.lastIndex) + 1) as LogIndex;
      progress.beginRepair(reply.repairing, this.#rounds.latest, nextIndex);
      return true;
    }
    if (progress.repair === undefined) return true;
    this.#vouch(progress);
    if (progress.repair.throughIndex === undefined) return false;
    // What it said while it was repairing may still be under way, and must not begin it all over.
    progress.repair = undefined;
    this.#rounds.begin(this.#replica.now);
    progress.ignoreRoundsBefore = this.#rounds.latest;
    return true;
  }

  /** The last index at which the logs can agree, seen from both (§5.3: one refusal per term, not per entry). */
  #conflictHint(reply: AppendEntriesReply): LogIndex {
    if (reply.conflictTerm === 0) return reply.conflictIndex;
    return this.#replica.log.lastIndexOfTermAtMost(reply.conflictIndex, reply.conflictTerm);
  }

  /** Sets how far a member that lost something must get, once a quorum without it has confirmed us. */
  #vouch(progress: Progress): void {
    const { repair } = progress;
    if (repair === undefined || repair.throughIndex !== undefined) return;
    if (this.ready && this.#rounds.confirmed >= repair.sinceRound) repair.throughIndex = this.#replica.commitIndex;
  }

  #advanceCommit(effects: Effects): void {
    const { node, log, membership, commitIndex, currentTerm, commitRule } = this.#replica;
    const index = reachedByQuorum(membership, (voter) => {
      if (voter === node) return log.durableIndex;
      const progress = this.#peers.get(voter);
      return progress === undefined || progress.repair !== undefined ? 0 : progress.matchIndex;
    }) as LogIndex;
    if (index <= commitIndex || !commitRule(log.termAt(index) ?? (0 as Term), currentTerm)) return;
    this.#replica.commitTo(index, effects);
    if (commitIndex < this.#firstIndex && index >= this.#firstIndex) this.#becameReady(effects);
    // Under load the next entries carry the news; at the end of a burst nothing else would.
    if (index === log.lastIndex) this.#replicator.broadcast(effects);
    this.#advanceMembership(effects);
  }

  #becameReady(effects: Effects): void {
    effects.statusChanged = true;
    const reads = this.#earlyReads;
    this.#earlyReads = [];
    for (const context of reads) this.readIndex(context, effects);
  }

  // --- Reads ---

  readIndex(context: number, effects: Effects): void {
    this.wake(effects);
    if (!this.ready) {
      if (this.#earlyReads.length < MAX_WAITING_READS) this.#earlyReads.push(context);
      else effects.abortedReads.push(context);
      return;
    }
    const { now, commitIndex } = this.#replica;
    if (this.#rounds.hasLease(now)) {
      effects.reads.push({ context, index: commitIndex });
    } else if (this.#rounds.waitingReads >= MAX_WAITING_READS) {
      effects.abortedReads.push(context);
    } else if (this.#rounds.wait(context, commitIndex)) {
      this.#rounds.begin(now);
      this.#replicator.broadcast(effects);
      this.#settleRounds(effects);
    }
  }

  /** Looks which rounds a quorum has answered by now, and what that settles. */
  #settleRounds(effects: Effects): void {
    const { node, membership, now } = this.#replica;
    const settled = reachedByQuorum(membership, (voter) => {
      if (voter === node) return this.#rounds.latest;
      const progress = this.#peers.get(voter);
      return progress === undefined || progress.repair !== undefined ? 0 : progress.ackedRound;
    });
    this.#rounds.confirm(settled);
    for (const { context, index } of this.#rounds.takeConfirmed()) effects.reads.push({ context, index });
    if (!this.#rounds.needsRound) return;
    this.#rounds.begin(now);
    this.#replicator.broadcast(effects);
    this.#settleRounds(effects);
  }

  /** Leadership is lost: nothing that waited for it will be answered. */
  stop(effects: Effects): void {
    for (const context of this.#earlyReads) effects.abortedReads.push(context);
    for (const { context } of this.#rounds.takeAll()) effects.abortedReads.push(context);
  }

  // --- Membership ---

  changeMembership(change: MembershipChange, effects: Effects): void {
    this.wake(effects);
    if (!this.#membership.request(change)) effects.membershipOutcome = 'refused';
    this.#advanceMembership(effects);
  }

  #advanceMembership(effects: Effects): void {
    if (!this.ready || !this.canPropose) return;
    if (!this.#membership.advance(effects)) return;
    this.#syncPeers();
    this.#replicator.replicateAll(effects);
    // Alone, or with fewer than before, our own word may be enough.
    this.#advanceCommit(effects);
  }

  #syncPeers(): void {
    const nodes = members(this.#replica.membership).filter((node) => node !== this.#replica.node);
    const previous = new Map(this.#peers);
    this.#peers.clear();
    for (const node of nodes) this.#peers.set(node, previous.get(node) ?? this.#newProgress());
  }

  /** Begins at the end of our log, for most members have all or nearly all of it. */
  #newProgress(): Progress {
    const { limits, log, now } = this.#replica;
    return new Progress(limits, (log.lastIndex + 1) as LogIndex, now);
  }

  /** The membership in force is committed and we are no voter of it: somebody else must lead (§6). */
  get isRemoved(): boolean {
    const { memberships, membership, commitIndex, node } = this.#replica;
    return memberships.currentIndex <= commitIndex && !isVoter(membership, node);
  }

  // --- Handing over ---

  /** Brings `to`, or whoever is closest, up to date and has it campaign (thesis §3.10). Proposals wait meanwhile. */
  transfer(to: NodeId | undefined, effects: Effects): void {
    const target = to ?? this.#mostAdvancedVoter();
    const progress = target === undefined ? undefined : this.#peers.get(target);
    if (target === undefined || progress === undefined) return;
    if (!isVoter(this.#replica.membership, target) || progress.repair !== undefined) return;
    this.wake(effects);
    this.#rounds.voidLease();
    this.#transfer = { to: target, since: this.#replica.now, told: false };
    this.#replicator.transfersOver = false;
    effects.statusChanged = true;
    progress.resume();
    this.#replicator.replicate(target, progress, effects);
    this.#continueTransfer(effects);
  }

  #mostAdvancedVoter(): NodeId | undefined {
    let best: NodeId | undefined;
    for (const [node, progress] of this.#peers) {
      if (!this.#replica.membership.voters.includes(node) || progress.repair !== undefined) continue;
      if (best === undefined || progress.matchIndex > this.#peers.get(best)!.matchIndex) best = node;
    }
    return best;
  }

  #continueTransfer(effects: Effects): void {
    if (this.#transfer === undefined || this.#transfer.told) return;
    const { to } = this.#transfer;
    if (this.#peers.get(to)?.matchIndex !== this.#replica.log.lastIndex) return;
    this.#transfer.told = true;
    this.#tellToCampaign(to, effects);
  }

  /** With a round of its own: later than any of which a follower was told that transfers before it are over. */
  #tellToCampaign(to: NodeId, effects: Effects): void {
    const { node, currentTerm, now } = this.#replica;
    this.#rounds.begin(now);
    effects.send.push({ kind: 'timeoutNow', from: node, to, term: currentTerm, round: this.#rounds.latest });
  }

  /** A leader that was removed tells the most advanced voter to campaign, so that nobody waits for a timeout. */
  abdicate(effects: Effects): void {
    const to = this.#mostAdvancedVoter();
    if (to !== undefined) this.#tellToCampaign(to, effects);
  }

  // --- Hibernation ---

  #isUpToDate(progress: Progress): boolean {
    const { lastIndex } = this.#replica.log;
    return progress.matchIndex === lastIndex && progress.commitIndex === lastIndex && progress.repair === undefined;
  }

  /** Nothing is left to be said to anybody. */
  get canHibernate(): boolean {
    const { log, commitIndex, applyIndex, membership } = this.#replica;
    if (!this.ready || commitIndex !== log.lastIndex || applyIndex !== commitIndex) return false;
    if (log.durableIndex !== log.lastIndex || this.#transfer !== undefined) return false;
    if (isJoint(membership) || this.#membership.pending || this.#rounds.waitingReads > 0) return false;
    for (const progress of this.#peers.values()) if (!this.#isUpToDate(progress)) return false;
    return true;
  }

  /** Says so with a last heartbeat. The lease simply runs out. */
  hibernate(effects: Effects): void {
    if (this.#replicator.hibernating || !this.canHibernate) return;
    this.#replicator.hibernating = true;
    effects.statusChanged = true;
    this.#replicator.broadcast(effects);
  }

  wake(effects: Effects): void {
    if (!this.#replicator.hibernating) return;
    this.#replicator.hibernating = false;
    effects.statusChanged = true;
    const { now } = this.#replica;
    this.#lastHeartbeat = now;
    // Nobody was asked to speak, so silence proves nothing yet.
    for (const progress of this.#peers.values()) progress.lastContact = now;
    this.#rounds.begin(now);
    this.#replicator.broadcast(effects);
  }

  setDigest(index: LogIndex, digest: number): void {
    this.#replicator.digest = { index, digest };
  }
}
