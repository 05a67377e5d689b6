/** Owns a server that exists only as facts, with monitoring over real HTTP in front of it. */
import { silentLogger } from '../../src/base/logger.ts';
import { emptyOverrides, loadOptions } from '../../src/server/config/index.ts';
import { ServerMetrics } from '../../src/server/metrics.ts';
import {
  MonitoringEndpoints,
  MonitoringServer,
  type ConnectionFacts,
  type JetStreamFacts,
  type MonitoringSources,
  type Readiness,
  type StreamFacts,
} from '../../src/server/monitoring/index.ts';

export const START_US = Date.UTC(2026, 0, 2, 3, 4, 5) * 1000 + 120_000;
/** One day, three minutes and seven seconds later. */
export const NOW_US = START_US + (24 * 3600 + 187) * 1e6;

export function connection(cid: number, more: Partial<ConnectionFacts> = {}): ConnectionFacts {
  return {
    cid,
    ip: '127.0.0.1',
    port: 50_000 + cid,
    startUs: START_US,
    lastActivityUs: NOW_US - 4e6,
    rttUs: 148,
    pendingBytes: 0,
    inMsgs: cid,
    inBytes: 10 * cid,
    outMsgs: 0,
    outBytes: 0,
    stalls: 0,
    subscriptionCount: 1,
    subscriptions: () => [{ account: '$G', subject: `a.${cid}`, queue: 'q', sid: '1', msgs: 0, max: 0, cid }],
    name: '',
    lang: 'node',
    version: '3.0.0',
    account: '$G',
    user: '',
    closed: undefined,
    ...more,
  };
}

export function stream(name: string, more: Partial<StreamFacts> = {}): StreamFacts {
  return {
    account: '$G',
    name,
    groupName: `S-R3F-${name}`,
    storage: 'file',
    replicated: true,
    leads: true,
    messages: 5,
    bytes: 500,
    firstSeq: 1,
    lastSeq: 5,
    consumerCount: 1,
    info: () => ({
      created: '2026-01-01T00:00:00Z',
      config: { name, max_bytes: -1 },
      state: { messages: 5, bytes: 500 },
      cluster: { leader: 'n1' },
    }),
    consumers: () => [{ stream_name: name, name: 'C', config: { durable_name: 'C' }, num_pending: 2 }],
    ...more,
  };
}

export function jetStream(more: Partial<JetStreamFacts> = {}): JetStreamFacts {
  return {
    storeDir: '/data/jetstream',
    maxMemoryBytes: 100,
    maxFileBytes: 1000,
    usedMemoryBytes: 0,
    usedFileBytes: 1000,
    reservedMemoryBytes: 0,
    reservedFileBytes: 0,
    apiLevel: 5,
    apiTotal: 7,
    apiErrors: 1,
    apiInflight: 0,
    meta: {
      clusterName: 'c1',
      leader: 'n1',
      leaderPeer: 'peer0001',
      size: 3,
      pendingEntries: 0,
      replicas: [
        { name: 'n2', peer: 'peer0002', current: true, offline: false, activeUs: 100, lag: 0 },
        { name: 'n3', peer: 'peer0003', current: false, offline: true, activeUs: 5e6, lag: 9 },
      ],
    },
    streams: () => [stream('ORDERS'), stream('EVENTS', { leads: false, replicated: false })],
    ...more,
  };
}

export function readiness(more: Partial<Readiness> = {}): Readiness {
  return {
    missingListeners: [],
    jetStream: 'running',
    meta: 'current',
    assets: () => [
      { account: '$G', stream: 'ORDERS', problem: undefined, consumers: [{ name: 'C', problem: undefined }] },
    ],
    ...more,
  };
}

export function sources(more: Partial<MonitoringSources> = {}): MonitoringSources {
  const { options } = loadOptions({ file: undefined, flags: emptyOverrides(), env: {} });
  return {
    logger: silentLogger,
    identity: { serverId: 'N'.repeat(56), serverName: 'n1', version: '2.15.1', startedUs: START_US },
    options: () => options,
    configLoadedUs: () => START_US,
    nowUs: () => NOW_US,
    listeners: () => ({ clientPort: 4222, clusterPort: undefined, monitoringPort: 8222, connectUrls: [] }),
    traffic: () => ({
      inMsgs: 1,
      inBytes: 2,
      outMsgs: 3,
      outBytes: 4,
      inClientMsgs: 5,
      inClientBytes: 6,
      outClientMsgs: 7,
      outClientBytes: 8,
      totalConnections: 9,
      slowConsumers: 10,
      staleConnections: 11,
      stalledClients: 12,
    }),
    connections: () => [connection(3), connection(1), connection(2)],
    closedConnections: () => [],
    routes: () => [],
    subscriptions: () => ({
      count: 3,
      inserts: 4,
      removes: 1,
      matches: 8,
      cacheEntries: 2,
      cacheHits: 6,
      maxFanOut: 2,
      fanOut: 3,
    }),
    listSubscriptions: () => [
      { account: '$G', subject: 'a.*', queue: undefined, sid: '1', msgs: 5, max: 0, cid: 1 },
      { account: '$G', subject: 'a.>', queue: 'q', sid: '2', msgs: 0, max: 10, cid: 2 },
      { account: 'B', subject: 'a.b.c', queue: undefined, sid: '3', msgs: 0, max: 0, cid: 3 },
    ],
    accounts: () => [
      {
        name: '$G',
        isSystem: false,
        jetStream: true,
        connections: 3,
        totalConnections: 9,
        subscriptions: 3,
        sentMsgs: 1,
        sentBytes: 2,
        receivedMsgs: 3,
        receivedBytes: 4,
        slowConsumers: 0,
        updatedUs: START_US,
      },
    ],
    jetStream: () => jetStream(),
    raftGroups: () => [
      {
        account: '$SYS',
        name: '_meta_',
        ownPeer: 'peer0001',
        role: 'LEADER',
        learner: false,
        term: 2,
        leaderPeer: 'peer0001',
        committed: 10,
        applied: 10,
        lastIndex: 10,
        catchingUp: false,
        members: [
          { peer: 'peer0001', name: 'n1', lastReplicatedIndex: 10, lastSeenUs: undefined },
          { peer: 'peer0002', name: 'n2', lastReplicatedIndex: 9, lastSeenUs: NOW_US - 50_000 },
        ],
      },
    ],
    readiness: () => readiness(),
    ...more,
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

/** Serves `from` for the time of `body`, which gets a function that asks for a path. */
export async function withMonitoring(
  from: MonitoringSources,
  body: (get: (path: string, method?: string) => Promise<Reply>) => Promise<void>,
  basePath = '',
): Promise<void> {
  const metrics = new ServerMetrics();
  metrics.wrote(0.003, 4096);
  metrics.committed(20);
  metrics.leaderChanged();
  const server = new MonitoringServer(new MonitoringEndpoints(from, metrics), basePath, silentLogger);
  await server.listen({ host: '127.0.0.1', port: -1 });
  try {
    await body(async (path, method = 'GET') => {
      const url = `http://127.0.0.1:${server.port}${path}`;
      const response = await fetch(url, { method, redirect: 'manual' });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        json: () => JSON.parse(text) as Record<string, unknown>,
      };
    });
  } finally {
    await server.close();
    metrics.close();
  }
}
