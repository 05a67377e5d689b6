/**
 * Owns who belongs to a group: its form in a membership entry, and which one is in force. A membership is in force as
 * soon as it is in the log, committed or not (§6); if its entry is replaced, the one before it is in force again.
 */
import type { NodeId } from '../../base/brand.ts';
import type { LogIndex } from '../types.ts';

/** All lists are sorted and without duplicates. */
export interface Membership {
  readonly voters: readonly NodeId[];
  /** Voters of the old membership while moving from one to the other (C-old,new); empty otherwise. */
  readonly outgoing: readonly NodeId[];
  /** Get the log and count for nothing. One that is also in `outgoing` still votes until the move is over. */
  readonly learners: readonly NodeId[];
  /**
   * Of the decision that it carries out; never falls. Whoever decides may be elsewhere, and a leader that has not heard of
   * the latest decision must not undo it.
   */
  readonly generation: number;
}

export interface MembershipChange {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Absent: that of the membership in force. */
  readonly generation?: number;
}

const MAX_NODES = 4096;
const MAX_NODE_ID_BYTES = 1024;
const GENERATION_BYTES = 4;

function sortedUnique(nodes: readonly NodeId[]): NodeId[] {
  return [...new Set(nodes)].sort();
}

export function makeMembership(parts: {
  readonly voters: readonly NodeId[];
  readonly outgoing?: readonly NodeId[];
  readonly learners?: readonly NodeId[];
  readonly generation?: number;
}): Membership {
  const voters = sortedUnique(parts.voters);
  return {
    voters,
    outgoing: sortedUnique(parts.outgoing ?? []),
    learners: sortedUnique(parts.learners ?? []).filter((node) => !voters.includes(node)),
    generation: parts.generation ?? 0,
  };
}

export function isJoint(membership: Membership): boolean {
  return membership.outgoing.length > 0;
}

export function isVoter(membership: Membership, node: NodeId): boolean {
  return membership.voters.includes(node) || membership.outgoing.includes(node);
}

/** Everybody who gets the log, sorted: the order in which peers are visited. */
export function members(membership: Membership): NodeId[] {
  return sortedUnique([...membership.voters, ...membership.outgoing, ...membership.learners]);
}

export function sameMembership(a: Membership, b: Membership): boolean {
  if (a.generation !== b.generation) return false;
  return sameNodes(a.voters, b.voters) && sameNodes(a.outgoing, b.outgoing) && sameNodes(a.learners, b.learners);
}

function sameNodes(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node, at) => node === b[at]);
}

/** `u16 count, (u16 length, utf-8)*` for each of the three lists, and `u32 generation`. */
export function encodeMembership(membership: Membership): Buffer {
  const parts: Buffer[] = [];
  for (const list of [membership.voters, membership.outgoing, membership.learners]) {
    parts.push(u16(list.length));
    for (const node of list) {
      const bytes = Buffer.from(node, 'utf8');
      parts.push(u16(bytes.length), bytes);
    }
  }
  const generation = Buffer.allocUnsafe(GENERATION_BYTES);
  generation.writeUInt32BE(membership.generation);
  parts.push(generation);
  return Buffer.concat(parts);
}

function u16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Undefined when `body` is no membership: it may come from a peer. */
export function decodeMembership(body: Buffer): Membership | undefined {
  const lists: NodeId[][] = [];
  let at = 0;
  for (let list = 0; list < 3; list++) {
    if (at + 2 > body.length) return undefined;
    const count = body.readUInt16BE(at);
    at += 2;
    if (count > MAX_NODES) return undefined;
    const nodes: NodeId[] = [];
    for (let item = 0; item < count; item++) {
      const length = at + 2 > body.length ? 0 : body.readUInt16BE(at);
      if (length === 0 || length > MAX_NODE_ID_BYTES || at + 2 + length > body.length) return undefined;
      nodes.push(body.toString('utf8', at + 2, at + 2 + length) as NodeId);
      at += 2 + length;
    }
    lists.push(nodes);
  }
  if (at + GENERATION_BYTES !== body.length) return undefined;
  const generation = body.readUInt32BE(at);
  return makeMembership({ voters: lists[0]!, outgoing: lists[1]!, learners: lists[2]!, generation });
}

/** The memberships from the snapshot on, oldest first; the last one is in force. */
export class MembershipHistory {
  readonly #steps: { readonly index: LogIndex; readonly membership: Membership }[];

  constructor(index: LogIndex, membership: Membership) {
    this.#steps = [{ index, membership }];
  }

  get current(): Membership {
    return this.#steps[this.#steps.length - 1]!.membership;
  }

  /** Where the one in force was appended. */
  get currentIndex(): LogIndex {
    return this.#steps[this.#steps.length - 1]!.index;
  }

  append(index: LogIndex, membership: Membership): void {
    this.#steps.push({ index, membership });
  }

  /** Forgets what was appended at `index` and behind. True if that changed the one in force. */
  truncateFrom(index: LogIndex): boolean {
    const before = this.#steps.length;
    while (this.#steps.length > 1 && this.currentIndex >= index) this.#steps.pop();
    return this.#steps.length !== before;
  }

  /** A vote in the one that was in force at `index`, or in any since. */
  hasVoteSince(index: LogIndex, node: NodeId): boolean {
    if (isVoter(this.at(index), node)) return true;
    return this.#steps.some((step) => step.index > index && isVoter(step.membership, node));
  }

  at(index: LogIndex): Membership {
    let found = this.#steps[0]!;
    for (const step of this.#steps) {
      if (step.index <= index) found = step;
    }
    return found.membership;
  }

  /** Forgets those that were replaced at or before `index`. */
  compactTo(index: LogIndex): void {
    while (this.#steps.length > 1 && this.#steps[1]!.index <= index) this.#steps.shift();
  }

  reset(index: LogIndex, membership: Membership): void {
    this.#steps.length = 0;
    this.#steps.push({ index, membership });
  }
}
