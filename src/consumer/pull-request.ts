/** Owns the body of a pull request: what `MSG.NEXT` and `+NXT` may say. */
import { parseJson, plainJsonError } from '../base/json.ts';

/** A request as sent, with what was left out filled in. */
export interface PullRequestBody {
  readonly batch: number;
  /** 0: for as long as somebody listens. */
  readonly expiresMs: number;
  readonly noWait: boolean;
  /** 0: no budget. */
  readonly maxBytes: number;
  readonly heartbeatMs: number;
  /** Undefined: the body was no JSON, which has no say in priority groups. */
  readonly group: PullRequestGroup | undefined;
}

/** What a request says to the consumer's priority policy. */
export interface PullRequestGroup {
  readonly name: string;
  /** Of the pin; empty if it has none. */
  readonly id: string;
  readonly minPending: number;
  readonly minAckPending: number;
  readonly priority: number;
}

export type ParsedPullRequest = PullRequestBody | { readonly problem: string };

const OPEN_BRACE = 0x7b;
const NS_PER_MS = 1e6;
const HEARTBEAT_TOO_LARGE = 'heartbeat value too large';
const ONE: PullRequestBody = {
  batch: 1,
  expiresMs: 0,
  noWait: false,
  maxBytes: 0,
  heartbeatMs: 0,
  group: undefined,
};
/** Longer numbers are text. */
const MAX_BATCH_DIGITS = 9;

/** The members, and their types as the reference server names them. */
const TYPES: Readonly<Record<string, 'int' | 'int64' | 'time.Duration' | 'bool' | 'string'>> = {
  batch: 'int',
  expires: 'time.Duration',
  no_wait: 'bool',
  max_bytes: 'int',
  idle_heartbeat: 'time.Duration',
  group: 'string',
  id: 'string',
  min_pending: 'int64',
  min_ack_pending: 'int64',
  priority: 'int',
};

interface Members {
  batch?: number;
  expires?: number;
  no_wait?: boolean;
  max_bytes?: number;
  idle_heartbeat?: number;
  group?: string;
  id?: string;
  min_pending?: number;
  min_ack_pending?: number;
  priority?: number;
}

export function parsePullRequest(body: Buffer): ParsedPullRequest {
  if (body.length === 0) return ONE;
  const text = body.toString('utf8').trim();
  if (text.charCodeAt(0) === OPEN_BRACE) return parseObject(text);
  if (!/^\d+$/.test(text) || text.length > MAX_BATCH_DIGITS) return ONE;
  return { ...ONE, batch: Math.max(1, Number(text)) };
}

function parseObject(text: string): ParsedPullRequest {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Its words differ from runtime to runtime: ours says what is wrong in those that clients know.
    const parsed = parseJson(text);
    return { problem: plainJsonError(parsed.ok ? 'unexpected EOF' : parsed.error) };
  }
  const members: Members = {};
  const problem = readMembers(value, members);
  if (problem !== undefined) return { problem };
  const heartbeatMs = Math.max(0, members.idle_heartbeat ?? 0) / NS_PER_MS;
  const expiresMs = Math.max(0, members.expires ?? 0) / NS_PER_MS;
  if (heartbeatMs * 2 > expiresMs) return { problem: HEARTBEAT_TOO_LARGE };
  return {
    batch: Math.max(1, members.batch ?? 1),
    expiresMs,
    noWait: members.no_wait ?? false,
    maxBytes: Math.max(0, members.max_bytes ?? 0),
    heartbeatMs,
    group: {
      name: members.group ?? '',
      id: members.id ?? '',
      minPending: members.min_pending ?? 0,
      minAckPending: members.min_ack_pending ?? 0,
      priority: members.priority ?? 0,
    },
  };
}

/** Fills `members`, whose names count whatever their case. Returns what is wrong with the first that does not fit. */
function readMembers(value: Readonly<Record<string, unknown>>, members: Members): string | undefined {
  for (const given of Object.keys(value)) {
    const member = value[given];
    const name = Object.hasOwn(TYPES, given) ? given : given.toLowerCase();
    const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (type === undefined || member === null) continue;
    const fits =
      type === 'string' || type === 'bool'
        ? typeof member === (type === 'string' ? 'string' : 'boolean')
        : Number.isSafeInteger(member);
    if (!fits) return wrongType(member, name, type);
    (members as Record<string, unknown>)[name] = member;
  }
  return undefined;
}

function wrongType(value: unknown, field: string, wanted: string): string {
  const kind = Array.isArray(value) ? 'array' : typeof value;
  const isNumber = wanted !== 'string' && wanted !== 'bool';
  const found = kind === 'number' && isNumber ? `number ${String(value)}` : kind === 'boolean' ? 'bool' : kind;
  return `json: cannot unmarshal ${found} into Go struct field .${field} of type ${wanted}`;
}
