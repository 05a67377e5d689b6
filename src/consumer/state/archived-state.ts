/** Owns what a backup keeps of a consumer's progress, and how a consumer takes it up again. Plain data: it travels as JSON. */
import type { ReplicatedConsumer } from './replicated-state.ts';

export interface ArchivedConsumerState {
  readonly deliveredConsumerSeq: number;
  readonly deliveredStreamSeq: number;
  readonly floorConsumerSeq: number;
  readonly floorStreamSeq: number;
  /** Messages that wait for their ack, in order of stream sequence. */
  readonly pending: readonly ArchivedDelivery[];
}

export interface ArchivedDelivery {
  readonly streamSeq: number;
  /** Of the first delivery. */
  readonly consumerSeq: number;
  readonly attempts: number;
}

export function archiveState(state: ReplicatedConsumer): ArchivedConsumerState {
  const deliveries: ArchivedDelivery[] = [];
  const { pending } = state;
  for (let at = pending.head; at < pending.tail; at++) {
    const attempts = pending.attemptsAt(at);
    if (attempts === 0) continue;
    deliveries.push({ streamSeq: pending.seqAt(at), consumerSeq: pending.firstDeliveryAt(at), attempts });
  }
  return {
    deliveredConsumerSeq: state.deliveredConsumerSeq,
    deliveredStreamSeq: state.deliveredStreamSeq,
    floorConsumerSeq: state.floorConsumerSeq,
    floorStreamSeq: state.floorStreamSeq,
    pending: deliveries,
  };
}

/** Puts a new consumer where the archived one was. The ack waits of what is pending begin anew, at `nowMs`. */
export function takeUpState(state: ReplicatedConsumer, archived: ArchivedConsumerState, nowMs: number): void {
  state.deliveredConsumerSeq = archived.deliveredConsumerSeq;
  state.deliveredStreamSeq = archived.deliveredStreamSeq;
  state.floorConsumerSeq = archived.floorConsumerSeq;
  state.floorStreamSeq = archived.floorStreamSeq;
  if (state.config.ackPolicy === 'none') return;
  for (const { streamSeq, consumerSeq, attempts } of archived.pending) {
    state.pending.add(streamSeq, consumerSeq, nowMs, attempts);
  }
}
