/**
 * Owns deliveries that wait for their record. Where attempts are limited, an attempt must be on record before a client
 * sees it: else the next leader, who doesn't know of it, would allow one too many.
 */
import type { PullRequest } from '../pull/pull-queue.ts';

export interface HeldDelivery {
  readonly seq: number;
  readonly consumerSeq: number;
  readonly attempts: number;
  /** Messages never delivered before, behind this one. */
  readonly left: number;
  /** Undefined for push consumers. */
  readonly request: PullRequest | undefined;
}

export class HeldDeliveries {
  #waiting: HeldDelivery[] = [];
  /** So many of those waiting are in the entry on its way. */
  #inEntry = 0;
  #recorded: HeldDelivery[] = [];
  readonly #seqs = new Set<number>();

  /** Whether an attempt of message `seq` waits here: its time to be acked has not begun. */
  has(seq: number): boolean {
    return this.#seqs.has(seq);
  }

  /** Something may be sent now. */
  get anyRecorded(): boolean {
    return this.#recorded.length > 0;
  }

  hold(held: HeldDelivery): void {
    this.#seqs.add(held.seq);
    if (held.request !== undefined) held.request.held++;
    this.#waiting.push(held);
  }

  beforeRecord(): void {
    this.#inEntry = this.#waiting.length;
  }

  afterRecord(): void {
    for (const held of this.#waiting.splice(0, this.#inEntry)) this.#recorded.push(held);
    this.#inEntry = 0;
  }

  /** Hands what is on record to `send`, in order, until that has to wait. */
  drain(send: (held: HeldDelivery) => 'done' | 'wait'): void {
    const recorded = this.#recorded;
    let sent = 0;
    for (; sent < recorded.length; sent++) {
      const held = recorded[sent]!;
      if (send(held) === 'wait') break;
      this.#seqs.delete(held.seq);
    }
    if (sent > 0) this.#recorded = recorded.slice(sent);
  }

  /** Nothing will be sent any more. Requests that ended and waited for their last message are let go. */
  close(): void {
    for (const { request } of [...this.#waiting, ...this.#recorded]) {
      if (request === undefined) continue;
      request.held = 0;
      if (request.ended) request.target.close();
    }
    this.#waiting = [];
    this.#recorded = [];
    this.#seqs.clear();
    this.#inEntry = 0;
  }
}
