/**
 * Owns whose turn it is to deliver: awake consumers in a ring, a bounded slice each, a bounded number of slices per turn of the loop.
 *
 * Nothing is delivered but by a leader that is sure to be one still. One that was deposed and has not heard of it knows
 * nothing of the acks that its successor has confirmed, and would deliver those messages again, or for the first time.
 */
import { NotLeaderError } from '../../base/errors.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { ExtensionHost } from '../../stream/index.ts';
import type { Consumer } from '../consumer.ts';
import type { DeliveryBudget } from './dispatcher.ts';

const SLICE_MESSAGES = 256;
const SLICE_BYTES = 256 * 1024;
/** Between two looks at sockets and timers. */
const TURN_MESSAGES = 1024;
const TURN_BYTES = 1024 * 1024;
/** After the group could not say whether it is led here. */
const DOUBT_RETRY_MS = 20;
/** An answer that took longer may be about a time long past. */
const STALE_ANSWER_MS = 100;

/** Whether this node still leads: by the lease, or by asking the quorum. */
export type Leadership = Pick<ExtensionHost, 'leadsForSure' | 'readBarrier'>;

export class DeliveryTurns {
  readonly #runtime: Runtime;
  readonly #leadership: Leadership;
  #ring: Consumer[] = [];
  readonly #budget: DeliveryBudget = { messages: 0, bytes: 0 };
  #scheduled = false;
  #paused = false;
  #generation = 0;

  constructor(runtime: Runtime, leadership: Leadership) {
    this.#runtime = runtime;
    this.#leadership = leadership;
  }

  wake(consumer: Consumer): void {
    if (consumer.awake) return;
    consumer.awake = true;
    this.#ring.push(consumer);
    this.#schedule();
  }

  /** Another leads, or this node leads anew: what was scheduled or asked before counts no more. */
  clear(): void {
    this.#generation++;
    this.#scheduled = false;
    this.#paused = false;
    for (const consumer of this.#ring) consumer.awake = false;
    this.#ring = [];
  }

  /** Nobody gets a turn until `resume` or `clear`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#ring.length > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused) return;
    this.#scheduled = true;
    const generation = this.#generation;
    this.#runtime.defer(() => {
      if (generation === this.#generation) this.#turnWhenSure();
    });
  }

  #turnWhenSure(): void {
    if (this.#ring.length === 0 || this.#leadership.leadsForSure()) this.#turn();
    else this.#ask('first');
  }

  /** Without a lease the quorum is asked, once for all that wait. */
  #ask(time: 'first' | 'second'): void {
    const generation = this.#generation;
    const askedMs = this.#runtime.monotonicMs();
    this.#leadership.readBarrier().then(
      () => {
        if (generation !== this.#generation) return;
        // If it was us who stood still, the answer is as old as that. Where every answer is slow, the second has to do.
        const isStale = this.#runtime.monotonicMs() - askedMs > STALE_ANSWER_MS && !this.#leadership.leadsForSure();
        if (isStale && time === 'first') this.#ask('second');
        else this.#turn();
      },
      (error: unknown) => {
        if (!(error instanceof NotLeaderError)) throw error;
        // Deposed, and the ring will be cleared; or too many ask at once.
        this.#runtime.after(DOUBT_RETRY_MS, () => {
          if (generation === this.#generation) this.#turnWhenSure();
        });
      },
    );
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#paused) return;
    const ring = this.#ring;
    const unserved: Consumer[] = [];
    this.#ring = unserved;
    const budget = this.#budget;
    let messages = TURN_MESSAGES;
    let bytes = TURN_BYTES;
    let at = 0;
    while (at < ring.length && messages > 0 && bytes > 0) {
      const consumer = ring[at++]!;
      // Closed or deleted meanwhile.
      if (!consumer.awake) continue;
      consumer.awake = false;
      budget.messages = SLICE_MESSAGES;
      budget.bytes = SLICE_BYTES;
      const more = consumer.deliver(budget);
      messages -= SLICE_MESSAGES - budget.messages;
      bytes -= SLICE_BYTES - budget.bytes;
      if (more) this.#again(consumer);
    }
    if (at < ring.length) this.#ring = [...ring.slice(at), ...this.#ring];
    if (this.#ring.length > 0) this.#schedule();
  }

  #again(consumer: Consumer): void {
    if (consumer.awake) return;
    consumer.awake = true;
    this.#ring.push(consumer);
  }
}
