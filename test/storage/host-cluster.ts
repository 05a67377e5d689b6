/** Owns a few hosts in one process on virtual time, each with its own simulated disk, for the tests of this folder. */
import type { NodeId } from '../../src/base/brand.ts';
import { silentLogger, type Logger } from '../../src/base/logger.ts';
import {
  createRaftHost,
  NodeStorage,
  type CheckpointPolicy,
  type GroupHandle,
  type GroupId,
  type RaftHost,
} from '../../src/raft/index.ts';
import { SimulatedNetwork } from '../sim/network.ts';
import { Random } from '../sim/random.ts';
import { SimulatedDisk, type PowerCut } from '../sim/simulated-disk.ts';
import { SimulatedRuntime, VirtualTime } from '../sim/virtual-time.ts';
import { CountingMachine, recordOf } from './counting-machine.ts';

export const GROUP = 7 as GroupId;

export interface TestNode {
  readonly id: NodeId;
  readonly disk: SimulatedDisk;
  runtime: SimulatedRuntime;
  host: RaftHost | undefined;
  machine: CountingMachine | undefined;
  group: GroupHandle | undefined;
  fatal: Error | undefined;
  starts: number;
  /** What a restore of its machine waits for. */
  restoreGate: Promise<void>;
  readonly events: string[];
}

export class HostCluster {
  readonly time = new VirtualTime();
  readonly network: SimulatedNetwork;
  readonly nodes: TestNode[] = [];
  readonly #random: Random;
  readonly #storage: 'file' | 'memory';
  readonly #checkpoints: Partial<CheckpointPolicy>;

  constructor(options: {
    readonly nodes: number;
    readonly seed?: number;
    readonly storage?: 'file' | 'memory';
    readonly checkpoints?: Partial<CheckpointPolicy>;
  }) {
    this.#checkpoints = options.checkpoints ?? {};
    this.#random = new Random(options.seed ?? 1);
    this.network = new SimulatedNetwork(this.time, this.#random.fork());
    this.#storage = options.storage ?? 'file';
    for (let number = 1; number <= options.nodes; number++) {
      this.nodes.push({
        id: `n${number}` as NodeId,
        disk: new SimulatedDisk(),
        runtime: new SimulatedRuntime(this.time, this.#random.fork()),
        host: undefined,
        machine: undefined,
        group: undefined,
        fatal: undefined,
        starts: 0,
        restoreGate: Promise.resolve(),
        events: [],
      });
    }
  }

  get voters(): NodeId[] {
    return this.nodes.map((node) => node.id);
  }

  async startAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.start(node)));
  }

  /** Starts the node on what its disk holds, and its group. */
  async start(node: TestNode): Promise<void> {
    await this.startHost(node);
    await this.openGroup(node, GROUP);
  }

  async startHost(node: TestNode): Promise<void> {
    node.runtime = new SimulatedRuntime(this.time, this.#random.fork());
    const logger = recordingLogger(node.events);
    const storage = await NodeStorage.open({
      disk: node.disk.mount(),
      node: node.id,
      databaseId: `database of ${node.id}`,
      bootstrap: node.starts++ === 0,
      syncInterval: 'always',
      runtime: node.runtime,
      logger,
    });
    node.host = createRaftHost({
      node: node.id,
      clusterName: 'test',
      runtime: node.runtime,
      transport: this.network.transportOf(node.id),
      storage,
      logger,
      checkpoints: this.#checkpoints,
      onFatal: (error) => {
        node.fatal = error;
      },
    });
    this.network.attach(node.id, node.host);
  }

  async openGroup(node: TestNode, id: GroupId, voters = this.voters): Promise<void> {
    node.group = await node.host!.openGroup({
      id,
      name: `group-${id}`,
      storage: this.#storage,
      bootstrap: { voters, learners: [], firstLeader: voters[0]! },
      machine: (handle) => {
        node.machine = new CountingMachine(handle);
        node.machine.restoreGate = node.restoreGate;
        return node.machine;
      },
    });
  }

  /** As `kill -9` or a power cut would. */
  crash(node: TestNode, cut: PowerCut = 'lose'): void {
    this.network.attach(node.id, undefined);
    node.runtime.stop();
    node.disk.crash(cut);
    node.host = undefined;
    node.group = undefined;
  }

  leader(): TestNode | undefined {
    return this.nodes.find((node) => node.group?.status.ready === true && !this.#isDeposed(node));
  }

  #isDeposed(node: TestNode): boolean {
    const { term } = node.group!.status;
    return this.nodes.some((other) => (other.group?.status.term ?? 0) > term);
  }

  /** Runs until `condition` holds. */
  async until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
    if (!(await this.time.runUntil(condition, limitMs))) throw new Error(`not within ${limitMs} ms: ${what}`);
  }

  async untilLeader(): Promise<TestNode> {
    await this.until('a leader is ready', () => this.leader() !== undefined);
    return this.leader()!;
  }

  /** What `promise` resolves to, with time running meanwhile. */
  async settle<T>(what: string, promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await this.until(what, () => settled);
    return promise;
  }

  /** Proposes through whoever leads, and waits until it is applied there. */
  async publish(...texts: string[]): Promise<void> {
    for (const text of texts) {
      const leader = await this.untilLeader();
      await this.until('the leader takes proposals', () => leader.group!.canPropose);
      leader.group!.propose(recordOf(text));
      await this.until(`${text} is applied`, () => leader.machine!.bodies.includes(text));
    }
  }

  async untilEqual(nodes = this.nodes.filter((node) => node.host !== undefined)): Promise<void> {
    await this.until('all have applied the same', () => {
      const first = nodes[0]!.machine!;
      return nodes.every(
        ({ machine }) => machine!.digest() === first.digest() && machine!.bodies.length === first.bodies.length,
      );
    });
  }
}

function recordingLogger(events: string[]): Logger {
  const record = (_fields: object, event: string): void => {
    events.push(event);
  };
  const logger: Logger = { ...silentLogger, info: record, warn: record, error: record, child: () => logger };
  return logger;
}
