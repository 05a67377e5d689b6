/** Owns `/healthz`: what probes ask, from "are the listeners up" to "is every stream current". */
import { unlessEmpty } from './format.ts';
import type { Query } from './query.ts';
import type { AssetReadiness, MonitoringSources, Readiness } from './sources.ts';

type ErrorType = 'CONNECTION' | 'BAD_REQUEST' | 'JETSTREAM' | 'ACCOUNT' | 'STREAM' | 'CONSUMER';

interface HealthError {
  readonly type: ErrorType;
  readonly code: number;
  readonly error: string;
  readonly account?: string;
  readonly stream?: string;
  readonly consumer?: string;
}

export interface Health {
  readonly status: number;
  readonly body: { readonly status: string; readonly error?: string; readonly errors?: readonly object[] };
}

interface Scope {
  readonly account: string;
  readonly stream: string;
  readonly consumer: string;
}

/** Many broken streams have one cause; a list of thousands would help nobody. */
const MAX_ERRORS = 100;

/** @throws {BadParameter} */
export function healthz(sources: MonitoringSources, query: Query): Health {
  const details = query.boolean('details');
  const errors = findErrors(sources, query).slice(0, MAX_ERRORS);
  const [first] = errors;
  if (first === undefined) return { status: 200, body: { status: 'ok' } };
  const shown = details ? `${errors.length} errors` : JSON.stringify(first.error);
  sources.logger.warn({}, `Healthcheck failed: ${shown}`);
  if (details) return { status: first.code, body: { status: 'error', errors: errors.map(describe) } };
  // "unavailable" may pass by itself, "error" is the request's fault or the listener's.
  const unavailable = first.code === 503 || first.code === 404;
  return { status: first.code, body: { status: unavailable ? 'unavailable' : 'error', error: first.error } };
}

function describe({ type, account, stream, consumer, error }: HealthError): object {
  return {
    type,
    ...unlessEmpty('account', account),
    ...unlessEmpty('stream', stream),
    ...unlessEmpty('consumer', consumer),
    error,
  };
}

/** From the listeners inwards: what lies behind a failed layer says nothing. */
function findErrors(sources: MonitoringSources, query: Query): readonly HealthError[] {
  const serverOnly = query.boolean('js-server-only');
  const enabledOnly = query.boolean('js-enabled-only') || query.boolean('js-enabled');
  const metaOnly = query.boolean('js-meta-only');
  const scope = { account: query.text('account'), stream: query.text('stream'), consumer: query.text('consumer') };
  const invalid = checkScope(scope);
  if (invalid !== undefined) return [invalid];

  const readiness = sources.readiness();
  const [missing] = readiness.missingListeners;
  if (missing !== undefined) {
    const error = `failed to be ready for connections after 1ms: ${readiness.missingListeners.join(', ')}`;
    return [{ type: 'CONNECTION', code: 500, error }];
  }
  if (serverOnly || readiness.jetStream === 'off') return [];
  if (readiness.jetStream === 'down') return [jetStreamError('JetStream not enabled')];
  if (enabledOnly) return [];
  const meta = checkMeta(readiness);
  if (meta !== undefined) return [meta];
  return metaOnly ? [] : checkAssets(sources, readiness, scope);
}

function checkScope({ account, stream, consumer }: Scope): HealthError | undefined {
  if (consumer !== '' && stream === '') return badRequest('"stream" must not be empty when checking consumer health');
  if (stream !== '' && account === '') return badRequest('"account" must not be empty when checking stream health');
  return undefined;
}

function badRequest(error: string): HealthError {
  return { type: 'BAD_REQUEST', code: 400, error };
}

function jetStreamError(error: string): HealthError {
  return { type: 'JETSTREAM', code: 503, error };
}

function checkMeta(readiness: Readiness): HealthError | undefined {
  switch (readiness.meta) {
    case 'recovering':
      return jetStreamError('JetStream is still recovering meta layer');
    case 'leaderless':
      return jetStreamError('JetStream has not established contact with a meta leader');
    case 'behind':
      return jetStreamError('JetStream is not current with the meta leader');
    case 'standalone':
    case 'current':
      return undefined;
  }
}

function checkAssets(sources: MonitoringSources, readiness: Readiness, scope: Scope): readonly HealthError[] {
  const { account, stream, consumer } = scope;
  if (account !== '' && !sources.accounts().some(({ name }) => name === account)) {
    return [notFound('ACCOUNT', scope, `JetStream account ${JSON.stringify(account)} not found`)];
  }
  const assets = readiness
    .assets()
    .filter((asset) => (account === '' || asset.account === account) && (stream === '' || asset.stream === stream));
  const [only] = assets;
  if (stream !== '' && only === undefined) {
    const [name, of] = [stream, account].map((text) => JSON.stringify(text));
    return [notFound('STREAM', scope, `JetStream stream ${name} not found on account ${of}`)];
  }
  if (consumer !== '' && only !== undefined && !only.consumers.some(({ name }) => name === consumer)) {
    const [name, on, of] = [consumer, stream, account].map((text) => JSON.stringify(text));
    return [notFound('CONSUMER', scope, `JetStream consumer ${name} not found for stream ${on} on account ${of}`)];
  }
  return assets.flatMap((asset) => assetErrors(asset, consumer));
}

function notFound(type: ErrorType, scope: Scope, error: string): HealthError {
  return { type, code: 404, ...scope, error };
}

function assetErrors(asset: AssetReadiness, consumer: string): HealthError[] {
  const { account, stream, problem } = asset;
  const errors: HealthError[] = [];
  if (problem !== undefined) {
    const error = `JetStream stream '${account} > ${stream}' is not current: ${problem}`;
    errors.push({ type: 'STREAM', code: 503, account, stream, error });
  }
  for (const { name, problem: behind } of asset.consumers) {
    if (behind === undefined || (consumer !== '' && name !== consumer)) continue;
    const error = `JetStream consumer '${account} > ${stream} > ${name}' is not current: ${behind}`;
    errors.push({ type: 'CONSUMER', code: 503, account, stream, consumer: name, error });
  }
  return errors;
}
