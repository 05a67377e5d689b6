/** Owns when two configurations are the same, and which changes of one are refused (consumers.md 1.2, 1.5). */
import { consumerCreateFailed, type ApiError } from '../../base/api-errors.ts';
import { ownMetadata } from '../../base/asset.ts';
import type { ConsumerConfig } from '../types.ts';

/** The same consumer to its users: what servers add to the metadata, and who chose the name, does not count. */
export function consumerConfigsEqual(a: ConsumerConfig, b: ConsumerConfig): boolean {
  return canonicalForm(a) === canonicalForm(b);
}

function canonicalForm(config: ConsumerConfig): string {
  const members = Object.entries({ ...config, generatedName: undefined, metadata: ownMetadata(config.metadata) });
  return JSON.stringify(members.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether `current` may become `next` (already normalised). The order of checks is the reference server's. */
export function checkConsumerUpdate(current: ConsumerConfig, next: ConsumerConfig): ApiError | undefined {
  const wasPush = current.deliverSubject !== '';
  const isPush = next.deliverSubject !== '';
  const changed: readonly (readonly [changed: boolean, text: string])[] = [
    [next.deliverPolicy !== current.deliverPolicy, 'deliver policy can not be updated'],
    [next.memStorage !== current.memStorage, 'storage type can not be updated'],
    [next.direct !== current.direct, 'direct can not be updated'],
    [next.sourcing !== current.sourcing, 'sourcing can not be updated'],
    [next.optStartSeq !== current.optStartSeq, 'start sequence can not be updated'],
    [next.optStartTimeUs !== current.optStartTimeUs, 'start time can not be updated'],
    [next.ackPolicy !== current.ackPolicy, 'ack policy can not be updated'],
    [next.replayPolicy !== current.replayPolicy, 'replay policy can not be updated'],
    [next.idleHeartbeatMs !== current.idleHeartbeatMs, 'heart beats can not be updated'],
    [next.flowControl !== current.flowControl, 'flow control can not be updated'],
    [isPush && !wasPush, 'can not update pull consumer to push based'],
    [!isPush && wasPush, 'can not update push consumer to pull based'],
    [next.maxWaiting !== current.maxWaiting, 'max waiting can not be updated'],
  ];
  const refused = changed.find(([differs]) => differs);
  return refused && consumerCreateFailed(refused[1]);
}
