/**
 * Owns one server from start to end: builds its parts in the order in which they depend on each other, starts them in the
 * order in which others may see them, and stops them the other way round.
 */
import { join } from 'node:path';
import { API_LEVEL } from '../base/api-level.ts';
import type { NodeId } from '../base/brand.ts';
import { SystemRuntime, type Runtime } from '../base/runtime.ts';
import { createCluster, createLinks, fileState, type ClusterNode, TRAFFIC, type Links } from '../cluster/index.ts';
import { createRaftHost, openNodeStorage, type NodeStorage, type RaftHost, type RaftTransport } from '../raft/index.ts';
import { COMPATIBLE_VERSION, ownVersion, writePortsFile } from './cli/index.ts';
import { clientUrls } from './client-urls.ts';
import {
  type ImportOptions,
  planReload,
  storageBudget,
  type LoadedOptions,
  type ServerOptions,
} from './config/index.ts';
import type { ConnectionLimits } from './connection-context.ts';
import { createFrontEnd, type FrontEnd } from './front-end.ts';
import { createAuthenticator } from './password-authenticator.ts';
import { createServerIdentity, type ServerIdentity } from './identity.ts';
import { JetStreamService, WHOLE_API } from './jetstream/jetstream-service.ts';
import type { ServerLog, ServerLogger } from './log.ts';
import { ServerMetrics } from './metrics.ts';
import { MonitoringEndpoints, MonitoringServer } from './monitoring/index.ts';
import { connectUrls, createMonitoringSources, type RunningJetStream } from './node-sources.ts';
import type { ServerInfo } from './protocol/index.ts';

/** Name of a server that was given none: its store must know it again. */
const UNNAMED = 'standalone';
/** In the store's directory: what the cluster layer must not forget. */
const NODE_STATE_FILE = 'cluster-state';
/** A lone server sends nothing to anybody. */
const NO_TRANSPORT: RaftTransport = { send: () => undefined, pendingBytes: () => 0 };

export class Server {
  readonly #log: ServerLog;
  readonly #logger: ServerLogger;
  readonly #program: string;
  readonly #runtime: Runtime = new SystemRuntime();
  readonly #identity: ServerIdentity = createServerIdentity();
  readonly #metrics = new ServerMetrics();
  readonly #startedUs: number;
  #options: ServerOptions;
  #configLoadedUs: number;
  readonly #frontEnd: FrontEnd;
  #monitoring: MonitoringServer | undefined;
  #jetStream: (RunningJetStream & { readonly storage: NodeStorage }) | undefined;
  #listening = false;
  #lameDuck = false;
  #stopping: Promise<void> | undefined;
  #removePortsFile: (() => void) | undefined;
  readonly #fatal: (error: Error) => void;

  /** `fatal`: the server can't go on, and nothing it says may be trusted any more; the process is to end at once. */
  constructor(parts: {
    readonly options: ServerOptions;
    readonly program: string;
    readonly log: ServerLog;
    readonly fatal: (error: Error) => void;
  }) {
    this.#options = parts.options;
    this.#program = parts.program;
    this.#log = parts.log;
    this.#logger = parts.log.logger;
    this.#fatal = parts.fatal;
    this.#startedUs = this.#configLoadedUs = this.#runtime.wallUs();
    this.#frontEnd = createFrontEnd({
      runtime: this.#runtime,
      logger: this.#logger,
      limits: connectionLimits(parts.options),
      authenticator: createAuthenticator(parts.options.security),
      serverInfo: (port) => this.#serverInfo(port),
      host: parts.options.host,
      port: Math.max(0, parts.options.port),
      traffic: {
        send: (node, frame) => this.#cluster?.send(node, TRAFFIC.routedMessages, frame) ?? false,
        pendingTraffic: (node) => this.#cluster?.pendingTraffic(node) ?? 0,
      },
      announce: (interest) => this.#cluster?.setInterest(interest),
    });
  }

  /** Resolves when everything listens. Rejects, with everything closed again, when something can't. */
  async start(): Promise<void> {
    const { options } = this;
    this.#logger.info({}, `Starting ${this.#program}`);
    this.#logger.info({}, `  Version:  ${ownVersion()} (compatible with nats-server ${COMPATIBLE_VERSION})`);
    this.#logger.info({}, `  Name:     ${this.#serverName}`);
    this.#logger.info({}, `  ID:       ${this.#identity.serverId}`);
    await this.#startMonitoring();
    if (options.jetStream !== undefined || options.cluster !== undefined) await this.#startJetStream();
    else this.#shareSubjects();
    await this.#frontEnd.listen();
    this.#listening = true;
    this.#logger.info({}, `Listening for client connections on ${options.host}:${this.#frontEnd.port}`);
    this.#cluster?.setClientUrls(this.#clientUrls());
    this.#writePortsFile();
    this.#logger.info({}, 'Server is ready');
  }

  get options(): ServerOptions {
    return this.#options;
  }

  /** Ends everything in order; leaderships move first, so that others go on without an election. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  get inLameDuck(): boolean {
    return this.#lameDuck;
  }

  /** Sends clients away gently, then stops. */
  async lameDuck(): Promise<void> {
    if (this.#lameDuck) return;
    this.#lameDuck = true;
    this.#listening = false;
    this.#logger.info({}, 'Entering lame duck mode, stop accepting new clients');
    await this.#transferLeaderships();
    const { lameDuckGraceMs, lameDuckDurationMs } = this.#options;
    await this.#frontEnd.lameDuck({ graceMs: lameDuckGraceMs, durationMs: lameDuckDurationMs });
    await this.stop();
  }

  /** Takes over what the configuration file now says, all of it or nothing. */
  reload(read: () => LoadedOptions): void {
    try {
      const { options } = read();
      const plan = planReload(this.#options, options);
      if (plan.kind === 'refuse') throw new Error(plan.reason);
      this.#log.configure(options.log);
      this.#frontEnd.setLimits(connectionLimits(options));
      this.#options = options;
      this.#configLoadedUs = this.#runtime.wallUs();
      for (const { option, value } of plan.changes) this.#logger.info({}, `Reloaded: ${option} = ${value}`);
      this.#logger.info({}, `Reloaded server configuration (${options.configDigest})`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.error({}, `Failed to reload server configuration: ${reason}`);
    }
  }

  get #cluster(): ClusterNode | undefined {
    return this.#jetStream?.cluster;
  }

  get #serverName(): string {
    return this.#options.serverName ?? this.#identity.serverId;
  }

  #clientUrls(): string[] {
    const { host, clientAdvertise } = this.#options;
    return clientUrls({ host, port: this.#frontEnd.port, advertise: clientAdvertise });
  }

  #serverInfo(port: number): ServerInfo {
    const { host, cluster, jetStream } = this.#options;
    const urls = connectUrls(this.#cluster, this.#options);
    // Own addresses first; in lame duck mode they are not to be used any more.
    const own = new Set(this.#clientUrls());
    const others = urls.filter((url) => !own.has(url));
    return {
      serverId: this.#identity.serverId,
      serverName: this.#serverName,
      version: COMPATIBLE_VERSION,
      runtimeVersion: process.version,
      host,
      port,
      jetstream: jetStream !== undefined,
      cluster: cluster?.name,
      domain: jetStream?.domain,
      xkey: this.#identity.curveKey,
      apiLevel: API_LEVEL,
      connectUrls: this.#lameDuck || urls.length === 0 ? others : [...own, ...others],
      lameDuck: this.#lameDuck,
    };
  }

  async #startMonitoring(): Promise<void> {
    const { monitoring } = this.#options;
    if (monitoring === undefined) return;
    const sources = createMonitoringSources({
      logger: this.#logger,
      runtime: this.#runtime,
      identity: {
        serverId: this.#identity.serverId,
        serverName: this.#serverName,
        version: COMPATIBLE_VERSION,
        startedUs: this.#startedUs,
      },
      frontEnd: this.#frontEnd,
      options: () => this.#options,
      configLoadedUs: () => this.#configLoadedUs,
      monitoringPort: () => this.#monitoring?.port ?? 0,
      listening: () => this.#listening,
      jetStream: () => this.#jetStream,
    });
    const endpoints = new MonitoringEndpoints(sources, this.#metrics);
    this.#monitoring = new MonitoringServer(endpoints, monitoring.basePath, this.#logger);
    await this.#monitoring.listen(monitoring);
    this.#logger.info({}, `Starting http monitor on ${monitoring.host}:${this.#monitoring.port}`);
  }

  async #startJetStream(): Promise<void> {
    const { options } = this;
    const node = (options.serverName ?? UNNAMED) as NodeId;
    const clusterName = options.cluster?.name ?? '';
    const parts = { node, clusterName, runtime: this.#runtime, logger: this.#logger };
    const directory = options.jetStream!.storeDir;
    const links = await this.#createLinks(parts);
    const storage = await openNodeStorage({
      ...parts,
      directory,
      bootstrap: true,
      syncInterval: options.jetStream!.sync,
    });
    if (options.jetStream!.sync !== 'always') {
      this.#logger.warn({ intervalMs: options.jetStream!.sync }, 'Acknowledged messages may be lost on power failure');
    }
    const host = createRaftHost({
      ...parts,
      transport: links?.raft ?? NO_TRANSPORT,
      storage,
      metrics: this.#metrics,
      onFatal: this.#fatal,
    });
    const cluster = await this.#createCluster(parts, host, links);
    this.#attachRouter(cluster);
    this.#shareSubjects();
    const budget = storageBudget(options.jetStream!);
    const service = new JetStreamService({
      cluster,
      router: this.#frontEnd.router,
      turnEnd: this.#frontEnd.turnEnd,
      runtime: this.#runtime,
      logger: this.#logger,
      domain: options.jetStream!.domain ?? '',
      replyLayout: options.featureFlags.js_ack_fc_v2 ? 'long' : 'short',
      serverVersion: COMPATIBLE_VERSION,
      systemAccount: options.security.systemAccount,
      accounts: new Map(options.security.accounts.map(({ name, jetStream }) => [name, jetStream])),
      importsApi: new Set(
        options.security.accounts.flatMap(({ name, imports }) => (imports.some(isWholeApi) ? [name] : [])),
      ),
      strict: options.jetStream!.strict,
      serverLimits: {
        maxDuplicateWindowMs: options.jetStream!.limits.duplicateWindowMs,
        maxAckPending: options.jetStream!.limits.maxAckPending,
        maxRequestBatch: options.jetStream!.limits.maxRequestBatch,
      },
      lowOnSpace: () => storage.lowOnSpace,
      ...budget,
      batchLimits: options.jetStream!.limits.batch,
    });
    const clusterPort = options.cluster?.port;
    this.#jetStream = { cluster, service, budget, clusterPort, storage };
    await cluster.start();
    service.start();
  }

  #createLinks(parts: ClusterParts): Promise<Links | undefined> {
    const { cluster } = this.#options;
    if (cluster === undefined) return Promise.resolve(undefined);
    const credentials = cluster.authorization;
    return createLinks({
      ...parts,
      listen: { host: cluster.host, port: Math.max(0, cluster.port) },
      secret: credentials && `${credentials.user}:${credentials.password}`,
    });
  }

  #createCluster(parts: ClusterParts, host: RaftHost, links: Links | undefined): Promise<ClusterNode> {
    const { cluster, jetStream, serverTags } = this.#options;
    const placementRules = {
      uniqueTag: jetStream?.uniqueTag ?? '',
      maxReplicated: jetStream?.limits.maxHaAssets ?? 0,
    };
    const common = { ...parts, host, version: ownVersion(), clientUrls: [], tags: serverTags, placementRules };
    if (links === undefined || cluster === undefined) return createCluster(common);
    return createCluster({
      ...common,
      peers: {
        links,
        routes: cluster.routes.map((route) => `${route.host}:${route.port}`),
        advertise: cluster.advertise,
        listenHost: cluster.host,
        jetstream: jetStream !== undefined,
        state: fileState(join(jetStream!.storeDir, NODE_STATE_FILE)),
        fatal: this.#fatal,
      },
    });
  }

  /** Interest and messages go both ways between the subject router and other nodes. */
  #attachRouter(cluster: ClusterNode): void {
    const { router, turnEnd } = this.#frontEnd;
    cluster.onInterestDue(() => {
      turnEnd.flushFirst();
    });
    cluster.onInterest((node, interest) => {
      router.remoteInterest(node, interest);
    });
    cluster.onInterestLost((node) => {
      router.remoteInterestLost(node);
    });
    cluster.onTraffic(TRAFFIC.routedMessages, (from, frame) => {
      router.remoteMessages(from, frame);
    });
    cluster.onNodesChange(() => {
      if (this.#listening) this.#frontEnd.broadcastInfo();
    });
  }

  /** Before anybody subscribes to anything; and other nodes hear of it only if they can be told. */
  #shareSubjects(): void {
    for (const { name, imports } of this.#options.security.accounts) {
      for (const imported of imports) this.#frontEnd.router.addImport(name, imported);
    }
  }

  #writePortsFile(): void {
    const { portsFileDir, host, monitoring, cluster } = this.#options;
    if (portsFileDir === undefined) return;
    const url = (scheme: string, at: string, port: number): string =>
      `${scheme}://${at === '0.0.0.0' ? '127.0.0.1' : at}:${port}`;
    this.#removePortsFile = writePortsFile(portsFileDir, this.#program, {
      nats: [url('nats', host, this.#frontEnd.port)],
      ...(this.#monitoring && { monitoring: [url('http', monitoring!.host, this.#monitoring.port)] }),
      ...(cluster && { cluster: [url('nats', cluster.host, cluster.port)] }),
    });
  }

  async #transferLeaderships(): Promise<void> {
    const groups = [...(this.#cluster?.host.groups() ?? [])].filter(({ status }) => status.role === 'leader');
    await Promise.all(groups.map((group) => group.transferLeadership()));
  }

  async #stop(): Promise<void> {
    this.#logger.info({}, 'Initiating Shutdown...');
    this.#listening = false;
    const running = this.#jetStream;
    if (running !== undefined) {
      running.service.stop();
      await running.cluster.host.shutdown({ transferLeaderships: running.cluster.clustered });
      await running.cluster.stop();
      await running.storage.close();
    }
    await this.#frontEnd.close();
    await this.#monitoring?.close();
    this.#metrics.close();
    this.#removePortsFile?.();
    this.#logger.info({}, 'Server Exiting..');
  }
}

/** An account that has all of another's JetStream in the place of its own. */
function isWholeApi({ kind, local }: ImportOptions): boolean {
  return kind === 'service' && local === WHOLE_API;
}

interface ClusterParts {
  readonly node: NodeId;
  readonly clusterName: string;
  readonly runtime: Runtime;
  readonly logger: ServerLogger;
}

function connectionLimits(options: ServerOptions): Partial<ConnectionLimits> {
  return {
    maxPayload: options.maxPayloadBytes,
    maxControlLine: options.maxControlLineBytes,
    maxPending: options.maxPendingBytes,
    maxConnections: options.maxConnections === -1 ? Number.MAX_SAFE_INTEGER : options.maxConnections,
    maxSubscriptions: options.maxSubscriptions,
    pingIntervalMs: options.pingIntervalMs,
    pingMax: options.pingMax,
    writeDeadlineMs: options.writeDeadlineMs,
    maxClosedClients: options.maxClosedClients,
  };
}
