/** Owns the contract between the API and the node that it runs on. The API knows streams; where they live, the node knows. */
import type { NodeId, TimestampUs } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';
import type {
  Catalogue,
  CatalogueChange,
  CatalogueResult,
  NodeInfo,
  PlacementResult,
  PlacementWish,
  StreamAssignment,
} from '../../cluster/index.ts';
import type { ConsumerSet } from '../../consumer/index.ts';
import type { GroupId, LogIndex } from '../../raft/index.ts';
import type { OriginInfo } from '../../sourcing/index.ts';
import type { StreamInstance } from '../../stream/index.ts';
import type { AccountJetStreamOptions } from '../config/index.ts';

/** One API call, as its sender or another node of the cluster handed it over. */
export interface ApiRequest {
  readonly account: string;
  readonly subject: string;
  readonly headers: Buffer;
  readonly body: Buffer;
  /** Another node's API has already found that it is ours to answer: it is not passed on again. */
  readonly forwarded?: boolean;
  /** What the sender was told already: of this entry the answer of a replica should know. */
  readonly notBefore?: LogIndex;
}

/** How far a stream's log was applied where a call was answered. */
export interface StreamProgress {
  readonly group: GroupId;
  readonly appliedIndex: LogIndex;
}

export type ApiResponse =
  | {
      readonly kind: 'json';
      readonly body: Buffer;
      /** Header block; most answers have none. */
      readonly headers?: Buffer | undefined;
      /** What a stream's leader said, it said knowing this. */
      readonly progress?: StreamProgress | undefined;
    }
  /** Stored messages and status lines in runs (base/reply-run.ts), each a message of its own to the reply subject. */
  | { readonly kind: 'messages'; readonly runs: readonly Buffer[] }
  /** The request gets no answer at all. */
  | { readonly kind: 'none' }
  | { readonly kind: 'noResponders' }
  /** Certainly not carried out, for want of a leader: to be asked again, and in the end answered with `Api.unavailable`. */
  | { readonly kind: 'leaderless' };

export type JsonResponse = Extract<ApiResponse, { readonly kind: 'json' }>;

/** A replica on this node, with its consumers. */
export interface LocalStream {
  readonly stream: StreamInstance;
  readonly consumers: ConsumerSet;
  /** What feeds the stream, on its leader; empty elsewhere. */
  readonly origins: () => readonly OriginInfo[];
  /** Since when this node knows the leader that it knows; undefined: it knows none. */
  readonly leaderSinceUs: TimestampUs | undefined;
}

/** As it was configured. */
export type AccountLimits = AccountJetStreamOptions;

/** What the server allows, whatever the account; 0 is unlimited. */
export interface ServerLimits {
  readonly maxDuplicateWindowMs: number;
  readonly maxAckPending: number;
  readonly maxRequestBatch: number;
}

/** Summed over all replicas in the cluster; may lag by seconds. */
export interface AccountUsage {
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly consumers: number;
}

/** As advisories name it. */
export type StreamAction = 'create' | 'modify' | 'delete';

export interface SnapshotRequest {
  readonly deliverSubject: string;
  readonly withConsumers: boolean;
  readonly chunkBytes: number;
  /** Sent and not acknowledged at any time. */
  readonly windowBytes: number;
}

export interface RestoreRequest {
  /** All is loaded: shows the stream. Resolves with the answer to its sender, or with undefined if it can't be shown. */
  complete(): Promise<Buffer | undefined>;
  /** The answer that says what was wrong. */
  refuse(problem: string): Buffer;
}

export interface ApiBackend {
  readonly runtime: Runtime;
  readonly node: NodeId;
  readonly clusterName: string;
  /** False for a standalone server: its answers leave out what only clusters show. */
  readonly clustered: boolean;
  readonly serverVersion: string;
  /** Empty if none is configured. */
  readonly domain: string;
  readonly systemAccount: string;
  /** Members of requests that nobody knows are a flaw. */
  readonly strict: boolean;
  readonly serverLimits: ServerLimits;
  readonly catalogue: Catalogue;
  /** Undefined: the account has no JetStream. */
  accountLimits(account: string): AccountLimits | undefined;
  accountUsage(account: string): Promise<AccountUsage>;
  /** Known to the cluster and connected right now. */
  isUp(node: NodeId): boolean;
  /** All known nodes, this one included. */
  nodes(): readonly Pick<NodeInfo, 'node' | 'up' | 'tags' | 'lastContactMs'>[];
  /** See `ClusterNode.place`. */
  place(wish: PlacementWish): PlacementResult;
  /** See `ClusterNode.removeNode`; tells the operator. @throws {NotLeaderError} */
  removeNode(node: NodeId): Promise<boolean>;

  /** See `ClusterNode.change`. @throws {NotLeaderError} */
  change(change: CatalogueChange): Promise<CatalogueResult>;
  /** See `ClusterNode.catalogueBarrier`. @throws {NotLeaderError} */
  catalogueBarrier(): Promise<void>;
  metaLeader(): NodeId | undefined;
  transferMetaLeadership(to?: NodeId): Promise<boolean>;

  /** Sends an archive of the stream, which is led here, to whoever listens. What becomes of it, the receiver learns. */
  sendArchive(stream: LocalStream & { readonly account: string }, request: SnapshotRequest): void;
  /**
   * Waits for an archive to be loaded into the stream, which has its `restoring` mark, and deletes it if that fails. Meta
   * leader only. Returns the subject that takes the chunks.
   */
  receiveArchive(assignment: StreamAssignment, restore: RestoreRequest): string;

  /** Tells whoever listens that a stream was created, changed or deleted. */
  announce(account: string, stream: string, action: StreamAction): void;

  /** Undefined as well for a replica that was not brought up to date yet. */
  localStream(account: string, name: string): LocalStream | undefined;
  /** The replica here that answers direct gets of the stream: its own or else a mirror's; undefined: none does. */
  directGetReplica(account: string, name: string): StreamInstance | undefined;
  /** Waits until a replica of the stream that is here has that entry of its log. False: it has not in time. */
  caughtUp(account: string, name: string, index: LogIndex): Promise<boolean>;
  /** Of the stream's log, as clients of this node were told; 0: they were told nothing. */
  toldProgress(assignment: StreamAssignment): LogIndex;
  /** Those that may answer direct gets in the stream's place, wherever they are. */
  directMirrorsOf(account: string, name: string): readonly StreamAssignment[];
  /** As this node knows it. */
  leaderOf(assignment: StreamAssignment): NodeId | undefined;
  /**
   * Hands the request to the API of the node that leads the stream, this one included, and resolves with its JSON answer.
   * Waits until there is a leader that is ready and has applied `assignment.revision`. Undefined: none in time, or no
   * answer. Sets `forwarded`.
   */
  askStreamLeader(
    assignment: StreamAssignment,
    request: ApiRequest,
    timeoutMs: number,
  ): Promise<JsonResponse | undefined>;
}
