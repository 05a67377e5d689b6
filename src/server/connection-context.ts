/** Owns what all client connections of a server share. */
import type { Runtime } from '../base/runtime.ts';
import type { Authenticator } from './connection-auth.ts';
import type { ClientConnection } from './connection.ts';
import type { ChunkPool, ServerInfo } from './protocol/index.ts';
import type { SubjectRouter, TurnEnd } from './router/index.ts';

export interface ConnectionLimits {
  readonly maxPayload: number;
  readonly maxControlLine: number;
  /** Bytes that may wait for a client that does not read. */
  readonly maxPending: number;
  readonly maxConnections: number;
  /** Per connection; 0: no limit. */
  readonly maxSubscriptions: number;
  readonly pingIntervalMs: number;
  readonly pingMax: number;
  /** How long a write to a client may make no progress. */
  readonly writeDeadlineMs: number;
  readonly authTimeoutMs: number;
  readonly maxClosedClients: number;
}

/** The reference server's. */
export const DEFAULT_LIMITS: ConnectionLimits = {
  maxPayload: 1024 * 1024,
  maxControlLine: 4096,
  maxPending: 64 * 1024 * 1024,
  maxConnections: 65_536,
  maxSubscriptions: 0,
  pingIntervalMs: 120_000,
  pingMax: 2,
  writeDeadlineMs: 10_000,
  authTimeoutMs: 2_000,
  maxClosedClients: 10_000,
};

/** What happened to connections since the start, beyond their own counters. */
export interface ConnectionStatistics {
  total: number;
  slowConsumers: number;
  staleConnections: number;
  stalledClients: number;
}

export interface ConnectionContext {
  readonly runtime: Runtime;
  readonly router: SubjectRouter;
  readonly turnEnd: TurnEnd;
  readonly pool: ChunkPool;
  readonly limits: ConnectionLimits;
  readonly authenticator: Authenticator;
  readonly statistics: ConnectionStatistics;
  /** As of now: URLs come and go with the cluster's nodes. */
  serverInfo(): ServerInfo;
  /** The connection takes part in nothing any more; its last bytes may still be on their way. */
  onClosed(connection: ClientConnection): void;
  /** Its transport is gone too. */
  onGone(): void;
}
