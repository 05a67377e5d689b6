/** Owns STREAM.MSG.GET (streams.md 3.8): reads at the leader that see everything acknowledged before. */
import { BAD_REQUEST, MESSAGE_NOT_FOUND, streamFailed } from '../../base/api-errors.ts';
import { formatRfc3339 } from '../../base/rfc3339.ts';
import { lookUpMessage } from '../../kv/index.ts';
import type { StoredMessage } from '../../stream/index.ts';
import { decodeBody, failure, isEmptyBody, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { GET_FIELDS, selectorOf } from './get-request.ts';
import { base64 } from './wire.ts';

const REQUEST = { rootType: 'JSApiMsgGetRequest', fields: GET_FIELDS } as const;

export const MESSAGE_GET: Endpoint = {
  subject: 'STREAM.MSG.GET.*',
  responseType: 'stream_msg_get_response',
  place: 'streamLeader',

  async handle(call) {
    if (isEmptyBody(call.request.body)) return failure(BAD_REQUEST);
    const body = decodeBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    const { batch = 0, max_bytes: maxBytes = 0, no_hdr: noHeaders = false } = body.value;
    const selector = selectorOf(body.value);
    const last = selector.lastBySubject !== '';
    const time = selector.startTimeUs !== undefined;
    const nothing = selector.seq === 0 && !last && !time && selector.nextBySubject === '';
    const contradiction = (selector.seq > 0 && (last || time)) || (last && (time || selector.nextBySubject !== ''));
    if (nothing || contradiction || batch > 0 || maxBytes > 0) return failure(BAD_REQUEST);

    await call.stream.readBarrier();
    const found = await lookUpMessage(call.stream, selector);
    switch (found.kind) {
      case 'found':
        return success({ message: messageJson(found.message, noHeaders) });
      case 'notFound':
        return failure(MESSAGE_NOT_FOUND);
      case 'lost':
        return failure(streamFailed('message can not be read from this replica'));
    }
  },
};

function messageJson(message: StoredMessage, noHeaders: boolean): object {
  const { buffer, subjectStart, headersStart, payloadStart, end } = message;
  return {
    subject: buffer.toString('utf8', subjectStart, headersStart),
    seq: message.seq,
    hdrs: noHeaders ? undefined : base64(buffer.subarray(headersStart, payloadStart)),
    data: base64(buffer.subarray(payloadStart, end)),
    time: formatRfc3339(message.timestampUs),
  };
}
