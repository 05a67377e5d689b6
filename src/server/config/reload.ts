/** Owns what a reload may change: all of it or nothing. */
import { formatDurationMs } from './durations.ts';
import type { ServerOptions } from './options.ts';

/** One accepted change, as it is logged: `Reloaded: max_payload = 5242880`. */
export interface OptionChange {
  readonly option: string;
  readonly value: string;
}

export type ReloadPlan =
  | { readonly kind: 'apply'; readonly changes: readonly OptionChange[] }
  /** The running options stay as they are. */
  | { readonly kind: 'refuse'; readonly reason: string };

interface ReloadRule {
  readonly name: string;
  readonly reloadable: boolean;
  readonly show: (options: ServerOptions) => string;
}

/** Credentials are compared, and not shown. */
const SECRET = /"(password|token)":"(?:[^"\\]|\\.)*"/g;

function json(value: unknown): string {
  return value === undefined ? '""' : JSON.stringify(value);
}

function live(name: string, show: (options: ServerOptions) => unknown): ReloadRule {
  return { name, reloadable: true, show: (options) => json(show(options)) };
}

/** `name` is the one the reference server uses in its refusals. */
function fixed(name: string, show: (options: ServerOptions) => unknown): ReloadRule {
  return { name, reloadable: false, show: (options) => json(show(options)) };
}

const RULES: readonly ReloadRule[] = [
  fixed('ServerName', (options) => options.serverName),
  fixed('Host', (options) => options.host),
  fixed('Port', (options) => options.port),
  fixed('HTTPHost', (options) => options.monitoring?.host),
  fixed('HTTPPort', (options) => options.monitoring?.port ?? 0),
  fixed('HTTPBasePath', (options) => options.monitoring?.basePath),
  fixed('JetStream', (options) => options.jetStream !== undefined),
  fixed('StoreDir', (options) => options.jetStream?.storeDir),
  fixed('JetStreamDomain', (options) => options.jetStream?.domain),
  fixed('SyncInterval', (options) => options.jetStream?.sync),
  fixed('JetStreamStrict', (options) => options.jetStream?.strict),
  fixed('JetStreamUniqueTag', (options) => options.jetStream?.uniqueTag),
  fixed('JetStreamLimits', (options) => options.jetStream?.limits),
  fixed('JetStreamMaxMemory', (options) => options.jetStream?.maxMemoryBytes),
  fixed('JetStreamMaxStore', (options) => options.jetStream?.maxFileBytes),
  fixed('Cluster', (options) => ({
    name: options.cluster?.name,
    host: options.cluster?.host,
    port: options.cluster?.port,
  })),
  fixed('ClusterAuthorization', (options) => options.cluster?.authorization),
  fixed('Accounts', (options) => options.security),
  fixed('ClusterAdvertise', (options) => options.cluster?.advertise),
  fixed('ClusterPingInterval', (options) => options.cluster?.pingIntervalMs),
  fixed('ClusterMaxPingsOut', (options) => options.cluster?.pingMax),
  fixed('MaxSubs', (options) => options.maxSubscriptions),
  fixed('MaxSubTokens', (options) => options.maxSubscriptionTokens),
  fixed('MaxPending', (options) => options.maxPendingBytes),
  fixed('MaxClosedClients', (options) => options.maxClosedClients),
  fixed('LameDuckDuration', (options) => formatDurationMs(options.lameDuckDurationMs)),
  fixed('LameDuckGracePeriod', (options) => formatDurationMs(options.lameDuckGraceMs)),
  fixed('LogSizeLimit', (options) => options.log.sizeLimitBytes),
  fixed('LogMaxFiles', (options) => options.log.maxFiles),
  fixed('Routes', (options) => options.cluster?.routes),
  fixed('PidFile', (options) => options.pidFile),
  fixed('PortsFileDir', (options) => options.portsFileDir),
  fixed('FeatureFlags', (options) => options.featureFlags),
  fixed('Tags', (options) => options.serverTags),
  live('cluster no_advertise', (options) => options.cluster?.noAdvertise),
  live('client_advertise', (options) => options.clientAdvertise),
  live('max_connections', (options) => options.maxConnections),
  live('max_payload', (options) => options.maxPayloadBytes),
  live('max_control_line', (options) => options.maxControlLineBytes),
  live('ping_interval', (options) => formatDurationMs(options.pingIntervalMs)),
  live('ping_max', (options) => options.pingMax),
  live('write_deadline', (options) => formatDurationMs(options.writeDeadlineMs)),
  live('debug', (options) => options.log.debug),
  live('trace', (options) => options.log.trace),
  live('log_file', (options) => options.log.file),
  live('logtime', (options) => options.log.time),
  live('logtime_utc', (options) => options.log.timeUtc),
  live('metadata', (options) => options.serverMetadata),
];

/** Compares the running options with those just loaded. A single change that needs a restart refuses all of them. */
export function planReload(running: ServerOptions, loaded: ServerOptions): ReloadPlan {
  const changes: OptionChange[] = [];
  for (const rule of RULES) {
    const before = rule.show(running);
    const after = rule.show(loaded);
    if (before === after) continue;
    if (!rule.reloadable) {
      const [old, now] = [before, after].map((shown) => shown.replace(SECRET, '"$1":"[redacted]"'));
      return { kind: 'refuse', reason: `config reload not supported for ${rule.name}: old=${old}, new=${now}` };
    }
    changes.push({ option: rule.name, value: after.replace(SECRET, '"$1":"[redacted]"') });
  }
  return { kind: 'apply', changes };
}
