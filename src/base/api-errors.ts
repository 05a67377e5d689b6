/** Owns the errors of the JetStream API: code, err_code and text as the reference server has them (streams.md section 8). */

export interface ApiError {
  /** HTTP-like. */
  readonly code: number;
  readonly errCode: number;
  readonly description: string;
}

export function apiError(code: number, errCode: number, description: string): ApiError {
  return { code, errCode, description };
}

// Sorted by err_code. Those with variable parts are functions.
export const BAD_REQUEST = apiError(400, 10003, 'bad request');
export const JETSTREAM_UNAVAILABLE = apiError(503, 10008, 'JetStream system temporarily unavailable');
export const CONSUMER_NOT_FOUND = apiError(404, 10014, 'consumer not found');
export const MESSAGE_NOT_FOUND = apiError(404, 10037, 'no message found');
export const sequenceNotFound = (seq: number): ApiError => apiError(400, 10043, `sequence ${seq} not found`);
export const invalidStreamConfig = (text: string): ApiError => apiError(500, 10052, text);
export const MESSAGE_TOO_LARGE = apiError(400, 10054, 'message size exceeds maximum allowed');
export const STREAM_NOT_FOUND = apiError(404, 10059, 'stream not found');
export const EXPECTED_STREAM_MISMATCH = apiError(400, 10060, 'expected stream does not match');
export const wrongLastMsgId = (id: string): ApiError => apiError(400, 10070, `wrong last msg ID: ${id}`);
export const wrongLastSequence = (seq: number): ApiError => apiError(400, 10071, `wrong last sequence: ${seq}`);
export const storeFailed = (text: string): ApiError => apiError(503, 10077, text);
export const HEADERS_TOO_LARGE = apiError(400, 10097, 'header size exceeds maximum allowed of 64k');
export const STREAM_SEALED = apiError(400, 10109, 'invalid operation on sealed stream');
export const rollupFailed = (text: string): ApiError => apiError(500, 10111, text);
export const MISSING_EXPECTED_SEQUENCE = apiError(
  400,
  10193,
  'missing sequence for expected last sequence per subject',
);
