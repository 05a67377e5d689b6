/** Owns the options while they are being put together: as written, before defaults and checks across options. */
import type { ClusterCredentials, FeatureFlags, RouteAddress } from './options.ts';
import type { Position } from './problems.ts';
import { emptySecurity, type SecurityDraft } from './security.ts';

/** `T` while it is filled in: every member may be missing. */
type Draft<T> = { -readonly [K in keyof T]?: T[K] };

export interface Address {
  readonly host: string | undefined;
  readonly port: number;
}

export type OptionsDraft = Draft<{
  serverName: string;
  host: string;
  port: number;
  clientAdvertise: string;
  httpHost: string;
  httpPort: number;
  httpBasePath: string;
  storeDir: string;
  maxConnections: number;
  maxSubscriptions: number;
  maxSubscriptionTokens: number;
  maxPayloadBytes: number;
  maxPendingBytes: number;
  maxControlLineBytes: number;
  maxClosedClients: number;
  pingIntervalMs: number;
  pingMax: number;
  writeDeadlineMs: number;
  lameDuckDurationMs: number;
  lameDuckGraceMs: number;
  debug: boolean;
  trace: boolean;
  logFile: string;
  logSizeLimitBytes: number;
  logMaxFiles: number;
  logTime: boolean;
  logTimeUtc: boolean;
  pidFile: string;
  portsFileDir: string;
  serverTags: readonly string[];
  serverMetadata: Readonly<Record<string, string>>;
  featureFlags: FeatureFlags;
}> & {
  readonly jetStream: JetStreamDraft;
  readonly cluster: ClusterDraft;
  readonly security: SecurityDraft;
  /** Where an option that is checked against others was written. */
  readonly positions: Map<string, Position>;
};

export type JetStreamDraft = Draft<{
  enabled: boolean;
  storeDir: string;
  maxMemoryBytes: number;
  maxFileBytes: number;
  domain: string;
  sync: 'always' | number;
  strict: boolean;
  uniqueTag: string;
  maxAckPending: number;
  maxHaAssets: number;
  maxRequestBatch: number;
  duplicateWindowMs: number;
  batchMaxOpenPerStream: number;
  batchMaxOpen: number;
  batchMaxMsgs: number;
  batchTimeoutMs: number;
}>;

export type ClusterDraft = Draft<{
  defined: boolean;
  name: string;
  host: string;
  port: number;
  routes: readonly RouteAddress[];
  authorization: ClusterCredentials;
  advertise: string;
  noAdvertise: boolean;
  pingIntervalMs: number;
  pingMax: number;
}>;

/** What was given on the command line, to be laid over the file. */
export type FlagOverrides = Omit<OptionsDraft, 'positions'>;

export function emptyOverrides(): FlagOverrides {
  return { jetStream: {}, cluster: {}, security: emptySecurity() };
}

export function emptyDraft(): OptionsDraft {
  return { ...emptyOverrides(), positions: new Map() };
}
