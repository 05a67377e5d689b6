/** Owns one simulated run of a whole cluster, from a seed to a verdict. */
import type { NodeId, Seq } from '../../src/base/brand.ts';
import type { StoredMessage, StreamInstance } from '../../src/stream/index.ts';
import { AccountNetwork } from './account-network.ts';
import { PromiseChecker, type ShownMessage } from './checkers.ts';
import { EventLog } from './event-log.ts';
import { FaultInjector } from './fault-injector.ts';
import { SimulatedNetwork } from './network.ts';
import { Operator } from './operator.ts';
import { drawPlanOf, type Plan, type PlanKind } from './plan.ts';
import { Random } from './random.ts';
import { SimulatedNode, type Interference, type NodeSurroundings } from './simulated-node.ts';
import type { Origin } from './taken-messages.ts';
import { VirtualTime } from './virtual-time.ts';
import { Workload } from './workload.ts';

/** Where one stream's trouble shows in another, it takes longer. */
const DURATIONS_MS: Readonly<Record<PlanKind, number>> = {
  plain: 3000,
  moving: 3000,
  taking: 6000,
  takingMoving: 6000,
  drifting: 3000,
};
const START_LIMIT_MS = 10_000;
/** Tells stuck from slow: everything must move again within this of virtual time after everything has healed. */
const SETTLE_LIMIT_MS = 60_000;
/** Who got no answer three times waits half a minute before the next try. */
const SERVED_LIMIT_MS = 120_000;
const FIRST_STRIKE_MS = 500;
const DRAIN_INTERVAL_MS = 20;
const REVIVE_INTERVAL_MS = 100;

export interface SimulationOptions {
  readonly seed: number;
  readonly durationMs?: number;
  readonly interference?: Interference;
  readonly kind?: PlanKind;
  /** Replaces what the seed would have chosen. */
  readonly change?: (plan: Plan) => Plan;
}

export interface SimulationResult {
  readonly violations: readonly string[];
  /** Equal for equal courses of events. */
  readonly digest: string;
  readonly recent: readonly string[];
  readonly acknowledgements: number;
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options);
  await simulation.run();
  return simulation.result;
}

class Simulation {
  readonly #time = new VirtualTime();
  readonly #log = new EventLog(() => this.#time.nowMs);
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #nodes: SimulatedNode[] = [];
  readonly #workloads: Workload[];
  readonly #faults: FaultInjector;
  readonly #operator: Operator | undefined;
  #isFaulty = true;
  #isDraining = true;
  #isQuietening = true;

  constructor({ seed, interference = {}, kind = 'plain', change, ...options }: SimulationOptions) {
    const { durationMs = DURATIONS_MS[kind] } = options;
    this.#random = new Random(seed * 7919);
    const random = this.#random;
    const drawn = drawPlanOf(kind, random.fork(), durationMs);
    this.#plan = change?.(drawn) ?? drawn;
    const { nodes, streams, checkpoints, faults, diskPace, isMoving, clockDrift } = this.#plan;
    const time = this.#time;
    const log = this.#log;
    const network = new SimulatedNetwork(time, random.fork());
    const account = new AccountNetwork(network, this.#nodes);
    const promises = new PromiseChecker(log.complain);
    const origin = (name: string): Origin => this.#workloads.find(({ spec }) => spec.config.name === name)!.reference;
    const fastestClock = 1 + clockDrift;
    const workloads = new Map(
      streams.map((spec) => [
        spec,
        new Workload(spec, { time, random: random.fork(), log, nodes: this.#nodes, origin, fastestClock }),
      ]),
    );
    this.#workloads = [...workloads.values()];
    const isForgetful = (node: NodeId): boolean => this.#faults.isForgetful(node);
    const parts = { nodes: this.#nodes, streams, log, isForgetful };
    this.#operator = isMoving ? new Operator({ ...parts, random: random.fork() }) : undefined;
    const operator = this.#operator;
    for (const id of nodes) {
      this.#nodes.push(
        this.#node(id, {
          time,
          network,
          account,
          random: random.fork(),
          log,
          diskPace,
          promises,
          voters: nodes,
          streams,
          checkpoints,
          interference,
          ...(operator && {
            catalogue: {
              partOf: (node: NodeId) => this.#nodes.find(({ id }) => id === node)?.catalogue,
              rehome: operator.rehome,
            },
          }),
          watch: (node, spec) => workloads.get(spec)!.watch(node),
          inbox: (node, spec) => workloads.get(spec)!.inbox(node),
          linkChanged: (node, up) => {
            for (const other of this.#nodes) if (other.id !== node) other.host?.linkChanged(node, up);
          },
        }),
      );
    }
    this.#faults = new FaultInjector({
      nodes: this.#nodes,
      network,
      random: random.fork(),
      log,
      faults,
      diskPace,
      streams: streams.length,
      hasMemory: streams.some(({ config }) => config.storage === 'memory'),
      lastApplied: ({ spec }) => workloads.get(spec)!.logChecker.lastApplied,
      ...(operator && { mayLose: (node: SimulatedNode) => operator.mayLose(node) }),
    });
  }

  #node(id: NodeId, surroundings: NodeSurroundings): SimulatedNode {
    const { clockDrift } = this.#plan;
    // Where clocks are right, nothing is drawn: a seed keeps its course.
    const rate = clockDrift === 0 ? 1 : 1 + clockDrift * this.#random.pick([-1, 0, 1]);
    return new SimulatedNode(id, surroundings, rate);
  }

  get result(): SimulationResult {
    return {
      violations: this.#log.violations,
      digest: this.#log.digest,
      recent: this.#log.recent,
      acknowledgements: this.#workloads.reduce((sum, { publishes }) => sum + publishes.acknowledgements, 0),
    };
  }

  async run(): Promise<void> {
    this.#time.schedule(0, () => {
      for (const node of this.#nodes) node.start();
    });
    if (!(await this.#until('all streams have leaders', () => this.#isReady, START_LIMIT_MS))) return;
    for (const workload of this.#workloads) this.#keepActing(workload);
    if (this.#operator !== undefined) this.#keepMoving(this.#operator);
    this.#time.schedule(FIRST_STRIKE_MS, () => {
      this.#keepStriking();
    });
    await this.#time.runUntil(() => this.#failed || this.#time.nowMs > this.#plan.durationMs, this.#plan.durationMs);
    this.#isFaulty = false;
    if (this.#failed) return;
    this.#log.note('everything heals');
    this.#faults.heal();
    await this.#settle();
  }

  get #failed(): boolean {
    return this.#log.violations.length > 0;
  }

  get #isReady(): boolean {
    return this.#operator?.create() !== false && this.#allLed;
  }

  get #allLed(): boolean {
    return this.#workloads.every((workload) => workload.open().some(({ handle }) => handle.status.ready));
  }

  #keepActing(workload: Workload): void {
    if (!this.#isFaulty) return;
    workload.act();
    this.#time.schedule(this.#random.integer(1, 20), () => {
      this.#keepActing(workload);
    });
  }

  #keepMoving(operator: Operator): void {
    if (!this.#isFaulty) return;
    operator.act();
    this.#time.schedule(this.#random.integer(50, 600), () => {
      this.#keepMoving(operator);
    });
  }

  #keepStriking(): void {
    if (!this.#isFaulty) return;
    this.#faults.strike();
    const { min, max } = this.#plan.faultPauseMs;
    this.#time.schedule(this.#random.integer(min, max), () => {
      this.#keepStriking();
    });
  }

  /** Whatever was wrong is over: all must come back to life by itself, and hold what it should. */
  async #settle(): Promise<void> {
    this.#keepReviving();
    if (!(await this.#until('all replicas take part', () => this.#allTakePart, SETTLE_LIMIT_MS))) return;
    this.#keepQuietening();
    if (
      !(await this.#until('schedules and purges end, and what is due expires', () => this.#allQuiet, SETTLE_LIMIT_MS))
    )
      return;
    this.#isQuietening = false;
    for (const workload of this.#workloads) workload.publish(1);
    this.#keepDraining();
    if (!(await this.#until('clients are served', () => this.#allServed, SERVED_LIMIT_MS))) return;
    this.#isDraining = false;
    if (!(await this.#until('replicas are equal', () => this.#allEqual, SETTLE_LIMIT_MS))) return;
    let isChecked = false;
    this.#checkContents().then(
      () => {
        isChecked = true;
      },
      (error: unknown) => {
        this.#log.complain(`reading failed: ${String(error)}`);
      },
    );
    if (!(await this.#until('everything can be read', () => isChecked, SETTLE_LIMIT_MS))) return;
    for (const workload of this.#workloads) workload.checkConsumers();
  }

  get #allTakePart(): boolean {
    if (this.#operator !== undefined) return this.#operator.isConverged && this.#allLed;
    return (
      this.#nodes.every(
        ({ streams }) =>
          streams.size === this.#workloads.length &&
          [...streams.values()].every(({ handle }) => !handle.status.repairing),
      ) && this.#allLed
    );
  }

  get #allQuiet(): boolean {
    return this.#workloads.every((workload) => workload.isQuiet);
  }

  get #allServed(): boolean {
    return this.#workloads.every((workload) => workload.isServed);
  }

  get #allEqual(): boolean {
    return this.#workloads.every((workload) =>
      this.#holders(workload).every(
        ({ streams }) =>
          (streams.get(workload.group)?.handle.status.lastApplied ?? 0) >= workload.logChecker.lastApplied,
      ),
    );
  }

  #holders({ spec }: Workload): readonly SimulatedNode[] {
    const members = this.#operator?.assignmentOf(spec)?.members;
    return members === undefined ? this.#nodes : this.#nodes.filter(({ id }) => members.includes(id));
  }

  /** A write that failed before may end a process only now. */
  #keepReviving(): void {
    this.#faults.revive();
    this.#time.schedule(REVIVE_INTERVAL_MS, () => {
      this.#keepReviving();
    });
  }

  #keepQuietening(): void {
    if (!this.#isQuietening) return;
    for (const workload of this.#workloads) workload.quieten();
    this.#time.schedule(DRAIN_INTERVAL_MS, () => {
      this.#keepQuietening();
    });
  }

  #keepDraining(): void {
    if (!this.#isDraining) return;
    for (const workload of this.#workloads) workload.drain();
    this.#time.schedule(DRAIN_INTERVAL_MS, () => {
      this.#keepDraining();
    });
  }

  async #checkContents(): Promise<void> {
    for (const workload of this.#workloads) {
      for (const node of this.#holders(workload)) await this.#checkReplica(workload, node);
    }
  }

  /** Reads all of a replica; once more if the stream changed meanwhile, or as long as a record is being repaired. */
  async #checkReplica(workload: Workload, node: SimulatedNode): Promise<void> {
    for (;;) {
      const { instance } = node.streams.get(workload.group)!;
      const { lastApplied } = workload.logChecker;
      const isCurrent = this.#allEqual;
      const shown = await this.#readAll(instance);
      if (shown !== undefined && isCurrent && lastApplied === workload.logChecker.lastApplied) {
        workload.checkContent(node.id, shown);
        return;
      }
      await new Promise<void>((resolve) => this.#time.schedule(DRAIN_INTERVAL_MS, resolve));
    }
  }

  /** Undefined: something could not be read now. */
  async #readAll(instance: StreamInstance): Promise<ShownMessage[] | undefined> {
    let ready: () => void = () => undefined;
    const cursor = instance.openCursor({
      position: 1 as Seq,
      filter: undefined,
      onReady: () => {
        ready();
      },
    });
    const shown: ShownMessage[] = [];
    for (;;) {
      const waiting = new Promise<void>((resolve) => {
        ready = resolve;
      });
      const step = cursor.advance();
      if (step === 'message') shown.push(show(cursor.view));
      else if (step === 'wait') await waiting;
      else {
        cursor.close();
        return step === 'end' ? shown : undefined;
      }
    }
  }

  async #until(what: string, condition: () => boolean, limitMs: number): Promise<boolean> {
    const held = await this.#time.runUntil(() => this.#failed || condition(), limitMs);
    if (!held) {
      const waiting = this.#workloads.map((workload) => workload.describeWaiting());
      const operator = this.#operator?.describe() ?? '';
      this.#log.complain(`not within ${limitMs} ms: ${what}. ${[...waiting, operator].join('; ')}`);
    }
    return held && !this.#failed;
  }
}

function show({
  seq,
  timestampUs,
  buffer,
  subjectStart,
  headersStart,
  payloadStart,
  end,
}: StoredMessage): ShownMessage {
  return {
    seq,
    timestampUs,
    subject: buffer.toString('utf8', subjectStart, headersStart),
    headers: buffer.toString('utf8', headersStart, payloadStart),
    payload: buffer.toString('utf8', payloadStart, end),
  };
}
