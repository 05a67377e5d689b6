/** Owns a subscription of a local connection, and what the router needs to know of a connection. */
import type { Message } from '../protocol/index.ts';
import type { Publisher } from '../router-types.ts';

/** A connection, seen from the router. */
export interface Subscriber {
  /** Unique on this node, never 0. */
  readonly connectionId: number;
  /** False: it does not want to receive its own messages. */
  readonly echo: boolean;
  /** True if it connected with `no_responders`. */
  readonly wantsNoResponders: boolean;
  readonly pendingBytes: number;
  /**
   * Queues the message, copying it. False: it cannot take it now or ever, e.g. it is closing. The publisher, if there is
   * one, is held back for a moment when too much is pending.
   */
  deliver(subscription: Subscription, message: Message, publisher: Publisher | undefined): boolean;
}

export class Subscription {
  readonly subscriber: Subscriber;
  /** Byte string. */
  readonly subject: string;
  readonly queue: string | undefined;
  readonly sid: string;
  readonly sidBytes: Buffer;
  /** Messages delivered so far. */
  delivered = 0;
  /** Removed with the max-th delivery. 0: no limit. */
  max = 0;
  closed = false;
  /** Where it is in the list that holds it. Kept by that list, so that leaving takes no search. */
  position = -1;

  constructor(
    subscriber: Subscriber,
    terms: { readonly subject: string; readonly queue: string | undefined; readonly sid: string },
  ) {
    this.subscriber = subscriber;
    this.subject = terms.subject;
    this.queue = terms.queue;
    this.sid = terms.sid;
    this.sidBytes = Buffer.from(terms.sid, 'latin1');
  }
}

/** Adds to a list in which every subscription knows its position. */
export function enlist(list: Subscription[], subscription: Subscription): void {
  subscription.position = list.length;
  list.push(subscription);
}

/** Removes by moving the last one into the gap: order within a list means nothing. */
export function delist(list: Subscription[], subscription: Subscription): void {
  const last = list.pop()!;
  if (last !== subscription) {
    list[subscription.position] = last;
    last.position = subscription.position;
  }
  subscription.position = -1;
}
