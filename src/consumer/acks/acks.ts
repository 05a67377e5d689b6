/** Owns what acks do: each kind's effect, and when its answer is given. */
import type { TimestampUs } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { AckSampling } from './ack-sampling.ts';
import { ackKind, nakDelayMs, nextRequest, termReason } from './ack-payload.ts';
import type { AckTokens } from './ack-subject.ts';
import type { AttemptFacts, ConsumerAdvisories } from '../advisories.ts';
import type { Ledger } from '../state/ledger.ts';
import type { Outlet } from '../types.ts';

export interface AckServices {
  readonly outlet: Outlet;
  readonly runtime: Runtime;
  readonly advisories: ConsumerAdvisories;
  readonly nowMs: () => number;
}

export interface AckEffects {
  /** There is something to deliver, or room for it. */
  wake(): void;
  pull(reply: string, body: Buffer): void;
  /** Sends an empty answer once everything done so far is on record. */
  answerWhenRecorded(reply: string): void;
}

const NOTHING = Buffer.alloc(0);

export class Acks {
  readonly #services: AckServices;
  readonly #ledger: Ledger;
  readonly #sampling: AckSampling;
  readonly #effects: AckEffects;
  /** Wall time of the last message that was acked. */
  lastUs: TimestampUs | undefined;

  constructor(services: AckServices, ledger: Ledger, sampling: AckSampling, effects: AckEffects) {
    this.#services = services;
    this.#ledger = ledger;
    this.#sampling = sampling;
    this.#effects = effects;
  }

  /** payload[start, end) says what kind of ack it is. `reply` is empty when no answer is wanted. */
  handle(tokens: AckTokens, payload: Buffer, start: number, end: number, reply: string): void {
    switch (ackKind(payload, start, end)) {
      case 'ack':
        this.#sampling.acked(tokens);
        this.#finish(tokens);
        if (reply !== '') this.#effects.answerWhenRecorded(reply);
        return;
      case 'term':
        this.#finish(tokens);
        this.#services.advisories.terminated(this.#name, attemptOf(tokens), termReason(payload, start, end));
        if (reply !== '') this.#effects.answerWhenRecorded(reply);
        return;
      case 'next':
        this.#sampling.acked(tokens);
        this.#finish(tokens);
        if (reply !== '') this.#effects.pull(reply, nextRequest(payload, start, end));
        return;
      case 'nak':
        this.#nak(tokens, nakDelayMs(payload, start, end));
        break;
      case 'progress':
        this.#ledger.touch(tokens.seq, this.#services.nowMs());
        break;
      case 'ignored':
        break;
    }
    if (reply !== '') this.#services.outlet.publish(reply, NOTHING);
  }

  /** Everything through `seq`, as a flow-control answer says; it may know of more than this leader does. */
  finishThrough({ consumerSeq, seq }: { readonly consumerSeq: number; readonly seq: number }): void {
    const { deliveredConsumerSeq, deliveredStreamSeq } = this.#ledger.state;
    this.#ledger.finishThrough(Math.min(consumerSeq, deliveredConsumerSeq), Math.min(seq, deliveredStreamSeq));
    this.lastUs = this.#services.runtime.wallUs();
  }

  get #name(): string {
    return this.#ledger.state.name;
  }

  #finish(tokens: AckTokens): void {
    const ledger = this.#ledger;
    const wasFull = ledger.full;
    if (ledger.state.config.ackPolicy === 'all') ledger.finishThrough(tokens.consumerSeq, tokens.seq);
    else ledger.finish(tokens.seq);
    this.lastUs = this.#services.runtime.wallUs();
    if (wasFull) this.#effects.wake();
  }

  #nak(tokens: AckTokens, delayMs: number): void {
    const { seq, consumerSeq } = tokens;
    const { state, redelivery, held } = this.#ledger;
    const attempts = state.pending.attempts(seq);
    if (attempts === 0 || consumerSeq <= state.floorConsumerSeq || consumerSeq > state.deliveredConsumerSeq) return;
    this.#services.advisories.naked(this.#name, attemptOf(tokens));
    // Another attempt is on its way already.
    if (held.has(seq)) return;
    if (delayMs === 0) {
      redelivery.push(seq);
      this.#effects.wake();
      return;
    }
    redelivery.delete(seq);
    // Such that the wait of this attempt ends when the delay does.
    this.#ledger.touch(seq, Math.ceil(this.#services.nowMs() + delayMs) - this.#ledger.ackWaitMs(attempts));
  }
}

function attemptOf(tokens: AckTokens): AttemptFacts {
  return { consumerSeq: tokens.consumerSeq, streamSeq: tokens.seq, deliveries: tokens.attempts };
}
