/** Owns what STREAM.CREATE and STREAM.UPDATE have in common: reading the request, and the answer from the stream's leader. */
import { JETSTREAM_UNAVAILABLE, STREAM_NAME_HAS_SEPARATORS, STREAM_NAME_MISMATCH } from '../../base/api-errors.ts';
import type { ApiError } from '../../base/api-errors.ts';
import type { StreamAssignment } from '../../cluster/index.ts';
import type { StreamConfig, StreamConfigRequest } from '../../stream/index.ts';
import { decodeBody, failure, success } from './call.ts';
import type { Answer, Call } from './call.ts';
import { askForStreamInfo } from './stream-info-json.ts';
import { STREAM_CONFIG_REQUEST, toStreamConfigRequest } from './stream-wire.ts';

/** Room for placing the stream, opening its group everywhere and finding a leader. */
const READY_TIMEOUT_MS = 4500;

export type StreamRequest =
  | { readonly ok: true; readonly request: StreamConfigRequest; readonly pedantic: boolean }
  | { readonly ok: false; readonly error: ApiError };

/** Decodes the body. What it names may be another stream than the subject does. */
export function readStreamRequest(call: Call): StreamRequest {
  const body = decodeBody(call, STREAM_CONFIG_REQUEST);
  if (!body.ok) return body;
  return { ok: true, request: toStreamConfigRequest(body.value), pedantic: body.value.pedantic ?? false };
}

/** Compares the names in body and subject. */
export function checkSubjectName(call: Call, request: StreamConfigRequest): ApiError | undefined {
  const [name] = call.args;
  if (request.name !== name) return STREAM_NAME_MISMATCH;
  return /[\\/]/.test(name) ? STREAM_NAME_HAS_SEPARATORS : undefined;
}

/** A configuration as the catalogue keeps it. */
export function plainConfig(config: StreamConfig): Readonly<Record<string, unknown>> {
  return { ...config };
}

/** The answer of a change that was made: how the stream now looks to its leader. */
export async function answerWithInfo(call: Call, assignment: StreamAssignment, extra: object): Promise<Answer> {
  const info = await askForStreamInfo(call.backend, assignment, READY_TIMEOUT_MS);
  if (info === undefined) return failure(JETSTREAM_UNAVAILABLE);
  if (!call.backend.clustered) delete info['cluster'];
  delete info['domain'];
  return success({ ...info, ...extra });
}
