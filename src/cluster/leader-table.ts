/**
 * Owns who leads which group, also of groups this node has no part in: nodes tell each other when they start and stop
 * leading, gathered per turn, and everything when their link comes up.
 */
import type { NodeId } from '../base/brand.ts';
import type { Runtime } from '../base/runtime.ts';
import type { GroupId, GroupStatus, Term } from '../raft/index.ts';
import { FRAME, type Links } from './links.ts';
import { decodeLeaderships, encodeLeaderships, type Leadership } from './wire.ts';

type LeaderListener = (group: GroupId, leader: NodeId | undefined) => void;

interface Known {
  readonly leader: NodeId | undefined;
  readonly term: Term;
}

export class LeaderTable {
  readonly #self: NodeId;
  readonly #links: Links;
  readonly #runtime: Runtime;
  readonly #peersUp: () => Iterable<NodeId>;
  /** Groups this node is a member of: its own view, which is the freshest it can have. */
  readonly #members = new Map<GroupId, Known>();
  /** What leaders told, for all other groups. */
  readonly #told = new Map<GroupId, Known>();
  readonly #changed = new Map<GroupId, Leadership>();
  #flushDue = false;
  readonly #listeners: LeaderListener[] = [];

  constructor(self: NodeId, links: Links, runtime: Runtime, peersUp: () => Iterable<NodeId>) {
    this.#self = self;
    this.#links = links;
    this.#runtime = runtime;
    this.#peersUp = peersUp;
  }

  onChange(listener: LeaderListener): void {
    this.#listeners.push(listener);
  }

  leaderOf(group: GroupId): NodeId | undefined {
    const own = this.#members.get(group);
    // A member that knows of no leader may be cut off from its group while the leader still talks to everybody else.
    return own?.leader ?? this.#told.get(group)?.leader;
  }

  /** This node is a member of the group, and its view changed. */
  statusChanged(group: GroupId, { leader, term }: GroupStatus): void {
    const before = this.leaderOf(group);
    const own = this.#members.get(group);
    const led = own?.leader === this.#self;
    const leading = leader === this.#self;
    this.#members.set(group, { leader, term });
    // What others told about a group in an older term is void.
    if ((this.#told.get(group)?.term ?? term) < term) this.#told.delete(group);
    if (led !== leading || (leading && own?.term !== term)) this.#tell({ group, term, leading });
    this.#announce(group, before);
  }

  /** The group goes on without this node, which from here on knows of its leaders what others tell. */
  left(group: GroupId): void {
    const own = this.#members.get(group);
    if (own === undefined) return;
    const told = this.#told.get(group);
    if (own.leader !== undefined && own.leader !== this.#self && (told?.term ?? own.term) <= own.term) {
      this.#told.set(group, own);
    }
    const before = this.leaderOf(group);
    this.#members.delete(group);
    this.#announce(group, before);
  }

  /** Says once more that this node leads the group, to those that have just left it. */
  tellAgain(group: GroupId): void {
    const own = this.#members.get(group);
    if (own?.leader === this.#self) this.#tell({ group, term: own.term, leading: true });
  }

  /** The group exists no more. */
  forget(group: GroupId): void {
    const before = this.leaderOf(group);
    const own = this.#members.get(group);
    if (own?.leader === this.#self) this.#tell({ group, term: own.term, leading: false });
    this.#members.delete(group);
    this.#told.delete(group);
    this.#announce(group, before);
  }

  /** A link came up: says which groups are led here, and that there are no others. */
  tellAll(node: NodeId): void {
    const leaderships: Leadership[] = [];
    for (const [group, { leader, term }] of this.#members) {
      if (leader === this.#self) leaderships.push({ group, term, leading: true });
    }
    this.#links.send(node, 'control', FRAME.leaderships, encodeLeaderships(true, leaderships));
  }

  /** False: malformed. */
  receive(from: NodeId, frame: Buffer): boolean {
    const told = decodeLeaderships(frame);
    if (told === undefined) return false;
    if (told.complete) this.lost(from, new Set(told.leaderships.map((leadership) => leadership.group)));
    for (const { group, term, leading } of told.leaderships) {
      const known = this.#told.get(group);
      if (known !== undefined && known.term > term) continue;
      // Stepping down only voids one's own leadership, not that of the next one in the same turn.
      if (!leading && known?.leader !== from) continue;
      const before = this.leaderOf(group);
      this.#told.set(group, { leader: leading ? from : undefined, term });
      this.#announce(group, before);
    }
    return true;
  }

  /** Nobody knows what the node still leads, except `groups`. */
  lost(node: NodeId, groups: ReadonlySet<GroupId> = new Set()): void {
    for (const [group, known] of this.#told) {
      if (known.leader !== node || groups.has(group)) continue;
      const before = this.leaderOf(group);
      this.#told.set(group, { leader: undefined, term: known.term });
      this.#announce(group, before);
    }
  }

  #announce(group: GroupId, before: NodeId | undefined): void {
    const now = this.leaderOf(group);
    if (now !== before) for (const listener of this.#listeners) listener(group, now);
  }

  #tell(leadership: Leadership): void {
    this.#changed.set(leadership.group, leadership);
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#runtime.defer(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushDue = false;
    const frame = encodeLeaderships(false, [...this.#changed.values()]);
    this.#changed.clear();
    for (const node of this.#peersUp()) this.#links.send(node, 'control', FRAME.leaderships, frame);
  };
}
