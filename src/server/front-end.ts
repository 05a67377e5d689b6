/**
 * Owns the assembly of a client front end: listener, connections and router, and what concerns all connections at once.
 *
 * A server that only passes messages on, without streams or other nodes, is nothing but this.
 */
import type { Duplex } from 'node:stream';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { ClientListener } from './client-listener.ts';
import { type Authenticator, openAuthenticator } from './connection-auth.ts';
import {
  type ConnectionContext,
  type ConnectionLimits,
  type ConnectionStatistics,
  DEFAULT_LIMITS,
} from './connection-context.ts';
import { ConnectionHistory } from './connection-history.ts';
import type { TrafficCounters } from './connection-report.ts';
import { ClientConnection, type ConnectionOrigin } from './connection.ts';
import { ChunkPool, type CloseReason, ERR, type ServerInfo } from './protocol/index.ts';
import { type Announce, type RoutedTraffic, type ServerNames, SubjectRouter, TurnEnd } from './router/index.ts';

/** Connections are looked after together, this often at most and at least. */
const MIN_TICK_MS = 20;
const MAX_TICK_MS = 1_000;
/** How long connections get to read their last bytes when the server stops. */
const SHUTDOWN_MS = 1_000;
/** Between two closes in lame duck mode: no longer than this, however few clients there are. */
const MAX_LAME_DUCK_GAP_MS = 1_000;

export interface FrontEndOptions {
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly limits?: Partial<ConnectionLimits>;
  readonly authenticator?: Authenticator;
  /** As of now. `port` is what the listener got, for those that listen on any. */
  readonly serverInfo: (port: number) => ServerInfo;
  readonly host?: string;
  /** 0: any free one. */
  readonly port?: number;
  /** The way to other nodes; none for a lone server. */
  readonly traffic?: RoutedTraffic;
  readonly announce?: Announce;
  /** Called for every connection that ends, after the turn, with what is left of it to tell. */
  readonly onConnectionClosed?: (connection: ClientConnection) => void;
}

/** `connections`: how many there were. */
export interface AccountTraffic extends TrafficCounters {
  connections: number;
}

const NO_TRAFFIC: RoutedTraffic = { send: () => false, pendingTraffic: () => 0 };

export class FrontEnd {
  readonly router: SubjectRouter;
  /** For others that send to nodes: what they gather leaves behind the interest that changed in the same turn. */
  readonly turnEnd: TurnEnd;
  readonly history: ConnectionHistory;
  readonly statistics: ConnectionStatistics = { total: 0, slowConsumers: 0, staleConnections: 0, stalledClients: 0 };
  readonly #options: FrontEndOptions;
  readonly #limits: ConnectionLimits;
  readonly #context: ConnectionContext;
  readonly #listener: ClientListener;
  readonly #connections = new Map<number, ClientConnection>();
  /** Of connections that are closed, by account. */
  readonly #past = new Map<string, AccountTraffic>();
  #lastConnectionId = 0;
  #tickTimer: Timer | undefined;
  /** Transports that are still there, of closed connections as well. */
  #transports = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: FrontEndOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { runtime, traffic = NO_TRAFFIC, announce = () => undefined } = options;
    const turnEnd = new TurnEnd(runtime);
    this.turnEnd = turnEnd;
    const names = (): ServerNames => {
      const { serverName: server, cluster = '' } = options.serverInfo(this.port);
      return { server, cluster };
    };
    this.router = new SubjectRouter({ runtime, turnEnd, traffic, announce, names });
    this.history = new ConnectionHistory(this.#limits.maxClosedClients);
    this.#context = {
      runtime,
      turnEnd,
      router: this.router,
      pool: new ChunkPool(),
      limits: this.#limits,
      authenticator: options.authenticator ?? openAuthenticator,
      statistics: this.statistics,
      serverInfo: () => options.serverInfo(this.port),
      onClosed: (connection) => {
        this.#forget(connection);
      },
      onGone: () => {
        this.#transports--;
        if (this.#transports === 0) this.#onEmpty?.();
      },
    };
    this.#listener = new ClientListener({
      runtime,
      logger: options.logger,
      onSocket: (socket, origin) => this.accept(socket, origin),
    });
  }

  /** Takes effect at once, for connections that exist as well: surplus ones are closed, whichever chance picks. */
  setLimits(limits: Partial<ConnectionLimits>): void {
    Object.assign(this.#limits, limits);
    const connections = [...this.#connections.values()];
    while (connections.length > Math.max(0, this.#limits.maxConnections)) {
      const [surplus] = connections.splice(Math.floor(this.#options.runtime.random() * connections.length), 1);
      surplus?.close('Maximum Connections Exceeded', ERR.maxConnections);
    }
    for (const connection of connections) connection.termsChanged();
  }

  get port(): number {
    return this.#listener.port;
  }

  /** @throws what the listener failed with */
  async listen(): Promise<void> {
    await this.#listener.listen(this.#options.host ?? '127.0.0.1', this.#options.port ?? 0);
  }

  connections(): Iterable<ClientConnection> {
    return this.#connections.values();
  }

  connection(id: number): ClientConnection | undefined {
    return this.#connections.get(id);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** All messages from and to clients since the start; of one account, or of all. */
  traffic(account?: string): AccountTraffic {
    const sum = noTraffic();
    for (const [name, past] of this.#past) if (account === undefined || name === account) addTraffic(sum, past);
    for (const connection of this.#connections.values()) {
      if (account !== undefined && connection.account !== account) continue;
      addTraffic(sum, { ...connection.report(), connections: 1 });
    }
    return sum;
  }

  /** Numbers connections of all kinds, internal ones included. */
  nextConnectionId(): number {
    return ++this.#lastConnectionId;
  }

  /** Takes over a transport that is ready for INFO: an accepted socket, after TLS or WebSocket handshakes if there are any. */
  accept(transport: Duplex, origin: Omit<ConnectionOrigin, 'connectionId'>): ClientConnection {
    const connection = new ClientConnection(
      transport,
      { connectionId: this.nextConnectionId(), ...origin },
      this.#context,
    );
    this.statistics.total++;
    this.#transports++;
    const full = this.#connections.size >= this.#limits.maxConnections;
    this.#connections.set(connection.connectionId, connection);
    connection.open();
    if (full) connection.close('Maximum Connections Exceeded', ERR.maxConnections);
    this.#tickLater();
    return connection;
  }

  /** Sends INFO to every client that understands it: addresses of the cluster changed, or lame duck mode began. */
  broadcastInfo(): void {
    for (const connection of this.#connections.values()) if (connection.takesInfo) connection.sendInfo();
  }

  /**
   * Sends clients away for good, gently: none is accepted any more, all are told (`serverInfo` says `lameDuck` by now), and
   * after `graceMs` they are closed one by one within what is left of `durationMs`. Resolves when nobody is left.
   */
  async lameDuck(options: { readonly graceMs: number; readonly durationMs: number }): Promise<void> {
    const { runtime } = this.#options;
    this.#listener.close();
    this.broadcastInfo();
    if (this.#connections.size === 0) return;
    await delay(runtime, options.graceMs);
    const slotMs = (options.durationMs - options.graceMs) / Math.max(1, this.#connections.size);
    const gapMs = Math.min(slotMs, MAX_LAME_DUCK_GAP_MS);
    for (const connection of [...this.#connections.values()]) {
      connection.close('Server Shutdown');
      // At least half the slot, and never two alike: clients that come back at once would come in step.
      if (this.#connections.size > 0) await delay(runtime, (gapMs * (1 + runtime.random())) / 2);
    }
    await this.#empty();
  }

  /** Accepts nobody, ends all connections after their pending output. Resolves when they are gone, within a second. */
  async close(reason: CloseReason = 'Server Shutdown'): Promise<void> {
    this.#listener.close();
    for (const connection of [...this.#connections.values()]) connection.close(reason);
    await this.#empty();
    this.#tickTimer?.cancel();
  }

  async #empty(): Promise<void> {
    if (this.#transports === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.runtime.after(SHUTDOWN_MS, resolve);
      this.#onEmpty = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #forget(connection: ClientConnection): void {
    if (!this.#connections.delete(connection.connectionId)) return;
    const report = connection.report();
    const past = this.#past.get(report.account) ?? noTraffic();
    this.#past.set(report.account, past);
    addTraffic(past, { ...report, connections: 1 });
    this.history.add(report);
    // Later: it may close in the midst of a delivery, and whoever is told may want to publish.
    const { runtime, onConnectionClosed } = this.#options;
    if (onConnectionClosed !== undefined) {
      runtime.defer(() => {
        onConnectionClosed(connection);
      });
    }
  }

  /** One timer for all connections, and none while there are none. */
  #tickLater(): void {
    if (this.#tickTimer !== undefined) return;
    const { pingIntervalMs, writeDeadlineMs, authTimeoutMs } = this.#limits;
    const shortest = Math.min(pingIntervalMs, writeDeadlineMs, authTimeoutMs);
    const periodMs = Math.max(MIN_TICK_MS, Math.min(MAX_TICK_MS, shortest / 4));
    this.#tickTimer = this.#options.runtime.after(periodMs, () => {
      this.#tickTimer = undefined;
      const nowMs = this.#options.runtime.monotonicMs();
      for (const connection of [...this.#connections.values()]) connection.tick(nowMs);
      if (this.#connections.size > 0) this.#tickLater();
    });
  }
}

export function createFrontEnd(options: FrontEndOptions): FrontEnd {
  return new FrontEnd(options);
}

function noTraffic(): AccountTraffic {
  return { inMessages: 0, inBytes: 0, outMessages: 0, outBytes: 0, connections: 0 };
}

function addTraffic(sum: AccountTraffic, more: Readonly<AccountTraffic>): void {
  sum.connections += more.connections;
  sum.inMessages += more.inMessages;
  sum.inBytes += more.inBytes;
  sum.outMessages += more.outMessages;
  sum.outBytes += more.outBytes;
}

function delay(runtime: Runtime, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    runtime.after(delayMs, resolve);
  });
}
