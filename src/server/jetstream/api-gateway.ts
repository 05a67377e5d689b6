/**
 * Owns the API's requests on the node where they arrive: finds out who is to answer, asks that node, and publishes its
 * answer, exactly one. What is under way is bounded; beyond it requests are dropped, as the reference server does.
 */
import type { NodeId } from '../../base/brand.ts';
import { NotLeaderError } from '../../base/errors.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { ClusterNode } from '../../cluster/index.ts';
import type { Logger } from '../../base/logger.ts';
import type { Api, ApiRequest, ApiResponse } from '../api/index.ts';
import type { Publication, Publisher, Router, ServiceHandler } from '../router-types.ts';
import type { Advisories } from './advisories.ts';
import { decodeApiResponse, encodeApiRequest } from './api-frames.ts';
import type { ConsumerGateway } from './consumer-gateway.ts';
import { DirectGetGateway, type DirectGetSource } from './direct-get-gateway.ts';
import { API_SERVICE } from './node-backend.ts';
import type { StreamCaptures } from './stream-captures.ts';
import type { ToldProgress } from './told-progress.ts';

/** As the reference server's `request_queue_limit`. */
const MAX_REQUESTS_UNDER_WAY = 10_000;
/** A client's own patience is 5 s by default; an answer that comes later is nobody's. */
const ANSWER_TIMEOUT_MS = 10_000;
/** For how long a call waits for a leader: elections pass unseen, and what lasts longer is told in time. */
const LEADERLESS_PATIENCE_MS = 4_000;
const RETRY_MS = 50;
const NEXT_PREFIX = Buffer.from('$JS.API.CONSUMER.MSG.NEXT.');
/** Answered by the consumer itself, as it were: not a call that the audit knows of. */
const RESET_PREFIX = '$JS.API.CONSUMER.RESET.';
const PURGE_PREFIX = '$JS.API.STREAM.PURGE.';
const NO_ENVELOPE = { group: 0, revision: 0, timeoutMs: 0 };

export class ApiGateway implements ServiceHandler {
  readonly #api: Api;
  readonly #cluster: ClusterNode;
  readonly #router: Router;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #advisories: Advisories;
  readonly #consumers: ConsumerGateway;
  readonly #directGets: DirectGetGateway;
  readonly #captures: StreamCaptures;
  readonly #told: ToldProgress;
  #underWay = 0;

  constructor(options: {
    readonly api: Api;
    readonly backend: DirectGetSource;
    readonly cluster: ClusterNode;
    readonly router: Router;
    readonly runtime: Runtime;
    readonly logger: Logger;
    readonly advisories: Advisories;
    readonly consumers: ConsumerGateway;
    readonly captures: StreamCaptures;
    readonly told: ToldProgress;
  }) {
    this.#api = options.api;
    this.#cluster = options.cluster;
    this.#router = options.router;
    this.#runtime = options.runtime;
    this.#logger = options.logger;
    this.#advisories = options.advisories;
    this.#consumers = options.consumers;
    this.#captures = options.captures;
    this.#told = options.told;
    this.#directGets = new DirectGetGateway(options.backend, options.router);
  }

  handle(publication: Publication, publisher: Publisher): boolean {
    const { buffer, subjectStart, subjectEnd } = publication;
    if (hasPrefix(buffer, subjectStart, subjectEnd, NEXT_PREFIX)) return this.#consumers.handle(publication, publisher);
    if (this.#directGets.answer(publication, publisher)) return true;
    return this.#start(buffer.toString('utf8', subjectStart, subjectEnd), publication, publisher);
  }

  #start(subject: string, publication: Publication, publisher: Publisher): boolean {
    // As everywhere else, nobody listens to a subject with an empty token.
    if (subject.includes('..') || subject.endsWith('.')) return false;
    const target = this.#api.nodeFor(publisher.account, subject);
    // A subject that names no call gets no answer, and no-responders neither: somebody listens.
    if (target === undefined || this.#underWay >= MAX_REQUESTS_UNDER_WAY) return true;
    const { buffer } = publication;
    const notBefore = this.#api.notBefore(publisher.account, subject);
    const request: ApiRequest = {
      account: publisher.account,
      subject,
      ...(notBefore !== undefined && { notBefore }),
      headers: Buffer.from(buffer.subarray(publication.headersStart, publication.headersEnd)),
      body: Buffer.from(buffer.subarray(publication.payloadStart, publication.payloadEnd)),
    };
    const reply = buffer.toString('latin1', publication.replyStart, publication.replyEnd);
    this.#underWay++;
    this.#answer(request, target)
      .then((response) => {
        if (response.kind === 'json' && response.progress !== undefined) {
          this.#told.note(response.progress.group, response.progress.appliedIndex);
        }
        this.#publish(response, request, reply, publisher);
        if (response.kind === 'json' && !subject.startsWith(RESET_PREFIX))
          this.#advisories.apiCall(request, response.body, publisher);
      })
      .catch((error: unknown) => {
        this.#logger.warn({ subject, error: String(error) }, 'api request failed');
      })
      .finally(() => {
        this.#underWay--;
      });
    return true;
  }

  /** Asks until there was a leader, or patience is over. */
  async #answer(request: ApiRequest, firstTarget: NodeId): Promise<ApiResponse> {
    // A client that gives up an object removes the chunks that it has sent, without waiting for word of each.
    if (request.subject.startsWith(PURGE_PREFIX)) {
      await this.#captures.settled(request.account, request.subject.slice(PURGE_PREFIX.length));
    }
    const deadline = this.#runtime.monotonicMs() + LEADERLESS_PATIENCE_MS;
    let target: NodeId | undefined = firstTarget;
    while (target !== undefined) {
      const response = await this.#ask(target, request);
      if (response.kind !== 'leaderless') return response;
      if (this.#runtime.monotonicMs() >= deadline) break;
      await new Promise<void>((resolve) => this.#runtime.after(RETRY_MS, resolve));
      target = this.#api.nodeFor(request.account, request.subject);
    }
    return this.#api.unavailable(request.subject);
  }

  async #ask(target: NodeId, request: ApiRequest): Promise<ApiResponse> {
    if (target === this.#cluster.node) return this.#api.handle(request);
    const frame = encodeApiRequest(request, NO_ENVELOPE);
    try {
      const answer = await this.#cluster.request(target, API_SERVICE, frame, ANSWER_TIMEOUT_MS);
      return decodeApiResponse(answer) ?? { kind: 'none' };
    } catch (error) {
      // The node may have gone away with the request: then nobody can say whether it was carried out.
      const leaderless = error instanceof NotLeaderError && error.notProposed;
      return leaderless ? { kind: 'leaderless' } : this.#api.unavailable(request.subject);
    }
  }

  #publish(response: ApiResponse, request: ApiRequest, reply: string, publisher: Publisher): void {
    if (reply === '') return;
    switch (response.kind) {
      case 'json':
        this.#router.publish(request.account, {
          subject: reply,
          payload: response.body,
          ...(response.headers && { headers: response.headers }),
        });
        break;
      case 'messages':
        this.#publishRuns(response.runs, request.account, Buffer.from(reply, 'latin1'));
        break;
      case 'noResponders':
        this.#router.noResponders(publisher, request.subject, reply);
        break;
      case 'none':
      case 'leaderless':
        break;
    }
    this.#router.flushSoon();
  }

  #publishRuns(runs: readonly Buffer[], account: string, reply: Buffer): void {
    for (const run of runs) this.#router.publishReplies(account, reply, 0, reply.length, run, run.length);
  }
}

function hasPrefix(buffer: Buffer, start: number, end: number, prefix: Buffer): boolean {
  return end - start > prefix.length && buffer.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0;
}
