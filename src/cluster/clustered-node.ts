/** Owns a node among others: wires links, membership, the meta group, leaders, interest and requests together. */
import { lookup } from 'node:dns/promises';
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import { META_GROUP } from '../raft/index.ts';
import type { GroupId, GroupStatus, RaftHost } from '../raft/index.ts';
import { formatAddress, parseAddress, parseRoute, tellableHost, type Address } from './addresses.ts';
import { randomBase62 } from './group-name.ts';
import { InterestTable } from './interest.ts';
import { LeaderTable } from './leader-table.ts';
import { FRAME, type Description, type LinkListener, type Links } from './links.ts';
import { Membership } from './membership.ts';
import { MetaEntry } from './meta-entry.ts';
import { MetaKeeper } from './meta-keeper.ts';
import { MetaMember } from './meta-member.ts';
import type { ClusterOptions, PeerOptions } from './options.ts';
import { Requests } from './requests.ts';
import type {
  Catalogue,
  CatalogueChange,
  CatalogueListener,
  CatalogueResult,
  ClusterNode,
  Interest,
  NodeInfo,
  RequestHandler,
  TrafficKind,
} from './types.ts';

const INSTANCE_CHARS = 16;
const NO_BODY = Buffer.alloc(0);

type TrafficListener = (from: NodeId, frame: Buffer) => void;

export class ClusteredNode implements ClusterNode, LinkListener {
  readonly node: NodeId;
  readonly clusterName: string;
  readonly clustered = true;
  readonly host: RaftHost;
  readonly #peers: PeerOptions;
  readonly #links: Links;
  readonly #logger: Logger;
  readonly #membership: Membership;
  readonly #meta: MetaMember;
  readonly #keeper: MetaKeeper;
  readonly #entry: MetaEntry;
  readonly #leaders: LeaderTable;
  readonly #interest: InterestTable;
  readonly #requests: Requests;
  readonly #traffic: (TrafficListener | undefined)[] = [];
  readonly #nodesListeners: (() => void)[] = [];
  readonly #up = new Set<NodeId>();
  #stopped = false;

  constructor(options: ClusterOptions, peers: PeerOptions) {
    const { node, clusterName, runtime, logger } = options;
    this.node = node;
    this.clusterName = clusterName;
    this.host = options.host;
    this.#peers = peers;
    this.#links = peers.links;
    this.#logger = logger;
    const peersUp = (): Iterable<NodeId> => this.#up;
    this.#requests = new Requests(node, this.#links, runtime);
    this.#leaders = new LeaderTable(node, this.#links, runtime, peersUp);
    this.#interest = new InterestTable(this.#links, runtime, peersUp);
    this.#membership = new Membership({
      links: this.#links,
      runtime,
      logger,
      routes: this.#parseRoutes(peers.routes),
      resolve: peers.resolve ?? resolveAll,
      expectedNodes: peers.expectedNodes,
      self: {
        node,
        instance: randomBase62(INSTANCE_CHARS, runtime),
        address: '',
        clientUrls: options.clientUrls,
        version: options.version,
        jetstream: peers.jetstream,
        tags: options.tags ?? [],
        metaId: '',
        expectedNodes: 0,
      },
      changed: () => {
        this.#nodesChanged();
      },
    });
    this.#meta = new MetaMember(options.host, {
      runtime,
      clusterName,
      members: () => this.#placementNodes(),
      describe: (peer) => this.#candidate(peer),
      statusChanged: (status) => {
        this.groupStatusChanged(META_GROUP, status);
        this.#keeper.review();
      },
    });
    this.#keeper = new MetaKeeper({
      meta: this.#meta,
      runtime,
      logger,
      isUp: (peer) => this.#up.has(peer),
      metaId: () => this.#membership.self.metaId,
    });
    this.#entry = new MetaEntry({
      membership: this.#membership,
      meta: this.#meta,
      keeper: this.#keeper,
      requests: this.#requests,
      runtime,
      logger,
      state: peers.state,
      fatal: peers.fatal,
      host: options.host,
      metaLeader: () => this.#leaders.leaderOf(META_GROUP),
    });
    this.#leaders.onChange((group) => {
      if (group === META_GROUP) this.#entry.reconsider();
    });
  }

  get catalogue(): Catalogue {
    return this.#meta.catalogue;
  }

  async start(): Promise<void> {
    const remembered = await this.#entry.load();
    const port = await this.#links.start(this);
    this.#membership.present({ address: this.#advertised(port) });
    await this.#entry.recover();
    this.#membership.start(remembered);
    this.#entry.reconsider();
  }

  nodes(): readonly NodeInfo[] {
    return this.#membership.infos(this.#meta.catalogue.nodes());
  }

  setClientUrls(urls: readonly string[]): void {
    this.#membership.present({ clientUrls: urls });
  }

  metaStatus(): GroupStatus | undefined {
    return this.#meta.status;
  }

  leaderOf(group: GroupId): NodeId | undefined {
    return this.#leaders.leaderOf(group);
  }

  change(change: CatalogueChange): Promise<CatalogueResult> {
    return this.#meta.writer.change(change);
  }

  onCatalogueChange(listener: CatalogueListener): void {
    this.#meta.catalogue.onChange(listener);
  }

  catalogueBarrier(): Promise<void> {
    return this.#meta.writer.barrier();
  }

  removeNode(node: NodeId): Promise<boolean> {
    return this.#keeper.remove(node);
  }

  groupStatusChanged(group: GroupId, status: GroupStatus): void {
    this.#leaders.statusChanged(group, status);
  }

  groupClosed(group: GroupId): void {
    this.#leaders.forget(group);
  }

  onLeaderChange(listener: (group: GroupId, leader: NodeId | undefined) => void): void {
    this.#leaders.onChange(listener);
  }

  onNodesChange(listener: () => void): void {
    this.#nodesListeners.push(listener);
  }

  setInterest(interest: Interest): void {
    this.#interest.set(interest);
  }

  onInterest(listener: (node: NodeId, interest: Interest) => void): void {
    this.#interest.onInterest(listener);
  }

  onInterestLost(listener: (node: NodeId) => void): void {
    this.#interest.onLost(listener);
  }

  send(to: NodeId, kind: TrafficKind, frame: Buffer): boolean {
    this.#interest.beforeTraffic();
    return this.#links.send(to, 'traffic', FRAME.traffic + kind, frame);
  }

  onTraffic(kind: TrafficKind, listener: TrafficListener): void {
    this.#traffic[kind] = listener;
  }

  pendingTraffic(to: NodeId): number {
    return this.#links.pendingBytes(to, 'traffic');
  }

  request(to: NodeId, service: string, body: Buffer, timeoutMs: number): Promise<Buffer> {
    return this.#requests.request(to, service, body, timeoutMs);
  }

  serve(service: string, handler: RequestHandler): void {
    this.#requests.serve(service, handler);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#entry.stop();
    this.#keeper.stop();
    this.#membership.stop();
    await this.host.shutdown({ transferLeaderships: true });
    for (const node of this.#up) this.#links.send(node, 'control', FRAME.leaving, NO_BODY);
    await this.#links.stop();
  }

  // --- LinkListener ---

  describe(): Description {
    return this.#membership.self;
  }

  known(): readonly Description[] {
    return this.#membership.known();
  }

  admit(peer: Description): string | undefined {
    const self = this.#membership.self;
    if (peer.node === self.node && peer.instance !== self.instance) return 'the name of this server is in use';
    if (peer.metaId !== '' && self.metaId !== '' && peer.metaId !== self.metaId) {
      return 'this node belongs to another meta group';
    }
    return undefined;
  }

  introduced(peer: Description): void {
    this.#membership.introduced(peer);
  }

  up(node: NodeId): void {
    // Before anybody can send anything else: interest goes ahead of all traffic.
    this.#interest.tellAll(node);
    this.#leaders.tellAll(node);
    this.#membership.tellAll(node);
    this.#up.add(node);
    this.host.linkChanged(node, true);
    this.#keeper.review();
    this.#nodesChanged();
  }

  down(node: NodeId): void {
    this.#interest.lost(node);
    this.#requests.lost(node);
    this.#leaders.lost(node);
    if (!this.#up.delete(node)) return;
    this.host.linkChanged(node, false);
    this.#nodesChanged();
  }

  frame(from: NodeId, kind: number, body: Buffer): boolean {
    switch (kind) {
      case FRAME.raft:
        this.host.receive(from, body);
        return true;
      case FRAME.interest:
        return this.#interest.receive(from, body);
      case FRAME.request:
        return this.#requests.received(from, body);
      case FRAME.reply:
        return this.#requests.replied(from, body);
      case FRAME.leaderships:
        return this.#leaders.receive(from, body);
      case FRAME.nodes:
        return this.#membership.told(from, body);
      case FRAME.leaving:
        this.#logger.info({ peer: from }, 'peer.leaving');
        this.#links.disconnect(from);
        return true;
      default:
        // A kind without a listener belongs to a later version.
        this.#traffic[kind - FRAME.traffic]?.(from, body);
        return true;
    }
  }

  // --- the rest ---

  #nodesChanged(): void {
    if (this.#stopped) return;
    this.#entry.reconsider();
    for (const listener of this.#nodesListeners) listener();
  }

  /** Members of the meta group count before the catalogue has admitted them: a new cluster can place streams at once. */
  #placementNodes(): readonly NodeId[] {
    const { catalogue, status } = this.#meta;
    const members = [...(status?.voters ?? []), ...(status?.learners ?? [])];
    const placeable = members.filter((node) => !catalogue.wasRemoved(node));
    return [...new Set([...catalogue.nodes(), ...placeable])].sort();
  }

  #candidate(node: NodeId): {
    readonly online: boolean;
    readonly jetstream: boolean;
    readonly tags: readonly string[];
  } {
    const known = this.#membership.descriptionOf(node);
    const online = node === this.node || this.#up.has(node);
    return { online, jetstream: known?.jetstream ?? true, tags: known?.tags ?? [] };
  }

  #parseRoutes(routes: readonly string[]): Address[] {
    const addresses: Address[] = [];
    for (const route of routes) {
      const address = parseRoute(route);
      if (address === undefined) this.#logger.error({ route }, 'route.invalid');
      else addresses.push(address);
    }
    return addresses;
  }

  #advertised(port: number): string {
    const { advertise, listenHost } = this.#peers;
    if (advertise === undefined) return formatAddress({ host: tellableHost(listenHost), port });
    return parseAddress(advertise) === undefined ? formatAddress({ host: advertise, port }) : advertise;
  }
}

async function resolveAll(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
