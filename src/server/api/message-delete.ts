/** Owns STREAM.MSG.DELETE (streams.md 3.7). */
import { BAD_REQUEST, messageDeleteFailed, sequenceNotFound, STREAM_SEALED } from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import type { Seq } from '../../base/brand.ts';
import type { StreamInstance } from '../../stream/index.ts';
import { decodeBody, failure, isEmptyBody, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { flag, uint64 } from './decoder.ts';

const REQUEST = { rootType: 'JSApiMsgDeleteRequest', fields: { seq: uint64, no_erase: flag } } as const;

export const MESSAGE_DELETE: Endpoint = {
  subject: 'STREAM.MSG.DELETE.*',
  responseType: 'stream_msg_delete_response',
  place: 'streamLeader',

  async handle(call) {
    if (isEmptyBody(call.request.body)) return failure(BAD_REQUEST);
    const body = decodeBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    const { stream } = call;
    if (stream.config.sealed) return failure(STREAM_SEALED);
    if (stream.config.denyDelete) return failure(messageDeleteFailed('message delete not permitted'));
    const seq = body.value.seq ?? 0;
    await stream.readBarrier();
    const missing = missingMessage(stream, seq);
    if (missing !== undefined) return failure(missing);
    const result = await stream.execute({ op: 'deleteMessage', seq, erase: body.value.no_erase !== true });
    return result.kind === 'done' ? success({ success: true }) : failure(result.error);
  },
};

/** The reference server's stores disagree on how to say that a sequence is out of range; clients may know their store. */
function missingMessage(stream: StreamInstance, seq: number): ApiError | undefined {
  if (seq > 0 && stream.isLive(seq as Seq)) return undefined;
  if (stream.config.storage === 'file') {
    const { firstSeq, lastSeq } = stream.state();
    if (seq > lastSeq) return messageDeleteFailed('stream store EOF');
    if (seq < Math.max(1, firstSeq)) return messageDeleteFailed('no message found');
  }
  return sequenceNotFound(seq);
}
