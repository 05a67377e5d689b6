/**
 * Owns the dispatch of API calls: which endpoint a subject names, on which node it is answered, the checks that all calls
 * share (streams.md 1.3), and the envelope of answers.
 */
import {
  API_LEVEL_REQUIRED,
  JETSTREAM_NOT_ENABLED_FOR_ACCOUNT,
  JETSTREAM_UNAVAILABLE,
  STREAM_NOT_FOUND,
} from '../../base/api-errors.ts';
import { isSupportedLevel } from '../../base/api-level.ts';
import type { NodeId } from '../../base/brand.ts';
import { NotLeaderError } from '../../base/errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { LogIndex } from '../../raft/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { envelope } from './answer-envelope.ts';
import { AccountTurns } from './account-turns.ts';
import type { ApiBackend, ApiRequest, ApiResponse } from './backend.ts';
import { failure } from './call.ts';
import type { Answer, ApiTotals, Call, Endpoint } from './call.ts';
import { headerValue } from './headers.ts';
import { findEndpoint } from './routes.ts';

/** How long a call waits for a leader, its own answer included. Clients wait 5 s by default. */
const LEADER_TIMEOUT_MS = 4000;
const NONE: ApiResponse = { kind: 'none' };
const NO_RESPONDERS: ApiResponse = { kind: 'noResponders' };
const LEADERLESS: ApiResponse = { kind: 'leaderless' };

type StreamEndpoint = Extract<Endpoint, { place: 'streamLeader' }>;

export class Api {
  readonly #backend: ApiBackend;
  readonly #turns: AccountTurns;
  readonly #totals = new Map<string, ApiTotals>();

  constructor(backend: ApiBackend) {
    this.#backend = backend;
    this.#turns = new AccountTurns(backend.runtime);
  }

  /**
   * The node where a call should be handled, for the node where it came in. This node when nobody better is known: its
   * answer then says so. Undefined: no such call exists, and nobody answers.
   */
  nodeFor(account: string, subject: string): NodeId | undefined {
    const backend = this.#backend;
    const found = findEndpoint(subject);
    if (found === undefined) return undefined;
    if (found.endpoint.place === 'metaLeader') return backend.metaLeader() ?? backend.node;
    const assignment = backend.catalogue.stream(account, found.args[0]!);
    if (found.endpoint.place === 'anyReplica') return this.#directGetNode(account, found.args[0]!, assignment);
    // A stream that is unknown here may exist all the same: the meta leader has the last word.
    if (assignment === undefined) return backend.metaLeader() ?? backend.node;
    return backend.leaderOf(assignment) ?? this.#replicaFor(account, assignment) ?? backend.node;
  }

  /** Any replica of the stream before those of its mirrors, and one here before all others. */
  #directGetNode(account: string, name: string, assignment: StreamAssignment | undefined): NodeId {
    const backend = this.#backend;
    if (backend.directGetReplica(account, name) !== undefined) return backend.node;
    if (assignment !== undefined && answersDirectGets(assignment)) {
      const replica = this.#replicaFor(account, assignment);
      if (replica !== undefined) return replica;
    }
    for (const mirror of backend.directMirrorsOf(account, name)) {
      const replica = this.#replicaFor(account, mirror);
      // One here would have answered if it could.
      if (replica !== undefined && replica !== backend.node) return replica;
    }
    return backend.node;
  }

  /** What a call that any replica may answer must know of; undefined: nothing in particular. */
  notBefore(account: string, subject: string): LogIndex | undefined {
    const found = findEndpoint(subject);
    if (found?.endpoint.place !== 'anyReplica') return undefined;
    const assignment = this.#backend.catalogue.stream(account, found.args[0]!);
    return assignment && this.#backend.toldProgress(assignment);
  }

  #replicaFor(account: string, assignment: StreamAssignment | undefined): NodeId | undefined {
    if (assignment === undefined) return undefined;
    if (this.#backend.localStream(account, assignment.name) !== undefined) return this.#backend.node;
    // Those that are to join may not have the stream yet.
    if (assignment.reconfiguration !== undefined) return this.#backend.leaderOf(assignment);
    const up = assignment.members.filter((member) => this.#backend.isUp(member));
    return up[Math.floor(this.#backend.runtime.random() * up.length)];
  }

  /** Handles a call here, on the node that `nodeFor` named. Never rejects because of what a client sent. */
  async handle(request: ApiRequest): Promise<ApiResponse> {
    const found = findEndpoint(request.subject);
    if (found === undefined) return NONE;
    const { endpoint, args } = found;
    if (endpoint.systemOnly === true && request.account !== this.#backend.systemAccount) return NONE;
    const totals = this.#totalsOf(request.account);
    const call: Call = { backend: this.#backend, request, account: request.account, args, totals, turns: this.#turns };
    if (endpoint.place === 'anyReplica') return this.#handleOnReplica(endpoint, call);

    totals.inflight++;
    try {
      const answer = this.#refusal(endpoint, call) ?? (await this.#answer(endpoint, call));
      if (request.forwarded !== true) {
        totals.total++;
        if (answer.kind === 'error') totals.errors++;
      }
      return envelopeOf(endpoint, answer);
    } catch (error) {
      if (!(error instanceof NotLeaderError)) throw error;
      // Whoever may have been obeyed must not be told otherwise: the client times out, and looks for itself.
      return error.notProposed ? LEADERLESS : NONE;
    } finally {
      totals.inflight--;
    }
  }

  async #handleOnReplica(endpoint: Exclude<Endpoint, StreamEndpoint>, call: Call): Promise<ApiResponse> {
    if (this.#backend.accountLimits(call.account) === undefined) return NO_RESPONDERS;
    const { notBefore } = call.request;
    if (notBefore !== undefined && !(await this.#backend.caughtUp(call.account, call.args[0]!, notBefore))) {
      return NO_RESPONDERS;
    }
    return envelopeOf(endpoint, await endpoint.handle(call));
  }

  /** What any call may be refused for. */
  #refusal(endpoint: Endpoint, call: Call): Answer | undefined {
    const level = headerValue(call.request.headers, 'Nats-Required-Api-Level');
    if (level !== undefined && !isSupportedLevel(level)) {
      return failure(endpoint.bodyFlaw?.(call) ?? API_LEVEL_REQUIRED);
    }
    if (endpoint.systemOnly === true) return undefined;
    if (endpoint.fromSystemAccount === true && call.account === this.#backend.systemAccount) return undefined;
    const enabled = call.account !== this.#backend.systemAccount && this.#backend.accountLimits(call.account);
    return enabled ? undefined : failure(JETSTREAM_NOT_ENABLED_FOR_ACCOUNT);
  }

  async #answer(endpoint: Exclude<Endpoint, { place: 'anyReplica' }>, call: Call): Promise<Answer> {
    if (endpoint.place === 'streamLeader') return this.#answerForStream(endpoint, call);
    return endpoint.handle(call);
  }

  async #answerForStream(endpoint: StreamEndpoint, call: Call): Promise<Answer> {
    const early = endpoint.precheck?.(call);
    if (early !== undefined) return failure(early);
    const name = call.args[0]!;
    const assignment = await this.#findStream(call.account, name);
    if (assignment === undefined) return this.#missing();
    const local = this.#backend.localStream(call.account, name);
    if (local !== undefined && local.stream.status.role === 'leader' && local.stream.status.ready) {
      const answer = await endpoint.handle({ ...call, ...local, assignment });
      if (answer.kind === 'raw') return answer;
      return { ...answer, progress: { group: assignment.group, appliedIndex: local.stream.appliedIndex } };
    }
    if (call.request.forwarded !== true) {
      const response = await this.#backend.askStreamLeader(assignment, call.request, LEADER_TIMEOUT_MS);
      if (response !== undefined) return { kind: 'raw', response };
    }
    return endpoint.leaderless?.(call, assignment) ?? failure(JETSTREAM_UNAVAILABLE);
  }

  async #findStream(account: string, name: string): Promise<StreamAssignment | undefined> {
    const known = this.#backend.catalogue.stream(account, name);
    if (known !== undefined || this.#backend.metaLeader() !== this.#backend.node) return known;
    await this.#backend.catalogueBarrier();
    return this.#backend.catalogue.stream(account, name);
  }

  /**
   * Only the meta leader can say that a stream does not exist: another node, asked because it leads the stream, or led it
   * before it started anew, may not have heard of it yet.
   */
  #missing(): Answer {
    const { node } = this.#backend;
    if (this.#backend.metaLeader() !== node) throw new NotLeaderError(`${node} is not the meta leader`, true);
    return failure(STREAM_NOT_FOUND);
  }

  /** What a call is answered with when no leader was found, or the node that was to handle it went away with it. */
  unavailable(subject: string): ApiResponse {
    const endpoint = findEndpoint(subject)?.endpoint;
    if (endpoint === undefined) return NONE;
    return endpoint.place === 'anyReplica' ? NO_RESPONDERS : envelopeOf(endpoint, failure(JETSTREAM_UNAVAILABLE));
  }

  /** Calls handled on this node since it started, those of all accounts together. */
  totals(): Readonly<ApiTotals> {
    const sum = { total: 0, errors: 0, inflight: 0 };
    for (const { total, errors, inflight } of this.#totals.values()) {
      sum.total += total;
      sum.errors += errors;
      sum.inflight += inflight;
    }
    return sum;
  }

  #totalsOf(account: string): ApiTotals {
    let totals = this.#totals.get(account);
    if (totals === undefined) this.#totals.set(account, (totals = { total: 0, errors: 0, inflight: 0 }));
    return totals;
  }
}

function answersDirectGets({ config }: StreamAssignment): boolean {
  return (config as unknown as StreamConfig).allowDirect;
}

function envelopeOf(endpoint: Endpoint, answer: Answer): ApiResponse {
  return envelope(endpoint.responseType, answer, endpoint.failure);
}
