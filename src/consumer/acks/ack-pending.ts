/**
 * Owns the set of messages that were delivered and not yet acknowledged. First deliveries happen in stream order, so the
 * set is columns sorted by stream sequence: appended at the end, marked dead in the middle, trimmed at the head.
 */
import { invariant } from '../../base/errors.ts';

const INITIAL_CAPACITY = 16;
const EMPTY = new Float64Array(0);
const EMPTY_COUNTS = new Uint32Array(0);

export class AckPending {
  /** Sorted ascending within [head, tail), dead entries included. */
  #seqs = EMPTY;
  /** The consumer sequence of the first delivery: the ack floor is told in these. */
  #firstDeliveries = EMPTY;
  /** Replicated milliseconds of the last delivery, or what stands for it after a delay or a sign of work. */
  #deliveredMs = EMPTY;
  /** Delivery attempts; 0 marks a dead entry. */
  #attempts = EMPTY_COUNTS;
  #head = 0;
  #tail = 0;
  #size = 0;
  /** How many have more than one attempt. */
  #redelivered = 0;
  /** Acks mostly come in order: where the next one is expected. */
  #hint = 0;

  get size(): number {
    return this.#size;
  }

  get redelivered(): number {
    return this.#redelivered;
  }

  /** Least pending sequence; 0 if none. */
  get lowest(): number {
    return this.#size === 0 ? 0 : this.#seqs[this.#head]!;
  }

  /** The first delivery of `lowest`. */
  get lowestFirstDelivery(): number {
    return this.#size === 0 ? 0 : this.#firstDeliveries[this.#head]!;
  }

  /** Positions for `seqAt` and its siblings lie in [head, tail); those with `attemptsAt` 0 are dead. */
  get head(): number {
    return this.#head;
  }

  get tail(): number {
    return this.#tail;
  }

  seqAt(position: number): number {
    return this.#seqs[position]!;
  }

  deliveredMsAt(position: number): number {
    return this.#deliveredMs[position]!;
  }

  attemptsAt(position: number): number {
    return this.#attempts[position]!;
  }

  firstDeliveryAt(position: number): number {
    return this.#firstDeliveries[position]!;
  }

  /** `seq` must be above every sequence that was added before. */
  add(seq: number, firstDelivery: number, deliveredMs: number, attempts = 1): void {
    if (this.#tail === this.#seqs.length) this.#makeRoom();
    const at = this.#tail++;
    invariant(at === this.#head || seq > this.#seqs[at - 1]!, `pending ${seq} is out of order`);
    this.#seqs[at] = seq;
    this.#firstDeliveries[at] = firstDelivery;
    this.#deliveredMs[at] = deliveredMs;
    this.#attempts[at] = attempts;
    this.#size++;
    if (attempts > 1) this.#redelivered++;
  }

  /** Position of a pending sequence, or -1. Valid until the next `add` or `remove`. */
  find(seq: number): number {
    const hint = this.#hint;
    if (hint >= this.#head && hint < this.#tail && this.#seqs[hint] === seq) {
      return this.#attempts[hint] === 0 ? -1 : hint;
    }
    if (this.#size === 0) return -1;
    let low = this.#head;
    let high = this.#tail - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#seqs[middle]!;
      if (found === seq) return this.#attempts[middle] === 0 ? -1 : middle;
      if (found < seq) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  has(seq: number): boolean {
    return this.find(seq) >= 0;
  }

  attempts(seq: number): number {
    const at = this.find(seq);
    return at < 0 ? 0 : this.#attempts[at]!;
  }

  removeAt(position: number): void {
    if (this.#attempts[position]! > 1) this.#redelivered--;
    this.#attempts[position] = 0;
    this.#size--;
    this.#hint = position + 1;
    while (this.#head < this.#tail && this.#attempts[this.#head] === 0) this.#head++;
    while (this.#tail > this.#head && this.#attempts[this.#tail - 1] === 0) this.#tail--;
    if (this.#head === this.#tail) {
      this.#head = 0;
      this.#tail = 0;
      this.#hint = 0;
    }
  }

  /** Counts one more attempt. Returns the attempts so far. */
  redeliverAt(position: number, deliveredMs: number): number {
    const attempts = this.#attempts[position]! + 1;
    this.#attempts[position] = attempts;
    this.#deliveredMs[position] = deliveredMs;
    if (attempts === 2) this.#redelivered++;
    return attempts;
  }

  touchAt(position: number, deliveredMs: number): void {
    this.#deliveredMs[position] = deliveredMs;
  }

  clone(): AckPending {
    const copy = new AckPending();
    for (let at = this.#head; at < this.#tail; at++) {
      const attempts = this.#attempts[at]!;
      if (attempts > 0) copy.add(this.#seqs[at]!, this.#firstDeliveries[at]!, this.#deliveredMs[at]!, attempts);
    }
    return copy;
  }

  /** Moves the living to the front; doubles the columns when that would not free half of them. */
  #makeRoom(): void {
    const capacity = this.#seqs.length;
    const grow = this.#size * 2 > capacity || capacity === 0;
    const next = grow ? Math.max(INITIAL_CAPACITY, capacity * 2) : capacity;
    const seqs = grow ? new Float64Array(next) : this.#seqs;
    const firstDeliveries = grow ? new Float64Array(next) : this.#firstDeliveries;
    const deliveredMs = grow ? new Float64Array(next) : this.#deliveredMs;
    const attempts = grow ? new Uint32Array(next) : this.#attempts;
    let to = 0;
    for (let at = this.#head; at < this.#tail; at++) {
      if (this.#attempts[at] === 0) continue;
      seqs[to] = this.#seqs[at]!;
      firstDeliveries[to] = this.#firstDeliveries[at]!;
      deliveredMs[to] = this.#deliveredMs[at]!;
      attempts[to] = this.#attempts[at]!;
      to++;
    }
    this.#seqs = seqs;
    this.#firstDeliveries = firstDeliveries;
    this.#deliveredMs = deliveredMs;
    this.#attempts = attempts;
    this.#head = 0;
    this.#tail = to;
    this.#hint = 0;
  }
}
