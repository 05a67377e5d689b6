/** Owns the shape of an API call: what an endpoint declares, what it gets, and what it may answer. */
import type { ApiError } from '../../base/api-errors.ts';
import { invalidJson } from '../../base/api-errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { AccountTurns } from './account-turns.ts';
import type { ApiBackend, ApiRequest, ApiResponse, LocalStream, StreamProgress } from './backend.ts';
import { decodeRequest } from './decoder.ts';
import type { Decoded, Fields } from './decoder.ts';

export type Answer =
  | {
      readonly kind: 'success';
      readonly body: object;
      readonly headers?: Buffer | undefined;
      readonly progress?: StreamProgress;
    }
  | { readonly kind: 'error'; readonly error: ApiError; readonly progress?: StreamProgress }
  /** The whole answer, e.g. as another node's API gave it. */
  | { readonly kind: 'raw'; readonly response: ApiResponse };

interface EndpointBase {
  /** Behind `$JS.API.`; `*` and `>` become the call's arguments. */
  readonly subject: string;
  /** Behind `io.nats.jetstream.api.v1.`. */
  readonly responseType: string;
  /** Members that answers with an error have beside it. */
  readonly failure?: object;
  /** From other accounts the call is ignored. */
  readonly systemOnly?: boolean;
  /** What is wrong with the body, where that is said even to those who ask for another level of the API. */
  bodyFlaw?(call: Call): ApiError | undefined;
  /** The system account may ask as well, though it has no streams of its own. */
  readonly fromSystemAccount?: boolean;
}

/**
 * By the place where calls are answered. `metaLeader`: needs the catalogue's last word. `streamLeader`: the first argument
 * names the stream. `anyReplica`: any node that holds the stream; nobody there is answered by no-responders.
 */
export type Endpoint =
  | (EndpointBase & { readonly place: 'metaLeader' | 'anyReplica'; handle(call: Call): Promise<Answer> | Answer })
  | (EndpointBase & {
      readonly place: 'streamLeader';
      /** Answered although there is no leader, from what any node knows. Otherwise: temporarily unavailable. */
      leaderless?(call: Call, assignment: StreamAssignment): Promise<Answer> | Answer;
      /** Checks that come before looking up the stream. */
      precheck?(call: Call): ApiError | undefined;
      handle(call: StreamCall): Promise<Answer> | Answer;
    });

/** A call and the node it is handled on. */
export interface Call {
  readonly backend: ApiBackend;
  readonly request: ApiRequest;
  readonly account: string;
  /** What the wildcards of the endpoint's subject stand for; that of `>` is one argument with dots. */
  readonly args: readonly string[];
  readonly totals: ApiTotals;
  /** Keeps changes of one account's streams in order. */
  readonly turns: AccountTurns;
}

/** On the stream's leader, which is ready. */
export interface StreamCall extends Call, LocalStream {
  readonly assignment: StreamAssignment;
}

/** What `$JS.API.INFO` tells of the calls of an account on this node since it started. */
export interface ApiTotals {
  total: number;
  errors: number;
  inflight: number;
}

/** `headers`: a header block for the answer to carry. */
export function success(body: object, headers?: Buffer): Answer {
  return { kind: 'success', body, headers };
}

export function failure(error: ApiError): Answer {
  return { kind: 'error', error };
}

export type BodyResult<F extends Fields> =
  { readonly ok: true; readonly value: Decoded<F> } | { readonly ok: false; readonly error: ApiError };

export function flawOf(body: BodyResult<Fields>): ApiError | undefined {
  return body.ok ? undefined : body.error;
}

/** Decodes the body of a call that needs one. */
export function decodeBody<F extends Fields>(
  call: Call,
  schema: { readonly rootType: string; readonly fields: F },
): BodyResult<F> {
  const decoded = decodeRequest(call.request.body, schema, call.backend.strict);
  return decoded.ok ? decoded : { ok: false, error: invalidJson(decoded.error) };
}

/** Decodes the body of a call that can do without: what does not even begin like JSON counts as absent. */
export function decodeOptionalBody<F extends Fields>(
  call: Call,
  schema: { readonly rootType: string; readonly fields: F },
): BodyResult<F> {
  const first = call.request.body.toString('latin1').trimStart()[0];
  return first === '{' || first === '[' ? decodeBody(call, schema) : { ok: true, value: {} };
}

/** No bytes, or a JSON object without members. */
export function isEmptyBody(body: Buffer): boolean {
  return body.length === 0 || (body.length < 64 && /^\s*\{\s*\}\s*$/.test(body.toString('latin1')));
}

/** Client offsets beyond the end mean the end, negative ones the beginning. */
export function clampOffset(offset: number | undefined, total: number): number {
  return Math.min(Math.max(offset ?? 0, 0), total);
}
