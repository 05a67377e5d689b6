/**
 * Clients of both families, at all three nodes, write and read the same keys of a bucket while its leader is killed; then
 * what they saw must be explained by one order of the writes.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KV } from '@nats-io/kv';
import { waitFor } from '../harness/wait-for.ts';
import { Random } from '../sim/random.ts';
import { FAMILIES, NEWER_FAMILY, takeAll } from './client-families.ts';
import { FaultyCluster, WRITE_TIMEOUT_MS } from './faulty-cluster.ts';
import { violations, type Operation, type Stored } from './register-history.ts';

const BUCKET = 'registers';
const STREAM = `KV_${BUCKET}`;
const KEYS = ['a', 'b', 'c'];
/** Of each key, more than are written. */
const HISTORY = 10_000;
const OPERATIONS_BEFORE = 200;
const OPERATIONS_AFTER = 200;

test('the check sees writes that are lost, doubled, or overlooked, and reads that are stale or ahead', () => {
  const stored: Stored = [
    { key: 'a', revision: 1, value: 'v1' },
    { key: 'a', revision: 2, value: 'v2' },
  ];
  const write = (n: number, begin: number, end: number, more: Partial<Operation> = {}): Operation => {
    return { kind: 'write', key: 'a', node: 0, begin, end, revision: n, value: `v${n}`, ...more };
  };
  const read = (revision: number, begin: number, end: number, more: Partial<Operation> = {}): Operation => {
    return { kind: 'read', key: 'a', node: 1, begin, end, revision, ...more };
  };
  const both = [write(1, 0, 1), write(2, 2, 5, { expected: 1 })];
  const direct = { kind: 'directRead' } as const;
  assert.deepEqual(violations([...both, read(1, 3, 4), read(2, 4, 5), read(2, 6, 7)], stored), []);
  assert.deepEqual(violations([...both, read(1, 6, 7, direct)], stored), [], 'another node may be behind');
  assert.deepEqual(violations([write(1, 0, 1), write(2, 2, Infinity, { revision: undefined })], stored), []);
  const isSeen = (operations: Operation[], what: Stored = stored): void => {
    assert.notDeepEqual(violations(operations, what), []);
  };
  isSeen([...both, read(1, 6, 7)]);
  isSeen([...both, read(1, 6, 7, { ...direct, node: 0 })]);
  isSeen([...both, read(2, 0, 1)]);
  isSeen([...both, read(3, 6, 7)]);
  isSeen([...both, read(2, 3, 3.5), read(1, 4, 5)]);
  isSeen([...both, read(0, 2, 3)]);
  isSeen([write(1, 6, 7), write(2, 2, 5)]);
  isSeen(both, stored.slice(0, 1));
  isSeen(both, [...stored, { key: 'a', revision: 3, value: 'v1' }]);
  isSeen([write(1, 0, 1), write(2, 2, 5, { expected: 0 })]);
});

/** One client that does one thing after the other, and notes what came of it. */
class Worker {
  readonly node: number;
  readonly #kv: KV;
  /** The same bucket, whose gets are answered by the leader. */
  readonly #leaderKv: KV;
  readonly #random: Random;
  readonly #name: string;
  readonly #known = new Map<string, number>();
  readonly #operations: Operation[];
  #written = 0;
  stopped = false;

  constructor(options: {
    readonly kv: KV;
    readonly leaderKv: KV;
    readonly node: number;
    readonly name: string;
    readonly seed: number;
    readonly operations: Operation[];
  }) {
    this.node = options.node;
    this.#kv = options.kv;
    this.#leaderKv = options.leaderKv;
    this.#name = options.name;
    this.#random = new Random(options.seed);
    this.#operations = options.operations;
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      const key = KEYS[this.#random.below(KEYS.length)]!;
      const choice = this.#random.below(10);
      if (choice < 3) await this.#write(key, undefined);
      else if (choice < 6) await this.#write(key, this.#known.get(key) ?? 0);
      else if (choice < 9) await this.#read('directRead', key);
      else await this.#read('read', key);
    }
  }

  async #write(key: string, expected: number | undefined): Promise<void> {
    const value = `${this.#name}.${++this.#written}`;
    const begin = performance.now();
    const note = (kind: 'write' | 'read', revision: number | undefined, end: number): void => {
      const what = kind === 'write' ? { value, ...(expected !== undefined && { expected }) } : {};
      this.#note({ kind, key, begin, end, revision, ...what });
    };
    try {
      note('write', await this.#put(key, value, expected), performance.now());
    } catch (error) {
      const refused = /^wrong last sequence: (\d+)/.exec((error as Error).message);
      if (refused !== null) note('read', Number(refused[1]), performance.now());
      // It may have been stored, or may still be.
      else note('write', undefined, Infinity);
    }
  }

  #put(key: string, value: string, expected: number | undefined): Promise<number> {
    if (expected === undefined) return this.#kv.put(key, value);
    // `create` would look at a key that is there, and try again over a marker.
    return this.#kv.put(key, value, { previousSeq: expected });
  }

  async #read(kind: 'read' | 'directRead', key: string): Promise<void> {
    const kv = kind === 'read' ? this.#leaderKv : this.#kv;
    const begin = performance.now();
    const entry = await kv.get(key).catch(() => undefined);
    // Of what is not answered in time, nothing is known.
    if (entry !== undefined) this.#note({ kind, key, begin, end: performance.now(), revision: entry?.revision ?? 0 });
  }

  #note(operation: Omit<Operation, 'node'>): void {
    if (operation.revision !== undefined) this.#known.set(operation.key, operation.revision);
    this.#operations.push({ ...operation, node: this.node });
  }
}

describe('a bucket whose leader is killed', () => {
  let cluster: FaultyCluster;

  before(async () => {
    cluster = await FaultyCluster.start();
  });

  after(() => cluster.stop());

  test('is a set of linearizable registers, and direct gets know what their node was told', async (t) => {
    t.after(() => cluster.recover());
    const operations: Operation[] = [];
    const workers: Worker[] = [];
    const setup = await cluster.connect(NEWER_FAMILY, cluster.servers.first.url);
    await setup.kv(BUCKET, { history: HISTORY });
    for (const [node, url] of cluster.servers.urls.entries()) {
      for (const family of FAMILIES) {
        const client = await cluster.connect(family, url);
        const kv = await client.kv(BUCKET, { allow_direct: true }, WRITE_TIMEOUT_MS);
        const leaderKv = await client.kv(BUCKET, { allow_direct: false }, WRITE_TIMEOUT_MS);
        const name = `${family.prefix}${node}`;
        workers.push(new Worker({ kv, leaderKv, node, name, seed: workers.length + 1, operations }));
      }
    }
    const running = workers.map((worker) => worker.run());
    await waitFor('operations under way', () => operations.length >= OPERATIONS_BEFORE);
    const survivor = await cluster.clientBeside(NEWER_FAMILY, STREAM);
    const killed = await cluster.killLeader(NEWER_FAMILY, STREAM);
    for (const worker of workers) if (cluster.servers.nodes[worker.node]!.name === killed) worker.stopped = true;
    const soFar = operations.length;
    const isAnswered = ({ end }: Operation): boolean => end < Infinity;
    await waitFor('operations with another leader', () => {
      return operations.slice(soFar).filter(isAnswered).length >= OPERATIONS_AFTER;
    });
    for (const worker of workers) worker.stopped = true;
    await Promise.all(running);
    const entries = await (await survivor.kv(BUCKET)).history();
    const stored = await takeAll(entries, (entry) => {
      return { key: entry.key, revision: entry.revision, value: entry.string() };
    });
    assert.deepEqual(violations(operations, stored), []);
  });
});
