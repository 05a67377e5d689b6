/** Owns subscriptions of the server itself that take many messages: each is handed over where it lies, uncopied. */
import type { Message } from '../protocol/index.ts';
import type { InPlaceReceiver } from '../router-types.ts';
import type { Subscriber, Subscription } from './subscription.ts';

export class InPlaceSubscriber implements Subscriber {
  readonly connectionId: number;
  readonly echo = true;
  readonly wantsNoResponders = false;
  readonly #receiver: InPlaceReceiver;
  #closed = false;

  /** `connectionId`: of no client. */
  constructor(connectionId: number, receiver: InPlaceReceiver) {
    this.connectionId = connectionId;
    this.#receiver = receiver;
  }

  get pendingBytes(): number {
    return this.#receiver.pendingBytes;
  }

  deliver(subscription: Subscription, message: Message): boolean {
    if (this.#closed) return false;
    subscription.delivered++;
    this.#receiver.receive(message);
    return true;
  }

  close(): void {
    this.#closed = true;
  }
}
