/**
 * Owns the catalogue's content on one node: streams by account and name, nodes, and how each committed record changes
 * them. Deterministic: no clock, no chance, no node's own view of who is online.
 */
import type { NodeId, TimestampUs } from '../base/brand.ts';
import type { GroupId } from '../raft/index.ts';
import { META_GROUP } from '../raft/index.ts';
import type { Catalogue, CatalogueListener, CatalogueResult, JsonObject, StreamAssignment } from './types.ts';

/** One decided change, as it stands in an entry. Everything that had to be chosen was chosen by the leader. */
export type CatalogueRecord =
  | { readonly op: 'create'; readonly assignment: StreamAssignment }
  | {
      readonly op: 'update';
      readonly account: string;
      readonly name: string;
      readonly config: JsonObject;
      /** Absent: they stay. */
      readonly members?: readonly NodeId[];
      /** The leader's time. */
      readonly atUs: TimestampUs;
      readonly expectedRevision: number;
    }
  | { readonly op: 'settle'; readonly account: string; readonly name: string; readonly generation: number }
  | { readonly op: 'delete'; readonly account: string; readonly name: string }
  | { readonly op: 'admit'; readonly node: NodeId }
  | { readonly op: 'remove'; readonly node: NodeId };

/** Of a record about a node: `done` tells whether it changed anything. */
export type RecordResult = CatalogueResult | { readonly kind: 'node'; readonly done: boolean };

/** All of it, as a checkpoint holds it. */
export interface CatalogueContent {
  readonly nextGroup: GroupId;
  readonly nodes: readonly NodeId[];
  readonly removed: readonly NodeId[];
  readonly assignments: ReadonlyMap<GroupId, StreamAssignment>;
}

/** How many streams nodes hold replicas of, and were chosen to lead first. */
export class Load {
  readonly #held = new Map<NodeId, number>();
  readonly #replicated = new Map<NodeId, number>();
  readonly #led = new Map<NodeId, number>();

  held(node: NodeId): number {
    return this.#held.get(node) ?? 0;
  }

  /** Those of them that have more than one replica. */
  replicated(node: NodeId): number {
    return this.#replicated.get(node) ?? 0;
  }

  led(node: NodeId): number {
    return this.#led.get(node) ?? 0;
  }

  count(assignment: StreamAssignment, change: 1 | -1): void {
    for (const node of holdersOf(assignment)) {
      this.#held.set(node, this.held(node) + change);
      if (assignment.members.length > 1) this.#replicated.set(node, this.replicated(node) + change);
    }
    this.#led.set(assignment.firstLeader, this.led(assignment.firstLeader) + change);
  }
}

export class CatalogueState implements Catalogue {
  readonly load = new Load();
  readonly #accounts = new Map<string, Map<string, StreamAssignment>>();
  readonly #byGroup = new Map<GroupId, StreamAssignment>();
  readonly #nodes = new Set<NodeId>();
  /** Removed, and not admitted again since. */
  readonly #removed = new Set<NodeId>();
  /** By account, for `streams`; dropped when one of the account changes. */
  readonly #sorted = new Map<string, readonly StreamAssignment[]>();
  readonly #listeners: CatalogueListener[] = [];
  #nextGroup = (META_GROUP + 1) as GroupId;

  /** No stream has ever had this or a higher one. */
  get nextGroup(): GroupId {
    return this.#nextGroup;
  }

  onChange(listener: CatalogueListener): void {
    this.#listeners.push(listener);
  }

  stream(account: string, name: string): StreamAssignment | undefined {
    return this.#accounts.get(account)?.get(name);
  }

  streamOfGroup(group: GroupId): StreamAssignment | undefined {
    return this.#byGroup.get(group);
  }

  streams(account: string): readonly StreamAssignment[] {
    let sorted = this.#sorted.get(account);
    if (sorted === undefined) {
      sorted = [...this.streamsUnsorted(account)].sort((a, b) => (a.name < b.name ? -1 : 1));
      this.#sorted.set(account, sorted);
    }
    return sorted;
  }

  streamsUnsorted(account: string): Iterable<StreamAssignment> {
    return this.#accounts.get(account)?.values() ?? [];
  }

  accounts(): readonly string[] {
    return [...this.#accounts.keys()].sort();
  }

  nodes(): readonly NodeId[] {
    return [...this.#nodes].sort();
  }

  hasNode(node: NodeId): boolean {
    return this.#nodes.has(node);
  }

  removedNodes(): readonly NodeId[] {
    return [...this.#removed].sort();
  }

  wasRemoved(node: NodeId): boolean {
    return this.#removed.has(node);
  }

  apply(record: CatalogueRecord): RecordResult {
    switch (record.op) {
      case 'create':
        return this.#create(record.assignment);
      case 'update':
        return this.#update(record);
      case 'settle':
        return this.#settle(record);
      case 'delete':
        return this.#delete(record.account, record.name);
      case 'admit':
        return this.#move(record.node, this.#removed, this.#nodes);
      case 'remove':
        return this.#move(record.node, this.#nodes, this.#removed);
    }
  }

  content(): CatalogueContent {
    return {
      nextGroup: this.#nextGroup,
      nodes: this.nodes(),
      removed: this.removedNodes(),
      assignments: new Map(this.#byGroup),
    };
  }

  /** Replaces everything, and tells listeners the difference. */
  replace(content: CatalogueContent): void {
    const before = [...this.#byGroup.values()];
    for (const previous of before) {
      if (!content.assignments.has(previous.group)) this.#put(previous, undefined);
    }
    for (const current of content.assignments.values()) {
      const previous = this.#byGroup.get(current.group);
      if (previous === undefined || !isSame(previous, current)) this.#put(previous, current);
    }
    this.#nextGroup = content.nextGroup;
    this.#nodes.clear();
    for (const node of content.nodes) this.#nodes.add(node);
    this.#removed.clear();
    for (const node of content.removed) this.#removed.add(node);
  }

  #move(node: NodeId, from: Set<NodeId>, to: Set<NodeId>): RecordResult {
    from.delete(node);
    const done = !to.has(node);
    to.add(node);
    return { kind: 'node', done };
  }

  #create(assignment: StreamAssignment): RecordResult {
    const existing = this.stream(assignment.account, assignment.name);
    this.#nextGroup = Math.max(this.#nextGroup, assignment.group + 1) as GroupId;
    if (existing !== undefined) return { kind: 'conflict', existing };
    this.#put(undefined, assignment);
    return { kind: 'applied', assignment };
  }

  #update(record: CatalogueRecord & { readonly op: 'update' }): RecordResult {
    const existing = this.stream(record.account, record.name);
    if (existing === undefined) return { kind: 'notFound' };
    if (existing.revision !== record.expectedRevision) return { kind: 'conflict', existing };
    const assignment = updated(existing, record);
    this.#put(existing, assignment);
    return { kind: 'applied', assignment };
  }

  /** Of an earlier generation, it says nothing about this one. */
  #settle(record: CatalogueRecord & { readonly op: 'settle' }): RecordResult {
    const existing = this.stream(record.account, record.name);
    if (existing === undefined) return { kind: 'notFound' };
    if (existing.generation !== record.generation || existing.reconfiguration === undefined) {
      return { kind: 'conflict', existing };
    }
    const assignment = settled(existing);
    this.#put(existing, assignment);
    return { kind: 'applied', assignment };
  }

  #delete(account: string, name: string): RecordResult {
    const existing = this.stream(account, name);
    if (existing === undefined) return { kind: 'notFound' };
    this.#put(existing, undefined);
    return { kind: 'applied', assignment: existing };
  }

  #put(previous: StreamAssignment | undefined, current: StreamAssignment | undefined): void {
    const { account, name, group } = (current ?? previous)!;
    let streams = this.#accounts.get(account);
    if (streams === undefined) {
      streams = new Map<string, StreamAssignment>();
      this.#accounts.set(account, streams);
    }
    this.#sorted.delete(account);
    if (previous !== undefined) this.load.count(previous, -1);
    if (current === undefined) {
      this.#byGroup.delete(group);
      streams.delete(name);
      if (streams.size === 0) this.#accounts.delete(account);
    } else {
      this.load.count(current, 1);
      this.#byGroup.set(group, current);
      streams.set(name, current);
    }
    for (const listener of this.#listeners) listener({ previous, current });
  }
}

/** Within a revision only settling changes anything. */
function isSame(a: StreamAssignment, b: StreamAssignment): boolean {
  return a.revision === b.revision && (a.reconfiguration === undefined) === (b.reconfiguration === undefined);
}

export function updated(
  existing: StreamAssignment,
  change: { readonly config: JsonObject; readonly members?: readonly NodeId[]; readonly atUs: TimestampUs },
): StreamAssignment {
  const { members = existing.members, config } = change;
  const next = {
    ...existing,
    config,
    firstConfig: existing.firstConfig ?? existing.config,
    revision: existing.revision + 1,
  };
  return sameNodes(members, existing.members) ? next : reconfigured(next, existing, members, change.atUs);
}

/** A change before the last one was settled goes on from there; only going back to the beginning still has to be settled. */
function reconfigured(
  next: StreamAssignment,
  existing: StreamAssignment,
  members: readonly NodeId[],
  atUs: TimestampUs,
): StreamAssignment {
  const { reconfiguration, config } = existing;
  const holders = new Set([...(reconfiguration?.holders ?? existing.members), ...members]);
  return {
    ...next,
    members: [...members].sort(),
    generation: existing.generation + 1,
    reconfiguration: {
      startedUs: reconfiguration?.startedUs ?? atUs,
      origin: reconfiguration?.origin ?? { members: existing.members, config },
      holders: [...holders].sort(),
    },
  };
}

export function settled(existing: StreamAssignment): StreamAssignment {
  return { ...existing, reconfiguration: undefined };
}

/** Everybody who may hold a replica. */
export function holdersOf(assignment: StreamAssignment): readonly NodeId[] {
  return assignment.reconfiguration?.holders ?? assignment.members;
}

function sameNodes(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
