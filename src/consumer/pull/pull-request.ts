/** Owns the body of a pull request: what `MSG.NEXT` and `+NXT` may say. */
import { isInt64, parsePlainJson, type JsonValue } from '../../base/json.ts';

/** A request as sent, with what was left out filled in. */
export interface PullRequestBody {
  readonly batch: number;
  /** 0: for as long as somebody listens. Negative: its time was over before it came. */
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
/** A number that isn't surely kept as it was written: a fraction, an exponent, or one too large. */
const ODD_NUMBER = /\d[.eE]|\d{16}/;

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
  if (!isInt64(text)) return ONE;
  return { ...ONE, batch: Math.max(1, safeInt(text)) };
}

function parseObject(text: string): ParsedPullRequest {
  const members: Members = {};
  const problem = ODD_NUMBER.test(text) ? readExactly(text, members) : readPlainly(text, members);
  if (problem !== undefined) return { problem };
  const heartbeatMs = Math.max(0, members.idle_heartbeat ?? 0) / NS_PER_MS;
  const expiresMs = (members.expires ?? 0) / NS_PER_MS;
  if (heartbeatMs > 0 && heartbeatMs * 2 > expiresMs) return { problem: HEARTBEAT_TOO_LARGE };
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

/** Fills `members`, or says what is wrong. */
function readPlainly(text: string, members: Members): string | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Its words differ from runtime to runtime: ours says what is wrong in those that clients know.
    return readExactly(text, members);
  }
  for (const name of Object.keys(value)) {
    const problem = take(members, name, value[name]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The same by a parser that keeps numbers as they were written. */
function readExactly(text: string, members: Members): string | undefined {
  const parsed = parsePlainJson(text);
  if (!parsed.ok) return parsed.error;
  for (const [name, value] of parsed.value.kind === 'object' ? parsed.value.members : []) {
    const problem = take(members, name, plainValue(value));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A number that is no int64 stays as it was written, in a form that fits no member. */
class OddNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function plainValue(value: JsonValue): unknown {
  switch (value.kind) {
    case 'null':
      return null;
    case 'number':
      return isInt64(value.text) ? safeInt(value.text) : new OddNumber(value.text);
    case 'array':
      return [];
    case 'object':
      return {};
    case 'bool':
    case 'string':
      return value.value;
  }
}

/** Members' names count whatever their case. Returns what is wrong with one that does not fit. */
function take(members: Members, given: string, value: unknown): string | undefined {
  const name = Object.hasOwn(TYPES, given) ? given : given.toLowerCase();
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type === undefined || value === null) return undefined;
  const fits =
    type === 'string' || type === 'bool'
      ? typeof value === (type === 'string' ? 'string' : 'boolean')
      : Number.isSafeInteger(value);
  if (!fits) return wrongType(value, name, type);
  (members as Record<string, unknown>)[name] = value;
  return undefined;
}

function wrongType(value: unknown, field: string, wanted: string): string {
  return `json: cannot unmarshal ${kindOf(value, wanted)} into Go struct field .${field} of type ${wanted}`;
}

function kindOf(value: unknown, wanted: string): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value !== 'number' && !(value instanceof OddNumber)) return typeof value;
  const text = value instanceof OddNumber ? value.text : String(value);
  return wanted === 'string' || wanted === 'bool' ? 'number' : `number ${text}`;
}

/** As near as an exact number comes: what is that large means "without end". */
function safeInt(text: string): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(text)));
}
