/** Owns the deadlines of acks: when the next one passes, and what happens to messages whose time is over. */
import type { Ledger } from '../state/ledger.ts';

/** Timers may fire early within their millisecond; a redelivery must not. */
const SLACK_MS = 1;
/** A set this large is not searched for expired messages more often than this. */
const LARGE_PENDING = 10_000;
const LARGE_PENDING_CHECK_MS = 20;

export class AckDeadlines {
  readonly #ledger: Ledger;
  /** Told of messages that are out of attempts. */
  readonly #giveUp: (seq: number, attempts: number) => void;
  /** Nothing expires before this. */
  dueMs = Infinity;

  constructor(ledger: Ledger, giveUp: (seq: number, attempts: number) => void) {
    this.#ledger = ledger;
    this.#giveUp = giveUp;
  }

  /** True if nothing expired before `deadlineMs` so far. */
  expect(deadlineMs: number): boolean {
    if (deadlineMs + SLACK_MS >= this.dueMs) return false;
    this.dueMs = deadlineMs + SLACK_MS;
    return true;
  }

  /** What was known of deadlines doesn't hold any more. */
  recheck(nowMs: number): void {
    this.dueMs = this.#ledger.state.pending.size > 0 ? nowMs : Infinity;
  }

  /** Queues what was not acked in time for another attempt. True if that freed or queued anything. */
  expire(nowMs: number): boolean {
    const { state, redelivery, held } = this.#ledger;
    const { pending } = state;
    const exhausted: [seq: number, attempts: number][] = [];
    let next = Infinity;
    for (let at = pending.head; at < pending.tail; at++) {
      const attempts = pending.attemptsAt(at);
      if (attempts === 0) continue;
      const deadlineMs = pending.deliveredMsAt(at) + this.#ledger.ackWaitMs(attempts) + SLACK_MS;
      if (deadlineMs > nowMs) next = Math.min(next, deadlineMs);
      else if (held.has(pending.seqAt(at))) continue;
      else if (this.#ledger.isLast(attempts)) exhausted.push([pending.seqAt(at), attempts]);
      else redelivery.push(pending.seqAt(at));
    }
    for (const [seq, attempts] of exhausted) this.#giveUp(seq, attempts);
    this.dueMs = pending.size > LARGE_PENDING ? Math.max(next, nowMs + LARGE_PENDING_CHECK_MS) : next;
    return redelivery.size > 0 || exhausted.length > 0;
  }

  /** When the last pending message expires; -Infinity if none does. */
  lastMs(): number {
    const { pending } = this.#ledger.state;
    let last = -Infinity;
    for (let at = pending.head; at < pending.tail; at++) {
      const attempts = pending.attemptsAt(at);
      const waitMs = attempts > 0 ? this.#ledger.ackWaitMs(attempts) : Infinity;
      if (waitMs !== Infinity) last = Math.max(last, pending.deliveredMsAt(at) + waitMs);
    }
    return last;
  }
}
