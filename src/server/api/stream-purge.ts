/** Owns STREAM.PURGE (streams.md 3.6). */
import { BAD_REQUEST, purgeFailed, STREAM_SEALED } from '../../base/api-errors.ts';
import { MAX_CHOSEN_SEQ } from '../../stream/index.ts';
import { decodeOptionalBody, failure, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { text, uint64 } from './decoder.ts';

const REQUEST = { rootType: 'JSApiStreamPurgeRequest', fields: { filter: text, seq: uint64, keep: uint64 } } as const;

export const STREAM_PURGE: Endpoint = {
  subject: 'STREAM.PURGE.*',
  responseType: 'stream_purge_response',
  place: 'streamLeader',
  failure: { purged: 0 },

  async handle(call) {
    const { stream } = call;
    if (stream.config.sealed) return failure(STREAM_SEALED);
    if (stream.config.denyPurge) return failure(purgeFailed('stream purge not permitted'));
    const body = decodeOptionalBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    const { filter = '', seq = 0, keep = 0 } = body.value;
    if ((seq > 0 && keep > 0) || seq > MAX_CHOSEN_SEQ) return failure(BAD_REQUEST);
    const result = await stream.execute({
      op: 'purge',
      filter: filter || undefined,
      seq: seq || undefined,
      keep: keep || undefined,
    });
    return result.kind === 'done' ? success({ success: true, purged: result.purged }) : failure(result.error);
  },
};
