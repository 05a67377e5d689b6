/** Owns whose turn it is to deliver: awake consumers in a ring, a bounded slice each, a bounded number of slices per turn of the loop. */
import type { Runtime } from '../base/runtime.ts';
import type { Consumer } from './consumer.ts';
import type { DeliveryBudget } from './dispatcher.ts';

const SLICE_MESSAGES = 256;
const SLICE_BYTES = 256 * 1024;
/** Between two looks at sockets and timers. */
const TURN_MESSAGES = 1024;
const TURN_BYTES = 1024 * 1024;

export class DeliveryTurns {
  readonly #runtime: Runtime;
  #ring: Consumer[] = [];
  readonly #budget: DeliveryBudget = { messages: 0, bytes: 0 };
  #scheduled = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  wake(consumer: Consumer): void {
    if (consumer.awake) return;
    consumer.awake = true;
    this.#ring.push(consumer);
    this.#schedule();
  }

  clear(): void {
    for (const consumer of this.#ring) consumer.awake = false;
    this.#ring = [];
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.defer(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
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
