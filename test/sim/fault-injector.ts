/**
 * Owns the bad luck of a simulation: at random times something breaks, within what the cluster promises to survive. What
 * was synced is only ever lost on a minority, and until such a node has caught up again it counts as broken; the same
 * goes for a replica in memory that was restarted.
 */
import type { NodeId } from '../../src/base/brand.ts';
import type { LogIndex } from '../../src/raft/index.ts';
import type { EventLog } from './event-log.ts';
import type { SimulatedNetwork } from './network.ts';
import type { Fault } from './plan.ts';
import type { DiskPace } from './process-disk.ts';
import type { Random } from './random.ts';
import type { OpenStream, SimulatedNode } from './simulated-node.ts';
import type { PowerCut } from './simulated-disk.ts';

const HOUR_US = 3_600_000_000;
/** A damaged node must have been up for so long before it can be said to have found out what it lost. */
const SETTLING_MS = 1000;
/** Batches that are never lost: those by which the node and its groups came to be. */
const FIRST_BATCHES = 12;

interface Options {
  readonly nodes: readonly SimulatedNode[];
  readonly network: SimulatedNetwork;
  readonly random: Random;
  readonly log: EventLog;
  readonly faults: readonly Fault[];
  readonly diskPace: DiskPace;
  /** How many streams each node has. */
  readonly streams: number;
  /** A restart loses what some stream holds on a node. */
  readonly hasMemory: boolean;
  /** The last entry of the stream's group that was applied anywhere. */
  readonly lastApplied: (stream: OpenStream) => LogIndex;
  /** Where streams have members of their own: nothing rests on this node alone, and nothing is on its way. */
  readonly mayLose?: (node: SimulatedNode) => boolean;
}

export class FaultInjector {
  readonly #options: Options;
  /** Nodes that may have forgotten something that they had promised. */
  readonly #forgetful = new Set<SimulatedNode>();

  constructor(options: Options) {
    this.#options = options;
  }

  isForgetful(node: NodeId): boolean {
    this.#forgive();
    return [...this.#forgetful].some(({ id }) => id === node);
  }

  /** Something breaks, or is mended. */
  strike(): void {
    const { nodes, random, faults, network } = this.#options;
    this.#forgive();
    const down = nodes.filter((node) => !node.isUp);
    if (down.length > 0 && random.chance(0.5)) {
      random.pick(down).start();
      return;
    }
    if (faults.length === 0 || random.chance(0.25)) {
      this.#mend();
      return;
    }
    const node = random.pick(nodes);
    switch (random.pick(faults)) {
      case 'crash':
        this.#crash(node, random.pick(['lose', 'keep', 1] as const));
        return;
      case 'powerCut':
        if (!this.#options.hasMemory) for (const each of nodes) this.#crash(each, 'lose');
        if (!this.#options.hasMemory) for (const each of nodes) each.start();
        return;
      case 'damage':
        this.#damage(node);
        return;
      case 'failedWrite':
        if (node.isUp && this.#mayForget(node)) {
          if (this.#options.hasMemory) this.#forgetful.add(node);
          node.failNextWrite(random.pick(['applied', 'lost']));
        }
        return;
      case 'slowDisk':
        node.pace = random.pick([
          { minMs: 5, maxMs: 30 },
          { minMs: 50, maxMs: 150 },
        ]);
        return;
      case 'clock':
        node.setWallOffset(random.pick([-2 * HOUR_US, -HOUR_US / 3600, 0, HOUR_US / 1800, 2 * HOUR_US]));
        return;
      case 'stall':
        node.runtime?.stall(random.pick([100, 400, 1500]));
        return;
      case 'badNetwork':
        Object.assign(network.faults, {
          lossProbability: random.pick([0.05, 0.3]),
          duplicateProbability: random.pick([0, 0.3]),
          maxDelayMs: random.pick([2, 20, 100]),
        });
        return;
      case 'partition':
        this.#partition();
        return;
      case 'oneWayCut':
        network.cut(node.id, random.pick(nodes).id);
        return;
      case 'transfer':
        this.#transfer();
    }
  }

  /** From here on nothing breaks any more. */
  heal(): void {
    const { nodes, random, hasMemory } = this.#options;
    this.#mend();
    for (const node of nodes) delete node.disk.faults.failNextWrite;
    if (!hasMemory && random.chance(0.5)) for (const node of nodes) this.#crash(node, 'lose');
    this.revive();
  }

  revive(): void {
    for (const node of this.#options.nodes) if (!node.isUp) node.start();
  }

  #mend(): void {
    const { network, nodes, diskPace } = this.#options;
    network.heal();
    Object.assign(network.faults, { lossProbability: 0, duplicateProbability: 0, maxDelayMs: 2 });
    for (const node of nodes) node.pace = diskPace;
    this.#options.log.note('the network heals');
  }

  #crash(node: SimulatedNode, cut: PowerCut): void {
    if (!node.isUp || (this.#options.hasMemory && !this.#mayForget(node))) return;
    if (this.#options.hasMemory) this.#forgetful.add(node);
    node.crash(cut);
  }

  #damage(node: SimulatedNode): void {
    const { random, log } = this.#options;
    const { disk } = node;
    if (!this.#mayForget(node) || disk.syncedBatches < 2 * FIRST_BATCHES) return;
    node.crash('lose');
    this.#forgetful.add(node);
    node.damaged = true;
    const most = Math.min(12, disk.syncedBatches - FIRST_BATCHES);
    const kind = random.pick(['tail', 'hole', 'flip']);
    if (kind === 'tail') disk.loseTail(random.integer(1, most));
    else if (kind === 'hole') disk.loseSynced(random.integer(0, most));
    else flipBit(node, random);
    log.note(`${node.id} is damaged: ${kind}`);
  }

  #partition(): void {
    const { nodes, network, random, log } = this.#options;
    const ids = nodes.map(({ id }) => id);
    const some = ids.filter(() => random.chance(0.4));
    log.note(`partition of ${some.join(' ')}`);
    network.partition(
      some,
      ids.filter((id) => !some.includes(id)),
    );
  }

  #transfer(): void {
    const { nodes, random } = this.#options;
    for (const node of nodes) {
      for (const { handle } of node.streams.values()) {
        if (handle.status.role === 'leader')
          void handle.transferLeadership(random.pick([undefined, random.pick(nodes).id]));
      }
    }
  }

  /** With this node there would still be a majority that remembers everything. */
  #mayForget(node: SimulatedNode): boolean {
    const { mayLose } = this.#options;
    // With fewer replicas than nodes, any two may be a majority.
    if (mayLose !== undefined && (this.#forgetful.size > 0 || !mayLose(node))) return false;
    const others = [...this.#forgetful].filter((each) => each !== node).length;
    return (others + 1) * 2 < this.#options.nodes.length;
  }

  #forgive(): void {
    for (const node of this.#forgetful) if (this.#hasCaughtUp(node)) this.#forgetful.delete(node);
  }

  #hasCaughtUp(node: SimulatedNode): boolean {
    const { streams, lastApplied, mayLose } = this.#options;
    if (node.isDoomed || node.uptimeMs < SETTLING_MS) return false;
    if (mayLose === undefined ? node.streams.size < streams : node.catalogue?.meta.status?.repairing !== false)
      return false;
    return [...node.streams.values()].every((stream) => {
      const { status } = stream.handle;
      return !status.repairing && status.leader !== undefined && status.lastApplied >= lastApplied(stream);
    });
  }
}

/** One bit of one value, but not of those by which the node knows its own database. */
function flipBit(node: SimulatedNode, random: Random): void {
  const keys = node.disk.storedKeys().filter((key) => key[0] === 1 || key[1] === 3);
  node.disk.damage(random.pick(keys), (value) => {
    const at = random.integer(0, value.length);
    value[at] = value[at]! ^ (1 << random.integer(0, 8));
    return value;
  });
}
