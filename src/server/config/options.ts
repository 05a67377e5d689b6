/** Owns what a server is configured with, after file, flags and defaults were put together. Frozen; read once. */

export interface ServerOptions {
  /** Undefined: the server id serves as the name. */
  readonly serverName: string | undefined;
  readonly host: string;
  /** -1: any free port. */
  readonly port: number;
  /** `host:port` or `host` told to clients and peers instead of the listener's. */
  readonly clientAdvertise: string | undefined;
  readonly monitoring: MonitoringOptions | undefined;
  readonly jetStream: JetStreamOptions | undefined;
  readonly cluster: ClusterOptions | undefined;
  readonly security: SecurityOptions;

  /** -1: unlimited. */
  readonly maxConnections: number;
  /** Per connection; 0: unlimited. */
  readonly maxSubscriptions: number;
  /** Tokens of a subscription's subject; 0: unlimited. */
  readonly maxSubscriptionTokens: number;
  readonly maxPayloadBytes: number;
  /** Bytes that may wait for a client before it counts as a slow consumer. */
  readonly maxPendingBytes: number;
  readonly maxControlLineBytes: number;
  /** Closed connections remembered for `/connz?state=closed`. */
  readonly maxClosedClients: number;
  readonly pingIntervalMs: number;
  readonly pingMax: number;
  readonly writeDeadlineMs: number;
  readonly lameDuckDurationMs: number;
  readonly lameDuckGraceMs: number;

  readonly log: LogOptions;
  readonly pidFile: string | undefined;
  readonly portsFileDir: string | undefined;
  /** `key:value` words, for placement and filters. */
  readonly serverTags: readonly string[];
  readonly serverMetadata: Readonly<Record<string, string>>;
  readonly featureFlags: FeatureFlags;

  readonly configFile: string | undefined;
  /** `sha256:<hex>` of the file (includes not counted); empty without one. */
  readonly configDigest: string;
}

/** Who may connect, and as part of which account. */
export interface SecurityOptions {
  /** The global and the system account are always among them. */
  readonly accounts: readonly AccountOptions[];
  readonly systemAccount: string;
  /** The secret that stands for the global account. */
  readonly token: string | undefined;
  /**
   * What becomes of clients without credentials: `anybody`, nothing is configured and credentials are not looked at;
   * `global`, they belong to the global account; `user`, they are that user; `nobody`, they are refused.
   */
  readonly anonymous:
    { readonly kind: 'anybody' | 'global' | 'nobody' } | { readonly kind: 'user'; readonly user: string };
  /** How long a client may take to say who it is. */
  readonly timeoutMs: number;
}

export interface AccountOptions {
  readonly name: string;
  readonly users: readonly UserOptions[];
  /** Undefined: the account has no JetStream. */
  readonly jetStream: AccountJetStreamOptions | undefined;
  /** -1: the server's. */
  readonly maxPayloadBytes: number;
  readonly maxSubscriptions: number;
  readonly exports: readonly ExportOptions[];
  readonly imports: readonly ImportOptions[];
}

/** What an account offers to others. */
export interface ExportOptions {
  readonly kind: 'stream' | 'service';
  readonly subject: string;
  /** Undefined: everybody. */
  readonly accounts: readonly string[] | undefined;
  readonly response: ServiceResponse;
  /** The token of the subject, counted from 1, that must name the importing account; 0: none. */
  readonly accountTokenPosition: number;
}

/** How a service answers: how often, and how long it may take for the next answer. */
export interface ServiceResponse {
  readonly type: 'singleton' | 'stream' | 'chunked';
  readonly timeoutMs: number;
}

/** What an account takes from another: messages published there, or a service that answers there. */
export type ImportOptions = {
  /** The exporting account. */
  readonly account: string;
  /** There. Wildcards are `*` and `>`. */
  readonly subject: string;
  /** The same here: where wildcards stand, and for which of those there. */
  readonly local: string;
  /** The local subject as a mapping of the one there, and the other way round. */
  readonly localMapping: string;
  readonly remoteMapping: string;
} & (
  | { readonly kind: 'stream' }
  | {
      readonly kind: 'service';
      /** The service hears who asks. */
      readonly share: boolean;
      readonly response: ServiceResponse;
    }
);

/** Under the names that they have in the file. */
export interface FeatureFlags {
  /** Acks and flow control are asked for under subjects that name domain and account. */
  readonly js_ack_fc_v2: boolean;
}

export interface UserOptions {
  /** Unique across all accounts. */
  readonly user: string;
  /** As it stands, or a bcrypt hash of it. */
  readonly password: string;
}

/** What an account may use; -1 is unlimited. */
export interface AccountJetStreamOptions {
  readonly maxMemoryBytes: number;
  readonly maxStorageBytes: number;
  readonly maxStreams: number;
  /** Per stream. */
  readonly maxConsumers: number;
  readonly maxAckPending: number;
  readonly memoryMaxStreamBytes: number;
  readonly storageMaxStreamBytes: number;
  readonly maxBytesRequired: boolean;
}

export interface MonitoringOptions {
  readonly host: string;
  /** -1: any free port. */
  readonly port: number;
  /** Empty, or `/prefix` without a slash at its end. */
  readonly basePath: string;
}

export interface JetStreamOptions {
  /** Where everything durable lives: the configured directory with `jetstream` appended. */
  readonly storeDir: string;
  /** No directory was configured: what is stored may not survive a reboot. */
  readonly storeDirIsTemporary: boolean;
  /** Undefined: a share of the machine's memory, or of the disk's free space at start (see `storage-budget.ts`). */
  readonly maxMemoryBytes: number | undefined;
  readonly maxFileBytes: number | undefined;
  readonly domain: string | undefined;
  /** `always`: an acknowledged message is on disk. A number relaxes that to one fsync per so many milliseconds. */
  readonly sync: 'always' | number;
  /** API requests with unknown fields are refused. */
  readonly strict: boolean;
  /** Prefix of the server tag in which replicas of one stream must differ. */
  readonly uniqueTag: string | undefined;
  readonly limits: JetStreamLimits;
}

/** 0: unlimited. */
export interface JetStreamLimits {
  readonly maxAckPending: number;
  readonly maxHaAssets: number;
  readonly maxRequestBatch: number;
  readonly duplicateWindowMs: number;
  /** Of atomic batches; zero stands for the default. */
  readonly batch: {
    readonly maxOpenPerStream: number;
    readonly maxOpen: number;
    readonly maxMsgs: number;
    readonly timeoutMs: number;
  };
}

export interface ClusterOptions {
  readonly name: string;
  readonly host: string;
  /** -1: any free port. */
  readonly port: number;
  readonly routes: readonly RouteAddress[];
  /** What peers must present; undefined: nothing. */
  readonly authorization: ClusterCredentials | undefined;
  /** `host:port` told to other servers instead of the listener's. */
  readonly advertise: string | undefined;
  /** Clients are not told about the cluster's other servers. */
  readonly noAdvertise: boolean;
  readonly pingIntervalMs: number;
  readonly pingMax: number;
}

export interface ClusterCredentials {
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
}

/** A peer to join the cluster through. */
export interface RouteAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export interface LogOptions {
  /** Undefined: stderr. */
  readonly file: string | undefined;
  /** Above it the file is set aside under another name; 0: never. */
  readonly sizeLimitBytes: number;
  /** Files set aside that are kept, the current one included; 0: all. */
  readonly maxFiles: number;
  readonly time: boolean;
  readonly timeUtc: boolean;
  readonly debug: boolean;
  readonly trace: boolean;
}
