/** Owns when two configurations are the same, and which changes of one are refused (consumers.md 1.2, 1.5). */
import { ownMetadata } from '../base/asset.ts';
import type { ConsumerConfig } from './types.ts';

/** Metadata that servers add doesn't count. */
export function sameConfig(a: ConsumerConfig, b: ConsumerConfig): boolean {
  return comparable(a) === comparable(b);
}

/** Why `next` can't replace `current`; undefined if it can. The order of checks is the reference server's. */
export function updateProblem(current: ConsumerConfig, next: ConsumerConfig): string | undefined {
  if (current.deliverPolicy !== next.deliverPolicy) return 'deliver policy can not be updated';
  if (current.memStorage !== next.memStorage) return 'storage type can not be updated';
  if (current.optStartSeq !== next.optStartSeq) return 'start sequence can not be updated';
  if (current.optStartTimeUs !== next.optStartTimeUs) return 'start time can not be updated';
  if (current.ackPolicy !== next.ackPolicy) return 'ack policy can not be updated';
  if (current.replayPolicy !== next.replayPolicy) return 'replay policy can not be updated';
  if (current.idleHeartbeatMs !== next.idleHeartbeatMs) return 'heart beats can not be updated';
  if (current.flowControl !== next.flowControl) return 'flow control can not be updated';
  if (current.deliverSubject === '' && next.deliverSubject !== '') {
    return 'can not update pull consumer to push based';
  }
  if (current.deliverSubject !== '' && next.deliverSubject === '') {
    return 'can not update push consumer to pull based';
  }
  if (current.maxWaiting !== next.maxWaiting) return 'max waiting can not be updated';
  return undefined;
}

function comparable(config: ConsumerConfig): string {
  const members = Object.entries({ ...config, metadata: ownMetadata(config.metadata) });
  return JSON.stringify(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
