/** Owns what a pedantic client is told instead of being corrected silently (consumers.md 1.2). */
import { pedanticRefusal } from '../../base/api-errors.ts';
import { ownAckWaitOf } from './defaults.ts';
import { isPush } from './request.ts';
import type { ConsumerConfigRequest, ConsumerSurroundings } from './request.ts';

/** A pedantic client wants to hear what would otherwise be set right silently. */
export function checkPedantically(request: ConsumerConfigRequest, { stream, maxRequestBatch }: ConsumerSurroundings) {
  const { maxAckPending, inactiveThresholdMs } = stream.consumerLimits;
  const firstBackoff = request.backoffMs[0];
  const flaws: readonly (readonly [found: boolean, text: string])[] = [
    [request.maxDeliver < -1, 'max_deliver must be set to -1'],
    [!isPush(request) && request.maxWaiting < 0, 'max_waiting must not be negative'],
    [request.maxAckPending < -1, 'max_ack_pending must be set to -1'],
    [request.maxRequestBatch < 0, 'max_batch must not be negative'],
    [request.maxRequestExpiresMs < 0, 'max_expires must not be negative'],
    [request.maxRequestMaxBytes < 0, 'max_bytes must not be negative'],
    [request.idleHeartbeatMs < 0, 'idle_heartbeat must not be negative'],
    [request.inactiveThresholdMs < 0, 'inactive_threshold must not be negative'],
    [request.priorityTimeoutMs < 0, 'priority_timeout must not be negative'],
    [
      firstBackoff !== undefined && ownAckWaitOf(request) !== firstBackoff,
      'first backoff value has to equal batch AckWait',
    ],
    [
      request.maxAckPending === 0 && maxAckPending > 0,
      `max_ack_pending must be set if it's configured in stream limits`,
    ],
    [
      request.inactiveThresholdMs === 0 && inactiveThresholdMs > 0,
      `inactive_threshold must be set if it's configured in stream limits`,
    ],
    [
      !isPush(request) && request.maxRequestBatch === 0 && maxRequestBatch > 0,
      `max_request_batch must be set if it's JetStream limits are set`,
    ],
  ];
  const flaw = flaws.find(([found]) => found);
  return flaw && pedanticRefusal(flaw[1]);
}
