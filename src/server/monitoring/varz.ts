/** Owns `/varz`: who this server is, how it is configured, and what went through it. */
import { availableParallelism } from 'node:os';
import type { ServerOptions } from '../config/index.ts';
import { formatTime, formatUptime, unlessEmpty } from './format.ts';
import { jetStreamAccounts, jetStreamConfig, jetStreamLimits, jetStreamUsage, metaCluster } from './jetstream-facts.ts';
import type { Listeners, MonitoringSources } from './sources.ts';

/** What clients have to authenticate and to set up TLS, in seconds. */
const AUTH_TIMEOUT_S = 2;
const TLS_TIMEOUT_S = 2;

/** Percent of one core that the process used since it was asked before. */
export class CpuMeter {
  #lastCpuUs = 0;
  #lastUs: number;
  #percent = 0;

  constructor(startedUs: number) {
    this.#lastUs = startedUs;
  }

  read(nowUs: number): number {
    const { user, system } = process.cpuUsage();
    const elapsed = nowUs - this.#lastUs;
    // Two requests in a row would divide by next to nothing.
    if (elapsed >= 100_000) {
      this.#percent = Math.round(((user + system - this.#lastCpuUs) / elapsed) * 1000) / 10;
      this.#lastCpuUs = user + system;
      this.#lastUs = nowUs;
    }
    return this.#percent;
  }
}

export function varz(sources: MonitoringSources, cpu: CpuMeter, requestCounts: Readonly<Record<string, number>>) {
  const options = sources.options();
  const { identity } = sources;
  const listeners = sources.listeners();
  const nowUs = sources.nowUs();
  const cores = availableParallelism();
  return {
    server_id: identity.serverId,
    server_name: identity.serverName,
    version: identity.version,
    proto: 1,
    go: `node${process.version.slice(1)}`,
    host: options.host,
    port: listeners.clientPort,
    ...unlessEmpty('connect_urls', listeners.connectUrls),
    ...limitFields(options, listeners),
    cluster: clusterFields(options, listeners),
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: {},
    jetstream: jetStreamFields(sources, options),
    tls_timeout: TLS_TIMEOUT_S,
    write_deadline: Math.round(options.writeDeadlineMs * 1e6),
    start: formatTime(identity.startedUs),
    now: formatTime(nowUs),
    uptime: formatUptime(nowUs - identity.startedUs),
    mem: process.memoryUsage.rss(),
    cores,
    gomaxprocs: cores,
    cpu: cpu.read(nowUs),
    ...trafficFields(sources),
    http_req_stats: requestCounts,
    config_load_time: formatTime(sources.configLoadedUs()),
    config_digest: options.configDigest,
    ...unlessEmpty('tags', options.serverTags),
    ...(Object.keys(options.serverMetadata).length > 0 ? { metadata: options.serverMetadata } : {}),
    feature_flags: options.featureFlags,
    system_account: options.security.systemAccount,
    disk_io_wait_stats: { waiters: 0, waits: 0, wait_time: 0, max_wait_time: 0 },
  };
}

function limitFields(options: ServerOptions, listeners: Listeners) {
  return {
    max_connections: options.maxConnections,
    ...unlessEmpty('max_subscriptions', options.maxSubscriptions),
    ping_interval: Math.round(options.pingIntervalMs * 1e6),
    ping_max: options.pingMax,
    http_host: options.monitoring?.host ?? '',
    http_port: listeners.monitoringPort,
    http_base_path: options.monitoring?.basePath ?? '',
    https_port: 0,
    auth_timeout: AUTH_TIMEOUT_S,
    max_control_line: options.maxControlLineBytes,
    max_payload: options.maxPayloadBytes,
    max_pending: options.maxPendingBytes,
  };
}

function clusterFields(options: ServerOptions, listeners: Listeners) {
  const cluster = options.cluster;
  if (cluster === undefined) return {};
  return {
    name: cluster.name,
    addr: cluster.host,
    cluster_port: listeners.clusterPort ?? cluster.port,
    auth_timeout: (cluster.authorization?.timeoutMs ?? AUTH_TIMEOUT_S * 1000) / 1000,
    ...unlessEmpty(
      'urls',
      cluster.routes.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
    ),
    tls_timeout: TLS_TIMEOUT_S,
  };
}

function jetStreamFields(sources: MonitoringSources, options: ServerOptions) {
  const facts = sources.jetStream();
  if (facts === undefined) return {};
  return {
    config: jetStreamConfig(facts, options),
    stats: jetStreamUsage(facts, jetStreamAccounts(sources).length),
    ...(facts.meta === undefined ? {} : { meta: metaCluster(facts.meta) }),
    limits: jetStreamLimits(options),
  };
}

function trafficFields(sources: MonitoringSources) {
  const traffic = sources.traffic();
  const routes = sources.routes().length;
  return {
    connections: sources.connections().length,
    total_connections: traffic.totalConnections,
    routes,
    remotes: routes,
    leafnodes: 0,
    in_msgs: traffic.inMsgs,
    in_bytes: traffic.inBytes,
    in_client_msgs: traffic.inClientMsgs,
    in_client_bytes: traffic.inClientBytes,
    out_msgs: traffic.outMsgs,
    out_bytes: traffic.outBytes,
    out_client_msgs: traffic.outClientMsgs,
    out_client_bytes: traffic.outClientBytes,
    slow_consumers: traffic.slowConsumers,
    stale_connections: traffic.staleConnections,
    stalled_clients: traffic.stalledClients,
    subscriptions: sources.subscriptions().count,
    slow_consumer_stats: { clients: traffic.slowConsumers, routes: 0, gateways: 0, leafs: 0 },
    stale_connection_stats: { clients: traffic.staleConnections, routes: 0, gateways: 0, leafs: 0 },
  };
}
