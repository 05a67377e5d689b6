/** Owns the body of a pull request: what `MSG.NEXT` and `+NXT` may say. */

/** A request as sent, with what was left out filled in. */
export interface PullRequestBody {
  readonly batch: number;
  /** 0: for as long as somebody listens. */
  readonly expiresMs: number;
  readonly noWait: boolean;
  /** 0: no budget. */
  readonly maxBytes: number;
  readonly heartbeatMs: number;
}

export type ParsedPullRequest = PullRequestBody | { readonly problem: string };

const OPEN_BRACE = 0x7b;
const NS_PER_MS = 1e6;
const INTEGER_FIELDS = ['batch', 'expires', 'max_bytes', 'idle_heartbeat'] as const;
const HEARTBEAT_TOO_LARGE = 'heartbeat value too large';
const ONE: PullRequestBody = { batch: 1, expiresMs: 0, noWait: false, maxBytes: 0, heartbeatMs: 0 };
/** Longer numbers are text. */
const MAX_BATCH_DIGITS = 9;

export function parsePullRequest(body: Buffer): ParsedPullRequest {
  if (body.length === 0) return ONE;
  const text = body.toString('utf8').trim();
  if (text.charCodeAt(0) === OPEN_BRACE) return parseJson(text);
  if (!/^\d+$/.test(text) || text.length > MAX_BATCH_DIGITS) return ONE;
  return { ...ONE, batch: Math.max(1, Number(text)) };
}

function parseJson(text: string): ParsedPullRequest {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    return { problem: jsonProblem(error) };
  }
  const integers: Record<(typeof INTEGER_FIELDS)[number], number> = {
    batch: 0,
    expires: 0,
    max_bytes: 0,
    idle_heartbeat: 0,
  };
  for (const field of INTEGER_FIELDS) {
    const given = value[field] ?? 0;
    if (typeof given !== 'number') return { problem: wrongType(given, field, 'int') };
    if (!Number.isInteger(given)) return { problem: wrongType(given, field, 'int') };
    integers[field] = given;
  }
  const noWait = value['no_wait'] ?? false;
  if (typeof noWait !== 'boolean') return { problem: wrongType(noWait, 'no_wait', 'bool') };
  const heartbeatMs = Math.max(0, integers.idle_heartbeat) / NS_PER_MS;
  const expiresMs = Math.max(0, integers.expires) / NS_PER_MS;
  if (heartbeatMs * 2 > expiresMs) return { problem: HEARTBEAT_TOO_LARGE };
  return {
    batch: Math.max(1, integers.batch),
    expiresMs,
    noWait,
    maxBytes: Math.max(0, integers.max_bytes),
    heartbeatMs,
  };
}

function wrongType(value: unknown, field: string, wanted: string): string {
  const kind = typeof value === 'object' ? (Array.isArray(value) ? 'array' : 'object') : typeof value;
  const found = kind === 'number' ? `number ${String(value)}` : kind === 'boolean' ? 'bool' : kind;
  return `json: cannot unmarshal ${found} into Go struct field JSApiConsumerGetNextRequest.${field} of type ${wanted}`;
}

/** The words of the reference server's decoder, as far as our parser tells enough. */
function jsonProblem(error: unknown): string {
  const found = /^Unexpected token '(.)'/u.exec(error instanceof Error ? error.message : '');
  return found === null
    ? 'unexpected end of JSON input'
    : `invalid character '${found[1]!}' looking for beginning of value`;
}
