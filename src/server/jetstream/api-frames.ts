/**
 * Owns the form in which API requests and their answers travel between nodes.
 *
 * request:  `u32 length | JSON envelope | u32 length | headers | body`
 * response: `u8 kind | …`: for `json` `u32 group | f64 appliedIndex | u32 headers | headers | body`, group 0 for none; for
 *           `messages` a run of replies
 */
import { holdsReplies } from '../../base/reply-run.ts';
import type { GroupId, LogIndex } from '../../raft/index.ts';
import type { ApiRequest, ApiResponse } from '../api/index.ts';

const KINDS = ['json', 'messages', 'none', 'noResponders', 'leaderless'] as const;

const NO_HEADERS = Buffer.alloc(0);
/** Of a JSON answer, behind its kind. */
const APPLIED_INDEX_AT = 4;
const HEADERS_LENGTH_AT = 12;
const JSON_FIELDS_BYTES = 16;

/** What a node that is asked to answer needs to know beside the request. */
export interface ApiEnvelope {
  /** Only once this stream group is led here and has applied this revision of its configuration; 0: at once. */
  readonly group: number;
  readonly revision: number;
  readonly timeoutMs: number;
}

export function encodeApiRequest(request: ApiRequest, envelope: ApiEnvelope): Buffer {
  const { account, subject, headers, body, forwarded = false, notBefore } = request;
  const json = Buffer.from(JSON.stringify({ ...envelope, account, subject, forwarded, notBefore }));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(json.length, 0);
  lengths.writeUInt32BE(headers.length, 4);
  return Buffer.concat([lengths.subarray(0, 4), json, lengths.subarray(4), headers, body]);
}

/** Undefined: not a request. Only proven peers get to send one, so its envelope is trusted to be ours. */
export function decodeApiRequest(frame: Buffer): { request: ApiRequest; envelope: ApiEnvelope } | undefined {
  if (frame.length < 4) return undefined;
  const jsonEnd = 4 + frame.readUInt32BE(0);
  if (jsonEnd + 4 > frame.length) return undefined;
  const headersEnd = jsonEnd + 4 + frame.readUInt32BE(jsonEnd);
  if (headersEnd > frame.length) return undefined;
  const json = JSON.parse(frame.toString('utf8', 4, jsonEnd)) as ApiEnvelope & {
    readonly account: string;
    readonly subject: string;
    readonly forwarded: boolean;
    readonly notBefore?: LogIndex;
  };
  const { account, subject, forwarded, notBefore, group, revision, timeoutMs } = json;
  const headers = frame.subarray(jsonEnd + 4, headersEnd);
  return {
    request: {
      account,
      subject,
      headers,
      body: frame.subarray(headersEnd),
      forwarded,
      ...(notBefore !== undefined && { notBefore }),
    },
    envelope: { group, revision, timeoutMs },
  };
}

export function encodeApiResponse(response: ApiResponse): Buffer {
  const kind = Buffer.of(KINDS.indexOf(response.kind));
  if (response.kind === 'json') {
    const { headers = NO_HEADERS, body, progress } = response;
    const fields = Buffer.alloc(JSON_FIELDS_BYTES);
    fields.writeUInt32BE(progress?.group ?? 0, 0);
    fields.writeDoubleBE(progress?.appliedIndex ?? 0, APPLIED_INDEX_AT);
    fields.writeUInt32BE(headers.length, HEADERS_LENGTH_AT);
    return Buffer.concat([kind, fields, headers, body]);
  }
  if (response.kind !== 'messages') return kind;
  return Buffer.concat([kind, ...response.runs]);
}

/** Undefined: not a response. */
export function decodeApiResponse(frame: Buffer): ApiResponse | undefined {
  const kind = KINDS[frame[0] ?? KINDS.length];
  if (kind === undefined) return undefined;
  if (kind === 'json') return decodeJsonResponse(frame);
  if (kind !== 'messages') return { kind };
  const run = frame.subarray(1);
  return holdsReplies(run) ? { kind, runs: [run] } : undefined;
}

function decodeJsonResponse(frame: Buffer): ApiResponse | undefined {
  const headersStart = 1 + JSON_FIELDS_BYTES;
  if (frame.length < headersStart) return undefined;
  const headersEnd = headersStart + frame.readUInt32BE(1 + HEADERS_LENGTH_AT);
  if (headersEnd > frame.length) return undefined;
  const group = frame.readUInt32BE(1) as GroupId;
  const appliedIndex = frame.readDoubleBE(1 + APPLIED_INDEX_AT) as LogIndex;
  return {
    kind: 'json',
    body: frame.subarray(headersEnd),
    headers: headersEnd === headersStart ? undefined : frame.subarray(headersStart, headersEnd),
    progress: group === 0 ? undefined : { group, appliedIndex },
  };
}
