/** Owns CONSUMER.RESET (consumers.md 2.5). */
import { invalidJson } from '../../base/api-errors.ts';
import { plainJsonError } from '../../base/json.ts';
import { failure, success } from './call.ts';
import type { Answer, Endpoint, StreamCall } from './call.ts';
import { describeConsumer } from './consumer-answers.ts';
import { decodeRequest, uint64 } from './decoder.ts';

const REQUEST = { rootType: 'JSApiConsumerResetRequest', fields: { seq: uint64 } } as const;

export const CONSUMER_RESET: Endpoint = {
  subject: 'CONSUMER.RESET.*.*',
  responseType: 'consumer_reset_response',
  place: 'streamLeader',
  failure: { reset_seq: 0 },
  handle: reset,
};

async function reset(call: StreamCall): Promise<Answer> {
  const name = call.args[1]!;
  // A consumer subscribes to this call itself, so for one that does not exist there is no answer.
  if (call.consumers.info(name) === undefined) return { kind: 'raw', response: { kind: 'none' } };
  const body = decodeRequest(call.request.body, REQUEST, false);
  if (!body.ok) return failure(invalidJson(plainJsonError(body.error)));
  const result = await call.consumers.reset(name, body.value.seq ?? 0);
  if (!result.ok) return failure(result.error);
  const info = call.consumers.info(name);
  if (info === undefined) return { kind: 'raw', response: { kind: 'none' } };
  return success({ ...describeConsumer(call, info), reset_seq: result.value });
}
