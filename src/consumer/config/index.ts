/** The door of config/: the rules of a consumer's configuration. */
export type { ConsumerConfigRequest, ConsumerSurroundings } from './request.ts';
export { consumerReplicas, normaliseConsumerConfig, withPause, type ConsumerConfigResult } from './normalise.ts';
export { isPriorityGroup } from './priority-checks.ts';
export { checkSharing, isSourcing } from './sharing-checks.ts';
export { checkConsumerUpdate, consumerConfigsEqual } from './update-rules.ts';
