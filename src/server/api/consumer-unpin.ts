/** Owns CONSUMER.UNPIN (consumers.md 2.4). */
import { CONSUMER_NOT_FOUND, INVALID_PRIORITY_GROUP, invalidJson } from '../../base/api-errors.ts';
import { plainJsonError } from '../../base/json.ts';
import { isPriorityGroup } from '../../consumer/index.ts';
import { failure, success } from './call.ts';
import type { Answer, Endpoint, StreamCall } from './call.ts';
import { decodeRequest, text } from './decoder.ts';

const REQUEST = { rootType: 'JSApiConsumerUnpinRequest', fields: { group: text } } as const;

export const CONSUMER_UNPIN: Endpoint = {
  subject: 'CONSUMER.UNPIN.*.*',
  responseType: 'consumer_unpin_response',
  place: 'streamLeader',
  handle: unpin,
};

async function unpin(call: StreamCall): Promise<Answer> {
  if (call.request.body.length === 0) return failure(invalidJson('unexpected end of JSON input'));
  const body = decodeRequest(call.request.body, REQUEST, false);
  if (!body.ok) return failure(invalidJson(plainJsonError(body.error)));
  const { group = '' } = body.value;
  if (group === '') return failure(invalidJson('consumer group not specified'));
  if (!isPriorityGroup(group)) return failure(INVALID_PRIORITY_GROUP);
  const name = call.args[1]!;
  if (call.consumers.info(name) === undefined) return failure(CONSUMER_NOT_FOUND);
  const result = await call.consumers.unpin(name, group);
  return result.ok ? success({}) : failure(result.error);
}
