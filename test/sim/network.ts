/** Owns the network of a simulation: loss, delay, duplication, reordering, one-way cuts and partitions, all by the seed. */
import type { NodeId } from '../../src/base/brand.ts';
import type { RaftTransport } from '../../src/raft/index.ts';
import type { Random } from './random.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Of what a bad network loses, as much is lost by a connection that is made again. */
const CONNECTION_LOSS = 0.05;

export interface NetworkFaults {
  lossProbability: number;
  duplicateProbability: number;
  minDelayMs: number;
  maxDelayMs: number;
}

export interface Receiver {
  receive(from: NodeId, frame: Buffer): void;
}

export class SimulatedNetwork {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #receivers = new Map<NodeId, Receiver>();
  readonly #cuts = new Set<string>();
  readonly faults: NetworkFaults = { lossProbability: 0, duplicateProbability: 0, minDelayMs: 0.2, maxDelayMs: 2 };
  /** Told whenever nodes may have come to reach each other, or not to. */
  changed: () => void = () => undefined;
  /** Arrivals on links that keep the order. */
  readonly #lastArrivals = new Map<string, number>();
  /** Frames that arrived, for tests that expect silence. */
  framesDelivered = 0;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  /** Connects a node, or (undefined) takes it off: what is on its way to it is lost. */
  attach(node: NodeId, receiver: Receiver | undefined): void {
    if (receiver === undefined) this.#receivers.delete(node);
    else this.#receivers.set(node, receiver);
    this.changed();
  }

  transportOf(node: NodeId): RaftTransport {
    return {
      send: (to, frame) => {
        this.#send(node, to, frame);
      },
      pendingBytes: () => 0,
    };
  }

  /** Cuts one direction. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(`${from}>${to}`);
    this.changed();
  }

  partition(one: readonly NodeId[], other: readonly NodeId[]): void {
    for (const a of one) {
      for (const b of other) {
        this.cut(a, b);
        this.cut(b, a);
      }
    }
  }

  heal(): void {
    this.#cuts.clear();
    this.changed();
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  isLinked(a: NodeId, b: NodeId): boolean {
    return this.#receivers.has(a) && this.#receivers.has(b) && !this.isCut(a, b) && !this.isCut(b, a);
  }

  /** The same over a connection, on which nothing overtakes anything and little is lost. */
  carryInOrder(from: NodeId, to: NodeId, task: () => void): void {
    if (this.#random.chance(this.faults.lossProbability * CONNECTION_LOSS)) return;
    const receiver = this.#receivers.get(to);
    const { minDelayMs, maxDelayMs } = this.faults;
    const link = `${from}>${to}`;
    const delayMs = minDelayMs + this.#random.next() * (maxDelayMs - minDelayMs);
    const atMs = Math.max(this.#time.nowMs + delayMs, this.#lastArrivals.get(link) ?? 0);
    this.#lastArrivals.set(link, atMs);
    this.#time.schedule(atMs - this.#time.nowMs, () => {
      if (receiver !== undefined && this.#receivers.get(to) === receiver && !this.isCut(from, to)) task();
    });
  }

  /** Has `task` run at `to`, unless it is lost on the way, or the process there is another by then. */
  carry(from: NodeId, to: NodeId, task: () => void): void {
    if (this.#random.chance(this.faults.lossProbability)) return;
    const receiver = this.#receivers.get(to);
    const { minDelayMs, maxDelayMs } = this.faults;
    this.#time.schedule(minDelayMs + this.#random.next() * (maxDelayMs - minDelayMs), () => {
      if (receiver !== undefined && this.#receivers.get(to) === receiver && !this.isCut(from, to)) task();
    });
  }

  #send(from: NodeId, to: NodeId, frame: Buffer): void {
    if (this.#random.chance(this.faults.lossProbability)) return;
    // What is on the wire is a copy: a sender may not change it any more, and a receiver may keep it.
    const copy = Buffer.from(frame);
    this.#deliverLater(from, to, copy);
    if (this.#random.chance(this.faults.duplicateProbability)) this.#deliverLater(from, to, copy);
  }

  #deliverLater(from: NodeId, to: NodeId, frame: Buffer): void {
    const { minDelayMs, maxDelayMs } = this.faults;
    const receiver = this.#receivers.get(to);
    this.#time.schedule(minDelayMs + this.#random.next() * (maxDelayMs - minDelayMs), () => {
      if (receiver === undefined || this.#receivers.get(to) !== receiver || this.isCut(from, to)) return;
      this.framesDelivered++;
      receiver.receive(from, frame);
    });
  }
}
