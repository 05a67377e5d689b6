/** Owns DIRECT.GET in both forms: from request to kv/'s reads, and back as raw messages (streams.md 3.9). */
import { isSupportedLevel } from '../../base/api-level.ts';
import { directGet, statusReply } from '../../kv/index.ts';
import type { DirectGetRequest } from '../../kv/index.ts';
import { isEmptyBody } from './call.ts';
import type { Answer, Call, Endpoint } from './call.ts';
import { decodeRequest } from './decoder.ts';
import { GET_FIELDS, selectorOf } from './get-request.ts';
import { headerValue } from './headers.ts';
import { strings } from './stream-wire.ts';

const REQUEST = { rootType: 'JSApiMsgGetRequest', fields: GET_FIELDS } as const;

const EMPTY_REQUEST = statusReply('408 Empty Request');
const MALFORMED_REQUEST = statusReply('408 Malformed Request');
const BAD_REQUEST = statusReply('408 Bad Request');
const LEVEL_REQUIRED = statusReply('412 Required Api Level');
/** Raw messages have no type. */
const NO_TYPE = '';

export const DIRECT_GET: Endpoint = {
  subject: 'DIRECT.GET.*',
  responseType: NO_TYPE,
  place: 'anyReplica',
  handle: (call) => answer(call, undefined),
};

export const DIRECT_GET_LAST: Endpoint = {
  subject: 'DIRECT.GET.*.>',
  responseType: NO_TYPE,
  place: 'anyReplica',
  handle: (call) => answer(call, call.args[1]),
};

/** `lastBySubject`: from the call's subject, which leaves nothing to select in the body. */
async function answer(call: Call, lastBySubject: string | undefined): Promise<Answer> {
  const stream = call.backend.directGetReplica(call.account, call.args[0]!);
  if (stream === undefined) return { kind: 'raw', response: { kind: 'noResponders' } };
  const level = headerValue(call.request.headers, 'Nats-Required-Api-Level');
  if (level !== undefined && !isSupportedLevel(level)) return raw([LEVEL_REQUIRED]);
  const { body } = call.request;
  if (lastBySubject === undefined && isEmptyBody(body)) return raw([EMPTY_REQUEST]);
  const request = body.length === 0 ? NOTHING : decode(body);
  if (request === undefined) return raw([MALFORMED_REQUEST]);
  if (lastBySubject === undefined) return raw(await directGet(stream, request, call.backend.runtime));
  if (selectsAnything(request)) return raw([BAD_REQUEST]);
  return raw(await directGet(stream, { ...request, lastBySubject }, call.backend.runtime));
}

function raw(runs: readonly Buffer[]): Answer {
  return { kind: 'raw', response: { kind: 'messages', runs } };
}

const NOTHING: DirectGetRequest = {
  seq: 0,
  lastBySubject: '',
  nextBySubject: '',
  startTimeUs: undefined,
  batch: 0,
  maxBytes: 0,
  multiLast: [],
  upToSeq: 0,
  upToTimeUs: undefined,
  noHeaders: false,
};

/** Unknown members are let pass here, other than in the rest of the API. */
function decode(body: Buffer): DirectGetRequest | undefined {
  const decoded = decodeRequest(body, REQUEST, false);
  if (!decoded.ok) return undefined;
  const json = decoded.value;
  return {
    ...selectorOf(json),
    batch: json.batch ?? 0,
    maxBytes: json.max_bytes ?? 0,
    multiLast: strings(json.multi_last),
    upToSeq: json.up_to_seq ?? 0,
    upToTimeUs: json.up_to_time,
    noHeaders: json.no_hdr ?? false,
  };
}

function selectsAnything(request: DirectGetRequest): boolean {
  return (
    request.seq > 0 ||
    request.lastBySubject !== '' ||
    request.nextBySubject !== '' ||
    request.startTimeUs !== undefined ||
    request.batch > 0 ||
    request.multiLast.length > 0
  );
}
