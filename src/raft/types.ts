/**
 * Owns the words that raft's users share with it: what an entry is, what a state machine must do, and what a group
 * offers to its host's users. The algorithm is in core/, timers, disk and wire in the host.
 */
import type { Brand, NodeId } from '../base/brand.ts';

export type Term = Brand<number, 'Term'>;
/** A position in a group's log; 1 is the first entry. */
export type LogIndex = Brand<number, 'LogIndex'>;
/** Given out by the catalogue, never reused. 1 is the meta group. */
export type GroupId = Brand<number, 'GroupId'>;

export const META_GROUP = 1 as GroupId;

/** `normal` belongs to the state machine, the others to Raft itself. */
export type EntryKind = 'normal' | 'empty' | 'membership';

/**
 * One entry of a group's log. `record` is the very buffer that is stored, sent to peers, and read back: a header of
 * `RECORD_HEADER_BYTES` (see record.ts: checksum, checksum of the entry before, kind, group, index, term) and then the
 * body. Nobody writes to it after it was proposed.
 */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly record: Buffer;
  /** View of `record` behind the header. */
  readonly body: Buffer;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader' | 'learner';

export interface GroupStatus {
  readonly role: Role;
  readonly term: Term;
  /** Undefined while there is none that this node knows of. */
  readonly leader: NodeId | undefined;
  /** True on a leader that has applied an entry of its own term: it may serve reads, dedupe answers and changes. */
  readonly ready: boolean;
  readonly commitIndex: LogIndex;
  readonly lastApplied: LogIndex;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** This replica can't prove what it once promised: it neither votes nor counts until a leader has brought it up to date. */
  readonly repairing: boolean;
  /** Per other member, as the leader sees it (empty elsewhere). */
  readonly peers: readonly PeerStatus[];
}

export interface PeerStatus {
  readonly node: NodeId;
  readonly matchIndex: LogIndex;
  /** Entries it is behind. */
  readonly lag: number;
  /** Milliseconds since it was last heard of; undefined: never. */
  readonly lastContactMs: number | undefined;
  readonly catchingUp: boolean;
}

/** Where a machine puts the pages of its checkpoint: small values by key, only those that changed since the last one. */
export interface PageSink {
  put(key: Buffer, value: Buffer): void;
  delete(key: Buffer): void;
}

/**
 * What a group replicates. Everything here is called on the loop, never re-entered, in log order.
 * `apply` is deterministic: same entries, same state and same `digest` on every replica. It reads no clock.
 */
export interface StateMachine {
  /**
   * Applies committed `normal` entries, in order. The group's `status.lastApplied` moves to the last one's index when
   * this returns. An error thrown here stops the group on this node.
   */
  apply(entries: readonly Entry[]): void;

  /** Leadership, readiness, membership or known leader changed. Called after the change, never from inside `propose`. */
  statusChanged(status: GroupStatus): void;

  /**
   * The leader may propose again: called whenever `GroupHandle.canPropose` turned true. Work gathered meanwhile should
   * now be proposed, in as few entries as possible: this is group commit.
   */
  proposalsWelcome(): void;

  /**
   * This leader is about to hand over: what must not get lost with it is proposed now. Leadership moves once the promise
   * is resolved, which is to be soon; afterwards the machine hears of another leader, or of `staysLeader`.
   */
  beforeHandover?(): Promise<void>;
  /** The handover came to nothing: if this node still leads, it goes on. */
  staysLeader?(): void;

  /** A running hash over everything that changed the state, at `lastApplied`. Replicas compare it. Unsigned 32 bit. */
  digest(): number;

  /** Freezes the state at `lastApplied`; pages that changed since the last durable checkpoint are to be written. */
  beginCheckpoint(): void;
  /**
   * Puts about `maxBytes` of frozen pages into `sink`; true when that was the last of them. `apply` may run between two
   * calls, and must leave the frozen image intact (copy a page before changing it).
   */
  writePages(sink: PageSink, maxBytes: number): boolean;
  /** The checkpoint begun last is durable, or (false) was given up: its pages count as changed again. */
  endCheckpoint(durable: boolean): void;
  /**
   * Entries whose records hold nothing that the machine still needs, at or below the index of the checkpoint that has
   * just become durable; each is reported once. The host deletes them when no follower may need them either.
   */
  takeDeadEntries(): LogIndex[];

  /** Replaces the whole state by that of a checkpoint. `pages` come in key order. Entries after it come through `apply`. */
  restore(checkpoint: {
    readonly appliedIndex: LogIndex;
    readonly pages: AsyncIterable<readonly [Buffer, Buffer]>;
  }): Promise<void>;

  /** The group leaves this node or the node stops: drop timers, answer nothing more. */
  close(): void;
}

/** One group on this node, as its state machine and the server see it. */
export interface GroupHandle {
  readonly id: GroupId;
  readonly status: GroupStatus;

  /**
   * Proposes `record` (from `allocateRecord`, its body filled in; the group owns it from here on) as one entry.
   * Returns the index it will have if this leader stays one, or undefined when this node is not the leader.
   */
  propose(record: Buffer): LogIndex | undefined;
  /** False when not leader, or while enough is in flight that waiting makes bigger batches; see `proposalsWelcome`. */
  readonly canPropose: boolean;

  /**
   * Resolves when everything that was committed anywhere before this call is applied here, on a leader that was still
   * the leader at some moment after this call (lease, or a round to the quorum).
   * @throws {NotLeaderError}
   */
  readBarrier(): Promise<void>;
  /** True when a lease allows to skip `readBarrier` right now. */
  hasReadLease(): boolean;
  /** True: nobody else can lead this group right now. Unlike `hasReadLease` it tells nothing of what is applied here. */
  hasLease(): boolean;

  /**
   * The record of an entry that is still needed (its machine has not reported it dead), from memory or disk. Verified.
   * @throws {StorageError} STORAGE_CORRUPT when it fails its checksum; a repair from a peer is then under way.
   */
  readRecord(index: LogIndex): Promise<Buffer>;
  /** The same, but only if it is in memory. */
  cachedRecord(index: LogIndex): Buffer | undefined;
  /**
   * The last entry that is behind the log: no restart applies it again, and no follower gets it as an entry. It moves on
   * after each checkpoint.
   */
  readonly compactableThrough: LogIndex;
  /**
   * Replaces the stored body of an entry at or below `compactableThrough` locally, leaving out what is dead (block
   * compaction). The new body must mean the same to whoever reads it. Done with the next write; not replicated.
   */
  compactRecord(index: LogIndex, body: Buffer): void;

  /** Hands leadership to `to`, or to the most advanced voter. Resolves false if nobody took it in time. */
  transferLeadership(to?: NodeId): Promise<boolean>;
  /**
   * Leader: moves to these members by joint consensus; new voters catch up as learners first. Resolves when the membership
   * is exactly that, committed. A call replaces one that still waits, which then rejects. @throws {NotLeaderError}
   */
  changeMembership(members: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
    /** Of the decision behind it; one older than what the group has seen is refused. Absent: no matter. */
    readonly generation?: number;
  }): Promise<void>;
}

/** How a group's machine comes into being: it gets its handle, and is not applied to before this returned. */
export type StateMachineFactory = (group: GroupHandle) => StateMachine;

export interface GroupOptions {
  readonly id: GroupId;
  /** For logs and monitoring: `_meta_`, `S-R3F-abcdefgh`. */
  readonly name: string;
  /** Memory groups keep entries and checkpoints in memory only, but their term, vote and membership on disk. */
  readonly storage: 'file' | 'memory';
  /**
   * The first membership, the same on every member; used only if the group is new on this node. No voters: this node
   * joins a group that others have already. It may have been a member in a life that it has forgotten, so it counts for
   * nothing until its leader has brought it up to date.
   */
  readonly bootstrap: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
    /** Every member grants its vote of term 1 to this node when it creates the group, so no election is needed. */
    readonly firstLeader?: NodeId;
  };
  /**
   * Other nodes that hold the group, as far as its opener knows. A log that knows of none may have lost the entry by which
   * they came in: then this node must not go on by itself. Absent: none.
   */
  readonly others?: {
    readonly nodes: readonly NodeId[];
    /** They are members for certain; else they may be, or only be about to become some. */
    readonly areMembers: boolean;
  };
  readonly machine: StateMachineFactory;
}

/** All groups of this node: one timer, one disk write per turn, one frame per peer and turn. */
export interface RaftHost {
  readonly node: NodeId;
  /** Creates the group, or recovers it if this node has stored it before. Resolves when it takes part. */
  openGroup(options: GroupOptions): Promise<GroupHandle>;
  group(id: GroupId): GroupHandle | undefined;
  /** Whoever opened the group knows better now who else holds it: see `GroupOptions.others`. */
  reviseOthers(id: GroupId, nodes: readonly NodeId[]): void;
  groups(): Iterable<GroupHandle>;
  /** Something of the group is stored here, whether it is open or not. */
  isStored(id: GroupId): boolean;
  /** Groups stored here that nobody has opened yet: they are kept, and reported, never deleted unasked. */
  storedGroups(): Promise<readonly GroupId[]>;
  /** Removes the group and everything stored of it. Only on a committed, applied decision of the catalogue. */
  destroyGroup(id: GroupId): Promise<void>;
  /** A frame came from `from` (what `RaftTransport.send` put out there). */
  receive(from: NodeId, frame: Buffer): void;
  /** The link to `node` came up or broke. Liveness of hibernating groups hangs on this. */
  linkChanged(node: NodeId, up: boolean): void;
  /** Hands over all leaderships it can, then stops. */
  shutdown(options: { readonly transferLeaderships: boolean }): Promise<void>;
}

/** How frames reach other nodes. Unreliable and unordered across breaks; a frame to a node that is away is dropped. */
export interface RaftTransport {
  /** `control`: votes, heartbeats, appends. `bulk`: snapshots; may be slow, must not delay control. */
  send(to: NodeId, frame: Buffer, link: 'control' | 'bulk'): void;
  /** Bytes waiting on the link, so that the sender can hold back. */
  pendingBytes(to: NodeId, link: 'control' | 'bulk'): number;
}
