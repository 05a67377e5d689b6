/**
 * Owns which groups of streams this node has: it opens those that the catalogue assigns to it, and destroys those that it
 * is no longer to hold. One step at a time per group, always towards what the catalogue says by then.
 *
 * A group that is not stored here is new, or others have had it for a while: then it joins them with an empty log and no
 * vote. Which of the two, the catalogue tells, if it is not older than this process.
 */
import type { NodeId } from '../base/brand.ts';
import type { Logger } from '../base/logger.ts';
import type { GroupHandle, GroupId, GroupOptions, RaftHost, StateMachine } from '../raft/index.ts';
import { holdersOf } from './catalogue-state.ts';
import type { Catalogue, StreamAssignment } from './types.ts';

/** Groups worked on at the same time while a node starts: enough to keep the disk busy, few enough to serve meanwhile. */
const STEPS_AT_ONCE = 8;

export interface HeldGroupsOptions {
  readonly node: NodeId;
  readonly catalogue: Catalogue;
  readonly host: RaftHost;
  readonly logger: Logger;
  /** See `ClusterNode.catalogueIsCurrent`. */
  readonly catalogueIsCurrent: () => Promise<void>;
  readonly machine: (assignment: StreamAssignment, group: GroupHandle) => StateMachine;
  /** The group takes part here now. */
  readonly opened: (assignment: StreamAssignment) => void;
  /** The group is about to leave this node. */
  readonly leaving: (group: GroupId) => void;
}

export class HeldGroups {
  readonly #options: HeldGroupsOptions;
  /** In the order in which they came up. */
  readonly #due = new Set<GroupId>();
  readonly #busy = new Set<GroupId>();
  /** Not stored here, and the catalogue may be too old to say whether they are new. */
  readonly #doubtful = new Set<GroupId>();
  #catalogueIsCurrent = false;

  constructor(options: HeldGroupsOptions) {
    this.#options = options;
  }

  /** To be called whenever an assignment changes. */
  review(group: GroupId): void {
    this.#due.add(group);
    this.#next();
  }

  /** To be called once. Also finds what an earlier life left behind between a decision and the deed. */
  async start(): Promise<void> {
    const { host, catalogue, catalogueIsCurrent } = this.#options;
    this.#reviewAll();
    await catalogueIsCurrent();
    this.#catalogueIsCurrent = true;
    this.#reviewAll();
    for (const group of this.#doubtful) this.review(group);
    this.#doubtful.clear();
    for (const group of await host.storedGroups()) {
      // Nobody deletes unasked a group that the catalogue does not know.
      if (catalogue.streamOfGroup(group) !== undefined) this.review(group);
    }
  }

  #reviewAll(): void {
    const { catalogue } = this.#options;
    for (const account of catalogue.accounts()) {
      for (const { group } of catalogue.streams(account)) this.review(group);
    }
  }

  #next(): void {
    for (const group of this.#due) {
      if (this.#busy.size >= STEPS_AT_ONCE) return;
      if (this.#busy.has(group)) continue;
      this.#due.delete(group);
      this.#busy.add(group);
      void this.#settle(group);
    }
  }

  async #settle(group: GroupId): Promise<void> {
    const assignment = this.#assignmentOf(group);
    const { host } = this.#options;
    try {
      if (assignment === undefined) await this.#leave(group);
      else if (host.group(group) === undefined) await this.#open(assignment);
      // It may have been opened by a catalogue that still knew a node which is gone for good.
      else if (this.#catalogueIsCurrent) host.reviseOthers(group, this.#othersOf(assignment).nodes);
    } catch (error) {
      this.#options.logger.error({ group, stream: assignment?.name, error: String(error) }, 'stream.notOpened');
    }
    this.#busy.delete(group);
    this.#next();
  }

  /** Undefined: it is not to be held here. */
  #assignmentOf(group: GroupId): StreamAssignment | undefined {
    const assignment = this.#options.catalogue.streamOfGroup(group);
    return assignment && holdersOf(assignment).includes(this.#options.node) ? assignment : undefined;
  }

  async #open(assignment: StreamAssignment): Promise<void> {
    const { host, machine, opened } = this.#options;
    const { group, groupName, storage } = assignment;
    // Nor may a group go on alone by a catalogue that may have forgotten its other members.
    const others = this.#othersOf(assignment);
    if (!this.#catalogueIsCurrent && (!host.isStored(group) || others.nodes.length === 0)) {
      this.#doubtful.add(group);
      return;
    }
    await host.openGroup({
      id: group,
      name: groupName,
      storage,
      bootstrap: bootstrapOf(assignment),
      others,
      machine: (handle) => machine(assignment, handle),
    });
    opened(assignment);
    // It may have changed meanwhile.
    this.#due.add(group);
  }

  /** By a catalogue that is not current the group may be further than the catalogue: then nothing is certain. */
  #othersOf(assignment: StreamAssignment): NonNullable<GroupOptions['others']> {
    const nodes = holdersOf(assignment).filter((holder) => holder !== this.#options.node);
    return { nodes, areMembers: this.#catalogueIsCurrent && assignment.reconfiguration === undefined };
  }

  async #leave(group: GroupId): Promise<void> {
    const { host, leaving } = this.#options;
    // By an old catalogue nothing is deleted.
    if (!this.#catalogueIsCurrent) {
      this.#doubtful.add(group);
      return;
    }
    if (host.group(group) === undefined && !host.isStored(group)) return;
    leaving(group);
    await host.destroyGroup(group);
    this.#options.logger.info({ group }, 'stream.left');
  }
}

/** The catalogue has changed the members only if a leader was there: then a majority of the first ones has the group. */
function bootstrapOf({ generation, members, firstLeader }: StreamAssignment): GroupOptions['bootstrap'] {
  if (generation > 0) return { voters: [], learners: [] };
  return { voters: members, learners: [], firstLeader };
}
