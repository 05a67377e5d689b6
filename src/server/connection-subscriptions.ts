/** Owns a connection's subscriptions by the ids that the client chose, and keeps the router in step with them. */
import { type AccountSubjects, type Subscriber, Subscription } from './router/index.ts';

export class ConnectionSubscriptions {
  readonly #subscriber: Subscriber;
  readonly #bySid = new Map<string, Subscription>();
  #account: AccountSubjects;

  constructor(subscriber: Subscriber, account: AccountSubjects) {
    this.#subscriber = subscriber;
    this.#account = account;
  }

  get count(): number {
    return this.#bySid.size;
  }

  has(sid: string): boolean {
    return this.#bySid.has(sid);
  }

  all(): Iterable<Subscription> {
    return this.#bySid.values();
  }

  add(terms: { readonly subject: string; readonly queue: string | undefined; readonly sid: string }): void {
    const subscription = new Subscription(this.#subscriber, terms);
    this.#bySid.set(terms.sid, subscription);
    this.#account.subscribe(subscription);
  }

  /** Ends a subscription at its `max`-th message, or now if that has been reached. Unknown ids are ignored. */
  limit(sid: string, max: number): void {
    const subscription = this.#bySid.get(sid);
    if (subscription === undefined) return;
    if (max > subscription.delivered) subscription.max = max;
    else this.remove(subscription);
  }

  remove(subscription: Subscription): void {
    this.#bySid.delete(subscription.sid);
    this.#account.unsubscribe(subscription);
  }

  removeAll(): void {
    for (const subscription of this.#bySid.values()) this.#account.unsubscribe(subscription);
    this.#bySid.clear();
  }

  /** What comes from now on belongs to another account; nothing may be subscribed to at the time. */
  moveTo(account: AccountSubjects): void {
    this.removeAll();
    this.#account = account;
  }
}
