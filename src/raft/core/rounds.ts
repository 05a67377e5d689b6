/**
 * Owns a leader's rounds: each AppendEntries carries the number of the latest round begun, each reply echoes it, and
 * a round that a quorum has answered proves that the leader still was one when the round began.
 *
 * Both ways to read without writing rest on that. ReadIndex (thesis §6.4) waits for a round begun after the request.
 * The lease (§6.4.1) counts from the *beginning* of the last confirmed round: nobody in its quorum helps to elect
 * another leader for `electionTimeoutMinMs` after having heard of it, and the lease is shorter than that, to leave
 * room for clocks that run at different rates.
 */
import type { LogIndex } from '../types.ts';

export interface PendingRead {
  readonly context: number;
  readonly index: LogIndex;
}

interface WaitingRead extends PendingRead {
  readonly round: number;
}

/** Without a quorum the leader steps down long before as many rounds are open; older ones add nothing anyway. */
const MAX_OPEN_ROUNDS = 64;
/** The host batches reads, so more of them waiting at once means it has stopped doing so. */
export const MAX_WAITING_READS = 4096;

export class Rounds {
  readonly #leaseMs: number;
  #latest = 0;
  #confirmed = 0;
  #leaseUntil = Number.NEGATIVE_INFINITY;
  #leaseVoid = false;
  /** The first round that grants a lease. */
  #leaseFrom = 0;
  readonly #open: { readonly round: number; readonly at: number }[] = [];
  #waiting: WaitingRead[] = [];

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  get latest(): number {
    return this.#latest;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  get waitingReads(): number {
    return this.#waiting.length;
  }

  /** `now` must not be later than the moment the round's messages leave. */
  begin(now: number): void {
    this.#latest++;
    this.#open.push({ round: this.#latest, at: now });
    if (this.#open.length > MAX_OPEN_ROUNDS) this.#open.shift();
  }

  /** A quorum has answered `round`. */
  confirm(round: number): void {
    if (round <= this.#confirmed) return;
    this.#confirmed = round;
    while (this.#open.length > 0 && this.#open[0]!.round <= round) {
      const settled = this.#open.shift()!;
      if (settled.round >= this.#leaseFrom) this.#leaseUntil = settled.at + this.#leaseMs;
    }
  }

  hasLease(now: number): boolean {
    return !this.#leaseVoid && now < this.#leaseUntil;
  }

  /** A transfer lets voters elect at once: no lease holds while it is under way. */
  voidLease(): void {
    this.#leaseVoid = true;
  }

  /**
   * The transfer was given up, but its message may arrive late. Whoever answers a round that begins from now on knows
   * better than to heed it, so these rounds grant leases again, and those before do not.
   */
  restoreLease(): void {
    this.#leaseVoid = false;
    this.#leaseUntil = Number.NEGATIVE_INFINITY;
    this.#leaseFrom = this.#latest + 1;
  }

  /**
   * Lets a read wait for the next round. One round at a time is under way for reads: those that come meanwhile share
   * the one after it. True: nothing is under way, begin one.
   */
  wait(context: number, index: LogIndex): boolean {
    this.#waiting.push({ context, index, round: this.#latest + 1 });
    return this.#confirmed === this.#latest;
  }

  /** Some read waits for a round that has not begun, and none is under way. */
  get needsRound(): boolean {
    return this.#confirmed === this.#latest && this.#waiting.some((read) => read.round > this.#latest);
  }

  takeConfirmed(): readonly PendingRead[] {
    if (this.#waiting.length === 0 || this.#waiting[0]!.round > this.#confirmed) return [];
    const confirmed = this.#waiting.filter((read) => read.round <= this.#confirmed);
    this.#waiting = this.#waiting.filter((read) => read.round > this.#confirmed);
    return confirmed;
  }

  takeAll(): readonly PendingRead[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }
}
