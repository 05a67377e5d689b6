/** Owns STREAM.DELETE (streams.md 3.5). Consumers go with their stream. */
import { EMPTY_REQUEST_EXPECTED, STREAM_NOT_FOUND } from '../../base/api-errors.ts';
import { failure, isEmptyBody, success } from './call.ts';
import type { Endpoint } from './call.ts';

export const STREAM_DELETE: Endpoint = {
  subject: 'STREAM.DELETE.*',
  responseType: 'stream_delete_response',
  place: 'metaLeader',

  async handle(call) {
    if (!isEmptyBody(call.request.body)) return failure(EMPTY_REQUEST_EXPECTED);
    const change = { kind: 'deleteStream', account: call.account, name: call.args[0]! } as const;
    const result = await call.turns.run(call.account, () => call.backend.change(change));
    if (result.kind !== 'applied') return failure(STREAM_NOT_FOUND);
    call.backend.announce(call.account, change.name, 'delete');
    return success({ success: true });
  },
};
