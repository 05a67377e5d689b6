/** Owns monitoring's HTTP server: paths, redirects and headers. The documents themselves are endpoints.ts. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../base/logger.ts';
import { NOT_FOUND, type Answer, type MonitoringEndpoints } from './endpoints.ts';

/** Probes and exporters come every few seconds; their connections may stay. */
const KEEP_ALIVE_MS = 30_000;
const MAX_CONNECTIONS = 256;

export class MonitoringServer {
  readonly #endpoints: MonitoringEndpoints;
  readonly #basePath: string;
  readonly #logger: Logger;
  readonly #server: Server;

  constructor(endpoints: MonitoringEndpoints, basePath: string, logger: Logger) {
    this.#endpoints = endpoints;
    this.#basePath = basePath;
    this.#logger = logger;
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      void this.#handle(request, response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Rejects with the system's error, e.g. EADDRINUSE. */
  listen({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(Math.max(0, port), host, () => {
        this.#server.off('error', reject);
        // A broken connection has been dealt with by then; the listener goes on.
        this.#server.on('error', (error) => {
          this.#logger.warn({ error }, 'monitoring listener');
        });
        resolve();
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, search] = splitOnce(request.url ?? '/');
    try {
      const clean = cleanPath(path);
      if (clean !== path) {
        redirect(response, search === '' ? clean : `${clean}?${search}`);
        return;
      }
      const local = this.#withoutBase(path);
      const answer = local === undefined ? undefined : await this.#endpoints.answer(local, new URLSearchParams(search));
      send(response, answer ?? NOT_FOUND, request.method === 'HEAD');
    } catch (error) {
      this.#logger.error({ path, error }, 'monitoring request failed');
      response.writeHead(500).end();
    }
  }

  /** Undefined: outside of the base path. */
  #withoutBase(path: string): string | undefined {
    if (this.#basePath === '') return path;
    if (path === this.#basePath) return '/';
    return path.startsWith(`${this.#basePath}/`) ? path.slice(this.#basePath.length) : undefined;
  }
}

function splitOnce(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** `//varz` and `/./varz` mean `/varz`: exporters are given base URLs that end in a slash. */
function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  const clean = `/${kept.join('/')}`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(301, { Location: location, 'Content-Type': 'text/html; charset=utf-8' });
  response.end(
    `<a href="${location.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)}">Moved Permanently</a>.\n`,
  );
}

function send(response: ServerResponse, { status, contentType, body }: Answer, headOnly: boolean): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    ...(contentType === 'application/json' ? { 'Access-Control-Allow-Origin': '*' } : {}),
  });
  response.end(headOnly ? undefined : body);
}
