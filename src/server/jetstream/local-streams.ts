/**
 * Owns the streams that live on this node: opens their groups as the catalogue says, hands them configuration changes,
 * and removes what the catalogue has deleted.
 */
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { ClusterNode, StreamAssignment } from '../../cluster/index.ts';
import { createConsumers, type ConsumerSet } from '../../consumer/index.ts';
import type { GroupId, GroupStatus, RaftHost, StateMachine, Term } from '../../raft/index.ts';
import { createStream, type StreamConfig, type StreamInstance } from '../../stream/index.ts';
import type { Router } from '../router-types.ts';
import { RouterOutlet } from './consumer-outlet.ts';
import { Republisher } from './republisher.ts';
import { SpaceGuard } from './space-guard.ts';

/** Groups opened at the same time while a node starts: enough to keep the disk busy, few enough to serve meanwhile. */
const OPENING_AT_ONCE = 8;

export interface LocalStream {
  readonly assignment: StreamAssignment;
  readonly instance: StreamInstance;
  readonly consumers: ConsumerSet;
}

interface Options {
  readonly cluster: ClusterNode;
  readonly host: RaftHost;
  readonly router: Router;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly domain: string;
  /** The disk has hardly any room left. */
  readonly lowOnSpace: () => boolean;
  /** A group's status changed on this node. */
  readonly statusChanged: (group: GroupId, status: GroupStatus) => void;
  /** This node leads the stream from now on, and is ready to. */
  readonly leads: (assignment: StreamAssignment, status: GroupStatus) => void;
}

export class LocalStreams {
  readonly #options: Options;
  readonly #open = new Map<GroupId, LocalStream>();
  readonly #waiting: StreamAssignment[] = [];
  /** Looked at again whenever the group's status or configuration moved. */
  readonly #watchers = new Map<GroupId, Set<() => void>>();
  #opening = 0;
  readonly #space: SpaceGuard;

  constructor(options: Options) {
    this.#options = options;
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
    const { catalogue } = this.#options.cluster;
    for (const account of catalogue.accounts()) {
      for (const assignment of catalogue.streams(account)) this.#assigned(assignment);
    }
    this.#options.cluster.onCatalogueChange(({ previous, current }) => {
      if (current === undefined) this.#deleted(previous!);
      else if (previous === undefined || previous.group !== current.group) this.#assigned(current);
      else this.#changed(current);
    });
  }

  get(group: GroupId): LocalStream | undefined {
    return this.#open.get(group);
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

  #assigned(assignment: StreamAssignment): void {
    if (!assignment.members.includes(this.#options.cluster.node)) return;
    this.#waiting.push(assignment);
    this.#openNext();
  }

  #openNext(): void {
    while (this.#opening < OPENING_AT_ONCE) {
      const assignment = this.#waiting.shift();
      if (assignment === undefined) return;
      this.#opening++;
      this.#openOne(assignment)
        .catch((error: unknown) => {
          const { account, name, group } = assignment;
          this.#options.logger.error({ account, stream: name, group, error: String(error) }, 'stream not opened');
        })
        .finally(() => {
          this.#opening--;
          this.#openNext();
        });
    }
  }

  async #openOne(assignment: StreamAssignment): Promise<void> {
    const { host, cluster } = this.#options;
    if (cluster.catalogue.streamOfGroup(assignment.group) === undefined) return;
    await host.openGroup({
      id: assignment.group,
      name: assignment.groupName,
      storage: assignment.storage,
      bootstrap: { voters: assignment.members, learners: [], firstLeader: assignment.firstLeader },
      machine: (group) => this.#createStream(assignment, group),
    });
    const current = cluster.catalogue.streamOfGroup(assignment.group);
    if (current === undefined) this.#deleted(assignment);
    else this.#changed(current);
  }

  #createStream(assignment: StreamAssignment, group: Parameters<typeof createStream>[0]['group']): StateMachine {
    const { runtime, router, domain } = this.#options;
    const logger = this.#options.logger.child({ account: assignment.account, stream: assignment.name });
    const outlet = new RouterOutlet(router, assignment.account);
    let consumers: ConsumerSet | undefined;
    let ledTerm: Term | undefined;
    const instance = createStream({
      account: assignment.account,
      config: assignment.config as unknown as StreamConfig,
      revision: assignment.revision,
      createdUs: assignment.createdUs,
      domain,
      group,
      runtime,
      logger,
      createExtension: (host) => (consumers = createConsumers(host, { runtime, outlet, logger, domain })),
      watcher: new Republisher({ router, runtime, account: assignment.account, config: () => instance.config }),
      mayStore: () => assignment.storage === 'memory' || this.#space.mayStore(assignment.group),
      events: {
        statusChanged: (status) => {
          this.#options.statusChanged(assignment.group, status);
          if (status.ready) this.#configureIfBehind(assignment.group);
          if (status.ready && status.role === 'leader' && status.term !== ledTerm) {
            ledTerm = status.term;
            this.#options.leads(assignment, status);
          }
          this.#wake(assignment.group);
        },
      },
    });
    this.#open.set(assignment.group, { assignment, instance, consumers: consumers! });
    return instance;
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

  #deleted(assignment: StreamAssignment): void {
    const waiting = this.#waiting.findIndex(({ group }) => group === assignment.group);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    this.#open.get(assignment.group)?.consumers.streamDeleted();
    this.#open.delete(assignment.group);
    const { host, cluster } = this.#options;
    if (host.group(assignment.group) === undefined) return;
    cluster.groupClosed(assignment.group);
    host.destroyGroup(assignment.group).catch((error: unknown) => {
      this.#options.logger.error({ group: assignment.group, error: String(error) }, 'stream not removed');
    });
  }
}
