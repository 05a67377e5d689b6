/** Owns what monitoring is told about this node: gathers it from the front end, the cluster and JetStream when asked. */
import { API_LEVEL } from '../base/api-level.ts';
import { formatRfc3339 } from '../base/rfc3339.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime } from '../base/runtime.ts';
import type { ClusterNode, StreamAssignment } from '../cluster/index.ts';
import { META_GROUP, type GroupStatus } from '../raft/index.ts';
import { consumerClusterJson, consumerInfoJson, dynamicMetadata, peerId, streamInfoJson } from './api/index.ts';
import type { ServerOptions, StorageBudget } from './config/index.ts';
import { GLOBAL_ACCOUNT } from './connection-auth.ts';
import type { ConnectionReport } from './connection-report.ts';
import type { FrontEnd } from './front-end.ts';
import type { JetStreamService } from './jetstream/jetstream-service.ts';
import type { LocalStream } from './jetstream/local-streams.ts';
import type {
  AssetReadiness,
  ConnectionFacts,
  JetStreamFacts,
  MetaFacts,
  MonitoringSources,
  RaftGroupFacts,
  Readiness,
  ReplicaFacts,
  RouteFacts,
  ServerIdentity,
  StreamFacts,
  SubscriptionFacts,
} from './monitoring/index.ts';

/** Heard of within this time, a replica that lags nothing is current. */
const CURRENT_WITHIN_MS = 10_000;
/** Entries a replica may be behind and still count as healthy: it is being written to. */
const HEALTHY_LAG = 10_000;

export interface NodeParts {
  readonly logger: Logger;
  readonly runtime: Runtime;
  readonly identity: ServerIdentity;
  readonly frontEnd: FrontEnd;
  readonly options: () => ServerOptions;
  readonly configLoadedUs: () => number;
  readonly monitoringPort: () => number;
  readonly listening: () => boolean;
  /** Undefined until it runs, or for good when JetStream is not configured. */
  readonly jetStream: () => RunningJetStream | undefined;
}

export interface RunningJetStream {
  readonly cluster: ClusterNode;
  readonly service: JetStreamService;
  readonly budget: StorageBudget;
  readonly clusterPort: number | undefined;
}

export function createMonitoringSources(parts: NodeParts): MonitoringSources {
  const { frontEnd, runtime } = parts;
  return {
    logger: parts.logger,
    identity: parts.identity,
    options: parts.options,
    configLoadedUs: parts.configLoadedUs,
    nowUs: () => runtime.wallUs(),
    listeners: () => ({
      clientPort: frontEnd.port,
      clusterPort: parts.jetStream()?.clusterPort,
      monitoringPort: parts.monitoringPort(),
      connectUrls: connectUrls(parts.jetStream()?.cluster, parts.options()),
    }),
    traffic: () => traffic(frontEnd),
    connections: () => Array.from(frontEnd.connections(), (connection) => openConnection(connection)),
    closedConnections: () => frontEnd.history.all().map((report) => connectionFacts(report, () => [])),
    routes: () => routes(parts),
    subscriptions: () => subscriptionTotals(frontEnd),
    listSubscriptions: () => listSubscriptions(frontEnd),
    accounts: () => accounts(parts),
    jetStream: () => jetStreamFacts(parts),
    raftGroups: () => raftGroups(parts),
    readiness: () => readiness(parts),
  };
}

/** `host:port` of every client listener of the cluster; empty while this server knows no other, or must not tell. */
export function connectUrls(cluster: ClusterNode | undefined, options: ServerOptions): readonly string[] {
  if (cluster?.clustered !== true || options.cluster?.noAdvertise === true) return [];
  const up = cluster.nodes().filter((info) => info.up);
  return up.length < 2 ? [] : up.flatMap(({ clientUrls }) => clientUrls);
}

function traffic(frontEnd: FrontEnd) {
  const { inMessages, inBytes, outMessages, outBytes } = frontEnd.traffic();
  const routed = { inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0 };
  for (const { statistics } of frontEnd.router.peers()) {
    routed.inMessages += statistics.inMessages;
    routed.inBytes += statistics.inBytes;
    routed.outMessages += statistics.outMessages;
    routed.outBytes += statistics.outBytes;
  }
  const { total, slowConsumers, staleConnections, stalledClients } = frontEnd.statistics;
  return {
    inMsgs: inMessages + routed.inMessages,
    inBytes: inBytes + routed.inBytes,
    outMsgs: outMessages + routed.outMessages,
    outBytes: outBytes + routed.outBytes,
    inClientMsgs: inMessages,
    inClientBytes: inBytes,
    outClientMsgs: outMessages,
    outClientBytes: outBytes,
    totalConnections: total,
    slowConsumers,
    staleConnections,
    stalledClients,
  };
}

type Connection = ReturnType<FrontEnd['connections']> extends Iterable<infer T> ? T : never;

function openConnection(connection: Connection): ConnectionFacts {
  return connectionFacts(connection.report(), () => connectionSubscriptions(connection));
}

function connectionSubscriptions(connection: Connection): SubscriptionFacts[] {
  const { account, connectionId } = connection.report();
  return connection.subscriptionReports().map(({ subject, queue, sid, delivered, max }) => ({
    account,
    subject,
    queue,
    sid,
    msgs: delivered,
    max,
    cid: connectionId,
  }));
}

function connectionFacts(report: ConnectionReport, subscriptions: () => readonly SubscriptionFacts[]): ConnectionFacts {
  return {
    cid: report.connectionId,
    ip: report.ip,
    port: report.port,
    startUs: report.startUs,
    lastActivityUs: report.lastActivityUs,
    rttUs: report.roundTripMs === undefined ? undefined : report.roundTripMs * 1000,
    pendingBytes: report.pendingBytes,
    inMsgs: report.inMessages,
    inBytes: report.inBytes,
    outMsgs: report.outMessages,
    outBytes: report.outBytes,
    stalls: report.stalls,
    subscriptionCount: report.subscriptionCount,
    subscriptions,
    name: report.name,
    lang: report.lang,
    version: report.version,
    account: report.account,
    user: report.user,
    closed: report.stopUs === undefined ? undefined : { atUs: report.stopUs, reason: report.reason ?? 'Client Closed' },
  };
}

function routes(parts: NodeParts): RouteFacts[] {
  const cluster = parts.jetStream()?.cluster;
  if (cluster === undefined) return [];
  const peers = new Map(Array.from(parts.frontEnd.router.peers(), (peer) => [peer.node, peer]));
  const nowUs = parts.runtime.wallUs();
  const others = cluster.nodes().filter(({ node, up }) => up && node !== cluster.node);
  return others.map(({ node, clusterUrl, lastContactMs }, i) => {
    const [ip, port] = splitAddress(clusterUrl);
    const statistics = peers.get(node)?.statistics;
    return {
      rid: i + 1,
      remoteId: node,
      remoteName: node,
      solicited: true,
      configured: parts.options().cluster?.routes.some((route) => route.port === port) ?? false,
      ip,
      port,
      startUs: parts.identity.startedUs,
      lastActivityUs: nowUs - (lastContactMs ?? 0) * 1000,
      rttUs: 0,
      pendingBytes: cluster.pendingTraffic(node),
      inMsgs: statistics?.inMessages ?? 0,
      inBytes: statistics?.inBytes ?? 0,
      outMsgs: statistics?.outMessages ?? 0,
      outBytes: statistics?.outBytes ?? 0,
      subscriptionCount: 0,
    };
  });
}

function splitAddress(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, Math.max(0, colon)), Number(address.slice(colon + 1)) || 0];
}

function subscriptionTotals(frontEnd: FrontEnd) {
  const sum = {
    count: 0,
    inserts: 0,
    removes: 0,
    matches: 0,
    cacheEntries: 0,
    cacheHits: 0,
    maxFanOut: 0,
    fanOut: 0,
  };
  for (const account of frontEnd.router.accounts()) {
    const { inserts, removes, matches, computed } = account.statistics;
    sum.inserts += inserts;
    sum.removes += removes;
    sum.matches += matches;
    sum.cacheHits += matches - computed;
    sum.count += account.subscriptions;
    sum.cacheEntries += account.cachedMatches;
    const fanOut = account.fanOut();
    sum.maxFanOut = Math.max(sum.maxFanOut, fanOut.most);
    sum.fanOut += fanOut.sum;
  }
  return sum;
}

function* listSubscriptions(frontEnd: FrontEnd): Iterable<SubscriptionFacts> {
  for (const connection of frontEnd.connections()) yield* connectionSubscriptions(connection);
}

function accounts(parts: NodeParts) {
  const { frontEnd, identity } = parts;
  const { accounts: configured, systemAccount } = parts.options().security;
  const running = parts.options().jetStream !== undefined;
  return configured.map(({ name, jetStream }) => {
    const { connections, inMessages, inBytes, outMessages, outBytes } = frontEnd.traffic(name);
    return {
      name,
      isSystem: name === systemAccount,
      jetStream: running && jetStream !== undefined,
      connections: [...frontEnd.connections()].filter(({ account }) => account === name).length,
      totalConnections: connections,
      subscriptions: frontEnd.router.account(name).subscriptions,
      sentMsgs: outMessages,
      sentBytes: outBytes,
      receivedMsgs: inMessages,
      receivedBytes: inBytes,
      slowConsumers: name === GLOBAL_ACCOUNT ? frontEnd.statistics.slowConsumers : 0,
      updatedUs: identity.startedUs,
    };
  });
}

function jetStreamFacts(parts: NodeParts): JetStreamFacts | undefined {
  const running = parts.jetStream();
  const configured = parts.options().jetStream;
  if (running === undefined || configured === undefined) return undefined;
  const { cluster, service, budget } = running;
  const usage = { memory: 0, file: 0, reservedMemory: 0, reservedFile: 0 };
  for (const { instance } of service.streams.all()) {
    const { storage, maxBytes } = instance.config;
    const { bytes } = instance.state();
    if (storage === 'memory') {
      usage.memory += bytes;
      usage.reservedMemory += Math.max(0, maxBytes);
    } else {
      usage.file += bytes;
      usage.reservedFile += Math.max(0, maxBytes);
    }
  }
  const { total, errors, inflight } = service.api.totals();
  return {
    storeDir: configured.storeDir,
    maxMemoryBytes: budget.maxMemoryBytes,
    maxFileBytes: budget.maxFileBytes,
    usedMemoryBytes: usage.memory,
    usedFileBytes: usage.file,
    reservedMemoryBytes: usage.reservedMemory,
    reservedFileBytes: usage.reservedFile,
    apiLevel: API_LEVEL,
    apiTotal: total,
    apiErrors: errors,
    apiInflight: inflight,
    meta: cluster.clustered ? metaFacts(cluster) : undefined,
    streams: () => Array.from(service.streams.all(), (local) => streamFacts(running, local)),
  };
}

function metaFacts(cluster: ClusterNode): MetaFacts | undefined {
  const status = cluster.metaStatus();
  if (status === undefined) return undefined;
  const others = [...status.voters, ...status.learners].filter((node) => node !== cluster.node);
  return {
    clusterName: cluster.clusterName,
    leader: status.leader,
    leaderPeer: status.leader && peerId(status.leader),
    size: status.voters.length + status.learners.length,
    pendingEntries: status.commitIndex - status.lastApplied,
    replicas: others.map((node) => replicaFacts(cluster, status, node)),
  };
}

function replicaFacts(cluster: ClusterNode, status: GroupStatus, node: string): ReplicaFacts {
  const peer = status.peers.find((candidate) => candidate.node === node);
  const up = cluster.nodes().some((info) => info.node === node && info.up);
  const heardMs = peer?.lastContactMs;
  return {
    name: node,
    peer: peerId(node),
    current: up && peer !== undefined && !peer.catchingUp && (heardMs ?? Infinity) < CURRENT_WITHIN_MS,
    offline: !up,
    activeUs: (heardMs ?? 0) * 1000,
    lag: peer?.lag ?? 0,
  };
}

function streamFacts({ service, cluster }: RunningJetStream, local: LocalStream): StreamFacts {
  const { assignment, instance, consumers, sourcing, leaderSinceUs } = local;
  const state = instance.state();
  return {
    account: assignment.account,
    name: assignment.name,
    groupName: assignment.groupName,
    storage: assignment.storage,
    replicated: assignment.members.length > 1,
    leads: instance.status.role === 'leader',
    messages: state.messages,
    bytes: state.bytes,
    firstSeq: state.firstSeq,
    lastSeq: state.lastSeq,
    consumerCount: consumers.consumerCount(),
    info: () => ({
      ...streamInfoJson(
        service.backend,
        assignment,
        { stream: instance, consumers, origins: () => sourcing.info(), leaderSinceUs },
        {},
      ),
      name: assignment.name,
      created: formatRfc3339(assignment.createdUs),
    }),
    consumers: () => consumerJson(service, cluster, assignment, local),
  };
}

function consumerJson(
  service: JetStreamService,
  cluster: ClusterNode,
  assignment: StreamAssignment,
  { instance, consumers, leaderSinceUs }: LocalStream,
) {
  const view = { status: instance.status, leaderSinceUs };
  const infos = consumers.names().flatMap((name) => consumers.info(name) ?? []);
  return infos.map((info) => ({
    ...consumerInfoJson(info, {
      stream: assignment.name,
      metadata: dynamicMetadata(info.config.metadata, service.backend.serverVersion),
      cluster: cluster.clustered
        ? consumerClusterJson({ backend: service.backend, assignment, view }, info)
        : undefined,
      nowUs: service.backend.runtime.wallUs(),
    }),
  }));
}

const RAFT_ROLES = {
  leader: 'LEADER',
  candidate: 'CANDIDATE',
  preCandidate: 'CANDIDATE',
  follower: 'FOLLOWER',
  learner: 'FOLLOWER',
} as const;

function raftGroups(parts: NodeParts): RaftGroupFacts[] {
  const running = parts.jetStream();
  if (running === undefined) return [];
  const { cluster } = running;
  return Array.from(cluster.host.groups(), ({ id, status }) => {
    const assignment = cluster.catalogue.streamOfGroup(id);
    return {
      account: assignment?.account ?? parts.options().security.systemAccount,
      name: id === META_GROUP ? '_meta_' : (assignment?.groupName ?? String(id)),
      ownPeer: peerId(cluster.node),
      role: RAFT_ROLES[status.role],
      learner: status.role === 'learner',
      term: status.term,
      leaderPeer: status.leader && peerId(status.leader),
      committed: status.commitIndex,
      applied: status.lastApplied,
      lastIndex: status.commitIndex,
      catchingUp: status.repairing,
      members: [...status.voters, ...status.learners].map((node) => {
        const peer = status.peers.find((candidate) => candidate.node === node);
        return {
          peer: peerId(node),
          name: node,
          lastReplicatedIndex: peer?.matchIndex ?? 0,
          lastSeenUs: peer?.lastContactMs === undefined ? undefined : peer.lastContactMs * 1000,
        };
      }),
    };
  });
}

function readiness(parts: NodeParts): Readiness {
  const running = parts.jetStream();
  const configured = parts.options().jetStream !== undefined;
  return {
    missingListeners: parts.listening() ? [] : ['server'],
    jetStream: !configured ? 'off' : running === undefined ? 'down' : 'running',
    meta: metaReadiness(running),
    assets: () => (running === undefined ? [] : assetReadiness(running)),
  };
}

function metaReadiness(running: RunningJetStream | undefined): Readiness['meta'] {
  if (running === undefined) return 'recovering';
  const { cluster } = running;
  if (!cluster.clustered) return 'standalone';
  const status = cluster.metaStatus();
  if (status === undefined) return 'recovering';
  if (status.leader === undefined) return 'leaderless';
  return status.repairing || status.commitIndex - status.lastApplied > HEALTHY_LAG ? 'behind' : 'current';
}

function assetReadiness({ cluster, service }: RunningJetStream): AssetReadiness[] {
  const assets: AssetReadiness[] = [];
  for (const account of cluster.catalogue.accounts()) {
    for (const assignment of cluster.catalogue.streams(account)) {
      if (!assignment.members.includes(cluster.node)) continue;
      const local = service.streams.get(assignment.group);
      assets.push({
        account,
        stream: assignment.name,
        problem: streamProblem(local),
        consumers: local?.consumers.names().map((name) => ({ name, problem: undefined })) ?? [],
      });
    }
  }
  return assets;
}

function streamProblem(local: LocalStream | undefined): string | undefined {
  if (local === undefined) return 'still recovering';
  const { status } = local.instance;
  if (status.repairing) return 'replica is being repaired';
  if (status.leader === undefined) return 'no leader';
  const behind = status.commitIndex - status.lastApplied;
  return behind > HEALTHY_LAG ? `${behind} entries behind` : undefined;
}
