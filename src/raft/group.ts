/**
 * Owns one group on this node: its core, its state machine and its storage, and what passes between them. It does
 * nothing of its own accord: the host calls it in its turns, and carries what it wants written or sent.
 */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { Applier } from './applier.ts';
import { Checkpointer } from './checkpoints/checkpointer.ts';
import { RaftCore } from './core/core.ts';
import { Effects } from './core/effects.ts';
import type { CoreOptions, Input, SnapshotPoint } from './core/input.ts';
import { sameMembership, type Membership } from './core/membership.ts';
import { DigestVote } from './repair/digest-vote.ts';
import { GroupCheckpoints } from './checkpoints/group-checkpoints.ts';
import { GroupClock } from './group-clock.ts';
import { GroupMembers } from './group-members.ts';
import { GroupDisk, type GroupWrite, type PendingPut } from './group-disk.ts';
import { GroupRepair } from './repair/group-repair.ts';
import type { HostContext } from './host-context.ts';
import type { PeerMessage } from './messages.ts';
import { OpenRequests } from './open-requests.ts';
import { ProposalMeter } from './proposal-meter.ts';
import { RecordAccess } from './record-access.ts';
import { SnapshotReceiver } from './checkpoints/snapshot-receiver.ts';
import { SnapshotSender } from './checkpoints/snapshot-sender.ts';
import { StatusReporter } from './status-reporter.ts';
import type { GroupStorage } from './storage/group-storage.ts';
import { emptyState, recoverGroup, type RecoveredGroup } from './storage/recovery.ts';
import type { WriteBatch } from './storage/write-batch.ts';
import type { GroupHandle, GroupId, GroupOptions, GroupStatus, LogIndex, StateMachine, Term } from './types.ts';

/** Per group, besides the node's cache of records, from which what is older is loaded without touching the disk. */
const WINDOW_BYTES = 1024 * 1024;
/** So many that chance gives none of them twice. */
const REPAIR_NUMBERS = 2 ** 48;

export class Group implements GroupHandle {
  readonly id: GroupId;
  readonly name: string;
  readonly storage: GroupStorage;
  readonly sender: SnapshotSender;
  readonly receiver: SnapshotReceiver;
  readonly repair: GroupRepair;
  readonly digestVote: DigestVote;
  readonly members: GroupMembers;
  readonly #context: HostContext;
  #core: RaftCore;
  readonly #effects = new Effects();
  readonly #machine: StateMachine;
  readonly #applier: Applier;
  readonly #checkpointer: Checkpointer;
  readonly #logger: Logger;
  readonly #requests: OpenRequests;
  readonly #records: RecordAccess;
  readonly #proposals: ProposalMeter;
  readonly #clock: GroupClock;
  readonly #disk: GroupDisk;
  readonly #checkpoints: GroupCheckpoints;
  readonly #status: StatusReporter;
  #closed = false;
  #couldPropose = false;
  #storedMembership: Membership;
  /** The machine's state is not there yet: until it is, nothing is heard, said or applied. */
  #rebuilding = true;

  constructor(context: HostContext, options: GroupOptions, storage: GroupStorage, state: CoreOptions['state']) {
    this.id = options.id;
    this.name = options.name;
    this.storage = storage;
    this.#context = context;
    this.#requests = new OpenRequests(options.id);
    this.#logger = context.logger.child({ group: options.id, name: options.name });
    this.#core = this.#makeCore(state);
    this.members = new GroupMembers(context, () => this.#core.membership, options.others?.nodes ?? []);
    this.#storedMembership = this.#core.membership;
    this.#machine = options.machine(this);
    const appliedIndex = state.kind === 'recovered' ? state.state.snapshot.index : (0 as LogIndex);
    this.#applier = new Applier(this.#machine, appliedIndex);
    this.#checkpointer = new Checkpointer(storage, this.#machine, context.checkpointPolicy);
    this.sender = new SnapshotSender(context, this, this.#checkpointer);
    this.receiver = new SnapshotReceiver(context, this);
    this.#disk = new GroupDisk(storage, this.#effects, this.#checkpointer);
    const { sender } = this;
    const [machine, applier, checkpointer, logger] = [this.#machine, this.#applier, this.#checkpointer, this.#logger];
    this.#checkpoints = new GroupCheckpoints(context, this, { machine, applier, checkpointer });
    this.#status = new StatusReporter(context, { machine, sender, logger });
    this.#records = new RecordAccess(context, this);
    this.#proposals = new ProposalMeter(context.metrics);
    this.#clock = new GroupClock(context, this);
    this.repair = new GroupRepair(context, this, this.#logger, {
      stopApplying: () => {
        this.#checkpoints.stopApplying();
        this.receiver.giveUp();
      },
      forgetCheckpoint: (batch) => {
        this.#checkpointer.forget(batch);
      },
      startOver: () => this.#startOver(),
    });
    this.digestVote = new DigestVote(context, this, {
      logger: this.#logger,
      digestAt: (index) => this.#applier.digestAt(index),
    });
  }

  #makeCore(state: CoreOptions['state']): RaftCore {
    const { node, timing, runtime } = this.#context;
    return new RaftCore({
      node,
      group: this.id,
      state,
      repairNumber: () => 1 + Math.floor(runtime.random() * REPAIR_NUMBERS),
      electionTimeoutMinMs: timing.electionTimeoutMinMs,
      limits: { windowBytes: WINDOW_BYTES },
    });
  }

  /** Restores the machine and starts the core. @throws {StorageError} STORAGE_CORRUPT, as `StateMachine.restore` may. */
  async start(recovered: RecoveredGroup | undefined): Promise<void> {
    if (recovered !== undefined) {
      this.receiver.recovered(recovered.staged);
      if (this.storage.storage === 'memory') this.repair.memoryLost();
    }
    if (recovered?.hasCheckpoint === true) await this.#checkpoints.restoreOwn(recovered.state.snapshot.index);
    this.#rebuilding = false;
    const now = this.#context.runtime.monotonicMs();
    this.members.refresh(false);
    const alone = this.members.isAlone;
    // The pause after a restart protects leases that others hold; alone there are none.
    this.#core.start(alone ? now - this.#context.timing.electionTimeoutMinMs : now, this.#effects);
    if (alone) this.#core.step({ kind: 'electionTimeout' }, now, this.#effects);
    this.#context.markDirty(this);
  }

  // --- What the host asks ---

  /** The group needs neither ticks nor messages now. */
  get isResting(): boolean {
    return this.#core.hibernating || (this.members.isAlone && this.#core.role === 'leader');
  }

  get isHibernating(): boolean {
    return this.#core.hibernating;
  }

  get canHibernate(): boolean {
    // A leader that no longer reaches a majority has to find out whether it still is one.
    return this.#core.canHibernate && !this.sender.isSending && (!this.isLeader || this.members.reachesMajority);
  }

  /** No entry, and nobody known who has one. */
  get hasNothing(): boolean {
    return this.#core.lastIndex === 0 && this.leader === undefined;
  }

  get leader(): NodeId | undefined {
    return this.#core.leader;
  }

  get isLeader(): boolean {
    return this.#core.role === 'leader';
  }

  get repairing(): boolean {
    return this.#core.repairing;
  }

  get term(): Term {
    return this.#core.currentTerm;
  }

  get commitIndex(): LogIndex {
    return this.#core.commitIndex;
  }

  get isInUse(): boolean {
    return !this.#closed;
  }

  snapshotPoint(index: LogIndex): SnapshotPoint | undefined {
    return this.#core.snapshotPoint(index);
  }

  step(input: Input): void {
    if (this.#closed || this.#rebuilding) return;
    this.#core.step(input, this.#context.runtime.monotonicMs(), this.#effects);
    this.#context.markDirty(this);
  }

  /** A message from a peer, except those that carry snapshots. */
  receive(message: PeerMessage): void {
    if (message.kind === 'appendEntries' && message.entries.length > 0) this.#clock.noteTraffic();
    if (message.kind === 'requestVote' && this.isHibernating && this.#mustWakeFor(message.from)) {
      this.step({ kind: 'wake' });
    }
    if (message.kind === 'appendEntries' && !this.repairing) {
      if (!this.#applier.compare(message.digestIndex, message.digest)) this.digestVote.doubt(message.digestIndex);
    }
    this.step({ kind: 'peer', message });
  }

  /** A candidate has lost its leader: the leader speaks up; a follower doubts too if it hears nothing of the leader's node. */
  #mustWakeFor(candidate: NodeId): boolean {
    if (this.isLeader) return true;
    const leader = this.leader;
    return leader === undefined || leader === candidate || !this.#context.isAlive(leader);
  }

  tick(tick: number, isBeat: boolean): void {
    this.#clock.tick(tick, isBeat);
    if (!isBeat) return;
    this.sender.tick();
    this.receiver.tick();
    this.repair.tellNothingLeft();
    this.#settleTransfers();
  }

  /** Carries out what needs no disk. Called by the host, once per turn and group. */
  process(): void {
    const effects = this.#effects;
    if (effects.restartElectionTimer) {
      effects.restartElectionTimer = false;
      this.#clock.restartElectionTimer();
    }
    for (const message of effects.send) this.#context.send(this.id, message);
    effects.send.length = 0;
    if (effects.apply.length > 0) {
      this.#proposals.committed(effects.apply, this.#context.runtime.monotonicMs());
      this.#applier.enqueue(effects.apply);
      effects.apply.length = 0;
    }
    if (effects.load.length > 0) {
      for (const load of effects.load) void this.#records.load(load);
      effects.load.length = 0;
    }
    this.#requests.settleReads(effects, (index, done) => {
      this.#applier.whenApplied(index, done);
    });
    for (const { to, index } of effects.snapshots) this.sender.offer(to, index);
    effects.snapshots.length = 0;
    if (effects.brokenChain !== undefined) this.repair.brokenChain(effects.brokenChain);
    effects.brokenChain = undefined;
    if (effects.statusChanged) this.#statusChanged();
    this.#requests.settleMembershipChange(effects, this.isLeader);
    if (effects.sendOncePersisted.length > 0 && !this.#disk.isWriting && !this.needsDisk) this.#release();
  }

  get hasToApply(): boolean {
    // What is behind a snapshot that is still to be installed must not reach the machine before it.
    return this.#applier.hasWork && !this.isReplacing && !this.#rebuilding && !this.#closed;
  }

  /** True if there is more to apply. */
  applySlice(): boolean {
    if (!this.hasToApply) return false;
    const own = this.#applier.applySlice();
    for (const entry of own) {
      this.#checkpointer.applied(entry.index);
    }
    const differsAt = this.#applier.compareExpected();
    if (differsAt !== undefined) this.digestVote.doubt(differsAt);
    if (this.isLeader && this.#applier.digestIsComparable) {
      const index = this.#applier.lastApplied;
      this.#core.step(
        { kind: 'digest', index, digest: this.#machine.digest() },
        this.#context.runtime.monotonicMs(),
        this.#effects,
      );
    }
    this.#status.applied(this.#core, this.#applier.lastApplied);
    this.#checkpoints.takeIfDue();
    return this.hasToApply;
  }

  /** Tells the machine that it may propose again, once per time that this becomes true. */
  welcomeProposals(): void {
    const can = this.canPropose;
    if (can && !this.#couldPropose) {
      this.#couldPropose = true;
      this.#machine.proposalsWelcome();
    }
    this.#couldPropose = this.canPropose;
  }

  // --- Writing ---

  get needsDisk(): boolean {
    return !this.#rebuilding && this.#disk.hasWork;
  }

  /** Rides in the next batch. `durable` is called when that is on disk. */
  put(change: PendingPut, durable?: () => void): void {
    this.#disk.put(change, durable);
    this.#context.markDirty(this);
  }

  /** Puts everything that is to be stored into `batch`. */
  collect(batch: WriteBatch): GroupWrite {
    return this.#disk.collect(batch, (received) => {
      this.#checkpoints.install(batch, received);
    });
  }

  /** What `collect` put is on disk. */
  written(write: GroupWrite): void {
    this.#disk.written();
    if (this.#closed) return;
    if (write.index > 0 || write.hardState !== undefined) {
      this.step({ kind: 'persisted', index: write.index, term: write.term, hardState: write.hardState });
    }
    for (const message of write.send) this.#context.sendPromise(this.id, message);
    if (write.checkpointComplete) {
      const forgotten = this.#checkpointer.durable();
      if (forgotten > this.#core.snapshotIndex) this.step({ kind: 'compact', index: forgotten });
    }
    if (write.install !== undefined) void this.#checkpoints.restoreReceived(write.install.snapshot);
    for (const done of write.whenDurable) done();
    this.#context.markDirty(this);
  }

  /** Promises that wait for nothing that is not on disk already. */
  #release(): void {
    for (const message of this.#effects.sendOncePersisted) this.#context.sendPromise(this.id, message);
    this.#effects.sendOncePersisted.length = 0;
  }

  // --- Checkpoints and snapshots ---

  /** Resolves when a checkpoint of everything applied so far is durable. */
  checkpoint(): Promise<void> {
    return this.#checkpoints.take();
  }

  /** A received checkpoint is about to take force. */
  get installs(): boolean {
    return this.#effects.install !== undefined;
  }

  /** The machine's state is another soon, or not to be believed. */
  get isReplacing(): boolean {
    return this.#checkpoints.isReplacing || this.installs;
  }

  /** A snapshot begins to arrive: our own checkpoint is of no use any more. */
  abandonCheckpoint(): void {
    this.#checkpointer.abandon();
  }

  /** A memory group's log does not survive; who its members are must, before this node promises anything under them. */
  #storeMembership(): void {
    const { membership } = this.#core;
    if (this.storage.storage !== 'memory' || sameMembership(membership, this.#storedMembership)) return;
    this.#storedMembership = membership;
    this.put((batch) => {
      this.storage.putInfo(batch, { name: this.name, storage: 'memory', membership });
    });
  }

  // --- Repair ---

  /** Builds the state anew from what the log proves and, if that is not all, from a leader's checkpoint. */
  async #startOver(): Promise<void> {
    this.#rebuilding = true;
    this.#effects.clear();
    const { membership, hardState } = this.#core;
    try {
      const { repairing, storage } = this.storage;
      const state =
        storage === 'memory'
          ? { ...emptyState(membership), hardState }
          : (await recoverGroup(this.storage, { bootstrap: membership, logger: this.#logger }))!.state;
      this.#core = this.#makeCore({ kind: 'recovered', state, repairing });
      await this.#checkpoints.restoreNothing();
      await this.start(undefined);
    } catch (error) {
      this.#context.groupFailed(this, error);
    }
  }

  // --- Reading ---

  cachedRecord(index: LogIndex): Buffer | undefined {
    // A leader may apply what a majority has stored before it has even begun to write it itself.
    return this.storage.cachedRecord(index) ?? this.#core.cachedEntry(index)?.record;
  }

  readRecord(index: LogIndex): Promise<Buffer> {
    const record = this.cachedRecord(index);
    if (record !== undefined) return Promise.resolve(record);
    return this.#records.read(index);
  }

  get compactableThrough(): LogIndex {
    return this.#core.snapshotIndex;
  }

  compactRecord(index: LogIndex, body: Buffer): void {
    this.#records.compact(index, body);
  }

  readBarrier(): Promise<void> {
    if (!this.isLeader) return Promise.reject(new NotLeaderError(`group ${this.id}: not the leader`, true));
    return this.#requests.read((context) => {
      this.step({ kind: 'readIndex', context });
    });
  }

  hasReadLease(): boolean {
    return this.#applier.lastApplied === this.#core.commitIndex && this.hasLease();
  }

  hasLease(): boolean {
    return this.#core.hasLease(this.#context.runtime.monotonicMs());
  }

  // --- Proposing and changing ---

  /** One entry of ours at a time waits for the local disk; what comes meanwhile gathers into the next. */
  get canPropose(): boolean {
    const core = this.#core;
    return core.canPropose && !this.#closed && core.durableIndex === core.lastIndex && this.#proposals.hasRoom;
  }

  propose(record: Buffer): LogIndex | undefined {
    if (this.#closed || !this.#core.canPropose) return undefined;
    this.#clock.noteTraffic();
    this.#couldPropose = false;
    this.step({ kind: 'propose', records: [record] });
    const index = this.#core.lastIndex;
    this.#proposals.proposed(index, record.length, this.#context.runtime.monotonicMs());
    return index;
  }

  async transferLeadership(to?: NodeId): Promise<boolean> {
    if (!this.isLeader) return false;
    if (!this.members.isAlone) await this.#machine.beforeHandover?.();
    const taken = await this.#transfer(to);
    if (!taken) this.#machine.staysLeader?.();
    return taken;
  }

  #transfer(to: NodeId | undefined): Promise<boolean> {
    if (this.#closed || !this.isLeader) return Promise.resolve(false);
    this.step({ kind: 'transferLeadership', to });
    if (this.#core.transferTarget === undefined) return Promise.resolve(false);
    return this.#requests.transfer();
  }

  #settleTransfers(): void {
    if (!this.isLeader || this.#core.transferTarget === undefined) this.#requests.settleTransfers(!this.isLeader);
  }

  changeMembership(change: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
    readonly generation?: number;
  }): Promise<void> {
    if (!this.isLeader) return Promise.reject(new NotLeaderError(`group ${this.id}: not the leader`, true));
    return this.#requests.changeMembership(() => {
      // What an earlier change came to is not the answer to this one.
      this.#effects.membershipOutcome = undefined;
      this.step({ kind: 'changeMembership', change });
    });
  }

  // --- Status ---

  get status(): GroupStatus {
    return this.#status.status(this.#core, this.#applier.lastApplied);
  }

  #statusChanged(): void {
    this.#effects.statusChanged = false;
    this.members.refresh(this.leader !== undefined);
    this.#storeMembership();
    if (!this.isLeader) {
      this.#proposals.reset();
      this.sender.stop();
    }
    this.#settleTransfers();
    this.#status.changed(this.#core, this.#applier.lastApplied);
  }

  /** The host lets it go: nothing is applied, answered or written any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#requests.close(!this.isLeader);
    this.sender.stop();
    this.#machine.close();
    this.storage.close();
  }
}
