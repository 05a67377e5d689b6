/** Owns what is refused of a consumer's way of delivery: push or pull, their limits, direct ones, and sampling (consumers.md 1.4). */
import {
  ACK_POLICY_REQUIRED_FOR_PENDING,
  DELIVER_SUBJECT_FORMS_CYCLE,
  DELIVER_SUBJECT_HAS_WILDCARDS,
  DELIVER_SUBJECT_INVALID,
  DIRECT_REQUIRES_EPHEMERAL,
  DIRECT_REQUIRES_PUSH,
  FLOW_CONTROL_REQUIRES_PUSH,
  HEARTBEAT_REQUIRES_PUSH,
  HEARTBEAT_TOO_SMALL,
  PULL_REQUIRES_EXPLICIT_ACK,
  PULL_WITH_RATE_LIMIT,
  PUSH_WITH_MAX_WAITING,
  REQUEST_EXPIRES_TOO_SMALL,
  ackPendingTooHigh,
  inactiveThresholdTooHigh,
  invalidSampling,
  requestBatchTooHigh,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { goDurationText } from '../../base/duration-text.ts';
import { hasWildcards, isSubjectSubset, isValidSubject } from '../../base/subjects.ts';
import { isPush } from './request.ts';
import type { ConsumerConfigRequest, ConsumerSurroundings } from './request.ts';

const MIN_IDLE_HEARTBEAT_MS = 100;
const MIN_REQUEST_EXPIRES_MS = 1;

export function checkPush(wanted: ConsumerConfigRequest, { stream }: ConsumerSurroundings): ApiError | undefined {
  const { deliverSubject } = wanted;
  if (hasWildcards(deliverSubject)) return DELIVER_SUBJECT_HAS_WILDCARDS;
  if (!isValidSubject(deliverSubject)) return DELIVER_SUBJECT_INVALID;
  // What is delivered would be captured, and delivered again.
  if (stream.subjects.some((subject) => isSubjectSubset(deliverSubject, subject))) return DELIVER_SUBJECT_FORMS_CYCLE;
  if (wanted.maxWaiting !== 0) return PUSH_WITH_MAX_WAITING;
  if (wanted.ackPolicy === 'none' && wanted.maxAckPending > 0) return ACK_POLICY_REQUIRED_FOR_PENDING;
  return wanted.idleHeartbeatMs > 0 && wanted.idleHeartbeatMs < MIN_IDLE_HEARTBEAT_MS ? HEARTBEAT_TOO_SMALL : undefined;
}

export function checkPull(
  wanted: ConsumerConfigRequest,
  { stream, maxRequestBatch }: ConsumerSurroundings,
): ApiError | undefined {
  if (wanted.ackPolicy === 'none' && stream.retention === 'workqueue') return PULL_REQUIRES_EXPLICIT_ACK;
  if (wanted.rateLimitBps > 0) return PULL_WITH_RATE_LIMIT;
  if (wanted.idleHeartbeatMs > 0) return HEARTBEAT_REQUIRES_PUSH;
  if (wanted.flowControl) return FLOW_CONTROL_REQUIRES_PUSH;
  const expiresMs = wanted.maxRequestExpiresMs;
  if (expiresMs > 0 && expiresMs < MIN_REQUEST_EXPIRES_MS) return REQUEST_EXPIRES_TOO_SMALL;
  return maxRequestBatch > 0 && wanted.maxRequestBatch > maxRequestBatch
    ? requestBatchTooHigh(maxRequestBatch)
    : undefined;
}

export function checkLimits(wanted: ConsumerConfigRequest, surroundings: ConsumerSurroundings): ApiError | undefined {
  const { maxAckPending, inactiveThresholdMs } = surroundings.stream.consumerLimits;
  const limits = [surroundings.serverMaxAckPending, surroundings.accountMaxAckPending, maxAckPending];
  const exceeded = limits.find((limit) => limit > 0 && wanted.maxAckPending > limit);
  if (exceeded !== undefined) return ackPendingTooHigh(exceeded);
  return inactiveThresholdMs > 0 && wanted.inactiveThresholdMs > inactiveThresholdMs
    ? inactiveThresholdTooHigh(goDurationText(inactiveThresholdMs))
    : undefined;
}

export function checkDirect(request: ConsumerConfigRequest): ApiError | undefined {
  if (!request.direct) return undefined;
  if (!isPush(request)) return DIRECT_REQUIRES_PUSH;
  return request.durableName !== '' ? DIRECT_REQUIRES_EPHEMERAL : undefined;
}

export function checkSampling(sampleFreq: string): ApiError | undefined {
  if (sampleFreq === '') return undefined;
  const percentage = sampleFreq.replace(/%$/, '');
  if (!/^[+-]?[0-9]+$/.test(percentage)) {
    return invalidSampling(`strconv.Atoi: parsing ${JSON.stringify(percentage)}: invalid syntax`);
  }
  if (Math.abs(Number(percentage)) > Number.MAX_SAFE_INTEGER) {
    return invalidSampling(`strconv.Atoi: parsing ${JSON.stringify(percentage)}: value out of range`);
  }
  return Number(percentage) < 0 ? invalidSampling('<nil>') : undefined;
}
