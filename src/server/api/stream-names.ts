/** Owns STREAM.NAMES, and which streams a listing is about (streams.md 1.5 and 3.4). */
import { subjectsCollide } from '../../base/subjects.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import { clampOffset, decodeOptionalBody, failure, success } from './call.ts';
import type { Call, Endpoint } from './call.ts';
import { int, text } from './decoder.ts';
import { assignedConfig } from './stream-info-json.ts';

const NAMES_PER_PAGE = 1024;

const REQUEST = { rootType: 'JSApiStreamNamesRequest', fields: { offset: int, subject: text } } as const;

export const STREAM_NAMES: Endpoint = {
  subject: 'STREAM.NAMES',
  responseType: 'stream_names_response',
  place: 'metaLeader',
  failure: { total: 0, offset: 0, limit: 0, streams: null },

  async handle(call) {
    const body = decodeOptionalBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    await call.backend.catalogueBarrier();
    const matching = streamsWithSubject(call, body.value.subject);
    const offset = clampOffset(body.value.offset, matching.length);
    const names = matching.slice(offset, offset + NAMES_PER_PAGE).map(({ name }) => name);
    const streams = names.length > 0 ? names : null;
    return success({ total: matching.length, offset, limit: NAMES_PER_PAGE, streams });
  },
};

/** The account's streams, sorted by name; with `subject`, those that capture something which it matches. */
export function streamsWithSubject(call: Call, subject: string | undefined): readonly StreamAssignment[] {
  const streams = call.backend.catalogue.streams(call.account);
  if (subject === undefined || subject === '') return streams;
  return streams.filter((stream) => assignedConfig(stream).subjects.some((own) => subjectsCollide(own, subject)));
}
