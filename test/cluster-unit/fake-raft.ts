/**
 * Owns a stand-in for raft: the groups of all nodes of a test in one place, with one shared log per group and a leader
 * that the test chooses. It keeps the contract of `RaftHost` (order, no re-entry, who may propose), and nothing of the
 * algorithm.
 */
import assert from 'node:assert/strict';
import type { NodeId } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { RECORD_HEADER_BYTES } from '../../src/raft/record.ts';
import type {
  Entry,
  GroupHandle,
  GroupId,
  GroupOptions,
  GroupStatus,
  LogIndex,
  RaftHost,
  StateMachine,
  Term,
} from '../../src/raft/index.ts';

interface Replica {
  readonly machine: StateMachine;
  applied: number;
}

export class FakeGroup {
  readonly log: Entry[] = [];
  readonly replicas = new Map<NodeId, Replica>();
  voters: readonly NodeId[];
  learners: readonly NodeId[];
  leader: NodeId | undefined;
  term = 1 as Term;
  /** False: proposals gather at the proposer. */
  welcoming = true;
  /** False: nothing is committed. */
  committing = true;
  #due = false;

  constructor(options: GroupOptions) {
    this.voters = options.bootstrap.voters;
    this.learners = options.bootstrap.learners;
    this.leader = options.bootstrap.firstLeader;
  }

  statusOf(node: NodeId): GroupStatus {
    const leading = this.leader === node;
    const applied = (this.replicas.get(node)?.applied ?? 0) as LogIndex;
    return {
      role: leading ? 'leader' : this.learners.includes(node) ? 'learner' : 'follower',
      term: this.term,
      leader: this.leader,
      ready: leading,
      commitIndex: this.log.length as LogIndex,
      lastApplied: applied,
      voters: this.voters,
      learners: this.learners,
      repairing: false,
      peers: [],
    };
  }

  lead(node: NodeId | undefined): void {
    this.leader = node;
    this.term = (this.term + 1) as Term;
    this.#changed();
  }

  propose(record: Buffer): LogIndex {
    const index = (this.log.length + 1) as LogIndex;
    this.log.push({ index, term: this.term, kind: 'normal', record, body: record.subarray(RECORD_HEADER_BYTES) });
    this.applySoon();
    return index;
  }

  /** What was not committed yet is replaced by an entry of the next leader. */
  replaceUncommitted(by: NodeId, record: Buffer): void {
    const committed = Math.max(...[...this.replicas.values()].map(({ applied }) => applied));
    this.log.length = committed;
    this.lead(by);
    this.propose(record);
  }

  change(voters: readonly NodeId[], learners: readonly NodeId[]): void {
    this.voters = voters;
    this.learners = learners;
    this.#changed();
  }

  applySoon(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (!this.committing) return;
      for (const replica of this.replicas.values()) {
        const entries = this.log.slice(replica.applied);
        replica.applied = this.log.length;
        if (entries.length > 0) replica.machine.apply(entries);
      }
    });
  }

  #changed(): void {
    for (const [node, { machine }] of this.replicas) machine.statusChanged(this.statusOf(node));
  }
}

/** All groups of all nodes of a test. */
export class FakeRaft {
  readonly groups = new Map<GroupId, FakeGroup>();
  readonly opened: { readonly node: NodeId; readonly options: GroupOptions }[] = [];

  host(node: NodeId): FakeHost {
    return new FakeHost(node, this);
  }
}

export class FakeHost implements RaftHost {
  readonly node: NodeId;
  readonly linkChanges: string[] = [];
  readonly frames: string[] = [];
  stored: readonly GroupId[] = [];
  readonly #raft: FakeRaft;
  readonly #handles = new Map<GroupId, GroupHandle>();

  constructor(node: NodeId, raft: FakeRaft) {
    this.node = node;
    this.#raft = raft;
  }

  openGroup(options: GroupOptions): Promise<GroupHandle> {
    this.#raft.opened.push({ node: this.node, options });
    const group = this.#raft.groups.get(options.id) ?? new FakeGroup(options);
    this.#raft.groups.set(options.id, group);
    const handle = new FakeHandle(options.id, group, this.node);
    group.replicas.set(this.node, { machine: options.machine(handle), applied: 0 });
    group.applySoon();
    this.#handles.set(options.id, handle);
    this.stored = [...this.stored, options.id];
    return Promise.resolve(handle);
  }

  reviseOthers(): void {
    // Nothing is opened with others here.
  }

  group(id: GroupId): GroupHandle | undefined {
    return this.#handles.get(id);
  }

  groups(): Iterable<GroupHandle> {
    return this.#handles.values();
  }

  isStored(id: GroupId): boolean {
    return this.stored.includes(id);
  }

  storedGroups(): Promise<readonly GroupId[]> {
    return Promise.resolve(this.stored);
  }

  destroyGroup(): Promise<void> {
    return Promise.resolve();
  }

  receive(from: NodeId, frame: Buffer): void {
    this.frames.push(`${from}:${frame.toString()}`);
  }

  linkChanged(node: NodeId, up: boolean): void {
    this.linkChanges.push(`${node} ${up ? 'up' : 'down'}`);
  }

  shutdown(): Promise<void> {
    for (const group of this.#raft.groups.values()) {
      group.replicas.get(this.node)?.machine.close();
      group.replicas.delete(this.node);
    }
    return Promise.resolve();
  }
}

class FakeHandle implements GroupHandle {
  readonly id: GroupId;
  readonly #group: FakeGroup;
  readonly #node: NodeId;

  constructor(id: GroupId, group: FakeGroup, node: NodeId) {
    this.id = id;
    this.#group = group;
    this.#node = node;
  }

  get status(): GroupStatus {
    return this.#group.statusOf(this.#node);
  }

  get canPropose(): boolean {
    return this.#group.leader === this.#node && this.#group.welcoming;
  }

  propose(record: Buffer): LogIndex | undefined {
    return this.#group.leader === this.#node ? this.#group.propose(record) : undefined;
  }

  readBarrier(): Promise<void> {
    if (this.#group.leader === this.#node) return Promise.resolve();
    return Promise.reject(new NotLeaderError('not the leader', true));
  }

  hasReadLease(): boolean {
    return false;
  }

  hasLease(): boolean {
    return false;
  }

  readRecord(index: LogIndex): Promise<Buffer> {
    return Promise.resolve(this.#group.log[index - 1]!.record);
  }

  cachedRecord(): undefined {
    return undefined;
  }

  get compactableThrough(): LogIndex {
    return 0 as LogIndex;
  }

  compactRecord(): void {
    assert.fail('the catalogue compacts nothing');
  }

  transferLeadership(to?: NodeId): Promise<boolean> {
    this.#group.lead(to);
    return Promise.resolve(true);
  }

  changeMembership(members: {
    readonly voters: readonly NodeId[];
    readonly learners: readonly NodeId[];
  }): Promise<void> {
    this.#group.change(members.voters, members.learners);
    return Promise.resolve();
  }
}
