/** Owns the step from a draft to the options: defaults, and the checks that need more than one option. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OptionsDraft } from './draft.ts';
import { formatDurationMs } from './durations.ts';
import type { ClusterOptions, JetStreamOptions, LogOptions, MonitoringOptions, ServerOptions } from './options.ts';
import type { Problems } from './problems.ts';
import { assembleSecurity } from './security.ts';

const DEFAULT_PORT = 4222;
const DEFAULT_HOST = '0.0.0.0';
const DEFAULT_MAX_CONNECTIONS = 65_536;
const DEFAULT_MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Above it, one message may hold up everything behind it on its connection. */
const LARGE_PAYLOAD_BYTES = 8 * 1024 * 1024;
const DEFAULT_MAX_PENDING_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_CONTROL_LINE_BYTES = 4096;
const DEFAULT_MAX_CLOSED_CLIENTS = 10_000;
const DEFAULT_PING_INTERVAL_MS = 120_000;
const DEFAULT_PING_MAX = 2;
const DEFAULT_ROUTE_PING_INTERVAL_MS = 30_000;
const DEFAULT_WRITE_DEADLINE_MS = 10_000;
const DEFAULT_LAME_DUCK_DURATION_MS = 120_000;
const DEFAULT_LAME_DUCK_GRACE_MS = 10_000;

/** What the options say beside themselves. */
export interface ConfigSource {
  readonly file: string | undefined;
  readonly digest: string;
}

/** Adds to `problems`; the result is meaningful only if there are none. */
export function assemble(draft: OptionsDraft, source: ConfigSource, problems: Problems): ServerOptions {
  const options: ServerOptions = {
    // An empty name is no name: the server's id takes its place.
    serverName: draft.serverName === '' ? undefined : draft.serverName,
    host: draft.host ?? DEFAULT_HOST,
    // As in the reference server 0 means the default.
    port: draft.port === undefined || draft.port === 0 ? DEFAULT_PORT : draft.port,
    clientAdvertise: draft.clientAdvertise,
    monitoring: monitoring(draft),
    jetStream: jetStream(draft, problems),
    cluster: cluster(draft, problems),
    security: assembleSecurity(draft.security, problems),
    ...limits(draft),
    log: log(draft),
    pidFile: draft.pidFile,
    portsFileDir: draft.portsFileDir,
    serverTags: draft.serverTags ?? [],
    serverMetadata: draft.serverMetadata ?? {},
    featureFlags: draft.featureFlags ?? { js_ack_fc_v2: false },
    configFile: source.file,
    configDigest: source.digest,
  };
  check(options, draft, problems);
  return deepFreeze(options);
}

function limits(draft: OptionsDraft) {
  return {
    maxConnections:
      draft.maxConnections === 0 ? DEFAULT_MAX_CONNECTIONS : (draft.maxConnections ?? DEFAULT_MAX_CONNECTIONS),
    maxSubscriptions: Math.max(0, draft.maxSubscriptions ?? 0),
    maxSubscriptionTokens: draft.maxSubscriptionTokens ?? 0,
    maxPayloadBytes: draft.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES,
    maxPendingBytes: draft.maxPendingBytes ?? DEFAULT_MAX_PENDING_BYTES,
    maxControlLineBytes: draft.maxControlLineBytes ?? DEFAULT_MAX_CONTROL_LINE_BYTES,
    maxClosedClients: draft.maxClosedClients ?? DEFAULT_MAX_CLOSED_CLIENTS,
    pingIntervalMs: draft.pingIntervalMs ?? DEFAULT_PING_INTERVAL_MS,
    pingMax: draft.pingMax ?? DEFAULT_PING_MAX,
    writeDeadlineMs: draft.writeDeadlineMs ?? DEFAULT_WRITE_DEADLINE_MS,
    lameDuckDurationMs: draft.lameDuckDurationMs ?? DEFAULT_LAME_DUCK_DURATION_MS,
    lameDuckGraceMs: draft.lameDuckGraceMs ?? DEFAULT_LAME_DUCK_GRACE_MS,
  };
}

function log(draft: OptionsDraft): LogOptions {
  return {
    file: draft.logFile === '' ? undefined : draft.logFile,
    sizeLimitBytes: draft.logSizeLimitBytes ?? 0,
    maxFiles: draft.logMaxFiles ?? 0,
    time: draft.logTime ?? true,
    timeUtc: draft.logTimeUtc ?? false,
    debug: draft.debug ?? false,
    trace: draft.trace ?? false,
  };
}

function monitoring(draft: OptionsDraft): MonitoringOptions | undefined {
  if (draft.httpPort === undefined || draft.httpPort === 0) return undefined;
  const trimmed = (draft.httpBasePath ?? '').replace(/^\/+|\/+$/g, '');
  return {
    host: draft.httpHost ?? draft.host ?? DEFAULT_HOST,
    port: draft.httpPort,
    basePath: trimmed === '' ? '' : `/${trimmed}`,
  };
}

function jetStream(draft: OptionsDraft, problems: Problems): JetStreamOptions | undefined {
  const given = draft.jetStream;
  if (draft.storeDir !== undefined && given.storeDir !== undefined) {
    problems.error(draft.positions.get('jetstream.store_dir'), "Duplicate 'store_dir' configuration");
  }
  if (given.enabled !== true) return undefined;
  const directory = given.storeDir ?? draft.storeDir;
  return {
    storeDir: join(directory ?? join(tmpdir(), 'millrace'), 'jetstream'),
    storeDirIsTemporary: directory === undefined,
    maxMemoryBytes: given.maxMemoryBytes,
    maxFileBytes: given.maxFileBytes,
    domain: given.domain,
    // Differs from the reference server, which syncs every two minutes: an acknowledgement here means "on disk".
    sync: given.sync ?? 'always',
    strict: given.strict ?? true,
    uniqueTag: given.uniqueTag,
    limits: {
      maxAckPending: given.maxAckPending ?? 0,
      maxHaAssets: given.maxHaAssets ?? 0,
      maxRequestBatch: given.maxRequestBatch ?? 0,
      duplicateWindowMs: given.duplicateWindowMs ?? 0,
      batch: {
        maxOpenPerStream: given.batchMaxOpenPerStream ?? 0,
        maxOpen: given.batchMaxOpen ?? 0,
        maxMsgs: given.batchMaxMsgs ?? 0,
        timeoutMs: given.batchTimeoutMs ?? 0,
      },
    },
  };
}

/** A cluster needs a listener: routes alone make none. */
function cluster(draft: OptionsDraft, problems: Problems): ClusterOptions | undefined {
  const given = draft.cluster;
  if (given.port === undefined || given.port === 0) {
    if (given.routes !== undefined && given.routes.length > 0) {
      problems.error(draft.positions.get('cluster'), 'solicited routes require cluster capabilities, e.g. --cluster');
    }
    return undefined;
  }
  return {
    // Missing, it is a problem: see check().
    name: given.name ?? '',
    host: given.host ?? draft.host ?? DEFAULT_HOST,
    port: given.port,
    routes: given.routes ?? [],
    authorization: given.authorization,
    advertise: given.advertise,
    noAdvertise: given.noAdvertise ?? false,
    pingIntervalMs: given.pingIntervalMs ?? DEFAULT_ROUTE_PING_INTERVAL_MS,
    pingMax: given.pingMax ?? draft.pingMax ?? DEFAULT_PING_MAX,
  };
}

function check(options: ServerOptions, draft: OptionsDraft, problems: Problems): void {
  if (options.cluster !== undefined) {
    const position = draft.positions.get('cluster');
    if (options.jetStream === undefined) {
      problems.error(position, 'a cluster without jetstream is not supported by this version');
    }
    if (options.serverName === undefined) {
      problems.error(position, 'jetstream cluster requires `server_name` to be set');
    }
    if (options.cluster.name === '') {
      problems.error(position, 'jetstream cluster requires `cluster.name` to be set');
    }
    if (options.cluster.routes.length === 0) {
      problems.error(position, 'jetstream cluster requires configured routes');
    }
  }
  if (options.lameDuckGraceMs >= options.lameDuckDurationMs) {
    const [grace, duration] = [options.lameDuckGraceMs, options.lameDuckDurationMs].map(formatDurationMs);
    problems.error(
      draft.positions.get('lame_duck_grace_period'),
      `lame duck grace period (${grace}) should be strictly lower than lame duck duration (${duration})`,
    );
  }
  checkPayload(options, draft, problems);
}

function checkPayload(options: ServerOptions, draft: OptionsDraft, problems: Problems): void {
  const { maxPayloadBytes, maxPendingBytes } = options;
  const position = draft.positions.get('max_payload');
  if (maxPayloadBytes > maxPendingBytes) {
    problems.error(position, `max_payload (${maxPayloadBytes}) cannot be higher than max_pending (${maxPendingBytes})`);
  } else if (maxPayloadBytes > LARGE_PAYLOAD_BYTES) {
    problems.warn(position, `max_payload (${maxPayloadBytes}) above ${LARGE_PAYLOAD_BYTES} is not recommended`);
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member as object);
  }
  return Object.freeze(value);
}
