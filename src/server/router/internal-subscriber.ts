/**
 * Owns subscriptions of the server itself: parts of it that receive messages as a client would, wherever in the cluster
 * they are published. Messages are copied, and handled once the publisher's turn is over, so a handler may publish.
 */
import type { Runtime } from '../../base/runtime.ts';
import type { Message } from '../protocol/index.ts';
import type { ReceivedMessage } from '../router-types.ts';
import type { Subscriber, Subscription } from './subscription.ts';

export class InternalSubscriber implements Subscriber {
  readonly connectionId: number;
  readonly echo = true;
  readonly wantsNoResponders = false;
  readonly #runtime: Runtime;
  readonly #handler: (message: ReceivedMessage) => void;
  #queue: ReceivedMessage[] = [];
  #queuedBytes = 0;
  #closed = false;

  /** `connectionId`: of no client. */
  constructor(connectionId: number, runtime: Runtime, handler: (message: ReceivedMessage) => void) {
    this.connectionId = connectionId;
    this.#runtime = runtime;
    this.#handler = handler;
  }

  get pendingBytes(): number {
    return this.#queuedBytes;
  }

  deliver(subscription: Subscription, message: Message): boolean {
    if (this.#closed) return false;
    subscription.delivered++;
    const { buffer, headersStart, headersEnd, payloadStart, payloadEnd } = message;
    const body = Buffer.from(buffer.subarray(headersStart, payloadEnd));
    this.#queue.push({
      subject: message.subjectBuffer.toString('latin1', message.subjectStart, message.subjectEnd),
      reply: message.replyBuffer.toString('latin1', message.replyStart, message.replyEnd),
      headers: body.subarray(0, headersEnd - headersStart),
      payload: body.subarray(payloadStart - headersStart),
    });
    this.#queuedBytes += body.length;
    if (this.#queue.length === 1) {
      this.#runtime.soon(() => {
        this.#drain();
      });
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #drain(): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const message of queue) {
      if (this.#closed) return;
      this.#handler(message);
    }
  }
}
