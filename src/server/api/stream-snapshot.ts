/** Owns STREAM.SNAPSHOT (streams.md 3.11): the answer to the request; the archive follows by itself. */
import { BAD_REQUEST, SNAPSHOT_SUBJECT_INVALID } from '../../base/api-errors.ts';
import { hasWildcards, isValidSubject } from '../../base/subjects.ts';
import { decodeBody, failure, isEmptyBody, success } from './call.ts';
import type { Endpoint } from './call.ts';
import { flag, int, text } from './decoder.ts';
import { sortedByKey, streamConfigJson, streamStateJson } from './stream-wire.ts';

const REQUEST = {
  rootType: 'JSApiStreamSnapshotRequest',
  fields: { deliver_subject: text, no_consumers: flag, chunk_size: int, window_size: int, jsck: flag },
} as const;

const KIB = 1024;
const MIB = 1024 * KIB;
const DEFAULT_CHUNK_BYTES = 128 * KIB;
const DEFAULT_WINDOW_BYTES = 8 * MIB;

export const STREAM_SNAPSHOT: Endpoint = {
  subject: 'STREAM.SNAPSHOT.*',
  responseType: 'stream_snapshot_response',
  place: 'streamLeader',
  precheck: (call) => (isEmptyBody(call.request.body) ? BAD_REQUEST : undefined),
  handle(call) {
    const body = decodeBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    const { deliver_subject: deliverSubject = '', chunk_size: chunk = 0, window_size: window = 0 } = body.value;
    if (!isValidSubject(deliverSubject) || hasWildcards(deliverSubject)) return failure(SNAPSHOT_SUBJECT_INVALID);
    const chunkBytes = clamp(chunk || DEFAULT_CHUNK_BYTES, KIB, MIB);
    const { stream, backend } = call;
    backend.sendArchive(call, {
      deliverSubject,
      withConsumers: body.value.no_consumers !== true,
      chunkBytes,
      windowBytes: Math.max(chunkBytes, clamp(window || DEFAULT_WINDOW_BYTES, KIB, 32 * MIB)),
    });
    return success({
      config: streamConfigJson(stream.config, sortedByKey(stream.config.metadata)),
      state: streamStateJson(stream.state(), {}),
    });
  },
};

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
