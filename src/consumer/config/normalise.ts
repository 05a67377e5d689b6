/** Owns what a request for a consumer comes to: its configuration, or what is refused (consumers.md 1.1-1.5). */
import {
  CONSUMER_REPLICAS_EXCEED_STREAM,
  CONSUMER_REPLICAS_MUST_MATCH,
  DURABLE_AND_NAME_DIFFER,
  FLOW_CONTROL_REQUIRES_HEARTBEATS,
  NEGATIVE_REPLICAS,
  REPLICAS_NEED_CLUSTER,
  consumerDescriptionTooLong,
  consumerMetadataTooLarge,
  invalidStreamConfig,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import {
  MAX_DESCRIPTION_BYTES,
  MAX_METADATA_BYTES,
  isAssetName,
  metadataBytes,
  storedMetadata,
} from '../../base/asset.ts';
import type { TimestampUs } from '../../base/brand.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { checkAcks } from './ack-checks.ts';
import { durableIfSourcing, requiredLevel, withDefaults } from './defaults.ts';
import { filtersOf, isPush } from './request.ts';
import type { ConsumerConfigRequest, ConsumerSurroundings } from './request.ts';
import { checkDirect, checkLimits, checkPull, checkPush, checkSampling } from './delivery-checks.ts';
import { checkPedantically } from './pedantic-checks.ts';
import { checkPriority } from './priority-checks.ts';
import { checkFilters, checkStart } from './selection-checks.ts';
import type { ConsumerConfig } from '../types.ts';

export type ConsumerConfigResult =
  { readonly ok: true; readonly config: ConsumerConfig } | { readonly ok: false; readonly error: ApiError };

/** Fills in defaults and checks what does not depend on other consumers. The first rule broken is the answer. */
export function normaliseConsumerConfig(
  asked: ConsumerConfigRequest,
  surroundings: ConsumerSurroundings,
  pedantic: boolean,
): ConsumerConfigResult {
  const request = durableIfSourcing(asked, surroundings.stream);
  const wanted = withDefaults(request, surroundings);
  const error =
    checkNames(request) ??
    (request.numReplicas > 1 && !surroundings.clustered ? REPLICAS_NEED_CLUSTER : undefined) ??
    (pedantic ? checkPedantically(request, surroundings) : undefined) ??
    checkReplicas(request, surroundings) ??
    checkAcks(wanted, request, pedantic) ??
    checkDescription(request) ??
    (isPush(request) ? checkPush(wanted, surroundings) : checkPull(wanted, surroundings)) ??
    checkLimits(wanted, surroundings) ??
    checkDirect(request) ??
    checkFilters(request) ??
    checkStart(request) ??
    checkSampling(request.sampleFreq) ??
    checkRest(wanted) ??
    checkPriority(request);
  if (error !== undefined) return { ok: false, error };
  return { ok: true, config: toConfig(wanted) };
}

function checkNames(request: ConsumerConfigRequest): ApiError | undefined {
  const cannot = `can not contain '.', '*', '>', '\\', '/'`;
  if (request.name !== '' && !isAssetName(request.name)) return invalidStreamConfig(`consumer name ${cannot}`);
  return request.durableName !== '' && !isAssetName(request.durableName)
    ? invalidStreamConfig(`consumer durable name ${cannot}`)
    : undefined;
}

function checkReplicas({ numReplicas }: ConsumerConfigRequest, { stream }: ConsumerSurroundings): ApiError | undefined {
  if (numReplicas > stream.numReplicas) return CONSUMER_REPLICAS_EXCEED_STREAM;
  if (numReplicas < 0) return NEGATIVE_REPLICAS;
  const mustMatch = stream.retention !== 'limits' && numReplicas !== 0;
  return mustMatch && numReplicas !== stream.numReplicas ? CONSUMER_REPLICAS_MUST_MATCH : undefined;
}

function checkDescription({ description }: ConsumerConfigRequest): ApiError | undefined {
  return Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES
    ? consumerDescriptionTooLong(MAX_DESCRIPTION_BYTES)
    : undefined;
}

function checkRest(wanted: ConsumerConfigRequest): ApiError | undefined {
  if (wanted.flowControl && wanted.idleHeartbeatMs === 0) return FLOW_CONTROL_REQUIRES_HEARTBEATS;
  if (wanted.durableName !== '' && wanted.name !== '' && wanted.durableName !== wanted.name) {
    return DURABLE_AND_NAME_DIFFER;
  }
  const bytes = metadataBytes(wanted.metadata);
  return bytes > MAX_METADATA_BYTES ? consumerMetadataTooLarge('128KB') : undefined;
}

function toConfig(wanted: ConsumerConfigRequest): ConsumerConfig {
  return {
    name: wanted.name,
    generatedName: wanted.generatedName,
    durableName: wanted.durableName,
    description: wanted.description,
    deliverPolicy: wanted.deliverPolicy,
    optStartSeq: wanted.optStartSeq,
    optStartTimeUs: wanted.optStartTimeUs,
    ackPolicy: wanted.ackPolicy,
    ackWaitMs: wanted.ackWaitMs,
    maxDeliver: wanted.maxDeliver,
    backoffMs: wanted.backoffMs,
    filterSubjects: filtersOf(wanted),
    singleFilter: wanted.filterSubject !== '',
    replayPolicy: wanted.replayPolicy,
    rateLimitBps: wanted.rateLimitBps,
    sampleFreq: wanted.sampleFreq,
    maxWaiting: wanted.maxWaiting,
    maxAckPending: wanted.maxAckPending,
    flowControl: wanted.flowControl,
    headersOnly: wanted.headersOnly,
    maxRequestBatch: wanted.maxRequestBatch,
    maxRequestExpiresMs: wanted.maxRequestExpiresMs,
    maxRequestMaxBytes: wanted.maxRequestMaxBytes,
    deliverSubject: wanted.deliverSubject,
    deliverGroup: wanted.deliverGroup,
    idleHeartbeatMs: wanted.idleHeartbeatMs,
    inactiveThresholdMs: wanted.inactiveThresholdMs,
    numReplicas: wanted.numReplicas,
    memStorage: wanted.memStorage,
    direct: wanted.direct,
    sourcing: wanted.sourcing,
    priorityPolicy: wanted.priorityPolicy,
    priorityGroups: wanted.priorityGroups,
    priorityTimeoutMs: wanted.priorityTimeoutMs,
    metadata: wanted.metadata,
    pauseUntilUs: wanted.pauseUntilUs,
  };
}

/** How many replicas keep the consumer: as many as the stream has, unless it says otherwise or is not worth it. */
export function consumerReplicas(
  { numReplicas, durableName }: Pick<ConsumerConfig, 'numReplicas' | 'durableName'>,
  stream: Pick<StreamConfig, 'numReplicas' | 'retention'>,
): number {
  if (numReplicas > 0) return Math.min(numReplicas, stream.numReplicas);
  return durableName === '' && stream.retention === 'limits' ? 1 : stream.numReplicas;
}

/** The configuration with another pause, or none. */
export function withPause(config: ConsumerConfig, pauseUntilUs: TimestampUs | undefined): ConsumerConfig {
  const paused = { ...config, pauseUntilUs };
  return { ...paused, metadata: storedMetadata(config.metadata, requiredLevel(paused)) };
}
