/**
 * Owns STREAM.RESTORE (streams.md 3.12): a stream that nobody sees is made and filled from an archive, and shown when that
 * is complete. Its last answer is that of STREAM.CREATE, to the message behind the last chunk.
 */
import {
  BAD_REQUEST,
  JETSTREAM_UNAVAILABLE,
  noSuitablePeers,
  restoreFailed,
  RESTORE_NAME_IN_USE,
  STREAM_NAME_HAS_SEPARATORS,
  STREAM_NAME_MISMATCH,
  SUBJECTS_OVERLAP,
} from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import { NotLeaderError } from '../../base/errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import { normaliseStreamConfig, overlapWith } from '../../stream/index.ts';
import type { StreamConfig } from '../../stream/index.ts';
import { encodeError, encodeSuccess } from './answer-envelope.ts';
import { decodeBody, failure, isEmptyBody, success } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { int64, list, mapOf, struct, text, uint64 } from './decoder.ts';
import { assignedConfig } from './stream-info-json.ts';
import { checkAccountRoom, configLimits } from './stream-limits.ts';
import { answerWithInfo, plainConfig } from './stream-request.ts';
import { STREAM_CONFIG_REQUEST, toStreamConfigRequest } from './stream-wire.ts';

/** Of the state only the archive's own copy counts; it has to make sense all the same. */
const STATE = struct('StreamState', {
  messages: uint64,
  bytes: uint64,
  first_seq: uint64,
  first_ts: text,
  last_seq: uint64,
  last_ts: text,
  num_subjects: uint64,
  subjects: mapOf(uint64),
  num_deleted: uint64,
  deleted: list(uint64),
  lost: struct('LostStreamData', { msgs: list(uint64), bytes: uint64 }),
  consumer_count: int64,
});
const REQUEST = {
  rootType: 'JSApiStreamRestoreRequest',
  fields: { config: struct('StreamConfig', STREAM_CONFIG_REQUEST.fields), state: STATE },
} as const;

/** Of the answer to the message behind the last chunk. */
const FINAL_RESPONSE_TYPE = 'stream_create_response';

type Prepared = { readonly ok: true; readonly config: StreamConfig } | { readonly ok: false; readonly error: ApiError };
type Begun = { readonly assignment: StreamAssignment } | { readonly refusal: Answer };

export const STREAM_RESTORE: Endpoint = {
  subject: 'STREAM.RESTORE.*',
  responseType: 'stream_restore_response',
  place: 'metaLeader',
  failure: { deliver_subject: '' },

  async handle(call) {
    const prepared = prepare(call);
    if (!prepared.ok) return failure(prepared.error);
    const { config } = prepared;
    const begun = await call.turns.run(call.account, () => begin(call, config));
    if ('refusal' in begun) return begun.refusal;
    const { assignment } = begun;
    const deliverSubject = call.backend.receiveArchive(assignment, {
      complete: () => complete(call, assignment, config),
      refuse: (problem) => encodeError(FINAL_RESPONSE_TYPE, restoreFailed(problem)),
    });
    return success({ deliver_subject: deliverSubject });
  },
};

function prepare(call: Call): Prepared {
  if (isEmptyBody(call.request.body)) return { ok: false, error: BAD_REQUEST };
  const body = decodeBody(call, REQUEST);
  if (!body.ok) return body;
  const name = call.args[0]!;
  const json = body.value.config ?? {};
  if ((json.name ?? '') !== '' && json.name !== name) return { ok: false, error: STREAM_NAME_MISMATCH };
  if (/[\\/]/.test(name)) return { ok: false, error: STREAM_NAME_HAS_SEPARATORS };
  const limits = configLimits(call.backend, call.account);
  return normaliseStreamConfig(toStreamConfigRequest({ ...json, name }), limits, false);
}

async function begin(call: Call, config: StreamConfig): Promise<Begun> {
  const { backend, account } = call;
  await backend.catalogueBarrier();
  if (backend.catalogue.stream(account, config.name) !== undefined) return { refusal: failure(RESTORE_NAME_IN_USE) };
  const noRoom = checkAccountRoom(backend, account, backend.accountLimits(account)!, config);
  if (noRoom !== undefined) return { refusal: failure(noRoom) };
  const overlaps = overlapWith(config);
  const result = await backend.change({
    kind: 'createStream',
    account,
    name: config.name,
    config: plainConfig({ ...config, restoring: true }),
    storage: config.storage,
    replicas: config.numReplicas,
    placement: config.placement,
    conflictsWith: (other) =>
      other.account === account && (other.name === config.name || overlaps(assignedConfig(other))),
  });
  switch (result.kind) {
    case 'applied':
      return { assignment: result.assignment };
    case 'conflict':
      return { refusal: failure(result.existing.name === config.name ? RESTORE_NAME_IN_USE : SUBJECTS_OVERLAP) };
    case 'noPeers':
      return { refusal: failure(noSuitablePeers(result.reason)) };
    case 'notFound':
      return { refusal: failure(JETSTREAM_UNAVAILABLE) };
  }
}

/** Shows the stream, whose archive was loaded to the end; resolves with the answer, or with undefined if that failed. */
async function complete(call: Call, assignment: StreamAssignment, config: StreamConfig): Promise<Buffer | undefined> {
  const { backend, account } = call;
  try {
    const result = await backend.change({
      kind: 'updateStream',
      account,
      name: config.name,
      config: plainConfig(config),
      expectedRevision: assignment.revision,
    });
    if (result.kind !== 'applied') return undefined;
    backend.announce(account, config.name, 'create');
    // As the reference server answers, which does not know the replicas yet.
    const answer = await answerWithInfo(call, result.assignment, {});
    return answer.kind === 'success'
      ? encodeSuccess(FINAL_RESPONSE_TYPE, { ...answer.body, cluster: undefined })
      : undefined;
  } catch (error) {
    if (error instanceof NotLeaderError) return undefined;
    throw error;
  }
}
