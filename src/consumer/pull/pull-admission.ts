/** Owns which pull requests are taken, and what those that are not get as answer (in the order of the reference). */
import { isSupportedLevel } from '../../base/api-level.ts';
import type { ConsumerConfig } from '../types.ts';
import { groupRefusal } from './priority-rule.ts';
import { parsePullRequest, type PullRequestBody } from './pull-request.ts';
import {
  CONSUMER_IS_PUSH_BASED,
  EXCEEDED_MAX_WAITING,
  NO_MESSAGES,
  REQUESTS_PENDING,
  REQUIRED_API_LEVEL,
  badRequest,
  exceededBatch,
  exceededExpires,
  exceededMaxBytes,
} from './status-messages.ts';

const LEVEL_HEADER = '\r\nNats-Required-Api-Level:';

export type Admission =
  | { readonly kind: 'taken'; readonly body: PullRequestBody }
  | { readonly kind: 'refused'; readonly status: Buffer }
  /** Refused without a word: the client counts missing heartbeats. */
  | { readonly kind: 'dropped' };

/** What a request is measured against. Asked for only when it matters, because counting may cost. */
export interface QueueFacts {
  /** Of the client that is pinned; empty: none is. */
  readonly pinId: string;
  /** What is there to be delivered, even if not now. */
  available(): number;
  /** Nothing is delivered now. */
  readonly paused: boolean;
  /** Messages that earlier requests still want. */
  wanted(): number;
  /** Waiting requests, after those that ended were dropped. */
  waiting(): number;
}

export function admitPull(config: ConsumerConfig, headers: Buffer, body: Buffer, queue: QueueFacts): Admission {
  if (config.deliverSubject !== '') return refused(CONSUMER_IS_PUSH_BASED);
  if (headers.length > 0 && !levelSuffices(headers)) return refused(REQUIRED_API_LEVEL);
  const request = parsePullRequest(body);
  if ('problem' in request) return refused(badRequest(request.problem));
  const excess = excessOf(config, request);
  if (excess !== undefined) return refused(excess);
  const misplaced = request.group && groupRefusal(config, queue.pinId, request.group);
  if (misplaced !== undefined) return refused(misplaced);
  if (request.noWait) {
    const available = queue.available();
    if (available > 0 && available < queue.wanted()) return refused(REQUESTS_PENDING);
    if ((available === 0 || queue.paused) && request.expiresMs === 0) return refused(NO_MESSAGES);
  }
  if (queue.waiting() >= config.maxWaiting) {
    return request.heartbeatMs > 0 ? { kind: 'dropped' } : refused(EXCEEDED_MAX_WAITING);
  }
  return { kind: 'taken', body: request };
}

function excessOf(config: ConsumerConfig, request: PullRequestBody): Buffer | undefined {
  if (config.maxRequestBatch > 0 && request.batch > config.maxRequestBatch) {
    return exceededBatch(config.maxRequestBatch);
  }
  if (config.maxRequestExpiresMs > 0 && request.expiresMs > config.maxRequestExpiresMs) {
    return exceededExpires(config.maxRequestExpiresMs);
  }
  if (config.maxRequestMaxBytes > 0 && request.maxBytes > config.maxRequestMaxBytes) {
    return exceededMaxBytes(config.maxRequestMaxBytes);
  }
  return undefined;
}

function refused(status: Buffer): Admission {
  return { kind: 'refused', status };
}

function levelSuffices(headers: Buffer): boolean {
  const text = headers.toString('latin1');
  const at = text.indexOf(LEVEL_HEADER);
  if (at < 0) return true;
  const start = at + LEVEL_HEADER.length;
  return isSupportedLevel(text.slice(start, text.indexOf('\r\n', start)).trimStart());
}
