/** Owns a cluster whose leaders are killed under the clients of a test. */
import type { KV } from '@nats-io/kv';
import { startServers, type ServerProcess, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';
import type { Client, Family } from './client-families.ts';

/** A publish whose leader dies is never answered: this long a client waits before it looks what became of it. */
export const WRITE_TIMEOUT_MS = 2000;

/** Three nodes of which the leader of a stream dies, and comes back when a test is over. */
export class FaultyCluster {
  readonly servers: Servers;
  #down: ServerProcess | undefined;
  #clients: Client[] = [];

  private constructor(servers: Servers) {
    this.servers = servers;
  }

  static async start(): Promise<FaultyCluster> {
    return new FaultyCluster(await startServers({ nodes: 3 }));
  }

  async stop(): Promise<void> {
    await this.recover();
    await this.servers.stop();
  }

  /** A client of a node that does not lead `stream`: `which` tells the two such nodes apart. */
  async clientBeside(family: Family, stream: string, which: 0 | 1 = 0): Promise<Client> {
    const leader = await this.#leader(family, stream);
    const others = this.servers.nodes.filter((node) => node.name !== leader);
    return this.connect(family, others[which]!.url);
  }

  /** A bucket through such a client, whose calls are given up soon enough to be repeated. */
  async writerBeside(family: Family, bucket: string, which: 0 | 1): Promise<KV> {
    return (await this.clientBeside(family, `KV_${bucket}`, which)).kv(bucket, {}, WRITE_TIMEOUT_MS);
  }

  async connect(family: Family, url: string): Promise<Client> {
    const client = await family.connect(url);
    this.#clients.push(client);
    return client;
  }

  /** Returns its name. */
  async killLeader(family: Family, stream: string): Promise<string> {
    const leader = await this.#leader(family, stream);
    this.#down = this.servers.byName(leader);
    await this.#down.kill('SIGKILL');
    return leader;
  }

  /** Everything runs again, and nobody is connected. */
  async recover(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.connection.close();
    this.#down?.start();
    await this.#down?.ready();
    this.#down = undefined;
  }

  async #leader(family: Family, stream: string): Promise<string> {
    const client = this.#clients[0] ?? (await this.connect(family, this.servers.first.url));
    return waitFor(`the leader of ${stream}`, async () => (await client.jsm.streams.info(stream)).cluster?.leader);
  }
}
