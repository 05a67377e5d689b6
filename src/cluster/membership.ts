/**
 * Owns which nodes there are and where: finds them through the routes of the configuration (one that works is enough,
 * nodes tell each other the rest), keeps a link to each, and counts how many the configuration expects.
 */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { formatAddress, type Address } from './addresses.ts';
import { FRAME, type Description, type Links } from './links.ts';
import type { NodeInfo } from './types.ts';
import { decodeNodes, encodeNodes } from './wire.ts';

/** Names to IP addresses; all of them, for a name may stand for many nodes. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface MembershipOptions {
  readonly links: Links;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly routes: readonly Address[];
  readonly resolve: Resolve;
  /** How many nodes form the cluster; undefined: as many as the routes lead to. */
  readonly expectedNodes: number | undefined;
  readonly self: Description;
  /** A node appeared, changed, came or went. */
  readonly changed: () => void;
}

/** Between two looks for nodes that a route leads to and that are not connected. */
const PROBE_MS = 250;
/** Once all are: names may resolve to others later. */
const PROBE_WHEN_COMPLETE_MS = 10_000;
/** Probes until the pace slows down: a route to a node that is gone for good costs little. */
const FAST_PROBES = 40;
const SLOW_PROBE_MS = 2000;
const MAX_KNOWN = 1024;
/** A name that leads to nobody but ourselves may lead to others in a moment: a cluster of one must be asked for. */
const MIN_EXPECTED_NODES = 2;

export class Membership {
  readonly #options: MembershipOptions;
  #self: Description;
  readonly #known = new Map<NodeId, Description>();
  /** Who answered at the addresses of the routes. Undefined: nobody so far. */
  readonly #routed = new Map<string, NodeId | undefined>();
  /** Where nodes were in a former life of this process. */
  readonly #remembered = new Set<string>();
  /** Why greeting failed last, so that it is logged once. */
  readonly #failures = new Map<string, string>();
  #unresolved = 0;
  #probes = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#self = options.self;
  }

  get self(): Description {
    return this.#self;
  }

  /** This node first. */
  known(): readonly Description[] {
    return [this.#self, ...this.#known.values()];
  }

  descriptionOf(node: NodeId): Description | undefined {
    return node === this.#self.node ? this.#self : this.#known.get(node);
  }

  /** Peers with a working link, sorted by name. */
  connected(): NodeId[] {
    return [...this.#known.keys()].filter((node) => this.#options.links.isUp(node)).sort();
  }

  /** Sorted by name; `others` are nodes that must be shown even if they were not seen yet. */
  infos(others: readonly NodeId[]): NodeInfo[] {
    const names = new Set([this.#self.node, ...this.#known.keys(), ...others]);
    return [...names].sort().map((node) => this.#info(node));
  }

  /** Presents this node anew to all others. */
  present(changes: Partial<Description>): void {
    this.#self = { ...this.#self, ...changes };
    const frame = encodeNodes([this.#self]);
    for (const node of this.connected()) this.#options.links.send(node, 'control', FRAME.nodes, frame);
  }

  start(remembered: Iterable<string>): void {
    for (const address of remembered) this.#remembered.add(address);
    void this.#probe();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** The node itself says so. */
  introduced(peer: Description): void {
    if (peer.node === this.#self.node) {
      if (peer.instance === this.#self.instance) this.#identify(peer);
      return;
    }
    if (!this.#known.has(peer.node) && this.#known.size >= MAX_KNOWN) return;
    this.#known.set(peer.node, peer);
    this.#identify(peer);
    this.#options.links.connect(peer.node, peer.address);
    this.#options.changed();
  }

  /** A linked node says who it is and whom it knows. False: malformed, or it says it is another. */
  told(from: NodeId, frame: Buffer): boolean {
    const nodes = decodeNodes(frame);
    if (nodes?.[0]?.node !== from) return false;
    this.#learn(nodes);
    return true;
  }

  /** What a node says about itself (first) and others: of those only strangers are news, the others speak themselves. */
  #learn(nodes: readonly Description[]): void {
    for (const [position, node] of nodes.entries()) {
      const news = position === 0 || (node.node !== this.#self.node && !this.#known.has(node.node));
      if (news) this.introduced(this.#withAddress(node));
    }
  }

  /** The link to `node` came up. */
  tellAll(node: NodeId): void {
    this.#options.links.send(node, 'control', FRAME.nodes, encodeNodes(this.known()));
  }

  #info(node: NodeId): NodeInfo {
    const known = this.descriptionOf(node);
    const self = node === this.#self.node;
    return {
      node,
      clientUrls: known?.clientUrls ?? [],
      clusterUrl: known?.address ?? '',
      version: known?.version ?? '',
      jetstream: known?.jetstream ?? true,
      tags: known?.tags ?? [],
      up: self || this.#options.links.isUp(node),
      lastContactMs: self ? 0 : this.#options.links.lastContactMs(node),
    };
  }

  /** A node that doesn't know its address leaves the host out: what we saw of it before is better. */
  #withAddress(node: Description): Description {
    const before = this.#known.get(node.node);
    return node.address.startsWith(':') && before !== undefined ? { ...node, address: before.address } : node;
  }

  #identify(peer: Description): void {
    if (this.#routed.has(peer.address)) this.#routed.set(peer.address, peer.node);
    this.#updateExpected();
  }

  /** Tells the expected number of nodes when it has changed. */
  #updateExpected(): void {
    const expectedNodes = this.#expectedNodes();
    if (expectedNodes !== this.#self.expectedNodes) this.present({ expectedNodes });
  }

  /** A route whose node is not known counts as another node: better wait for one too many than form two clusters. */
  #expectedNodes(): number {
    const { routes, expectedNodes } = this.#options;
    if (!this.#self.jetstream) return 0;
    if (expectedNodes !== undefined) return expectedNodes;
    if (routes.length === 0) return 0;
    const named = new Set<NodeId>([this.#self.node]);
    let nameless = this.#unresolved;
    for (const node of this.#routed.values()) {
      if (node === undefined) nameless++;
      else if (this.descriptionOf(node)?.jetstream !== false) named.add(node);
    }
    return Math.max(named.size + nameless, MIN_EXPECTED_NODES);
  }

  readonly #probe = async (): Promise<void> => {
    await this.#resolveRoutes();
    const targets = new Set<string>();
    for (const [address, node] of this.#routed) if (!this.#reached(node)) targets.add(address);
    for (const address of this.#remembered) targets.add(address);
    await Promise.all([...targets].map((address) => this.#greet(address)));
    if (this.#stopped) return;
    this.#updateExpected();
    this.#options.changed();
    this.#probes++;
    const pace = this.#probes > FAST_PROBES ? SLOW_PROBE_MS : PROBE_MS;
    const complete = this.#unresolved === 0 && [...this.#routed.values()].every((node) => this.#reached(node));
    this.#timer = this.#options.runtime.after(complete ? PROBE_WHEN_COMPLETE_MS : pace, () => void this.#probe());
  };

  #reached(node: NodeId | undefined): boolean {
    return node !== undefined && (node === this.#self.node || this.#options.links.isUp(node));
  }

  async #resolveRoutes(): Promise<void> {
    const found = new Set<string>();
    let unresolved = 0;
    for (const { host, port } of this.#options.routes) {
      const hosts = await this.#options.resolve(host).catch(() => []);
      if (hosts.length === 0) unresolved++;
      for (const ip of hosts) found.add(formatAddress({ host: ip, port }));
    }
    this.#unresolved = unresolved;
    for (const address of this.#routed.keys()) if (!found.has(address)) this.#routed.delete(address);
    for (const address of found) if (!this.#routed.has(address)) this.#routed.set(address, undefined);
  }

  async #greet(address: string): Promise<void> {
    let nodes: readonly Description[];
    try {
      nodes = await this.#options.links.greet(address);
    } catch (error) {
      // Nobody there yet, or not one of us: it is asked again with the next probe.
      const { message: reason } = error as Error;
      if (this.#failures.get(address) !== reason) this.#options.logger.info({ address, reason }, 'route.failed');
      this.#failures.set(address, reason);
      return;
    }
    const peer = nodes[0]!;
    if (this.#stopped) return;
    if (peer.node === this.#self.node && peer.instance !== this.#self.instance) {
      this.#options.logger.error({ address, node: peer.node }, 'node.nameTaken');
      return;
    }
    this.#failures.delete(address);
    this.#remembered.delete(address);
    if (this.#routed.has(address)) this.#routed.set(address, peer.node);
    // It answered there, whatever it believes its address to be.
    this.#learn([peer.address.startsWith(':') ? { ...peer, address } : peer, ...nodes.slice(1)]);
  }
}
