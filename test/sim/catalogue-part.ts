/**
 * Owns one life of a node's part in the catalogue, in simulations in which streams change their members: the real meta
 * group, and the real parts that open, move and settle the streams' groups. Requests between nodes are carried by the
 * simulated network, and get lost like everything else.
 */
import type { NodeId } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import type { Logger } from '../../src/base/logger.ts';
import { CatalogueCurrency } from '../../src/cluster/catalogue-currency.ts';
import { HeldGroups } from '../../src/cluster/held-groups.ts';
import { MetaKeeper } from '../../src/cluster/meta-keeper.ts';
import { MetaMember } from '../../src/cluster/meta-member.ts';
import { Reconfigurator } from '../../src/cluster/reconfigurator.ts';
import type { RequestHandler, StreamAssignment } from '../../src/cluster/types.ts';
import { Rehoming } from '../../src/server/jetstream/rehoming.ts';
import type { SimulatedRuntime } from './virtual-time.ts';
import type { GroupHandle, GroupId, RaftHost, StateMachine } from '../../src/raft/index.ts';

const REQUEST_TIMEOUT_MS = 500;
const RETRY_MS = 50;
const REVIEW_MS = 200;
const NO_BODY = Buffer.alloc(0);

export interface CataloguePartOptions {
  readonly node: NodeId;
  readonly voters: readonly NodeId[];
  readonly host: RaftHost;
  readonly runtime: SimulatedRuntime;
  readonly logger: Logger;
  /** Both directions between the two work, and both processes run. */
  readonly isLinked: (a: NodeId, b: NodeId) => boolean;
  /** Has `task` run at `to` after a while, unless it is lost on the way. */
  readonly carry: (to: NodeId, task: (peer: CataloguePart) => void) => void;
  readonly machine: (assignment: StreamAssignment, group: GroupHandle) => StateMachine;
  readonly opened: (assignment: StreamAssignment) => void;
  readonly leaving: (group: GroupId) => void;
  /** Takes a stream away from a node that was removed. */
  readonly rehome: (part: CataloguePart, assignment: StreamAssignment, node: NodeId) => Promise<void>;
}

export class CataloguePart {
  readonly meta: MetaMember;
  readonly keeper: MetaKeeper;
  readonly #options: CataloguePartOptions;
  readonly #held: HeldGroups;
  readonly #reconfigurator: Reconfigurator;
  readonly #rehoming: Rehoming;
  readonly #handlers = new Map<string, RequestHandler>();

  constructor(options: CataloguePartOptions) {
    this.#options = options;
    const { node, host, runtime, logger, isLinked } = options;
    const isUp = (peer: NodeId): boolean => peer === node || isLinked(node, peer);
    this.meta = new MetaMember(host, {
      runtime,
      clusterName: 'simulation',
      members: () => options.voters.filter((voter) => !this.meta.catalogue.wasRemoved(voter)),
      describe: (peer) => ({ online: isUp(peer), jetstream: true, tags: [] }),
      statusChanged: () => {
        this.keeper.review();
      },
    });
    this.keeper = new MetaKeeper({ meta: this.meta, runtime, logger, isUp, metaId: () => 'meta' });
    const requests = {
      serve: (service: string, handler: RequestHandler) => void this.#handlers.set(service, handler),
      request: (to: NodeId, service: string, body: Buffer) => this.#request(to, service, body),
    };
    const currency = new CatalogueCurrency({
      runtime,
      requests,
      status: () => this.meta.status,
      leader: () => this.meta.status?.leader,
      barrier: () => this.meta.writer.barrier(),
    });
    this.#held = new HeldGroups({
      ...options,
      catalogue: this.meta.catalogue,
      catalogueIsCurrent: () => currency.whenCurrent(),
    });
    this.#reconfigurator = new Reconfigurator({
      node,
      runtime,
      logger,
      assignment: (group) => this.meta.catalogue.streamOfGroup(group),
      group: (group) => host.group(group),
      settle: async ({ account, name, generation }) => {
        const body = Buffer.from(JSON.stringify({ account, name, generation }));
        await this.#request(this.#leader(), 'settle', body);
      },
    });
    requests.serve('settle', async (_from, body) => {
      const told = JSON.parse(body.toString()) as { account: string; name: string; generation: number };
      await this.meta.writer.change({ kind: 'settleStream', ...told });
      return NO_BODY;
    });
    requests.serve('comeBack', async (from) => {
      await this.keeper.comeBack(from);
      return NO_BODY;
    });
    this.#rehoming = new Rehoming({
      runtime,
      catalogue: this.meta.catalogue,
      leadsMeta: () => this.meta.status?.ready === true,
      replace: (assignment, from) => options.rehome(this, assignment, from),
    });
    this.meta.catalogue.onChange(({ previous, current }) => {
      const { group } = (current ?? previous)!;
      this.#reconfigurator.review(group);
      this.#held.review(group);
    });
  }

  get runtime(): SimulatedRuntime {
    return this.#options.runtime;
  }

  async start(): Promise<void> {
    await this.meta.open({ voters: this.#options.voters, learners: [] });
    void this.#held.start();
    this.#rehoming.start();
    this.#comeBack();
    this.#keepReviewing();
  }

  /** Links come and go without a word here. */
  #keepReviewing(): void {
    this.keeper.review();
    this.#options.runtime.after(REVIEW_MS, () => {
      this.#keepReviewing();
    });
  }

  statusChanged(group: GroupId): void {
    this.#reconfigurator.review(group);
  }

  #leader(): NodeId {
    const leader = this.meta.status?.leader;
    if (leader === undefined) throw new NotLeaderError('there is no meta leader', true);
    return leader;
  }

  /** Until somebody has heard it: it may have been removed while it was down. */
  #comeBack(): void {
    const again = (): void =>
      void this.#options.runtime.after(RETRY_MS, () => {
        this.#comeBack();
      });
    const leader = this.meta.status?.leader;
    if (leader === undefined) again();
    else if (leader !== this.#options.node) this.#request(leader, 'comeBack', NO_BODY).catch(again);
  }

  #request(to: NodeId, service: string, body: Buffer): Promise<Buffer> {
    const { node, runtime, carry } = this.#options;
    if (to === node) return this.serve(node, service, body);
    return new Promise((resolve, reject) => {
      const timer = runtime.after(REQUEST_TIMEOUT_MS, () => {
        reject(new NotLeaderError(`${to} did not answer`, false));
      });
      carry(to, (peer) => {
        peer.serve(node, service, body).then(
          (answer) => {
            peer.#options.carry(node, () => {
              timer.cancel();
              resolve(answer);
            });
          },
          (error: unknown) => {
            peer.#options.carry(node, () => {
              timer.cancel();
              reject(new NotLeaderError(String(error), false));
            });
          },
        );
      });
    });
  }

  async serve(from: NodeId, service: string, body: Buffer): Promise<Buffer> {
    return this.#handlers.get(service)!(from, body);
  }
}
