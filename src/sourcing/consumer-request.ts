/** Owns the API calls with which messages are asked for upstream, in the reference server's form, and their answers. */
import { apiError, type ApiError } from '../base/api-errors.ts';
import type { Seq, TimestampUs } from '../base/brand.ts';
import { formatRfc3339 } from '../base/rfc3339.ts';
import type { StreamSource } from '../stream/index.ts';
import { headerText } from './header-lines.ts';
import { filtersOf, type OriginKind, type Taker } from './origin.ts';

const API_PREFIX = '$JS.API';
const NS_PER_MS = 1e6;
const ACK_WAIT_MS = 22 * 3600 * 1000;
const HEARTBEAT_MS = 1000;
/** How long the upstream side keeps a consumer that nobody listens to. */
const INACTIVE_MS = 10_000;
const REQUIRED_LEVEL = { mirror: 4, source: 5 } as const;
const IDENTITY_HEADER = 'Nats-Stream-Identity';
const NO_BYTES = Buffer.alloc(0);

/** Where to begin upstream. */
export type StartPosition =
  | { readonly kind: 'all' }
  | { readonly kind: 'sequence'; readonly seq: Seq }
  | { readonly kind: 'time'; readonly timeUs: TimestampUs };

export interface ConsumerRequest {
  readonly subject: string;
  readonly headers: Buffer;
  readonly body: Buffer;
}

export interface CreateOptions {
  readonly kind: OriginKind;
  readonly taker: Taker;
  readonly source: StreamSource;
  readonly name: string;
  readonly deliverSubject: string;
  readonly start: StartPosition;
  /** Of the stream that messages were taken from so far; empty: none yet. */
  readonly identity: string;
  /** False for servers that know nothing of sourcing consumers. */
  readonly sourcing: boolean;
}

export function createRequest(options: CreateOptions): ConsumerRequest {
  const { kind, source, name, sourcing } = options;
  const filters = filtersOf(source);
  const config = {
    name,
    ...startMembers(options.start),
    ack_policy: 'none',
    ack_wait: ACK_WAIT_MS * NS_PER_MS,
    max_deliver: 1,
    ...filterMembers(filters),
    replay_policy: 'instant',
    flow_control: true,
    deliver_subject: options.deliverSubject,
    idle_heartbeat: HEARTBEAT_MS * NS_PER_MS,
    inactive_threshold: INACTIVE_MS * NS_PER_MS,
    num_replicas: 0,
    direct: true,
    ...(sourcing && { sourcing: true }),
    metadata: metadataOf(kind, options.taker),
  };
  const only = filters.length === 1 ? `.${name}.${filters[0]!}` : sourcing ? '' : `.${name}`;
  return {
    subject: apiSubject(source, `CONSUMER.CREATE.${source.name}${only}`),
    headers: sourcing ? requestHeaders(kind, options.identity) : NO_BYTES,
    body: Buffer.from(JSON.stringify({ stream_name: source.name, config, action: '' })),
  };
}

/** Begins anew at a consumer that the user made. */
export function resetRequest(source: StreamSource, name: string): ConsumerRequest {
  return { subject: apiSubject(source, `CONSUMER.RESET.${source.name}.${name}`), headers: NO_BYTES, body: NO_BYTES };
}

export function deleteRequest(source: StreamSource, name: string): ConsumerRequest {
  return { subject: apiSubject(source, `CONSUMER.DELETE.${source.name}.${name}`), headers: NO_BYTES, body: NO_BYTES };
}

function apiSubject({ external }: StreamSource, call: string): string {
  return `${external?.api || API_PREFIX}.${call}`;
}

function startMembers(start: StartPosition): object {
  switch (start.kind) {
    case 'all':
      return { deliver_policy: 'all' };
    case 'sequence':
      return { deliver_policy: 'by_start_sequence', opt_start_seq: start.seq };
    case 'time':
      return { deliver_policy: 'by_start_time', opt_start_time: formatRfc3339(start.timeUs) };
  }
}

function filterMembers(filters: readonly string[]): object {
  if (filters.length === 0) return {};
  return filters.length === 1 ? { filter_subject: filters[0] } : { filter_subjects: filters };
}

function metadataOf(kind: OriginKind, { stream, account, domain }: Taker): Readonly<Record<string, string>> {
  const prefix = kind === 'mirror' ? '_nats.mirror' : '_nats.src';
  return {
    [`${prefix}.acc`]: account,
    [`${prefix}.stream`]: stream,
    ...(domain !== '' && { [`${prefix}.domain`]: domain }),
  };
}

function requestHeaders(kind: OriginKind, identity: string): Buffer {
  const identityLine = kind === 'source' ? `${IDENTITY_HEADER}: ${identity}\r\n` : '';
  return Buffer.from(`NATS/1.0\r\nNats-Required-Api-Level: ${REQUIRED_LEVEL[kind]}\r\n${identityLine}\r\n`);
}

/** What came of a call. */
export type ConsumerAnswer =
  | {
      readonly kind: 'made';
      readonly name: string;
      readonly identity: string;
      readonly pending: number;
      /** The upstream sequence behind which it begins; 0: the start, or it has begun. */
      readonly behind: number;
      readonly acksByFlowControl: boolean;
    }
  | { readonly kind: 'refused'; readonly error: ApiError };

interface AnswerJson {
  readonly error?: { readonly code?: unknown; readonly err_code?: unknown; readonly description?: unknown };
  readonly name?: unknown;
  readonly num_pending?: unknown;
  readonly delivered?: { readonly consumer_seq?: unknown; readonly stream_seq?: unknown };
  readonly config?: { readonly ack_policy?: unknown };
}

/** Undefined: it makes no sense. */
export function readAnswer(answer: { readonly headers: Buffer; readonly payload: Buffer }): ConsumerAnswer | undefined {
  const json = parseObject(answer.payload);
  if (json === undefined) return undefined;
  const { error, name, num_pending: pending, delivered, config } = json;
  // What it has delivered already is on its way here, and no gap.
  const behind = delivered?.consumer_seq === 0 ? delivered.stream_seq : 0;
  if (error !== undefined) {
    const { code, err_code: errCode, description } = error;
    return { kind: 'refused', error: apiError(Number(code), Number(errCode), String(description)) };
  }
  if (typeof name !== 'string') return undefined;
  return {
    kind: 'made',
    name,
    identity: headerText(answer.headers, IDENTITY_HEADER) ?? '',
    pending: typeof pending === 'number' ? pending : 0,
    behind: Number.isSafeInteger(behind) ? (behind as number) : 0,
    acksByFlowControl: config?.ack_policy === 'flow_control',
  };
}

function parseObject(payload: Buffer): AnswerJson | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Whatever answered is no JetStream: as good as no answer.
    return undefined;
  }
}
