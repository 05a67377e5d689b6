/**
 * Owns what any client may expect of one consumer with explicit acks, told by a naive bookkeeper: it sees deliveries, acks
 * and answers, knows nothing of logs and leaders, and complains when a promise is broken.
 */

export interface Delivery {
  readonly seq: number;
  readonly attempts: number;
  readonly reply: string;
}

interface Story {
  deliveries: number;
  lastDeliveryMs: number;
  /** A nak, a deposed leader or a reader that went away: it may come again before its ack wait. */
  mayComeEarly: boolean;
}

export interface ModelRules {
  readonly ackWaitMs: number;
  /** -1: unlimited. */
  readonly maxDeliver: number;
}

/** Holds a consumer with a pinned client to its promise: one client at a time, and a pin that is over never comes back. */
export class PinModel {
  readonly #complain: (violation: string) => void;
  readonly #holders = new Map<string, number>();
  readonly #over = new Set<string>();
  #current: string | undefined;

  constructor(complain: (violation: string) => void) {
    this.#complain = complain;
  }

  delivered(pin: string, client: number): void {
    if (pin === '') this.#complain(`client ${client} got a message without a pin`);
    const holder = this.#holders.get(pin) ?? client;
    this.#holders.set(pin, holder);
    if (holder !== client) this.#complain(`pin ${pin} of client ${holder} came to client ${client}`);
    if (this.#over.has(pin)) this.#complain(`pin ${pin} came back after ${this.#current ?? 'nothing'}`);
    if (this.#current !== undefined && this.#current !== pin) this.#over.add(this.#current);
    this.#current = pin;
  }
}

export class ConsumerModel {
  readonly #rules: ModelRules;
  readonly #stories = new Map<number, Story>();
  /** Double acks out, by the subject that their answer comes to. */
  readonly #asked = new Map<string, number>();
  /** Acked for sure: must never come again. */
  readonly confirmed = new Set<number>();
  /** Acked or terminated by the client, confirmed or not. */
  readonly finished = new Set<number>();
  readonly outstanding: Delivery[] = [];
  readonly violations: string[] = [];

  readonly #complain: (violation: string) => void;

  constructor(
    rules: ModelRules,
    complain = (violation: string): void => {
      this.violations.push(violation);
    },
  ) {
    this.#rules = rules;
    this.#complain = complain;
  }

  wasDelivered(seq: number): boolean {
    return this.#stories.has(seq);
  }

  delivered(delivery: Delivery, nowMs: number): void {
    const { seq, attempts } = delivery;
    const story = this.#stories.get(seq) ?? { deliveries: 0, lastDeliveryMs: -Infinity, mayComeEarly: true };
    this.#stories.set(seq, story);
    if (this.confirmed.has(seq)) this.#complain(`${seq} came again after its ack was confirmed`);
    const { maxDeliver, ackWaitMs } = this.#rules;
    story.deliveries++;
    if (maxDeliver > 0 && Math.max(attempts, story.deliveries) > maxDeliver) {
      this.#complain(`${seq} came ${story.deliveries} times, and says it is attempt ${attempts}`);
    }
    if (!story.mayComeEarly && nowMs < story.lastDeliveryMs + ackWaitMs) {
      this.#complain(`${seq} came again after ${nowMs - story.lastDeliveryMs} ms`);
    }
    story.lastDeliveryMs = nowMs;
    story.mayComeEarly = false;
    this.outstanding.push(delivery);
  }

  asked(seq: number, answerTo: string): void {
    this.finished.add(seq);
    this.#asked.set(answerTo, seq);
  }

  acked(seq: number): void {
    this.finished.add(seq);
  }

  naked(seq: number): void {
    const story = this.#stories.get(seq);
    if (story !== undefined) story.mayComeEarly = true;
  }

  /** An empty answer arrived. */
  answered(subject: string): void {
    const seq = this.#asked.get(subject);
    if (seq !== undefined) this.confirmed.add(seq);
  }

  /** The consumer began anew behind `floor`: what it delivers from there on is a story of its own. */
  reset(floor: number): void {
    for (const seq of [...this.#stories.keys()]) {
      if (seq <= floor) continue;
      this.#stories.delete(seq);
      this.confirmed.delete(seq);
      this.finished.delete(seq);
    }
    this.#asked.clear();
    this.outstanding.length = 0;
  }

  /** What the old leader did and didn't record may be done again. */
  leaderChanged(): void {
    for (const story of this.#stories.values()) story.mayComeEarly = true;
  }
}
