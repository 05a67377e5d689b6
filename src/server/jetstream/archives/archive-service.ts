/**
 * Owns the archives that are being sent and received on this node. A stream that is being restored belongs to the meta
 * leader that began it: whoever becomes meta leader deletes those that it finds half done.
 */
import type { Logger } from '../../../base/logger.ts';
import type { Runtime } from '../../../base/runtime.ts';
import type { ClusterNode, StreamAssignment } from '../../../cluster/index.ts';
import { META_GROUP, type GroupId } from '../../../raft/index.ts';
import type { StreamConfig } from '../../../stream/index.ts';
import type { ApiBackend, LocalStream, RestoreRequest, SnapshotRequest } from '../../api/index.ts';
import type { Router } from '../../router-types.ts';
import type { Advisories } from '../advisories.ts';
import type { LocalStreams } from '../local-streams.ts';
import { RestoreSession } from './restore-session.ts';
import { RestoreTarget } from './restore-target.ts';
import { SnapshotSession } from './snapshot-session.ts';

/** How soon a stream whose restore failed is tried to be deleted again. */
const CLEANING_RETRY_MS = 500;

export interface ArchiveServiceOptions {
  readonly cluster: ClusterNode;
  readonly router: Router;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly streams: LocalStreams;
  readonly advisories: Advisories;
  readonly backend: ApiBackend;
}

export class ArchiveService {
  readonly #options: ArchiveServiceOptions;
  readonly #target: RestoreTarget;
  /** Restores under way, by their stream's group. */
  readonly #restores = new Map<GroupId, RestoreSession>();

  constructor(options: ArchiveServiceOptions) {
    this.#options = options;
    this.#target = new RestoreTarget(options);
  }

  /** From here on, half restored streams are cleaned up. */
  start(): void {
    const { cluster } = this.#options;
    cluster.onLeaderChange((group, leader) => {
      if (group !== META_GROUP) return;
      if (leader === cluster.node) this.#clean();
      else for (const session of this.#restores.values()) session.abandon('the restore was begun by another leader');
    });
    if (cluster.metaStatus()?.leader === cluster.node) this.#clean();
  }

  send(local: LocalStream & { readonly account: string }, request: SnapshotRequest): void {
    const { router, runtime, advisories, logger } = this.#options;
    const { account, stream } = local;
    const session = new SnapshotSession({ router, runtime, account, local, request, id: advisories.newId() });
    const startUs = runtime.wallUs();
    advisories.snapshotCreated(account, stream.config.name, stream.state());
    session
      .run()
      .then((problem) => {
        advisories.snapshotCompleted(account, stream.config.name, { startUs, problem });
      })
      .catch((error: unknown) => {
        logger.error({ stream: stream.config.name, error: String(error) }, 'stream.snapshot_failed');
      });
  }

  receive(assignment: StreamAssignment, request: RestoreRequest): string {
    const { router, runtime, advisories, logger } = this.#options;
    const { account, name, group } = assignment;
    const deliverSubject = `$JS.SNAPSHOT.RESTORE.${name}.${advisories.newId()}`;
    const startUs = runtime.wallUs();
    const ended = (problem: string | undefined, bytes: number): void => {
      this.#restores.delete(group);
      advisories.restoreCompleted(account, name, { startUs, bytes });
      if (problem === undefined) return;
      logger.warn({ account, stream: name, problem }, 'stream.restore_failed');
      this.#clean();
    };
    const session = new RestoreSession({
      router,
      runtime,
      target: this.#target,
      assignment,
      request,
      deliverSubject,
      ended,
    });
    this.#restores.set(group, session);
    advisories.restoreCreated(account, name);
    return deliverSubject;
  }

  /** Deletes the streams that nobody will complete. */
  #clean(): void {
    const { cluster, runtime } = this.#options;
    const abandoned = this.#abandoned();
    if (abandoned.length === 0 || cluster.metaStatus()?.leader !== cluster.node) return;
    const deletions = abandoned.map(({ account, name }) => cluster.change({ kind: 'deleteStream', account, name }));
    // A leader that is not ready yet, or no longer is, refuses: then it is tried again, by whoever leads.
    void Promise.allSettled(deletions).then((results) => {
      if (results.every(({ status }) => status === 'fulfilled')) return;
      runtime.after(CLEANING_RETRY_MS, () => {
        this.#clean();
      });
    });
  }

  #abandoned(): StreamAssignment[] {
    const { catalogue } = this.#options.cluster;
    return catalogue
      .accounts()
      .flatMap((account) => catalogue.streams(account))
      .filter(({ config, group }) => isRestoring(config) && !this.#restores.has(group));
  }
}

export function isRestoring(config: StreamAssignment['config']): boolean {
  return (config as Partial<StreamConfig>).restoring === true;
}
