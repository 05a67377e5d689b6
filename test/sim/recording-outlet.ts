/**
 * Owns the way from a simulated node's consumers to their clients: everything arrives, at once, as long as the node lives.
 * What other streams take goes to them by the network.
 */
import type { DeliveryTarget, Outlet } from '../../src/consumer/index.ts';
import type { StoredMessage } from '../../src/stream/index.ts';
import { deliveryOf, isTaker, type TakerOutlet } from './account-network.ts';

export interface ReceivedMessage {
  readonly seq: number;
  readonly payload: string;
  readonly reply: string;
  readonly pin?: string;
}

export interface ClientInbox {
  message(to: string, message: ReceivedMessage): void;
  /** The consumer waits for an answer to flow control, at `subject`. */
  flowAsked(subject: string): void;
  /** An answer to an ack, or an advisory. */
  published(subject: string): void;
}

export class RecordingOutlet implements Outlet {
  readonly #inbox: ClientInbox;
  readonly #takers: TakerOutlet;

  constructor(inbox: ClientInbox, takers: TakerOutlet) {
    this.#inbox = inbox;
    this.#takers = takers;
  }

  openTarget(subject: string, { onChange }: { readonly onChange: () => void }): DeliveryTarget {
    if (isTaker(subject)) return this.#takers.openTarget(subject, onChange);
    return { subject, interested: true, close: () => undefined };
  }

  deliver(target: DeliveryTarget, message: StoredMessage, reply: Buffer, replyBytes: number): boolean {
    if (isTaker(target.subject)) {
      return this.#takers.deliver(target.subject, deliveryOf(message, reply.subarray(0, replyBytes)));
    }
    this.#inbox.message(target.subject, {
      seq: message.seq,
      payload: message.buffer.toString('utf8', message.payloadStart, message.end),
      reply: reply.toString('utf8', 0, replyBytes),
    });
    return true;
  }

  /** Only consumers with a pinned client get here. */
  deliverParts(
    target: DeliveryTarget,
    parts: { readonly headers: Buffer; readonly payload: Buffer; readonly reply: string },
  ): boolean {
    const { payload, reply } = parts;
    const pin = /\r\nNats-Pin-Id: (\w*)\r\n/.exec(parts.headers.toString())?.[1] ?? '';
    this.#inbox.message(target.subject, { seq: Number(reply.split('.')[5]), payload: payload.toString(), reply, pin });
    return true;
  }

  status({ subject }: DeliveryTarget, headers: Buffer, reply?: string): boolean {
    if (isTaker(subject)) {
      const message = { buffer: headers, subjectStart: 0, headersStart: 0, payloadStart: headers.length };
      return this.#takers.deliver(subject, deliveryOf({ ...message, end: headers.length }, Buffer.from(reply ?? '')));
    }
    const asked = reply ?? /\r\nNats-Consumer-Stalled: (\S+)\r\n/.exec(headers.toString())?.[1];
    if (asked !== undefined) this.#inbox.flowAsked(asked);
    return true;
  }

  publish(subject: string): void {
    this.#inbox.published(subject);
  }

  congested(): boolean {
    return false;
  }
}
