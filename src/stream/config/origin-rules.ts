/**
 * Owns the rules for what feeds a stream: mirrors and sources, in themselves and beside the streams that can be seen
 * (streams.md 2.4). Plain functions of plain data; the order of checks is the reference server's.
 */
import {
  externalApiOverlaps,
  externalDeliveryInvalid,
  externalDeliveryOverlaps,
  invalidStreamConfig,
  MIRROR_CONSUMER_INVALID,
  MIRROR_FILTERS_OVERLAP,
  MIRROR_MESSAGE_SIZE_TOO_SMALL,
  MIRROR_NAME_INVALID,
  MIRROR_WITH_ATOMIC_PUBLISH,
  MIRROR_WITH_BATCH_PUBLISH,
  MIRROR_WITH_BOTH_FILTERS,
  MIRROR_WITH_COUNTERS,
  MIRROR_WITH_FIRST_SEQ,
  MIRROR_WITH_SOURCES,
  MIRROR_WITH_SUBJECTS,
  mirrorTransformInvalid,
  mirrorTransformSourceInvalid,
  pedanticRefusal,
  SOURCE_CONSUMER_DUPLICATE,
  SOURCE_CONSUMER_INVALID,
  SOURCE_DUPLICATE,
  SOURCE_FILTERS_OVERLAP,
  SOURCE_MESSAGE_SIZE_TOO_SMALL,
  SOURCE_NAME_INVALID,
  SOURCE_WITH_BOTH_FILTERS,
  sourceTransformInvalid,
  sourceTransformSourceInvalid,
  streamCreateFailed,
  type ApiError,
} from '../../base/api-errors.ts';
import { isAssetName } from '../../base/asset.ts';
import { isLiteralSubject, isSubjectSubset, isValidSubject, subjectsCollide } from '../../base/subjects.ts';
import { mappingError } from './mapping-rules.ts';
import type { StreamConfig, StreamSource } from '../types.ts';

const API_PREFIX = '$JS.API';

/** A stream of the same account, if there is one of that name. */
export type VisibleStream = (name: string) => StreamConfig | undefined;

/** What the two kinds of origin are refused with. */
interface OriginErrors {
  readonly name: ApiError;
  readonly bothFilters: ApiError;
  readonly transformSource: (text: string) => ApiError;
  readonly transform: (text: string) => ApiError;
  readonly overlap: ApiError;
  readonly messageSize: ApiError;
  readonly consumer: ApiError;
  readonly filter: (filter: string) => ApiError;
  readonly filtersOverlap: (a: string, b: string) => boolean;
}

const MIRROR_ERRORS: OriginErrors = {
  name: MIRROR_NAME_INVALID,
  bothFilters: MIRROR_WITH_BOTH_FILTERS,
  transformSource: mirrorTransformSourceInvalid,
  transform: mirrorTransformInvalid,
  overlap: MIRROR_FILTERS_OVERLAP,
  messageSize: MIRROR_MESSAGE_SIZE_TOO_SMALL,
  consumer: MIRROR_CONSUMER_INVALID,
  filter: (filter) => streamCreateFailed(`subject filter '${filter}' for the mirror invalid subject`),
  filtersOverlap: subjectsCollide,
};

const SOURCE_ERRORS: OriginErrors = {
  name: SOURCE_NAME_INVALID,
  bothFilters: SOURCE_WITH_BOTH_FILTERS,
  transformSource: sourceTransformSourceInvalid,
  transform: sourceTransformInvalid,
  overlap: SOURCE_FILTERS_OVERLAP,
  messageSize: SOURCE_MESSAGE_SIZE_TOO_SMALL,
  consumer: SOURCE_CONSUMER_INVALID,
  filter: (filter) => streamCreateFailed(`subject filter '${filter}' for the source: invalid subject`),
  filtersOverlap: (a, b) => isSubjectSubset(a, b) || isSubjectSubset(b, a),
};

/** Everything about the origins of `config`, the streams that can be seen included. */
export function checkOrigins(config: StreamConfig, visible: VisibleStream): ApiError | undefined {
  const { mirror, sources } = config;
  if (mirror === undefined && sources.length === 0) return undefined;
  return (
    checkMirror(config, visible) ??
    checkSources(config, visible) ??
    checkPrefixes(config, visible) ??
    checkCycles(config, visible) ??
    checkFilters(config)
  );
}

function checkMirror(config: StreamConfig, visible: VisibleStream): ApiError | undefined {
  const { mirror, sources } = config;
  if (mirror === undefined) return undefined;
  if (config.firstSeq > 0) return MIRROR_WITH_FIRST_SEQ;
  if (config.allowMsgCounter) return MIRROR_WITH_COUNTERS;
  if (config.allowAtomic) return MIRROR_WITH_ATOMIC_PUBLISH;
  if (config.allowBatched) return MIRROR_WITH_BATCH_PUBLISH;
  if (config.subjects.length > 0) return MIRROR_WITH_SUBJECTS;
  if (sources.length > 0) return MIRROR_WITH_SOURCES;
  return (
    checkOrigin(mirror, MIRROR_ERRORS) ??
    (mirror.external === undefined && !isAssetName(mirror.name) ? MIRROR_NAME_INVALID : undefined) ??
    checkMessageSize(config, mirror, visible, MIRROR_ERRORS)
  );
}

function checkSources(config: StreamConfig, visible: VisibleStream): ApiError | undefined {
  const names = new Set<string>();
  const consumers = new Set<string>();
  for (const source of config.sources) {
    if (!isAssetName(source.name)) return SOURCE_NAME_INVALID;
    const { external, consumer, filterSubject, subjectTransforms } = source;
    const identity = JSON.stringify([source.name, external?.api, consumer?.name, filterSubject, subjectTransforms]);
    if (names.has(identity)) return SOURCE_DUPLICATE;
    names.add(identity);
    const error = checkOrigin(source, SOURCE_ERRORS) ?? checkMessageSize(config, source, visible, SOURCE_ERRORS);
    if (error !== undefined) return error;
    if (consumer === undefined) continue;
    const consumerIdentity = JSON.stringify([source.name, external?.api, consumer.name]);
    if (consumers.has(consumerIdentity)) return SOURCE_CONSUMER_DUPLICATE;
    consumers.add(consumerIdentity);
  }
  return undefined;
}

/** What concerns one origin alone. */
function checkOrigin(source: StreamSource, errors: OriginErrors): ApiError | undefined {
  const { subjectTransforms, filterSubject, consumer } = source;
  if (filterSubject !== '' && subjectTransforms.length > 0) return errors.bothFilters;
  for (const [index, { src, dest }] of subjectTransforms.entries()) {
    if (src !== '' && !isValidSubject(src)) return errors.transformSource(`invalid subject ${src}`);
    const reason = mappingError({ src, dest });
    if (reason !== undefined) return errors.transform(reason);
    const others = subjectTransforms.slice(0, index);
    if (others.some((other) => errors.filtersOverlap(other.src || '>', src || '>'))) return errors.overlap;
  }
  if (consumer === undefined) return undefined;
  const plain = source.optStartSeq === 0 && source.optStartTimeUs === undefined && filterSubject === '';
  return plain && isAssetName(consumer.name) && isLiteralSubject(consumer.deliverSubject) ? undefined : errors.consumer;
}

function checkMessageSize(
  config: StreamConfig,
  { name, external }: StreamSource,
  visible: VisibleStream,
  errors: OriginErrors,
): ApiError | undefined {
  const upstream = external === undefined ? visible(name) : undefined;
  if (upstream === undefined || upstream.maxMsgSize <= 0 || config.maxMsgSize <= 0) return undefined;
  return config.maxMsgSize < upstream.maxMsgSize ? errors.messageSize : undefined;
}

/** The prefixes of other accounts and domains must not lead back into this one. */
function checkPrefixes(config: StreamConfig, visible: VisibleStream): ApiError | undefined {
  const origins = originsOf(config);
  const upstream = origins.flatMap(({ name, external }) => (external ? [] : (visible(name)?.subjects ?? [])));
  const prefixes = origins.flatMap(({ external }) => external ?? []);
  for (const deliver of prefixes.map((prefix) => prefix.deliver).filter(Boolean)) {
    if (!isLiteralSubject(deliver)) return externalDeliveryInvalid(deliver);
    const subject = upstream.find((each) => subjectsCollide(each, `${deliver}.${each}`));
    if (subject !== undefined) return externalDeliveryOverlaps(deliver, subject);
  }
  for (const api of prefixes.map((prefix) => prefix.api).filter(Boolean)) {
    if (!isLiteralSubject(api)) {
      const quoted = JSON.stringify(api);
      return invalidStreamConfig(`stream external api prefix ${quoted} must be a valid subject without wildcards`);
    }
    if (subjectsCollide(api, API_PREFIX)) return externalApiOverlaps(api);
  }
  return undefined;
}

/**
 * Follows the origins breadth-first, as far as they can be seen; external ones lead elsewhere. Coming back to a stream is a
 * cycle, unless the filter of the source lets nothing of the stream that has it through.
 */
function checkCycles(config: StreamConfig, visible: VisibleStream): ApiError | undefined {
  const visited = new Set<string>();
  const ahead = [config];
  for (let current = ahead.shift(); current !== undefined; current = ahead.shift()) {
    visited.add(current.name);
    const { subjects, sources, mirror } = current;
    for (const source of mirror === undefined ? sources : [...sources, mirror]) {
      if (source.external !== undefined) continue;
      const harmless =
        source !== mirror &&
        source.filterSubject !== '' &&
        !subjects.some((subject) => subjectsCollide(subject, source.filterSubject));
      if (!visited.has(source.name)) ahead.push(...[visible(source.name)].flatMap((stream) => stream ?? []));
      else if (!harmless) return invalidStreamConfig('detected cycle');
    }
  }
  return undefined;
}

/** Found only when the stream is about to run, by the reference server: after everything else. */
function checkFilters({ mirror, sources }: StreamConfig): ApiError | undefined {
  const isBad = ({ filterSubject }: StreamSource): boolean => filterSubject !== '' && !isValidSubject(filterSubject);
  if (mirror !== undefined && isBad(mirror)) return MIRROR_ERRORS.filter(mirror.filterSubject);
  const source = sources.find(isBad);
  return source && SOURCE_ERRORS.filter(source.filterSubject);
}

export function originsOf({ mirror, sources }: Pick<StreamConfig, 'mirror' | 'sources'>): readonly StreamSource[] {
  return mirror === undefined ? sources : [mirror, ...sources];
}

/** Whether a mirror answers direct gets of its origin: as the origin itself does, if it can be seen. */
export function mirrorDirectOf(config: StreamConfig, visible: VisibleStream): boolean {
  const upstream = config.mirror?.external === undefined ? visible(config.mirror?.name ?? '') : undefined;
  return upstream?.allowDirect ?? config.mirrorDirect;
}

export function checkMirrorDirect(config: StreamConfig, visible: VisibleStream): ApiError | undefined {
  return config.mirror === undefined || mirrorDirectOf(config, visible) === config.mirrorDirect
    ? undefined
    : pedanticRefusal('origin stream has direct get set, mirror has it disabled');
}
