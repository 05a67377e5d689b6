/**
 * Owns the two families of official npm clients behind one face, that of the newer one: what a test does with one of them
 * it does with the other.
 */
import { after, before } from 'node:test';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { Kvm, type KV, type KvOptions } from '@nats-io/kv';
import { Objm, type ObjectStore, type ObjectStoreOptions } from '@nats-io/obj';
import { connect as connectModular, type NatsConnection } from '@nats-io/transport-node';
import { connect as connectSingle, type KvOptions as SingleKvOptions, type StreamConfig } from 'nats';
import { startServers, type Servers } from '../harness/server-process.ts';

/** Long, because a test machine may be busy: nothing here waits for it to pass. */
const TIMEOUT_MS = 15_000;

export interface Client {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Makes the bucket with three replicas, or opens it. A call of it is given up after `timeoutMs`. */
  kv(name: string, options?: Partial<KvOptions>, timeoutMs?: number): Promise<KV>;
  objects(name: string, options?: Partial<ObjectStoreOptions>): Promise<ObjectStore>;
}

export interface Family {
  readonly name: string;
  /** Fit to begin the names of streams with. */
  readonly prefix: string;
  connect(servers: string | string[]): Promise<Client>;
}

const SINGLE: Family = {
  name: 'nats 2.x',
  prefix: 'two',
  async connect(servers) {
    const connection = await connectSingle({ servers, timeout: TIMEOUT_MS, reconnectTimeWait: 100 });
    const js = connection.jetstream({ timeout: TIMEOUT_MS });
    const jsm = await connection.jetstreamManager({ timeout: TIMEOUT_MS });
    return {
      // Where the newer one has more, a test asks for it on the newer one only.
      connection: connection as unknown as NatsConnection,
      js: js as unknown as JetStreamClient,
      jsm: jsm as unknown as JetStreamManager,
      kv: async (name, options, timeoutMs) => {
        const kv = await js.views.kv(name, { replicas: 3, ...options } as Partial<SingleKvOptions>);
        if (timeoutMs === undefined) return kv as unknown as KV;
        return (await connection.jetstream({ timeout: timeoutMs }).views.kv(name, {
          bindOnly: true,
          ...options,
        } as Partial<SingleKvOptions>)) as unknown as KV;
      },
      // This client puts its own option `replicas` into the request, which no strict server takes. It uses what is there.
      objects: async (name, options) => {
        const stream = `OBJ_${name}`;
        const subjects = [`$O.${name}.C.>`, `$O.${name}.M.>`];
        const flags = { discard: 'new', allow_direct: true, allow_rollup_hdrs: true, num_replicas: 3 };
        const config = { name: stream, subjects, ...flags, ...options } as object as StreamConfig;
        await jsm.streams.info(stream).catch(() => jsm.streams.add(config));
        return (await js.views.os(name)) as unknown as ObjectStore;
      },
    };
  },
};

const MODULAR: Family = {
  name: '@nats-io 3.x',
  prefix: 'three',
  async connect(servers) {
    const connection = await connectModular({ servers, timeout: TIMEOUT_MS, reconnectTimeWait: 100 });
    const js = jetstream(connection, { timeout: TIMEOUT_MS });
    return {
      connection,
      js,
      jsm: await jetstreamManager(connection, { timeout: TIMEOUT_MS }),
      kv: async (name, options, timeoutMs) => {
        const kv = await new Kvm(js).create(name, { replicas: 3, ...options });
        if (timeoutMs === undefined) return kv;
        return new Kvm(jetstream(connection, { timeout: timeoutMs })).open(name, { bindOnly: true, ...options });
      },
      objects: (name, options) => new Objm(js).create(name, { replicas: 3, ...options }),
    };
  },
};

export const FAMILIES: readonly Family[] = [SINGLE, MODULAR];
export const NEWER_FAMILY = MODULAR;

/**
 * Starts three nodes for the tests of the suite that calls this, with a client of each family at each of them. Returns the
 * client of a family at node 0, 1 or 2.
 */
export function clientsOnThreeNodes(): (family: Family, node: number) => Client {
  let servers: Servers;
  const clients = new Map<string, Client[]>();

  before(async () => {
    servers = await startServers({ nodes: 3 });
    for (const family of FAMILIES) {
      clients.set(family.name, await Promise.all(servers.urls.map((url) => family.connect(url))));
    }
  });

  after(async () => {
    for (const client of [...clients.values()].flat()) await client.connection.close();
    await servers.stop();
  });

  return (family, node) => clients.get(family.name)![node]!;
}

/** The next `count` of what an iterator brings, each put into words. */
export async function take<T, W>(iterator: AsyncIterable<T>, count: number, word: (each: T) => W): Promise<W[]> {
  const taken: W[] = [];
  for await (const each of iterator) {
    taken.push(word(each));
    if (taken.length === count) break;
  }
  return taken;
}

/** All that an iterator brings until it ends. */
export function takeAll<T, W>(iterator: AsyncIterable<T>, word: (each: T) => W): Promise<W[]> {
  return take(iterator, Infinity, word);
}
