/**
 * Owns the waiting pull requests of one consumer: who gets the next message, and how a request ends. The head gets a
 * message and, if it wants more, goes to the end of the queue.
 */
import type { DeliveryTarget, Outlet } from './types.ts';
import type { PullRequestBody } from './pull-request.ts';
import {
  CONSUMER_DELETED,
  NO_MESSAGES,
  batchCompleted,
  idleHeartbeat,
  messageSizeExceeds,
  requestTimeout,
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

export type Readiness = 'ready' | 'nobody' | 'congested';

export class PullQueue {
  readonly #outlet: Outlet;
  /** Called when listeners of waiting requests come or go. */
  onInterestChange: () => void = () => undefined;
  #requests: PullRequest[] = [];

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
    const expiresAtMs = body.expiresMs > 0 ? nowMs + body.expiresMs : Infinity;
    const heartbeatAtMs = body.heartbeatMs > 0 ? nowMs + body.heartbeatMs : Infinity;
    this.#requests.push({
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

  /** Brings a request that can be served to the head. Those that expired or lost their listener end here. */
  ready(nowMs: number): Readiness {
    let congested = 0;
    while (this.#requests.length > congested) {
      const head = this.#requests[0]!;
      if (!head.target.interested) {
        this.#end(head, undefined);
      } else if (head.expiresAtMs <= nowMs) {
        this.#end(head, requestTimeout(unfilled(head)));
      } else if (head.uncheckedMessages >= CONGESTION_CHECK_MESSAGES && this.#outlet.congested(head.target)) {
        congested++;
        this.#rotate();
      } else {
        if (head.uncheckedMessages >= CONGESTION_CHECK_MESSAGES) head.uncheckedMessages = 0;
        return 'ready';
      }
    }
    return congested > 0 ? 'congested' : 'nobody';
  }

  /**
   * The request that gets a message of `bytes`; undefined if there is none. Heads with too small a budget end here.
   * Call after `ready` said so, and `charge` what it took.
   */
  accept(bytes: number, nowMs: number): PullRequest | undefined {
    do {
      const head = this.#requests[0]!;
      if (!head.hasBudget || bytes <= head.bytesLeft) return head;
      this.#end(head, messageSizeExceeds(unfilled(head)));
    } while (this.ready(nowMs) === 'ready');
    return undefined;
  }

  /** The head took a message of `bytes`; it was sent, or is held until its commit. */
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
      this.#rotate();
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

  /** There is nothing more to deliver: requests that don't wait end. */
  streamEnded(): void {
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

  #rotate(): void {
    if (this.#requests.length > 1) this.#requests.push(this.#requests.shift()!);
  }
}

function unfilled(request: PullRequest): Unfilled {
  return { messages: request.remaining, bytes: request.bytesLeft };
}
