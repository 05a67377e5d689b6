/**
 * Owns JetStream on this node: streams and consumers hosted here, captures and gateways for those hosted anywhere, and
 * the API. What the composition root needs to start, to watch and to stop it as one thing.
 */
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { ClusterNode } from '../../cluster/index.ts';
import { META_GROUP } from '../../raft/index.ts';
import type { BatchLimits } from '../../stream/index.ts';
import {
  Api,
  peersJson,
  replaceMember,
  replicasJson,
  replicasOf,
  type AccountLimits,
  type ServerLimits,
} from '../api/index.ts';
import type { TurnEnd } from '../router/index.ts';
import type { Router } from '../router-types.ts';
import { AccountQuotas } from './account-quotas.ts';
import { Advisories } from './advisories.ts';
import { ApiGateway } from './api-gateway.ts';
import { ConsumerGateway } from './consumer-gateway.ts';
import { DomainGateway, domainPrefix } from './domain-gateway.ts';
import { LocalStreams } from './local-streams.ts';
import { NodeBackend } from './node-backend.ts';
import { NodeSpace } from './node-space.ts';
import { Rehoming } from './rehoming.ts';
import { StreamCaptures } from './stream-captures.ts';
import { UpstreamNetwork } from './upstream-network.ts';
import { SubmissionExchange } from './submission-exchange.ts';
import { ToldProgress } from './told-progress.ts';

export const WHOLE_API = '$JS.API.>';

export interface JetStreamServiceOptions {
  readonly cluster: ClusterNode;
  readonly router: Router;
  readonly turnEnd: TurnEnd;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** Empty: none. */
  readonly domain: string;
  /** Of the subjects that clients of consumers answer on. */
  readonly replyLayout: 'short' | 'long';
  readonly serverVersion: string;
  readonly systemAccount: string;
  /** What accounts there are, and what they may use; undefined: they have no JetStream. */
  readonly accounts: ReadonlyMap<string, AccountLimits | undefined>;
  /** Accounts that have taken the API of another one in the place of their own. */
  readonly importsApi: ReadonlySet<string>;
  /** See `ApiBackend.strict`. */
  readonly strict: boolean;
  readonly serverLimits: ServerLimits;
  readonly maxFileBytes: number;
  readonly maxMemoryBytes: number;
  /** The disk has hardly any room left. */
  readonly lowOnSpace: () => boolean;
  readonly batchLimits: Partial<BatchLimits>;
}

export class JetStreamService {
  readonly streams: LocalStreams;
  readonly api: Api;
  readonly backend: NodeBackend;
  readonly #captures: StreamCaptures;
  readonly #gateway: ApiGateway;
  readonly #consumers: ConsumerGateway;
  readonly #options: JetStreamServiceOptions;
  readonly #rehoming: Rehoming;
  readonly #space: NodeSpace;
  readonly #quotas: AccountQuotas;

  /** Attaches to the cluster, which must not have been started yet. */
  constructor(options: JetStreamServiceOptions) {
    this.#options = options;
    const { cluster, router, runtime, logger, domain, replyLayout, lowOnSpace } = options;
    const { node, clusterName } = cluster;
    const advisories = new Advisories({ ...options, node, clusterName: cluster.clustered ? clusterName : '' });
    this.streams = new LocalStreams({
      cluster,
      host: cluster.host,
      router,
      runtime,
      logger,
      domain,
      replyLayout,
      upstream: new UpstreamNetwork({ router, runtime, cluster }),
      lowOnSpace,
      quotaRefusal: (account, storage) => this.#quotas.refusal(account, storage),
      batchLimits: options.batchLimits,
      batchAbandoned: (assignment, batch, reason) => {
        advisories.batchAbandoned(assignment, batch, reason);
      },
      statusChanged: (group, status) => {
        cluster.groupStatusChanged(group, status);
        this.#consumers.leaderChanged(group);
      },
      leads: (assignment, status) => {
        if (assignment.members.length === 1) return;
        advisories.leaderElected(assignment, replicasJson(this.backend, assignment, status));
      },
      leadsConsumer: (assignment, status, consumer, replicas) => {
        const place = { backend: this.backend, assignment, view: { status, leaderSinceUs: undefined } };
        advisories.consumerLeaderElected(assignment, consumer, replicasOf(place, replicas));
      },
      losesConsumer: (assignment, status, consumer, replicas) => {
        // Among its replicas is the one that led it until now.
        const view = { status: { ...status, leader: node }, leaderSinceUs: undefined };
        const place = { backend: this.backend, assignment, view };
        advisories.consumerQuorumLost(assignment, consumer, replicasOf(place, replicas));
      },
      losesQuorum: (assignment, status) => {
        advisories.quorumLost(assignment, replicasJson(this.backend, assignment, status));
      },
    });
    const told = new ToldProgress();
    const exchange = new SubmissionExchange({
      cluster,
      localStream: (group) => this.streams.get(group)?.instance,
      told,
    });
    this.#captures = new StreamCaptures({ cluster, router, runtime, exchange, domain });
    this.#consumers = new ConsumerGateway({
      cluster,
      domain,
      router,
      turnEnd: options.turnEnd,
      runtime,
      localConsumers: (group) => this.streams.get(group)?.consumers,
    });
    this.backend = new NodeBackend({ ...options, streams: this.streams, advisories, told });
    this.api = new Api(this.backend);
    this.backend.serve(this.api);
    this.#quotas = new AccountQuotas({
      runtime,
      limits: new Map(
        [...options.accounts].flatMap(([name, limits]) => (limits === undefined ? [] : [[name, limits]])),
      ),
      usedHere: (account) => this.backend.localUsage(account),
      usedAnywhere: (account) => this.backend.accountUsage(account),
    });
    this.#rehoming = this.#makeRehoming();
    this.#space = new NodeSpace({
      ...options,
      streams: this.streams,
      outOfSpace: () => {
        advisories.outOfStorage();
      },
    });
    cluster.onLeaderChange((group, leader) => {
      if (group !== META_GROUP) return;
      this.#rehoming.review();
      const status = cluster.metaStatus();
      if (leader !== node || status === undefined || !cluster.clustered) return;
      const voters = status.voters.filter((voter) => !cluster.catalogue.wasRemoved(voter));
      advisories.domainLeaderElected(peersJson(this.backend, voters, status));
    });
    const consumers = this.#consumers;
    this.#gateway = new ApiGateway({
      api: this.api,
      backend: this.backend,
      cluster,
      router,
      runtime,
      logger,
      advisories,
      consumers,
      captures: this.#captures,
      told,
    });
  }

  #makeRehoming(): Rehoming {
    const { cluster, runtime, logger } = this.#options;
    const { backend } = this;
    return new Rehoming({
      runtime,
      catalogue: cluster.catalogue,
      leadsMeta: () => cluster.metaStatus()?.ready === true,
      replace: async (assignment, node) => {
        const { account, name: stream } = assignment;
        try {
          const replaced = await replaceMember(backend, assignment, node);
          const reason = replaced.ok ? undefined : replaced.error.description;
          logger.info({ account, stream, node, reason }, replaced.ok ? 'stream.rehomed' : 'stream.notRehomed');
        } catch (error) {
          logger.debug({ account, stream, node, reason: String(error) }, 'stream.notRehomed');
        }
      },
    });
  }

  /** Ends what this node does of its own accord, before it stops. */
  stop(): void {
    this.#rehoming.stop();
    for (const { consumers } of this.streams.all()) consumers.serverStopping();
    this.#space.stop();
    this.#quotas.stop();
  }

  /** Opens what the catalogue assigns to this node, and captures what streams anywhere capture. */
  start(): void {
    const { router, domain, importsApi } = this.#options;
    for (const account of this.#options.accounts.keys()) {
      if (!importsApi.has(account)) router.addService(account, WHOLE_API, this.#gateway);
      router.addService(account, '$JS.ACK.>', this.#consumers);
      router.addService(account, '$JS.FC.>', this.#consumers);
      if (domain !== '') router.addService(account, `${domainPrefix(domain)}>`, new DomainGateway(router, domain));
    }
    this.streams.start();
    this.#captures.start();
    this.#rehoming.start();
    this.#space.start();
    this.#quotas.start();
    this.backend.start();
  }
}
