/** Owns what to connect to and how, out of options, environment and URLs, in this order. Nothing of the client library yet. */
import { UsageError } from '../failure.ts';
import { parseDuration } from '../units.ts';
import type { CommonOptions } from './common-options.ts';

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
const CONNECTION_NAME = 'millrace command line';

/** @throws {UsageError} */
export function connectionSettings(options: CommonOptions, env: Environment): ConnectionSettings {
  const fallback = (env['MILLRACE_URL'] ?? env['NATS_URL'] ?? DEFAULT_URL).split(',');
  const urls = (options.server ?? fallback).map((url) => splitUrl(url.trim()));
  const identity = urls.find((url) => url.user !== undefined || url.token !== undefined);
  const prefix = options.jsApiPrefix ?? env['NATS_JS_API_PREFIX'];
  const domain = options.domain ?? env['NATS_JS_DOMAIN'];
  if (prefix !== undefined && domain !== undefined)
    throw new UsageError('--domain and --js-api-prefix exclude each other');
  return {
    servers: urls.map(({ server }) => server),
    user: options.user ?? identity?.user ?? env['NATS_USER'],
    password: options.password ?? identity?.password ?? env['NATS_PASSWORD'],
    token: options.token ?? identity?.token ?? env['NATS_TOKEN'],
    credsFile: options.creds ?? env['NATS_CREDS'],
    nkeyFile: options.nkey ?? env['NATS_NKEY'],
    tls: tlsSettings(options, env, urls),
    timeoutMs: options.timeout ?? timeoutFrom(env),
    apiPrefix: prefix?.replace(/\.$/, '') ?? (domain === undefined ? '$JS.API' : `$JS.${domain}.API`),
    inboxPrefix: options.inboxPrefix ?? env['NATS_INBOX_PREFIX'],
    name: options.connectionName ?? CONNECTION_NAME,
  };
}

function timeoutFrom(env: Environment): number {
  const given = env['NATS_TIMEOUT'];
  return given === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(given);
}

function tlsSettings(options: CommonOptions, env: Environment, urls: readonly SplitUrl[]): TlsSettings | undefined {
  const certFile = options.tlsCert ?? env['NATS_CERT'];
  const keyFile = options.tlsKey ?? env['NATS_KEY'];
  const caFile = options.tlsCa ?? env['NATS_CA'];
  const asked = options.tlsFirst || options.tlsInsecure || urls.some(({ tls }) => tls);
  if (!asked && certFile === undefined && keyFile === undefined && caFile === undefined) return undefined;
  return { certFile, keyFile, caFile, handshakeFirst: options.tlsFirst, rejectUnauthorized: !options.tlsInsecure };
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
