/** Owns STREAM.INFO (streams.md 3.3). */
import { SubjectMatcher } from '../../base/subjects.ts';
import type { Seq } from '../../base/brand.ts';
import type { StreamReader } from '../../stream/index.ts';
import { JETSTREAM_UNAVAILABLE } from '../../base/api-errors.ts';
import { turnOver, type Runtime } from '../../base/runtime.ts';
import { decodeOptionalBody, failure, success } from './call.ts';
import type { Answer, Endpoint } from './call.ts';
import { flag, int, text } from './decoder.ts';
import { alternatesJson, streamInfoJson } from './stream-info-json.ts';

const MAX_SUBJECTS_PER_PAGE = 100_000;
/** Sequences looked at before others get their turn. */
const SEQUENCES_PER_TURN = 50_000;
const NO_PAGE = { total: 0, offset: 0, limit: 0 };

const REQUEST = {
  rootType: 'JSApiStreamInfoRequest',
  fields: { offset: int, deleted_details: flag, subjects_filter: text },
} as const;

export const STREAM_INFO: Endpoint = {
  subject: 'STREAM.INFO.*',
  responseType: 'stream_info_response',
  place: 'streamLeader',
  failure: NO_PAGE,

  async handle(call) {
    const body = decodeOptionalBody(call, REQUEST);
    if (!body.ok) return failure(body.error);
    const { stream, backend } = call;
    const { page, subjects } = await subjectPage(stream, body.value.subjects_filter ?? '', body.value.offset ?? 0);
    const wanted = body.value.deleted_details === true;
    const deleted = wanted ? await deletedSequences(stream, backend.runtime) : undefined;
    const info = streamInfoJson(backend, call.assignment, call, { subjects, deleted });
    return success({ ...page, ...info, alternates: alternatesJson(backend, call.assignment) });
  },

  /** Any member can tell what it holds. */
  leaderless(call, assignment): Answer {
    const local = call.backend.localStream(call.account, assignment.name);
    if (local === undefined) return failure(JETSTREAM_UNAVAILABLE);
    return success({ ...NO_PAGE, ...streamInfoJson(call.backend, assignment, local, {}) });
  },
};

async function subjectPage(
  stream: StreamReader,
  filter: string,
  requestedOffset: number,
): Promise<{ readonly page: object; readonly subjects: Readonly<Record<string, number>> | undefined }> {
  if (filter === '') return { page: NO_PAGE, subjects: undefined };
  const counts = await stream.subjectCounts(new SubjectMatcher([filter]));
  if (counts.length === 0) return { page: NO_PAGE, subjects: undefined };
  const offset = Math.max(requestedOffset, 0);
  const selected = counts.slice(offset, offset + MAX_SUBJECTS_PER_PAGE);
  return {
    page: { total: counts.length, offset, limit: MAX_SUBJECTS_PER_PAGE },
    subjects: selected.length > 0 ? Object.fromEntries(selected) : undefined,
  };
}

/** Interior deletes, ascending. Streams can have millions, so the loop gets its turn in between. */
async function deletedSequences(stream: StreamReader, runtime: Runtime): Promise<number[]> {
  const { firstSeq, lastSeq, numDeleted } = stream.state();
  const deleted: number[] = [];
  if (numDeleted === 0) return deleted;
  for (let seq: number = firstSeq; seq <= lastSeq; seq++) {
    if (!stream.isLive(seq as Seq)) deleted.push(seq);
    if (seq % SEQUENCES_PER_TURN === 0) await turnOver(runtime);
  }
  return deleted;
}
