/**
 * Owns what an operator does to a cluster in a simulation: scales streams, moves them, changes its mind, and removes
 * nodes; always through the meta leader, which decides as the server's API does.
 */
import type { NodeId } from '../../src/base/brand.ts';
import { holdersOf, type StreamAssignment } from '../../src/cluster/index.ts';
import type { CataloguePart } from './catalogue-part.ts';
import type { EventLog } from './event-log.ts';
import type { Random } from './random.ts';
import type { SimulatedNode, StreamSpec } from './simulated-node.ts';

const ACCOUNT = 'A';

export interface OperatorOptions {
  readonly nodes: readonly SimulatedNode[];
  readonly streams: readonly StreamSpec[];
  readonly random: Random;
  readonly log: EventLog;
  /** Its disk lost something not long ago: a stream that it joins now may have to do without it in a moment. */
  readonly isForgetful: (node: NodeId) => boolean;
}

export class Operator {
  readonly #options: OperatorOptions;
  #removed: NodeId | undefined;
  #isCreating = false;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** Creates what is not there yet. True: all streams are there, as the meta leader sees it. */
  create(): boolean {
    const leader = this.#metaLeader();
    if (leader === undefined) return false;
    const { catalogue, writer } = leader.meta;
    const missing = this.#options.streams.find(({ config }) => catalogue.stream(ACCOUNT, config.name) === undefined);
    if (missing === undefined) return true;
    if (this.#isCreating) return false;
    this.#isCreating = true;
    const { config } = missing;
    writer
      .change({
        kind: 'createStream',
        account: ACCOUNT,
        name: config.name,
        config: { ...config },
        storage: config.storage,
        replicas: config.numReplicas,
        conflictsWith: () => false,
      })
      .catch(() => undefined)
      .finally(() => {
        this.#isCreating = false;
      });
    return false;
  }

  /** For the meta leader, which gives the streams of removed nodes to others. */
  readonly rehome = (leader: CataloguePart, assignment: StreamAssignment, node: NodeId): Promise<void> =>
    this.#reassign(leader, assignment, assignment.members.length, [node]);

  act(): void {
    const leader = this.#metaLeader();
    if (leader === undefined) return;
    const { random, streams } = this.#options;
    if (random.chance(0.15)) {
      this.#removeNode(leader);
      return;
    }
    const assignment = leader.meta.catalogue.stream(ACCOUNT, random.pick(streams).config.name);
    if (assignment === undefined) return;
    const { members, reconfiguration } = assignment;
    if (reconfiguration !== undefined && random.chance(0.4)) {
      this.#note(`cancels ${assignment.name}`);
      void this.#change(leader, assignment, reconfiguration.origin.members);
    } else if (random.chance(0.5)) {
      void this.#reassign(leader, assignment, random.pick([1, 3, 3, 5]), []);
    } else {
      void this.#reassign(leader, assignment, members.length, [random.pick(members)]);
    }
  }

  /** As the meta leader has it. */
  assignmentOf({ config }: StreamSpec): StreamAssignment | undefined {
    return this.#metaLeader()?.meta.catalogue.stream(ACCOUNT, config.name);
  }

  /** Each stream that the node holds has a majority without it, and is not on its way elsewhere. */
  mayLose(node: SimulatedNode): boolean {
    return this.#options.streams.every((spec) => {
      const assignment = this.assignmentOf(spec);
      if (assignment === undefined) return false;
      if (!holdersOf(assignment).includes(node.id)) return true;
      return assignment.reconfiguration === undefined && assignment.members.length > 2;
    });
  }

  /** Every stream has the members it is to have, and nobody else has anything of it. */
  get isConverged(): boolean {
    const { streams, nodes } = this.#options;
    return streams.every((spec) => {
      const assignment = this.assignmentOf(spec);
      if (assignment === undefined || assignment.reconfiguration !== undefined) return false;
      const { members, group } = assignment;
      // With a replica on every node there is nobody to take over from one that was removed.
      if (members.length < nodes.length && members.some((member) => this.#isRemoved(member))) return false;
      return nodes.every((node) => {
        const handle = node.streams.get(group)?.handle;
        if (!members.includes(node.id)) return handle === undefined && node.host?.isStored(group) !== true;
        return handle !== undefined && sameNodes(handle.status.voters, members) && !handle.status.repairing;
      });
    });
  }

  /** How far each stream is, for whoever has to understand why it got no further. */
  describe(): string {
    const { streams, nodes } = this.#options;
    const lines = streams.map((spec) => {
      const assignment = this.assignmentOf(spec);
      if (assignment === undefined) return `${spec.config.name}: no meta leader`;
      const { members, reconfiguration, generation, group } = assignment;
      const replicas = nodes.flatMap(({ id, streams: open, host }) => {
        const status = open.get(group)?.handle.status;
        if (status === undefined) return host?.isStored(group) === true ? `${id} stores it` : [];
        const { role, term, leader, voters, learners, repairing, lastApplied } = status;
        return `${id} ${role}@${term} under ${leader} of ${voters.join()}/${learners.join()} at ${lastApplied} ${repairing ? 'repairing' : ''}`;
      });
      const target = `${members.join()} gen ${generation} from ${reconfiguration?.origin.members.join() ?? 'settled'}`;
      return `${spec.config.name} to ${target}: ${replicas.join('; ')}`;
    });
    return `removed ${this.#removed ?? 'nobody'}; ${lines.join(' | ')}`;
  }

  #metaLeader(): CataloguePart | undefined {
    const parts = this.#options.nodes.flatMap(({ catalogue }) => catalogue ?? []);
    return parts.find(({ meta }) => meta.status?.ready === true);
  }

  #isRemoved(node: NodeId): boolean {
    return this.#metaLeader()?.meta.catalogue.wasRemoved(node) === true;
  }

  #removeNode(leader: CataloguePart): void {
    const { nodes, random } = this.#options;
    // One at a time: the one before must have been taken in again, which it is when it starts anew.
    if (this.#removed !== undefined && leader.meta.catalogue.wasRemoved(this.#removed)) return;
    const node = random.pick(nodes);
    this.#removed = node.id;
    this.#note(`removes ${node.id}`);
    leader.keeper.remove(node.id).catch(() => undefined);
  }

  /** Only with a leader that is ready: the others can't tell who is up to date, and no group was ever alive without one. */
  async #reassign(
    leader: CataloguePart,
    assignment: StreamAssignment,
    replicas: number,
    without: readonly NodeId[],
  ): Promise<void> {
    const streamLeader = this.#options.nodes.find(
      ({ streams }) => streams.get(assignment.group)?.handle.status.ready === true,
    );
    if (streamLeader === undefined) return;
    const keep = [streamLeader.id, ...assignment.members.filter((member) => member !== streamLeader.id)].filter(
      (member) => assignment.members.includes(member) && !without.includes(member),
    );
    const { nodes, isForgetful } = this.#options;
    const suspects = nodes.map(({ id }) => id).filter((id) => isForgetful(id) && !keep.includes(id));
    const wish = { replicas, storage: assignment.storage, maxBytes: 0, keep, without: [...without, ...suspects] };
    const placed = leader.meta.writer.place(wish);
    if (placed.kind === 'noPeers') return;
    this.#note(`${assignment.name} goes from ${assignment.members.join(' ')} to ${placed.members.join(' ')}`);
    await this.#change(leader, assignment, placed.members);
  }

  async #change(leader: CataloguePart, assignment: StreamAssignment, members: readonly NodeId[]): Promise<void> {
    const { account, name, config, revision: expectedRevision } = assignment;
    const change = { kind: 'updateStream', account, name, config, members, expectedRevision } as const;
    await leader.meta.writer.change(change).catch(() => undefined);
  }

  #note(what: string): void {
    this.#options.log.note(`operator ${what}`);
  }
}

function sameNodes(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
