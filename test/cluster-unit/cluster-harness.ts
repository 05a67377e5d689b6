/** Owns what the tests of whole nodes share: a cluster on loopback ports in this process, over the stand-in for raft. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import {
  createCluster,
  createLinks,
  type ClusterNode,
  type DurableState,
  type PeerOptions,
} from '../../src/cluster/index.ts';
import { freePorts } from '../harness/free-ports.ts';
import { FakeRaft, type FakeHost } from './fake-raft.ts';
import { nodeId, until } from './link-harness.ts';

/** A durable state in memory: survives its node. */
export class MemoryState implements DurableState {
  bytes: Buffer | undefined;

  load(): Promise<Buffer | undefined> {
    return Promise.resolve(this.bytes);
  }

  async save(bytes: Buffer): Promise<void> {
    await nextTurn();
    this.bytes = bytes;
  }
}

export interface TestNode {
  readonly cluster: ClusterNode;
  readonly host: FakeHost;
  readonly state: MemoryState;
  readonly fatal: Error[];
}

/** Nodes n1, n2, ... whose ports are known before they run, so routes can name all of them. */
export class TestCluster {
  readonly raft = new FakeRaft();
  readonly ports: number[];
  readonly #nodes = new Map<string, TestNode>();

  private constructor(ports: number[]) {
    this.ports = ports;
  }

  static async run(size: number, body: (cluster: TestCluster) => Promise<void>): Promise<void> {
    const cluster = new TestCluster(await freePorts(size));
    try {
      await body(cluster);
    } finally {
      await Promise.all([...cluster.#nodes.values()].map((node) => node.cluster.stop()));
    }
  }

  get routes(): string[] {
    return this.ports.map((port) => `nats://127.0.0.1:${port}`);
  }

  node(name: string): TestNode {
    return this.#nodes.get(name)!;
  }

  /** Starts node `n<number>`; `prepare` may register listeners before anything happens. */
  async start(
    number: number,
    options: Partial<PeerOptions> & {
      readonly previous?: TestNode;
      readonly prepare?: (cluster: ClusterNode) => void;
    } = {},
  ): Promise<TestNode> {
    const name = nodeId(`n${number}`);
    const runtime = new SystemRuntime();
    const listen = { host: '127.0.0.1', port: this.ports[number - 1]! };
    const links = await createLinks({ node: name, clusterName: 'test', listen, runtime, logger: silentLogger });
    const host = this.raft.host(name);
    host.stored = options.previous?.host.stored ?? [];
    const state = options.previous?.state ?? new MemoryState();
    const fatal: Error[] = [];
    const cluster = await createCluster({
      node: name,
      clusterName: 'test',
      host,
      runtime,
      logger: silentLogger,
      version: '0',
      clientUrls: [`127.0.0.1:${number}`],
      peers: {
        links,
        routes: this.routes,
        listenHost: '127.0.0.1',
        jetstream: true,
        state,
        fatal: (error) => fatal.push(error),
        ...options,
      },
    });
    options.prepare?.(cluster);
    const node = { cluster, host, state, fatal };
    this.#nodes.set(name, node);
    await cluster.start();
    return node;
  }

  async stop(name: string): Promise<TestNode> {
    const node = this.node(name);
    this.#nodes.delete(name);
    await node.cluster.stop();
    return node;
  }

  async untilFormed(names: readonly string[]): Promise<void> {
    await until(`${names.join(', ')} have a meta group`, () =>
      names.every((name) => {
        const status = this.node(name).cluster.metaStatus();
        return status !== undefined && [...status.voters, ...status.learners].includes(nodeId(name));
      }),
    );
  }
}

export function upNodes(node: TestNode): NodeId[] {
  return node.cluster
    .nodes()
    .filter(({ up }) => up)
    .map((info) => info.node);
}
