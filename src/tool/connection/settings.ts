/** Owns what to connect to and how, out of options, URLs, a saved context and environment, in this order. Nothing of the client library yet. */
import { UsageError } from '../failure.ts';
import { parseDuration } from '../units.ts';
import type { CommonOptions } from './common-options.ts';
import { SavedContexts, type SavedContext } from './saved-context.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConnectionSettings {
  /** Without credentials. */
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly credsFile: string | undefined;
  readonly nkeyFile: string | undefined;
  readonly tls: TlsSettings | undefined;
  readonly timeoutMs: number;
  /** Of the JetStream API, without the final dot. */
  readonly apiPrefix: string;
  readonly inboxPrefix: string | undefined;
  readonly name: string;
}

export interface TlsSettings {
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly caFile: string | undefined;
  readonly handshakeFirst: boolean;
  readonly rejectUnauthorized: boolean;
}

const DEFAULT_URL = 'nats://127.0.0.1:4222';
const DEFAULT_TIMEOUT_MS = 5000;
const SHORTEST_TIMEOUT_MS = 1;
const CONNECTION_NAME = 'millrace command line';

/** @throws {UsageError | ToolError} */
export function connectionSettings(options: CommonOptions, env: Environment): ConnectionSettings {
  const saved = savedContext(options, env);
  const fallback = (saved.url ?? urlFrom(env) ?? DEFAULT_URL).split(',');
  const urls = (options.server ?? fallback).map((url) => splitUrl(url.trim()));
  const identity = urls.find((url) => url.user !== undefined || url.token !== undefined);
  const file = (path: string | undefined): string | undefined => path?.replace(/^~(?=\/)/, env['HOME'] ?? '~');
  const prefix = options.jsApiPrefix ?? saved.jetstream_api_prefix ?? env['NATS_JS_API_PREFIX'];
  const domain = options.domain ?? saved.jetstream_domain ?? env['NATS_JS_DOMAIN'];
  if (prefix !== undefined && domain !== undefined)
    throw new UsageError('--domain and --js-api-prefix exclude each other');
  return {
    servers: urls.map(({ server }) => server),
    user: options.user ?? identity?.user ?? saved.user ?? env['NATS_USER'],
    password: options.password ?? identity?.password ?? saved.password ?? env['NATS_PASSWORD'],
    token: options.token ?? identity?.token ?? saved.token ?? env['NATS_TOKEN'],
    credsFile: file(options.creds ?? saved.creds ?? env['NATS_CREDS']),
    nkeyFile: file(options.nkey ?? saved.nkey ?? env['NATS_NKEY']),
    tls: tlsSettings(options, saved, env, urls),
    timeoutMs: timeoutOf(options.timeout, env['NATS_TIMEOUT']),
    apiPrefix: prefix?.replace(/\.$/, '') ?? (domain === undefined ? '$JS.API' : `$JS.${domain}.API`),
    inboxPrefix: options.inboxPrefix ?? saved.inbox_prefix ?? env['NATS_INBOX_PREFIX'],
    name: options.connectionName ?? CONNECTION_NAME,
  };
}

function urlFrom(env: Environment): string | undefined {
  return env['MILLRACE_URL'] ?? env['NATS_URL'];
}

/** What is selected is for its own server: another one that is named gets no credentials of it. */
function savedContext(options: CommonOptions, env: Environment): SavedContext {
  const contexts = new SavedContexts(env);
  const named = options.context ?? env['NATS_CONTEXT'];
  if (named !== undefined) return contexts.read(named);
  if (options.server !== undefined || urlFrom(env) !== undefined) return {};
  const selected = contexts.selected();
  return selected === undefined ? {} : contexts.read(selected);
}

/** @throws {UsageError} */
function timeoutOf(option: number | undefined, given: string | undefined): number {
  try {
    const timeoutMs = option ?? (given === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(given));
    if (timeoutMs < SHORTEST_TIMEOUT_MS) throw new UsageError('at least a millisecond');
    return timeoutMs;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${option === undefined ? 'NATS_TIMEOUT' : '--timeout'}: ${error.message}`);
  }
}

function tlsSettings(
  options: CommonOptions,
  saved: SavedContext,
  env: Environment,
  urls: readonly SplitUrl[],
): TlsSettings | undefined {
  const certFile = options.tlsCert ?? saved.cert ?? env['NATS_CERT'];
  const keyFile = options.tlsKey ?? saved.key ?? env['NATS_KEY'];
  const caFile = options.tlsCa ?? saved.ca ?? env['NATS_CA'];
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together');
  const handshakeFirst = options.tlsFirst || saved.tls_first === true;
  const asked = handshakeFirst || options.tlsInsecure || urls.some(({ tls }) => tls);
  if (!asked && certFile === undefined && keyFile === undefined && caFile === undefined) return undefined;
  return { certFile, keyFile, caFile, handshakeFirst, rejectUnauthorized: !options.tlsInsecure };
}

interface SplitUrl {
  readonly server: string;
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** A name without a password is a token, as in other clients. */
  readonly token: string | undefined;
}

function splitUrl(url: string): SplitUrl {
  const match = /^(?:([a-z]+):\/\/)?(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]+)\/?$/.exec(url);
  const scheme = match?.[1] ?? 'nats';
  if (match === null || !['nats', 'tls'].includes(scheme)) {
    throw new UsageError(`"${url}" is not the address of a server, such as nats://127.0.0.1:4222`);
  }
  const [name, password] = [match[2], match[3]].map((part) => (part === undefined ? part : decodeURIComponent(part)));
  const isToken = name !== undefined && password === undefined;
  return {
    server: match[4]!,
    tls: scheme === 'tls',
    user: isToken ? undefined : name,
    password,
    token: isToken ? name : undefined,
  };
}
