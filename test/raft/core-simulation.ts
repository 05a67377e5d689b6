/**
 * Owns random runs of a group of real cores: a network that loses, doubles, delays and cuts; crashes that lose what was
 * not on disk, and disks that lose what was; clocks that drift; and every request a host can make.
 */
import assert from 'node:assert/strict';
import type { NodeId } from '../../src/base/brand.ts';
import type { CommitRule } from '../../src/raft/core/input.ts';
import { makeMembership } from '../../src/raft/core/membership.ts';
import { decodeFrame, encodeFrame } from '../../src/raft/wire/frame.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { allocateRecord, RECORD_HEADER_BYTES } from '../../src/raft/record.ts';
import { CoreChecks } from './core-checks.ts';
import { CoreNode, ELECTION_TIMEOUT_MIN_MS, GROUP, NO_HARD_STATE } from './core-node.ts';
import { Random } from '../sim/random.ts';

const TICK_MS = 10;
const HEARTBEAT_MS = 60;
const FAULTY_TICKS = 700;
/** Generous: it tells stuck from slow. */
const HEALING_TICKS = 3000;
/** Clocks run at rates within this of the true one; the lease leaves room for more. */
const CLOCK_DRIFT = 0.05;

export interface SimulationOptions {
  readonly seed: number;
  /** Planted bugs. */
  readonly commitRule?: CommitRule;
  readonly forgetVotes?: boolean;
  /** A replica that lost part of its disk takes part as if it had not. */
  readonly ignoreLoss?: boolean;
  readonly leaseMs?: number;
}

interface Travelling {
  readonly at: number;
  readonly message: PeerMessage;
}

interface Member {
  readonly node: CoreNode;
  readonly rate: number;
  readonly offset: number;
  electionAt: number;
  heartbeatAt: number;
  writeDoneAt: number;
  restartAt: number;
  /** Until then the process stands still: nothing is received, written or timed. */
  stalledUntil: number;
}

export class CoreSimulation {
  readonly #random: Random;
  readonly #options: SimulationOptions;
  readonly #checks: CoreChecks;
  readonly #members = new Map<NodeId, Member>();
  #network: Travelling[] = [];
  #snapshots: { readonly at: number; readonly from: NodeId; readonly to: NodeId }[] = [];
  #cut = new Map<NodeId, number>();
  #oneWay = false;
  #time = 0;
  #reads = 0;
  #proposals = 0;
  #faulty = true;
  /** Some runs send single entries, others several. */
  readonly #appendBytes: number;
  /** Every message that left a node, to compare runs by. */
  readonly trace: string[] = [];
  readonly #faults: {
    loss: number;
    delay: number;
    crash: number;
    cut: number;
    isolate: number;
    stall: number;
    slowDisk: number;
    change: number;
    amnesia: number;
  };

  constructor(options: SimulationOptions) {
    this.#options = options;
    const random = (this.#random = new Random(options.seed));
    this.#checks = new CoreChecks({ trustDisk: options.forgetVotes !== true });
    // Swarm style: each run has its own mix of faults, and some runs lack some altogether.
    const some = (rate: number) => (random.chance(0.6) ? rate * random.next() : 0);
    this.#faults = {
      loss: some(0.3),
      delay: some(0.4),
      crash: some(0.02),
      cut: some(0.05),
      isolate: some(0.02),
      stall: some(0.01),
      slowDisk: some(0.3),
      change: some(0.03),
      amnesia: some(0.004),
    };
    this.#appendBytes = random.pick([1, 100, 200]);
    const ids = ['n1', 'n2', 'n3', 'n4', 'n5'] as NodeId[];
    const voters = ids.slice(0, Math.max(this.#fewestVoters, random.pick([1, 2, 3, 3, 3, 4, 5, 5])));
    const first = { membership: makeMembership({ voters }), firstLeader: random.chance(0.5) ? voters[0] : undefined };
    for (const id of ids) this.#addMember(id, first);
  }

  /** With fewer, the loss of one disk can leave nobody to prove what was committed. */
  get #fewestVoters(): number {
    return this.#faults.amnesia > 0 ? 3 : 1;
  }

  #addMember(id: NodeId, first: ConstructorParameters<typeof CoreNode>[1]): void {
    const random = this.#random;
    const { commitRule, leaseMs } = this.#options;
    const limits = {
      maxAppendBytes: this.#appendBytes,
      maxInflightBytes: 600,
      maxInflightMessages: 4,
      windowBytes: 600,
      catchUpEntries: 4,
    };
    const options = { limits, ...(commitRule && { commitRule }), ...(leaseMs !== undefined && { leaseMs }) };
    const node = new CoreNode(id, first, options, {
      send: (sender, message) => {
        this.#send(sender, message);
      },
      applied: (applier, entry) => {
        this.#checks.applied(applier, entry);
      },
      stepped: (stepper) => {
        this.#checks.stepped(stepper);
      },
      effects: (owner, effects) => {
        assert.equal(effects.brokenChain, undefined, `${owner.id} sees a broken chain`);
        for (const { context, index } of effects.reads) this.#checks.readAnswered(owner.id, context, index);
        for (const { to } of effects.snapshots) {
          this.#snapshots.push({ at: this.#time + random.below(300), from: owner.id, to });
        }
      },
    });
    const rate = 1 + (random.next() * 2 - 1) * CLOCK_DRIFT;
    const member = {
      node,
      rate,
      offset: random.below(100_000),
      electionAt: 0,
      heartbeatAt: 0,
      writeDoneAt: 0,
      restartAt: 0,
      stalledUntil: 0,
    };
    this.#members.set(id, member);
    node.step({ kind: 'wake' }, this.#clock(member));
  }

  #clock(member: Member): number {
    return member.offset + this.#time * member.rate;
  }

  get #running(): Member[] {
    return [...this.#members.values()].filter(({ node, stalledUntil }) => node.isUp && stalledUntil <= this.#time);
  }

  // --- Network ---

  #connected(from: NodeId, to: NodeId): boolean {
    const a = this.#cut.get(from) ?? 0;
    const b = this.#cut.get(to) ?? 0;
    return a === b || (this.#oneWay && a < b);
  }

  #send(sender: CoreNode, message: PeerMessage): void {
    this.#checks.said(sender, message);
    this.trace.push(`${this.#time} ${message.kind} ${message.from} ${message.to} ${message.term}`);
    const random = this.#random;
    if (this.#faulty && random.chance(this.#faults.loss)) return;
    const copies = this.#faulty && random.chance(0.05) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delay = this.#faulty && random.chance(this.#faults.delay) ? random.below(800) : random.below(15);
      this.#network.push({ at: this.#time + delay, message: this.#overTheWire(message) });
    }
  }

  /** Some runs send bytes, so that the codec is part of what is proven. */
  #overTheWire(message: PeerMessage): PeerMessage {
    if (this.#options.seed % 8 !== 0) return message;
    const decoded = decodeFrame(encodeFrame([{ group: GROUP, message }]), message);
    if (typeof decoded === 'string') throw new Error(`frame refused: ${decoded}`);
    return decoded[0]!.message;
  }

  #deliver(): void {
    const isDue = ({ at, message: { to } }: Travelling) =>
      at <= this.#time && this.#members.get(to)!.stalledUntil <= this.#time;
    const due = this.#network.filter(isDue);
    if (due.length === 0) return;
    this.#network = this.#network.filter((travelling) => !isDue(travelling));
    for (const { message } of due) {
      const member = this.#members.get(message.to)!;
      if (!member.node.isUp || !this.#connected(message.from, message.to)) continue;
      member.node.step({ kind: 'peer', message }, this.#clock(member));
    }
  }

  #transferCheckpoints(): void {
    const due = this.#snapshots.filter(({ at }) => at <= this.#time);
    this.#snapshots = this.#snapshots.filter(({ at }) => at > this.#time);
    for (const { from, to } of due) {
      const source = this.#members.get(from)!;
      const target = this.#members.get(to)!;
      if (!source.node.isUp) continue;
      const { checkpoint } = source.node.disk;
      const success = target.node.isUp && this.#connected(from, to) && this.#connected(to, from);
      if (success) target.node.receiveCheckpoint(from, checkpoint, this.#clock(target));
      const { index } = checkpoint.point;
      source.node.step({ kind: 'snapshotSent', to, index, success }, this.#clock(source));
    }
  }

  // --- Time and disk ---

  #runTimers(member: Member): void {
    const { node } = member;
    const now = this.#clock(member);
    if (node.takeElectionTimerRestart()) {
      member.electionAt = now + ELECTION_TIMEOUT_MIN_MS * (1 + this.#random.next());
    }
    if (now >= member.electionAt) {
      member.electionAt = now + ELECTION_TIMEOUT_MIN_MS;
      node.step({ kind: 'electionTimeout' }, now);
    }
    if (now >= member.heartbeatAt) {
      member.heartbeatAt = now + HEARTBEAT_MS;
      node.step({ kind: 'heartbeatTimeout' }, now);
    }
  }

  #runDisk(member: Member): void {
    const { node } = member;
    const loads = this.#faulty ? this.#random.below(node.loads.length + 1) : node.loads.length;
    for (let done = 0; done < loads; done++) node.completeLoad(this.#clock(member));
    while (node.writes.length > 0 && this.#time >= member.writeDoneAt) {
      const slow = this.#faulty && this.#random.chance(this.#faults.slowDisk);
      member.writeDoneAt = this.#time + this.#random.below(slow ? 400 : 12);
      const before = node.disk.hardState;
      node.completeWrite(this.#clock(member));
      if (this.#options.forgetVotes === true && before !== undefined && node.disk.hardState !== before) {
        node.disk.hardState = { ...node.disk.hardState!, votedFor: undefined };
      }
    }
  }

  // --- Faults ---

  #injectFaults(): void {
    const random = this.#random;
    const { crash, cut, isolate, stall, amnesia } = this.#faults;
    if (random.chance(cut)) {
      this.#cut = new Map([...this.#members.keys()].map((id) => [id, random.below(2)]));
      this.#oneWay = random.chance(0.2);
    } else if (random.chance(0.01)) this.#cut = new Map();
    if (random.chance(isolate)) this.#isolateLeader();
    for (const member of this.#members.values()) {
      const { node } = member;
      if (node.isUp && random.chance(crash)) this.#crash(member);
      else if (node.isUp && random.chance(amnesia)) this.#loseDisk(member);
      else if (!node.isUp && this.#time >= member.restartAt) node.restart(this.#clock(member));
      if (random.chance(stall)) member.stalledUntil = this.#time + random.below(1500);
    }
  }

  #isolateLeader(): void {
    const leader = this.#running.find(({ node }) => node.core.role === 'leader');
    if (leader === undefined) return;
    this.#cut = new Map([[leader.node.id, 1]]);
    this.#oneWay = this.#random.chance(0.3);
  }

  #crash(member: Member): void {
    const { node } = member;
    node.crash(this.#random.below(node.writes.length + 1));
    member.restartAt = this.#time + this.#random.below(this.#random.chance(0.7) ? 100 : 1500);
  }

  /** Part or all of what one node had promised is gone. More than one at a time is more than a group can survive. */
  #loseDisk(member: Member): void {
    const { node } = member;
    const others = [...this.#members.values()].filter((other) => other !== member);
    if (others.some(({ node: other }) => other.disk.repairing || !other.isUp)) return;
    if (node.disk.hardState === undefined) return;
    node.crash();
    const { disk } = node;
    disk.repairing = this.#options.ignoreLoss !== true;
    disk.cutTo(disk.checkpoint.point.index + this.#random.below(disk.lastIndex - disk.checkpoint.point.index + 1));
    disk.hardState = { ...NO_HARD_STATE, term: disk.termAt(disk.lastIndex) ?? NO_HARD_STATE.term };
    this.#checks.forgetPromises(node.id);
    member.restartAt = this.#time + this.#random.below(500);
  }

  // --- Requests ---

  #makeRequests(): void {
    const random = this.#random;
    if (this.#running.length === 0) return;
    const leaders = this.#running.filter(({ node }) => node.core.role === 'leader');
    const member = random.pick(leaders.length > 0 ? leaders : this.#running);
    const { node } = member;
    const now = this.#clock(member);
    if (random.chance(0.3)) this.#propose(member);
    if (random.chance(0.2)) {
      const context = ++this.#reads;
      this.#checks.readAsked(context);
      node.step({ kind: 'readIndex', context }, now);
    }
    if (random.chance(0.01)) {
      const to = random.chance(0.5) ? random.pick([...this.#members.keys()]) : undefined;
      node.step({ kind: 'transferLeadership', to }, now);
    }
    if (random.chance(this.#faults.change)) this.#changeMembership(member);
    const any = random.pick(this.#running);
    if (random.chance(0.03)) any.node.checkpoint(this.#clock(any));
    if (random.chance(0.02)) node.step({ kind: 'hibernate' }, now);
    if (random.chance(0.02)) any.node.step({ kind: 'wake' }, this.#clock(any));
  }

  #propose(member: Member): void {
    const records = [];
    for (let count = 1 + this.#random.below(3); count > 0; count--) {
      const body = Buffer.from(`p${++this.#proposals}`, 'latin1');
      const record = allocateRecord(body.length);
      body.copy(record, RECORD_HEADER_BYTES);
      records.push(record);
    }
    member.node.step({ kind: 'propose', records }, this.#clock(member));
  }

  #changeMembership(member: Member): void {
    const ids = this.#random.shuffled([...this.#members.keys()]);
    const count = Math.max(this.#fewestVoters, 1 + this.#random.below(5));
    const learners = ids.slice(count, count + this.#random.below(2));
    const change = { voters: ids.slice(0, count), learners };
    member.node.step({ kind: 'changeMembership', change }, this.#clock(member));
  }

  // --- Running ---

  #tick(): void {
    this.#time += TICK_MS;
    if (this.#faulty) this.#injectFaults();
    // A process that stood still may be asked before it hears what it missed.
    if (this.#faulty && this.#random.chance(0.5)) this.#makeRequests();
    this.#deliver();
    this.#transferCheckpoints();
    for (const member of this.#running) {
      this.#runTimers(member);
      this.#runDisk(member);
    }
    if (this.#faulty && this.#random.chance(0.5)) this.#makeRequests();
    for (const { node } of this.#running) node.drain();
  }

  /** Throws with what was violated. Afterwards everything works again, and must come to rest with equal replicas. */
  run(): void {
    for (let tick = 0; tick < FAULTY_TICKS; tick++) {
      this.#tick();
      if (tick % 50 === 0) this.#checks.logsMatch([...this.#members.values()].map(({ node }) => node));
    }
    this.#faulty = false;
    this.#cut = new Map();
    for (const member of this.#members.values()) {
      if (!member.node.isUp) member.node.restart(this.#clock(member));
      member.stalledUntil = 0;
      member.node.step({ kind: 'wake' }, this.#clock(member));
    }
    this.#settle();
  }

  #settle(): void {
    let proposed = false;
    for (let tick = 0; tick < HEALING_TICKS; tick++) {
      this.#tick();
      const leader = this.#running.find(({ node }) => node.core.ready && node.core.transferTarget === undefined);
      if (leader === undefined) continue;
      if (!proposed) this.#propose(leader);
      proposed = true;
      const { node } = leader;
      if (node.core.canHibernate && this.#isAtRest(node)) return;
    }
    assert.fail(`seed ${this.#options.seed}: no rest after healing: ${this.#describe()}`);
  }

  #isAtRest(leader: CoreNode): boolean {
    const { voters, learners, outgoing } = leader.core.membership;
    if (outgoing.length > 0) return false;
    for (const id of [...voters, ...learners]) {
      const { node } = this.#members.get(id)!;
      if (node.appliedIndex !== leader.appliedIndex || node.disk.repairing) return false;
      assert.deepEqual(node.applied, leader.applied, `${id} and ${leader.id} applied different things`);
    }
    return true;
  }

  #describe(): string {
    const lines = [...this.#members.values()].map(({ node }) => {
      const { core } = node;
      const position = `term ${core.currentTerm} last ${core.lastIndex} commit ${core.commitIndex}`;
      const { voters, outgoing, learners } = core.membership;
      const membership = `voters ${voters.join()} from ${outgoing.join()} learners ${learners.join()}`;
      return `\n${node.id}: ${core.role} ${position} snapshot ${core.snapshotIndex} ${membership}`;
    });
    return lines.join('; ');
  }
}
