/**
 * Owns the samples of how long acks take: which acks are sampled, and when exactly their messages were delivered. That is
 * finer than the replicated milliseconds, and known to the leader alone: of what another delivered, those have to do.
 */
import type { Runtime } from '../../base/runtime.ts';
import type { AckTokens } from './ack-subject.ts';
import type { ConsumerAdvisories } from '../advisories.ts';
import type { Ledger } from '../state/ledger.ts';

/** Times of messages that ended without a sample are dropped when they are so many more than those that are pending. */
const MAX_STALE_TIMES = 1024;

export class AckSampling {
  readonly #runtime: Runtime;
  readonly #nowMs: () => number;
  readonly #advisories: ConsumerAdvisories;
  readonly #ledger: Ledger;
  /** Monotonic milliseconds of the last delivery, by stream sequence. */
  readonly #deliveredMs = new Map<number, number>();

  constructor(
    services: { readonly runtime: Runtime; readonly nowMs: () => number; readonly advisories: ConsumerAdvisories },
    ledger: Ledger,
  ) {
    this.#runtime = services.runtime;
    this.#nowMs = services.nowMs;
    this.#advisories = services.advisories;
    this.#ledger = ledger;
  }

  /** Message `seq` was sent. */
  delivered(seq: number): void {
    if (!this.#wanted) return;
    const { pending } = this.#ledger.state;
    this.#deliveredMs.set(seq, this.#runtime.monotonicMs());
    if (this.#deliveredMs.size <= 2 * pending.size + MAX_STALE_TIMES) return;
    for (const known of this.#deliveredMs.keys()) if (!pending.has(known)) this.#deliveredMs.delete(known);
  }

  /** A message is about to be acked. */
  acked(tokens: AckTokens): void {
    if (!this.#wanted) return;
    const { state } = this.#ledger;
    const { seq, consumerSeq, attempts } = tokens;
    const at = state.pending.find(seq);
    if (at < 0) return;
    const exactMs = this.#deliveredMs.get(seq);
    this.#deliveredMs.delete(seq);
    if (!this.#isChosen(Number.parseInt(state.config.sampleFreq, 10))) return;
    const tookMs =
      exactMs === undefined ? this.#nowMs() - state.pending.deliveredMsAt(at) : this.#runtime.monotonicMs() - exactMs;
    this.#advisories.acked(state.name, { consumerSeq, streamSeq: seq, deliveries: attempts }, Math.max(0, tookMs));
  }

  get #wanted(): boolean {
    const { sampleFreq, ackPolicy } = this.#ledger.state.config;
    return sampleFreq !== '' && ackPolicy === 'explicit';
  }

  /** Every ack from 100 percent on; below, one percent more than was asked for, as with the reference server. */
  #isChosen(percentage: number): boolean {
    if (percentage <= 0) return false;
    return percentage >= 100 || this.#runtime.random() * 100 <= percentage;
  }
}
