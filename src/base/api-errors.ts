/** Owns the errors of the JetStream API: code, err_code and text as the reference server has them (streams.md section 8). */

export interface ApiError {
  /** HTTP-like. */
  readonly code: number;
  readonly errCode: number;
  readonly description: string;
}

export function apiError(code: number, errCode: number, description: string): ApiError {
  return { code, errCode, description };
}

// Sorted by err_code. Those with variable parts are functions.
export const ACCOUNT_RESOURCES_EXCEEDED = apiError(400, 10002, 'resource limits exceeded for account');
export const BAD_REQUEST = apiError(400, 10003, 'bad request');
export const noSuitablePeers = (text: string): ApiError => apiError(400, 10005, text);
export const JETSTREAM_UNAVAILABLE = apiError(503, 10008, 'JetStream system temporarily unavailable');
export const CLUSTER_REQUIRED = apiError(503, 10010, 'JetStream clustering support required');
export const consumerCreateFailed = (text: string): ApiError => apiError(500, 10012, text);
export const CONSUMER_NAME_IN_USE = apiError(400, 10013, 'consumer name already in use');
export const CONSUMER_NOT_FOUND = apiError(404, 10014, 'consumer not found');
export const SNAPSHOT_SUBJECT_INVALID = apiError(400, 10015, 'deliver subject not valid');
export const DURABLE_NAME_MISMATCH = apiError(
  400,
  10017,
  'consumer name in subject does not match durable name in request',
);
export const DURABLE_NAME_NOT_SET = apiError(
  400,
  10018,
  'consumer expected to be durable but a durable name was not set',
);
export const EPHEMERAL_WITH_DURABLE_NAME = apiError(
  400,
  10020,
  'consumer expected to be ephemeral but a durable name was set in request',
);
export const externalApiOverlaps = (prefix: string): ApiError =>
  apiError(400, 10021, `stream external api prefix ${prefix} must not overlap with $JS.API`);
export const externalDeliveryOverlaps = (prefix: string, subject: string): ApiError =>
  apiError(400, 10022, `stream external delivery prefix ${prefix} overlaps with stream subject ${subject}`);
export const INSUFFICIENT_RESOURCES = apiError(503, 10023, 'insufficient resources');
export const externalDeliveryInvalid = (prefix: string): ApiError =>
  apiError(400, 10024, `stream external delivery prefix ${prefix} must not contain wildcards`);
export const invalidJson = (text: string): ApiError => apiError(400, 10025, `invalid JSON: ${text}`);
export const MAX_CONSUMERS_REACHED = apiError(400, 10026, 'maximum consumers limit reached');
export const MAX_STREAMS_REACHED = apiError(400, 10027, 'maximum number of streams reached');
export const INSUFFICIENT_MEMORY = apiError(500, 10028, 'insufficient memory resources available');
export const MIRROR_MESSAGE_SIZE_TOO_SMALL = apiError(400, 10030, 'stream mirror must have max message size >= source');
export const MIRROR_WITH_SOURCES = apiError(400, 10031, 'stream mirrors can not also contain other sources');
export const MIRROR_WITH_SUBJECTS = apiError(400, 10034, 'stream mirrors can not contain subjects');
export const ACCOUNT_NOT_FOUND = apiError(503, 10035, 'account not found');
export const MESSAGE_NOT_FOUND = apiError(404, 10037, 'no message found');
export const EMPTY_REQUEST_EXPECTED = apiError(400, 10038, 'expected an empty request payload');
export const JETSTREAM_NOT_ENABLED_FOR_ACCOUNT = apiError(503, 10039, 'JetStream not enabled for account');
export const PEER_NOT_A_MEMBER = apiError(400, 10040, 'peer not a member');
export const sequenceNotFound = (seq: number): ApiError => apiError(400, 10043, `sequence ${seq} not found`);
export const NOT_A_CLUSTER_MEMBER = apiError(400, 10044, 'server is not a member of the cluster');
export const SOURCE_MESSAGE_SIZE_TOO_SMALL = apiError(400, 10046, 'stream source must have max message size >= target');
export const INSUFFICIENT_STORAGE = apiError(500, 10047, 'insufficient storage resources available');
export const streamCreateFailed = (text: string): ApiError => apiError(500, 10049, text);
export const streamFailed = (text: string): ApiError => apiError(500, 10051, text);
export const invalidStreamConfig = (text: string): ApiError => apiError(500, 10052, text);
export const MESSAGE_TOO_LARGE = apiError(400, 10054, 'message size exceeds maximum allowed');
export const MIRROR_NOT_UPDATABLE = apiError(400, 10055, 'stream mirror configuration can not be updated');
export const STREAM_NAME_MISMATCH = apiError(400, 10056, 'stream name in subject does not match request');
export const messageDeleteFailed = (text: string): ApiError => apiError(500, 10057, text);
export const STREAM_NAME_IN_USE = apiError(400, 10058, 'stream name already in use with a different configuration');
export const STREAM_NOT_FOUND = apiError(404, 10059, 'stream not found');
export const EXPECTED_STREAM_MISMATCH = apiError(400, 10060, 'expected stream does not match');
export const RESTORE_NAME_IN_USE = apiError(400, 10130, 'stream name already in use, cannot restore');
export const restoreFailed = (text: string): ApiError => apiError(500, 10062, `restore failed: ${text}`);
export const SUBJECTS_OVERLAP = apiError(400, 10065, 'subjects overlap with an existing stream');
export const streamUpdateFailed = (text: string): ApiError => apiError(500, 10069, text);
export const wrongLastMsgId = (id: string): ApiError => apiError(400, 10070, `wrong last msg ID: ${id}`);
export const wrongLastSequence = (seq: number): ApiError => apiError(400, 10071, `wrong last sequence: ${seq}`);
export const REPLICAS_NEED_CLUSTER = apiError(500, 10074, 'replicas > 1 not supported in non-clustered mode');
export const PEER_REMAP_FAILED = apiError(503, 10075, 'peer remap failed');
export const storeFailed = (text: string): ApiError => apiError(503, 10077, text);
export const DELIVER_SUBJECT_HAS_WILDCARDS = apiError(400, 10079, 'consumer deliver subject has wildcards');
export const PUSH_WITH_MAX_WAITING = apiError(400, 10080, 'consumer in push mode can not set max waiting');
export const DELIVER_SUBJECT_FORMS_CYCLE = apiError(400, 10081, 'consumer deliver subject forms a cycle');
export const ACK_POLICY_REQUIRED_FOR_PENDING = apiError(400, 10082, 'consumer requires ack policy for max ack pending');
export const HEARTBEAT_TOO_SMALL = apiError(400, 10083, 'consumer idle heartbeat needs to be >= 100ms');
export const PULL_REQUIRES_EXPLICIT_ACK = apiError(
  400,
  10084,
  'consumer in pull mode requires explicit ack policy on workqueue stream',
);
export const PULL_WITH_RATE_LIMIT = apiError(400, 10086, 'consumer in pull mode can not have rate limit set');
export const HEARTBEAT_REQUIRES_PUSH = apiError(400, 10088, 'consumer idle heartbeat requires a push based consumer');
export const FLOW_CONTROL_REQUIRES_PUSH = apiError(400, 10089, 'consumer flow control requires a push based consumer');
export const DIRECT_REQUIRES_PUSH = apiError(400, 10090, 'consumer direct requires a push based consumer');
export const DIRECT_REQUIRES_EPHEMERAL = apiError(400, 10091, 'consumer direct requires an ephemeral consumer');
export const invalidDeliverPolicy = (text: string): ApiError => apiError(400, 10094, text);
export const invalidSampling = (text: string): ApiError =>
  apiError(400, 10095, `failed to parse consumer sampling configuration: ${text}`);
export const HEADERS_TOO_LARGE = apiError(400, 10097, 'header size exceeds maximum allowed of 64k');
export const WORKQUEUE_REQUIRES_EXPLICIT_ACK = apiError(400, 10098, 'workqueue stream requires explicit ack');
export const WORKQUEUE_UNFILTERED_NOT_UNIQUE = apiError(
  400,
  10099,
  'multiple non-filtered consumers not allowed on workqueue stream',
);
export const WORKQUEUE_FILTER_NOT_UNIQUE = apiError(400, 10100, 'filtered consumer not unique on workqueue stream');
export const WORKQUEUE_MUST_DELIVER_ALL = apiError(400, 10101, 'consumer must be deliver all on workqueue stream');
export const consumerNameTooLong = (max: number): ApiError =>
  apiError(400, 10102, `consumer name is too long, maximum allowed is ${max}`);
export const consumerDescriptionTooLong = (max: number): ApiError =>
  apiError(400, 10107, `consumer description is too long, maximum allowed is ${max}`);
export const FLOW_CONTROL_REQUIRES_HEARTBEATS = apiError(
  400,
  10108,
  'consumer with flow control also needs heartbeats',
);
export const STREAM_SEALED = apiError(400, 10109, 'invalid operation on sealed stream');
export const purgeFailed = (text: string): ApiError => apiError(500, 10110, text);
export const rollupFailed = (text: string): ApiError => apiError(500, 10111, text);
export const DELIVER_SUBJECT_INVALID = apiError(400, 10112, 'invalid push consumer deliver subject');
export const MAX_BYTES_REQUIRED = apiError(400, 10113, 'account requires a stream config to have max bytes set');
export const REQUEST_EXPIRES_TOO_SMALL = apiError(400, 10115, 'consumer max request expires needs to be >= 1ms');
export const MAX_DELIVER_BELOW_BACKOFF = apiError(
  400,
  10116,
  'max deliver is required to be > length of backoff values',
);
export const STREAM_OFFLINE = apiError(500, 10118, 'stream is offline');
export const ackPendingTooHigh = (limit: number): ApiError =>
  apiError(400, 10121, `consumer max ack pending exceeds system limit of ${limit}`);
export const STREAM_MAX_BYTES_EXCEEDED = apiError(
  400,
  10122,
  'stream max bytes exceeds account limit max stream bytes',
);
export const MOVE_AND_SCALE = apiError(400, 10123, 'can not move and scale a stream in a single update');
export const MOVE_IN_PROGRESS = apiError(400, 10124, 'stream move already in progress');
export const requestBatchTooHigh = (limit: number): ApiError =>
  apiError(400, 10125, `consumer max request batch exceeds server limit of ${limit}`);
export const CONSUMER_REPLICAS_EXCEED_STREAM = apiError(
  400,
  10126,
  'consumer config replica count exceeds parent stream',
);
export const CONSUMER_NAME_HAS_SEPARATORS = apiError(400, 10127, 'Consumer name can not contain path separators');
export const STREAM_NAME_HAS_SEPARATORS = apiError(400, 10128, 'Stream name can not contain path separators');
export const NO_RECONFIGURATION = apiError(400, 10129, 'stream reconfiguration not in progress');
export const FILTER_MISMATCH = apiError(
  400,
  10131,
  'Consumer create request did not match filtered subject from create subject',
);
export const DURABLE_AND_NAME_DIFFER = apiError(
  400,
  10132,
  'Consumer Durable and Name have to be equal if both are provided',
);
export const NEGATIVE_REPLICAS = apiError(400, 10133, 'replicas count cannot be negative');
export const CONSUMER_REPLICAS_MUST_MATCH = apiError(
  400,
  10134,
  "consumer config replicas must match interest retention stream's replicas",
);
export const consumerMetadataTooLarge = (limit: string): ApiError =>
  apiError(400, 10135, `consumer metadata exceeds maximum size of ${limit}`);
export const BOTH_FILTER_FORMS = apiError(
  400,
  10136,
  'consumer cannot have both FilterSubject and FilterSubjects specified',
);
export const SUBJECT_FILTER_WITH_MANY = apiError(
  400,
  10137,
  'consumer with multiple subject filters cannot use subject based API',
);
export const FILTERS_OVERLAP = apiError(400, 10138, 'consumer subject filters cannot overlap');
export const EMPTY_FILTER = apiError(400, 10139, 'consumer filter in FilterSubjects cannot be empty');
export const SOURCE_DUPLICATE = apiError(400, 10140, 'duplicate source configuration detected');
export const SOURCE_NAME_INVALID = apiError(400, 10141, 'sourced stream name is invalid');
export const MIRROR_NAME_INVALID = apiError(400, 10142, 'mirrored stream name is invalid');
export const MIRROR_WITH_FIRST_SEQ = apiError(400, 10143, 'stream mirrors can not have first sequence configured');
export const SOURCE_WITH_BOTH_FILTERS = apiError(
  400,
  10144,
  'source with multiple subject transforms cannot also have a single subject filter',
);
export const sourceTransformSourceInvalid = (text: string): ApiError =>
  apiError(400, 10145, `source transform source: ${text}`);
export const sourceTransformInvalid = (text: string): ApiError => apiError(400, 10146, `source transform: ${text}`);
export const SOURCE_FILTERS_OVERLAP = apiError(400, 10147, 'source filters can not overlap');
export const CONSUMER_EXISTS = apiError(400, 10148, 'consumer already exists');
export const CONSUMER_DOES_NOT_EXIST = apiError(400, 10149, 'consumer does not exist');
export const MIRROR_WITH_BOTH_FILTERS = apiError(
  400,
  10150,
  'mirror with multiple subject transforms cannot also have a single subject filter',
);
export const mirrorTransformSourceInvalid = (text: string): ApiError =>
  apiError(400, 10151, `mirror transform source: ${text}`);
export const MIRROR_FILTERS_OVERLAP = apiError(400, 10152, 'mirror subject filters can not overlap');
export const inactiveThresholdTooHigh = (limit: string): ApiError =>
  apiError(400, 10153, `consumer inactive threshold exceeds system limit of ${limit}`);
export const mirrorTransformInvalid = (text: string): ApiError => apiError(400, 10154, `mirror transform: ${text}`);
export const streamTransformSourceInvalid = (text: string): ApiError =>
  apiError(400, 10155, `stream transform source: ${text}`);
export const streamTransformInvalid = (text: string): ApiError => apiError(400, 10156, `stream transform: ${text}`);
export const pedanticRefusal = (text: string): ApiError => apiError(400, 10157, `pedantic mode: ${text}`);
export const PRIORITY_GROUPS_REQUIRED = apiError(
  400,
  10159,
  'Setting PriorityPolicy requires at least one PriorityGroup to be set',
);
export const NO_SUCH_PRIORITY_GROUP = apiError(400, 10160, 'Provided priority group does not exist for this consumer');
export const EMPTY_PRIORITY_GROUP = apiError(400, 10161, 'Group name cannot be an empty string');
export const INVALID_PRIORITY_GROUP = apiError(
  400,
  10162,
  'Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters',
);
export const WRONG_LAST_SEQUENCE = apiError(400, 10164, 'wrong last sequence');
export const INVALID_MESSAGE_TTL = apiError(400, 10165, 'invalid per-message TTL');
export const MESSAGE_TTL_DISABLED = apiError(400, 10166, 'per-message TTL is disabled');
export const COUNTERS_DISABLED = apiError(400, 10168, 'message counters is disabled');
export const COUNTER_INCREMENT_MISSING = apiError(400, 10169, 'message counter increment is missing');
export const COUNTER_WITH_PAYLOAD = apiError(400, 10170, 'message counter has payload');
export const COUNTER_INCREMENT_INVALID = apiError(400, 10171, 'message counter increment is invalid');
export const COUNTER_BROKEN = apiError(400, 10172, 'message counter is broken');
export const MIRROR_WITH_COUNTERS = apiError(400, 10173, 'stream mirrors can not also calculate counters');
export const ATOMIC_PUBLISH_DISABLED = apiError(400, 10174, 'atomic publish is disabled');
export const ATOMIC_SEQUENCE_MISSING = apiError(400, 10175, 'atomic publish sequence is missing');
export const ATOMIC_BATCH_INCOMPLETE = apiError(400, 10176, 'atomic publish batch is incomplete');
export const atomicHeaderUnsupported = (header: string): ApiError =>
  apiError(400, 10177, `atomic publish unsupported header used: ${header}`);
export const PRIORITY_GROUPS_WITH_PUSH = apiError(400, 10178, 'priority groups can not be used with push consumers');
export const ATOMIC_BATCH_ID_INVALID = apiError(400, 10179, 'atomic publish batch ID is invalid');
export const ACK_WAIT_NEGATIVE = apiError(400, 10183, 'consumer ack wait needs to be positive');
export const BACKOFF_NEGATIVE = apiError(400, 10184, 'consumer backoff needs to be positive');
export const API_LEVEL_REQUIRED = apiError(412, 10185, 'JetStream minimum api level required');
export const MIRROR_WITH_SCHEDULES = apiError(400, 10186, 'stream mirrors can not also schedule messages');
export const SOURCES_WITH_SCHEDULES = apiError(400, 10187, 'stream source can not also schedule messages');
export const SCHEDULES_DISABLED = apiError(400, 10188, 'message schedules is disabled');
export const INVALID_SCHEDULE = apiError(400, 10189, 'message schedules pattern is invalid');
export const INVALID_SCHEDULE_TARGET = apiError(400, 10190, 'message schedules target is invalid');
export const INVALID_SCHEDULE_TTL = apiError(400, 10191, 'message schedules invalid per-message TTL');
export const INVALID_SCHEDULE_ROLLUP = apiError(400, 10192, 'message schedules invalid rollup');
export const MISSING_EXPECTED_SEQUENCE = apiError(
  400,
  10193,
  'missing sequence for expected last sequence per subject',
);
export const GROUPS_WITHOUT_POLICY = apiError(400, 10196, 'consumer can not have priority groups when policy is none');
export const PINNED_TTL_WITHOUT_POLICY = apiError(400, 10197, 'PinnedTTL cannot be set when PriorityPolicy is none');
export const MIRROR_WITH_ATOMIC_PUBLISH = apiError(400, 10198, 'stream mirrors can not also use atomic publishing');
export const atomicBatchTooLarge = (limit: number | string): ApiError =>
  apiError(400, 10199, `atomic publish batch is too large: ${limit}`);
export const ATOMIC_COMMIT_INVALID = apiError(400, 10200, 'atomic publish batch commit is invalid');
export const ATOMIC_DUPLICATE_ID = apiError(400, 10201, 'atomic publish batch contains duplicate message id');
export const INVALID_SCHEDULE_SOURCE = apiError(400, 10203, 'message schedules source is invalid');
export const invalidReset = (text: string): ApiError => apiError(400, 10204, `invalid reset: ${text}`);
export const FAST_PUBLISH_DISABLED = apiError(400, 10205, 'batch publish is disabled');
export const FAST_PATTERN_INVALID = apiError(400, 10206, 'batch publish pattern is invalid');
export const FAST_BATCH_ID_INVALID = apiError(400, 10207, 'batch publish ID is invalid');
export const FAST_BATCH_UNKNOWN = apiError(400, 10208, 'batch publish ID unknown');
export const MIRROR_WITH_BATCH_PUBLISH = apiError(400, 10209, 'stream mirrors can not also use batch publishing');
export const TOO_MANY_ATOMIC_BATCHES = apiError(429, 10210, 'atomic publish too many inflight');
export const TOO_MANY_FAST_BATCHES = apiError(429, 10211, 'batch publish too many inflight');
export const INVALID_SCHEDULER = apiError(400, 10212, 'message schedules invalid scheduler');
export const MIRROR_CONSUMER_INVALID = apiError(400, 10213, 'stream mirror consumer config is invalid');
export const MIRROR_NEEDS_FLOW_CONTROL = apiError(
  400,
  10214,
  'stream mirror consumer requires flow control ack policy',
);
export const SOURCE_CONSUMER_INVALID = apiError(400, 10215, 'stream source consumer config is invalid');
export const SOURCE_CONSUMER_DUPLICATE = apiError(400, 10216, 'duplicate stream source consumer detected');
export const SOURCE_NEEDS_FLOW_CONTROL = apiError(
  400,
  10217,
  'stream source consumer requires flow control ack policy',
);
export const FLOW_CONTROL_ACK_REQUIRES_PUSH = apiError(
  400,
  10218,
  'flow control ack policy requires a push based consumer',
);
export const FLOW_CONTROL_ACK_REQUIRES_FLOW_CONTROL = apiError(
  400,
  10219,
  'flow control ack policy requires flow control',
);
export const FLOW_CONTROL_ACK_REQUIRES_MAX_ACK_PENDING = apiError(
  400,
  10220,
  'flow control ack policy requires max ack pending',
);
export const FLOW_CONTROL_ACK_WITH_ACK_WAIT = apiError(400, 10221, 'flow control ack policy requires unset ack wait');
export const FLOW_CONTROL_ACK_WITH_MAX_DELIVER = apiError(
  400,
  10222,
  'flow control ack policy requires unset max deliver',
);
export const INVALID_SCHEDULE_TIME_ZONE = apiError(400, 10223, 'message schedules time zone is invalid');
export const rescueRefused = (text: string): ApiError =>
  apiError(400, 10224, `JetStream system rescue not applied: ${text}`);
export const streamIdentityMismatch = (identity: string): ApiError =>
  apiError(400, 10225, `consumer's stream identity does not match: ${identity}`);
export const RECONFIGURATION_IN_PROGRESS = apiError(400, 10226, 'stream reconfiguration already in progress');
export const STREAM_SOURCE_FORBIDDEN = apiError(400, 10227, 'message stream source header is not allowed');
