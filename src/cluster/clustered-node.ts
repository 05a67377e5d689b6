/** Owns a node among others: wires links, membership, the meta group, leaders, interest and requests together. */
import { lookup } from 'node:dns/promises';
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { META_GROUP } from '../raft/index.ts';
import type { GroupId, GroupStatus, RaftHost } from '../raft/index.ts';
import { formatAddress, parseAddress, parseRoute, tellableHost, type Address } from './addresses.ts';
import { randomBase62 } from './group-name.ts';
import { InterestTable } from './interest.ts';
import { LeaderTable } from './leader-table.ts';
import { CatalogueCurrency } from './catalogue-currency.ts';
import type { NodeFacts } from './catalogue-writer.ts';
import { FRAME, type Description, type LinkListener, type Links } from './links.ts';
import { Membership } from './membership.ts';
import { MetaEntry } from './meta-entry.ts';
import { MetaKeeper } from './meta-keeper.ts';
import { MetaMember } from './meta-member.ts';
import type { ClusterOptions, PeerOptions } from './options.ts';
import { Reconfigurator } from './reconfigurator.ts';
import { Requests } from './requests.ts';
import type {
  Catalogue,
  CatalogueChange,
  CatalogueListener,
  CatalogueResult,
  ClusterNode,
  Interest,
  NodeInfo,
  PlacementResult,
  PlacementWish,
  RequestHandler,
  StreamAssignment,
  TrafficKind,
} from './types.ts';

const INSTANCE_CHARS = 16;
const NO_BODY = Buffer.alloc(0);
/** Name of the request by which a stream's leader tells that its group has the members it was to have. */
const SETTLE_SERVICE = 'cluster.settle';
const SETTLE_TIMEOUT_MS = 5_000;

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
  readonly #reconfigurator: Reconfigurator;
  readonly #currency: CatalogueCurrency;
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
    this.#requests = new Requests(node, (to, kind, body) => this.#sendTraffic(to, kind, body), runtime);
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
      rules: options.placementRules,
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
    this.#currency = new CatalogueCurrency({
      runtime,
      requests: this.#requests,
      status: () => this.#meta.status,
      leader: () => this.#leaders.leaderOf(META_GROUP),
      barrier: () => this.#meta.writer.barrier(),
    });
    this.#reconfigurator = new Reconfigurator({
      node,
      runtime,
      logger,
      assignment: (group) => this.#meta.catalogue.streamOfGroup(group),
      group: (group) => this.host.group(group),
      settle: (assignment) => this.#settle(assignment),
    });
    this.#requests.serve(SETTLE_SERVICE, (_from, body) => this.#settleHere(body));
    this.#meta.catalogue.onChange(({ previous, current }) => {
      const { group } = (current ?? previous)!;
      this.#reconfigurator.review(group);
      if (current !== undefined && current.reconfiguration === undefined) this.#leaders.tellAgain(group);
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

  place(wish: PlacementWish): PlacementResult {
    return this.#meta.writer.place(wish);
  }

  catalogueIsCurrent(): Promise<void> {
    return this.#currency.whenCurrent();
  }

  setAvailable({ fileBytes, memoryBytes }: { readonly fileBytes: number; readonly memoryBytes: number }): void {
    this.#membership.present({ availableFileBytes: fileBytes, availableMemoryBytes: memoryBytes });
  }

  removeNode(node: NodeId): Promise<boolean> {
    return this.#keeper.remove(node);
  }

  groupStatusChanged(group: GroupId, status: GroupStatus): void {
    this.#leaders.statusChanged(group, status);
    if (group !== META_GROUP) this.#reconfigurator.review(group);
  }

  groupClosed(group: GroupId): void {
    if (this.#meta.catalogue.streamOfGroup(group) === undefined) this.#leaders.forget(group);
    else this.#leaders.left(group);
    this.#reconfigurator.review(group);
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

  onInterestDue(listener: () => void): void {
    this.#interest.onDue(listener);
  }

  send(to: NodeId, kind: TrafficKind, frame: Buffer): boolean {
    return this.#sendTraffic(to, FRAME.traffic + kind, frame);
  }

  onTraffic(kind: TrafficKind, listener: TrafficListener): void {
    this.#traffic[kind] = listener;
  }

  isUp(node: NodeId): boolean {
    return node === this.node || this.#links.isUp(node);
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
    this.#reconfigurator.stop();
    this.#currency.stop();
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
    this.#keeper.review();
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

  #sendTraffic(to: NodeId, kind: number, frame: Buffer): boolean {
    this.#interest.beforeTraffic();
    return this.#links.send(to, 'traffic', kind, frame);
  }

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

  #candidate(node: NodeId): NodeFacts {
    const known = this.#membership.descriptionOf(node);
    const online = node === this.node || this.#up.has(node);
    const { jetstream = true, tags = [], availableFileBytes, availableMemoryBytes } = known ?? {};
    return { online, jetstream, tags, availableFileBytes, availableMemoryBytes };
  }

  async #settle({ account, name, generation }: StreamAssignment): Promise<void> {
    const leader = this.#leaders.leaderOf(META_GROUP);
    if (leader === undefined) throw new NotLeaderError('there is no meta leader', true);
    const body = Buffer.from(JSON.stringify({ account, name, generation }));
    await this.#requests.request(leader, SETTLE_SERVICE, body, SETTLE_TIMEOUT_MS);
  }

  async #settleHere(body: Buffer): Promise<Buffer> {
    const told = JSON.parse(body.toString()) as { account: string; name: string; generation: number };
    await this.#meta.writer.change({ kind: 'settleStream', ...told });
    return NO_BODY;
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
