/**
 * Owns the membership of the meta group, on its leader: takes in nodes that ask (as learners), makes learners voters
 * while there are fewer than five, and puts out those that the catalogue removed. One change at a time.
 *
 * A removed node stays a learner as long as it is connected: so it hears that its replicas were given to others, and
 * lets go of them, and its clients are served by the rest of the cluster. When it starts again it asks to be taken in.
 *
 * A node that asks with nothing stored, although the group counts it as a member, has lost its disk. It may have voted
 * or accepted entries in that life, so it must not go on under its old membership: it is taken out first, and comes
 * back as a learner that has promised nothing.
 */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import type { GroupHandle } from '../raft/index.ts';
import { MAX_META_VOTERS, type MetaGroup } from './formation-protocol.ts';
import type { MetaMember } from './meta-member.ts';

const RETRY_MS = 1000;
/** A change that waits longer than this waits for a node that has gone: others get their turn. */
const CHANGE_PATIENCE_MS = 10_000;

export interface MetaKeeperOptions {
  readonly meta: MetaMember;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly isUp: (node: NodeId) => boolean;
  readonly metaId: () => string;
}

export class MetaKeeper {
  readonly #options: MetaKeeperOptions;
  /** The end of the queue of membership changes. Never rejects. */
  #queue: Promise<unknown> = Promise.resolve();
  #reviewDue = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: MetaKeeperOptions) {
    this.#options = options;
  }

  /** For a node that has nothing stored of the group. @throws {NotLeaderError} */
  join(node: NodeId): Promise<MetaGroup> {
    return this.#inTurn(() => this.#join(node));
  }

  /** For a node that has started again with what it had stored: takes it in unless it is a member. @throws {NotLeaderError} */
  comeBack(node: NodeId): Promise<void> {
    return this.#inTurn(async () => {
      const { meta, logger } = this.#options;
      const handle = meta.leading();
      const known = [...handle.status.voters, ...handle.status.learners].includes(node);
      if (known && !meta.catalogue.wasRemoved(node)) return;
      await meta.writer.changeNode('admit', node);
      const { voters, learners } = handle.status;
      if (!known) await this.#change(handle, { voters, learners: [...learners, node] });
      logger.info({ node }, 'meta.cameBack');
      this.review();
    });
  }

  /** Removes a node from the catalogue and the meta group; false if it isn't there. @throws {NotLeaderError} */
  async remove(node: NodeId): Promise<boolean> {
    const done = await this.#options.meta.writer.changeNode('remove', node);
    this.review();
    return done;
  }

  /** Looks at the membership again: called when leadership, nodes or links have changed. */
  review(): void {
    if (this.#reviewDue || this.#stopped) return;
    this.#reviewDue = true;
    void this.#inTurn(async () => {
      this.#reviewDue = false;
      try {
        await this.#review();
      } catch (error) {
        // Another leader took over, or a quorum is missing: whoever leads then looks again.
        this.#options.logger.debug({ reason: String(error) }, 'meta.membershipUnchanged');
        this.#timer?.cancel();
        this.#timer = this.#options.runtime.after(RETRY_MS, () => {
          this.review();
        });
      }
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #join(node: NodeId): Promise<MetaGroup> {
    const { meta, logger } = this.#options;
    const handle = meta.leading();
    await meta.writer.changeNode('admit', node);
    const { voters, learners } = handle.status;
    const forgotten = voters.includes(node) || learners.includes(node);
    if (forgotten) await this.#change(handle, without(handle, [node]));
    const others = without(handle, [node]);
    await this.#change(handle, { voters: others.voters, learners: [...others.learners, node] });
    logger.info({ node, forgotten }, 'meta.joined');
    this.review();
    return { id: this.#options.metaId(), voters: [...others.voters], learners: [...others.learners, node] };
  }

  async #review(): Promise<void> {
    const { meta, isUp, logger } = this.#options;
    if (this.#stopped || meta.status?.role !== 'leader' || !meta.status.ready) return;
    const handle = meta.leading();
    const members = [...handle.status.voters, ...handle.status.learners];
    // The first members were never asked for: they are admitted now, all of them in one entry.
    const unknown = members.filter((node) => !meta.catalogue.hasNode(node) && !meta.catalogue.wasRemoved(node));
    await Promise.all(unknown.map((node) => meta.writer.changeNode('admit', node)));
    if (await this.#putOutRemoved(handle)) return;
    const { voters, learners } = handle.status;
    const promoted = [...learners].sort().find((node) => isUp(node) && !meta.catalogue.wasRemoved(node));
    if (voters.length >= MAX_META_VOTERS || promoted === undefined) return;
    await this.#change(handle, {
      voters: [...voters, promoted],
      learners: learners.filter((node) => node !== promoted),
    });
    logger.info({ node: promoted }, 'meta.promoted');
    this.review();
  }

  /** True: leadership was handed over for that, and the next leader goes on. */
  async #putOutRemoved(handle: GroupHandle): Promise<boolean> {
    const { meta, isUp, logger } = this.#options;
    const { voters, learners } = handle.status;
    const removed = meta.catalogue.removedNodes();
    const observers = removed.filter((node) => isUp(node));
    const put = removed.filter((node) => voters.includes(node) || learners.includes(node) !== observers.includes(node));
    if (put.length === 0) return false;
    if (voters.includes(meta.node) && removed.includes(meta.node)) {
      await handle.transferLeadership(voters.find((node) => isUp(node) && !removed.includes(node)));
      return true;
    }
    const others = without(handle, removed);
    await this.#change(handle, { voters: others.voters, learners: [...others.learners, ...observers] });
    logger.info({ removed: put, observers }, 'meta.removed');
    return false;
  }

  async #change(handle: GroupHandle, members: Parameters<GroupHandle['changeMembership']>[0]): Promise<void> {
    let timer: Timer | undefined;
    const patience = new Promise<never>((_resolve, reject) => {
      timer = this.#options.runtime.after(CHANGE_PATIENCE_MS, () => {
        reject(new NotLeaderError('the change of members waits for a node that is away', false));
      });
    });
    try {
      await Promise.race([handle.changeMembership(members), patience]);
    } finally {
      timer?.cancel();
    }
  }
}

function without(
  { status }: GroupHandle,
  nodes: readonly NodeId[],
): { readonly voters: readonly NodeId[]; readonly learners: readonly NodeId[] } {
  return {
    voters: status.voters.filter((node) => !nodes.includes(node)),
    learners: status.learners.filter((node) => !nodes.includes(node)),
  };
}
