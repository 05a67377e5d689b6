/** Owns what this node offers to the API: api/'s ApiBackend over the cluster and the streams that live here. */
import type { NodeId } from '../../base/brand.ts';
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import type {
  Catalogue,
  CatalogueChange,
  CatalogueResult,
  ClusterNode,
  NodeInfo,
  PlacementResult,
  PlacementWish,
  StreamAssignment,
} from '../../cluster/index.ts';
import { META_GROUP, type GroupId, type LogIndex } from '../../raft/index.ts';
import type { StreamInstance } from '../../stream/index.ts';
import type {
  AccountLimits,
  AccountUsage,
  Api,
  ApiBackend,
  ApiRequest,
  JsonResponse,
  LocalStream,
  RestoreRequest,
  ServerLimits,
  SnapshotRequest,
  StreamAction,
} from '../api/index.ts';
import type { Router } from '../router-types.ts';
import type { Advisories } from './advisories.ts';
import { decodeApiRequest, decodeApiResponse, encodeApiRequest, encodeApiResponse } from './api-frames.ts';
import { ArchiveService } from './archives/archive-service.ts';
import type { DirectGetSource } from './direct-get-gateway.ts';
import { DirectMirrors } from './direct-mirrors.ts';
import type { LocalStreams } from './local-streams.ts';
import type { ToldProgress } from './told-progress.ts';
import { VisibleCatalogue } from './visible-catalogue.ts';

/** Name of the request between nodes. */
export const API_SERVICE = 'api';
const USAGE_SERVICE = 'usage';
const USAGE_TIMEOUT_MS = 2_000;
/** How soon a stream's leader is looked for again when there was none, or when it could not answer. */
const RETRY_MS = 20;
/** How long a node waits for a stream to become ready before it says that it can't answer. */
const READY_PATIENCE_MS = 1_000;
/** How long a read waits for a replica that is behind: an election with room to spare, and less than clients wait. */
const CATCH_UP_PATIENCE_MS = 4_000;

export interface NodeBackendOptions {
  readonly cluster: ClusterNode;
  readonly streams: LocalStreams;
  readonly advisories: Advisories;
  readonly told: ToldProgress;
  readonly runtime: Runtime;
  readonly router: Router;
  readonly logger: Logger;
  readonly serverVersion: string;
  readonly domain: string;
  readonly systemAccount: string;
  readonly accounts: ReadonlyMap<string, AccountLimits | undefined>;
  /** See `ApiBackend.strict`. */
  readonly strict: boolean;
  readonly serverLimits: ServerLimits;
}

export class NodeBackend implements ApiBackend, DirectGetSource {
  readonly runtime: Runtime;
  readonly serverVersion: string;
  readonly domain: string;
  readonly systemAccount: string;
  readonly strict: boolean;
  readonly serverLimits: ServerLimits;
  readonly catalogue: Catalogue;
  readonly #archives: ArchiveService;
  readonly #mirrors: DirectMirrors;
  readonly #accounts: ReadonlyMap<string, AccountLimits | undefined>;
  readonly #cluster: ClusterNode;
  readonly #streams: LocalStreams;
  readonly #advisories: Advisories;
  readonly #told: ToldProgress;
  #api: Api | undefined;

  constructor(options: NodeBackendOptions) {
    this.runtime = options.runtime;
    this.serverVersion = options.serverVersion;
    this.domain = options.domain;
    this.systemAccount = options.systemAccount;
    this.#accounts = options.accounts;
    this.strict = options.strict;
    this.serverLimits = options.serverLimits;
    this.#cluster = options.cluster;
    this.#streams = options.streams;
    this.#advisories = options.advisories;
    this.#told = options.told;
    this.catalogue = new VisibleCatalogue(options.cluster.catalogue);
    this.#mirrors = new DirectMirrors({ ...options, catalogue: this.catalogue });
    this.#archives = new ArchiveService({ ...options, backend: this });
  }

  /** From here on other nodes get answers from `api`, which was built on this backend. */
  serve(api: Api): void {
    this.#api = api;
    this.#cluster.serve(API_SERVICE, (_from, body) => this.#answerPeer(api, body));
    this.#cluster.serve(USAGE_SERVICE, (_from, body) =>
      Promise.resolve(Buffer.from(JSON.stringify(this.localUsage(body.toString())))),
    );
  }

  /** To be called when the cluster has started. */
  start(): void {
    this.#mirrors.start();
    this.#cluster.onCatalogueChange(({ previous, current }) => {
      if (previous !== undefined && previous.group !== current?.group) this.#told.forget(previous.group);
    });
    this.#archives.start();
  }

  get node(): NodeId {
    return this.#cluster.node;
  }

  get clusterName(): string {
    return this.#cluster.clusterName;
  }

  get clustered(): boolean {
    return this.#cluster.clustered;
  }

  sendArchive(stream: LocalStream & { readonly account: string }, request: SnapshotRequest): void {
    this.#archives.send(stream, request);
  }

  receiveArchive(assignment: StreamAssignment, restore: RestoreRequest): string {
    return this.#archives.receive(assignment, restore);
  }

  accountLimits(account: string): AccountLimits | undefined {
    return this.#accounts.get(account);
  }

  async accountUsage(account: string): Promise<AccountUsage> {
    const others = this.#cluster.nodes().filter(({ node, up }) => up && node !== this.node);
    const answers = others.map(({ node }) =>
      this.#cluster.request(node, USAGE_SERVICE, Buffer.from(account), USAGE_TIMEOUT_MS),
    );
    const total = { ...this.localUsage(account) };
    for (const answer of await Promise.allSettled(answers)) {
      if (answer.status === 'rejected') continue;
      const usage = JSON.parse(answer.value.toString()) as AccountUsage;
      total.memoryBytes += usage.memoryBytes;
      total.storageBytes += usage.storageBytes;
      total.consumers += usage.consumers;
    }
    return total;
  }

  isUp(node: NodeId): boolean {
    return this.#cluster.nodes().some((info) => info.node === node && info.up);
  }

  nodes(): readonly NodeInfo[] {
    return this.#cluster.nodes();
  }

  place(wish: PlacementWish): PlacementResult {
    return this.#cluster.place(wish);
  }

  async removeNode(node: NodeId): Promise<boolean> {
    const done = await this.#cluster.removeNode(node);
    if (done) this.#advisories.serverRemoved(node);
    return done;
  }

  change(change: CatalogueChange): Promise<CatalogueResult> {
    return this.#cluster.change(change);
  }

  catalogueBarrier(): Promise<void> {
    return this.#cluster.catalogueBarrier();
  }

  metaLeader(): NodeId | undefined {
    return this.#cluster.metaStatus()?.leader;
  }

  transferMetaLeadership(to?: NodeId): Promise<boolean> {
    return this.#cluster.host.group(META_GROUP)?.transferLeadership(to) ?? Promise.resolve(false);
  }

  announce(account: string, stream: string, action: StreamAction): void {
    this.#advisories.streamAction(account, stream, action);
  }

  localStream(account: string, name: string): LocalStream | undefined {
    const local = this.#streams.find(account, name);
    if (local === undefined || !this.#streams.isReadable(local.assignment.group)) return undefined;
    const { instance, consumers, sourcing, leaderSinceUs } = local;
    return { stream: instance, consumers, origins: () => sourcing.info(), leaderSinceUs };
  }

  directGetReplica(account: string, name: string): StreamInstance | undefined {
    const own = this.localStream(account, name)?.stream;
    return own?.config.allowDirect === true ? own : this.#mirrors.local(account, name);
  }

  currentReplica(account: string, name: string): StreamInstance | undefined {
    const local = this.#streams.find(account, name);
    if (local === undefined) return this.#mirrors.local(account, name);
    const { assignment, instance } = local;
    const isCurrent = instance.appliedIndex >= this.#told.of(assignment.group);
    return isCurrent && instance.config.allowDirect && this.#streams.isReadable(assignment.group)
      ? instance
      : undefined;
  }

  caughtUp(account: string, name: string, index: LogIndex): Promise<boolean> {
    const replica = this.localStream(account, name)?.stream;
    return replica?.whenApplied(index, CATCH_UP_PATIENCE_MS) ?? Promise.resolve(true);
  }

  toldProgress({ group }: StreamAssignment): LogIndex {
    return this.#told.of(group);
  }

  directMirrorsOf(account: string, name: string): readonly StreamAssignment[] {
    return this.#mirrors.of(account, name);
  }

  leaderOf(assignment: StreamAssignment): NodeId | undefined {
    return this.#cluster.leaderOf(assignment.group);
  }

  async askStreamLeader(
    assignment: StreamAssignment,
    request: ApiRequest,
    timeoutMs: number,
  ): Promise<JsonResponse | undefined> {
    const { group, revision } = assignment;
    const deadline = this.runtime.monotonicMs() + timeoutMs;
    for (;;) {
      const leftMs = deadline - this.runtime.monotonicMs();
      if (leftMs <= 0) return undefined;
      // A stream that was only just created is led by the node that the catalogue chose, before anybody said so.
      const leader = this.#cluster.leaderOf(group) ?? firstToAsk(assignment);
      const envelope = { group, revision, timeoutMs: Math.min(leftMs, READY_PATIENCE_MS) };
      const answer = await this.#askNode(leader, { ...request, forwarded: true }, envelope);
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => this.runtime.after(RETRY_MS, resolve));
    }
  }

  async #askNode(
    node: NodeId,
    request: ApiRequest,
    envelope: { readonly group: GroupId; readonly revision: number; readonly timeoutMs: number },
  ): Promise<JsonResponse | undefined> {
    if (node === this.node) return this.#answerWhenReady(request, envelope);
    const frame = encodeApiRequest(request, envelope);
    // Whatever goes wrong on the way, the caller asks again until its time is up.
    const answer = await this.#cluster
      .request(node, API_SERVICE, frame, envelope.timeoutMs + READY_PATIENCE_MS)
      .catch(() => undefined);
    const response = answer && decodeApiResponse(answer);
    return response?.kind === 'json' ? response : undefined;
  }

  async #answerWhenReady(
    request: ApiRequest,
    envelope: { readonly group: number; readonly revision: number; readonly timeoutMs: number },
  ): Promise<JsonResponse | undefined> {
    const local = await this.#streams.whenReady(envelope.group as GroupId, envelope.revision, envelope.timeoutMs);
    if (local === undefined) return undefined;
    const response = await this.#api?.handle(request);
    return response?.kind === 'json' ? response : undefined;
  }

  async #answerPeer(api: Api, frame: Buffer): Promise<Buffer> {
    const decoded = decodeApiRequest(frame);
    if (decoded === undefined) return encodeApiResponse({ kind: 'none' });
    const { request, envelope } = decoded;
    if (envelope.group === 0) return encodeApiResponse(await api.handle(request));
    return encodeApiResponse((await this.#answerWhenReady(request, envelope)) ?? { kind: 'none' });
  }

  /** On this node alone. */
  localUsage(account: string): AccountUsage {
    const usage = { memoryBytes: 0, storageBytes: 0, consumers: 0 };
    for (const { instance, consumers } of this.#streams.all()) {
      if (instance.account !== account) continue;
      const { bytes } = instance.state();
      if (instance.config.storage === 'memory') usage.memoryBytes += bytes;
      else usage.storageBytes += bytes;
      if (instance.status.role === 'leader') usage.consumers += consumers.consumerCount();
    }
    return usage;
  }
}

function firstToAsk({ firstLeader, members, generation }: StreamAssignment): NodeId {
  return generation === 0 ? firstLeader : members[0]!;
}
