/** Hosts under crashes, power cuts, cuts of the network and, on a minority, losses of what was synced; by seed. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../sim/random.ts';
import { recordOf } from './counting-machine.ts';
import { HostCluster, type TestNode } from './host-cluster.ts';

const SEEDS = process.env['SIM_SEED'] === undefined ? [1, 2, 3, 4, 5, 6, 7, 8] : [Number(process.env['SIM_SEED'])];
const STEPS = 60;
/**
 * What peers remember of a node's journal reaches their disks with their next batches. A disk that loses what it had
 * synced right when the power of all nodes fails is therefore not found out, and not simulated.
 */
const REMEMBERED_AFTER_MS = 2000;

/** What was applied on a leader that proposed it: acknowledged, so it may never be missing. */
class Publisher {
  readonly acknowledged: string[] = [];
  readonly #cluster: HostCluster;
  #waiting: { readonly text: string; readonly node: TestNode; readonly life: number }[] = [];
  #count = 0;

  constructor(cluster: HostCluster) {
    this.#cluster = cluster;
  }

  propose(): void {
    for (const node of this.#cluster.nodes) {
      if (node.group?.status.ready !== true || !node.group.canPropose) continue;
      const text = `m${++this.#count}`;
      if (node.group.propose(recordOf(text)) === undefined) continue;
      this.#waiting.push({ text, node, life: node.starts });
    }
  }

  collect(): void {
    this.#waiting = this.#waiting.filter(({ text, node, life }) => {
      if (node.starts !== life || node.host === undefined) return false;
      if (!node.machine!.bodies.includes(text)) return true;
      this.acknowledged.push(text);
      return false;
    });
  }
}

async function disturb(cluster: HostCluster, random: Random, powerCut: { atMs: number }): Promise<void> {
  const node = random.pick(cluster.nodes);
  const down = cluster.nodes.filter((each) => each.host === undefined);
  if (down.length > 0 && random.chance(0.5)) {
    await cluster.start(random.pick(down));
    return;
  }
  switch (random.integer(0, 6)) {
    case 0:
      if (node.host !== undefined) cluster.crash(node, random.pick(['lose', 'keep', 1] as const));
      return;
    case 1:
      // Damage on one node at a time: that is what a majority protects from.
      if (node.host === undefined || down.length > 0 || node.disk.syncedBatches < 10) return;
      if (cluster.nodes.some((each) => each.group!.status.repairing)) return;
      if (cluster.time.nowMs - powerCut.atMs < REMEMBERED_AFTER_MS) return;
      cluster.network.heal();
      cluster.crash(node);
      if (random.chance(0.5)) node.disk.loseTail(random.integer(1, 6));
      else node.disk.loseSynced(random.integer(0, 6));
      await cluster.start(node);
      // Until it knows what it lost it must not be joined by a second one.
      await cluster.time.run(3000);
      return;
    case 2:
      cluster.network.partition(
        [node.id],
        cluster.voters.filter((id) => id !== node.id),
      );
      return;
    case 3:
      cluster.network.cut(node.id, random.pick(cluster.voters));
      return;
    case 4:
      powerCut.atMs = cluster.time.nowMs;
      for (const each of cluster.nodes) if (each.host !== undefined) cluster.crash(each, 'lose');
      for (const each of cluster.nodes) await cluster.start(each);
      return;
    default:
      cluster.network.heal();
  }
}

for (const seed of SEEDS) {
  test(`nothing acknowledged is lost, and replicas end equal (SIM_SEED=${seed})`, async () => {
    const random = new Random(seed * 7919);
    const storage = seed % 4 === 0 ? 'memory' : 'file';
    const cluster = new HostCluster({ nodes: 3, seed, checkpoints: { afterEntries: 12, trailingEntries: 3 }, storage });
    await cluster.startAll();
    const publisher = new Publisher(cluster);
    const powerCut = { atMs: 0 };
    for (let step = 0; step < STEPS; step++) {
      // Memory is lost with its process, so a majority of them must live on.
      if (storage === 'file') await disturb(cluster, random, powerCut);
      else if (random.chance(0.2)) cluster.network.partition([random.pick(cluster.voters)], cluster.voters);
      else cluster.network.heal();
      for (let burst = random.integer(1, 8); burst > 0; burst--) {
        publisher.propose();
        await cluster.time.run(random.integer(1, 150));
        publisher.collect();
      }
    }
    cluster.network.heal();
    for (const node of cluster.nodes) if (node.host === undefined) await cluster.start(node);
    await cluster.publish('the end');
    await cluster.untilEqual();
    await cluster.until('all count again', () => cluster.nodes.every((node) => !node.group!.status.repairing));
    assert.ok(publisher.acknowledged.length > 5, `only ${publisher.acknowledged.length} were acknowledged`);
    for (const node of cluster.nodes) {
      const bodies = new Set(node.machine!.bodies);
      assert.equal(bodies.size, node.machine!.bodies.length, 'nothing twice');
      const lost = publisher.acknowledged.filter((text) => !bodies.has(text));
      assert.deepEqual(lost, [], node.id);
      assert.deepEqual(node.machine!.bodies, cluster.nodes[0]!.machine!.bodies);
    }
  });
}
