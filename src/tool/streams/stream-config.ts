/** Owns the way from options to a stream's configuration. */
import type { StreamConfig, StreamSource } from '@nats-io/jetstream';
import { given, readConfigFile } from '../config-file.ts';
import { UsageError } from '../failure.ts';
import type { Input } from '../parameters/index.ts';
import { toNanos } from '../units.ts';
import type { PLACEMENT_OPTIONS, StreamConfigInput } from './config-options.ts';

/** As the API takes and gives it; members that this program doesn't know are passed on. */
export type StreamDocument = Partial<StreamConfig>;

/** `before`, changed by the file and then by the options. @throws {ToolError | UsageError} */
export async function changedConfig(before: StreamDocument, input: StreamConfigInput): Promise<StreamDocument> {
  const file = input.config === undefined ? {} : await readConfigFile<StreamDocument>(input.config);
  const config: StreamDocument = { ...before, ...file };
  return { ...config, ...limits(input), ...behaviour(input), ...origins(input), ...parts(config, input) };
}

const nanos = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : toNanos(milliseconds);

function limits(input: StreamConfigInput): StreamDocument {
  return given<StreamConfig>({
    num_replicas: input.replicas,
    max_msgs: input.maxMsgs,
    max_msgs_per_subject: input.maxMsgsPerSubject,
    max_bytes: input.maxBytes,
    max_age: nanos(input.maxAge),
    max_msg_size: input.maxMsgSize,
    max_consumers: input.maxConsumers,
    duplicate_window: nanos(input.dupeWindow),
    first_seq: input.firstSeq,
    subject_delete_marker_ttl: nanos(input.subjectDeleteMarkerTtl),
  });
}

function behaviour(input: StreamConfigInput): StreamDocument {
  return given<StreamConfig>({
    subjects: input.subjects === undefined ? undefined : [...input.subjects],
    description: input.description,
    storage: input.storage,
    retention: input.retention,
    discard: input.discard,
    discard_new_per_subject: input.discardPerSubject,
    compression: input.compression,
    no_ack: input.ack === undefined ? undefined : !input.ack,
    allow_direct: input.allowDirect,
    mirror_direct: input.mirrorDirect,
    allow_rollup_hdrs: input.allowRollup,
    deny_delete: input.denyDelete,
    deny_purge: input.denyPurge,
    allow_msg_ttl: input.allowMsgTtl,
    allow_msg_counter: input.allowCounter,
    allow_atomic: input.allowAtomic,
    allow_batched: input.allowBatched,
    allow_msg_schedules: input.allowSchedules,
    persist_mode: input.persistMode,
  });
}

function origins(input: StreamConfigInput): StreamDocument {
  const config: StreamDocument = {};
  if (input.mirror !== undefined) {
    config.mirror = {
      name: input.mirror,
      ...given<StreamSource>({
        filter_subject: input.mirrorFilter,
        opt_start_seq: input.mirrorStartSeq,
        opt_start_time: input.mirrorStartTime,
        external: input.mirrorDomain === undefined ? undefined : { api: `$JS.${input.mirrorDomain}.API` },
      }),
    };
  } else if ([input.mirrorFilter, input.mirrorStartSeq, input.mirrorStartTime, input.mirrorDomain].some(Boolean)) {
    throw new UsageError('options of a mirror need --mirror');
  }
  if (input.source !== undefined) config.sources = input.source.map(sourceOf);
  return config;
}

function sourceOf(text: string): StreamSource {
  const [name, filter] = text.split(':', 2);
  return filter === undefined ? { name: name! } : { name: name!, filter_subject: filter };
}

/** Undefined when nothing is asked for. Also of buckets. */
export function placementOf(
  { placementCluster: cluster, placementTags: tags }: Input<typeof PLACEMENT_OPTIONS>,
  { placement: before }: StreamDocument,
): StreamConfig['placement'] {
  if (cluster === undefined && tags === undefined) return undefined;
  return { cluster: cluster ?? before?.cluster ?? '', tags: [...(tags ?? before?.tags ?? [])] };
}

/** Members that are objects: what is given changes a part of them. */
function parts(config: StreamDocument, input: StreamConfigInput): StreamDocument {
  const changed: StreamDocument = {};
  const placement = placementOf(input, config);
  if (placement !== undefined) changed.placement = placement;
  if (input.transformDestination !== undefined) {
    changed.subject_transform = { src: input.transformSource ?? '>', dest: input.transformDestination };
  } else if (input.transformSource !== undefined)
    throw new UsageError('--transform-source needs --transform-destination');
  if (input.republishDestination !== undefined) {
    changed.republish = {
      src: input.republishSource ?? '>',
      dest: input.republishDestination,
      headers_only: input.republishHeadersOnly ?? false,
    };
  } else if (input.republishSource !== undefined)
    throw new UsageError('--republish-source needs --republish-destination');
  if (input.limitConsumerInactive !== undefined || input.limitConsumerAckPending !== undefined) {
    changed.consumer_limits = {
      ...config.consumer_limits,
      ...(input.limitConsumerInactive !== undefined && { inactive_threshold: toNanos(input.limitConsumerInactive) }),
      ...(input.limitConsumerAckPending !== undefined && { max_ack_pending: input.limitConsumerAckPending }),
    };
  }
  if (input.metadata !== undefined) changed.metadata = { ...config.metadata, ...Object.fromEntries(input.metadata) };
  return changed;
}

const LIMITS = ['max_msgs', 'max_bytes', 'max_age', 'max_msgs_per_subject'] as const;

/** Whether messages that are there may have to go: a limit is new or lower. */
export function tightens(before: StreamDocument, after: StreamDocument): boolean {
  return LIMITS.some((limit) => effective(after[limit]) < effective(before[limit]));
}

function effective(limit: number | undefined): number {
  return limit === undefined || limit <= 0 ? Infinity : limit;
}
