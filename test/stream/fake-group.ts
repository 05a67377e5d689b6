/** Owns a group without a cluster: what is proposed is committed at once, or on demand, and applied in order. */
import type { NodeId } from '../../src/base/brand.ts';
import { sealRecord } from '../../src/raft/record.ts';
import type { Entry, GroupHandle, GroupId, GroupStatus, LogIndex, StateMachine, Term } from '../../src/raft/index.ts';

const GROUP = 7 as GroupId;

export class FakeGroup implements GroupHandle {
  readonly id = GROUP;
  readonly entries = new Map<LogIndex, Entry>();
  /** Records that are on disk only: reading them takes a turn. */
  readonly coldRecords = new Set<LogIndex>();
  readonly corruptRecords = new Set<LogIndex>();
  /** Records that were asked for because they were not in memory. */
  readonly reads: LogIndex[] = [];
  /** Entries proposed and not yet applied, oldest first. */
  readonly pending: Entry[] = [];
  /** Proposals in flight above which `canPropose` is false. */
  maxInFlight = Infinity;
  compactions = 0;
  /** Entries behind it may still be applied again. */
  compactableThrough = Infinity as LogIndex;
  #machine: StateMachine | undefined;
  #status: GroupStatus;
  #nextIndex = 1;

  constructor() {
    this.#status = {
      role: 'leader',
      term: 1 as Term,
      leader: 'n1' as NodeId,
      ready: true,
      commitIndex: 0 as LogIndex,
      lastApplied: 0 as LogIndex,
      voters: ['n1' as NodeId],
      learners: [],
      repairing: false,
      peers: [],
    };
  }

  attach(machine: StateMachine): void {
    this.#machine = machine;
  }

  get status(): GroupStatus {
    return this.#status;
  }

  get canPropose(): boolean {
    return this.#status.role === 'leader' && this.pending.length < this.maxInFlight;
  }

  propose(record: Buffer): LogIndex | undefined {
    if (this.#status.role !== 'leader') return undefined;
    const index = this.#nextIndex++ as LogIndex;
    const term = this.#status.term;
    this.pending.push(sealRecord(record, { kind: 'normal', group: GROUP, index, term, previousChecksum: 0 }));
    return index;
  }

  /** Commits and applies what is pending, and what that leads to. */
  run(): void {
    while (this.pending.length > 0) this.commit(this.pending.splice(0));
  }

  commit(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.entries.set(entry.index, entry);
      this.#nextIndex = Math.max(this.#nextIndex, entry.index + 1);
    }
    const lastApplied = entries.at(-1)?.index ?? this.#status.lastApplied;
    this.#machine?.apply(entries);
    this.#status = { ...this.#status, commitIndex: lastApplied, lastApplied };
    this.#machine?.proposalsWelcome();
  }

  /** The entry that another leader put at the place of the oldest pending one. */
  replacePending(record: Buffer): Entry {
    const { index } = this.pending[0]!;
    const term = (this.#status.term + 1) as Term;
    this.pending.length = 0;
    return sealRecord(record, { kind: 'normal', group: GROUP, index, term, previousChecksum: 0 });
  }

  changeStatus(change: Partial<GroupStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#machine?.statusChanged(this.#status);
  }

  readBarrier(): Promise<void> {
    return Promise.resolve();
  }

  hasReadLease(): boolean {
    return true;
  }

  hasLease(): boolean {
    return true;
  }

  readRecord(index: LogIndex): Promise<Buffer> {
    this.reads.push(index);
    const entry = this.entries.get(index);
    if (entry === undefined || this.corruptRecords.has(index)) return Promise.reject(new Error(`no record ${index}`));
    return Promise.resolve(entry.record);
  }

  cachedRecord(index: LogIndex): Buffer | undefined {
    if (this.coldRecords.has(index) || this.corruptRecords.has(index)) return undefined;
    return this.entries.get(index)?.record;
  }

  compactRecord(index: LogIndex, body: Buffer): void {
    const entry = this.entries.get(index)!;
    const record = Buffer.concat([entry.record.subarray(0, entry.record.length - entry.body.length), body]);
    this.entries.set(index, { ...entry, record, body: record.subarray(record.length - body.length) });
    this.compactions++;
  }

  transferLeadership(): Promise<boolean> {
    return Promise.resolve(false);
  }

  changeMembership(): Promise<void> {
    return Promise.resolve();
  }
}
