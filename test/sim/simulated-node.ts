/**
 * Owns one whole node of a simulation: host, storage, streams and consumers as the server runs them, on a disk, network
 * and clock that lie and fail on demand. The node outlives its processes: its disk stays when a life ends.
 */
import type { NodeId, TimestampUs } from '../../src/base/brand.ts';
import { silentLogger, type Logger } from '../../src/base/logger.ts';
import { createConsumers, type ConsumerSet } from '../../src/consumer/index.ts';
import { decodeFrame } from '../../src/raft/wire/frame.ts';
import {
  createRaftHost,
  NodeStorage,
  type CheckpointPolicy,
  type GroupHandle,
  type GroupId,
  type KeyValueDisk,
  type RaftHost,
  type RaftTransport,
  type StateMachine,
} from '../../src/raft/index.ts';
import { isNodeFrame } from '../../src/raft/wire/node-frame.ts';
import { StreamSourcing, type UpstreamPort } from '../../src/sourcing/index.ts';
import { createStream, type StreamConfig, type StreamInstance } from '../../src/stream/index.ts';
import type { AccountNetwork } from './account-network.ts';
import { CataloguePart, type CataloguePartOptions } from './catalogue-part.ts';
import type { PromiseChecker } from './checkers.ts';
import type { EventLog } from './event-log.ts';
import type { SimulatedNetwork } from './network.ts';
import { ProcessDisk, type DiskPace } from './process-disk.ts';
import type { Random } from './random.ts';
import { RecordingOutlet, type ClientInbox } from './recording-outlet.ts';
import { SimulatedDisk, type PowerCut } from './simulated-disk.ts';
import { SimulatedRuntime, type VirtualTime } from './virtual-time.ts';
import { WatchedMachine, type MachineWatch } from './watched-machine.ts';

/** Few enough that most purges take several entries, with whatever happens in between. */
const PURGE_STEP = 7;
const CREATED_US = 1_700_000_000_000_000 as TimestampUs;
/** A connection to a process that died is reset about now, if the operating system gets to say so. */
const RESET_MS = 1;
/** What is logged with these tells why. */
const TOLD_IN_FULL: readonly string[] = ['origin.lost', 'group.damaged'];

export interface StreamSpec {
  /** Where there is a catalogue, that one gives it out. */
  group: GroupId;
  readonly config: StreamConfig;
  readonly firstLeader: NodeId;
}

/** One stream on one node, in one life. */
export interface OpenStream {
  readonly spec: StreamSpec;
  readonly handle: GroupHandle;
  readonly instance: StreamInstance;
  readonly consumers: ConsumerSet;
  /** What clients ask waits while the process stands still. */
  readonly whenAwake: (task: () => void) => void;
}

/** Bugs planted from outside, so that a test sees the checkers find them. */
export interface Interference {
  readonly disk?: (disk: KeyValueDisk, node: NodeId) => KeyValueDisk;
  readonly machine?: (machine: StateMachine, node: NodeId) => StateMachine;
  readonly instance?: (instance: StreamInstance) => StreamInstance;
  readonly consumers?: (consumers: ConsumerSet, inbox: ClientInbox) => ConsumerSet;
  /** How a stream that takes from others reaches them, and how it sees itself. */
  readonly port?: (port: UpstreamPort) => UpstreamPort;
  readonly taker?: (instance: StreamInstance) => StreamInstance;
}

export interface NodeSurroundings {
  readonly time: VirtualTime;
  readonly network: SimulatedNetwork;
  readonly account: AccountNetwork;
  readonly random: Random;
  readonly log: EventLog;
  readonly diskPace: DiskPace;
  readonly promises: PromiseChecker;
  readonly voters: readonly NodeId[];
  readonly streams: readonly StreamSpec[];
  readonly checkpoints: Partial<CheckpointPolicy>;
  readonly interference: Interference;
  /** Streams are where a catalogue says, and may go elsewhere. Absent: every node has them all, from the beginning. */
  readonly catalogue?: {
    readonly partOf: (node: NodeId) => CataloguePart | undefined;
    readonly rehome: CataloguePartOptions['rehome'];
  };
  readonly watch: (node: NodeId, spec: StreamSpec) => MachineWatch;
  readonly inbox: (node: NodeId, spec: StreamSpec) => ClientInbox;
  /** Its process began or ended. */
  readonly linkChanged: (node: NodeId, up: boolean) => void;
}

/** One process, from start to crash. */
class Life {
  readonly startedMs: number;
  #over = false;

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }

  end(): void {
    this.#over = true;
  }

  isOver(): boolean {
    return this.#over;
  }
}

interface Process {
  readonly runtime: SimulatedRuntime;
  readonly logger: Logger;
  readonly life: Life;
}

export class SimulatedNode {
  readonly id: NodeId;
  readonly disk = new SimulatedDisk();
  /** May change at any time. */
  pace: DiskPace;
  readonly streams = new Map<GroupId, OpenStream>();
  runtime: SimulatedRuntime | undefined;
  host: RaftHost | undefined;
  catalogue: CataloguePart | undefined;
  /** Since the last life its disk was damaged: what it promised may be forgotten. */
  damaged = false;
  #expectsFailure = false;
  readonly #surroundings: NodeSurroundings;
  readonly #clockRate: number;
  #life: Life | undefined;
  #starts = 0;
  #wallOffsetUs = 0;

  /** `clockRate`: of its monotonic clock, in all its lives. */
  constructor(id: NodeId, surroundings: NodeSurroundings, clockRate: number) {
    this.id = id;
    this.#clockRate = clockRate;
    this.pace = surroundings.diskPace;
    this.#surroundings = surroundings;
  }

  /** A process runs, though it may not have come far yet. */
  get isUp(): boolean {
    return this.#life !== undefined;
  }

  /** The next write fails. */
  get isDoomed(): boolean {
    return this.#expectsFailure;
  }

  get uptimeMs(): number {
    return this.#life === undefined ? 0 : this.#surroundings.time.nowMs - this.#life.startedMs;
  }

  /** A failure of this is reported as a violation, unless the process died meanwhile. */
  start(): void {
    const { time, log } = this.#surroundings;
    const life = new Life(time.nowMs);
    this.#life = life;
    log.note(`${this.id} starts`);
    this.#open(life).catch((error: unknown) => {
      if (life.isOver()) return;
      if (this.#expectsFailure) this.crash('keep');
      else log.complain(`${this.id} does not start: ${String(error)}`);
    });
  }

  /** As `kill -9` or a power cut would. */
  crash(cut: PowerCut): void {
    if (this.#life === undefined) return;
    const { network, account, log, time, linkChanged } = this.#surroundings;
    log.note(`${this.id} crashes, ${cut}`);
    this.#life.end();
    this.#life = undefined;
    this.runtime?.stop();
    this.runtime = undefined;
    this.host = undefined;
    this.catalogue = undefined;
    this.streams.clear();
    account.forget(this.id);
    network.attach(this.id, undefined);
    this.disk.crash(cut);
    delete this.disk.faults.failNextWrite;
    this.#expectsFailure = false;
    time.schedule(RESET_MS, () => {
      if (!this.isUp) linkChanged(this.id, false);
    });
  }

  /** The next write fails, and with it the process. */
  failNextWrite(outcome: 'applied' | 'lost'): void {
    this.disk.faults.failNextWrite = outcome;
    this.#expectsFailure = true;
  }

  setWallOffset(offsetUs: number): void {
    this.#wallOffsetUs = offsetUs;
    if (this.runtime !== undefined) this.runtime.wallOffsetUs = offsetUs;
  }

  async #open(life: Life): Promise<void> {
    const { time, network, random, interference, promises, checkpoints, log } = this.#surroundings;
    const runtime = new SimulatedRuntime(time, random.fork(), this.#clockRate);
    runtime.wallOffsetUs = this.#wallOffsetUs;
    this.runtime = runtime;
    promises.reborn(this.id, this.damaged);
    this.damaged = false;
    const disk = new ProcessDisk(this.disk.mount(), { pace: () => this.pace, time, random: random.fork(), life });
    const logger = this.#logger(life);
    const storage = await NodeStorage.open({
      disk: interference.disk?.(disk, this.id) ?? disk,
      node: this.id,
      databaseId: `database of ${this.id}`,
      bootstrap: this.#starts++ === 0,
      syncInterval: 'always',
      runtime,
      logger,
    });
    if (life.isOver()) return;
    this.host = createRaftHost({
      node: this.id,
      clusterName: 'simulation',
      runtime,
      transport: this.#transport(life),
      storage,
      logger,
      checkpoints,
      onFatal: (error) => {
        if (life.isOver()) return;
        if (!this.#expectsFailure) log.complain(`${this.id} gave up: ${error.message}`);
        runtime.defer(() => {
          this.crash('keep');
        });
      },
    });
    const { host } = this;
    network.attach(this.id, {
      receive: (from, frame) => {
        runtime.whenAwake(() => {
          host.receive(from, frame);
        });
      },
    });
    this.#surroundings.linkChanged(this.id, true);
    const process = { runtime, logger, life };
    if (this.#surroundings.catalogue !== undefined) await this.#openCatalogue(this.host, process);
    else for (const spec of this.#surroundings.streams) await this.#openStream(this.host, spec, process);
    if (!life.isOver()) log.note(`${this.id} is up`);
  }

  async #openStream(host: RaftHost, spec: StreamSpec, process: Process): Promise<void> {
    if (process.life.isOver()) return;
    let made: Omit<OpenStream, 'handle'> | undefined;
    const handle = await host.openGroup({
      id: spec.group,
      name: spec.config.name,
      storage: spec.config.storage,
      bootstrap: { voters: this.#surroundings.voters, learners: [], firstLeader: spec.firstLeader },
      machine: (group) => {
        const { machine, ...open } = this.#createStream(spec, group, process);
        made = open;
        return machine;
      },
    });
    if (!process.life.isOver()) this.streams.set(spec.group, { ...made!, handle });
  }

  async #openCatalogue(host: RaftHost, process: Process): Promise<void> {
    const { network, voters, streams, catalogue, log } = this.#surroundings;
    const { runtime, logger, life } = process;
    const made = new Map<GroupId, Omit<OpenStream, 'handle'>>();
    const part = new CataloguePart({
      node: this.id,
      voters,
      host,
      runtime,
      logger,
      isLinked: (a, b) => network.isLinked(a, b),
      carry: (to, task) => {
        if (life.isOver()) return;
        network.carry(this.id, to, () => {
          const peer = catalogue!.partOf(to);
          if (peer === undefined) return;
          peer.runtime.whenAwake(() => {
            task(peer);
          });
        });
      },
      machine: (assignment, group) => {
        const spec = streams.find(({ config }) => config.name === assignment.name)!;
        spec.group = assignment.group;
        const { machine, ...open } = this.#createStream(spec, group, process);
        made.set(assignment.group, open);
        return machine;
      },
      opened: ({ group }) => {
        if (!life.isOver()) this.streams.set(group, { ...made.get(group)!, handle: host.group(group)! });
      },
      leaving: (group) => {
        log.note(`${this.id} leaves ${group}`);
        this.streams.delete(group);
      },
      rehome: catalogue!.rehome,
    });
    this.catalogue = part;
    await part.start();
  }

  #createStream(
    spec: StreamSpec,
    group: GroupHandle,
    { runtime, logger, life }: Process,
  ): Omit<OpenStream, 'handle'> & { readonly machine: StateMachine } {
    const { watch, interference, inbox, account } = this.#surroundings;
    const clients = guarded(inbox(this.id, spec), life);
    const outlet = new RecordingOutlet(clients, account.outletOf({ node: this.id, runtime }));
    const port = account.portOf({ node: this.id, runtime });
    let consumers: ConsumerSet | undefined;
    const instance = createStream({
      account: 'A',
      config: spec.config,
      revision: 1,
      createdUs: CREATED_US,
      group,
      runtime,
      logger,
      purgeStep: PURGE_STEP,
      events: {
        statusChanged: (status) => {
          if (life.isOver()) return;
          sourcing.statusChanged(status);
          if (status.ready) account.leads(this.id, spec.config.name);
          this.catalogue?.statusChanged(group.id);
        },
        configChanged: () => {
          sourcing.configChanged();
        },
        closed: () => {
          sourcing.close();
        },
      },
      createExtension: (extensionHost) => (consumers = createConsumers(extensionHost, { runtime, outlet, logger })),
    });
    const sourcing = new StreamSourcing({
      stream: interference.taker?.(instance) ?? instance,
      port: interference.port?.(port) ?? port,
      runtime,
      logger,
      domain: '',
    });
    return {
      spec,
      whenAwake: (task) => {
        runtime.whenAwake(task);
      },
      instance: interference.instance?.(instance) ?? instance,
      consumers: interference.consumers?.(consumers!, clients) ?? consumers!,
      machine: new WatchedMachine(interference.machine?.(instance, this.id) ?? instance, watch(this.id, spec)),
    };
  }

  #transport(life: Life): RaftTransport {
    const { network, promises } = this.#surroundings;
    const wire = network.transportOf(this.id);
    return {
      pendingBytes: (to, link) => wire.pendingBytes(to, link),
      send: (to, frame, link) => {
        if (life.isOver()) return;
        if (!isNodeFrame(frame)) {
          const messages = decodeFrame(frame, { from: this.id, to });
          if (typeof messages === 'string') this.#surroundings.log.complain(`${this.id} sent a bad frame: ${messages}`);
          else for (const { group, message } of messages) promises.said(group, message);
        }
        wire.send(to, frame, link);
      },
    };
  }

  #logger(life: Life): Logger {
    const { log } = this.#surroundings;
    const report = (fields: object, event: string): void => {
      if (life.isOver()) return;
      log.note(`${this.id} ${event}${TOLD_IN_FULL.includes(event) ? ` ${JSON.stringify(fields)}` : ''}`);
      if (event === 'stream.notOpened' && !this.#expectsFailure) log.complain(`${this.id}: ${JSON.stringify(fields)}`);
      if (event === 'group.failed') {
        const { error } = fields as { error: unknown };
        log.complain(`${this.id}: a group failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
      }
    };
    const logger: Logger = {
      ...silentLogger,
      debug: report,
      info: report,
      warn: report,
      error: report,
      child: () => logger,
    };
    return logger;
  }
}

/** Nobody hears from a process that is dead. */
function guarded(inbox: ClientInbox, life: Life): ClientInbox {
  return {
    message: (to, message) => {
      if (!life.isOver()) inbox.message(to, message);
    },
    flowAsked: (subject) => {
      if (!life.isOver()) inbox.flowAsked(subject);
    },
    published: (subject) => {
      if (!life.isOver()) inbox.published(subject);
    },
  };
}
