/** Owns the list of monitoring's documents, whoever asks for them: HTTP, or the system account's services. */
import type { ServerMetrics } from '../metrics.ts';
import { accountz, accstatz } from './accounts.ts';
import { connz } from './connz.ts';
import { formatTime, toJson } from './format.ts';
import { healthz } from './healthz.ts';
import { indexPage } from './index-page.ts';
import { jsz } from './jsz.ts';
import type { PrometheusExporter } from './prometheus.ts';
import { BadParameter, Query } from './query.ts';
import { raftz } from './raftz.ts';
import { routez } from './routez.ts';
import type { MonitoringSources } from './sources.ts';
import { subsz } from './subsz.ts';
import { CpuMeter, varz } from './varz.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type Endpoint = (query: Query) => Answer | Promise<Answer>;

const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';
const INDENT = 2;

/** Names under which requests are counted, where they differ from the path. */
const COUNTED_AS: Readonly<Record<string, string>> = { '/subscriptionsz': '/subsz' };

export const NOT_FOUND: Answer = { status: 404, contentType: TEXT_TYPE, body: '404 page not found\n' };

export class MonitoringEndpoints {
  readonly #sources: MonitoringSources;
  readonly #metrics: ServerMetrics;
  readonly #cpu: CpuMeter;
  readonly #requestCounts: Record<string, number> = {};
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  #exporter: PrometheusExporter | undefined;

  constructor(sources: MonitoringSources, metrics: ServerMetrics) {
    this.#sources = sources;
    this.#metrics = metrics;
    this.#cpu = new CpuMeter(sources.identity.startedUs);
    this.#endpoints = this.#table();
  }

  /** `path` without the base path. Undefined: there is no such document. */
  async answer(path: string, parameters: URLSearchParams): Promise<Answer | undefined> {
    const endpoint = this.#endpoints.get(path);
    if (endpoint === undefined) return undefined;
    const counted = COUNTED_AS[path] ?? path;
    this.#requestCounts[counted] = (this.#requestCounts[counted] ?? 0) + 1;
    try {
      return await endpoint(new Query(parameters));
    } catch (error) {
      if (!(error instanceof BadParameter)) throw error;
      return { status: 400, contentType: TEXT_TYPE, body: error.message };
    }
  }

  #table(): ReadonlyMap<string, Endpoint> {
    const sources = this.#sources;
    const subscriptions: Endpoint = (query) => document(subsz(sources, query));
    return new Map<string, Endpoint>([
      ['/', () => ({ status: 200, contentType: HTML_TYPE, body: indexPage(sources.identity.serverName) })],
      ['/varz', () => document(varz(sources, this.#cpu, this.#requestCounts))],
      ['/connz', (query) => document(connz(sources, query))],
      ['/routez', (query) => document(routez(sources, query))],
      ['/subsz', subscriptions],
      ['/subscriptionsz', subscriptions],
      ['/jsz', (query) => document(jsz(sources, query))],
      ['/healthz', (query) => this.#health(query)],
      ['/accountz', (query) => document(accountz(sources, query))],
      ['/accstatz', (query) => document(accstatz(sources, query))],
      ['/raftz', (query) => this.#raft(query)],
      // There are no gateways, leaf nodes and such queues here; tools decode the empty documents all the same.
      ['/gatewayz', () => document({ ...this.#head(), outbound_gateways: {}, inbound_gateways: {} })],
      ['/leafz', () => document({ ...this.#head(), leafnodes: 0, leafs: [] })],
      ['/ipqueuesz', () => document({})],
      ['/debug/vars', () => document({ cmdline: process.argv, memstats: process.memoryUsage() })],
      ['/metrics', () => this.#prometheus()],
    ]);
  }

  #head(): { readonly server_id: string; readonly now: string } {
    return { server_id: this.#sources.identity.serverId, now: formatTime(this.#sources.nowUs()) };
  }

  #health(query: Query): Answer {
    const { status, body } = healthz(this.#sources, query);
    return { status, contentType: JSON_TYPE, body: toJson(body, 0) };
  }

  #raft(query: Query): Answer {
    const groups = raftz(this.#sources, query);
    if (groups === undefined) return { status: 404, contentType: TEXT_TYPE, body: 'No Raft nodes registered' };
    return document(groups);
  }

  async #prometheus(): Promise<Answer> {
    const { PrometheusExporter: Exporter } = await import('./prometheus.ts');
    this.#exporter ??= new Exporter(this.#sources, this.#metrics);
    return { status: 200, contentType: this.#exporter.contentType, body: await this.#exporter.text() };
  }
}

function document(value: object): Answer {
  return { status: 200, contentType: JSON_TYPE, body: toJson(value, INDENT) };
}
