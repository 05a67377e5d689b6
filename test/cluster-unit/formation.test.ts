import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId, TimestampUs } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Runtime, Timer } from '../../src/base/runtime.ts';
import { Formation } from '../../src/cluster/formation.ts';
import type { MetaGroup } from '../../src/cluster/formation-protocol.ts';
import type { Description } from '../../src/cluster/links.ts';
import { EMPTY_NODE_STATE, type NodeState } from '../../src/cluster/node-state.ts';
import type { RequestHandler } from '../../src/cluster/types.ts';
import { describe, nodeId } from './link-harness.ts';

/** A clock and chance that a seed decides. Tasks run in the order of their time. */
class SeededRuntime implements Runtime {
  #nowMs = 0;
  #state: number;
  readonly #tasks: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(seed: number) {
    this.#state = seed;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallUs(): TimestampUs {
    return (this.#nowMs * 1000) as TimestampUs;
  }

  soon(task: () => void): void {
    queueMicrotask(task);
  }

  defer(task: () => void): void {
    this.after(0, task);
  }

  after(delayMs: number, run: () => void): Timer {
    const task = { atMs: this.#nowMs + delayMs, run };
    this.#tasks.push(task);
    return { cancel: () => this.#tasks.includes(task) && this.#tasks.splice(this.#tasks.indexOf(task), 1) };
  }

  /** mulberry32 */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Runs until `untilMs`, or until nothing is left to run. */
  async run(untilMs: number): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      this.#tasks.sort((a, b) => a.atMs - b.atMs);
      const next = this.#tasks[0];
      if (next === undefined || next.atMs > untilMs) return;
      this.#tasks.shift();
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
  }
}

interface SimNode {
  readonly name: NodeId;
  /** Survives restarts. */
  durable: NodeState;
  handler: RequestHandler | undefined;
  formation: Formation | undefined;
  formed: MetaGroup | undefined;
}

/** Nodes that form a group over a network that loses and delays, and that restart with what was durable. */
class FormationSim {
  readonly runtime: SeededRuntime;
  readonly nodes: SimNode[];
  readonly #loss: number;
  readonly #expected: (node: NodeId) => number;
  readonly #cut = new Set<NodeId>();

  constructor(options: {
    readonly seed: number;
    readonly size: number;
    readonly loss?: number;
    readonly expected?: (node: NodeId) => number;
  }) {
    this.runtime = new SeededRuntime(options.seed);
    this.#loss = options.loss ?? 0;
    this.#expected = options.expected ?? ((): number => options.size);
    const names = Array.from({ length: options.size }, (_, i) => nodeId(`n${i + 1}`));
    this.nodes = names.map((name) => ({
      name,
      durable: EMPTY_NODE_STATE,
      handler: undefined,
      formation: undefined,
      formed: undefined,
    }));
  }

  isolate(name: string): void {
    this.#cut.add(nodeId(name));
  }

  heal(): void {
    this.#cut.clear();
    for (const node of this.nodes) void node.formation?.reconsider();
  }

  start(node: SimNode): void {
    let volatile = node.durable;
    const formation = new Formation({
      runtime: this.runtime,
      logger: silentLogger,
      membership: {
        self: this.#describe(node),
        known: () => this.#running().map((other) => this.#describe(other)),
        connected: () => this.#connected(node),
        descriptionOf: (name) => this.#describe(this.nodes.find((other) => other.name === name)!),
      },
      keeper: {
        get state() {
          return volatile;
        },
        update: async (changes) => {
          volatile = { ...volatile, ...changes };
          const saved = volatile;
          await this.#delay(5);
          if (node.formation === formation) node.durable = saved;
        },
      },
      requests: {
        serve: (_service, handler) => {
          node.handler = handler;
        },
        request: (to, _service, body) => this.#request(node, to, body),
      },
      formed: (group) => {
        node.formed = group;
      },
    });
    node.formation = formation;
    void formation.reconsider();
  }

  crash(node: SimNode): void {
    node.formation?.stop();
    node.formation = undefined;
    node.handler = undefined;
  }

  groups(): MetaGroup[] {
    return this.nodes.flatMap(({ formed }) => formed ?? []);
  }

  #running(): SimNode[] {
    return this.nodes.filter(({ formation }) => formation !== undefined);
  }

  #connected(node: SimNode): NodeId[] {
    if (this.#cut.has(node.name)) return [];
    const others = this.#running().filter((other) => other !== node && !this.#cut.has(other.name));
    return others.map(({ name }) => name);
  }

  #describe(node: SimNode): Description {
    const metaId = node.formed?.id ?? '';
    return { ...describe(node.name, ''), metaId, expectedNodes: this.#expected(node.name) };
  }

  #delay(maxMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.runtime.after(this.runtime.random() * maxMs, resolve);
    });
  }

  async #request(from: SimNode, to: NodeId, body: Buffer): Promise<Buffer> {
    const target = this.nodes.find(({ name }) => name === to)!;
    await this.#delay(50);
    const lost = (): boolean => from.name !== to && (this.#cut.has(to) || this.runtime.random() < this.#loss);
    if (lost() || target.handler === undefined) throw new NotLeaderError('lost', false);
    const reply = await target.handler(from.name, body);
    await this.#delay(50);
    if (lost()) throw new NotLeaderError('lost', false);
    return reply;
  }
}

test('nodes that all see each other form at once, with the smallest name first and at most five voters', async () => {
  const sim = new FormationSim({ seed: 1, size: 7 });
  for (const node of sim.nodes) sim.start(node);
  await sim.runtime.run(1500);
  const groups = sim.groups();
  assert.equal(groups.length, 7);
  assert.equal(new Set(groups.map(({ id }) => id)).size, 1);
  assert.deepEqual(groups[0]?.voters, ['n1', 'n2', 'n3', 'n4', 'n5']);
});

test('a majority forms after the grace period, a minority never', async () => {
  const majority = new FormationSim({ seed: 2, size: 5 });
  for (const node of majority.nodes.slice(0, 3)) majority.start(node);
  await majority.runtime.run(1900);
  assert.deepEqual(majority.groups(), []);
  await majority.runtime.run(6000);
  assert.equal(majority.groups().length, 3);

  const minority = new FormationSim({ seed: 3, size: 4 });
  for (const node of minority.nodes.slice(0, 2)) minority.start(node);
  await minority.runtime.run(60_000);
  assert.deepEqual(minority.groups(), []);
});

test('a node without routes waits to be asked', async () => {
  const sim = new FormationSim({ seed: 4, size: 2, expected: () => 0 });
  for (const node of sim.nodes) sim.start(node);
  await sim.runtime.run(60_000);
  assert.deepEqual(sim.groups(), []);

  const found = new FormationSim({ seed: 5, size: 2, expected: (node) => (node === 'n1' ? 0 : 2) });
  for (const node of found.nodes) found.start(node);
  await found.runtime.run(3000);
  assert.deepEqual(found.groups()[0]?.voters, ['n2', 'n1']);
});

test('what a majority accepted is formed by whoever comes next, though its proposer is gone', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const sim = new FormationSim({ seed, size: 3 });
    for (const node of sim.nodes) sim.start(node);
    const accepted = (): SimNode[] => sim.nodes.slice(1).filter(({ durable }) => durable.accepted !== undefined);
    for (let ms = 10; ms < 1000 && accepted().length < 2; ms += 10) await sim.runtime.run(ms);
    const value = accepted()[0]!.durable.accepted!;
    sim.crash(sim.nodes[0]!);
    await sim.runtime.run(20_000);
    for (const node of sim.nodes.slice(1)) assert.equal(node.formed?.id, value.id, `seed ${seed}`);
  }
});

test('never two groups, whatever is lost, cut off or restarted; and one in the end (100 seeds)', async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const sim = new FormationSim({ seed, size: 3 + (seed % 3), loss: 0.3 });
    for (const node of sim.nodes) if (sim.runtime.random() < 0.8) sim.start(node);
    for (let step = 1; step <= 12; step++) {
      await sim.runtime.run(step * 700);
      const node = sim.nodes[Math.floor(sim.runtime.random() * sim.nodes.length)]!;
      if (sim.runtime.random() < 0.3) sim.heal();
      else if (sim.runtime.random() < 0.4) sim.isolate(node.name);
      else if (node.formed === undefined) {
        sim.crash(node);
        sim.start(node);
      }
    }
    for (const node of sim.nodes) if (node.formation === undefined) sim.start(node);
    sim.heal();
    await sim.runtime.run(60_000);
    const ids = new Set(sim.groups().map(({ id }) => id));
    assert.equal(ids.size, 1, `SIM_SEED=${seed}: ${[...ids].join(' ')}`);
  }
});
