/**
 * Owns the interest of this node's clients as told to the others: the current table, what changed in this turn, and
 * telling all of it to a node that (re)connects.
 */
import type { NodeId } from '../base/brand.ts';
import type { Runtime } from '../base/runtime.ts';
import { FRAME, type Links } from './links.ts';
import type { Interest } from './types.ts';
import { decodeInterests, encodeInterests } from './wire.ts';

/** A frame of the full table holds this many: some hundred KiB. */
const INTERESTS_PER_FRAME = 4096;

export class InterestTable {
  readonly #links: Links;
  readonly #runtime: Runtime;
  readonly #peersUp: () => Iterable<NodeId>;
  readonly #local = new Map<string, Interest>();
  /** By the same key; the last word of the turn. */
  readonly #changed = new Map<string, Interest>();
  #flushDue = false;
  /** Those whose interest was passed on since their link broke last. */
  readonly #told = new Set<NodeId>();
  readonly #onInterest: ((node: NodeId, interest: Interest) => void)[] = [];
  readonly #onLost: ((node: NodeId) => void)[] = [];
  readonly #onDue: (() => void)[] = [];

  constructor(links: Links, runtime: Runtime, peersUp: () => Iterable<NodeId>) {
    this.#links = links;
    this.#runtime = runtime;
    this.#peersUp = peersUp;
  }

  onInterest(listener: (node: NodeId, interest: Interest) => void): void {
    this.#onInterest.push(listener);
  }

  onLost(listener: (node: NodeId) => void): void {
    this.#onLost.push(listener);
  }

  onDue(listener: () => void): void {
    this.#onDue.push(listener);
  }

  set(interest: Interest): void {
    const key = keyOf(interest);
    if (interest.members > 0) this.#local.set(key, interest);
    else if (!this.#local.delete(key)) return;
    this.#changed.set(key, interest);
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#runtime.soon(this.#flush);
  }

  /** A link came up: nothing may have been sent on it yet. */
  tellAll(node: NodeId): void {
    let part: Interest[] = [];
    for (const interest of this.#local.values()) {
      part.push(interest);
      if (part.length < INTERESTS_PER_FRAME) continue;
      this.#links.send(node, 'traffic', FRAME.interest, encodeInterests(part));
      part = [];
    }
    if (part.length > 0) this.#links.send(node, 'traffic', FRAME.interest, encodeInterests(part));
  }

  /** False: malformed. */
  receive(from: NodeId, frame: Buffer): boolean {
    const interests = decodeInterests(frame);
    if (interests === undefined) return false;
    this.#told.add(from);
    for (const interest of interests) for (const listener of this.#onInterest) listener(from, interest);
    return true;
  }

  lost(node: NodeId): void {
    this.#told.delete(node);
    for (const listener of this.#onLost) listener(node);
  }

  /** What is about to be sent may rely on interest that changed just before it, in this very turn even. */
  beforeTraffic(): void {
    for (const listener of this.#onDue) listener();
    if (this.#changed.size > 0) this.#tellChanges();
  }

  readonly #flush = (): void => {
    this.#flushDue = false;
    this.#tellChanges();
  };

  #tellChanges(): void {
    const changes = [...this.#changed.values()];
    this.#changed.clear();
    for (let from = 0; from < changes.length; from += INTERESTS_PER_FRAME) {
      const frame = encodeInterests(changes.slice(from, from + INTERESTS_PER_FRAME));
      for (const node of this.#peersUp()) this.#links.send(node, 'traffic', FRAME.interest, frame);
    }
  }
}

/** Neither subjects nor queues hold spaces; what an account is called is up to the configuration, so it comes last. */
function keyOf({ account, subject, queue }: Interest): string {
  return `${subject} ${queue ?? ''} ${account}`;
}
