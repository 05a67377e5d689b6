/** Owns what a stream looks like in the API's JSON: configuration both ways, state and cluster facts outwards. */
import { API_LEVEL } from '../../base/api-level.ts';
import { SERVER_LEVEL_KEY, SERVER_VERSION_KEY } from '../../base/asset.ts';
import type {
  StreamConfig,
  StreamConfigRequest,
  StreamSource,
  StreamState,
  SubjectMapping,
} from '../../stream/index.ts';
import { choice, duration, flag, int, int32, int64, list, struct, text, textMap, time, uint64 } from './decoder.ts';
import type { Decoded, Shape } from './decoder.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { msToNanos, nanosToMs } from './wire.ts';

const SUBJECT_TRANSFORM = { src: text, dest: text } as const;
const SOURCE = struct('StreamSource', {
  name: text,
  opt_start_seq: uint64,
  opt_start_time: time,
  filter_subject: text,
  subject_transforms: list(struct('SubjectTransformConfig', SUBJECT_TRANSFORM)),
  external: struct('ExternalStream', { api: text, deliver: text }),
  consumer: struct('StreamConsumerSource', { name: text, deliver_subject: text }),
});

/** Compared ignoring case, as the reference server does for this enumeration alone. */
const DISCARD = choice({ old: 'old', new: 'new' } as const, undefined, true);

const STREAM_CONFIG_FIELDS = {
  name: text,
  description: text,
  subjects: list(text),
  retention: choice({ limits: 'limits', interest: 'interest', workqueue: 'workqueue' } as const),
  max_consumers: int,
  max_msgs: int64,
  max_bytes: int64,
  max_age: duration,
  max_msgs_per_subject: int64,
  max_msg_size: int32,
  discard: DISCARD,
  discard_new_per_subject: flag,
  storage: choice({ file: 'file', memory: 'memory' } as const),
  num_replicas: int,
  no_ack: flag,
  duplicate_window: duration,
  placement: struct('Placement', { cluster: text, tags: list(text), preferred: text }),
  mirror: SOURCE,
  sources: list(SOURCE),
  compression: choice({ none: 'none', s2: 's2' } as const, () => 'unknown compression algorithm'),
  first_seq: uint64,
  subject_transform: struct('SubjectTransformConfig', SUBJECT_TRANSFORM),
  republish: struct('RePublish', { ...SUBJECT_TRANSFORM, headers_only: flag }),
  allow_direct: flag,
  mirror_direct: flag,
  sealed: flag,
  deny_delete: flag,
  deny_purge: flag,
  allow_rollup_hdrs: flag,
  consumer_limits: struct('StreamConsumerLimits', { inactive_threshold: duration, max_ack_pending: int }),
  allow_msg_ttl: flag,
  subject_delete_marker_ttl: duration,
  allow_msg_counter: flag,
  allow_atomic: flag,
  allow_batched: flag,
  allow_msg_schedules: flag,
  persist_mode: choice({ '': 'default', default: 'default', async: 'async' } as const),
  metadata: textMap,
  pedantic: flag,
} as const;

export const STREAM_CONFIG_REQUEST = { rootType: 'StreamConfigRequest', fields: STREAM_CONFIG_FIELDS } as const;
export type StreamConfigJson = Decoded<typeof STREAM_CONFIG_FIELDS>;
type SourceJson = typeof SOURCE extends Shape<infer T> ? T : never;

export function toStreamConfigRequest(json: StreamConfigJson): StreamConfigRequest {
  return { ...basicsOf(json), ...featuresOf(json) };
}

type Feature =
  | 'placement'
  | 'mirror'
  | 'sources'
  | 'mirrorDirect'
  | 'subjectTransform'
  | 'republish'
  | 'allowMsgTtl'
  | 'subjectDeleteMarkerTtlMs'
  | 'allowMsgCounter'
  | 'allowAtomic'
  | 'allowBatched'
  | 'allowMsgSchedules'
  | 'persistMode';

function basicsOf(json: StreamConfigJson): Omit<StreamConfig, Feature> {
  return {
    name: json.name ?? '',
    description: json.description ?? '',
    subjects: strings(json.subjects),
    retention: json.retention ?? 'limits',
    maxConsumers: json.max_consumers ?? 0,
    maxMsgs: json.max_msgs ?? 0,
    maxBytes: json.max_bytes ?? 0,
    maxAgeMs: nanosToMs(json.max_age ?? 0),
    maxMsgsPerSubject: json.max_msgs_per_subject ?? 0,
    maxMsgSize: json.max_msg_size ?? 0,
    discard: json.discard ?? 'old',
    discardNewPerSubject: json.discard_new_per_subject ?? false,
    storage: json.storage ?? 'file',
    numReplicas: json.num_replicas ?? 0,
    noAck: json.no_ack ?? false,
    duplicateWindowMs: nanosToMs(json.duplicate_window ?? 0),
    compression: json.compression ?? 'none',
    firstSeq: json.first_seq ?? 0,
    allowDirect: json.allow_direct ?? false,
    sealed: json.sealed ?? false,
    denyDelete: json.deny_delete ?? false,
    denyPurge: json.deny_purge ?? false,
    allowRollupHdrs: json.allow_rollup_hdrs ?? false,
    consumerLimits: {
      inactiveThresholdMs: nanosToMs(json.consumer_limits?.inactive_threshold ?? 0),
      maxAckPending: json.consumer_limits?.max_ack_pending ?? 0,
    },
    metadata: json.metadata ?? {},
  };
}

function featuresOf(json: StreamConfigJson): Pick<StreamConfigRequest, Feature> {
  const { placement } = json;
  return {
    placement: placement && {
      cluster: placement.cluster ?? '',
      tags: strings(placement.tags),
      preferred: placement.preferred ?? '',
    },
    mirror: json.mirror && sourceOf(json.mirror),
    sources: (json.sources ?? []).map(sourceOf),
    mirrorDirect: json.mirror_direct ?? false,
    subjectTransform: json.subject_transform && mappingOf(json.subject_transform),
    republish: json.republish && {
      ...mappingOf(json.republish),
      headersOnly: json.republish.headers_only ?? false,
    },
    allowMsgTtl: json.allow_msg_ttl ?? false,
    subjectDeleteMarkerTtlMs: nanosToMs(json.subject_delete_marker_ttl ?? 0),
    allowMsgCounter: json.allow_msg_counter ?? false,
    allowAtomic: json.allow_atomic ?? false,
    allowBatched: json.allow_batched ?? false,
    allowMsgSchedules: json.allow_msg_schedules ?? false,
    persistMode: json.persist_mode ?? 'default',
  };
}

function mappingOf(mapping: Partial<Decoded<typeof SUBJECT_TRANSFORM>> | undefined): SubjectMapping {
  return { src: mapping?.src ?? '', dest: mapping?.dest ?? '' };
}

function sourceOf(source: SourceJson | undefined): StreamSource {
  const { external, consumer } = source ?? {};
  return {
    name: source?.name ?? '',
    optStartSeq: source?.opt_start_seq ?? 0,
    optStartTimeUs: source?.opt_start_time,
    filterSubject: source?.filter_subject ?? '',
    subjectTransforms: (source?.subject_transforms ?? []).map(mappingOf),
    external: external && { api: external.api ?? '', deliver: external.deliver ?? '' },
    consumer: consumer && { name: consumer.name ?? '', deliverSubject: consumer.deliver_subject ?? '' },
  };
}

/** A `null` among strings is the empty one. */
export function strings(values: readonly (string | undefined)[] | undefined): string[] {
  return (values ?? []).map((value) => value ?? '');
}

/** Members in the order of the reference server; those that are `undefined` are left out. */
export function streamConfigJson(config: StreamConfig, metadata: Readonly<Record<string, string>>): object {
  return {
    name: config.name,
    description: config.description || undefined,
    subjects: config.subjects.length > 0 ? config.subjects : undefined,
    retention: config.retention,
    max_consumers: config.maxConsumers,
    max_msgs: config.maxMsgs,
    max_bytes: config.maxBytes,
    max_age: msToNanos(config.maxAgeMs),
    max_msgs_per_subject: config.maxMsgsPerSubject,
    max_msg_size: config.maxMsgSize || undefined,
    discard: config.discard,
    storage: config.storage,
    num_replicas: config.numReplicas,
    no_ack: config.noAck || undefined,
    duplicate_window: msToNanos(config.duplicateWindowMs) || undefined,
    placement: config.placement && placementJson(config.placement),
    mirror: config.mirror && sourceJson(config.mirror),
    sources: config.sources.length > 0 ? config.sources.map(sourceJson) : undefined,
    compression: config.compression,
    first_seq: config.firstSeq || undefined,
    subject_transform: config.subjectTransform && mappingJson(config.subjectTransform),
    republish: config.republish && {
      src: config.republish.src || undefined,
      dest: config.republish.dest,
      headers_only: config.republish.headersOnly || undefined,
    },
    allow_direct: config.allowDirect,
    mirror_direct: config.mirrorDirect,
    discard_new_per_subject: config.discardNewPerSubject || undefined,
    sealed: config.sealed,
    deny_delete: config.denyDelete,
    deny_purge: config.denyPurge,
    allow_rollup_hdrs: config.allowRollupHdrs,
    consumer_limits: {
      inactive_threshold: msToNanos(config.consumerLimits.inactiveThresholdMs) || undefined,
      max_ack_pending: config.consumerLimits.maxAckPending || undefined,
    },
    allow_msg_ttl: config.allowMsgTtl,
    subject_delete_marker_ttl: msToNanos(config.subjectDeleteMarkerTtlMs) || undefined,
    allow_msg_counter: config.allowMsgCounter || undefined,
    allow_atomic: config.allowAtomic || undefined,
    allow_batched: config.allowBatched || undefined,
    allow_msg_schedules: config.allowMsgSchedules || undefined,
    persist_mode: config.persistMode === 'default' ? undefined : config.persistMode,
    metadata,
  };
}

function mappingJson({ src, dest }: SubjectMapping): object {
  return { src, dest };
}

export function sourceJson(source: StreamSource) {
  const { external, consumer } = source;
  return {
    name: source.name,
    opt_start_seq: source.optStartSeq || undefined,
    opt_start_time: source.optStartTimeUs === undefined ? undefined : formatRfc3339(source.optStartTimeUs),
    filter_subject: source.filterSubject || undefined,
    subject_transforms: source.subjectTransforms.length > 0 ? source.subjectTransforms.map(mappingJson) : undefined,
    external: external && { api: external.api, deliver: external.deliver },
    consumer: consumer && { name: consumer.name, deliver_subject: consumer.deliverSubject },
  };
}

export function placementJson(placement: NonNullable<StreamConfig['placement']>): object {
  return { cluster: placement.cluster || undefined, tags: placement.tags.length > 0 ? placement.tags : undefined };
}

/** Stored metadata and who answers: shown in answers about one asset, not in listings. */
export function dynamicMetadata(
  stored: Readonly<Record<string, string>>,
  serverVersion: string,
): Readonly<Record<string, string>> {
  return sortedByKey({ ...stored, [SERVER_LEVEL_KEY]: String(API_LEVEL), [SERVER_VERSION_KEY]: serverVersion });
}

export function sortedByKey(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export interface StateDetails {
  readonly deleted?: readonly number[] | undefined;
  readonly subjects?: Readonly<Record<string, number>> | undefined;
}

export function streamStateJson(state: StreamState, details: StateDetails): object {
  return {
    messages: state.messages,
    bytes: state.bytes,
    first_seq: state.firstSeq,
    first_ts: formatRfc3339(state.firstTimestampUs),
    last_seq: state.lastSeq,
    last_ts: formatRfc3339(state.lastTimestampUs),
    num_subjects: state.numSubjects || undefined,
    subjects: details.subjects,
    num_deleted: state.numDeleted || undefined,
    deleted: details.deleted && details.deleted.length > 0 ? details.deleted : undefined,
    consumer_count: state.consumerCount,
  };
}
