/** Owns what is attached to one subject filter of an account: subscribers here and elsewhere, services and captures. */
import type { CaptureHandler, ServiceHandler } from '../router-types.ts';
import type { RoutePeer } from './route-peer.ts';
import { delist, enlist, type Subscription } from './subscription.ts';

/** The members of one queue group: same account, same filter, same name. */
export class QueueGroup {
  readonly name: string;
  /** `filter name`, as bytes: how peers refer to the group. */
  readonly key: Buffer;
  readonly local: Subscription[] = [];
  /** Members elsewhere, by node. */
  readonly peers = new Map<RoutePeer, number>();
  #remoteMembers = 0;
  /** What other nodes were last told of `local.length`. */
  announced = 0;

  constructor(filter: string, name: string) {
    this.name = name;
    this.key = Buffer.from(`${filter} ${name}`, 'latin1');
  }

  get members(): number {
    return this.local.length + this.#remoteMembers;
  }

  setPeerMembers(peer: RoutePeer, members: number): void {
    this.#remoteMembers += members - (this.peers.get(peer) ?? 0);
    if (members === 0) this.peers.delete(peer);
    else this.peers.set(peer, members);
  }
}

const NO_QUEUES: ReadonlyMap<string, QueueGroup> = new Map();
const NO_PEERS: ReadonlyMap<RoutePeer, number> = new Map();
const NONE: readonly never[] = [];

/** There may be a million of these with one subscriber each: what most do not have is not allocated. */
export class Interest {
  /** Byte string. */
  readonly filter: string;
  readonly wildcard: boolean;
  readonly plain: Subscription[] = [];
  /** What other nodes were last told of `plain.length`. */
  announced = 0;
  #queues: Map<string, QueueGroup> | undefined;
  /** Plain subscribers elsewhere, by node. */
  #peers: Map<RoutePeer, number> | undefined;
  #services: readonly ServiceHandler[] = NONE;
  #captures: readonly CaptureHandler[] = NONE;

  constructor(filter: string, wildcard: boolean) {
    this.filter = filter;
    this.wildcard = wildcard;
  }

  get queues(): ReadonlyMap<string, QueueGroup> {
    return this.#queues ?? NO_QUEUES;
  }

  get peers(): ReadonlyMap<RoutePeer, number> {
    return this.#peers ?? NO_PEERS;
  }

  get services(): readonly ServiceHandler[] {
    return this.#services;
  }

  get captures(): readonly CaptureHandler[] {
    return this.#captures;
  }

  get empty(): boolean {
    return (
      this.plain.length === 0 &&
      this.queues.size === 0 &&
      this.peers.size === 0 &&
      this.#services.length === 0 &&
      this.#captures.length === 0
    );
  }

  add(subscription: Subscription): void {
    enlist(this.#listOf(subscription), subscription);
  }

  /** Leaves an empty group in place: its withdrawal must still be announced. */
  remove(subscription: Subscription): void {
    delist(this.#listOf(subscription), subscription);
  }

  addService(handler: ServiceHandler): void {
    this.#services = [...this.#services, handler];
  }

  removeService(handler: ServiceHandler): void {
    this.#services = without(this.#services, handler);
  }

  addCapture(handler: CaptureHandler): void {
    this.#captures = [...this.#captures, handler];
  }

  removeCapture(handler: CaptureHandler): void {
    this.#captures = without(this.#captures, handler);
  }

  setPeerMembers(peer: RoutePeer, queue: string | undefined, members: number): void {
    if (queue !== undefined) this.#queue(queue).setPeerMembers(peer, members);
    else if (members === 0) this.#peers?.delete(peer);
    else (this.#peers ??= new Map<RoutePeer, number>()).set(peer, members);
  }

  /** Forgets the subscribers on that node. */
  dropPeer(peer: RoutePeer): void {
    this.#peers?.delete(peer);
    for (const group of this.queues.values()) group.setPeerMembers(peer, 0);
  }

  dropEmptyQueues(): void {
    for (const [name, group] of this.queues) if (group.members === 0) this.#queues?.delete(name);
  }

  plainMembers(): number {
    let members = this.plain.length;
    for (const count of this.peers.values()) members += count;
    return members;
  }

  #queue(name: string): QueueGroup {
    this.#queues ??= new Map<string, QueueGroup>();
    let group = this.#queues.get(name);
    if (group === undefined) {
      group = new QueueGroup(this.filter, name);
      this.#queues.set(name, group);
    }
    return group;
  }

  #listOf(subscription: Subscription): Subscription[] {
    return subscription.queue === undefined ? this.plain : this.#queue(subscription.queue).local;
  }
}

/** The same handler may be in the list several times: one of them goes. */
function without<T>(list: readonly T[], item: T): readonly T[] {
  const at = list.indexOf(item);
  return [...list.slice(0, at), ...list.slice(at + 1)];
}
