/** Owns the failures that a person sees: their classes, and one line of words for each that the client library throws. */

/** The command was not understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was understood and could not be carried out: exit code 1. `message` is one line for a person. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/** The API answered with an error; `code` is its `err_code`, which stays the same where texts change. */
export class ApiError extends ToolError {
  readonly code: number;

  constructor(description: string, code: number) {
    super(`${description} (${code})`);
    this.code = code;
  }
}

export const STREAM_NOT_FOUND = 10059;
export const MESSAGE_NOT_FOUND = 10037;

/** The API's code, whether the library or we parsed its answer. Undefined for any other failure. */
export function apiCode(error: unknown): number | undefined {
  if (error instanceof ApiError) return error.code;
  if (!(error instanceof Error) || !API_ERROR_NAMES.has(error.name)) return undefined;
  return (error as Error & { readonly code: number }).code;
}

const API_ERROR_NAMES = new Set(['JetStreamApiError', 'StreamNotFoundError', 'ConsumerNotFoundError']);

/** The library wraps it, at times. */
export function isNoResponders(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoResponders' || isNoResponders(error.cause));
}

const UNTRUSTED = 'its certificate is not trusted; --tls-ca names the authority that is';

const CAUSES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate; --tls-cert and --tls-key give one',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not begin with TLS',
  ECONNRESET: 'the connection was closed',
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host not found',
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
};

/** One line. The library's classes are known by name, so that it needn't be loaded to tell a wrong flag. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ToolError) return error.message;
  const code = apiCode(error);
  if (code !== undefined) return `${error.message} (${code})`;
  switch (error.name) {
    case 'TimeoutError':
      return 'no answer in time; --timeout gives it longer';
    case 'NoResponders':
      return 'nobody answers on this subject';
    case 'RequestError':
      return error.cause instanceof Error ? describe(error.cause) : error.message;
    case 'InvalidCharacterError':
      return 'the client library can only store names of Latin letters';
    case 'JetStreamNotEnabled':
      return 'JetStream is not enabled on this server';
    case 'AuthorizationError':
    case 'UserAuthenticationExpiredError':
      return `the server refuses these credentials (${error.message})`;
    default:
      return systemFailure(error) ?? firstLine(error.message);
  }
}

function systemFailure(error: Error): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  const words = CAUSES[code ?? ''];
  if (words === undefined) return undefined;
  return path === undefined ? words : `${path}: ${words}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
