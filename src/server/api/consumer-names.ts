/** Owns CONSUMER.NAMES (consumers.md 2.4). */
import { clampOffset, decodeOptionalBody, failure, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { int } from './decoder.ts';

const NAMES_PER_PAGE = 1024;

export const CONSUMERS_REQUEST = { rootType: 'JSApiConsumersRequest', fields: { offset: int } } as const;
export const EMPTY_PAGE = { total: 0, offset: 0, limit: 0, consumers: [] };

export const CONSUMER_NAMES: Endpoint = {
  subject: 'CONSUMER.NAMES.*',
  responseType: 'consumer_names_response',
  place: 'streamLeader',
  failure: EMPTY_PAGE,

  handle(call) {
    const body = decodeOptionalBody(call, CONSUMERS_REQUEST);
    if (!body.ok) return failure(body.error);
    const names = call.consumers.names();
    const offset = clampOffset(body.value.offset, names.length);
    const consumers = names.slice(offset, offset + NAMES_PER_PAGE);
    return success({ total: names.length, offset, limit: NAMES_PER_PAGE, consumers });
  },
};
