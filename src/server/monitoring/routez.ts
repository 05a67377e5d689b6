/** Owns `/routez`: the links to the cluster's other servers, one per peer. */
import { formatRtt, formatTime, formatUptime } from './format.ts';
import type { Query } from './query.ts';
import type { MonitoringSources, RouteFacts } from './sources.ts';

/** @throws {BadParameter} */
export function routez(sources: MonitoringSources, query: Query) {
  query.detail('subs');
  const nowUs = sources.nowUs();
  const routes = sources.routes().toSorted((a, b) => a.rid - b.rid);
  return {
    server_id: sources.identity.serverId,
    server_name: sources.identity.serverName,
    now: formatTime(nowUs),
    num_routes: routes.length,
    routes: routes.map((route) => describe(route, nowUs)),
  };
}

function describe(route: RouteFacts, nowUs: number) {
  return {
    rid: route.rid,
    remote_id: route.remoteId,
    remote_name: route.remoteName,
    did_solicit: route.solicited,
    is_configured: route.configured,
    ip: route.ip,
    port: route.port,
    start: formatTime(route.startUs),
    last_activity: formatTime(route.lastActivityUs),
    rtt: formatRtt(route.rttUs),
    uptime: formatUptime(nowUs - route.startUs),
    idle: formatUptime(nowUs - route.lastActivityUs),
    pending_size: route.pendingBytes,
    in_msgs: route.inMsgs,
    out_msgs: route.outMsgs,
    in_bytes: route.inBytes,
    out_bytes: route.outBytes,
    subscriptions: route.subscriptionCount,
    compression: 'off',
  };
}
