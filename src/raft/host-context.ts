/** Owns what a group may ask of its host. */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { CheckpointPolicy } from './checkpoints/checkpointer.ts';
import type { Group } from './group.ts';
import type { HostMetrics } from './host-metrics.ts';
import type { PeerMessage } from './messages.ts';
import type { NodeFrame } from './wire/node-frame.ts';
import type { Timing } from './timing.ts';
import type { GroupId, LogIndex } from './types.ts';

export interface HostContext {
  readonly node: NodeId;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly timing: Timing;
  readonly metrics: HostMetrics;
  readonly checkpointPolicy: CheckpointPolicy;
  readonly groupCount: number;

  /** Something is to be done for `group`: in this turn, or in one that comes soon. */
  markDirty(group: Group): void;
  /** Leaves with this turn's frame. */
  send(group: GroupId, message: PeerMessage): void;
  /** The same, for what is a promise: withheld from peers that don't know this life of the node yet. */
  sendPromise(group: GroupId, message: PeerMessage): void;
  sendFrame(to: NodeId, frame: NodeFrame, link: 'control' | 'bulk'): void;
  pendingBulkBytes(to: NodeId): number;

  /** Enough members have confirmed that this node remembers all that it promised. */
  mayVote(group: Group): boolean;
  isAlive(node: NodeId): boolean;
  lastContactMs(node: NodeId): number | undefined;
  /** When a follower that hears nothing more campaigns: in ticks, with a fraction, or nodes would campaign in step. */
  drawElectionTick(): number;

  /** Fetches an entry again from a peer that has it. */
  repairRecord(group: Group, index: LogIndex): void;
  /** A read failed for another reason than wrong bytes. */
  readFailed(error: unknown): void;
  /** The group can't go on here; the others can. */
  groupFailed(group: Group, error: unknown): void;
}
