/** The cluster over real raft hosts, real disks and real gRPC, all in this process. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import {
  createCluster,
  createLinks,
  fileState,
  type CatalogueChange,
  type ClusterNode,
} from '../../src/cluster/index.ts';
import { createRaftHost, META_GROUP, openNodeStorage } from '../../src/raft/index.ts';
import { freePorts } from '../harness/free-ports.ts';
import { nodeId, until } from './link-harness.ts';

class RealCluster {
  readonly nodes = new Map<string, ClusterNode>();
  readonly #directory: string;
  readonly #ports: readonly number[];

  private constructor(directory: string, ports: readonly number[]) {
    this.#directory = directory;
    this.#ports = ports;
  }

  static async run(size: number, body: (cluster: RealCluster) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-cluster-'));
    const cluster = new RealCluster(directory, await freePorts(size));
    try {
      await body(cluster);
    } finally {
      await Promise.all([...cluster.nodes.values()].map((node) => node.stop()));
      await rm(directory, { recursive: true });
    }
  }

  async start(number: number): Promise<ClusterNode> {
    const name = `n${number}`;
    const directory = join(this.#directory, name);
    const listen = { host: '127.0.0.1', port: this.#ports[number - 1]! };
    const parts = { node: nodeId(name), clusterName: 'test', runtime: new SystemRuntime(), logger: silentLogger };
    const links = await createLinks({ ...parts, listen });
    const storage = await openNodeStorage({ ...parts, directory, bootstrap: true });
    const host = createRaftHost({ ...parts, transport: links.raft, storage });
    const cluster = await createCluster({
      ...parts,
      host,
      version: '0',
      clientUrls: [],
      peers: {
        links,
        routes: this.#ports.map((port) => `127.0.0.1:${port}`),
        listenHost: '127.0.0.1',
        jetstream: true,
        state: fileState(join(directory, 'cluster-state')),
        fatal: (error) => {
          throw error;
        },
      },
    });
    this.nodes.set(name, cluster);
    await cluster.start();
    return cluster;
  }

  async stop(name: string): Promise<void> {
    const node = this.nodes.get(name)!;
    this.nodes.delete(name);
    await node.stop();
  }

  async wipe(name: string): Promise<void> {
    await rm(join(this.#directory, name), { recursive: true });
  }

  leader(): ClusterNode | undefined {
    return [...this.nodes.values()].find((node) => {
      const status = node.metaStatus();
      return status?.role === 'leader' && status.ready;
    });
  }

  async untilLeader(): Promise<ClusterNode> {
    await until('the meta group has a leader', () => this.leader() !== undefined);
    return this.leader()!;
  }

  async untilVoters(names: readonly string[]): Promise<void> {
    await until(`${names.join(', ')} are the voters`, () => {
      const status = this.leader()?.metaStatus();
      return [...(status?.voters ?? [])].sort().join() === names.join() && status?.learners.length === 0;
    });
  }
}

const create = (name: string): CatalogueChange => ({
  kind: 'createStream',
  account: 'A',
  name,
  config: { name },
  storage: 'file',
  replicas: 3,
  conflictsWith: () => false,
});

test('a cluster forms, keeps its catalogue over restarts and a change of leader, and takes a wiped node back in', () =>
  RealCluster.run(3, async (cluster) => {
    await Promise.all([1, 2, 3].map((number) => cluster.start(number)));
    const first = await cluster.untilLeader();
    await until('the members are admitted', () => first.catalogue.nodes().length === 3);
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => first.change(create(`S${i}`))));
    assert.ok(results.every(({ kind }) => kind === 'applied'));

    await cluster.stop(first.node);
    const second = await cluster.untilLeader();
    assert.equal(second.catalogue.streams('A').length, 100);
    assert.equal((await second.change(create('AFTER'))).kind, 'applied');

    const restarted = await cluster.start(Number(first.node.slice(1)));
    await until('it caught up', () => restarted.catalogue.stream('A', 'AFTER') !== undefined);
    await until('it knows the leader', () => restarted.leaderOf(META_GROUP) === cluster.leader()?.node);

    const leader = await cluster.untilLeader();
    const victim = ['n1', 'n2', 'n3'].find((name) => name !== leader.node)!;
    await cluster.stop(victim);
    await cluster.wipe(victim);
    const wiped = await cluster.start(Number(victim.slice(1)));
    await until('it has the catalogue again', () => wiped.catalogue.streams('A').length === 101);
    await cluster.untilVoters(['n1', 'n2', 'n3']);
  }));

test('two of three form a cluster, and the third joins it with everything that was decided before', () =>
  RealCluster.run(3, async (cluster) => {
    await Promise.all([1, 2].map((number) => cluster.start(number)));
    const leader = await cluster.untilLeader();
    assert.equal((await leader.change({ ...create('EARLY'), replicas: 1 } as CatalogueChange)).kind, 'applied');
    const late = await cluster.start(3);
    await until('it has the stream', () => late.catalogue.stream('A', 'EARLY') !== undefined);
    await cluster.untilVoters(['n1', 'n2', 'n3']);
    assert.deepEqual(late.catalogue.nodes(), ['n1', 'n2', 'n3']);
  }));

test('a standalone node leads its own meta group at once, and has its catalogue after a restart', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-standalone-'));
  const start = async (): Promise<ClusterNode> => {
    const parts = { node: nodeId('solo'), clusterName: '', runtime: new SystemRuntime(), logger: silentLogger };
    const storage = await openNodeStorage({ ...parts, directory, bootstrap: true });
    const transport = { send: () => undefined, pendingBytes: () => 0 };
    const host = createRaftHost({ ...parts, transport, storage });
    const node = await createCluster({ ...parts, host, version: '0', clientUrls: [] });
    await node.start();
    return node;
  };
  try {
    const node = await start();
    assert.equal((await node.change({ ...create('S'), replicas: 1 } as CatalogueChange)).kind, 'applied');
    assert.equal((await node.change(create('TRIPLE'))).kind, 'noPeers');
    assert.deepEqual([node.clustered, node.leaderOf(META_GROUP), node.catalogue.nodes()], [false, 'solo', ['solo']]);
    await node.stop();
    const again = await start();
    assert.deepEqual(again.catalogue.stream('A', 'S')?.members, ['solo']);
    await again.stop();
  } finally {
    await rm(directory, { recursive: true });
  }
});
