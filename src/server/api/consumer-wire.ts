/** Owns what a consumer looks like in the API's JSON: configuration both ways, info outwards (consumers.md 1.1 and 3). */
import type { TimestampUs } from '../../base/brand.ts';
import type {
  ConsumerConfig,
  ConsumerConfigRequest,
  ConsumerInfo,
  PriorityGroupState,
  SequencePair,
} from '../../consumer/index.ts';
import { choice, duration, flag, int, largeUint64, list, struct, text, textMap, time, uint64 } from './decoder.ts';
import type { Decoded } from './decoder.ts';
import { strings } from './stream-wire.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { msToNanos, nanosToMs } from './wire.ts';

const NS_PER_US = 1000;

const DELIVER_POLICIES = {
  all: 'all',
  undefined: 'all',
  last: 'last',
  new: 'new',
  by_start_sequence: 'by_start_sequence',
  by_start_time: 'by_start_time',
  last_per_subject: 'last_per_subject',
} as const;
const ACK_POLICIES = { none: 'none', all: 'all', explicit: 'explicit', flow_control: 'flow_control' } as const;
const PRIORITY_POLICIES = {
  none: 'none',
  overflow: 'overflow',
  pinned_client: 'pinned_client',
  prioritized: 'prioritized',
} as const;

const CONSUMER_CONFIG_FIELDS = {
  durable_name: text,
  name: text,
  description: text,
  deliver_policy: choice(DELIVER_POLICIES),
  opt_start_seq: uint64,
  opt_start_time: time,
  ack_policy: choice(ACK_POLICIES),
  ack_wait: duration,
  max_deliver: int,
  backoff: list(duration),
  filter_subject: text,
  filter_subjects: list(text),
  replay_policy: choice({ instant: 'instant', original: 'original' } as const),
  rate_limit_bps: largeUint64,
  sample_freq: text,
  max_waiting: int,
  max_ack_pending: int,
  flow_control: flag,
  headers_only: flag,
  max_batch: int,
  max_expires: duration,
  max_bytes: int,
  deliver_subject: text,
  deliver_group: text,
  idle_heartbeat: duration,
  inactive_threshold: duration,
  num_replicas: int,
  mem_storage: flag,
  direct: flag,
  sourcing: flag,
  metadata: textMap,
  pause_until: time,
  priority_groups: list(text),
  priority_policy: choice(PRIORITY_POLICIES, (raw) => `unknown priority policy: ${raw}`),
  priority_timeout: duration,
} as const;
export type ConsumerConfigJson = Decoded<typeof CONSUMER_CONFIG_FIELDS>;

export const CONSUMER_CREATE_REQUEST = {
  rootType: 'CreateConsumerRequest',
  fields: {
    stream_name: text,
    config: struct('ConsumerConfig', CONSUMER_CONFIG_FIELDS),
    action: choice({ '': '', create: 'create', update: 'update' } as const, (raw) => `unknown consumer action: ${raw}`),
    pedantic: flag,
  },
} as const;

/** `name` is the one the consumer will have. */
export function toConsumerConfigRequest(
  json: ConsumerConfigJson,
  identity: { readonly name: string; readonly generatedName: boolean },
): ConsumerConfigRequest {
  return {
    name: identity.name,
    generatedName: identity.generatedName || undefined,
    durableName: json.durable_name ?? '',
    description: json.description ?? '',
    deliverPolicy: json.deliver_policy ?? 'all',
    optStartSeq: json.opt_start_seq ?? 0,
    optStartTimeUs: json.opt_start_time,
    filterSubject: json.filter_subject ?? '',
    filterSubjects: strings(json.filter_subjects),
    replayPolicy: json.replay_policy ?? 'instant',
    sampleFreq: json.sample_freq ?? '',
    headersOnly: json.headers_only ?? false,
    numReplicas: json.num_replicas ?? 0,
    memStorage: json.mem_storage ?? false,
    metadata: json.metadata ?? {},
    ...ackingOf(json),
    ...deliveryOf(json),
    ...featuresOf(json),
  };
}

function ackingOf(json: ConsumerConfigJson) {
  return {
    ackPolicy: json.ack_policy ?? 'none',
    ackWaitMs: nanosToMs(json.ack_wait ?? 0),
    maxDeliver: json.max_deliver ?? 0,
    backoffMs: (json.backoff ?? []).map((nanos) => nanosToMs(nanos ?? 0)),
    maxAckPending: json.max_ack_pending ?? 0,
    inactiveThresholdMs: nanosToMs(json.inactive_threshold ?? 0),
  };
}

function deliveryOf(json: ConsumerConfigJson) {
  return {
    rateLimitBps: json.rate_limit_bps ?? 0,
    maxWaiting: json.max_waiting ?? 0,
    flowControl: json.flow_control ?? false,
    maxRequestBatch: json.max_batch ?? 0,
    maxRequestExpiresMs: nanosToMs(json.max_expires ?? 0),
    maxRequestMaxBytes: json.max_bytes ?? 0,
    deliverSubject: json.deliver_subject ?? '',
    deliverGroup: json.deliver_group ?? '',
    idleHeartbeatMs: nanosToMs(json.idle_heartbeat ?? 0),
  };
}

function featuresOf(json: ConsumerConfigJson) {
  return {
    direct: json.direct ?? false,
    sourcing: json.sourcing ?? false,
    pauseUntilUs: pauseOf(json.pause_until),
    priorityPolicy: json.priority_policy ?? 'none',
    priorityGroups: strings(json.priority_groups),
    priorityTimeoutMs: nanosToMs(json.priority_timeout ?? 0),
  };
}

/** The zero time stands for none. */
export function pauseOf(time: TimestampUs | undefined): TimestampUs | undefined {
  return time === undefined || time <= 0 ? undefined : time;
}

/** Members in the order of the reference server; those that are `undefined` are left out. */
export function consumerConfigJson(config: ConsumerConfig, metadata: Readonly<Record<string, string>>): object {
  const filters = config.filterSubjects;
  return {
    durable_name: config.durableName || undefined,
    name: config.generatedName === true ? undefined : config.name,
    description: config.description || undefined,
    deliver_policy: config.deliverPolicy,
    opt_start_seq: config.optStartSeq || undefined,
    opt_start_time: config.optStartTimeUs === undefined ? undefined : formatRfc3339(config.optStartTimeUs),
    ack_policy: config.ackPolicy,
    ack_wait: msToNanos(config.ackWaitMs) || undefined,
    max_deliver: config.maxDeliver || undefined,
    backoff: config.backoffMs.length > 0 ? config.backoffMs.map(msToNanos) : undefined,
    filter_subject: config.singleFilter ? filters[0] : undefined,
    filter_subjects: config.singleFilter || filters.length === 0 ? undefined : filters,
    replay_policy: config.replayPolicy,
    rate_limit_bps: config.rateLimitBps || undefined,
    sample_freq: config.sampleFreq || undefined,
    max_waiting: config.maxWaiting || undefined,
    max_ack_pending: config.maxAckPending || undefined,
    flow_control: config.flowControl || undefined,
    headers_only: config.headersOnly || undefined,
    max_batch: config.maxRequestBatch || undefined,
    max_expires: msToNanos(config.maxRequestExpiresMs) || undefined,
    max_bytes: config.maxRequestMaxBytes || undefined,
    deliver_subject: config.deliverSubject || undefined,
    deliver_group: config.deliverGroup || undefined,
    idle_heartbeat: msToNanos(config.idleHeartbeatMs) || undefined,
    inactive_threshold: msToNanos(config.inactiveThresholdMs) || undefined,
    num_replicas: config.numReplicas,
    mem_storage: config.memStorage || undefined,
    direct: config.direct || undefined,
    sourcing: config.sourcing || undefined,
    metadata,
    pause_until: config.pauseUntilUs === undefined ? undefined : formatRfc3339(config.pauseUntilUs),
    priority_groups: config.priorityGroups.length > 0 ? config.priorityGroups : undefined,
    priority_policy: config.priorityPolicy === 'none' ? undefined : config.priorityPolicy,
    priority_timeout: msToNanos(config.priorityTimeoutMs) || undefined,
  };
}

/** What an info carries beside what the consumer itself knows. */
export interface ConsumerInfoFacts {
  readonly stream: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Undefined on a standalone server. */
  readonly cluster: object | undefined;
  readonly nowUs: TimestampUs;
}

export function consumerInfoJson(info: ConsumerInfo, facts: ConsumerInfoFacts): object {
  return {
    stream_name: facts.stream,
    name: info.name,
    created: formatRfc3339(info.createdUs),
    config: consumerConfigJson(info.config, facts.metadata),
    delivered: sequencesJson(info.delivered),
    ack_floor: sequencesJson(info.ackFloor),
    num_ack_pending: info.numAckPending,
    num_redelivered: info.numRedelivered,
    num_waiting: info.numWaiting,
    num_pending: info.numPending,
    cluster: facts.cluster,
    push_bound: info.pushBound || undefined,
    ...pauseJson(info.config.pauseUntilUs, facts.nowUs),
    ts: formatRfc3339(facts.nowUs),
    priority_groups: info.priorityGroup && [priorityGroupJson(info.priorityGroup)],
  };
}

function priorityGroupJson({ group, pinId, pinnedUs }: PriorityGroupState): object {
  return { group, pinned_client_id: pinId || undefined, pinned_ts: formatRfc3339(pinnedUs ?? 0) };
}

/** While a pause lasts: that it does, and for how long. */
export function pauseJson(untilUs: TimestampUs | undefined, nowUs: TimestampUs): object {
  if (untilUs === undefined || untilUs <= nowUs) return {};
  return { paused: true, pause_remaining: (untilUs - nowUs) * NS_PER_US };
}

function sequencesJson(pair: SequencePair & { readonly lastActiveUs: TimestampUs | undefined }): object {
  return {
    consumer_seq: pair.consumerSeq,
    stream_seq: pair.streamSeq,
    last_active: pair.lastActiveUs === undefined ? undefined : formatRfc3339(pair.lastActiveUs),
  };
}
