/** Owns what a core wants done outside. */
import type { NodeId } from '../../base/brand.ts';
import type { PeerMessage } from '../messages.ts';
import type { Entry, LogIndex } from '../types.ts';
import type { HardState, SnapshotPoint } from './input.ts';

export interface LoadRequest {
  /** The follower it is for, or this node itself: then they are to be applied. */
  readonly to: NodeId;
  readonly from: LogIndex;
  /** The last index wanted. */
  readonly through: LogIndex;
  readonly maxBytes: number;
}

/**
 * What must now happen outside. Filled by any number of steps, then carried out:
 * 1. `send` at once;
 * 2. `install`, `hardState` and `append` in one durable batch (entries stored at or behind `append[0]` are replaced),
 *    then step `persisted`. `repaired` belongs into the same batch;
 * 3. `sendOncePersisted` when that batch *and all batches before it* are durable, also if this one held nothing;
 * 4. `apply` in order, at any time; an `install` comes before all of it.
 */
export class Effects {
  hardState: HardState | undefined;
  /**
   * The received checkpoint takes force: the state machine is restored from it, and everything stored at or before its
   * index is history. Unless `keepLog`, what is stored behind it is void and goes in the same batch.
   */
  install: { readonly snapshot: SnapshotPoint; readonly keepLog: boolean } | undefined;
  readonly append: Entry[] = [];
  /** May leave at once: a leader's appends (thesis §10.2.1) and what promises nothing. */
  readonly send: PeerMessage[] = [];
  readonly sendOncePersisted: PeerMessage[] = [];
  readonly load: LoadRequest[] = [];
  /** Committed, in order, each once per process life; entries of Raft's own kinds included. */
  readonly apply: Entry[] = [];
  /** Reads that are linearizable once `index` is applied. */
  readonly reads: { readonly context: number; readonly index: LogIndex }[] = [];
  /** Reads that this node can no longer answer. */
  readonly abortedReads: number[] = [];
  /** Followers that need a checkpoint at or behind `index`; answer with `snapshotSent`. */
  readonly snapshots: { readonly to: NodeId; readonly index: LogIndex }[] = [];
  /** How a `changeMembership` ended. `refused`: nothing was changed. */
  membershipOutcome: 'completed' | 'refused' | undefined;
  /** The log of a peer contradicts ours although both call it the same: one of the two is damaged at this index. */
  brokenChain: { readonly peer: NodeId; readonly index: LogIndex } | undefined;
  /** The mark that this replica is repairing is to be removed. */
  repaired = false;
  restartElectionTimer = false;
  /** Role, leader, membership, readiness, repairing or hibernation changed. */
  statusChanged = false;

  /** Adds entries to be stored, replacing what earlier steps wanted stored at or behind the first. */
  appendEntries(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    while (this.append.length > 0 && this.append[this.append.length - 1]!.index >= first.index) this.append.pop();
    for (const entry of entries) this.append.push(entry);
  }

  installSnapshot(snapshot: SnapshotPoint, keepLog: boolean): void {
    this.install = { snapshot, keepLog };
    this.apply.length = 0;
    if (!keepLog) this.append.length = 0;
  }

  get needsDisk(): boolean {
    return this.hardState !== undefined || this.install !== undefined || this.append.length > 0 || this.repaired;
  }

  /** Makes the instance ready for the next steps. Arrays are emptied, not replaced: whoever keeps one copies it. */
  clear(): void {
    this.hardState = undefined;
    this.install = undefined;
    this.append.length = 0;
    this.send.length = 0;
    this.sendOncePersisted.length = 0;
    this.load.length = 0;
    this.apply.length = 0;
    this.reads.length = 0;
    this.abortedReads.length = 0;
    this.snapshots.length = 0;
    this.membershipOutcome = undefined;
    this.brokenChain = undefined;
    this.repaired = false;
    this.restartElectionTimer = false;
    this.statusChanged = false;
  }
}
