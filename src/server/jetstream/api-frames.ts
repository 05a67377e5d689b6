/**
 * Owns the form in which API requests and their answers travel between nodes.
 *
 * request:  `u32 length | JSON envelope | u32 length | headers | body`
 * response: `u8 kind | …`: for `json` `u32 headers | headers | body`, for `messages` a run of replies
 */
import { holdsReplies } from '../../base/reply-run.ts';
import type { ApiRequest, ApiResponse } from '../api/index.ts';

const KINDS = ['json', 'messages', 'none', 'noResponders'] as const;

const NO_HEADERS = Buffer.alloc(0);

/** What a node that is asked to answer needs to know beside the request. */
export interface ApiEnvelope {
  /** Only once this stream group is led here and has applied this revision of its configuration; 0: at once. */
  readonly group: number;
  readonly revision: number;
  readonly timeoutMs: number;
}

export function encodeApiRequest(request: ApiRequest, envelope: ApiEnvelope): Buffer {
  const { account, subject, headers, body, forwarded } = request;
  const json = Buffer.from(JSON.stringify({ ...envelope, account, subject, forwarded: forwarded ?? false }));
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
  };
  const { account, subject, forwarded, group, revision, timeoutMs } = json;
  const headers = frame.subarray(jsonEnd + 4, headersEnd);
  return {
    request: { account, subject, headers, body: frame.subarray(headersEnd), forwarded },
    envelope: { group, revision, timeoutMs },
  };
}

export function encodeApiResponse(response: ApiResponse): Buffer {
  const kind = Buffer.of(KINDS.indexOf(response.kind));
  if (response.kind === 'json') {
    const { headers = NO_HEADERS, body } = response;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(headers.length);
    return Buffer.concat([kind, length, headers, body]);
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
  if (frame.length < 5) return undefined;
  const headersEnd = 5 + frame.readUInt32BE(1);
  if (headersEnd > frame.length) return undefined;
  const body = frame.subarray(headersEnd);
  return headersEnd === 5 ? { kind: 'json', body } : { kind: 'json', body, headers: frame.subarray(5, headersEnd) };
}
