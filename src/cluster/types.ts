/**
 * Owns what the cluster's users share with it: nodes, the catalogue of streams, and the links between nodes.
 * Cluster knows no stream: configurations are opaque JSON here, and state machines come from whoever hosts them.
 */
import type { NodeId, TimestampUs } from '../base/brand.ts';
import type { GroupId, GroupStatus, RaftHost } from '../raft/index.ts';

export type JsonObject = { readonly [key: string]: unknown };

export interface NodeInfo {
  readonly node: NodeId;
  /** `host:port` lists told to clients and peers. */
  readonly clientUrls: readonly string[];
  readonly clusterUrl: string;
  readonly version: string;
  readonly jetstream: boolean;
  /** What placement may ask for. */
  readonly tags: readonly string[];
  /** Both directions of every link work right now. The node itself is always up. */
  readonly up: boolean;
  readonly lastContactMs: number | undefined;
}

/** The stream's group is on its way to other members: it is settled when the group has committed exactly those. */
export interface Reconfiguration {
  readonly startedUs: TimestampUs;
  /** How the stream was when it was last settled: what cancelling goes back to. */
  readonly origin: { readonly members: readonly NodeId[]; readonly config: JsonObject };
  /** Everybody who may hold a replica until then, sorted. */
  readonly holders: readonly NodeId[];
}

/** Where a stream lives. The meta group decides; every node holds a copy. */
export interface StreamAssignment {
  readonly account: string;
  readonly name: string;
  readonly group: GroupId;
  /** `S-R3F-skjyhe78`. */
  readonly groupName: string;
  readonly storage: 'file' | 'memory';
  /** Those that the group has, or, during a reconfiguration, is to have. */
  readonly members: readonly NodeId[];
  readonly reconfiguration?: Reconfiguration | undefined;
  /** Counts changes of `members`: with 0 they are the ones that the group was created with. */
  readonly generation: number;
  readonly firstLeader: NodeId;
  /** The stream's configuration after defaults, as plain data. */
  readonly config: JsonObject;
  /** The one that the group's log begins with, on every replica; absent: it is still in force. */
  readonly firstConfig?: JsonObject | undefined;
  /** Goes up with each change of `config` or `members`. */
  readonly revision: number;
  readonly createdUs: TimestampUs;
}

/** Read view of the catalogue as applied on this node. Lookups are cheap enough for every API request. */
export interface Catalogue {
  stream(account: string, name: string): StreamAssignment | undefined;
  streamOfGroup(group: GroupId): StreamAssignment | undefined;
  /** Sorted by name. */
  streams(account: string): readonly StreamAssignment[];
  accounts(): readonly string[];
  /** Nodes that were ever admitted and not removed. */
  nodes(): readonly NodeId[];
  /** Removed, and not admitted again since. */
  wasRemoved(node: NodeId): boolean;
}

/** Told in the order in which changes were applied. `previous` undefined: created; `current` undefined: deleted. */
export type CatalogueListener = (change: {
  readonly previous: StreamAssignment | undefined;
  readonly current: StreamAssignment | undefined;
}) => void;

export type CatalogueChange =
  | {
      readonly kind: 'createStream';
      readonly account: string;
      readonly name: string;
      readonly config: JsonObject;
      readonly storage: 'file' | 'memory';
      readonly replicas: number;
      readonly maxBytes?: number;
      readonly placement?: PlacementWish['placement'];
      /** Refused unless the catalogue is still as the proposer saw it: streams whose existence would conflict. */
      readonly conflictsWith: (existing: StreamAssignment) => boolean;
    }
  | {
      readonly kind: 'updateStream';
      readonly account: string;
      readonly name: string;
      readonly config: JsonObject;
      /** Absent: they stay as they are. */
      readonly members?: readonly NodeId[];
      readonly expectedRevision: number;
    }
  /** The stream's group has exactly the members of that generation, committed. */
  | { readonly kind: 'settleStream'; readonly account: string; readonly name: string; readonly generation: number }
  | { readonly kind: 'deleteStream'; readonly account: string; readonly name: string };

export type CatalogueResult =
  | { readonly kind: 'applied'; readonly assignment: StreamAssignment }
  | { readonly kind: 'notFound' }
  | { readonly kind: 'conflict'; readonly existing: StreamAssignment }
  | { readonly kind: 'noPeers'; readonly reason: string };

/** What a stream asks of the nodes that hold it. */
export interface PlacementWish {
  readonly replicas: number;
  readonly storage: 'file' | 'memory';
  /** What it may grow to; 0 or less: no limit is set. */
  readonly maxBytes: number;
  readonly placement?: { readonly cluster: string; readonly tags: readonly string[] } | undefined;
  /** Nodes that hold it, and keep it if they fit: with fewer replicas the first of them. */
  readonly keep?: readonly NodeId[];
  /** Nodes that must not hold it. */
  readonly without?: readonly NodeId[];
}

export type PlacementResult =
  | { readonly kind: 'placed'; readonly members: readonly NodeId[] }
  | { readonly kind: 'noPeers'; readonly reason: string };

/** What is carried between front ends over the traffic link. One number per kind, so that a frame costs no lookup. */
export const TRAFFIC = {
  routedMessages: 1,
  submissions: 2,
  submissionOutcomes: 3,
  acks: 4,
  /** The same, from a node that led the stream when they came there. */
  relayedAcks: 5,
} as const;
export type TrafficKind = (typeof TRAFFIC)[keyof typeof TRAFFIC];

export type RequestHandler = (from: NodeId, body: Buffer) => Promise<Buffer>;

/** One node of a cluster; standalone is a cluster of one. */
export interface ClusterNode {
  readonly node: NodeId;
  readonly clusterName: string;
  /** False for a standalone server: API answers then leave out what only clusters show. */
  readonly clustered: boolean;
  readonly host: RaftHost;
  readonly catalogue: Catalogue;

  /**
   * Accepts and looks for other nodes, and takes part in the meta group as soon as there is one. Listeners and services
   * are to be registered before. Resolves when it listens; standalone: when the meta group is ready.
   */
  start(): Promise<void>;

  /** All known nodes, this one included. */
  nodes(): readonly NodeInfo[];
  /** What other nodes tell their clients about this one. */
  setClientUrls(urls: readonly string[]): void;

  /** Of the meta group, as this node sees it. `undefined` until the cluster was formed. */
  metaStatus(): GroupStatus | undefined;
  /** Leader of any group, also of those this node is not a member of (nodes tell each other). */
  leaderOf(group: GroupId): NodeId | undefined;

  /**
   * Changes the catalogue. Meta leader only; resolves when applied here. Placement, group ids and creation times are
   * decided here by the leader and travel in the entry. @throws {NotLeaderError}
   */
  change(change: CatalogueChange): Promise<CatalogueResult>;
  onCatalogueChange(listener: CatalogueListener): void;
  /** Which nodes would hold such a stream, as this node sees them now. Changes nothing. */
  place(wish: PlacementWish): PlacementResult;
  /**
   * Takes a node out of the catalogue and out of the meta group's voters; false if it was not there. Streams keep it as a
   * member until `updateStream` replaces it. As long as it is connected it still hears of the catalogue; when it starts
   * anew it is taken in again. Meta leader only. @throws {NotLeaderError}
   */
  removeNode(node: NodeId): Promise<boolean>;
  /** Resolves when reads of the catalogue here are linearizable; meta leader only. @throws {NotLeaderError} */
  catalogueBarrier(): Promise<void>;
  /**
   * Resolves once the catalogue here is no older than it was when this process began: only then a group that is not
   * stored here is known not to have left this node in an earlier life. Waits for a meta leader as long as it takes.
   */
  catalogueIsCurrent(): Promise<void>;
  /** What streams may still store on this node. */
  setAvailable(available: { readonly fileBytes: number; readonly memoryBytes: number }): void;

  /** To be called with every status of a group that this node is a member of (the meta group's it sees itself). */
  groupStatusChanged(group: GroupId, status: GroupStatus): void;
  /** The group has left this node. */
  groupClosed(group: GroupId): void;

  /** Called when the known leader of any group changed, and when a node came or went. */
  onLeaderChange(listener: (group: GroupId, leader: NodeId | undefined) => void): void;
  onNodesChange(listener: () => void): void;

  /**
   * Tells all nodes how many local subscribers there are; 0 withdraws. `queue` undefined: plain ones. It is known there
   * before anything sent, asked or answered after this call arrives, also on a node that (re)connects.
   */
  setInterest(interest: Interest): void;
  onInterest(listener: (node: NodeId, interest: Interest) => void): void;
  /** Every interest of that node is void, if it had any: its link broke or it left. May be called again for the same break. */
  onInterestLost(listener: (node: NodeId) => void): void;
  /** Called before anything is sent: whoever gathers interest is to tell it now, as what is sent may rely on it. */
  onInterestDue(listener: () => void): void;

  /**
   * Sends a frame on the traffic link: in order, not acknowledged, lost if the link breaks. False when the node is away.
   * Frames sent in one turn leave together. The frame is not copied: don't reuse it.
   */
  send(to: NodeId, kind: TrafficKind, frame: Buffer): boolean;
  onTraffic(kind: TrafficKind, listener: (from: NodeId, frame: Buffer) => void): void;
  /** Whether the link to that node works right now; to this one it always does. */
  isUp(node: NodeId): boolean;
  /** Bytes waiting to leave for `to` on the traffic link. */
  pendingTraffic(to: NodeId): number;

  /** Request and answer on the traffic link. Rejects with NotLeaderError('...', false) if the link breaks or time is up. */
  request(to: NodeId, service: string, body: Buffer, timeoutMs: number): Promise<Buffer>;
  serve(service: string, handler: RequestHandler): void;

  /** Leaves cleanly: leaderships are transferred first. */
  stop(): Promise<void>;
}

export interface Interest {
  readonly account: string;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly members: number;
}
