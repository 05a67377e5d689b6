/**
 * Owns the rules of a consumer's configuration (consumers.md 1.1-1.5): defaults, and what is refused in which words.
 * Plain functions of plain data.
 */
import type { TimestampUs } from '../base/brand.ts';
import {
  ACK_POLICY_REQUIRED_FOR_PENDING,
  ACK_WAIT_NEGATIVE,
  ackPendingTooHigh,
  BACKOFF_NEGATIVE,
  BOTH_FILTER_FORMS,
  CONSUMER_REPLICAS_EXCEED_STREAM,
  CONSUMER_REPLICAS_MUST_MATCH,
  consumerDescriptionTooLong,
  consumerMetadataTooLarge,
  consumerNameTooLong,
  DELIVER_SUBJECT_FORMS_CYCLE,
  DELIVER_SUBJECT_HAS_WILDCARDS,
  DELIVER_SUBJECT_INVALID,
  DIRECT_REQUIRES_EPHEMERAL,
  DIRECT_REQUIRES_PUSH,
  DURABLE_AND_NAME_DIFFER,
  EMPTY_FILTER,
  EMPTY_PRIORITY_GROUP,
  FILTERS_OVERLAP,
  FLOW_CONTROL_ACK_REQUIRES_FLOW_CONTROL,
  FLOW_CONTROL_ACK_REQUIRES_MAX_ACK_PENDING,
  FLOW_CONTROL_ACK_REQUIRES_PUSH,
  FLOW_CONTROL_ACK_WITH_ACK_WAIT,
  FLOW_CONTROL_ACK_WITH_MAX_DELIVER,
  FLOW_CONTROL_REQUIRES_HEARTBEATS,
  FLOW_CONTROL_REQUIRES_PUSH,
  GROUPS_WITHOUT_POLICY,
  HEARTBEAT_REQUIRES_PUSH,
  HEARTBEAT_TOO_SMALL,
  inactiveThresholdTooHigh,
  INVALID_PRIORITY_GROUP,
  invalidDeliverPolicy,
  invalidSampling,
  invalidStreamConfig,
  MAX_CONSUMERS_REACHED,
  MAX_DELIVER_BELOW_BACKOFF,
  NEGATIVE_REPLICAS,
  pedanticRefusal,
  PINNED_TTL_WITHOUT_POLICY,
  PRIORITY_GROUPS_REQUIRED,
  PRIORITY_GROUPS_WITH_PUSH,
  PULL_REQUIRES_EXPLICIT_ACK,
  PULL_WITH_RATE_LIMIT,
  PUSH_WITH_MAX_WAITING,
  REPLICAS_NEED_CLUSTER,
  REQUEST_EXPIRES_TOO_SMALL,
  requestBatchTooHigh,
  WORKQUEUE_FILTER_NOT_UNIQUE,
  WORKQUEUE_MUST_DELIVER_ALL,
  WORKQUEUE_REQUIRES_EXPLICIT_ACK,
  WORKQUEUE_UNFILTERED_NOT_UNIQUE,
} from '../base/api-errors.ts';
import type { ApiError } from '../base/api-errors.ts';
import {
  isAssetName,
  MAX_DESCRIPTION_BYTES,
  MAX_METADATA_BYTES,
  MAX_NAME_BYTES,
  metadataBytes,
  storedMetadata,
} from '../base/asset.ts';
import { goDurationText } from '../base/duration-text.ts';
import { SubjectOverlap } from '../base/subject-overlap.ts';
import { hasWildcards, isSubjectSubset, isValidSubject, subjectsCollide } from '../base/subjects.ts';
import type { StreamConfig } from '../stream/index.ts';
import type { ConsumerConfig } from './types.ts';

const DEFAULT_ACK_WAIT_MS = 30_000;
const DEFAULT_MAX_WAITING = 512;
const DEFAULT_MAX_ACK_PENDING = 1000;
/** An ephemeral consumer without activity is removed after this time. */
const DEFAULT_INACTIVE_THRESHOLD_MS = 5000;
const DEFAULT_PRIORITY_TIMEOUT_MS = 120_000;
const MIN_IDLE_HEARTBEAT_MS = 100;
const MIN_REQUEST_EXPIRES_MS = 1;
/** Of a consumer whose acks come with the answers to its heartbeats. */
const FLOW_CONTROL_ACK_HEARTBEAT_MS = 1000;
/** Levels of the API that a configuration needs. */
const PAUSE_AND_PRIORITY_API_LEVEL = 1;
const FLOW_CONTROL_ACK_API_LEVEL = 4;

/** What a client asked for, in our units. Members are the zero value where the client said nothing. */
export interface ConsumerConfigRequest extends Omit<ConsumerConfig, 'singleFilter'> {
  readonly filterSubject: string;
}

/** What a consumer is checked against. Limits of 0 or below don't limit. */
export interface ConsumerSurroundings {
  readonly stream: StreamConfig;
  /** The stream's other consumers, the one in question not among them. Asked for only where they matter: there may be thousands. */
  readonly others: () => readonly ConsumerConfig[];
  /** False for an update. */
  readonly isNew: boolean;
  readonly clustered: boolean;
  readonly serverMaxAckPending: number;
  readonly accountMaxAckPending: number;
  readonly accountMaxConsumers: number;
  readonly maxRequestBatch: number;
}

export type ConsumerConfigResult =
  { readonly ok: true; readonly config: ConsumerConfig } | { readonly ok: false; readonly error: ApiError };

/** Fills in defaults and checks everything. The first rule broken is the answer. */
export function normaliseConsumerConfig(
  asked: ConsumerConfigRequest,
  surroundings: ConsumerSurroundings,
  pedantic: boolean,
): ConsumerConfigResult {
  const request = durableIfSourcing(asked, surroundings.stream);
  const wanted = withDefaults(request, surroundings);
  const error =
    checkNames(request) ??
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
    checkPriority(request) ??
    checkNameLength(request) ??
    checkWorkqueue(wanted, surroundings) ??
    checkRoom(wanted, surroundings);
  if (error !== undefined) return { ok: false, error };
  return { ok: true, config: toConfig(wanted) };
}

function isPush(config: { readonly deliverSubject: string }): boolean {
  return config.deliverSubject !== '';
}

function checkNames(request: ConsumerConfigRequest): ApiError | undefined {
  const cannot = `can not contain '.', '*', '>', '\\', '/'`;
  if (request.name !== '' && !isAssetName(request.name)) return invalidStreamConfig(`consumer name ${cannot}`);
  return request.durableName !== '' && !isAssetName(request.durableName)
    ? invalidStreamConfig(`consumer durable name ${cannot}`)
    : undefined;
}

/** A pedantic client wants to hear what would otherwise be set right silently. */
function checkPedantically(request: ConsumerConfigRequest, { stream, maxRequestBatch }: ConsumerSurroundings) {
  const { maxAckPending, inactiveThresholdMs } = stream.consumerLimits;
  const firstBackoff = request.backoffMs[0];
  const flaws: readonly (readonly [found: boolean, text: string])[] = [
    [request.maxDeliver < -1, 'max_deliver must be set to -1'],
    [!isPush(request) && request.maxWaiting < 0, 'max_waiting must not be negative'],
    [
      firstBackoff !== undefined && request.ackWaitMs !== 0 && request.ackWaitMs !== firstBackoff,
      'first backoff value has to equal batch AckWait',
    ],
    [
      request.maxAckPending === 0 && maxAckPending > 0,
      `max_ack_pending must be set if it's configured in stream limits`,
    ],
    [request.maxAckPending < -1, 'max_ack_pending must be set to -1'],
    [
      !isPush(request) && request.maxRequestBatch === 0 && maxRequestBatch > 0,
      `max_request_batch must be set if it's JetStream limits are set`,
    ],
    [request.maxRequestBatch < 0, 'max_batch must not be negative'],
    [request.maxRequestExpiresMs < 0, 'max_expires must not be negative'],
    [request.maxRequestMaxBytes < 0, 'max_bytes must not be negative'],
    [request.idleHeartbeatMs < 0, 'idle_heartbeat must not be negative'],
    [request.inactiveThresholdMs < 0, 'inactive_threshold must not be negative'],
    [
      request.inactiveThresholdMs === 0 && inactiveThresholdMs > 0,
      `inactive_threshold must be set if it's configured in stream limits`,
    ],
    [request.priorityTimeoutMs < 0, 'priority_timeout must not be negative'],
  ];
  const flaw = flaws.find(([found]) => found);
  return flaw && pedanticRefusal(flaw[1]);
}

function checkReplicas(
  { numReplicas }: ConsumerConfigRequest,
  { stream, clustered }: ConsumerSurroundings,
): ApiError | undefined {
  if (numReplicas > 1 && !clustered) return REPLICAS_NEED_CLUSTER;
  if (numReplicas > stream.numReplicas) return CONSUMER_REPLICAS_EXCEED_STREAM;
  if (numReplicas < 0) return NEGATIVE_REPLICAS;
  const mustMatch = stream.retention !== 'limits' && numReplicas !== 0;
  return mustMatch && numReplicas !== stream.numReplicas ? CONSUMER_REPLICAS_MUST_MATCH : undefined;
}

/**
 * What a mirror or source asks for on a stream that keeps messages until they are acked: a consumer that holds them, and
 * outlives both leaders.
 */
function durableIfSourcing(request: ConsumerConfigRequest, stream: StreamConfig): ConsumerConfigRequest {
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

function checkAcks(
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

function checkDescription({ description }: ConsumerConfigRequest): ApiError | undefined {
  return Buffer.byteLength(description) > MAX_DESCRIPTION_BYTES
    ? consumerDescriptionTooLong(MAX_DESCRIPTION_BYTES)
    : undefined;
}

function checkPush(wanted: ConsumerConfigRequest, { stream }: ConsumerSurroundings): ApiError | undefined {
  const { deliverSubject } = wanted;
  if (hasWildcards(deliverSubject)) return DELIVER_SUBJECT_HAS_WILDCARDS;
  if (!isValidSubject(deliverSubject)) return DELIVER_SUBJECT_INVALID;
  // What is delivered would be captured, and delivered again.
  if (stream.subjects.some((subject) => isSubjectSubset(deliverSubject, subject))) return DELIVER_SUBJECT_FORMS_CYCLE;
  if (wanted.maxWaiting !== 0) return PUSH_WITH_MAX_WAITING;
  if (wanted.ackPolicy === 'none' && wanted.maxAckPending > 0) return ACK_POLICY_REQUIRED_FOR_PENDING;
  return wanted.idleHeartbeatMs > 0 && wanted.idleHeartbeatMs < MIN_IDLE_HEARTBEAT_MS ? HEARTBEAT_TOO_SMALL : undefined;
}

function checkPull(
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

function checkLimits(wanted: ConsumerConfigRequest, surroundings: ConsumerSurroundings): ApiError | undefined {
  const { maxAckPending, inactiveThresholdMs } = surroundings.stream.consumerLimits;
  const limits = [surroundings.serverMaxAckPending, surroundings.accountMaxAckPending, maxAckPending];
  const exceeded = limits.find((limit) => limit > 0 && wanted.maxAckPending > limit);
  if (exceeded !== undefined) return ackPendingTooHigh(exceeded);
  return inactiveThresholdMs > 0 && wanted.inactiveThresholdMs > inactiveThresholdMs
    ? inactiveThresholdTooHigh(goDurationText(inactiveThresholdMs))
    : undefined;
}

function checkDirect(request: ConsumerConfigRequest): ApiError | undefined {
  if (!request.direct) return undefined;
  if (!isPush(request)) return DIRECT_REQUIRES_PUSH;
  return request.durableName !== '' ? DIRECT_REQUIRES_EPHEMERAL : undefined;
}

function checkFilters({ filterSubject, filterSubjects }: ConsumerConfigRequest): ApiError | undefined {
  if (filterSubject !== '' && filterSubjects.length > 0) return BOTH_FILTER_FORMS;
  if (filterSubject !== '' && !isValidSubject(filterSubject)) return invalidStreamConfig('invalid subject');
  for (const filter of filterSubjects) {
    if (filter === '') return EMPTY_FILTER;
    if (!isValidSubject(filter)) return invalidStreamConfig('invalid subject');
  }
  return filtersOverlap(filterSubjects) ? FILTERS_OVERLAP : undefined;
}

const MAX_COMPARED_FILTERS = 1000;

/** One covers another. Among very many it is enough that they collide: comparing each with each would take too long. */
function filtersOverlap(filters: readonly string[]): boolean {
  const earlier = new SubjectOverlap();
  const collide = filters.some((filter) => {
    const found = earlier.find(filter) !== undefined || earlier.exhausted;
    earlier.add(filter);
    return found;
  });
  if (!collide || filters.length > MAX_COMPARED_FILTERS) return collide;
  return filters.some((filter, index) => filters.some((other, at) => at !== index && isSubjectSubset(filter, other)));
}

const POLICY_NAMES = {
  all: 'all',
  last: 'last',
  new: 'new',
  last_per_subject: 'last per subject',
  by_start_sequence: 'by start sequence',
  by_start_time: 'by start time',
} as const;

function checkStart(request: ConsumerConfigRequest): ApiError | undefined {
  const { deliverPolicy } = request;
  const hasSeq = request.optStartSeq > 0;
  const hasTime = request.optStartTimeUs !== undefined;
  const but = (text: string): ApiError =>
    invalidDeliverPolicy(`consumer delivery policy is deliver ${POLICY_NAMES[deliverPolicy]}, but optional ${text}`);
  switch (deliverPolicy) {
    case 'by_start_sequence':
      if (!hasSeq) return but('start sequence is not set');
      return hasTime ? but('start time is also set') : undefined;
    case 'by_start_time':
      if (!hasTime) return but('start time is not set');
      // The doubled word is the reference server's.
      return hasSeq ? but('start start sequence is also set') : undefined;
    case 'all':
    case 'last':
    case 'new':
    case 'last_per_subject': {
      if (hasSeq) return but('start sequence is also set');
      if (hasTime) return but('start time is also set');
      const filtered = request.filterSubject !== '' || request.filterSubjects.length > 0;
      return deliverPolicy === 'last_per_subject' && !filtered ? but('filter subject is not set') : undefined;
    }
  }
}

function checkSampling(sampleFreq: string): ApiError | undefined {
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

function checkRest(wanted: ConsumerConfigRequest): ApiError | undefined {
  if (wanted.flowControl && wanted.idleHeartbeatMs === 0) return FLOW_CONTROL_REQUIRES_HEARTBEATS;
  if (wanted.durableName !== '' && wanted.name !== '' && wanted.durableName !== wanted.name) {
    return DURABLE_AND_NAME_DIFFER;
  }
  const bytes = metadataBytes(wanted.metadata);
  return bytes > MAX_METADATA_BYTES ? consumerMetadataTooLarge('128KB') : undefined;
}

function checkPriority(request: ConsumerConfigRequest): ApiError | undefined {
  const { priorityPolicy, priorityGroups, priorityTimeoutMs } = request;
  if (priorityPolicy === 'none') {
    if (priorityGroups.length > 0) return GROUPS_WITHOUT_POLICY;
    return priorityTimeoutMs > 0 ? PINNED_TTL_WITHOUT_POLICY : undefined;
  }
  if (isPush(request)) return PRIORITY_GROUPS_WITH_PUSH;
  if (priorityGroups.length === 0) return PRIORITY_GROUPS_REQUIRED;
  if (priorityGroups.includes('')) return EMPTY_PRIORITY_GROUP;
  return priorityGroups.every(isPriorityGroup) ? undefined : INVALID_PRIORITY_GROUP;
}

export function isPriorityGroup(name: string): boolean {
  return /^[a-zA-Z0-9/_=-]{1,16}$/.test(name);
}

function checkNameLength({ name, durableName }: ConsumerConfigRequest): ApiError | undefined {
  const tooLong = [name, durableName].some((one) => Buffer.byteLength(one) > MAX_NAME_BYTES);
  return tooLong ? consumerNameTooLong(MAX_NAME_BYTES) : undefined;
}

/** Made by mirrors and sources: not for the users of the stream to count, nor to share messages with. */
export function isSourcing(config: { readonly direct: boolean; readonly sourcing: boolean }): boolean {
  return config.direct || config.sourcing;
}

/** A message of a workqueue goes to one consumer: their filters must not have a subject in common. */
function checkWorkqueue(wanted: ConsumerConfigRequest, { stream, others }: ConsumerSurroundings): ApiError | undefined {
  if (stream.retention !== 'workqueue' || isSourcing(wanted)) return undefined;
  if (wanted.ackPolicy !== 'explicit' && wanted.ackPolicy !== 'flow_control') return WORKQUEUE_REQUIRES_EXPLICIT_ACK;
  if (wanted.deliverPolicy !== 'all') return WORKQUEUE_MUST_DELIVER_ALL;
  const rivals = others().filter((other) => !isSourcing(other));
  if (rivals.length === 0) return undefined;
  const filters = filtersOf(wanted);
  if (filters.length === 0) return WORKQUEUE_UNFILTERED_NOT_UNIQUE;
  const collides = rivals.some(
    ({ filterSubjects }) =>
      filterSubjects.length === 0 ||
      filterSubjects.some((theirs) => filters.some((ours) => subjectsCollide(ours, theirs))),
  );
  return collides ? WORKQUEUE_FILTER_NOT_UNIQUE : undefined;
}

function checkRoom(
  wanted: ConsumerConfigRequest,
  { stream, others, isNew, accountMaxConsumers }: ConsumerSurroundings,
): ApiError | undefined {
  if (!isNew || isSourcing(wanted)) return undefined;
  const limits = [stream.maxConsumers, accountMaxConsumers].filter((limit) => limit > 0);
  if (limits.length === 0) return undefined;
  const counted = others().filter((other) => !isSourcing(other)).length;
  return limits.some((limit) => counted >= limit) ? MAX_CONSUMERS_REACHED : undefined;
}

function filtersOf(request: ConsumerConfigRequest): readonly string[] {
  return request.filterSubject === '' ? request.filterSubjects : [request.filterSubject];
}

function withDefaults(request: ConsumerConfigRequest, surroundings: ConsumerSurroundings): ConsumerConfigRequest {
  const push = isPush(request);
  const ackedByFlow = request.ackPolicy === 'flow_control';
  return {
    ...request,
    ackWaitMs: ackWaitOf(request),
    maxDeliver: request.maxDeliver > 0 ? request.maxDeliver : -1,
    maxWaiting: push || request.maxWaiting > 0 ? request.maxWaiting : DEFAULT_MAX_WAITING,
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

function ackWaitOf(request: ConsumerConfigRequest): number {
  const [firstBackoff] = request.backoffMs;
  if (firstBackoff !== undefined) return firstBackoff;
  const acks = request.ackPolicy === 'explicit' || request.ackPolicy === 'all';
  return acks && request.ackWaitMs === 0 ? DEFAULT_ACK_WAIT_MS : request.ackWaitMs;
}

function maxAckPendingOf(request: ConsumerConfigRequest, surroundings: ConsumerSurroundings): number {
  if (request.maxAckPending !== 0) return Math.max(request.maxAckPending, -1);
  const ofStream = surroundings.stream.consumerLimits.maxAckPending;
  if (ofStream > 0) return ofStream;
  if (request.ackPolicy === 'none') return 0;
  const limits = [DEFAULT_MAX_ACK_PENDING, surroundings.serverMaxAckPending, surroundings.accountMaxAckPending];
  return Math.min(...limits.filter((limit) => limit > 0));
}

function inactiveThresholdOf(request: ConsumerConfigRequest, { stream }: ConsumerSurroundings): number {
  if (request.inactiveThresholdMs > 0) return request.inactiveThresholdMs;
  const ofStream = stream.consumerLimits.inactiveThresholdMs;
  if (ofStream > 0) return ofStream;
  return request.durableName === '' ? DEFAULT_INACTIVE_THRESHOLD_MS : 0;
}

function priorityTimeoutOf({ priorityPolicy, priorityTimeoutMs }: ConsumerConfigRequest): number {
  if (priorityTimeoutMs === 0 && priorityPolicy === 'pinned_client') return DEFAULT_PRIORITY_TIMEOUT_MS;
  return Math.max(priorityTimeoutMs, 0);
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

/** The level of the API that came with what the configuration uses. */
function requiredLevel(config: Omit<ConsumerConfig, 'singleFilter' | 'filterSubjects'>): number {
  if (config.ackPolicy === 'flow_control') return FLOW_CONTROL_ACK_API_LEVEL;
  const { pauseUntilUs, priorityPolicy, priorityGroups, priorityTimeoutMs } = config;
  const grouped = priorityPolicy !== 'none' || priorityGroups.length > 0 || priorityTimeoutMs !== 0;
  return pauseUntilUs !== undefined || grouped ? PAUSE_AND_PRIORITY_API_LEVEL : 0;
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
