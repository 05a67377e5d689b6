/**
 * Owns the rules of a stream's configuration (streams.md 2.2-2.5): defaults, what is refused and in which words, what an
 * update may change, and when two configurations are the same. Plain functions of plain data.
 */
import {
  invalidStreamConfig,
  MAX_BYTES_REQUIRED,
  MAX_CONSUMERS_REACHED,
  MIRROR_NOT_UPDATABLE,
  MIRROR_WITH_SCHEDULES,
  NEGATIVE_REPLICAS,
  pedanticRefusal,
  REPLICAS_NEED_CLUSTER,
  SOURCES_WITH_SCHEDULES,
  STREAM_MAX_BYTES_EXCEEDED,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import {
  isAssetName,
  MAX_DESCRIPTION_BYTES,
  MAX_METADATA_BYTES,
  MAX_NAME_BYTES,
  metadataBytes,
  ownMetadata,
  storedMetadata,
} from '../../base/asset.ts';
import { goDurationText } from '../../base/duration-text.ts';
import { SubjectOverlap } from '../../base/subject-overlap.ts';
import { isSubjectSubset, isValidSubject, subjectsCollide } from '../../base/subjects.ts';
import { checkRepublish, checkTransform } from './mapping-rules.ts';
import { checkMirrorDirect, checkOrigins, mirrorDirectOf, type VisibleStream } from './origin-rules.ts';
import type { StreamConfig } from '../types.ts';

const MAX_REPLICAS = 5;
const DEFAULT_DUPLICATE_WINDOW_MS = 120_000;
/** Least `max_age` and `duplicate_window`: expiry works in steps, not at every message. */
const MIN_WINDOW_MS = 100;
const MIN_DELETE_MARKER_TTL_MS = 1000;
/**
 * Highest sequence that a client may make a stream jump to (`first_seq`, purge). Sequences stay exact as numbers with 2^52
 * messages still to come. Differs from the reference server, whose sequences end at 2^64.
 */
export const MAX_CHOSEN_SEQ = 2 ** 52;

/** What a client asked for, in our units. Members are the zero value where the client said nothing. */
export interface StreamConfigRequest extends StreamConfig {
  readonly placement: (NonNullable<StreamConfig['placement']> & { readonly preferred: string }) | undefined;
}

/** What the server and the account allow. -1 is unlimited. */
export interface StreamConfigLimits {
  readonly clustered: boolean;
  /** 0: none. */
  readonly maxDuplicateWindowMs: number;
  readonly maxConsumers: number;
  readonly maxBytesRequired: boolean;
  readonly maxFileStreamBytes: number;
  readonly maxMemoryStreamBytes: number;
  /** Streams that this one may be fed by. */
  readonly visible: VisibleStream;
}

export type StreamConfigResult =
  { readonly ok: true; readonly config: StreamConfig } | { readonly ok: false; readonly error: ApiError };

/** Fills in defaults and checks everything that does not depend on other streams. The first rule broken is the answer. */
export function normaliseStreamConfig(
  request: StreamConfigRequest,
  limits: StreamConfigLimits,
  pedantic: boolean,
): StreamConfigResult {
  const error =
    checkIdentity(request) ??
    (pedantic ? checkPedantically(request, limits) : undefined) ??
    checkTimes(request, limits) ??
    checkPolicies(request) ??
    checkFeatures(request) ??
    checkTransform(request) ??
    checkOrigins(request, limits.visible) ??
    checkSubjects(request) ??
    checkAccountLimits(request, limits) ??
    checkOverlaps(request) ??
    checkRest(request, limits) ??
    checkRepublish(request);
  if (error !== undefined) return { ok: false, error };
  return { ok: true, config: withDefaults(request, limits) };
}

function checkIdentity(request: StreamConfigRequest): ApiError | undefined {
  if (!isAssetName(request.name)) {
    return invalidStreamConfig(`stream name is required and can not contain '.', '*', '>', '\\', '/'`);
  }
  if (Buffer.byteLength(request.name) > MAX_NAME_BYTES) {
    return invalidStreamConfig(`stream name is too long, maximum allowed is ${MAX_NAME_BYTES}`);
  }
  if (Buffer.byteLength(request.description) > MAX_DESCRIPTION_BYTES) {
    return invalidStreamConfig(`stream description is too long, maximum allowed is ${MAX_DESCRIPTION_BYTES}`);
  }
  if (request.numReplicas > MAX_REPLICAS) return invalidStreamConfig(`maximum replicas is ${MAX_REPLICAS}`);
  return request.numReplicas < 0 ? NEGATIVE_REPLICAS : undefined;
}

/** A pedantic client wants to hear what would otherwise be set right silently. */
function checkPedantically(request: StreamConfigRequest, limits: StreamConfigLimits): ApiError | undefined {
  const counts = {
    max_msgs: request.maxMsgs,
    max_msgs_per_subject: request.maxMsgsPerSubject,
    max_bytes: request.maxBytes,
    max_msg_size: request.maxMsgSize,
    max_consumers: request.maxConsumers,
  };
  for (const [name, value] of Object.entries(counts)) {
    if (value < -1) return pedanticRefusal(`${name} must be set to -1`);
  }
  const unaligned = checkMirrorDirect(request, limits.visible);
  if (unaligned !== undefined) return unaligned;
  if (request.republish?.src === '') return pedanticRefusal('republish source can not be empty');
  return checkImpliedPedantically(request) ?? checkWindowPedantically(request, limits);
}

/** Settings that others bring along. */
function checkImpliedPedantically(request: StreamConfigRequest): ApiError | undefined {
  if (request.subjectDeleteMarkerTtlMs > 0 && !request.allowMsgTtl) {
    return invalidStreamConfig('subject delete marker cannot be set if message TTLs are disabled');
  }
  if (request.subjectDeleteMarkerTtlMs > 0 && !request.allowRollupHdrs) {
    return invalidStreamConfig('subject delete marker cannot be set if roll-ups are disabled');
  }
  return request.allowMsgSchedules && !request.allowRollupHdrs
    ? invalidStreamConfig('message scheduling cannot be set if roll-ups are disabled')
    : undefined;
}

function checkWindowPedantically(request: StreamConfigRequest, limits: StreamConfigLimits): ApiError | undefined {
  if (request.duplicateWindowMs !== 0 || isFedByStreams(request)) return undefined;
  const limit = limits.maxDuplicateWindowMs;
  if (limit > 0 && limit < DEFAULT_DUPLICATE_WINDOW_MS) {
    return pedanticRefusal('duplicate window limits are higher than current limits');
  }
  return request.maxAgeMs !== 0 && request.maxAgeMs < DEFAULT_DUPLICATE_WINDOW_MS
    ? pedanticRefusal('duplicate window cannot be bigger than max age')
    : undefined;
}

function checkTimes(request: StreamConfigRequest, limits: StreamConfigLimits): ApiError | undefined {
  const { maxAgeMs } = request;
  if (maxAgeMs < 0) return invalidStreamConfig('max age can not be negative');
  if (maxAgeMs > 0 && maxAgeMs < MIN_WINDOW_MS) return invalidStreamConfig('max age needs to be >= 100ms');
  const windowMs = duplicateWindowOf(request, limits);
  if (windowMs < 0) return invalidStreamConfig('duplicates window can not be negative');
  if (maxAgeMs !== 0 && windowMs > maxAgeMs) {
    return invalidStreamConfig('duplicates window can not be larger then max age');
  }
  const limit = limits.maxDuplicateWindowMs;
  if (limit > 0 && windowMs > limit) {
    return invalidStreamConfig(`duplicates window can not be larger then server limit of ${goDurationText(limit)}`);
  }
  return windowMs > 0 && windowMs < MIN_WINDOW_MS
    ? invalidStreamConfig('duplicates window needs to be >= 100ms')
    : undefined;
}

function checkPolicies(request: StreamConfigRequest): ApiError | undefined {
  if (request.firstSeq > MAX_CHOSEN_SEQ) return invalidStreamConfig('first sequence is too high');
  if (request.denyPurge && request.allowRollupHdrs) {
    return invalidStreamConfig('roll-ups require the purge permission');
  }
  const counter = checkCounter(request);
  if (counter !== undefined || !request.discardNewPerSubject) return counter;
  if (request.discard !== 'new') {
    return invalidStreamConfig('discard new per subject requires discard new policy to be set');
  }
  return request.maxMsgsPerSubject > 0
    ? undefined
    : invalidStreamConfig('discard new per subject requires max msgs per subject > 0');
}

/** What rules out each other, and bounds, of features that not every stream uses. */
function checkFeatures(request: StreamConfigRequest): ApiError | undefined {
  const { subjectDeleteMarkerTtlMs: markerTtlMs } = request;
  if (markerTtlMs < 0) return invalidStreamConfig('subject delete marker TTL must not be negative');
  if (markerTtlMs > 0 && markerTtlMs < MIN_DELETE_MARKER_TTL_MS) {
    return invalidStreamConfig('subject delete marker TTL must be at least 1 second');
  }
  if (markerTtlMs > 0 && request.mirror !== undefined) {
    return invalidStreamConfig('subject delete markers forbidden on mirrors');
  }
  return checkSchedules(request) ?? checkPersistence(request);
}

function checkCounter(request: StreamConfigRequest): ApiError | undefined {
  if (!request.allowMsgCounter) return undefined;
  if (request.discard === 'new') return invalidStreamConfig('counter stream cannot use discard new');
  if (request.allowMsgTtl) return invalidStreamConfig('counter stream cannot use message TTLs');
  if (request.allowMsgSchedules) return invalidStreamConfig('counter stream cannot use message schedules');
  if (request.retention !== 'limits') return invalidStreamConfig('counter stream can only use limits retention');
  return undefined;
}

function checkSchedules(request: StreamConfigRequest): ApiError | undefined {
  if (!request.allowMsgSchedules) return undefined;
  if (request.discard === 'new') return invalidStreamConfig('message scheduling cannot use discard new');
  if (request.mirror !== undefined) return MIRROR_WITH_SCHEDULES;
  return request.sources.length > 0 ? SOURCES_WITH_SCHEDULES : undefined;
}

function checkPersistence(request: StreamConfigRequest): ApiError | undefined {
  if (request.persistMode === 'default') return undefined;
  if (request.storage !== 'file') {
    return invalidStreamConfig('async persist mode is only supported on file storage');
  }
  if (request.numReplicas > 1) {
    return invalidStreamConfig('async persist mode is not supported on replicated streams');
  }
  return request.allowAtomic
    ? invalidStreamConfig('async persist mode is not supported with atomic batch publish')
    : undefined;
}

/** Namespaces of the server's own, each with the part of it that streams may capture. */
const RESERVED_SUBJECTS = [
  { namespace: '$JS.>', open: '$JS.EVENT.>', owner: 'jetstream' },
  { namespace: '$JSC.>', open: '$JS.EVENT.>', owner: 'jetstream' },
  { namespace: '$NRG.>', open: '$JS.EVENT.>', owner: 'jetstream' },
  { namespace: '$SYS.>', open: '$SYS.ACCOUNT.>', owner: 'system' },
] as const;

function checkSubjects(request: StreamConfigRequest): ApiError | undefined {
  for (const subject of request.subjects) {
    if (!isValidSubject(subject)) return invalidStreamConfig('invalid subject');
    if (subject === '>' && !request.noAck) {
      return invalidStreamConfig('capturing all subjects requires no-ack to be true');
    }
    if (subject === '>' && request.numReplicas > 1) {
      return invalidStreamConfig('capturing all subjects requires replicas of 1');
    }
    // An ack of such a stream would be captured by it, and be acked in turn.
    for (const { namespace, open, owner } of request.noAck ? [] : RESERVED_SUBJECTS) {
      if (subjectsCollide(subject, namespace) && !isSubjectSubset(subject, open)) {
        return invalidStreamConfig(`subjects that overlap with ${owner} api require no-ack to be true`);
      }
    }
  }
  return undefined;
}

function checkOverlaps({ subjects }: StreamConfigRequest): ApiError | undefined {
  const earlier = new SubjectOverlap();
  for (const subject of subjects) {
    const other = earlier.find(subject);
    if (other !== undefined) {
      return invalidStreamConfig(`subject ${JSON.stringify(other)} overlaps with ${JSON.stringify(subject)}`);
    }
    earlier.add(subject);
  }
  return earlier.exhausted ? invalidStreamConfig('too many subjects with wildcards') : undefined;
}

function checkAccountLimits(request: StreamConfigRequest, limits: StreamConfigLimits): ApiError | undefined {
  if (limits.maxBytesRequired && request.maxBytes <= 0) return MAX_BYTES_REQUIRED;
  const maxBytes = request.storage === 'file' ? limits.maxFileStreamBytes : limits.maxMemoryStreamBytes;
  return maxBytes > 0 && request.maxBytes > maxBytes ? STREAM_MAX_BYTES_EXCEEDED : undefined;
}

function checkRest(request: StreamConfigRequest, limits: StreamConfigLimits): ApiError | undefined {
  if ((request.placement?.preferred ?? '') !== '') {
    return invalidStreamConfig('preferred server not permitted in placement');
  }
  if (metadataBytes(storedMetadata(request.metadata, requiredApiLevel(request))) > MAX_METADATA_BYTES) {
    return invalidStreamConfig(`stream metadata exceeds maximum size of ${MAX_METADATA_BYTES} bytes`);
  }
  if (limits.maxConsumers >= 0 && request.maxConsumers > limits.maxConsumers) return MAX_CONSUMERS_REACHED;
  return request.numReplicas > 1 && !limits.clustered ? REPLICAS_NEED_CLUSTER : undefined;
}

/** The least level of the API that knows all that the stream uses (streams.md 1.6). */
function requiredApiLevel(request: StreamConfigRequest): number {
  if (request.allowBatched) return 4;
  const { allowMsgCounter, allowAtomic, allowMsgSchedules, persistMode } = request;
  if (allowMsgCounter || allowAtomic || allowMsgSchedules || persistMode === 'async') return 2;
  return request.allowMsgTtl || request.subjectDeleteMarkerTtlMs > 0 ? 1 : 0;
}

/** Streams fed by other streams do not deduplicate unless told to. */
function isFedByStreams(request: StreamConfigRequest): boolean {
  return request.mirror !== undefined || request.sources.length > 0;
}

function duplicateWindowOf(request: StreamConfigRequest, limits: StreamConfigLimits): number {
  if (request.duplicateWindowMs !== 0 || isFedByStreams(request)) return request.duplicateWindowMs;
  const bounds = [DEFAULT_DUPLICATE_WINDOW_MS, limits.maxDuplicateWindowMs, request.maxAgeMs];
  return Math.min(...bounds.filter((bound) => bound > 0));
}

function withDefaults(request: StreamConfigRequest, limits: StreamConfigLimits): StreamConfig {
  const { placement } = request;
  const needsRollups = request.subjectDeleteMarkerTtlMs > 0 || request.allowMsgSchedules;
  const placed = placement !== undefined && (placement.cluster !== '' || placement.tags.length > 0);
  return {
    name: request.name,
    description: request.description,
    subjects: request.subjects.length > 0 || isFedByStreams(request) ? request.subjects : [request.name],
    retention: request.retention,
    maxConsumers: unlimitedUnlessPositive(request.maxConsumers),
    maxMsgs: unlimitedUnlessPositive(request.maxMsgs),
    maxBytes: unlimitedUnlessPositive(request.maxBytes),
    maxAgeMs: request.maxAgeMs,
    maxMsgsPerSubject: unlimitedUnlessPositive(request.maxMsgsPerSubject),
    maxMsgSize: unlimitedUnlessPositive(request.maxMsgSize),
    discard: request.discard,
    discardNewPerSubject: request.discardNewPerSubject,
    storage: request.storage,
    numReplicas: Math.max(request.numReplicas, 1),
    noAck: request.noAck,
    duplicateWindowMs: duplicateWindowOf(request, limits),
    placement: placed ? { cluster: placement.cluster, tags: placement.tags } : undefined,
    compression: request.compression,
    firstSeq: request.firstSeq,
    allowDirect: request.allowDirect,
    sealed: request.sealed,
    denyDelete: request.denyDelete,
    denyPurge: request.denyPurge && !needsRollups,
    allowRollupHdrs: request.allowRollupHdrs || needsRollups,
    consumerLimits: request.consumerLimits,
    metadata: storedMetadata(request.metadata, requiredApiLevel(request)),
    mirror: request.mirror,
    sources: request.sources,
    mirrorDirect: mirrorDirectOf(request, limits.visible),
    subjectTransform: request.subjectTransform,
    republish: request.republish && { ...request.republish, src: request.republish.src || '>' },
    allowMsgTtl: request.allowMsgTtl || request.subjectDeleteMarkerTtlMs > 0,
    subjectDeleteMarkerTtlMs: request.subjectDeleteMarkerTtlMs,
    allowMsgCounter: request.allowMsgCounter,
    allowAtomic: request.allowAtomic,
    allowBatched: request.allowBatched,
    allowMsgSchedules: request.allowMsgSchedules,
    persistMode: request.persistMode,
  };
}

function unlimitedUnlessPositive(limit: number): number {
  return limit > 0 ? limit : -1;
}

/** What creating a stream refuses, and updating one does not. Comes before everything else. */
export function checkStreamCreate(request: StreamConfigRequest): ApiError | undefined {
  if (request.sealed) return invalidStreamConfig('stream configuration for create can not be sealed');
  return request.mirrorDirect && request.mirror === undefined
    ? invalidStreamConfig('stream has no mirror but does have mirror direct')
    : undefined;
}

/** Whether `current` may become `next` (already normalised), and what it becomes: sealing changes other members, too. */
export function checkStreamUpdate(current: StreamConfig, next: StreamConfig): StreamConfigResult {
  const error = checkChange(current, next);
  if (error !== undefined) return { ok: false, error };
  if (!next.sealed) return { ok: true, config: next };
  const sealing = { maxAgeMs: 0, discard: 'new', denyDelete: true, denyPurge: true, allowRollupHdrs: false } as const;
  return { ok: true, config: { ...next, ...sealing } };
}

function checkChange(current: StreamConfig, next: StreamConfig): ApiError | undefined {
  if (next.name !== current.name) return invalidStreamConfig('stream configuration name must match original');
  const cannot = (text: string): ApiError => invalidStreamConfig(`stream configuration update can not ${text}`);
  if (next.storage !== current.storage) return cannot('change storage type');
  if (next.retention !== current.retention && [next.retention, current.retention].includes('workqueue')) {
    return cannot('change retention policy to/from workqueue');
  }
  if (next.allowMsgCounter !== current.allowMsgCounter) return cannot('change message counter setting');
  if (current.sealed && !next.sealed) return cannot('unseal a sealed stream');
  if (current.denyDelete && !next.denyDelete) return cannot('cancel deny message deletes');
  if (current.denyPurge && !next.denyPurge) return cannot('cancel deny purge');
  if (current.allowMsgTtl && !next.allowMsgTtl) return invalidStreamConfig('message TTL status can not be disabled');
  if (current.allowMsgSchedules && !next.allowMsgSchedules) {
    return invalidStreamConfig('message schedules can not be disabled');
  }
  if (next.persistMode !== current.persistMode) return cannot('change persist mode');
  const changesMirror = next.mirror !== undefined && JSON.stringify(next.mirror) !== JSON.stringify(current.mirror);
  return changesMirror ? MIRROR_NOT_UPDATABLE : undefined;
}

/** They ask for the same nodes. */
export function samePlacement(a: StreamConfig, b: StreamConfig): boolean {
  return (
    a.placement?.cluster === b.placement?.cluster &&
    JSON.stringify(a.placement?.tags ?? []) === JSON.stringify(b.placement?.tags ?? [])
  );
}

/** The same stream to its users: what servers add to the metadata does not count. */
export function streamConfigsEqual(a: StreamConfig, b: StreamConfig): boolean {
  return canonicalForm(a) === canonicalForm(b);
}

function canonicalForm(config: StreamConfig): string {
  const members = Object.entries({ ...config, metadata: ownMetadata(config.metadata) });
  return JSON.stringify(members.filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Capturing = Pick<StreamConfig, 'subjects'>;

/** Tells of other streams whether a message could go to them and to this one. */
export function overlapWith({ subjects }: Capturing): (other: Capturing) => boolean {
  const own = new SubjectOverlap(subjects);
  // What could not be looked at to the end may overlap.
  return (other) => other.subjects.some((subject) => own.find(subject) !== undefined || own.exhausted);
}
