/**
 * Owns the waiting pull requests of one consumer: who gets the next message, and how a request ends. The head gets a
 * message and, if it wants more, goes to the end of the queue.
 */
import type { DeliveryTarget, Outlet } from '../types.ts';
import type { PriorityRule } from './priority-rule.ts';
import type { PullRequestBody, PullRequestGroup } from './pull-request.ts';
import {
  CONSUMER_DELETED,
  LEADERSHIP_CHANGE,
  NO_MESSAGES,
  batchCompleted,
  idleHeartbeat,
  messageSizeExceeds,
  requestTimeout,
  serverShutdown,
  wrongPinId,
  type Unfilled,
} from './status-messages.ts';

/** A slow reader is looked at once in so many messages: what it has queued is bounded by a few of them. */
const CONGESTION_CHECK_MESSAGES = 32;

export interface PullRequest {
  readonly target: DeliveryTarget;
  readonly noWait: boolean;
  readonly hasBudget: boolean;
  readonly heartbeatMs: number;
  /** Infinity: as long as somebody listens. */
  readonly expiresAtMs: number;
  readonly group: PullRequestGroup | undefined;
  /** Its place among the others: lower ranks first. */
  readonly rank: number;
  /** The pin that it came with or got; empty if none. */
  pinId: string;
  heartbeatAtMs: number;
  remaining: number;
  /** Of the budget, if there is one. */
  bytesLeft: number;
  delivered: number;
  uncheckedMessages: number;
  /** Messages that count for this request and wait for their commit. */
  held: number;
  ended: boolean;
  /** Sent when the last held message is. */
  finalStatus: Buffer | undefined;
}

/** `passedOver`: those who wait are not to be served now, by the consumer's policy. */
export type Readiness = 'ready' | 'nobody' | 'passedOver' | 'congested';

export class PullQueue {
  readonly #outlet: Outlet;
  /** Called when listeners of waiting requests come or go. */
  onInterestChange: () => void = () => undefined;
  /** Says who may be served. */
  rule: PriorityRule | undefined;
  /** By rank; those of one rank in the order in which they are served. */
  #requests: PullRequest[] = [];
  /** Gets the next message. */
  #chosen: PullRequest | undefined;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  get size(): number {
    return this.#requests.length;
  }

  /** Messages that all requests together still want. */
  get wanted(): number {
    let sum = 0;
    for (const request of this.#requests) sum += request.remaining;
    return sum;
  }

  /** Takes the inboxes in the order in which they are served. */
  *inboxes(): Generator<string> {
    for (const request of this.#requests) yield request.target.subject;
  }

  /** Returns the time at which the request wants to be looked at. */
  add(inbox: string, body: PullRequestBody, nowMs: number): number {
    const expiresAtMs = body.expiresMs === 0 ? Infinity : nowMs + body.expiresMs;
    const heartbeatAtMs = body.heartbeatMs > 0 ? nowMs + body.heartbeatMs : Infinity;
    this.#insert({
      target: this.#outlet.openTarget(inbox, {
        queue: undefined,
        wildcards: true,
        onChange: () => {
          this.onInterestChange();
        },
      }),
      noWait: body.noWait,
      hasBudget: body.maxBytes > 0,
      heartbeatMs: body.heartbeatMs,
      expiresAtMs,
      group: body.group,
      rank: this.rule?.rankOf(body.group) ?? 0,
      pinId: body.group?.id ?? '',
      heartbeatAtMs,
      remaining: body.batch,
      bytesLeft: body.maxBytes,
      delivered: 0,
      uncheckedMessages: CONGESTION_CHECK_MESSAGES,
      held: 0,
      ended: false,
      finalStatus: undefined,
    });
    return Math.min(expiresAtMs, heartbeatAtMs);
  }

  /** Chooses who gets the next message. Requests that expired, lost their listener or name an old pin end here. */
  ready(nowMs: number): Readiness {
    let congested = false;
    for (let at = 0; at < this.#requests.length;) {
      const request = this.#requests[at]!;
      if (!request.target.interested) {
        this.#end(request, undefined);
      } else if (request.expiresAtMs <= nowMs) {
        this.#end(request, requestTimeout(unfilled(request)));
      } else {
        const verdict = this.rule?.judge(request) ?? 'serve';
        if (verdict === 'wait') return 'nobody';
        if (verdict === 'stale') {
          this.#end(request, wrongPinId(unfilled(request)));
        } else if (verdict === 'serve' && !this.#isCongested(request)) {
          this.#choose(request, at);
          return 'ready';
        } else {
          congested ||= verdict === 'serve';
          at++;
        }
      }
    }
    if (congested) return 'congested';
    return this.#requests.length > 0 ? 'passedOver' : 'nobody';
  }

  #isCongested(request: PullRequest): boolean {
    if (request.uncheckedMessages < CONGESTION_CHECK_MESSAGES) return false;
    if (this.#outlet.congested(request.target)) return true;
    request.uncheckedMessages = 0;
    return false;
  }

  /** Those of its rank that were passed over go behind the others: their turn is over. */
  #choose(request: PullRequest, at: number): void {
    this.#chosen = request;
    if (at === 0) return;
    const requests = this.#requests;
    let first = at;
    while (first > 0 && requests[first - 1]!.rank === request.rank) first--;
    for (const passed of requests.splice(first, at - first)) this.#insert(passed);
  }

  /** Behind all that come before it or are its equals. */
  #insert(request: PullRequest): void {
    const requests = this.#requests;
    let at = requests.length;
    while (at > 0 && requests[at - 1]!.rank > request.rank) at--;
    if (at === requests.length) requests.push(request);
    else requests.splice(at, 0, request);
  }

  /**
   * The request that gets a message of `bytes`; undefined if there is none. Heads with too small a budget end here.
   * Call after `ready` said so, and `charge` what it took.
   */
  accept(bytes: number, nowMs: number): PullRequest | undefined {
    do {
      const chosen = this.#chosen!;
      if (!chosen.hasBudget || bytes <= chosen.bytesLeft) return chosen;
      this.#end(chosen, messageSizeExceeds(unfilled(chosen)));
    } while (this.ready(nowMs) === 'ready');
    return undefined;
  }

  /** `request` took a message of `bytes`; it was sent, or is held until its commit. */
  charge(request: PullRequest, bytes: number, nowMs: number): void {
    request.remaining--;
    request.delivered++;
    request.uncheckedMessages++;
    if (request.heartbeatMs > 0) request.heartbeatAtMs = nowMs + request.heartbeatMs;
    if (request.hasBudget) request.bytesLeft -= bytes;
    if (request.remaining === 0) {
      this.#end(request, request.hasBudget && request.bytesLeft > 0 ? batchCompleted(unfilled(request)) : undefined);
    } else if (request.hasBudget && request.bytesLeft === 0) {
      this.#end(request, undefined);
    } else {
      this.#rotate(request);
    }
  }

  /** Nobody took a message that was sent for `request`. */
  abandon(request: PullRequest): void {
    this.#end(request, undefined);
  }

  /** A held message of `request` was sent. */
  release(request: PullRequest): void {
    request.held--;
    if (request.held === 0 && request.ended) this.#close(request);
  }

  /** There is nothing more to deliver to those who wait: requests that don't want to wait end. */
  endUnwilling(): void {
    this.#endWhere(
      (request) => request.noWait && (request.expiresAtMs === Infinity || request.delivered > 0),
      () => NO_MESSAGES,
    );
  }

  /** Ends requests whose time or listener is gone, sends heartbeats, and says when to be asked again. */
  due(nowMs: number, lastConsumerSeq: number, lastStreamSeq: number): number {
    this.dropDead(nowMs);
    let next = Infinity;
    for (const request of this.#requests) {
      if (request.heartbeatAtMs <= nowMs) {
        this.#outlet.status(request.target, idleHeartbeat(lastConsumerSeq, lastStreamSeq, undefined));
        request.heartbeatAtMs = nowMs + request.heartbeatMs;
      }
      next = Math.min(next, request.expiresAtMs, request.heartbeatAtMs);
    }
    return next;
  }

  dropDead(nowMs: number): void {
    this.#endWhere(
      (request) => !request.target.interested || request.expiresAtMs <= nowMs,
      (request) => (request.target.interested ? requestTimeout(unfilled(request)) : undefined),
    );
  }

  consumerDeleted(): void {
    this.#endWhere(
      () => true,
      () => CONSUMER_DELETED,
    );
  }

  /** Somebody else leads now, and tells those of `known` itself. */
  leaderChanged(known: ReadonlySet<string>): void {
    this.#endWhere(
      () => true,
      ({ target }) => (known.has(target.subject) ? undefined : LEADERSHIP_CHANGE),
    );
  }

  /** The node is about to stop. */
  serverStops(): void {
    this.#endWhere(
      () => true,
      (request) => serverShutdown(unfilled(request)),
    );
  }

  /** This node doesn't lead any more: nothing is said to anybody. */
  close(): void {
    for (const request of this.#requests) request.target.close();
    this.#requests = [];
  }

  #endWhere(ends: (request: PullRequest) => boolean, statusOf: (request: PullRequest) => Buffer | undefined): void {
    const ending = this.#requests.filter(ends);
    if (ending.length === 0) return;
    this.#requests = this.#requests.filter((request) => !ends(request));
    for (const request of ending) this.#finish(request, statusOf(request));
  }

  #end(request: PullRequest, finalStatus: Buffer | undefined): void {
    const at = this.#requests.indexOf(request);
    if (at < 0) return;
    this.#requests.splice(at, 1);
    this.#finish(request, finalStatus);
  }

  #finish(request: PullRequest, finalStatus: Buffer | undefined): void {
    request.ended = true;
    request.finalStatus = finalStatus;
    if (request.held === 0) this.#close(request);
  }

  #close(request: PullRequest): void {
    if (request.finalStatus !== undefined) this.#outlet.status(request.target, request.finalStatus);
    request.target.close();
  }

  #rotate(request: PullRequest): void {
    if (this.#requests.length === 1) return;
    this.#requests.splice(this.#requests.indexOf(request), 1);
    this.#insert(request);
  }
}

function unfilled(request: PullRequest): Unfilled {
  return { messages: request.remaining, bytes: request.bytesLeft };
}
