/**
 * Owns the streams that live on this node: opens their groups as the catalogue says, hands them configuration changes,
 * and removes what the catalogue has deleted.
 */
import type { NodeId, TimestampUs } from '../../base/brand.ts';
import { INSUFFICIENT_RESOURCES, type ApiError } from '../../base/api-errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import { HeldGroups, type ClusterNode, type StreamAssignment } from '../../cluster/index.ts';
import { createConsumers, type ConsumerSet } from '../../consumer/index.ts';
import type { GroupId, GroupStatus, RaftHost, StateMachine, Term } from '../../raft/index.ts';
import {
  BatchBudget,
  ReadBudget,
  createStream,
  type AbandonReason,
  type BatchLimits,
  type StreamConfig,
  type StreamInstance,
} from '../../stream/index.ts';
import { StreamSourcing } from '../../sourcing/index.ts';
import type { Router } from '../router-types.ts';
import { RouterOutlet } from './consumer-outlet.ts';
import { Republisher } from './republisher.ts';
import { SpaceGuard } from './space-guard.ts';
import type { UpstreamNetwork } from './upstream-network.ts';

/** Of the configuration that a stream's log begins with. */
const FIRST_REVISION = 1;

export interface LocalStream {
  readonly assignment: StreamAssignment;
  readonly instance: StreamInstance;
  readonly consumers: ConsumerSet;
  readonly sourcing: StreamSourcing;
  /** Since when this node knows the leader that it knows. */
  readonly leaderSinceUs: TimestampUs | undefined;
}

interface Options {
  readonly cluster: ClusterNode;
  readonly host: RaftHost;
  readonly router: Router;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly domain: string;
  /** Of the subjects that clients of consumers answer on. */
  readonly replyLayout: 'short' | 'long';
  /** Why streams of the account may not store any more now. */
  readonly quotaRefusal: (account: string, storage: 'file' | 'memory') => ApiError | undefined;
  readonly upstream: UpstreamNetwork;
  /** The disk has hardly any room left. */
  readonly lowOnSpace: () => boolean;
  readonly batchLimits: Partial<BatchLimits>;
  /** An atomic batch of a stream that is led here was given up. */
  readonly batchAbandoned: (assignment: StreamAssignment, batch: string, reason: AbandonReason) => void;
  /** A group's status changed on this node. */
  readonly statusChanged: (group: GroupId, status: GroupStatus) => void;
  /** This node leads the stream from now on, and is ready to. */
  readonly leads: (assignment: StreamAssignment, status: GroupStatus) => void;
  /** The same for one of its consumers, which has so many replicas. */
  readonly leadsConsumer: (
    assignment: StreamAssignment,
    status: GroupStatus,
    consumer: string,
    replicas: number,
  ) => void;
  /** A consumer with several replicas was led here, and lost them as the stream did. */
  readonly losesConsumer: Options['leadsConsumer'];
  /** This node led the stream, and gave it up because it heard from no majority of it. */
  readonly losesQuorum: (assignment: StreamAssignment, status: GroupStatus) => void;
}

export class LocalStreams {
  readonly #options: Options;
  readonly #open = new Map<GroupId, LocalStream>();
  /** Looked at again whenever the group's status or configuration moved. */
  readonly #watchers = new Map<GroupId, Set<() => void>>();
  /** Joined, or lost what they had, and were not brought up to date yet: nobody must take what they hold for the stream. */
  readonly #unreadable = new Set<GroupId>();
  readonly #leaders = new Map<GroupId, NodeId | undefined>();
  readonly #groups: HeldGroups;
  readonly #space: SpaceGuard;
  readonly #batches: BatchBudget;
  readonly #reads = new ReadBudget();

  constructor(options: Options) {
    this.#options = options;
    const { cluster, host, logger } = options;
    this.#groups = new HeldGroups({
      node: cluster.node,
      catalogue: cluster.catalogue,
      host,
      logger,
      catalogueIsCurrent: () => cluster.catalogueIsCurrent(),
      machine: (assignment, group) => this.#createStream(assignment, group),
      opened: ({ group }) => {
        const current = cluster.catalogue.streamOfGroup(group);
        if (current !== undefined) this.#changed(current);
      },
      leaving: (group) => {
        this.#open.delete(group);
        this.#unreadable.delete(group);
        this.#leaders.delete(group);
        cluster.groupClosed(group);
      },
    });
    this.#batches = new BatchBudget(options.batchLimits);
    this.#space = new SpaceGuard({
      runtime: options.runtime,
      lowOnSpace: options.lowOnSpace,
      handAway: (group) => {
        options.logger.debug({ group }, 'stream.noSpace');
        void this.#open.get(group)?.instance.transferLeadership();
      },
    });
  }

  /** From here on, what the catalogue assigns to this node is opened. */
  start(): void {
    this.#options.cluster.onCatalogueChange(({ previous, current }) => {
      if (previous !== undefined && previous.group !== current?.group) this.#deleted(previous);
      if (current === undefined) return;
      this.#changed(current);
      this.#groups.review(current.group);
    });
    void this.#groups.start();
  }

  get(group: GroupId): LocalStream | undefined {
    return this.#open.get(group);
  }

  isReadable(group: GroupId): boolean {
    return !this.#unreadable.has(group);
  }

  find(account: string, name: string): LocalStream | undefined {
    const assignment = this.#options.cluster.catalogue.stream(account, name);
    return assignment && this.#open.get(assignment.group);
  }

  all(): Iterable<LocalStream> {
    return this.#open.values();
  }

  /** Resolves once the stream is led here, ready, and has applied that revision; with undefined when time is up. */
  whenReady(group: GroupId, revision: number, timeoutMs: number): Promise<LocalStream | undefined> {
    const ready = (): LocalStream | undefined => {
      const local = this.#open.get(group);
      return local !== undefined && local.instance.status.ready && local.instance.configRevision >= revision
        ? local
        : undefined;
    };
    const now = ready();
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve) => {
      const watchers = this.#watchers.get(group) ?? new Set();
      this.#watchers.set(group, watchers);
      const finish = (local: LocalStream | undefined): void => {
        watchers.delete(look);
        if (watchers.size === 0) this.#watchers.delete(group);
        timer.cancel();
        resolve(local);
      };
      const look = (): void => {
        const local = ready();
        if (local !== undefined) finish(local);
      };
      const timer = this.#options.runtime.after(timeoutMs, () => {
        finish(undefined);
      });
      watchers.add(look);
    });
  }

  #createStream(assignment: StreamAssignment, group: Parameters<typeof createStream>[0]['group']): StateMachine {
    const { runtime, router, domain, replyLayout } = this.#options;
    const logger = this.#options.logger.child({ account: assignment.account, stream: assignment.name });
    const outlet = new RouterOutlet(router, assignment.account);
    let consumers: ConsumerSet | undefined;
    let sourcing: StreamSourcing | undefined = undefined;
    let ledTerm: Term | undefined;
    const elected = (name: string, replicas: number): void => {
      const current = this.#open.get(assignment.group)?.assignment ?? assignment;
      this.#options.leadsConsumer(current, instance.status, name, replicas);
    };
    const lost = (name: string, replicas: number): void => {
      const current = this.#open.get(assignment.group)?.assignment ?? assignment;
      this.#options.losesConsumer(current, instance.status, name, replicas);
    };
    const instance: StreamInstance & StateMachine = createStream({
      account: assignment.account,
      // Not the one in force: the log begins with the first one, and changes it where it was changed.
      config: (assignment.firstConfig ?? assignment.config) as unknown as StreamConfig,
      revision: FIRST_REVISION,
      createdUs: assignment.createdUs,
      domain,
      group,
      runtime,
      logger,
      createExtension: (host) =>
        (consumers = createConsumers(host, { runtime, outlet, logger, domain, replyLayout, elected, lost })),
      watcher: new Republisher({ router, runtime, account: assignment.account, config: () => instance.config }),
      batches: this.#batches,
      reads: this.#reads,
      refusal: () => this.#refusal(assignment),
      events: {
        configChanged: () => {
          sourcing?.configChanged();
        },
        closed: () => {
          sourcing?.close();
        },
        batchAbandoned: (batch, reason) => {
          this.#options.batchAbandoned(assignment, batch, reason);
        },
        statusChanged: (status) => {
          sourcing?.statusChanged(status);
          this.#noteView(assignment.group, status);
          this.#options.statusChanged(assignment.group, status);
          if (status.ready) this.#configureIfBehind(assignment.group);
          const current = this.#open.get(assignment.group)?.assignment ?? assignment;
          if (status.ready && status.role === 'leader' && status.term !== ledTerm) {
            ledTerm = status.term;
            this.#options.leads(current, status);
          } else if (status.term === ledTerm && this.#gaveUp(status)) {
            ledTerm = undefined;
            this.#options.losesQuorum(current, status);
            consumers?.quorumLost();
          }
          this.#wake(assignment.group);
        },
      },
    });
    const port = this.#options.upstream.portFor(assignment.account);
    sourcing = new StreamSourcing({ stream: instance, port, runtime, logger, domain });
    this.#unreadable.add(assignment.group);
    const local = { assignment, instance, consumers: consumers!, sourcing, leaderSinceUs: undefined };
    this.#open.set(assignment.group, local);
    return instance;
  }

  /** In the term in which it led, nobody has taken over from it, and it still has a vote. */
  #gaveUp({ role, leader, repairing, voters }: GroupStatus): boolean {
    return role !== 'leader' && leader === undefined && !repairing && voters.includes(this.#options.cluster.node);
  }

  #noteView(group: GroupId, { leader, role, repairing }: GroupStatus): void {
    if (role === 'learner' || repairing) this.#unreadable.add(group);
    else this.#unreadable.delete(group);
    const local = this.#open.get(group);
    if (local === undefined || this.#leaders.get(group) === leader) return;
    this.#leaders.set(group, leader);
    const leaderSinceUs = leader === undefined ? undefined : this.#options.runtime.wallUs();
    this.#open.set(group, { ...local, leaderSinceUs });
  }

  #refusal({ account, group, storage }: StreamAssignment): ApiError | undefined {
    if (storage === 'file' && !this.#space.mayStore(group)) return INSUFFICIENT_RESOURCES;
    return this.#options.quotaRefusal(account, storage);
  }

  #changed(assignment: StreamAssignment): void {
    const local = this.#open.get(assignment.group);
    if (local === undefined) return;
    this.#open.set(assignment.group, { ...local, assignment });
    this.#configureIfBehind(assignment.group);
  }

  /** The leader brings a new configuration from the catalogue into the stream's own log, where it takes effect. */
  #configureIfBehind(group: GroupId): void {
    const local = this.#open.get(group);
    if (local === undefined || !local.instance.status.ready) return;
    const { config, revision } = local.assignment;
    if (local.instance.configRevision >= revision) return;
    local.instance
      .execute({ op: 'configure', config: config as unknown as StreamConfig, revision })
      .then(() => {
        this.#wake(group);
      })
      .catch((error: unknown) => {
        // The next leader finds the stream behind the catalogue as well, and configures it then.
        this.#options.logger.debug({ group, error: String(error) }, 'stream configuration deferred');
      });
  }

  #wake(group: GroupId): void {
    const watchers = this.#watchers.get(group);
    if (watchers !== undefined) for (const look of [...watchers]) look();
  }

  #deleted({ group }: StreamAssignment): void {
    const local = this.#open.get(group);
    local?.sourcing.deleted();
    local?.consumers.streamDeleted();
    this.#open.delete(group);
    this.#groups.review(group);
  }
}
