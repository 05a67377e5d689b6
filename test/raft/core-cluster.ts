/**
 * Owns a group of real cores driven by hand: nothing happens that a test did not ask for, and time stands still unless
 * it is moved. What must hold in any run is checked at every step.
 */
import assert from 'node:assert/strict';
import type { NodeId } from '../../src/base/brand.ts';
import type { Effects } from '../../src/raft/core/effects.ts';
import type { CoreOptions, Input } from '../../src/raft/core/input.ts';
import { makeMembership } from '../../src/raft/core/membership.ts';
import type { PeerMessage } from '../../src/raft/messages.ts';
import { allocateRecord, RECORD_HEADER_BYTES } from '../../src/raft/record.ts';
import { CoreChecks } from './core-checks.ts';
import { effectLines, messageText } from './event-text.ts';
import { CoreNode, ELECTION_TIMEOUT_MIN_MS } from './core-node.ts';

const QUIET_AFTER_ROUNDS = 200;

export interface ClusterOptions {
  readonly nodes: number;
  /** The first so many are voters; default all. */
  readonly voters?: number;
  readonly firstLeader?: string;
  readonly core?: Partial<CoreOptions>;
  /** Hears what happens, a line each. */
  readonly onEvent?: (event: string) => void;
}

export class CoreCluster {
  readonly nodes = new Map<string, CoreNode>();
  /** Sent, not delivered. */
  network: PeerMessage[] = [];
  readonly reads: { readonly node: string; readonly context: number; readonly index: number }[] = [];
  readonly abortedReads: number[] = [];
  readonly snapshotsWanted: { readonly from: string; readonly to: string }[] = [];
  readonly membershipOutcomes: string[] = [];
  readonly brokenChains: { readonly node: string; readonly index: number }[] = [];
  /** Their writes wait until taken from here. */
  readonly slowDisks = new Set<string>();
  #isolated = new Set<string>();
  readonly #checks = new CoreChecks({ trustDisk: true });
  readonly #roles = new Map<string, string>();
  readonly #say: (event: string) => void;
  now = 1000;

  constructor(options: ClusterOptions) {
    this.#say = options.onEvent ?? (() => undefined);
    const ids = Array.from({ length: options.nodes }, (_, at) => `n${at + 1}` as NodeId);
    const membership = makeMembership({ voters: ids.slice(0, options.voters ?? options.nodes) });
    const first = { membership, firstLeader: options.firstLeader as NodeId | undefined };
    for (const id of ids) {
      const node = new CoreNode(id, first, options.core ?? {}, {
        send: (sender, message) => {
          this.#checks.said(sender, message);
          this.#say(`${sender.id} -> ${message.to} ${messageText(message)}`);
          this.network.push(message);
        },
        applied: (applier, entry) => {
          this.#checks.applied(applier, entry);
        },
        stepped: (stepper) => {
          this.#checks.stepped(stepper);
          this.#tellRole(stepper);
        },
        effects: (owner, effects) => {
          this.#collect(owner, effects);
        },
      });
      this.nodes.set(id, node);
    }
  }

  #tellRole(node: CoreNode): void {
    const { role } = node.core;
    if ((this.#roles.get(node.id) ?? role) !== role) this.#say(`${node.id} becomes ${role}`);
    this.#roles.set(node.id, role);
  }

  #collect(owner: CoreNode, effects: Effects): void {
    for (const line of effectLines(owner.id, effects)) this.#say(line);
    for (const { context, index } of effects.reads) this.reads.push({ node: owner.id, context, index });
    this.abortedReads.push(...effects.abortedReads);
    for (const { to } of effects.snapshots) this.snapshotsWanted.push({ from: owner.id, to });
    if (effects.membershipOutcome !== undefined) this.membershipOutcomes.push(effects.membershipOutcome);
    if (effects.brokenChain !== undefined) {
      this.brokenChains.push({ node: owner.id, index: effects.brokenChain.index });
    }
  }

  node(id: string): CoreNode {
    const node = this.nodes.get(id);
    assert.ok(node !== undefined, `no node ${id}`);
    return node;
  }

  core(id: string) {
    return this.node(id).core;
  }

  get leaders(): string[] {
    return [...this.nodes.values()].filter((node) => node.isUp && node.core.role === 'leader').map(({ id }) => id);
  }

  applied(id: string): string[] {
    return this.node(id).applied;
  }

  advance(ms: number): void {
    this.now += ms;
  }

  // --- One thing at a time ---

  step(id: string, input: Input): void {
    this.node(id).step(input, this.now);
    this.node(id).drain();
  }

  write(id: string): void {
    this.node(id).completeWrite(this.now);
    this.node(id).drain();
  }

  load(id: string): void {
    this.node(id).completeLoad(this.now);
    this.node(id).drain();
  }

  /** Delivers the first message under way that `which` picks, or the first at all. */
  deliver(which: (message: PeerMessage) => boolean = () => true): PeerMessage {
    const at = this.network.findIndex(which);
    assert.ok(at >= 0, 'no such message is under way');
    const [message] = this.network.splice(at, 1);
    assert.ok(message !== undefined);
    this.#say(`${message.to} <- ${message.from} ${messageText(message)}`);
    this.step(message.to, { kind: 'peer', message });
    return message;
  }

  drop(which: (message: PeerMessage) => boolean = () => true): void {
    this.network = this.network.filter((message) => !which(message));
  }

  // --- Until all is quiet ---

  isolate(...ids: string[]): void {
    this.#isolated = new Set(ids);
  }

  heal(): void {
    this.#isolated.clear();
  }

  #reaches(message: PeerMessage): boolean {
    if (!this.node(message.to).isUp) return false;
    return this.#isolated.has(message.from) === this.#isolated.has(message.to);
  }

  /** Lets disks, loads and messages work until nothing is left to do. What can't be delivered is lost. */
  run(): void {
    for (let round = 0; round < QUIET_AFTER_ROUNDS; round++) {
      let busy = false;
      for (const node of this.nodes.values()) {
        if (!node.isUp) continue;
        node.drain();
        while (node.loads.length > 0) node.completeLoad(this.now);
        while (node.writes.length > 0 && !this.slowDisks.has(node.id)) {
          busy = true;
          node.completeWrite(this.now);
        }
        node.drain();
      }
      for (const message of this.network.splice(0)) {
        if (!this.#reaches(message)) continue;
        busy = true;
        this.#say(`${message.to} <- ${message.from} ${messageText(message)}`);
        this.step(message.to, { kind: 'peer', message });
      }
      if (!busy) return;
    }
    assert.fail('the group does not come to rest');
  }

  // --- What tests ask for ---

  /** Lets the election timeout of `id` pass, and everybody's patience with the leader before. */
  timeout(id: string): void {
    this.advance(ELECTION_TIMEOUT_MIN_MS);
    this.step(id, { kind: 'electionTimeout' });
  }

  elect(id: string): void {
    this.timeout(id);
    this.run();
    assert.equal(this.core(id).role, 'leader', `${id} was not elected`);
  }

  heartbeat(id: string): void {
    this.advance(50);
    this.step(id, { kind: 'heartbeatTimeout' });
    this.run();
  }

  propose(id: string, ...values: string[]): void {
    const records = values.map((value) => {
      const record = allocateRecord(value.length);
      record.write(value, RECORD_HEADER_BYTES, 'latin1');
      return record;
    });
    this.step(id, { kind: 'propose', records });
  }

  read(id: string, context: number): void {
    this.#checks.readAsked(context);
    this.step(id, { kind: 'readIndex', context });
  }

  changeMembership(id: string, voters: string[], learners: string[] = []): void {
    const change = { voters: voters as NodeId[], learners: learners as NodeId[] };
    this.step(id, { kind: 'changeMembership', change });
  }

  transfer(id: string, to?: string): void {
    this.step(id, { kind: 'transferLeadership', to: to as NodeId | undefined });
  }

  /** Copies the durable checkpoint of `from` to `to`, as a host does when asked for a snapshot. */
  installCheckpoint(from: string, to: string): void {
    const { checkpoint } = this.node(from).disk;
    this.node(to).receiveCheckpoint(from as NodeId, checkpoint, this.now);
    const { index } = checkpoint.point;
    this.step(from, { kind: 'snapshotSent', to: to as NodeId, index, success: true });
    this.run();
  }

  crash(id: string): void {
    this.node(id).crash();
  }

  restart(id: string): void {
    this.node(id).restart(this.now);
    this.node(id).drain();
  }

  /** `id` comes back without the last entries of its log, and without its memory of terms and votes. */
  loseDisk(id: string, keepThrough: number): void {
    const { disk } = this.node(id);
    this.crash(id);
    disk.repairing = true;
    disk.hardState = undefined;
    disk.cutTo(keepThrough);
    this.#checks.forgetPromises(id as NodeId);
    this.restart(id);
  }
}
