/** Owns the answer to "who gets this subject?", computed once and reused until interest changes. */
import type { CaptureHandler, ServiceHandler } from '../router-types.ts';
import type { Interest, QueueGroup } from './interest.ts';
import type { RoutePeer } from './route-peer.ts';
import type { Subscription } from './subscription.ts';

const STALE = -1;

/** A snapshot: its lists never change, so they may be walked while deliveries end subscriptions. Groups are live. */
export class MatchResult {
  readonly plain: readonly Subscription[];
  readonly queues: readonly QueueGroup[];
  /** Nodes with plain subscribers. */
  readonly peers: readonly RoutePeer[];
  readonly services: readonly ServiceHandler[];
  readonly captures: readonly CaptureHandler[];
  /** Nobody at all. */
  readonly empty: boolean;
  #generation: number;

  constructor(interests: readonly Interest[], generation: number) {
    this.plain = interests.flatMap((interest) => interest.plain);
    this.queues = interests.flatMap((interest) => [...interest.queues.values()]);
    this.services = interests.flatMap((interest) => interest.services);
    this.captures = interests.flatMap((interest) => interest.captures);
    this.peers = [...new Set(interests.flatMap((interest) => [...interest.peers.keys()]))];
    this.empty = this.targets === 0;
    this.#generation = generation;
  }

  /** How many references it holds: what it costs to keep. */
  get targets(): number {
    return this.plain.length + this.queues.length + this.peers.length + this.services.length + this.captures.length;
  }

  /** Whether any plain subscriber exists, here or elsewhere. */
  get interested(): boolean {
    return this.plain.length > 0 || this.peers.length > 0;
  }

  /** Bytes queued at the slowest of those who get it: local connections, and links to other nodes. */
  get pendingBytes(): number {
    let most = 0;
    for (const { subscriber, closed } of this.plain) if (!closed) most = Math.max(most, subscriber.pendingBytes);
    for (const peer of this.peers) most = Math.max(most, peer.pendingBytes);
    for (const group of this.queues) {
      for (const { subscriber } of group.local) most = Math.max(most, subscriber.pendingBytes);
      for (const peer of group.peers.keys()) most = Math.max(most, peer.pendingBytes);
    }
    return most;
  }

  validAt(generation: number): boolean {
    return this.#generation === generation;
  }

  invalidate(): void {
    this.#generation = STALE;
  }
}
