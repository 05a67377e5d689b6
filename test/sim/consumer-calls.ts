/** Owns what a stream's leader answers to those who take its messages: the calls of the server's API, as it handles them. */
import type { Runtime } from '../../src/base/runtime.ts';
import { apiError } from '../../src/base/api-errors.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { envelope } from '../../src/server/api/answer-envelope.ts';
import { failure, type Answer, type Endpoint, type StreamCall } from '../../src/server/api/call.ts';
import {
  CONSUMER_CREATE,
  CONSUMER_CREATE_FILTERED,
  CONSUMER_CREATE_NAMED,
} from '../../src/server/api/consumer-create.ts';
import { CONSUMER_DELETE } from '../../src/server/api/consumer-delete.ts';
import type { UpstreamRequest } from '../../src/sourcing/index.ts';
import type { OpenStream } from './simulated-node.ts';

/** There is no leader. */
export const UNAVAILABLE = 10008;
const ACCOUNT = 'A';
const NO_HEADERS = Buffer.alloc(0);

export interface ApiAnswer {
  readonly headers: Buffer;
  readonly payload: Buffer;
}

type LeaderEndpoint = Extract<Endpoint, { readonly place: 'streamLeader' }>;

/** `$JS.API.CONSUMER.<CREATE|DELETE>.<stream>…`. */
export async function answerConsumerCall(
  stream: OpenStream,
  runtime: Runtime,
  request: UpstreamRequest,
): Promise<ApiAnswer> {
  const [verb, ...args] = request.subject.split('.').slice(3) as [string, ...string[]];
  const endpoint = endpointOf(verb, args) as LeaderEndpoint;
  const call = callOf(stream, runtime, { request, args: [...args.slice(0, 2), ...rest(args)] });
  const response = envelope(endpoint.responseType, await answerOf(endpoint, call));
  if (response.kind !== 'json') throw new Error(`${request.subject} is answered by ${response.kind}`);
  return { headers: response.headers ?? NO_HEADERS, payload: response.body };
}

async function answerOf(endpoint: LeaderEndpoint, call: StreamCall): Promise<Answer> {
  const unavailable = failure(apiError(503, UNAVAILABLE, 'JetStream system temporarily unavailable'));
  if (!call.stream.status.ready) return unavailable;
  const flaw = endpoint.precheck?.(call);
  if (flaw !== undefined) return failure(flaw);
  try {
    return await endpoint.handle(call);
  } catch (error) {
    if (error instanceof NotLeaderError) return unavailable;
    throw error;
  }
}

function endpointOf(verb: string, { length }: readonly string[]): Endpoint {
  if (verb === 'DELETE') return CONSUMER_DELETE;
  if (length === 1) return CONSUMER_CREATE;
  return length === 2 ? CONSUMER_CREATE_NAMED : CONSUMER_CREATE_FILTERED;
}

/** What `>` stands for is one argument. */
function rest(args: readonly string[]): string[] {
  return args.length > 2 ? [args.slice(2).join('.')] : [];
}

/** With as much of a server around it as these calls look at. */
function callOf(
  { instance, consumers, spec }: OpenStream,
  runtime: Runtime,
  { request, args }: { readonly request: UpstreamRequest; readonly args: readonly string[] },
): StreamCall {
  const backend = {
    runtime,
    clustered: false,
    strict: false,
    serverVersion: '',
    serverLimits: { maxDuplicateWindowMs: 0, maxAckPending: 0, maxRequestBatch: 0 },
    accountLimits: () => undefined,
  };
  const call: Pick<StreamCall, 'account' | 'args' | 'stream' | 'consumers' | 'leaderSinceUs'> = {
    account: ACCOUNT,
    args,
    stream: instance,
    consumers,
    leaderSinceUs: undefined,
  };
  const { subject, headers, body } = request;
  return {
    ...call,
    backend,
    request: { account: ACCOUNT, subject, headers, body },
    assignment: { name: spec.config.name },
  } as unknown as StreamCall;
}
