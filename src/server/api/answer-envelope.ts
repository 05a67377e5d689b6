/** Owns the envelope of answers: the type of the response, and what an error looks like in it (streams.md 1.1). */
import type { ApiError } from '../../base/api-errors.ts';
import type { ApiResponse } from './backend.ts';
import type { Answer } from './call.ts';
import { jsonText } from './json-text.ts';

const TYPE_PREFIX = 'io.nats.jetstream.api.v1.';

/** `failureMembers`: what answers with errors have beside the error. */
export function envelope(responseType: string, answer: Answer, failureMembers?: object): ApiResponse {
  if (answer.kind === 'raw') return answer.response;
  const { progress } = answer;
  switch (answer.kind) {
    case 'success':
      return { kind: 'json', body: encodeSuccess(responseType, answer.body), headers: answer.headers, progress };
    case 'error':
      return { kind: 'json', body: encodeError(responseType, answer.error, failureMembers), progress };
  }
}

export function encodeSuccess(responseType: string, body: object): Buffer {
  return Buffer.from(jsonText({ type: TYPE_PREFIX + responseType, ...body }));
}

export function encodeError(responseType: string, error: ApiError, failureMembers?: object): Buffer {
  const { code, errCode, description } = error;
  const json = { code, err_code: errCode, description };
  return Buffer.from(JSON.stringify({ type: TYPE_PREFIX + responseType, error: json, ...failureMembers }));
}
