/**
 * Owns what every member has whatever its role: the state the paper's figure 2 lists for all servers, and how it may
 * change. Roles read it freely and change it only through the methods here.
 */
import type { NodeId } from '../../base/brand.ts';
import { invariant } from '../../base/errors.ts';
import type { PeerMessage } from '../messages.ts';
import { sealRecord } from '../record.ts';
import type { Entry, EntryKind, GroupId, LogIndex, Term } from '../types.ts';
import type { Effects } from './effects.ts';
import type { Transfer } from './election.ts';
import {
  DEFAULT_LIMITS,
  type CommitRule,
  type CoreLimits,
  type CoreOptions,
  type HardState,
  type SnapshotPoint,
} from './input.ts';
import { LogWindow } from './log-window.ts';
import { decodeMembership, MembershipHistory, type Membership } from './membership.ts';

/** Of the shortest election timeout: the rest is for clocks that run at different rates. */
const LEASE_PART = 0.8;

/**
 * A replica that lost its vote can't know in which terms it voted, but they lie close to those the quorum has seen:
 * each campaign moves on by one, and needs a quorum's consent in a pre-vote. This is far beyond.
 */
const VOTE_LEAP = 2 ** 20;

/** Entries of earlier terms on a majority can still be overwritten (§5.4.2, figure 8): only our own count. */
const ownTermOnly: CommitRule = (entryTerm, currentTerm) => entryTerm === currentTerm;

export class Replica {
  readonly node: NodeId;
  readonly group: GroupId;
  readonly limits: CoreLimits;
  readonly commitRule: CommitRule;
  readonly electionTimeoutMinMs: number;
  readonly leaseMs: number;
  readonly log: LogWindow;
  readonly memberships: MembershipHistory;

  #currentTerm = 0 as Term;
  #votedFor: NodeId | undefined;
  #voteFloor = 0 as Term;
  /** The latest term that is on disk; what we say in `currentTerm` must not be heard before. */
  #durableTerm = 0 as Term;
  #commitIndex = 0 as LogIndex;
  /** The last entry handed out to be applied. */
  #applyIndex = 0 as LogIndex;
  #loadingToApply = false;
  readonly #repairNumber: () => number;
  /** 0: none. */
  #repair = 0;

  /** Time of the current step. */
  now = 0;
  /** When a leader was last heard of. Votes are refused for a while after that, and so leases hold. */
  lastLeaderContact = Number.NEGATIVE_INFINITY;
  /** When this process took over from an earlier one, of which it does not know what leaders told it last. */
  restartedAt = Number.NEGATIVE_INFINITY;
  /** In the current term, transfers of leadership up to this round are over, as its leader said. */
  #transfersOverThrough = 0;

  constructor(options: CoreOptions) {
    this.node = options.node;
    this.group = options.group;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.commitRule = options.commitRule ?? ownTermOnly;
    this.#repairNumber = options.repairNumber;
    this.electionTimeoutMinMs = options.electionTimeoutMinMs;
    this.leaseMs = options.leaseMs ?? options.electionTimeoutMinMs * LEASE_PART;
    if (options.state.kind === 'created') {
      this.log = new LogWindow(this.limits.windowBytes);
      this.memberships = new MembershipHistory(0 as LogIndex, options.state.membership);
      return;
    }
    const { state, repairing } = options.state;
    this.log = new LogWindow(this.limits.windowBytes, state);
    this.memberships = new MembershipHistory(state.snapshot.index, state.snapshot.membership);
    for (const { index, membership } of state.memberships) this.memberships.append(index, membership);
    const { hardState } = state;
    invariant(hardState.term >= this.log.lastTerm, `term ${hardState.term}, but log of ${this.log.lastTerm}`);
    this.#currentTerm = this.#durableTerm = hardState.term;
    this.#votedFor = hardState.votedFor;
    this.#voteFloor = hardState.voteFloor;
    this.#commitIndex = Math.min(Math.max(state.commitIndex, state.snapshot.index), this.log.lastIndex) as LogIndex;
    this.#applyIndex = state.snapshot.index;
    if (repairing) this.#repair = this.#repairNumber();
  }

  get currentTerm(): Term {
    return this.#currentTerm;
  }

  get hardState(): HardState {
    return { term: this.#currentTerm, votedFor: this.#votedFor, voteFloor: this.#voteFloor };
  }

  get votedFor(): NodeId | undefined {
    return this.#votedFor;
  }

  /** Votes, our own included, are given only in later terms. */
  get voteFloor(): Term {
    return this.#voteFloor;
  }

  /** The term in which this node would campaign. */
  get nextTerm(): Term {
    return (Math.max(this.#currentTerm, this.#voteFloor) + 1) as Term;
  }

  get termIsDurable(): boolean {
    return this.#durableTerm === this.#currentTerm;
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex;
  }

  get applyIndex(): LogIndex {
    return this.#applyIndex;
  }

  get repairing(): boolean {
    return this.#repair !== 0;
  }

  /** Number of the repair; 0: nothing is to be repaired. */
  get repair(): number {
    return this.#repair;
  }

  get membership(): Membership {
    return this.memberships.current;
  }

  /**
   * A voter that is leaving may be the only one with a log that can win, so it goes on campaigning until its leaving
   * is committed (thesis §4.2.2).
   */
  get mayCampaign(): boolean {
    return !this.repairing && this.memberships.hasVoteSince(this.#commitIndex, this.node);
  }

  get heardFromLeaderLately(): boolean {
    return this.now - this.lastLeaderContact < this.electionTimeoutMinMs;
  }

  /** The leader of the current term says that no transfer up to this round counts any more. */
  transfersAreOver(round: number): void {
    if (round > this.#transfersOverThrough) this.#transfersOverThrough = round;
  }

  /**
   * Whether a leader may be replaced at once because of this word of its own. Whoever answered a round after it was told
   * that it does not count any more, and so a lease that rests on that round is safe from it. After a restart this is not
   * known for as long as a lease may rest on what was said before.
   */
  heedsTransfer({ term, round }: Transfer): boolean {
    if (term !== this.#currentTerm) return term > this.#currentTerm;
    return round > this.#transfersOverThrough && this.now - this.restartedAt >= this.electionTimeoutMinMs;
  }

  /** Term and vote never go back: a vote is taken back only by a later term. */
  enterTerm(term: Term, votedFor: NodeId | undefined, effects: Effects): void {
    invariant(term >= this.#currentTerm, `term ${term} after ${this.#currentTerm}`);
    invariant(
      term > this.#currentTerm || this.#votedFor === undefined || this.#votedFor === votedFor,
      `second vote in term ${term}`,
    );
    if (term > this.#currentTerm) this.#transfersOverThrough = 0;
    this.#currentTerm = term;
    this.#votedFor = votedFor;
    effects.hardState = this.hardState;
  }

  persisted(index: LogIndex, term: Term, hardStateTerm: Term | undefined): void {
    if (hardStateTerm !== undefined && hardStateTerm > this.#durableTerm) this.#durableTerm = hardStateTerm;
    this.log.persisted(index, term);
  }

  /** Sends what promises nothing but that our term is ours. */
  say(message: PeerMessage, effects: Effects): void {
    (this.termIsDurable ? effects.send : effects.sendOncePersisted).push(message);
  }

  /** Makes `record` the next entry of the log. Leader only. */
  appendOwn(record: Buffer, kind: EntryKind, effects: Effects): void {
    const { lastIndex } = this.log;
    const entry = sealRecord(record, {
      kind,
      group: this.group,
      index: (lastIndex + 1) as LogIndex,
      term: this.#currentTerm,
      previousChecksum: this.log.checksumAt(lastIndex)!,
    });
    this.append([entry], effects);
  }

  /** Appends entries that follow the last one. True if they changed the membership. */
  append(entries: readonly Entry[], effects: Effects): boolean {
    let changed = false;
    for (const entry of entries) {
      this.log.append(entry);
      if (entry.kind !== 'membership') continue;
      const membership = decodeMembership(entry.body);
      invariant(membership !== undefined, `entry ${entry.index} holds no membership`);
      this.memberships.append(entry.index, membership);
      effects.statusChanged = true;
      changed = true;
    }
    effects.appendEntries(entries);
    return changed;
  }

  truncateFrom(index: LogIndex, effects: Effects): void {
    invariant(index > this.#commitIndex, `truncating at ${index}, committed through ${this.#commitIndex}`);
    this.log.truncateFrom(index);
    if (this.memberships.truncateFrom(index)) effects.statusChanged = true;
  }

  commitTo(index: LogIndex, effects: Effects): void {
    invariant(index <= this.log.lastIndex, `committing ${index} of ${this.log.lastIndex}`);
    if (index > this.#commitIndex) this.#commitIndex = index;
    this.handOut(effects);
  }

  /** Hands out committed entries to be applied; those no longer in memory are read first. */
  handOut(effects: Effects): void {
    if (this.#loadingToApply || this.#applyIndex >= this.#commitIndex) return;
    const from = (this.#applyIndex + 1) as LogIndex;
    const entries = this.log.slice(from, this.#commitIndex, Number.POSITIVE_INFINITY);
    if (entries !== undefined) {
      for (const entry of entries) effects.apply.push(entry);
      this.#applyIndex = this.#commitIndex;
      return;
    }
    this.#loadingToApply = true;
    const through = Math.min(this.#commitIndex, this.log.firstInMemory - 1) as LogIndex;
    effects.load.push({ to: this.node, from, through, maxBytes: this.limits.maxAppendBytes });
  }

  /** What `handOut` asked to be read. Without entries the next step that moves something asks again. */
  loadedToApply(entries: readonly Entry[], effects: Effects): void {
    this.#loadingToApply = false;
    for (const entry of entries) {
      // A snapshot may have overtaken the reading.
      if (entry.index !== this.#applyIndex + 1 || entry.index > this.#commitIndex) continue;
      effects.apply.push(entry);
      this.#applyIndex = entry.index;
    }
    if (entries.length > 0) this.handOut(effects);
  }

  compactTo(index: LogIndex): void {
    invariant(index <= this.#applyIndex, `compacting to ${index}, applied through ${this.#applyIndex}`);
    this.log.compactTo(index);
    this.memberships.compactTo(index);
  }

  /** A checkpoint from elsewhere takes the place of everything up to its index, unless we are further already. */
  install(snapshot: SnapshotPoint, effects: Effects): void {
    if (snapshot.index <= this.#commitIndex) return;
    // Entries behind a snapshot that our log agrees with stay: they may be promised (§7).
    const keepLog = this.log.termAt(snapshot.index) === snapshot.term;
    if (keepLog) {
      this.log.compactTo(snapshot.index);
      this.memberships.compactTo(snapshot.index);
    } else {
      this.log.reset(snapshot.index, snapshot.term, snapshot.checksum);
      this.memberships.reset(snapshot.index, snapshot.membership);
    }
    this.#commitIndex = snapshot.index;
    this.#applyIndex = snapshot.index;
    this.#loadingToApply = false;
    effects.installSnapshot(snapshot, keepLog);
    effects.statusChanged = true;
  }

  beginRepair(effects: Effects): void {
    this.#repair = this.#repairNumber();
    // A leader vouched for what was lost before this.
    effects.repaired = false;
    effects.statusChanged = true;
  }

  /** The leader vouches for us. A candidate may still be counting on a vote of ours that we have forgotten. */
  endRepair(effects: Effects): void {
    this.#repair = 0;
    this.#voteFloor = (this.#currentTerm + VOTE_LEAP) as Term;
    effects.hardState = this.hardState;
    effects.repaired = true;
    effects.statusChanged = true;
  }
}
