/** Owns handing one message to all who get it: plain subscribers, one member of each queue group, and other nodes. */
import type { Runtime } from '../../base/runtime.ts';
import type { Message } from '../protocol/index.ts';
import type { Publisher } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import type { QueueGroup } from './interest.ts';
import type { MatchResult } from './match-result.ts';
import type { RoutePeer } from './route-peer.ts';
import type { Subscription } from './subscription.ts';

export class FanOut {
  readonly #runtime: Runtime;
  /** Nodes picked for the message at hand. Deliveries never publish, so there is only one at a time. */
  readonly #picked: RoutePeer[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** False: nobody took it. `routeSubject` as in FrameBuilder. */
  deliver(
    account: AccountSubjects,
    match: MatchResult,
    message: Message,
    from: { readonly publisher: Publisher | undefined; readonly routeSubject: Buffer | undefined },
  ): boolean {
    let taken = this.deliverToPlain(match, message, from.publisher);
    for (const group of match.queues) if (this.#pickMember(group, message, from.publisher)) taken = true;
    for (const peer of match.peers) if (peer.pick(undefined)) this.#picked.push(peer);
    if (this.#picked.length === 0) return taken;
    for (const peer of this.#picked) if (peer.enqueue(account, message, from)) taken = true;
    this.#picked.length = 0;
    return taken;
  }

  /** To plain subscribers on this node only. */
  deliverToPlain(match: MatchResult, message: Message, publisher: Publisher | undefined): boolean {
    let taken = false;
    for (const subscription of match.plain) if (deliverTo(subscription, message, publisher)) taken = true;
    return taken;
  }

  /**
   * To a member here, for a message whose sender has already picked this node. If the last one has just left, the message
   * is lost: handing it on could make it go round between nodes that know of different members.
   */
  deliverToLocalMember({ local }: QueueGroup, message: Message): void {
    const count = local.length;
    const first = Math.floor(this.#runtime.random() * count);
    for (let tried = 0; tried < count; tried++) {
      const member = local[(first + tried) % count];
      if (member !== undefined && deliverTo(member, message, undefined)) return;
    }
  }

  /** One member of the group, each with the same chance wherever it is; another one if that cannot take the message. */
  #pickMember(group: QueueGroup, message: Message, publisher: Publisher | undefined): boolean {
    const { local } = group;
    const count = group.members;
    let at = Math.floor(this.#runtime.random() * count);
    for (let tried = 0; tried < count; tried++) {
      if (at >= local.length) {
        const peer = peerOfMember(group, at - local.length);
        if (peer !== undefined) {
          if (peer.pick(group)) this.#picked.push(peer);
          return true;
        }
      } else {
        const member = local[at];
        if (member !== undefined && deliverTo(member, message, publisher)) return true;
      }
      at = at + 1 === count ? 0 : at + 1;
    }
    return false;
  }
}

function deliverTo(subscription: Subscription, message: Message, publisher: Publisher | undefined): boolean {
  const { subscriber } = subscription;
  if (!subscriber.echo && subscriber.connectionId === publisher?.connectionId) return false;
  return subscriber.deliver(subscription, message, publisher);
}

/** The node of the n-th member elsewhere. */
function peerOfMember(group: QueueGroup, n: number): RoutePeer | undefined {
  let rest = n;
  for (const [peer, members] of group.peers) {
    if (rest < members) return peer;
    rest -= members;
  }
  return undefined;
}
