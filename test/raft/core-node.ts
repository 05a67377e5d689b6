/**
 * Owns one simulated member: a real core with a disk that loses what was not yet written when it crashes. It carries
 * out effects in the order they ask for, and hands messages to whoever made it.
 */
import type { NodeId } from '../../src/base/brand.ts';
import { RaftCore } from '../../src/raft/core/core.ts';
import { Effects } from '../../src/raft/core/effects.ts';
import type { CoreOptions, HardState, Input, SnapshotPoint } from '../../src/raft/core/input.ts';
import { decodeMembership, type Membership } from '../../src/raft/core/membership.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { chainChecksum } from '../../src/raft/record.ts';
import type { Entry, GroupId, LogIndex, Term } from '../../src/raft/types.ts';

export const GROUP = 7 as GroupId;
export const ELECTION_TIMEOUT_MIN_MS = 300;

export const NO_HARD_STATE: HardState = { term: 0 as Term, votedFor: undefined, voteFloor: 0 as Term };

/** The replicated state: what was applied, as one string per entry. */
export interface Checkpoint {
  readonly point: SnapshotPoint;
  readonly state: readonly string[];
}

interface WriteBatch {
  readonly hardState: HardState | undefined;
  readonly install: { readonly checkpoint: Checkpoint; readonly keepLog: boolean } | undefined;
  readonly append: readonly Entry[];
  readonly repaired: boolean;
  readonly messages: readonly PeerMessage[];
}

export class SimDisk {
  hardState: HardState | undefined;
  checkpoint: Checkpoint;
  repairing = false;
  readonly log = new Map<number, Entry>();
  lastIndex = 0;

  constructor(membership: Membership) {
    this.checkpoint = { point: { index: 0 as LogIndex, term: 0 as Term, checksum: 0, membership }, state: [] };
  }

  write(batch: WriteBatch): void {
    if (batch.hardState !== undefined) this.hardState = batch.hardState;
    if (batch.install !== undefined) {
      this.checkpoint = batch.install.checkpoint;
      if (!batch.install.keepLog) this.cutTo(0);
      this.lastIndex = Math.max(this.lastIndex, this.checkpoint.point.index);
    }
    const first = batch.append[0];
    if (first !== undefined) {
      this.cutTo(first.index - 1);
      for (const entry of batch.append) this.log.set(entry.index, entry);
      this.lastIndex = batch.append[batch.append.length - 1]!.index;
    }
    if (batch.repaired) this.repairing = false;
  }

  cutTo(index: number): void {
    for (let at = this.lastIndex; at > index; at--) this.log.delete(at);
    this.lastIndex = Math.min(this.lastIndex, index);
  }

  termAt(index: number): Term | undefined {
    return index === this.checkpoint.point.index ? this.checkpoint.point.term : this.log.get(index)?.term;
  }

  /** What a host would find at start-up. */
  recover(): CoreOptions['state'] {
    const { point } = this.checkpoint;
    const log: { index: LogIndex; term: Term; checksum: number }[] = [];
    const memberships: { index: LogIndex; membership: Membership }[] = [];
    for (let at = point.index + 1; at <= this.lastIndex; at++) {
      const entry = this.log.get(at)!;
      log.push({ index: entry.index, term: entry.term, checksum: chainChecksum(entry.record) });
      if (entry.kind !== 'membership') continue;
      memberships.push({ index: entry.index, membership: decodeMembership(entry.body)! });
    }
    return {
      kind: 'recovered',
      repairing: this.repairing,
      state: {
        hardState: this.hardState ?? NO_HARD_STATE,
        snapshot: point,
        log,
        memberships,
        commitIndex: point.index,
      },
    };
  }
}

/** What a node tells whoever made it. */
export interface NodeEvents {
  /** `message` leaves the node now. */
  send(node: CoreNode, message: PeerMessage): void;
  applied?(node: CoreNode, entry: Entry): void;
  /** After every step. */
  stepped?(node: CoreNode): void;
  effects?(node: CoreNode, effects: Effects): void;
}

export class CoreNode {
  readonly id: NodeId;
  readonly disk: SimDisk;
  readonly #options: Omit<CoreOptions, 'state'>;
  /** In all its lives. */
  #repairs = 0;
  readonly #events: NodeEvents;
  readonly #firstLeader: NodeId | undefined;
  #core: RaftCore | undefined;
  readonly effects = new Effects();
  /** Batches not yet on disk, oldest first. */
  writes: WriteBatch[] = [];
  loads: { readonly to: NodeId; readonly entries: readonly Entry[] }[] = [];
  applied: string[] = [];
  appliedIndex = 0;
  /** Checkpoints that arrived, until the core says what becomes of them. */
  readonly #received = new Map<number, Checkpoint>();
  #restartElectionTimer = false;

  constructor(
    id: NodeId,
    first: { readonly membership: Membership; readonly firstLeader?: NodeId | undefined },
    options: Partial<CoreOptions>,
    events: NodeEvents,
  ) {
    this.id = id;
    this.disk = new SimDisk(first.membership);
    this.#events = events;
    this.#firstLeader = first.firstLeader;
    this.#options = {
      electionTimeoutMinMs: ELECTION_TIMEOUT_MIN_MS,
      repairNumber: () => ++this.#repairs,
      ...options,
      node: id,
      group: GROUP,
    };
    this.#create({ kind: 'created', membership: first.membership, firstLeader: first.firstLeader }, 0);
  }

  #create(state: CoreOptions['state'], now: number): void {
    this.#core = new RaftCore({ ...this.#options, state });
    this.#core.start(now, this.effects);
    this.#events.stepped?.(this);
  }

  get core(): RaftCore {
    if (this.#core === undefined) throw new Error(`${this.id} is down`);
    return this.#core;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  step(input: Input, now: number): void {
    this.core.step(input, now, this.effects);
    this.#events.stepped?.(this);
  }

  takeElectionTimerRestart(): boolean {
    const restart = this.#restartElectionTimer;
    this.#restartElectionTimer = false;
    return restart;
  }

  /** Carries out what the steps since the last call want, but for writing. */
  drain(): void {
    const { effects } = this;
    this.#events.effects?.(this, effects);
    if (effects.restartElectionTimer) this.#restartElectionTimer = true;
    for (const message of effects.send) this.#events.send(this, message);
    const install = effects.install && {
      checkpoint: this.#received.get(effects.install.snapshot.index)!,
      keepLog: effects.install.keepLog,
    };
    if (install !== undefined) {
      this.applied = [...install.checkpoint.state];
      this.appliedIndex = install.checkpoint.point.index;
    }
    if (effects.needsDisk || effects.sendOncePersisted.length > 0) {
      const { hardState, repaired } = effects;
      const messages = [...effects.sendOncePersisted];
      this.writes.push({ hardState, install, append: [...effects.append], repaired, messages });
    }
    for (const entry of effects.apply) {
      this.appliedIndex = entry.index;
      if (entry.kind === 'normal') this.applied.push(entry.body.toString('latin1'));
      this.#events.applied?.(this, entry);
    }
    for (const { to, from, through, maxBytes } of effects.load) {
      const entries: Entry[] = [];
      let bytes = 0;
      for (let at = from as number; at <= through && bytes < maxBytes; at++) {
        const entry = this.disk.log.get(at);
        if (entry === undefined) break;
        entries.push(entry);
        bytes += entry.record.length;
      }
      this.loads.push({ to, entries });
    }
    effects.clear();
  }

  /** The oldest write reaches the disk: only now may its messages leave. */
  completeWrite(now: number): void {
    const batch = this.writes.shift();
    if (batch === undefined) return;
    this.disk.write(batch);
    const { point } = this.disk.checkpoint;
    const last = batch.append[batch.append.length - 1] ?? (batch.install && point);
    const index = last?.index ?? (0 as LogIndex);
    this.step({ kind: 'persisted', index, term: last?.term ?? (0 as Term), hardState: batch.hardState }, now);
    for (const message of batch.messages) this.#events.send(this, message);
  }

  completeLoad(now: number): void {
    const load = this.loads.shift();
    if (load !== undefined) this.step({ kind: 'loaded', ...load }, now);
  }

  /** Makes a durable checkpoint of what is applied, and lets the log go up to there. */
  checkpoint(now: number): void {
    const index = Math.min(this.appliedIndex, this.disk.lastIndex) as LogIndex;
    const point = index === this.appliedIndex ? this.core.snapshotPoint(index) : undefined;
    if (point === undefined || index <= this.disk.checkpoint.point.index) return;
    this.disk.checkpoint = { point, state: [...this.applied] };
    this.step({ kind: 'compact', index }, now);
  }

  receiveCheckpoint(from: NodeId, checkpoint: Checkpoint, now: number): void {
    this.#received.set(checkpoint.point.index, checkpoint);
    this.step({ kind: 'snapshotReceived', from, snapshot: checkpoint.point }, now);
  }

  /** The process dies. Of the writes under way the first `written` reached the disk, but nobody was told. */
  crash(written = 0): void {
    for (const batch of this.writes.splice(0, written)) this.disk.write(batch);
    this.#core = undefined;
    this.writes = [];
    this.loads = [];
    this.effects.clear();
    this.#received.clear();
    this.#restartElectionTimer = false;
  }

  restart(now: number): void {
    this.applied = [...this.disk.checkpoint.state];
    this.appliedIndex = this.disk.checkpoint.point.index;
    const neverWritten = this.disk.hardState === undefined && this.disk.lastIndex === 0 && !this.disk.repairing;
    const { membership } = this.disk.checkpoint.point;
    if (neverWritten) this.#create({ kind: 'created', membership, firstLeader: this.#firstLeader }, now);
    else this.#create(this.disk.recover(), now);
  }
}
