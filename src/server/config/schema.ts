/** Owns the table of all options: their names, aliases, types and bounds. Defaults and cross-checks: assemble.ts. */
import type { ClusterDraft, JetStreamDraft, OptionsDraft } from './draft.ts';
import { formatDurationMs } from './durations.ts';
import type { ClusterCredentials } from './options.ts';
import {
  address,
  duration,
  flag,
  integer,
  nameText,
  port,
  routes,
  storageSize,
  text,
  textMap,
  texts,
  timeout,
  type Reading,
} from './readers.ts';
import { inert, nested, readSection, section, set, unsupported, type OptionHandler } from './section.ts';
import { accountsOption, authorizationOption, type SecurityDraft } from './security.ts';
import { kindName } from './values.ts';

const MAX_PAYLOAD_BYTES = 2 ** 31 - 1;
/** Timers can't be armed for less, and a busy loop of pings helps nobody. */
const MIN_PING_INTERVAL_MS = 10;
const MIN_LAME_DUCK_MS = 30_000;
const MAX_ROUTE_PING_INTERVAL_MS = 30_000;
const DEFAULT_CLUSTER_AUTH_TIMEOUT_MS = 2000;

const jetStreamBatchLimits = section<JetStreamDraft>([
  ['max_inflight_per_stream', set('batchMaxOpenPerStream', integer({}))],
  ['max_inflight_total', set('batchMaxOpen', integer({}))],
  ['max_msgs', set('batchMaxMsgs', integer({}))],
  ['timeout', set('batchTimeoutMs', duration({}))],
]);

const jetStreamLimits = section<JetStreamDraft>([
  ['max_ack_pending', set('maxAckPending', integer({}))],
  ['max_ha_assets', set('maxHaAssets', integer({}))],
  ['max_request_batch', set('maxRequestBatch', integer({}))],
  ['duplicate_window', set('duplicateWindowMs', duration({ max: Number.MAX_SAFE_INTEGER }))],
  ['batch', nested(jetStreamBatchLimits, (draft) => draft)],
]);

const jetStream = section<JetStreamDraft>([
  ['enabled enable', set('enabled', flag)],
  ['store_dir store storedir', set('storeDir', text)],
  ['max_memory_store max_mem_store max_mem', set('maxMemoryBytes', storageSize({}))],
  ['max_file_store max_file', set('maxFileBytes', storageSize({}))],
  ['domain', set('domain', domain)],
  ['sync_interval sync', set('sync', syncInterval)],
  ['strict', set('strict', flag)],
  ['unique_tag', set('uniqueTag', text)],
  ['limits', nested(jetStreamLimits, (draft) => draft)],
  ['max_outstanding_catchup max_buffered_msgs max_buffered_size request_queue_limit info_queue_limit', inert()],
  ['meta_compact meta_compact_size meta_compact_sync max_concurrent_io extension_hint', inert()],
  ['encryption_key key ek prev_encryption_key prev_ek prev_key cipher tpm', unsupported()],
]);

function domain(reading: Reading): string | undefined {
  const value = text(reading);
  if (value === undefined || /^[^.*>\s]+$/.test(value)) return value;
  reading.problems.error(
    reading.position,
    `${reading.name}: invalid domain name "${value}", it may not hold ". * >" or blanks`,
  );
  return undefined;
}

function syncInterval(reading: Reading): 'always' | number | undefined {
  if (reading.value.kind === 'string' && reading.value.value.toLowerCase() === 'always') return 'always';
  return duration({ min: 1, seconds: 'allowed' })(reading);
}

/** A boolean, `enabled`/`disabled`, or a map; a map alone means enabled. */
function jetStreamOption(draft: OptionsDraft, reading: Reading): void {
  const { value, position, problems } = reading;
  if (value.kind === 'map') {
    draft.jetStream.enabled = true;
    readSection(value, jetStream, draft.jetStream, problems, 'jetstream.');
    if (draft.jetStream.storeDir !== undefined) draft.positions.set('jetstream.store_dir', position);
  } else if (value.kind === 'boolean') {
    draft.jetStream.enabled = value.value;
  } else if (value.kind === 'string' && /^(enabled?|disabled?)$/i.test(value.value)) {
    draft.jetStream.enabled = value.value.toLowerCase().startsWith('enable');
  } else {
    problems.error(
      position,
      `jetstream: expected a map, a boolean, "enabled" or "disabled", got ${kindName(value.kind)}`,
    );
  }
}

type CredentialsDraft = { -readonly [K in keyof ClusterCredentials]?: ClusterCredentials[K] };

const clusterAuthorization = section<CredentialsDraft>([
  ['user username', set('user', text)],
  ['password pass', set('password', text)],
  ['timeout', set('timeoutMs', timeout)],
  ['users token nkey permissions', unsupported()],
]);

function clusterAuthorizationOption(draft: ClusterDraft, reading: Reading): void {
  const { value, position, problems } = reading;
  const credentials: CredentialsDraft = {};
  nested(clusterAuthorization, () => credentials)(undefined, reading);
  if (value.kind !== 'map') return;
  const { user, password, timeoutMs = DEFAULT_CLUSTER_AUTH_TIMEOUT_MS } = credentials;
  if (user === undefined || password === undefined) {
    problems.error(position, 'cluster.authorization: both "user" and "password" are needed');
  } else {
    draft.authorization = { user, password, timeoutMs };
  }
}

const cluster = section<ClusterDraft>([
  ['name', set('name', nameText('cluster name'))],
  ['listen', listen],
  ['host net', set('host', text)],
  ['port', set('port', port)],
  ['routes', set('routes', routes)],
  ['authorization', clusterAuthorizationOption],
  ['advertise cluster_advertise', set('advertise', text)],
  ['no_advertise', set('noAdvertise', flag)],
  ['ping_interval', clusterPingInterval],
  ['ping_max', set('pingMax', integer({ min: 1 }))],
  ['pool_size accounts compression connect_retries connect_backoff write_deadline write_timeout', inert()],
  ['tls permissions', unsupported()],
]);

function listen(draft: { host?: string; port?: number }, reading: Reading): void {
  const value = address(reading);
  if (value === undefined) return;
  if (value.host !== undefined) draft.host = value.host;
  draft.port = value.port;
}

function clusterPingInterval(draft: ClusterDraft, reading: Reading): void {
  const value = duration({ min: MIN_PING_INTERVAL_MS, seconds: 'allowed' })(reading);
  if (value === undefined) return;
  if (value > MAX_ROUTE_PING_INTERVAL_MS) {
    const most = formatDurationMs(MAX_ROUTE_PING_INTERVAL_MS);
    reading.problems.warn(reading.position, `cluster ping_interval will be ${most}, which is the most for routes`);
  }
  draft.pingIntervalMs = Math.min(value, MAX_ROUTE_PING_INTERVAL_MS);
}

/** Remembers where an option stands that is checked against others later. */
function located(handler: OptionHandler<OptionsDraft>, as: string): OptionHandler<OptionsDraft> {
  return (draft, reading) => {
    draft.positions.set(as, reading.position);
    handler(draft, reading);
  };
}

function http(draft: OptionsDraft, reading: Reading): void {
  const value = address(reading);
  if (value === undefined) return;
  if (value.host !== undefined) draft.httpHost = value.host;
  draft.httpPort = value.port;
}

function lameDuckDuration(draft: OptionsDraft, reading: Reading): void {
  const value = duration({})(reading);
  if (value === undefined) return;
  if (value < MIN_LAME_DUCK_MS) {
    const written = formatDurationMs(value);
    reading.problems.error(reading.position, `invalid lame_duck_duration of ${written}, minimum is 30 seconds`);
  }
  draft.lameDuckDurationMs = value;
}

/** Names that are not known belong to other versions, and change nothing. */
function featureFlags(draft: OptionsDraft, { name, value, position, problems }: Reading): void {
  if (value.kind !== 'map') {
    problems.error(position, `${name}: expected a map, got ${kindName(value.kind)}`);
    return;
  }
  for (const entry of value.entries.values()) {
    const on = flag({ name: `${name}.${entry.key}`, value: entry.value, position: entry.position, problems });
    if (entry.key === 'js_ack_fc_v2' && on !== undefined) draft.featureFlags = { js_ack_fc_v2: on };
  }
}

export const topLevel = section<OptionsDraft>([
  ['server_name', set('serverName', nameText('server name'))],
  ['listen', listen],
  ['host net', set('host', text)],
  ['port', set('port', port)],
  ['client_advertise', set('clientAdvertise', text)],
  ['http', http],
  ['http_port monitor_port', set('httpPort', port)],
  ['http_base_path', set('httpBasePath', text)],
  ['store_dir storedir', located(set('storeDir', text), 'store_dir')],
  ['jetstream', located(jetStreamOption, 'jetstream')],
  [
    'cluster',
    located(
      nested(cluster, (draft: OptionsDraft) => {
        draft.cluster.defined = true;
        return draft.cluster;
      }),
      'cluster',
    ),
  ],
  ['max_connections max_conn', set('maxConnections', integer({ min: -1 }))],
  ['max_subscriptions max_subs', set('maxSubscriptions', integer({ min: -1 }))],
  ['max_sub_tokens max_subscription_tokens', set('maxSubscriptionTokens', integer({ min: 0, max: 255 }))],
  ['max_payload', located(set('maxPayloadBytes', integer({ min: 1, max: MAX_PAYLOAD_BYTES })), 'max_payload')],
  ['max_pending', set('maxPendingBytes', integer({ min: 1 }))],
  ['max_control_line', set('maxControlLineBytes', integer({ min: 1, max: MAX_PAYLOAD_BYTES }))],
  ['max_closed_clients', set('maxClosedClients', integer({}))],
  ['ping_interval', set('pingIntervalMs', duration({ min: MIN_PING_INTERVAL_MS, seconds: 'allowed' }))],
  ['ping_max', set('pingMax', integer({ min: 1 }))],
  ['write_deadline', set('writeDeadlineMs', duration({ min: 1, seconds: 'allowed' }))],
  ['lame_duck_duration', lameDuckDuration],
  ['lame_duck_grace_period', located(set('lameDuckGraceMs', duration({})), 'lame_duck_grace_period')],
  ['debug', set('debug', flag)],
  ['trace trace_verbose', setIfOn('trace')],
  ['log_file logfile', set('logFile', text)],
  ['log_size_limit', set('logSizeLimitBytes', integer({}))],
  ['log_max_num log_max_files', set('logMaxFiles', integer({}))],
  ['logtime', set('logTime', flag)],
  ['logtime_utc', set('logTimeUtc', flag)],
  ['pid_file pidfile', set('pidFile', text)],
  ['ports_file_dir', set('portsFileDir', text)],
  ['server_tags', set('serverTags', texts)],
  ['server_metadata', set('serverMetadata', textMap)],
  ['feature_flags', featureFlags],

  ['authorization', authorizationOption],
  ['accounts', accountsOption],
  [
    'system_account system sys_acc',
    (draft, reading) => {
      set<SecurityDraft, 'systemAccount'>('systemAccount', text)(draft.security, reading);
    },
  ],
  [
    'no_auth_user',
    (draft, reading) => {
      set<SecurityDraft, 'noAuthUser'>('noAuthUser', text)(draft.security, reading);
    },
  ],

  // They tune Go, the reference's transport or its logs, and have nothing to act on here.
  ['prof_port prof_block_rate disable_sublist_cache', inert()],
  ['connect_error_reports reconnect_error_reports no_fast_producer_stall', inert()],
  ['trace_headers max_traced_msg_len write_timeout', inert()],

  // Security, other listeners, and what would silently go missing.
  ['no_system_account', unsupported()],
  ['tls allow_non_tls https https_port ocsp ocsp_cache', unsupported()],
  ['operator operators root roots root_operator root_operators', unsupported()],
  ['resolver account_resolver resolver_tls resolver_preload resolver_pinned_accounts', unsupported()],
  ['trusted trusted_keys default_sentinel auth_callout proxies proxy_protocol', unsupported()],
  ['websocket ws mqtt leaf leafnodes gateway', unsupported()],
  ['mappings maps default_js_domain no_header_support syslog remote_syslog', unsupported()],
]);

/** Two options share one member: neither switches off what the other one switched on. */
function setIfOn(key: 'trace'): OptionHandler<OptionsDraft> {
  return (draft, reading) => {
    if (flag(reading) === true) draft[key] = true;
  };
}
