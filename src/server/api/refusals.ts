/**
 * Owns the calls that this server has no use for, or can't honour: each is answered with the error that the reference server
 * has for the nearest situation, after the same checks, and none is left without an answer or with a false success.
 */
import { BAD_REQUEST, restoreFailed, snapshotFailed, streamFailed } from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { failure, isEmptyBody } from './call.ts';
import type { Call, Endpoint } from './call.ts';

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

export const REFUSALS: readonly Endpoint[] = [
  STREAM_SNAPSHOT,
  STREAM_RESTORE,
  operatorCall('ACCOUNT.PURGE.*', 'account_purge_response', () => streamFailed(`account purge ${NOT_SUPPORTED}`)),
];
