/**
 * Owns the way to another node's subscribers: frames gathered per turn, and holding back publishers while the link to the
 * node is congested.
 */
import type { NodeId } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { Message } from '../protocol/index.ts';
import type { Publisher } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import type { QueueGroup } from './interest.ts';
import { FrameBuilder } from './routed-frame.ts';
import type { Flushable, TurnEnd } from './turn-end.ts';

/** A frame is sent on at this size, even within a turn. */
const MAX_FRAME_BYTES = 256 * 1024;
/** Above it, publishers whose messages go to this node are not read until the link has drained to half. */
const CONGESTED_BYTES = 16 * 1024 * 1024;
/** Messages that cannot be held back, such as those made on this node, are dropped beyond it: memory is bounded. */
const MAX_PENDING_BYTES = 128 * 1024 * 1024;
const DRAIN_CHECK_MS = 5;

/** The traffic link of the cluster. */
export interface RoutedTraffic {
  /** Takes the frame over without copying. False: the node is away. */
  send(node: NodeId, frame: Buffer): boolean;
  pendingTraffic(node: NodeId): number;
}

export interface PeerStatistics {
  outMessages: number;
  outBytes: number;
  inMessages: number;
  inBytes: number;
  /** For want of a link, or beyond the bound on what is pending. */
  dropped: number;
}

export class RoutePeer implements Flushable {
  readonly node: NodeId;
  readonly statistics: PeerStatistics = { outMessages: 0, outBytes: 0, inMessages: 0, inBytes: 0, dropped: 0 };
  /** Queue groups picked for this node while one message is routed. */
  readonly #picked: Buffer[] = [];
  #plainPicked = false;
  readonly #traffic: RoutedTraffic;
  readonly #runtime: Runtime;
  readonly #turnEnd: TurnEnd;
  readonly #builder = new FrameBuilder();
  #account: AccountSubjects | undefined;
  #gathered = 0;
  readonly #held = new Set<Publisher>();

  constructor(
    node: NodeId,
    options: { readonly traffic: RoutedTraffic; readonly runtime: Runtime; readonly turnEnd: TurnEnd },
  ) {
    this.node = node;
    this.#traffic = options.traffic;
    this.#runtime = options.runtime;
    this.#turnEnd = options.turnEnd;
  }

  get pendingBytes(): number {
    return this.#traffic.pendingTraffic(this.node) + this.#builder.bytes;
  }

  /** Picks this node for a group, or its plain subscribers, of the message being routed. False: was picked before. */
  pick(group: QueueGroup | undefined): boolean {
    const first = !this.#plainPicked && this.#picked.length === 0;
    if (group === undefined) this.#plainPicked = true;
    else this.#picked.push(group.key);
    return first;
  }

  /** Adds the message to the frame, for those picked. `routeSubject` as in FrameBuilder. False: it had to be dropped. */
  enqueue(
    account: AccountSubjects,
    message: Message,
    options: { readonly routeSubject: Buffer | undefined; readonly publisher: Publisher | undefined },
  ): boolean {
    const taken = this.pendingBytes <= MAX_PENDING_BYTES;
    if (taken) {
      if (this.#account !== account || this.#builder.bytes >= MAX_FRAME_BYTES) this.#sendFrame();
      if (this.#account === undefined) this.#begin(account);
      this.#builder.add(message, { subject: options.routeSubject, plain: this.#plainPicked, groups: this.#picked });
      this.#gathered++;
      this.statistics.outMessages++;
      this.statistics.outBytes += message.bodyBytes;
      if (options.publisher !== undefined && this.pendingBytes > CONGESTED_BYTES) this.#hold(options.publisher);
    } else {
      this.statistics.dropped++;
    }
    this.#plainPicked = false;
    this.#picked.length = 0;
    return taken;
  }

  flush(): void {
    this.#sendFrame();
  }

  /** The node is away: what was gathered for it is lost, and nobody waits for it any more. */
  lost(): void {
    if (this.#account !== undefined) this.#builder.take();
    this.#account = undefined;
    this.#releaseHeld();
  }

  #begin(account: AccountSubjects): void {
    this.#account = account;
    this.#gathered = 0;
    this.#builder.begin(account.name);
    this.#turnEnd.add(this);
  }

  #sendFrame(): void {
    const account = this.#account;
    if (account === undefined) return;
    this.#account = undefined;
    // A reply's inbox may have been subscribed to in this very turn: the interest must be known before the request.
    account.flush();
    if (!this.#traffic.send(this.node, this.#builder.take())) this.statistics.dropped += this.#gathered;
  }

  #hold(publisher: Publisher): void {
    if (this.#held.has(publisher)) return;
    if (this.#held.size === 0) this.#awaitDrain();
    this.#held.add(publisher);
    publisher.pause();
  }

  #awaitDrain(): void {
    this.#runtime.after(DRAIN_CHECK_MS, () => {
      if (this.#held.size === 0) return;
      if (this.pendingBytes > CONGESTED_BYTES / 2) this.#awaitDrain();
      else this.#releaseHeld();
    });
  }

  #releaseHeld(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const publisher of held) publisher.resume();
  }
}
