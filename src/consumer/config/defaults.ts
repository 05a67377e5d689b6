/** Owns what a consumer's configuration becomes where the client left something out (consumers.md 1.1). */
import { storedMetadata } from '../../base/asset.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { isPush } from './request.ts';
import type { ConsumerConfigRequest, ConsumerSurroundings } from './request.ts';
import type { ConsumerConfig } from '../types.ts';

const DEFAULT_ACK_WAIT_MS = 30_000;
const DEFAULT_MAX_WAITING = 512;
const DEFAULT_MAX_ACK_PENDING = 1000;
/** An ephemeral consumer without activity is removed after this time. */
const DEFAULT_INACTIVE_THRESHOLD_MS = 5000;
const DEFAULT_PRIORITY_TIMEOUT_MS = 120_000;
/** Of a consumer whose acks come with the answers to its heartbeats. */
export const FLOW_CONTROL_ACK_HEARTBEAT_MS = 1000;
/** Levels of the API that a configuration needs. */
const PAUSE_AND_PRIORITY_API_LEVEL = 1;
const FLOW_CONTROL_ACK_API_LEVEL = 4;

export function withDefaults(
  request: ConsumerConfigRequest,
  surroundings: ConsumerSurroundings,
): ConsumerConfigRequest {
  const push = isPush(request);
  const ackedByFlow = request.ackPolicy === 'flow_control';
  return {
    ...request,
    ackWaitMs: ackWaitOf(request),
    maxDeliver: request.maxDeliver > 0 ? request.maxDeliver : -1,
    maxWaiting: maxWaitingOf(request),
    maxAckPending: maxAckPendingOf(request, surroundings),
    maxRequestBatch: Math.max(request.maxRequestBatch || (push ? 0 : surroundings.maxRequestBatch), 0),
    maxRequestExpiresMs: Math.max(request.maxRequestExpiresMs, 0),
    maxRequestMaxBytes: Math.max(request.maxRequestMaxBytes, 0),
    flowControl: request.flowControl || ackedByFlow,
    idleHeartbeatMs: ackedByFlow ? FLOW_CONTROL_ACK_HEARTBEAT_MS : Math.max(request.idleHeartbeatMs, 0),
    inactiveThresholdMs: inactiveThresholdOf(request, surroundings),
    priorityTimeoutMs: priorityTimeoutOf(request),
    metadata: storedMetadata(request.metadata, requiredLevel(request)),
  };
}

function maxWaitingOf(request: ConsumerConfigRequest): number {
  if (request.maxWaiting > 0) return request.maxWaiting;
  return isPush(request) ? 0 : DEFAULT_MAX_WAITING;
}

function ackWaitOf(request: ConsumerConfigRequest): number {
  const [firstBackoff] = request.backoffMs;
  if (firstBackoff !== undefined) return firstBackoff;
  return ownAckWaitOf(request);
}

/** Before a backoff replaces it. */
export function ownAckWaitOf({ ackPolicy, ackWaitMs }: ConsumerConfigRequest): number {
  const acks = ackPolicy === 'explicit' || ackPolicy === 'all';
  return acks && ackWaitMs === 0 ? DEFAULT_ACK_WAIT_MS : ackWaitMs;
}

function maxAckPendingOf(request: ConsumerConfigRequest, surroundings: ConsumerSurroundings): number {
  if (request.maxAckPending !== 0) return Math.max(request.maxAckPending, -1);
  const ofStream = surroundings.stream.consumerLimits.maxAckPending;
  if (ofStream > 0) return ofStream;
  if (request.ackPolicy === 'none') return 0;
  const limits = [DEFAULT_MAX_ACK_PENDING, surroundings.serverMaxAckPending, surroundings.accountMaxAckPending];
  return Math.min(...limits.filter((limit) => limit > 0));
}

function inactiveThresholdOf(request: ConsumerConfigRequest, { stream, existing }: ConsumerSurroundings): number {
  if (request.inactiveThresholdMs > 0) return request.inactiveThresholdMs;
  const ofStream = stream.consumerLimits.inactiveThresholdMs;
  if (ofStream > 0) return ofStream;
  // An update that leaves out the durable name leaves the consumer its long life.
  const wasDurable = existing !== undefined && existing.durableName !== '';
  return request.durableName !== '' || wasDurable ? 0 : DEFAULT_INACTIVE_THRESHOLD_MS;
}

function priorityTimeoutOf({ priorityPolicy, priorityTimeoutMs }: ConsumerConfigRequest): number {
  if (priorityTimeoutMs > 0) return priorityTimeoutMs;
  return priorityPolicy === 'pinned_client' ? DEFAULT_PRIORITY_TIMEOUT_MS : 0;
}

/**
 * What a mirror or source asks for on a stream that keeps messages until they are acked: a consumer that holds them, and
 * outlives both leaders.
 */
export function durableIfSourcing(request: ConsumerConfigRequest, stream: StreamConfig): ConsumerConfigRequest {
  if (!request.direct || !request.sourcing || stream.retention === 'limits') return request;
  return {
    ...request,
    durableName: request.name,
    direct: false,
    ackPolicy: 'flow_control',
    ackWaitMs: 0,
    maxDeliver: 0,
    inactiveThresholdMs: 0,
  };
}

/** The level of the API that came with what the configuration uses. */
export function requiredLevel(config: Omit<ConsumerConfig, 'singleFilter' | 'filterSubjects'>): number {
  if (config.ackPolicy === 'flow_control') return FLOW_CONTROL_ACK_API_LEVEL;
  const { pauseUntilUs, priorityPolicy, priorityGroups, priorityTimeoutMs } = config;
  const grouped = priorityPolicy !== 'none' || priorityGroups.length > 0 || priorityTimeoutMs !== 0;
  return pauseUntilUs !== undefined || grouped ? PAUSE_AND_PRIORITY_API_LEVEL : 0;
}
