/** Owns CONSUMER.INFO (consumers.md 2.1). */
import { CONSUMER_NOT_FOUND, EMPTY_REQUEST_EXPECTED } from '../../base/api-errors.ts';
import { failure, isEmptyBody, success } from './call.ts';
import type { Call, Endpoint } from './call.ts';
import { describeConsumer } from './consumer-answers.ts';

export const CONSUMER_INFO: Endpoint = {
  subject: 'CONSUMER.INFO.*.*',
  responseType: 'consumer_info_response',
  place: 'streamLeader',
  bodyFlaw,
  precheck: bodyFlaw,

  handle(call) {
    const info = call.consumers.info(call.args[1]!);
    return info === undefined ? failure(CONSUMER_NOT_FOUND) : success(describeConsumer(call, info));
  },
};

function bodyFlaw(call: Call): typeof EMPTY_REQUEST_EXPECTED | undefined {
  return isEmptyBody(call.request.body) ? undefined : EMPTY_REQUEST_EXPECTED;
}
