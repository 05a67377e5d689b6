/** Owns one account's interest: the trie of filters, its cached matches, and what other nodes are told of it. */
import type { CaptureHandler, ServiceHandler } from '../router-types.ts';
import { classifySubject } from '../protocol/index.ts';
import { Interest } from './interest.ts';
import { DecidedPrefixes } from './decided-prefixes.ts';
import { MatchCache } from './match-cache.ts';
import { MatchResult } from './match-result.ts';
import { RouteTable } from './route-table.ts';
import type { RoutePeer } from './route-peer.ts';
import type { StreamImports } from './stream-imports.ts';
import { SubjectTrie } from './subject-trie.ts';
import type { Subscription } from './subscription.ts';
import type { Flushable, TurnEnd } from './turn-end.ts';

/** Tells other nodes how many local subscribers there are; 0 withdraws. */
export type Announce = (interest: {
  readonly account: string;
  readonly subject: string;
  readonly queue: string | undefined;
  readonly members: number;
}) => void;

/** Counters behind `/subsz`. */
export interface MatchStatistics {
  inserts: number;
  removes: number;
  /** Publications routed, whether their match was cached or computed. */
  matches: number;
  computed: number;
}

export class AccountSubjects implements Flushable {
  readonly name: string;
  readonly routes: RouteTable;
  readonly statistics: MatchStatistics = { inserts: 0, removes: 0, matches: 0, computed: 0 };
  readonly #announce: Announce;
  readonly #turnEnd: TurnEnd;
  readonly #trie = new SubjectTrie<Interest>();
  readonly #cache = new MatchCache();
  readonly #services = new DecidedPrefixes();
  /** Goes up when interest changed in a way that may concern any subject: then no result computed before is valid. */
  #generation = 0;
  /** Changed in this turn: to be announced at its end, and removed if nothing is left of them. */
  readonly #changed = new Set<Interest>();
  /** What each node was interested in since it came; some of it may be withdrawn. */
  readonly #byPeer = new Map<RoutePeer, Set<Interest>>();
  readonly #found: Interest[] = [];
  #subscriptions = 0;
  /** Undefined: the account imports no streams. */
  streamImports: StreamImports | undefined;

  constructor(name: string, options: { readonly announce: Announce; readonly turnEnd: TurnEnd }) {
    this.name = name;
    this.#announce = options.announce;
    this.#turnEnd = options.turnEnd;
    this.routes = new RouteTable(this, options.turnEnd);
  }

  /** Local subscriptions of clients. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  get cachedMatches(): number {
    return this.#cache.size;
  }

  /** Receivers of the cached matches: the most of one, and of all together. */
  fanOut(): { readonly most: number; readonly sum: number } {
    return this.#cache.fanOut();
  }

  /** True while `result` is what `match` would answer. */
  isCurrent(result: MatchResult): boolean {
    return result.validAt(this.#generation);
  }

  /** Who gets messages to the subject in `buffer[start, end)`. */
  match(buffer: Buffer, start: number, end: number): MatchResult {
    const cached =
      this.#services.find(buffer, start, end, this.#generation) ??
      this.#cache.find(buffer, start, end, this.#generation);
    if (cached !== undefined) return cached;
    this.statistics.computed++;
    this.#found.length = 0;
    const scope = this.#trie.match(buffer, start, end, this.#found);
    const result = new MatchResult(this.#found, this.#generation);
    const { decidedBytes } = this.#trie;
    if (result.services.length > 0 && decidedBytes > 0) {
      this.#services.add(Buffer.from(buffer.subarray(start, start + decidedBytes)), result);
      return result;
    }
    this.#cache.store(buffer, start, end, { result, byPrefix: scope === 'prefix' });
    return result;
  }

  subscribe(subscription: Subscription): void {
    this.attach(subscription);
    this.streamImports?.follow(subscription);
  }

  /** As `subscribe`, for messages of this account alone: nothing that it imports. */
  attach(subscription: Subscription): void {
    const interest = this.#obtain(subscription.subject);
    interest.add(subscription);
    this.#subscriptions++;
    this.statistics.inserts++;
    this.#touch(interest);
  }

  unsubscribe(subscription: Subscription): void {
    const interest = this.#trie.get(subscription.subject);
    if (interest === undefined || subscription.position < 0) return;
    subscription.closed = true;
    interest.remove(subscription);
    this.streamImports?.leave(subscription);
    this.#subscriptions--;
    this.statistics.removes++;
    this.#touch(interest);
  }

  addService(filter: string, handler: ServiceHandler): () => void {
    const interest = this.#obtain(filter);
    interest.addService(handler);
    this.#touch(interest);
    return this.#once(interest, () => {
      interest.removeService(handler);
    });
  }

  addCapture(filter: string, handler: CaptureHandler): () => void {
    const interest = this.#obtain(filter);
    interest.addCapture(handler);
    this.#touch(interest);
    return this.#once(interest, () => {
      interest.removeCapture(handler);
    });
  }

  setPeerInterest(peer: RoutePeer, filter: string, queue: string | undefined, members: number): void {
    const interest = this.#obtain(filter);
    interest.setPeerMembers(peer, queue, members);
    let ofPeer = this.#byPeer.get(peer);
    if (ofPeer === undefined) {
      ofPeer = new Set();
      this.#byPeer.set(peer, ofPeer);
    }
    ofPeer.add(interest);
    this.#touch(interest);
  }

  /** Forgets all interest of a node that is away. */
  dropPeer(peer: RoutePeer): void {
    const ofPeer = this.#byPeer.get(peer) ?? [];
    this.#byPeer.delete(peer);
    for (const interest of ofPeer) {
      interest.dropPeer(peer);
      this.#touch(interest);
    }
  }

  /** The interest with exactly this filter. */
  exact(filter: string): Interest | undefined {
    return this.#trie.get(filter);
  }

  /** All filters, in no order that means anything. */
  interests(): Generator<Interest> {
    return this.#trie.values();
  }

  /** Tells other nodes what changed in this turn, and clears away what is left empty. */
  flush(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const interest of changed) {
      if (interest.announced !== interest.plain.length) {
        interest.announced = interest.plain.length;
        this.#tell(interest.filter, undefined, interest.announced);
      }
      for (const group of interest.queues.values()) {
        if (group.announced === group.local.length) continue;
        group.announced = group.local.length;
        this.#tell(interest.filter, group.name, group.announced);
      }
      interest.dropEmptyQueues();
      if (interest.empty) this.#remove(interest);
    }
  }

  #remove(interest: Interest): void {
    this.#trie.delete(interest.filter);
    for (const ofPeer of this.#byPeer.values()) ofPeer.delete(interest);
  }

  #tell(subject: string, queue: string | undefined, members: number): void {
    this.#announce({ account: this.name, subject, queue, members });
  }

  #once(interest: Interest, remove: () => void): () => void {
    let attached = true;
    return () => {
      if (!attached) return;
      attached = false;
      remove();
      this.#touch(interest);
    };
  }

  #invalidate(subject: Buffer): void {
    this.#cache.invalidate(subject);
    this.#services.invalidate(subject);
  }

  #obtain(filter: string): Interest {
    let interest = this.#trie.get(filter);
    if (interest === undefined) {
      interest = new Interest(filter, classifySubject(filter) !== 'literal');
      this.#trie.set(filter, interest);
    }
    return interest;
  }

  #touch(interest: Interest): void {
    if (this.#changed.size === 0) this.#turnEnd.addFirst(this);
    this.#changed.add(interest);
    if (interest.wildcard) this.#generation++;
    else this.#invalidate(Buffer.from(interest.filter, 'latin1'));
    this.routes.interestChanged(interest);
  }
}
