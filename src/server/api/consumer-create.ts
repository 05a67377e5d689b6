/** Owns CONSUMER.CREATE in its three forms and CONSUMER.DURABLE.CREATE (consumers.md 1.2 and 2.2). */
import {
  CONSUMER_DOES_NOT_EXIST,
  CONSUMER_EXISTS,
  CONSUMER_NAME_HAS_SEPARATORS,
  CONSUMER_NAME_IN_USE,
  DURABLE_NAME_MISMATCH,
  DURABLE_NAME_NOT_SET,
  EPHEMERAL_WITH_DURABLE_NAME,
  FILTER_MISMATCH,
  STREAM_NAME_MISMATCH,
  streamIdentityMismatch,
  SUBJECT_FILTER_WITH_MANY,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { shortHash } from '../../base/short-hash.ts';
import {
  checkConsumerUpdate,
  checkSharing,
  consumerConfigsEqual,
  isSourcing,
  normaliseConsumerConfig,
} from '../../consumer/index.ts';
import type { ConsumerConfig, ConsumerInfo, ConsumerSurroundings } from '../../consumer/index.ts';
import { decodeBody, failure, flawOf, success } from './call.ts';
import type { Answer, Call, Endpoint, StreamCall } from './call.ts';
import { describeConsumer } from './consumer-answers.ts';
import { CONSUMER_CREATE_REQUEST, toConsumerConfigRequest } from './consumer-wire.ts';
import type { ConsumerConfigJson } from './consumer-wire.ts';
import type { Decoded } from './decoder.ts';
import { headerValue } from './headers.ts';

const GENERATED_NAME_LENGTH = 8;
const NAME_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

type CreateRequest = Decoded<(typeof CONSUMER_CREATE_REQUEST)['fields']>;
type Form = 'ephemeral' | 'named' | 'filtered' | 'durable';

const IDENTITY_HEADER = 'Nats-Stream-Identity';

function endpoint(subject: string, form: Form): Endpoint {
  return {
    subject,
    responseType: 'consumer_create_response',
    place: 'streamLeader',
    bodyFlaw: (call) => flawOf(decodeBody(call, CONSUMER_CREATE_REQUEST)),
    precheck: (call) => checkRequest(call, form),
    handle: create,
  };
}

export const CONSUMER_CREATE = endpoint('CONSUMER.CREATE.*', 'ephemeral');
export const CONSUMER_CREATE_NAMED = endpoint('CONSUMER.CREATE.*.*', 'named');
export const CONSUMER_CREATE_FILTERED = endpoint('CONSUMER.CREATE.*.*.>', 'filtered');
export const CONSUMER_DURABLE_CREATE = endpoint('CONSUMER.DURABLE.CREATE.*.*', 'durable');

/** What subject and body say about each other; needs no stream. */
function checkRequest(call: Call, form: Form): ApiError | undefined {
  const body = decodeBody(call, CONSUMER_CREATE_REQUEST);
  if (!body.ok) return body.error;
  const [stream, name, filter] = call.args;
  if (body.value.stream_name !== stream) return STREAM_NAME_MISMATCH;
  if (/[\\/]/.test(name ?? body.value.config?.name ?? '')) return CONSUMER_NAME_HAS_SEPARATORS;
  return checkSubjectForm(form, body.value.config ?? {}, { name, filter });
}

function checkSubjectForm(
  form: Form,
  config: ConsumerConfigJson,
  named: { readonly name: string | undefined; readonly filter: string | undefined },
): ApiError | undefined {
  const durable = config.durable_name ?? '';
  switch (form) {
    case 'ephemeral':
      return durable === '' ? undefined : EPHEMERAL_WITH_DURABLE_NAME;
    case 'durable':
      if (durable === '') return DURABLE_NAME_NOT_SET;
      return durable === named.name ? undefined : DURABLE_NAME_MISMATCH;
    case 'named':
    case 'filtered':
      if (durable !== '' && durable !== named.name) return DURABLE_NAME_MISMATCH;
      if (form === 'named') return undefined;
      if ((config.filter_subjects ?? []).length > 0) return SUBJECT_FILTER_WITH_MANY;
      return config.filter_subject === named.filter ? undefined : FILTER_MISMATCH;
  }
}

/**
 * What an update leaves alone: a pause, which is changed by CONSUMER.PAUSE only, and, where another stream takes on from a
 * durable consumer, the place where that one began. It goes on behind what was acked, wherever the other says that it stands.
 */
function keptOf({ config }: ConsumerInfo, sourcing: boolean): Partial<ConsumerConfig> {
  const { pauseUntilUs, deliverPolicy, optStartSeq, optStartTimeUs } = config;
  return sourcing && !config.direct ? { pauseUntilUs, deliverPolicy, optStartSeq, optStartTimeUs } : { pauseUntilUs };
}

async function create(call: StreamCall): Promise<Answer> {
  const body = decodeBody(call, CONSUMER_CREATE_REQUEST);
  if (!body.ok) return failure(body.error);
  const { consumers } = call;
  const asked = toConsumerConfigRequest(body.value.config ?? {}, identityOf(call, body.value));
  const sourcing = isSourcing(asked);
  const identity = shortHash(formatRfc3339(call.stream.createdUs));
  const expected = headerValue(call.request.headers, IDENTITY_HEADER);
  if (sourcing && expected !== undefined && expected !== identity) return failure(streamIdentityMismatch(identity));
  const action = body.value.action ?? '';
  const existing = consumers.info(asked.name);
  const request = existing === undefined ? asked : { ...asked, ...keptOf(existing, sourcing) };
  const surroundings = surroundingsOf(call, request.name, existing?.config);
  const normalised = normaliseConsumerConfig(request, surroundings, body.value.pedantic ?? false);
  if (!normalised.ok) return failure(normalised.error);

  const refusal = checkAction(action, existing, normalised.config);
  if (refusal !== undefined) return failure(refusal);
  // Settled already, and an answer without a trip through the log: what is asked for is what there is.
  if (existing !== undefined && action === 'create') return success(describeConsumer(call, existing));
  const crowded = checkSharing(normalised.config, surroundings);
  if (crowded !== undefined) return failure(crowded);
  const result = await consumers.create(normalised.config, action);
  if (!result.ok) return failure(result.error);
  if (!sourcing) return success(describeConsumer(call, result.value));
  const headers = Buffer.from(`NATS/1.0\r\n${IDENTITY_HEADER}: ${identity}\r\n\r\n`);
  return success(describeConsumer(call, (await begunAnew(call, existing)) ?? result.value), headers);
}

/** Whoever sources asks again because it lost track: what it has not acked is delivered anew. */
async function begunAnew(call: StreamCall, existing: ConsumerInfo | undefined): Promise<ConsumerInfo | undefined> {
  if (existing === undefined || existing.config.direct) return undefined;
  await call.consumers.reset(existing.name, 0);
  return call.consumers.info(existing.name);
}

/** The name in the subject wins over the body's; without any, one is made up. */
function identityOf(call: StreamCall, request: CreateRequest) {
  const given = call.args[1] ?? (request.config?.name || request.config?.durable_name);
  if (given !== undefined && given !== '') return { name: nameFor(call, given, request), generatedName: false };
  return { name: unusedName(call, ''), generatedName: true };
}

/** Each attempt of a mirror or source to get its messages is a consumer of its own. */
function nameFor(call: StreamCall, given: string, { config }: CreateRequest): string {
  const ephemeral = config?.direct === true && config.sourcing === true && call.stream.config.retention === 'limits';
  return ephemeral ? unusedName(call, `${given}-`) : given;
}

function unusedName(call: StreamCall, prefix: string): string {
  for (;;) {
    const letters = Array.from({ length: GENERATED_NAME_LENGTH }, () => {
      return NAME_ALPHABET[Math.floor(call.backend.runtime.random() * NAME_ALPHABET.length)]!;
    });
    const name = prefix + letters.join('');
    if (call.consumers.info(name) === undefined) return name;
  }
}

/** What a consumer's configuration is judged by beside itself. */
export function surroundingsOf(
  call: Pick<StreamCall, 'backend' | 'account' | 'stream' | 'consumers'>,
  name: string,
  existing: ConsumerConfig | undefined,
): ConsumerSurroundings {
  const { backend, consumers, stream } = call;
  const account = backend.accountLimits(call.account);
  return {
    stream: stream.config,
    others: () => consumers.othersThan(name),
    existing,
    clustered: backend.clustered,
    serverMaxAckPending: backend.serverLimits.maxAckPending,
    accountMaxAckPending: account?.maxAckPending ?? 0,
    accountMaxConsumers: account?.maxConsumers ?? 0,
    maxRequestBatch: backend.serverLimits.maxRequestBatch,
  };
}

function checkAction(
  action: 'create' | 'update' | '',
  existing: ConsumerInfo | undefined,
  config: ConsumerConfig,
): ApiError | undefined {
  if (existing === undefined) return action === 'update' ? CONSUMER_DOES_NOT_EXIST : undefined;
  if (action === 'create') return consumerConfigsEqual(existing.config, config) ? undefined : CONSUMER_EXISTS;
  const refused = checkConsumerUpdate(existing.config, config);
  if (refused !== undefined) return refused;
  // Whoever listens on the old subject would silently get nothing more.
  const moved = config.deliverSubject !== existing.config.deliverSubject;
  return moved && existing.pushBound ? CONSUMER_NAME_IN_USE : undefined;
}
