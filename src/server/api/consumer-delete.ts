/** Owns CONSUMER.DELETE (consumers.md 2.4). */
import { EMPTY_REQUEST_EXPECTED } from '../../base/api-errors.ts';
import { failure, isEmptyBody, success } from './call.ts';
import type { Endpoint } from './call.ts';

export const CONSUMER_DELETE: Endpoint = {
  subject: 'CONSUMER.DELETE.*.*',
  responseType: 'consumer_delete_response',
  place: 'streamLeader',
  precheck: (call) => (isEmptyBody(call.request.body) ? undefined : EMPTY_REQUEST_EXPECTED),

  async handle(call) {
    const result = await call.consumers.delete(call.args[1]!);
    return result.ok ? success({ success: true }) : failure(result.error);
  },
};
