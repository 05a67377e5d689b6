/** Owns CONSUMER.PAUSE, which also resumes (consumers.md 2.1). */
import { CONSUMER_NOT_FOUND } from '../../base/api-errors.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { decodeOptionalBody, failure, flawOf, success } from './call.ts';
import type { Answer, Endpoint, StreamCall } from './call.ts';
import { pauseJson, pauseOf } from './consumer-wire.ts';
import { time } from './decoder.ts';

const REQUEST = { rootType: 'JSApiConsumerPauseRequest', fields: { pause_until: time } } as const;

export const CONSUMER_PAUSE: Endpoint = {
  subject: 'CONSUMER.PAUSE.*.*',
  responseType: 'consumer_pause_response',
  place: 'streamLeader',
  failure: { paused: false, pause_until: formatRfc3339(0) },
  bodyFlaw: (call) => flawOf(decodeOptionalBody(call, REQUEST)),
  handle: pause,
};

async function pause(call: StreamCall): Promise<Answer> {
  const body = decodeOptionalBody(call, REQUEST);
  if (!body.ok) return failure(body.error);
  const name = call.args[1]!;
  if (call.consumers.info(name) === undefined) return failure(CONSUMER_NOT_FOUND);
  const untilUs = pauseOf(body.value.pause_until);
  const result = await call.consumers.pause(name, untilUs);
  if (!result.ok) return failure(result.error);
  const pauseUntil = formatRfc3339(untilUs ?? 0);
  return success({ paused: false, pause_until: pauseUntil, ...pauseJson(untilUs, call.backend.runtime.wallUs()) });
}
