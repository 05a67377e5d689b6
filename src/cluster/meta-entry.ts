/**
 * Owns how this node gets its place in the meta group, once in its life: reopens the one it has stored, forms one with
 * others (formation.ts), or joins the one that others have.
 */
import type { NodeId } from '../base/brand.ts';
import { StorageError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import { META_GROUP, type RaftHost } from '../raft/index.ts';
import { Formation } from './formation.ts';
import type { MetaGroup } from './formation-protocol.ts';
import { randomBase62 } from './group-name.ts';
import type { Membership } from './membership.ts';
import type { MetaKeeper } from './meta-keeper.ts';
import type { MetaMember } from './meta-member.ts';
import type { DurableState } from './node-state.ts';
import type { Requests } from './requests.ts';
import { StateKeeper } from './state-keeper.ts';
import { decodeJoinReply, encodeJoinReply } from './wire.ts';

const JOIN_SERVICE = 'cluster.join';
/** Of a node that has its part of the group still, and may have been removed while it was away. */
const COME_BACK_SERVICE = 'cluster.comeBack';
const JOIN_TIMEOUT_MS = 10_000;
const JOIN_RETRY_MS = 500;
const META_ID_CHARS = 16;
const NO_BODY = Buffer.alloc(0);

export interface MetaEntryOptions {
  readonly membership: Membership;
  readonly meta: MetaMember;
  readonly keeper: MetaKeeper;
  readonly requests: Requests;
  readonly runtime: Runtime;
  readonly logger: Logger;
  readonly state: DurableState;
  readonly fatal: (error: Error) => void;
  readonly host: RaftHost;
  readonly metaLeader: () => NodeId | undefined;
}

export class MetaEntry {
  readonly #options: MetaEntryOptions;
  #keeper: StateKeeper | undefined;
  #formation: Formation | undefined;
  /** Opened, or being opened: nothing else may be begun. */
  #entered = false;
  #joining = false;
  /** This process began with a stored group, and has not heard yet whether it still belongs to it. */
  #comesBack = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: MetaEntryOptions) {
    this.#options = options;
    options.requests.serve(JOIN_SERVICE, async (from) => encodeJoinReply(await options.keeper.join(from)));
    options.requests.serve(COME_BACK_SERVICE, async (from) => {
      await options.keeper.comeBack(from);
      return NO_BODY;
    });
  }

  /** @returns where other nodes were when this one ran last. @throws {StorageError} */
  async load(): Promise<Iterable<string>> {
    const { state, fatal } = this.#options;
    this.#keeper = await StateKeeper.open(state, fatal);
    return this.#keeper.state.addresses.values();
  }

  /** Takes up the stored meta group again. Without one it is now ready to form or to join. @throws {StorageError} */
  async recover(): Promise<void> {
    const { host, membership, requests, runtime, logger } = this.#options;
    const keeper = this.#keeper!;
    // It routes messages for its clients, and keeps nothing.
    if (!membership.self.jetstream) return;
    const stored = await host.storedGroups();
    if (stored.includes(META_GROUP)) {
      await this.#reopen();
      return;
    }
    this.#formation = new Formation({
      membership,
      requests,
      keeper,
      runtime,
      logger,
      formed: (group) => {
        this.#enter(group);
      },
    });
    const { formed, accepted } = keeper.state;
    // It stopped between learning that its group was formed and opening it.
    if (formed !== undefined && formed.id === accepted?.id) this.#enter(formed);
  }

  /** A node came, went or told something new. */
  reconsider(): void {
    if (this.#stopped || this.#keeper === undefined) return;
    this.#rememberAddresses(this.#keeper);
    if (this.#comesBack) void this.#comeBack();
    if (this.#entered || this.#formation === undefined) return;
    const metaId = this.#metaIdOfPeers();
    if (metaId === undefined) void this.#formation.reconsider();
    else if (this.#keeper.state.accepted?.id === metaId) this.#enter(this.#keeper.state.accepted);
    else void this.#join(metaId);
  }

  stop(): void {
    this.#stopped = true;
    this.#formation?.stop();
    this.#timer?.cancel();
  }

  /** The group stored may stem from a life as a standalone server: then it has no identity yet. */
  async #reopen(): Promise<void> {
    const { meta, membership, runtime } = this.#options;
    const keeper = this.#keeper!;
    this.#entered = true;
    const self = membership.self.node;
    await meta.open(keeper.state.formed ?? { voters: [self], learners: [] });
    if (keeper.state.formed === undefined) {
      const { voters, learners } = meta.status!;
      if (voters.length > 1 || voters[0] !== self) {
        throw new StorageError('STORAGE_IDENTITY', "the cluster's state file is missing beside a store that has one");
      }
      const id = randomBase62(META_ID_CHARS, runtime);
      await keeper.update({ formed: { id, voters: [...voters], learners: [...learners] } });
    }
    membership.present({ metaId: keeper.state.formed!.id });
    this.#comesBack = true;
  }

  /** Once per life, as soon as there is a leader to ask. */
  async #comeBack(): Promise<void> {
    const { membership, metaLeader, requests, logger } = this.#options;
    const leader = metaLeader();
    if (this.#joining || leader === undefined) return;
    this.#joining = true;
    try {
      if (leader !== membership.self.node) await requests.request(leader, COME_BACK_SERVICE, NO_BODY, JOIN_TIMEOUT_MS);
      this.#comesBack = false;
    } catch (error) {
      logger.debug({ leader, reason: String(error) }, 'meta.comeBackFailed');
      this.#retry();
    }
    this.#joining = false;
  }

  #retry(): void {
    if (this.#isStopped()) return;
    this.#timer?.cancel();
    this.#timer = this.#options.runtime.after(JOIN_RETRY_MS, () => {
      this.reconsider();
    });
  }

  /** This node accepted the group: it opens it as one of the first voters, or joins if it isn't one. */
  #enter(group: MetaGroup): void {
    if (this.#entered) return;
    if (group.voters.includes(this.#options.membership.self.node)) void this.#open(group);
    else void this.#join(group.id);
  }

  async #open(group: MetaGroup): Promise<void> {
    const { meta, membership, logger, fatal } = this.#options;
    this.#entered = true;
    this.#formation?.stop();
    try {
      await this.#keeper!.update({ formed: group });
      await meta.open(group);
    } catch (error) {
      // A node that could not open its meta group has no place in the cluster, and its disk is in doubt.
      fatal(error as Error);
      return;
    }
    membership.present({ metaId: group.id });
    logger.info({ metaId: group.id, voters: group.voters, learners: group.learners }, 'meta.opened');
  }

  /** Asks the meta leader to be taken in. Whatever this node was in a former life, nothing of it is stored here. */
  async #join(metaId: string): Promise<void> {
    const { membership, metaLeader, requests, logger } = this.#options;
    if (this.#joining || this.#entered || this.#stopped) return;
    this.#joining = true;
    const leader = metaLeader();
    if (leader !== undefined && leader !== membership.self.node) {
      try {
        const reply = await requests.request(leader, JOIN_SERVICE, NO_BODY, JOIN_TIMEOUT_MS);
        const group = decodeJoinReply(reply);
        if (group?.id === metaId && !this.#isStopped()) await this.#open(group);
      } catch (error) {
        // No quorum, another leader, a broken link: it is asked again below.
        logger.debug({ leader, reason: String(error) }, 'meta.joinFailed');
      }
    }
    this.#joining = false;
    if (!this.#isEntered()) this.#retry();
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #isEntered(): boolean {
    return this.#entered;
  }

  /** Links between members of different groups are refused, so the first one stands for all. */
  #metaIdOfPeers(): string | undefined {
    const { membership } = this.#options;
    for (const node of membership.connected()) {
      const metaId = membership.descriptionOf(node)?.metaId ?? '';
      if (metaId !== '') return metaId;
    }
    return undefined;
  }

  #rememberAddresses(keeper: StateKeeper): void {
    const { membership } = this.#options;
    const addresses = new Map<NodeId, string>();
    for (const { node, address } of membership.known().slice(1)) addresses.set(node, address);
    for (const [node, address] of keeper.state.addresses) if (!addresses.has(node)) addresses.set(node, address);
    const changed = [...addresses].some(([node, address]) => keeper.state.addresses.get(node) !== address);
    // Losing this costs nothing but a look at the routes, and a failed save has already been reported as fatal.
    if (changed) void keeper.update({ addresses }).catch(() => undefined);
  }
}
