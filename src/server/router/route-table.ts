/** Owns an account's open routes: literal subjects whose interest somebody watches. */
import type { RouteHandle } from '../router-types.ts';
import type { AccountSubjects } from './account-subjects.ts';
import type { Interest } from './interest.ts';
import type { MatchResult } from './match-result.ts';
import { SubjectTrie } from './subject-trie.ts';
import type { Flushable, TurnEnd } from './turn-end.ts';

const UNKNOWN = -1;

export class Route implements RouteHandle {
  /** Byte string. */
  readonly subject: string;
  readonly subjectBytes: Buffer;
  readonly account: AccountSubjects;
  /** Of what is delivered to it, as `FanOut` wants it said. */
  readonly origin: { readonly publisher: undefined; readonly routeSubject: Buffer };
  readonly onChange: () => void;
  #match: MatchResult | undefined;
  /** What `exactPlain` answers as long as `#match` is current; -1: not asked since. */
  #exactPlain = UNKNOWN;
  /** The subject stands for this one, in another account: who listens there, listens here. */
  readonly #behind: RouteHandle | undefined;
  #closed = false;

  constructor(account: AccountSubjects, subject: string, onChange: () => void, behind: RouteHandle | undefined) {
    this.account = account;
    this.subject = subject;
    this.#behind = behind;
    this.subjectBytes = Buffer.from(subject, 'latin1');
    this.origin = { publisher: undefined, routeSubject: this.subjectBytes };
    this.onChange = onChange;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get match(): MatchResult {
    if (this.#match === undefined || !this.account.isCurrent(this.#match)) {
      this.#match = this.account.match(this.subjectBytes, 0, this.subjectBytes.length);
      this.#exactPlain = UNKNOWN;
    }
    return this.#match;
  }

  get interested(): boolean {
    return this.#behind?.interested ?? this.match.interested;
  }

  get taken(): boolean {
    return !this.match.empty;
  }

  exactPlain(): number {
    if (this.match.empty) return 0;
    if (this.#exactPlain === UNKNOWN) this.#exactPlain = this.account.exact(this.subject)?.plainMembers() ?? 0;
    return this.#exactPlain;
  }

  exactQueue(queue: string): number {
    return this.account.exact(this.subject)?.queues.get(queue)?.members ?? 0;
  }

  pendingBytes(): number {
    return this.#behind?.pendingBytes() ?? this.match.pendingBytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#behind?.close();
    this.account.routes.remove(this);
  }
}

export class RouteTable implements Flushable {
  readonly #account: AccountSubjects;
  readonly #turnEnd: TurnEnd;
  readonly #bySubject = new SubjectTrie<Set<Route>>();
  /** Those to be told at the end of the turn. */
  readonly #changed = new Set<Route>();

  constructor(account: AccountSubjects, turnEnd: TurnEnd) {
    this.#account = account;
    this.#turnEnd = turnEnd;
  }

  /** `behind`: what the subject stands for in another account; it goes with the route. */
  open(subject: string, onChange: () => void, behind?: RouteHandle): Route {
    const route = new Route(this.#account, subject, onChange, behind);
    const others = this.#bySubject.get(subject);
    if (others === undefined) this.#bySubject.set(subject, new Set([route]));
    else others.add(route);
    return route;
  }

  remove(route: Route): void {
    this.#changed.delete(route);
    const routes = this.#bySubject.get(route.subject);
    routes?.delete(route);
    if (routes?.size === 0) this.#bySubject.delete(route.subject);
  }

  interestChanged(interest: Interest): void {
    if (this.#bySubject.size === 0) return;
    const before = this.#changed.size;
    if (interest.wildcard) {
      for (const routes of this.#bySubject.matchedBy(interest.filter)) this.#addAll(routes);
    } else {
      this.#addAll(this.#bySubject.get(interest.filter));
    }
    if (before === 0 && this.#changed.size > 0) this.#turnEnd.add(this);
  }

  flush(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const route of changed) if (!route.closed) route.onChange();
  }

  #addAll(routes: ReadonlySet<Route> | undefined): void {
    if (routes !== undefined) for (const route of routes) this.#changed.add(route);
  }
}
