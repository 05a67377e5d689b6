/** Owns what a consumer's configuration is asked for with, and what it is judged by. */
import type { StreamConfig } from '../../stream/index.ts';
import type { ConsumerConfig } from '../types.ts';

/** What a client asked for, in our units. Members are the zero value where the client said nothing. */
export interface ConsumerConfigRequest extends Omit<ConsumerConfig, 'singleFilter'> {
  readonly filterSubject: string;
}

/** What a consumer is checked against. Limits of 0 or below don't limit. */
export interface ConsumerSurroundings {
  readonly stream: StreamConfig;
  /** The stream's other consumers, the one in question not among them. Asked for only where they matter: there may be thousands. */
  readonly others: () => readonly ConsumerConfig[];
  /** What the consumer is so far; undefined for a new one. */
  readonly existing: ConsumerConfig | undefined;
  readonly clustered: boolean;
  readonly serverMaxAckPending: number;
  readonly accountMaxAckPending: number;
  readonly accountMaxConsumers: number;
  readonly maxRequestBatch: number;
}

export function isPush(config: { readonly deliverSubject: string }): boolean {
  return config.deliverSubject !== '';
}

export function filtersOf(request: ConsumerConfigRequest): readonly string[] {
  return request.filterSubject === '' ? request.filterSubjects : [request.filterSubject];
}
