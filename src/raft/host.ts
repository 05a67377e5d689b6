/**
 * Owns a node's groups in time: it gives them their ticks, disk and wire. Inputs gather until a turn; a turn steps every
 * group that has something to do, sends one frame per peer, and writes one batch for all (batch-writer.ts).
 */
import type { NodeId } from '../base/brand.ts';
import { StorageError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import { Amnesia } from './repair/amnesia.ts';
import { BatchWriter } from './batch-writer.ts';
import { DEFAULT_CHECKPOINT_POLICY, type CheckpointPolicy } from './checkpoints/checkpointer.ts';
import { makeMembership } from './core/membership.ts';
import { FrameIntake } from './wire/frame-intake.ts';
import { Group } from './group.ts';
import type { HostContext } from './host-context.ts';
import { NO_METRICS, type HostMetrics } from './host-metrics.ts';
import type { PeerMessage } from './messages.ts';
import { encodeNodeFrame, type NodeFrame } from './wire/node-frame.ts';
import { Outbox } from './wire/outbox.ts';
import { Peers } from './peers.ts';
import { RecordRepair } from './repair/record-repair.ts';
import { GroupStorage } from './storage/group-storage.ts';
import { INITIAL_HARD_STATE } from './storage/hard-state.ts';
import type { NodeStorage } from './storage/node-storage.ts';
import { RecordCache } from './storage/record-cache.ts';
import { recoverGroup } from './storage/recovery.ts';
import { TickTimer } from './tick-timer.ts';
import { DEFAULT_TIMING, TICKS_PER_HEARTBEAT, type Timing } from './timing.ts';
import type { GroupHandle, GroupId, GroupOptions, LogIndex, RaftHost, RaftTransport } from './types.ts';

/** Of recent records of all groups, so that readers at the tail touch no disk. */
const RECORD_CACHE_BYTES = 48 * 1024 * 1024;
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
  readonly #writer: BatchWriter;
  readonly #amnesia: Amnesia;
  readonly #intake: FrameIntake;
  readonly #timer: TickTimer;
  #dirty = new Set<Group>();
  readonly #appliers = new Set<Group>();
  /** Groups that need ticks; the others cost nothing. */
  readonly #awake = new Set<Group>();
  #turnScheduled = false;
  #inTurn = false;
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
    this.#writer = new BatchWriter(options.storage, {
      runtime: options.runtime,
      metrics: this.metrics,
      written: (writes) => {
        for (const [group, write] of writes) {
          this.#guard(group, () => {
            group.written(write);
          });
        }
        // At once and not in a later turn: followers and clients are waiting for exactly this.
        this.#turn();
      },
      free: () => {
        this.#scheduleTurn();
      },
    });
    this.#amnesia = new Amnesia({
      peers: this.#peers,
      storage: options.storage,
      logger: options.logger,
      exclusively: (write) => this.#writer.exclusively(write),
      marked: () => {
        for (const group of this.#groups.values()) if (!group.members.isAlone) group.repair.marked();
      },
    });
    this.#intake = this.#makeIntake();
    this.#timer = new TickTimer(options.runtime, this.timing.heartbeatMs / TICKS_PER_HEARTBEAT, (tick) => {
      this.#ticked(tick);
    });
    this.#storage.onFatal = (error) => {
      this.#fail(error);
    };
  }

  #makeIntake(): FrameIntake {
    return new FrameIntake({
      storage: this.#storage,
      logger: this.logger,
      peers: this.#peers,
      amnesia: this.#amnesia,
      repair: this.#repair,
      group: (id) => this.#groups.get(id),
      guard: (group, run) => {
        this.#guard(group, run);
      },
      beat: (to) => {
        this.#beat(to);
      },
      reborn: (node) => {
        this.#wakeGroupsOf(node);
        this.#wakeGroupsFollowedBy(node);
      },
    });
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
    const recovered = await recoverGroup(storage, {
      bootstrap: membership,
      others: options.others,
      logger: this.logger,
    });
    const group = new Group(this, options, storage, this.#amnesia.stateOf(recovered, membership, firstLeader));
    group.put((batch) => {
      // Both together, so that a group without the one or the other is a damaged one.
      if (recovered?.isDescribed !== true) {
        storage.putInfo(batch, { name: options.name, storage: options.storage, membership });
      }
      if (recovered === undefined) storage.putHardState(batch, INITIAL_HARD_STATE);
      if (group.repairing) storage.setRepairing(batch, true);
    });
    await group.start(recovered);
    this.#groups.set(options.id, group);
    this.markDirty(group);
    for (const peer of group.members.relatives) if (!this.#peers.hasAnswered(peer)) this.#beat(peer);
    this.#timer.start();
    return group;
  }

  group(id: GroupId): GroupHandle | undefined {
    return this.#groups.get(id);
  }

  reviseOthers(id: GroupId, nodes: readonly NodeId[]): void {
    this.#groups.get(id)?.members.reviseOthers(nodes);
  }

  groups(): Iterable<GroupHandle> {
    return this.#groups.values();
  }

  isStored(id: GroupId): boolean {
    return this.#storage.hasGroup(id);
  }

  storedGroups(): Promise<readonly GroupId[]> {
    return Promise.resolve(this.#storage.groups().filter((id) => !this.#groups.has(id)));
  }

  async destroyGroup(id: GroupId): Promise<void> {
    const group = this.#groups.get(id);
    this.#groups.delete(id);
    group?.close();
    // What is on its way to the disk would otherwise arrive behind the deletions.
    await this.#writer.whenWritten();
    await this.#storage.destroy(id, async (batch) => {
      await this.#writer.exclusively(() => this.#storage.commit(batch));
    });
  }

  receive(from: NodeId, frame: Buffer): void {
    if (!this.#stopped) this.#intake.receive(from, frame);
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
      await Promise.all(
        groups.filter((group) => group.isLeader && !group.members.isAlone).map((g) => g.transferLeadership()),
      );
    }
    if (!this.#stopped) await Promise.all(groups.map((group) => group.checkpoint()));
    this.#stopped = true;
    this.#timer.stop();
    for (const group of groups) group.close();
    this.#groups.clear();
    await this.#writer.whenWritten();
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
    return this.#amnesia.mayVote(group.members.voterSets);
  }

  isAlive(node: NodeId): boolean {
    return node === this.node || !this.#peers.isSilent(node, this.timing.electionTimeoutMinMs);
  }

  lastContactMs(node: NodeId): number | undefined {
    return this.#peers.lastContactMs(node);
  }

  drawElectionTick(): number {
    const delayMs = this.timing.electionTimeoutMinMs * (1 + this.runtime.random());
    return this.#timer.tickIn(delayMs);
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

  /** At once when something came in: if the disk is busy, more gathers anyway until the next write. */
  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#inTurn || this.#stopped) return;
    this.#turnScheduled = true;
    this.runtime.soon(this.#scheduledTurn);
  }

  /** Work is left: sockets get their chance first. */
  #continueLater(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.runtime.defer(this.#scheduledTurn);
  }

  readonly #scheduledTurn = (): void => {
    this.#turnScheduled = false;
    this.#turn();
  };

  #turn(): void {
    if (this.#stopped || this.#inTurn) return;
    this.#inTurn = true;
    for (let pass = 0; pass < MAX_PASSES && this.#dirty.size > 0; pass++) this.#stepDirty();
    // Disk and followers work on what has gathered while this node applies what is committed.
    this.#outbox.flush(this.#tellCounter);
    this.#writer.write();
    this.#applySome();
    for (let pass = 0; pass < MAX_PASSES && this.#dirty.size > 0; pass++) this.#stepDirty();
    this.#outbox.flush(this.#tellCounter);
    this.#inTurn = false;
    this.#writer.write();
    if (this.#dirty.size > 0 || this.#appliers.size > 0) this.#continueLater();
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
      if (group.needsDisk) this.#writer.add(group);
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

  #fail(error: StorageError): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer.stop();
    for (const group of this.#groups.values()) group.close();
    this.#options.onFatal?.(error);
  }

  // --- Time ---

  #ticked(tick: number): void {
    const isBeat = tick % TICKS_PER_HEARTBEAT === 0;
    if (isBeat) {
      const peers = this.#peerNodes();
      for (const peer of peers) this.#beat(peer);
      this.#wakeAbandoned(peers);
      this.#writer.syncIfDue();
    }
    for (const group of this.#awake) {
      if (!group.isInUse) this.#awake.delete(group);
      else
        this.#guard(group, () => {
          group.tick(tick, isBeat);
        });
    }
  }

  // --- Peers ---

  /** Nodes that share a group with this one, sorted. */
  #peerNodes(): NodeId[] {
    const nodes = new Set<NodeId>();
    for (const group of this.#groups.values()) for (const node of group.members.relatives) nodes.add(node);
    nodes.delete(this.node);
    return [...nodes].sort();
  }

  /** Whoever hears of us also remembers what we have promised others, should these forget it together with us. */
  #beat(to: NodeId): void {
    if (to === this.node) return;
    this.sendFrame(to, this.#peers.beatFor(to), 'control');
    this.#tellCounter(to);
  }

  /** Groups that rest under a leader of which nothing is heard any more. */
  #wakeAbandoned(peers: readonly NodeId[]): void {
    for (const peer of peers) if (!this.isAlive(peer)) this.#wakeGroupsOf(peer);
  }

  /** `node` is away: its groups need another leader, and those led here may have lost their majority with it. */
  #wakeGroupsOf(node: NodeId): void {
    for (const group of this.#groups.values()) {
      if (!group.isHibernating) continue;
      if (group.leader === node || (group.isLeader && !group.members.reachesMajority)) group.step({ kind: 'wake' });
    }
  }

  /** Whoever may not campaign would wait for ever to hear of a leader that has fallen silent. */
  #wakeGroupsFollowedBy(node: NodeId): void {
    for (const group of this.#groups.values()) {
      if (group.isHibernating && group.isLeader && group.members.all.includes(node)) group.step({ kind: 'wake' });
    }
  }
}
