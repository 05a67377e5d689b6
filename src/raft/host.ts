/**
 * Owns a node's groups in time: it gives them their ticks, disk and wire. Inputs gather until a turn; a turn steps every
 * group that has something to do, sends one frame per peer, and writes one batch for all. While a batch is on its way
 * to the disk the next one gathers: that is group commit.
 */
import type { NodeId } from '../base/brand.ts';
import { StorageError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { DEFAULT_CHECKPOINT_POLICY, type CheckpointPolicy } from './checkpointer.ts';
import type { CoreOptions } from './core/input.ts';
import { makeMembership, type Membership } from './core/membership.ts';
import { decodeFrame } from './frame.ts';
import { Group, type GroupWrite } from './group.ts';
import type { HostContext } from './host-context.ts';
import { NO_METRICS, type HostMetrics } from './host-metrics.ts';
import type { PeerMessage } from './messages.ts';
import { decodeNodeFrame, encodeNodeFrame, isNodeFrame, type NodeFrame } from './node-frame.ts';
import { Outbox } from './outbox.ts';
import { Peers } from './peers.ts';
import { RecordRepair } from './record-repair.ts';
import { GroupStorage } from './storage/group-storage.ts';
import { INITIAL_HARD_STATE } from './storage/hard-state.ts';
import type { NodeStorage } from './storage/node-storage.ts';
import { RecordCache } from './storage/record-cache.ts';
import { emptyState, recoverGroup, type RecoveredGroup } from './storage/recovery.ts';
import type { WriteBatch } from './storage/write-batch.ts';
import { DEFAULT_TIMING, STALL_INTERVALS, TICKS_PER_HEARTBEAT, type Timing } from './timing.ts';
import type { GroupHandle, GroupId, GroupOptions, LogIndex, RaftHost, RaftTransport } from './types.ts';

/** Of recent records of all groups, so that readers at the tail touch no disk. */
const RECORD_CACHE_BYTES = 64 * 1024 * 1024;
/** What one batch holds at most; the groups that are left wait for the next. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** Applying stops for this turn after so many milliseconds; sockets get their chance in between. */
const APPLY_BUDGET_MS = 4;
/** A group that proposes while it is being stepped is stepped again, but not for ever. */
const MAX_PASSES = 4;

export interface RaftHostOptions {
  readonly node: NodeId;
  readonly clusterName: string;
  readonly runtime: Runtime;
  readonly transport: RaftTransport;
  readonly storage: NodeStorage;
  readonly logger: Logger;
  readonly metrics?: HostMetrics;
  readonly timing?: Partial<Timing>;
  readonly checkpoints?: Partial<CheckpointPolicy>;
  /** The disk failed: everything here has stopped for good, and the process should end. */
  readonly onFatal?: (error: StorageError) => void;
}

export function createRaftHost(options: RaftHostOptions): RaftHost {
  return new Host(options);
}

class Host implements RaftHost, HostContext {
  readonly node: NodeId;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly timing: Timing;
  readonly metrics: HostMetrics;
  readonly checkpointPolicy: CheckpointPolicy;
  readonly #options: RaftHostOptions;
  readonly #storage: NodeStorage;
  readonly #transport: RaftTransport;
  readonly #groups = new Map<GroupId, Group>();
  readonly #opening = new Set<GroupId>();
  readonly #cache = new RecordCache(RECORD_CACHE_BYTES);
  readonly #outbox: Outbox;
  readonly #peers: Peers;
  readonly #repair: RecordRepair;
  readonly #tickMs: number;
  #dirty = new Set<Group>();
  #writers = new Set<Group>();
  #appliers = new Set<Group>();
  /** Groups that need ticks; the others cost nothing. */
  readonly #awake = new Set<Group>();
  #turnScheduled = false;
  #inTurn = false;
  #writing = false;
  #idle: (() => void)[] = [];
  /** The counter that a peer remembers and this node does not. */
  #amnesia: number | undefined;
  /** That is known, and not marked everywhere yet. */
  #markingAmnesia = false;
  #timer: Timer | undefined;
  #tick = 0;
  #lastTickMs = 0;
  #stopped = false;

  constructor(options: RaftHostOptions) {
    this.#options = options;
    this.node = options.node;
    this.runtime = options.runtime;
    this.logger = options.logger;
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
    this.metrics = options.metrics ?? NO_METRICS;
    this.checkpointPolicy = { ...DEFAULT_CHECKPOINT_POLICY, ...options.checkpoints };
    this.#storage = options.storage;
    this.#transport = options.transport;
    this.#outbox = new Outbox(options.transport);
    this.#peers = new Peers(options.storage, options.runtime);
    this.#repair = new RecordRepair(this);
    this.#tickMs = this.timing.heartbeatMs / TICKS_PER_HEARTBEAT;
    this.#storage.onFatal = (error) => {
      this.#fail(error);
    };
  }

  // --- RaftHost ---

  async openGroup(options: GroupOptions): Promise<GroupHandle> {
    const { id } = options;
    if (this.#groups.has(id) || this.#opening.has(id)) throw new Error(`group ${id} is open already`);
    this.#opening.add(id);
    try {
      return await this.#open(options);
    } finally {
      this.#opening.delete(id);
    }
  }

  async #open(options: GroupOptions): Promise<Group> {
    const storage = new GroupStorage(this.#storage, options.id, options.storage, this.#cache);
    const { voters, learners, firstLeader } = options.bootstrap;
    const membership = makeMembership({ voters, learners });
    const recovered = await recoverGroup(storage, { bootstrap: membership, logger: this.logger });
    const group = new Group(this, options, storage, this.#stateOf(recovered, membership, firstLeader));
    group.put((batch) => {
      if (recovered === undefined) {
        // Together, so that a group without the one or the other is a damaged one.
        storage.putInfo(batch, { name: options.name, storage: options.storage, membership });
        storage.putHardState(batch, INITIAL_HARD_STATE);
      }
      if (group.repairing) storage.setRepairing(batch, true);
    });
    await group.start(recovered);
    this.#groups.set(options.id, group);
    this.markDirty(group);
    for (const peer of group.members) if (!this.#peers.hasAnswered(peer)) this.#beat(peer);
    this.#startTimer();
    return group;
  }

  /**
   * A leader agreed on in advance is everybody's vote in term 1, given once. Whoever can't exclude that it gave that vote
   * in an earlier life must not give it again; and whoever is known to have lost its memory can't call any group new.
   */
  #stateOf(
    recovered: RecoveredGroup | undefined,
    membership: Membership,
    firstLeader: NodeId | undefined,
  ): CoreOptions['state'] {
    if (recovered !== undefined) return { kind: 'recovered', state: recovered.state, repairing: recovered.repairing };
    const others = membership.voters.filter((voter) => voter !== this.node);
    if (this.#amnesia !== undefined && others.length > 0) {
      return { kind: 'recovered', state: emptyState(membership), repairing: true };
    }
    return { kind: 'created', membership, firstLeader: this.#remembers([membership.voters]) ? firstLeader : undefined };
  }

  group(id: GroupId): GroupHandle | undefined {
    return this.#groups.get(id);
  }

  groups(): Iterable<GroupHandle> {
    return this.#groups.values();
  }

  storedGroups(): Promise<readonly GroupId[]> {
    return Promise.resolve(this.#storage.groups().filter((id) => !this.#groups.has(id)));
  }

  async destroyGroup(id: GroupId): Promise<void> {
    const group = this.#groups.get(id);
    this.#groups.delete(id);
    group?.close();
    // What is on its way to the disk would otherwise arrive behind the deletions.
    await this.#whenWritten();
    await this.#storage.destroy(id, async (batch) => {
      await this.#exclusively(() => this.#storage.commit(batch));
    });
  }

  receive(from: NodeId, frame: Buffer): void {
    if (this.#stopped) return;
    this.#peers.heardOf(from);
    if (isNodeFrame(frame)) {
      this.#receiveNodeFrame(from, frame);
      return;
    }
    const messages = decodeFrame(frame, { from, to: this.node });
    if (typeof messages === 'string') {
      this.logger.warn({ from, defect: messages }, 'frame.refused');
      return;
    }
    for (const { group: id, message } of messages) {
      const group = this.#groups.get(id);
      if (group === undefined) continue;
      this.#guard(group, () => {
        this.#receiveMessage(group, message);
      });
    }
  }

  #receiveMessage(group: Group, message: PeerMessage): void {
    switch (message.kind) {
      case 'requestVote':
      case 'timeoutNow':
        if (this.mayVote(group)) group.receive(message);
        return;
      case 'requestVoteReply':
      case 'appendEntriesReply':
        this.#storage.notePeerCounter(message.from, message.journal);
        group.receive(message);
        return;
      case 'appendEntries':
        group.receive(message);
        return;
      case 'installSnapshot':
        group.receive(message);
        if (message.term === group.term) group.receiver.offered(message);
        return;
      case 'installSnapshotReply':
        group.receive(message);
        if (message.term === group.term && group.isLeader) group.sender.reply(message);
    }
  }

  #receiveNodeFrame(from: NodeId, bytes: Buffer): void {
    const frame = decodeNodeFrame(bytes);
    if (frame === undefined) {
      this.logger.warn({ from }, 'frame.refused');
      return;
    }
    switch (frame.kind) {
      case 'beat': {
        const { reborn, answered, amnesia } = this.#peers.beatReceived(from, frame);
        if (amnesia !== undefined) void this.#forgot(from, amnesia);
        if (reborn) this.#wakeGroupsOf(from);
        // It does not know us yet, and waits for our word before it promises us anything.
        if (reborn || answered || frame.receiverIncarnation !== this.#peers.incarnation) this.#beat(from);
        return;
      }
      case 'chunk':
        this.#groups.get(frame.group)?.receiver.chunk(from, frame);
        return;
      case 'journal':
        this.#storage.notePeerCounter(from, frame.counter);
        return;
      case 'nothingLeft':
        this.#groups.get(frame.group)?.nothingLeftAt(from);
        return;
      case 'recordWanted':
      case 'record': {
        const group = this.#groups.get(frame.group);
        if (group === undefined) return;
        if (frame.kind === 'record') void this.#repair.received(group, frame.index, Buffer.from(frame.record));
        else void this.#repair.asked(group, from, frame.index);
      }
    }
  }

  linkChanged(node: NodeId, up: boolean): void {
    if (this.#stopped) return;
    if (up) {
      this.#beat(node);
    } else {
      this.#peers.lost(node);
      this.#wakeGroupsOf(node);
    }
  }

  async shutdown(options: { readonly transferLeaderships: boolean }): Promise<void> {
    const groups = [...this.#groups.values()];
    if (options.transferLeaderships) {
      await Promise.all(groups.filter((group) => group.isLeader && !group.isAlone).map((g) => g.transferLeadership()));
    }
    if (!this.#stopped) await Promise.all(groups.map((group) => group.checkpoint()));
    this.#stopped = true;
    this.#timer?.cancel();
    for (const group of groups) group.close();
    this.#groups.clear();
    await this.#whenWritten();
    await this.#storage.close();
  }

  // --- HostContext ---

  get groupCount(): number {
    return this.#groups.size;
  }

  markDirty(group: Group): void {
    this.#dirty.add(group);
    this.#scheduleTurn();
  }

  send(group: GroupId, message: PeerMessage): void {
    if (message.kind === 'requestVoteReply' || message.kind === 'appendEntriesReply') {
      message.journal = this.#peers.hasAnswered(message.to) ? this.#storage.durableCounter : 0;
    }
    this.#outbox.add({ group, message });
  }

  sendPromise(group: GroupId, message: PeerMessage): void {
    if (this.#peers.hasAnswered(message.to)) this.send(group, message);
    else this.#beat(message.to);
  }

  sendFrame(to: NodeId, frame: NodeFrame, link: 'control' | 'bulk'): void {
    if (!this.#stopped) this.#transport.send(to, encodeNodeFrame(frame), link);
  }

  pendingBulkBytes(to: NodeId): number {
    return this.#transport.pendingBytes(to, 'bulk');
  }

  mayVote(group: Group): boolean {
    return !this.#markingAmnesia && this.#remembers(group.voterSets);
  }

  /** In each set a majority, this node included, has said that it knows of nothing that this node has forgotten. */
  #remembers(voterSets: readonly (readonly NodeId[])[]): boolean {
    return voterSets.every((voters) => {
      const confirmed = voters.filter((voter) => voter === this.node || this.#peers.hasAnswered(voter));
      return confirmed.length * 2 > voters.length;
    });
  }

  isAlive(node: NodeId): boolean {
    return node === this.node || !this.#peers.isSilent(node, this.timing.electionTimeoutMinMs);
  }

  lastContactMs(node: NodeId): number | undefined {
    return this.#peers.lastContactMs(node);
  }

  drawElectionTick(): number {
    const delayMs = this.timing.electionTimeoutMinMs * (1 + this.runtime.random());
    const sinceTickMs = Math.min(this.runtime.monotonicMs() - this.#lastTickMs, this.#tickMs);
    return this.#tick + (sinceTickMs + delayMs) / this.#tickMs;
  }

  repairRecord(group: Group, index: LogIndex): void {
    this.#repair.wanted(group, index);
  }

  readFailed(error: unknown): void {
    if (this.#stopped) return;
    this.logger.error({ error }, 'storage.readFailed');
  }

  groupFailed(group: Group, error: unknown): void {
    this.logger.error({ group: group.id, name: group.name, error }, 'group.failed');
    this.#groups.delete(group.id);
    group.close();
  }

  /** Followers tell their counter with every answer; a leader, whose own write counts as well, has to say it by itself. */
  readonly #tellCounter = (to: NodeId): void => {
    const counter = this.#storage.durableCounter;
    if (!this.#peers.hasAnswered(to) || !this.#peers.isNews(to, counter)) return;
    this.sendFrame(to, { kind: 'journal', counter }, 'control');
  };

  // --- Turns ---

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#inTurn || this.#stopped) return;
    this.#turnScheduled = true;
    this.runtime.defer(() => {
      this.#turnScheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#stopped || this.#inTurn) return;
    this.#inTurn = true;
    for (let pass = 0; pass < MAX_PASSES && this.#dirty.size > 0; pass++) this.#stepDirty();
    // Disk and followers work on what has gathered while this node applies what is committed.
    this.#outbox.flush(this.#tellCounter);
    this.#write();
    this.#applySome();
    for (let pass = 0; pass < MAX_PASSES && this.#dirty.size > 0; pass++) this.#stepDirty();
    this.#outbox.flush(this.#tellCounter);
    this.#inTurn = false;
    this.#write();
    if (this.#dirty.size > 0 || this.#appliers.size > 0) this.#scheduleTurn();
  }

  /** Lets every group that has something to do carry it out, as far as that needs no disk. */
  #stepDirty(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const group of dirty) {
      if (!group.isInUse) continue;
      this.#guard(group, () => {
        group.process();
        group.welcomeProposals();
      });
      if (group.isResting) this.#awake.delete(group);
      else this.#awake.add(group);
      if (group.needsDisk) this.#writers.add(group);
      if (group.hasToApply) this.#appliers.add(group);
    }
  }

  #applySome(): void {
    const end = this.runtime.monotonicMs() + APPLY_BUDGET_MS;
    for (const group of this.#appliers) {
      let more = group.hasToApply;
      while (more && this.runtime.monotonicMs() < end) more = this.#guard(group, () => group.applySlice()) ?? false;
      if (more) return;
      this.#appliers.delete(group);
      if (group.isInUse) this.#dirty.add(group);
    }
  }

  /** What a state machine throws stops its group, and no other. */
  #guard<T>(group: Group, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.groupFailed(group, error);
      return undefined;
    }
  }

  // --- Writing ---

  #write(): void {
    if (this.#writing || this.#stopped || this.#writers.size === 0) return;
    const batch = this.#storage.begin();
    const writes: [Group, GroupWrite][] = [];
    for (const group of this.#writers) {
      if (batch.bytes >= MAX_BATCH_BYTES) break;
      this.#writers.delete(group);
      if (group.isInUse && group.needsDisk) writes.push([group, group.collect(batch)]);
    }
    if (batch.isEmpty) {
      // Memory groups alone: what they store is stored.
      for (const [group, write] of writes) group.written(write);
      return;
    }
    void this.#commit(batch, writes);
  }

  async #commit(batch: WriteBatch, writes: readonly (readonly [Group, GroupWrite])[]): Promise<void> {
    const startMs = this.runtime.monotonicMs();
    try {
      await this.#exclusively(() => this.#storage.commit(batch));
    } catch (error) {
      if (error instanceof StorageError) return; // `#fail` has been told.
      throw error;
    }
    this.metrics.wrote((this.runtime.monotonicMs() - startMs) / 1000, batch.bytes);
    for (const [group, write] of writes) {
      this.#guard(group, () => {
        group.written(write);
      });
    }
    // At once and not in a later turn: followers and clients are waiting for exactly this.
    this.#turn();
  }

  /** One write at a time: LevelDB would queue them, and hold a thread for each. */
  async #exclusively(run: () => Promise<void>): Promise<void> {
    while (this.#writing) {
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
      });
    }
    this.#writing = true;
    try {
      await run();
    } finally {
      this.#writing = false;
      const idle = this.#idle;
      this.#idle = [];
      for (const resume of idle) resume();
      // What wanted to write meanwhile was turned away, and nothing else may come to ask for it.
      if (this.#writers.size > 0) this.#scheduleTurn();
    }
  }

  async #whenWritten(): Promise<void> {
    if (this.#storage.failure === undefined) await this.#exclusively(() => Promise.resolve());
  }

  #fail(error: StorageError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    for (const group of this.#groups.values()) group.close();
    this.#options.onFatal?.(error);
  }

  // --- Time ---

  #startTimer(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#lastTickMs = this.runtime.monotonicMs();
    this.#timer = this.runtime.after(this.#tickMs, () => {
      this.#ticked();
    });
  }

  #ticked(): void {
    const late = this.runtime.monotonicMs() - this.#lastTickMs > this.#tickMs * STALL_INTERVALS;
    // After a stall the sockets hold what was said meanwhile: it is read first, and the stall counts as one tick.
    if (late)
      this.runtime.defer(() => {
        this.#countTick();
      });
    else this.#countTick();
  }

  #countTick(): void {
    if (this.#stopped) return;
    this.#tick++;
    const isBeat = this.#tick % TICKS_PER_HEARTBEAT === 0;
    if (isBeat) {
      const peers = this.#peerNodes();
      for (const peer of peers) this.#beat(peer);
      this.#wakeAbandoned(peers);
      if (this.#storage.needsSync) this.#sync();
    }
    for (const group of this.#awake) {
      if (!group.isInUse) this.#awake.delete(group);
      else
        this.#guard(group, () => {
          group.tick(this.#tick, isBeat);
        });
    }
    this.#timer = undefined;
    this.#startTimer();
  }

  #sync(): void {
    void this.#exclusively(() => this.#storage.commit(this.#storage.begin(), true)).catch(() => undefined);
  }

  // --- Peers ---

  /** Nodes that share a group with this one, sorted. */
  #peerNodes(): NodeId[] {
    const nodes = new Set<NodeId>();
    for (const group of this.#groups.values()) for (const node of group.members) nodes.add(node);
    nodes.delete(this.node);
    return [...nodes].sort();
  }

  #beat(to: NodeId): void {
    if (to !== this.node) this.sendFrame(to, this.#peers.beatFor(to), 'control');
  }

  /** Groups that rest under a leader of which nothing is heard any more. */
  #wakeAbandoned(peers: readonly NodeId[]): void {
    for (const peer of peers) if (!this.isAlive(peer)) this.#wakeGroupsOf(peer);
  }

  #wakeGroupsOf(leader: NodeId): void {
    for (const group of this.#groups.values()) {
      if (group.isHibernating && group.leader === leader) group.step({ kind: 'wake' });
    }
  }

  /** A peer remembers promises that are not on our disk any more. */
  async #forgot(peer: NodeId, counter: number): Promise<void> {
    if (this.#amnesia !== undefined && counter <= this.#amnesia) return;
    this.#amnesia = counter;
    this.logger.error({ peer, counter, startCounter: this.#storage.startCounter }, 'node.amnesia');
    this.#markingAmnesia = true;
    try {
      await this.#exclusively(() => this.#storage.markAmnesia(counter));
    } catch (error) {
      if (error instanceof StorageError) return; // `#fail` has been told.
      throw error;
    }
    for (const group of this.#groups.values()) if (!group.isAlone) group.repairingMarked();
    this.#markingAmnesia = false;
  }
}
