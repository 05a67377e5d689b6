/**
 * Owns the calls that this server has no use for, or can't honour: each is answered with the error that the reference server
 * has for the nearest situation, after the same checks, and none is left without an answer or with a false success.
 */
import {
  BAD_REQUEST,
  CONSUMER_NOT_FOUND,
  invalidJson,
  INVALID_PRIORITY_GROUP,
  NO_SUCH_PRIORITY_GROUP,
  restoreFailed,
  snapshotFailed,
  streamFailed,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { isPriorityGroup } from '../../consumer/index.ts';
import { decodeBody, failure, isEmptyBody } from './call.ts';
import type { Answer, Call, Endpoint, StreamCall } from './call.ts';
import { text } from './decoder.ts';

const NOT_SUPPORTED = 'not supported by this server';

/** Calls of the operator, from the system account. */
function operatorCall(subject: string, responseType: string, error: (call: Call) => ApiError): Endpoint {
  return { subject, responseType, place: 'metaLeader', systemOnly: true, handle: (call) => failure(error(call)) };
}

const needsBody = (call: Call): ApiError | undefined => (isEmptyBody(call.request.body) ? BAD_REQUEST : undefined);

const STREAM_SNAPSHOT: Endpoint = {
  subject: 'STREAM.SNAPSHOT.*',
  responseType: 'stream_snapshot_response',
  place: 'streamLeader',
  precheck: needsBody,
  handle: () => failure(snapshotFailed(NOT_SUPPORTED)),
};

const STREAM_RESTORE: Endpoint = {
  subject: 'STREAM.RESTORE.*',
  responseType: 'stream_restore_response',
  place: 'metaLeader',
  failure: { deliver_subject: '' },
  handle: (call) => failure(needsBody(call) ?? restoreFailed(NOT_SUPPORTED)),
};

const CONSUMER_UNPIN: Endpoint = {
  subject: 'CONSUMER.UNPIN.*.*',
  responseType: 'consumer_unpin_response',
  place: 'streamLeader',
  handle: unpin,
};

/** No consumer has priority groups. */
function unpin(call: StreamCall): Answer {
  if (call.request.body.length === 0) return failure(invalidJson('unexpected end of JSON input'));
  const body = decodeBody(call, { rootType: 'JSApiConsumerUnpinRequest', fields: { group: text } });
  if (!body.ok) return failure(body.error);
  const { group = '' } = body.value;
  if (group === '') return failure(invalidJson('consumer group not specified'));
  if (!isPriorityGroup(group)) return failure(INVALID_PRIORITY_GROUP);
  const known = call.consumers.info(call.args[1]!) !== undefined;
  return failure(known ? NO_SUCH_PRIORITY_GROUP : CONSUMER_NOT_FOUND);
}

export const REFUSALS: readonly Endpoint[] = [
  STREAM_SNAPSHOT,
  STREAM_RESTORE,
  CONSUMER_UNPIN,
  operatorCall('ACCOUNT.PURGE.*', 'account_purge_response', () => streamFailed(`account purge ${NOT_SUPPORTED}`)),
];
