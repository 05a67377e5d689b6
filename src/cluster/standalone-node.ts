/** Owns the cluster of one: a meta group with a single voter, nobody to link to. Loads neither gRPC nor protobuf. */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError, StorageError } from '../base/errors.ts';
import { META_GROUP } from '../raft/index.ts';
import type { GroupId, GroupStatus, RaftHost } from '../raft/index.ts';
import type { ClusterOptions } from './options.ts';
import { MetaMember } from './meta-member.ts';
import type {
  Catalogue,
  CatalogueChange,
  CatalogueListener,
  CatalogueResult,
  ClusterNode,
  NodeInfo,
  PlacementResult,
  PlacementWish,
  RequestHandler,
} from './types.ts';

export class StandaloneNode implements ClusterNode {
  readonly node: NodeId;
  readonly clusterName: string;
  readonly clustered = false;
  readonly host: RaftHost;
  readonly #options: ClusterOptions;
  readonly #meta: MetaMember;
  readonly #leaders = new Map<GroupId, NodeId | undefined>();
  readonly #leaderListeners: ((group: GroupId, leader: NodeId | undefined) => void)[] = [];
  readonly #handlers = new Map<string, RequestHandler>();
  #clientUrls: readonly string[];
  #ready: (() => void) | undefined;

  constructor(options: ClusterOptions) {
    this.node = options.node;
    this.clusterName = options.clusterName;
    this.host = options.host;
    this.#options = options;
    this.#clientUrls = options.clientUrls;
    this.#meta = new MetaMember(options.host, {
      runtime: options.runtime,
      clusterName: options.clusterName,
      members: () => [this.node],
      describe: () => ({ online: true, jetstream: true, tags: options.tags ?? [] }),
      statusChanged: (status) => {
        this.groupStatusChanged(META_GROUP, status);
        if (status.ready) this.#ready?.();
      },
    });
  }

  get catalogue(): Catalogue {
    return this.#meta.catalogue;
  }

  async start(): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#ready = resolve;
    });
    await this.#meta.open({ voters: [this.node], learners: [] });
    const { voters, learners } = this.#meta.status!;
    if (voters.length + learners.length > 1 || voters[0] !== this.node) {
      // Alone it would wait for its peers for ever.
      throw new StorageError('STORAGE_IDENTITY', `the store is that of a node of a cluster: ${voters.join(', ')}`);
    }
    await ready;
    await this.#meta.writer.changeNode('admit', this.node);
  }

  nodes(): readonly NodeInfo[] {
    const { version, tags } = this.#options;
    const what = { clientUrls: this.#clientUrls, clusterUrl: '', version, jetstream: true, tags: tags ?? [] };
    return [{ node: this.node, ...what, up: true, lastContactMs: 0 }];
  }

  setClientUrls(urls: readonly string[]): void {
    this.#clientUrls = urls;
  }

  metaStatus(): GroupStatus | undefined {
    return this.#meta.status;
  }

  leaderOf(group: GroupId): NodeId | undefined {
    return this.#leaders.get(group);
  }

  /** Where a stream is to go is kept with its configuration, for a cluster that may come; there is one place to choose. */
  change(change: CatalogueChange): Promise<CatalogueResult> {
    return this.#meta.writer.change(change.kind === 'createStream' ? { ...change, placement: undefined } : change);
  }

  onCatalogueChange(listener: CatalogueListener): void {
    this.#meta.catalogue.onChange(listener);
  }

  catalogueBarrier(): Promise<void> {
    return this.#meta.writer.barrier();
  }

  place(wish: PlacementWish): PlacementResult {
    return this.#meta.writer.place({ ...wish, placement: undefined });
  }

  /** Alone, what is committed is what is stored here. */
  catalogueIsCurrent(): Promise<void> {
    return Promise.resolve();
  }

  removeNode(): Promise<boolean> {
    return Promise.resolve(false);
  }

  groupStatusChanged(group: GroupId, { leader }: GroupStatus): void {
    if (this.#leaders.get(group) === leader) return;
    this.#leaders.set(group, leader);
    for (const listener of this.#leaderListeners) listener(group, leader);
  }

  groupClosed(group: GroupId): void {
    this.#leaders.delete(group);
  }

  onLeaderChange(listener: (group: GroupId, leader: NodeId | undefined) => void): void {
    this.#leaderListeners.push(listener);
  }

  // There is nobody else: no node comes or goes, no interest is told or lost, no traffic leaves or arrives.
  onNodesChange(): void {}
  setAvailable(): void {}
  setInterest(): void {}
  onInterest(): void {}
  onInterestLost(): void {}

  onInterestDue(): void {}
  onTraffic(): void {}

  send(): boolean {
    return false;
  }

  isUp(node: NodeId): boolean {
    return node === this.node;
  }

  pendingTraffic(): number {
    return 0;
  }

  async request(to: NodeId, service: string, body: Buffer): Promise<Buffer> {
    const handler = to === this.node ? this.#handlers.get(service) : undefined;
    if (handler === undefined) throw new NotLeaderError(`${to} has no service ${service}`, true);
    return handler(this.node, body);
  }

  serve(service: string, handler: RequestHandler): void {
    this.#handlers.set(service, handler);
  }

  async stop(): Promise<void> {
    await this.host.shutdown({ transferLeaderships: false });
  }
}
