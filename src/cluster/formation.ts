/**
 * Owns how the first nodes of a cluster agree on the one meta group, and why there can't be two.
 *
 * The value to agree upon is the group's identity and first voters; it is chosen by single-decree Paxos. Acceptors are
 * all nodes with JetStream and without a meta group, a quorum is a majority of N: the number of nodes that configurations name (the
 * largest number any connected node expects, and never fewer than are known). What a node promises and accepts is
 * durable before it is spoken. Two values would need two majorities of N, and any two have a node in common. Nodes whose
 * configurations disagree about N can break this, so a route that leads to nobody counts as a node: N errs upwards.
 * A disk that is lost takes its promises with it: if a majority loses theirs while all others are away, it forms anew.
 * The others are refused a link when they return, for they belong to another group; an operator decides which one stays.
 *
 * When: at once if all N are connected, after a grace period if a majority is. Who: the smallest name among the
 * connected, so ballots rarely compete; after a longer while anybody, in case the smallest can't. A node without routes
 * can't know N: it accepts, and never proposes. A node that has a meta group, or is connected to one that has, takes no
 * part any more: that one joins (see joining.ts).
 */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { Runtime, Timer } from '../base/runtime.ts';
import {
  compareBallots,
  MAX_META_VOTERS,
  type Ballot,
  type FormationReply,
  type MetaGroup,
} from './formation-protocol.ts';
import { randomBase62 } from './group-name.ts';
import type { Membership } from './membership.ts';
import type { Requests } from './requests.ts';
import type { StateKeeper } from './state-keeper.ts';
import { decodeFormationReply, decodeFormationRequest, encodeFormationReply, encodeFormationRequest } from './wire.ts';

const FORMATION_SERVICE = 'cluster.form';
/** For those that start a moment later: a group of all is better than a group of most. */
const GRACE_MS = 2000;
/** From then on it needn't be the smallest name that proposes. */
const ANYBODY_AFTER_MS = 6000;
const REQUEST_TIMEOUT_MS = 1500;
/** Between two attempts; drawn from [min, 2 min), so that competitors don't stay in step. */
const RETRY_MS = 200;
const META_ID_CHARS = 16;

export interface FormationOptions {
  readonly membership: Pick<Membership, 'self' | 'known' | 'connected' | 'descriptionOf'>;
  readonly requests: Pick<Requests, 'request' | 'serve'>;
  readonly keeper: Pick<StateKeeper, 'state' | 'update'>;
  readonly runtime: Runtime;
  readonly logger: Logger;
  /** The group exists, and this node agreed to its value: to be called at most once. */
  readonly formed: (group: MetaGroup) => void;
}

export class Formation {
  readonly #options: FormationOptions;
  readonly #startedMs: number;
  #attempting = false;
  #done = false;
  #timer: Timer | undefined;
  #highestRound = 0;

  constructor(options: FormationOptions) {
    this.#options = options;
    this.#startedMs = options.runtime.monotonicMs();
    options.requests.serve(FORMATION_SERVICE, (_from, body) => this.#answer(body));
  }

  /** This node has its meta group, or will never have one. */
  stop(): void {
    this.#done = true;
    this.#timer?.cancel();
  }

  /** Called whenever a node came, went or told something new; and by our own timer. */
  async reconsider(): Promise<void> {
    if (this.#attempting || this.#done) return;
    this.#attempting = true;
    try {
      const participants = this.#participants();
      if (participants !== undefined) await this.#attempt(participants);
    } finally {
      this.#attempting = false;
    }
    if (this.#isDone()) return;
    this.#timer?.cancel();
    const delayMs = RETRY_MS * (1 + this.#options.runtime.random());
    this.#timer = this.#options.runtime.after(delayMs, () => void this.reconsider());
  }

  /** Read anew: an attempt awaits, and the answer may come meanwhile. */
  #isDone(): boolean {
    return this.#done;
  }

  /** Whom to ask, this node included, and how many must agree; undefined: now is not the time, or not our turn. */
  #participants(): { readonly nodes: readonly NodeId[]; readonly quorum: number } | undefined {
    const { membership, runtime } = this.#options;
    const self = membership.self;
    const connected = membership
      .connected()
      .map((node) => membership.descriptionOf(node)!)
      .filter(({ jetstream }) => jetstream);
    if (self.expectedNodes === 0 || connected.some(({ metaId }) => metaId !== '')) return undefined;
    const all = [self, ...connected].sort((a, b) => (a.node < b.node ? -1 : 1));
    const known = membership.known().filter(({ jetstream }) => jetstream);
    const size = Math.max(known.length, ...all.map(({ expectedNodes }) => expectedNodes));
    const quorum = Math.floor(size / 2) + 1;
    const waitedMs = runtime.monotonicMs() - this.#startedMs;
    if (all.length < (waitedMs < GRACE_MS ? size : quorum)) return undefined;
    const first = all.find(({ expectedNodes }) => expectedNodes > 0)!;
    if (first.node !== self.node && waitedMs < ANYBODY_AFTER_MS) return undefined;
    return { nodes: all.map(({ node }) => node), quorum };
  }

  async #attempt({ nodes, quorum }: { readonly nodes: readonly NodeId[]; readonly quorum: number }): Promise<void> {
    const { keeper, membership, logger } = this.#options;
    const self = membership.self.node;
    const round = Math.max(this.#highestRound, keeper.state.promised?.round ?? 0) + 1;
    const ballot: Ballot = { round, node: self };
    const promises = await this.#ask(nodes, { step: 'prepare', ballot, value: undefined });
    if (promises.size < quorum || this.#isDone()) return;
    const value = highestAccepted(promises.values()) ?? this.#newGroup(self, [...promises.keys()]);
    const acceptances = await this.#ask([...promises.keys()], { step: 'accept', ballot, value });
    if (acceptances.size < quorum || this.#isDone()) return;
    logger.info({ metaId: value.id, voters: value.voters, round }, 'meta.agreed');
    await this.#ask(nodes, { step: 'formed', ballot, value });
  }

  /** The proposer comes first: it leads first (see meta-member.ts). */
  #newGroup(self: NodeId, members: readonly NodeId[]): MetaGroup {
    const voters = [self, ...members.filter((node) => node !== self).sort()].slice(0, MAX_META_VOTERS);
    return { id: randomBase62(META_ID_CHARS, this.#options.runtime), voters, learners: [] };
  }

  /** Those who granted, in the order asked. Of the others only the ballots they promised are of interest. */
  async #ask(
    nodes: readonly NodeId[],
    request: Parameters<typeof encodeFormationRequest>[0],
  ): Promise<Map<NodeId, FormationReply>> {
    const body = encodeFormationRequest(request);
    const granted = new Map<NodeId, FormationReply>();
    const asked = nodes.map(async (node) => {
      try {
        const answer = await this.#options.requests.request(node, FORMATION_SERVICE, body, REQUEST_TIMEOUT_MS);
        return decodeFormationReply(answer);
      } catch {
        // Away or too slow: it counts as not granted, and is asked again with the next attempt.
        return undefined;
      }
    });
    for (const [i, reply] of (await Promise.all(asked)).entries()) {
      this.#highestRound = Math.max(this.#highestRound, reply?.promised?.round ?? 0);
      if (reply?.granted === true) granted.set(nodes[i]!, reply);
    }
    return granted;
  }

  async #answer(body: Buffer): Promise<Buffer> {
    const request = decodeFormationRequest(body);
    const { keeper } = this.#options;
    let granted = false;
    if (request?.step === 'formed' && request.value !== undefined) {
      granted = this.#learn(request.value);
    } else if (request?.ballot !== undefined && !this.#done) {
      granted = await this.#vote(request.ballot, request.step === 'accept' ? request.value : undefined);
    }
    const { promised, acceptedBallot, accepted } = keeper.state;
    return encodeFormationReply({ granted, promised, acceptedBallot, accepted });
  }

  /** Phase 1 without a value, phase 2 with one. */
  async #vote(ballot: Ballot, value: MetaGroup | undefined): Promise<boolean> {
    const { keeper } = this.#options;
    const order = compareBallots(ballot, keeper.state.promised);
    if (value === undefined ? order <= 0 : order < 0) return false;
    const accepting = value === undefined ? {} : { acceptedBallot: ballot, accepted: value };
    await keeper.update({ promised: ballot, ...accepting });
    // A higher ballot may have come while this was written; that promise holds as well, and this one came first.
    return true;
  }

  /** Only who accepted the value may open it as its own; others join. */
  #learn(value: MetaGroup): boolean {
    if (this.#done || this.#options.keeper.state.accepted?.id !== value.id) return false;
    this.stop();
    this.#options.formed(value);
    return true;
  }
}

function highestAccepted(replies: Iterable<FormationReply>): MetaGroup | undefined {
  let highest: FormationReply | undefined;
  for (const reply of replies) {
    if (reply.accepted !== undefined && compareBallots(reply.acceptedBallot, highest?.acceptedBallot) > 0) {
      highest = reply;
    }
  }
  return highest?.accepted;
}
