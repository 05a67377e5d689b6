/** Owns what is told of a consumer: by any replica, and more by the leader. */
import type { ConsumerSeq, Seq } from '../base/brand.ts';
import type { ReplicatedConsumer } from './state/replicated-state.ts';
import type { ConsumerInfo } from './types.ts';

/** What only the leader knows. */
export interface LeaderFacts {
  readonly numWaiting: number;
  readonly pushBound: boolean;
  readonly priorityGroup: ConsumerInfo['priorityGroup'];
  readonly deliveredUs: ConsumerInfo['delivered']['lastActiveUs'];
  readonly ackedUs: ConsumerInfo['ackFloor']['lastActiveUs'];
}

const NO_LEADER: LeaderFacts = {
  numWaiting: 0,
  pushBound: false,
  priorityGroup: undefined,
  deliveredUs: undefined,
  ackedUs: undefined,
};

export function consumerInfo(state: ReplicatedConsumer, numPending: number, facts = NO_LEADER): ConsumerInfo {
  return {
    name: state.name,
    createdUs: state.createdUs,
    config: state.config,
    delivered: {
      consumerSeq: state.deliveredConsumerSeq as ConsumerSeq,
      streamSeq: state.deliveredStreamSeq as Seq,
      lastActiveUs: facts.deliveredUs,
    },
    ackFloor: {
      consumerSeq: state.floorConsumerSeq as ConsumerSeq,
      streamSeq: state.floorStreamSeq as Seq,
      lastActiveUs: facts.ackedUs,
    },
    numAckPending: state.pending.size,
    numRedelivered: state.numRedelivered,
    numWaiting: facts.numWaiting,
    numPending,
    pushBound: facts.pushBound,
    priorityGroup: facts.priorityGroup,
  };
}
