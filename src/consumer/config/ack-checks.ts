/** Owns which settings of acks go together (consumers.md 1.4). */
import {
  ACK_WAIT_NEGATIVE,
  BACKOFF_NEGATIVE,
  FLOW_CONTROL_ACK_REQUIRES_FLOW_CONTROL,
  FLOW_CONTROL_ACK_REQUIRES_MAX_ACK_PENDING,
  FLOW_CONTROL_ACK_REQUIRES_PUSH,
  FLOW_CONTROL_ACK_WITH_ACK_WAIT,
  FLOW_CONTROL_ACK_WITH_MAX_DELIVER,
  MAX_DELIVER_BELOW_BACKOFF,
  invalidStreamConfig,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { FLOW_CONTROL_ACK_HEARTBEAT_MS } from './defaults.ts';
import { isPush } from './request.ts';
import type { ConsumerConfigRequest } from './request.ts';

export function checkAcks(
  wanted: ConsumerConfigRequest,
  request: ConsumerConfigRequest,
  pedantic: boolean,
): ApiError | undefined {
  if (wanted.backoffMs.some((delay) => delay < 0)) return BACKOFF_NEGATIVE;
  if (request.ackWaitMs < 0) return ACK_WAIT_NEGATIVE;
  if (wanted.ackPolicy === 'flow_control') {
    const error = checkFlowControlAcks(wanted, request, pedantic);
    if (error !== undefined) return error;
  }
  return wanted.maxDeliver !== -1 && wanted.backoffMs.length > wanted.maxDeliver
    ? MAX_DELIVER_BELOW_BACKOFF
    : undefined;
}

function checkFlowControlAcks(
  wanted: ConsumerConfigRequest,
  request: ConsumerConfigRequest,
  pedantic: boolean,
): ApiError | undefined {
  if (!isPush(wanted)) return FLOW_CONTROL_ACK_REQUIRES_PUSH;
  if (pedantic && !request.flowControl) return FLOW_CONTROL_ACK_REQUIRES_FLOW_CONTROL;
  if (pedantic && request.idleHeartbeatMs !== FLOW_CONTROL_ACK_HEARTBEAT_MS) {
    return invalidStreamConfig('flow control ack policy heartbeat needs to be 1s');
  }
  if (wanted.maxAckPending <= 0) return FLOW_CONTROL_ACK_REQUIRES_MAX_ACK_PENDING;
  if (wanted.ackWaitMs !== 0 || wanted.backoffMs.length > 0) return FLOW_CONTROL_ACK_WITH_ACK_WAIT;
  return wanted.maxDeliver > 0 ? FLOW_CONTROL_ACK_WITH_MAX_DELIVER : undefined;
}
