/**
 * Owns what monitoring needs to know about the rest of the server. The composition root gathers it; everything here is
 * read on request, so a server that nobody looks at pays nothing.
 */
import type { ServerOptions } from '../config/index.ts';
import type { Logger } from '../../base/logger.ts';

/** Data in the JSON form of the protocol, to be shown as it is. */
export type WireObject = Readonly<Record<string, unknown>>;

export interface MonitoringSources {
  readonly logger: Logger;
  readonly identity: ServerIdentity;
  /** Those in force, reloads included. */
  options(): ServerOptions;
  /** When the options in force were loaded; microseconds since 1970, as all times here. */
  configLoadedUs(): number;
  nowUs(): number;
  /** What the listeners are bound to. */
  listeners(): Listeners;
  traffic(): TrafficTotals;
  /** Open client connections, in any order. */
  connections(): readonly ConnectionFacts[];
  /** The latest closed ones, as many as the server remembers. */
  closedConnections(): readonly ConnectionFacts[];
  /** One per peer that this server is connected to. */
  routes(): readonly RouteFacts[];
  subscriptions(): SubscriptionTotals;
  /** Every subscription of this server's clients. May be long: taken only when asked for. */
  listSubscriptions(): Iterable<SubscriptionFacts>;
  accounts(): readonly AccountFacts[];
  /** Undefined: not configured. */
  jetStream(): JetStreamFacts | undefined;
  raftGroups(): readonly RaftGroupFacts[];
  readiness(): Readiness;
}

export interface ServerIdentity {
  readonly serverId: string;
  readonly serverName: string;
  /** The reference version that clients and tools go by. */
  readonly version: string;
  readonly startedUs: number;
}

export interface Listeners {
  readonly clientPort: number;
  readonly clusterPort: number | undefined;
  readonly monitoringPort: number;
  /** `host:port` of every client listener in the cluster, once there are several. */
  readonly connectUrls: readonly string[];
}

/** Messages and bytes (payload and headers) from and to clients, and from and to everybody. */
export interface TrafficTotals {
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  readonly inClientMsgs: number;
  readonly inClientBytes: number;
  readonly outClientMsgs: number;
  readonly outClientBytes: number;
  /** Connections ever accepted. */
  readonly totalConnections: number;
  readonly slowConsumers: number;
  readonly staleConnections: number;
  readonly stalledClients: number;
}

export interface ConnectionFacts {
  readonly cid: number;
  readonly ip: string;
  readonly port: number;
  readonly startUs: number;
  readonly lastActivityUs: number;
  /** Undefined until the first ping was answered. */
  readonly rttUs: number | undefined;
  readonly pendingBytes: number;
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  readonly stalls: number;
  readonly subscriptionCount: number;
  /** Called only when the list is asked for. */
  readonly subscriptions: () => readonly SubscriptionFacts[];
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly account: string;
  readonly user: string;
  /** Of closed connections. */
  readonly closed: { readonly atUs: number; readonly reason: string } | undefined;
}

export interface RouteFacts {
  readonly rid: number;
  readonly remoteId: string;
  readonly remoteName: string;
  /** This server connected, not the other one. */
  readonly solicited: boolean;
  /** It is among the configured routes. */
  readonly configured: boolean;
  readonly ip: string;
  readonly port: number;
  readonly startUs: number;
  readonly lastActivityUs: number;
  readonly rttUs: number;
  readonly pendingBytes: number;
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
  /** Subjects that the peer is interested in. */
  readonly subscriptionCount: number;
}

export interface SubscriptionTotals {
  readonly count: number;
  readonly inserts: number;
  readonly removes: number;
  readonly matches: number;
  readonly cacheEntries: number;
  readonly cacheHits: number;
  /** Receivers of the cached matches: the most of one, and of all together. */
  readonly maxFanOut: number;
  readonly fanOut: number;
}

export interface SubscriptionFacts {
  readonly account: string;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly sid: string;
  readonly msgs: number;
  /** 0: no limit. */
  readonly max: number;
  readonly cid: number;
}

export interface AccountFacts {
  readonly name: string;
  readonly isSystem: boolean;
  readonly jetStream: boolean;
  readonly connections: number;
  readonly totalConnections: number;
  readonly subscriptions: number;
  readonly sentMsgs: number;
  readonly sentBytes: number;
  readonly receivedMsgs: number;
  readonly receivedBytes: number;
  readonly slowConsumers: number;
  /** When its configuration came into force. */
  readonly updatedUs: number;
}

export interface JetStreamFacts {
  readonly storeDir: string;
  readonly maxMemoryBytes: number;
  readonly maxFileBytes: number;
  readonly usedMemoryBytes: number;
  readonly usedFileBytes: number;
  /** Sums of the streams' `max_bytes`. */
  readonly reservedMemoryBytes: number;
  readonly reservedFileBytes: number;
  readonly apiLevel: number;
  readonly apiTotal: number;
  readonly apiErrors: number;
  readonly apiInflight: number;
  /** Undefined: standalone. */
  readonly meta: MetaFacts | undefined;
  /** Streams with a replica on this server, in any order. */
  streams(): readonly StreamFacts[];
}

export interface MetaFacts {
  readonly clusterName: string;
  /** Name of the leading server. */
  readonly leader: string | undefined;
  readonly leaderPeer: string | undefined;
  readonly size: number;
  readonly pendingEntries: number;
  /** All peers but this server. */
  readonly replicas: readonly ReplicaFacts[];
}

export interface ReplicaFacts {
  readonly name: string;
  readonly peer: string;
  readonly current: boolean;
  readonly offline: boolean;
  /** Since it was last heard of; 0: never. */
  readonly activeUs: number;
  /** Entries it is behind. */
  readonly lag: number;
}

export interface StreamFacts {
  readonly account: string;
  readonly name: string;
  readonly groupName: string;
  readonly storage: 'file' | 'memory';
  readonly replicated: boolean;
  /** This server leads it. */
  readonly leads: boolean;
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly consumerCount: number;
  /** `{ created, config, state, cluster, mirror?, sources? }` as `STREAM.INFO` has them. */
  info(): WireObject;
  /** As `CONSUMER.INFO` has them, and the names of those whose data this replica has. */
  consumers(): readonly WireObject[];
}

export interface RaftGroupFacts {
  /** The account that owns what the group replicates; the system account for `_meta_`. */
  readonly account: string;
  readonly name: string;
  readonly ownPeer: string;
  readonly role: 'LEADER' | 'FOLLOWER' | 'CANDIDATE';
  readonly learner: boolean;
  readonly term: number;
  readonly leaderPeer: string | undefined;
  readonly committed: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly catchingUp: boolean;
  readonly members: readonly RaftPeerFacts[];
}

export interface RaftPeerFacts {
  readonly peer: string;
  readonly name: string;
  readonly lastReplicatedIndex: number;
  /** Undefined: never. */
  readonly lastSeenUs: number | undefined;
}

/** What probes ask for. */
export interface Readiness {
  /** Listeners that are not up (any more): `server`, `route`. Empty: all are. */
  readonly missingListeners: readonly string[];
  /** `down`: configured, but it does not run. */
  readonly jetStream: 'off' | 'down' | 'running';
  /** Of a cluster: whether this server knows its catalogue to be up to date. */
  readonly meta: 'standalone' | 'recovering' | 'leaderless' | 'behind' | 'current';
  /** Everything assigned to this server. */
  assets(): readonly AssetReadiness[];
}

export interface AssetReadiness {
  readonly account: string;
  readonly stream: string;
  /** Why it is not current; undefined: it is. */
  readonly problem: string | undefined;
  readonly consumers: readonly { readonly name: string; readonly problem: string | undefined }[];
}
