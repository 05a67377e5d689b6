/**
 * Owns the verdict on replicas whose state machines differ. A leader tells digests with its appends, but a leader may be
 * the one that is wrong. So a replica that differs only says so; the leader asks the voters what they have at that
 * position, and the majority is right: whoever differs from it, the leader included, builds its state anew. If all have
 * answered and there is no majority, nobody can say which state is the true one, and the group stops with an error.
 */
import type { NodeId } from '../../base/brand.ts';
import { StorageError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Group } from '../group.ts';
import type { HostContext } from '../host-context.ts';
import type { DigestNotice } from '../wire/node-frame.ts';
import type { LogIndex } from '../types.ts';

interface Ballot {
  readonly index: LogIndex;
  readonly openedMs: number;
  readonly digests: Map<NodeId, number>;
}

export class DigestVote {
  readonly #context: HostContext;
  readonly #group: Group;
  readonly #logger: Logger;
  /** This replica's own digest, if it was taken at that position and not too long ago. */
  readonly #digestAt: (index: LogIndex) => number | undefined;
  /** On the leader. Answers about other positions are of no use to it. */
  #ballot: Ballot | undefined;
  #doubtedMs = Number.NEGATIVE_INFINITY;

  constructor(
    context: HostContext,
    group: Group,
    options: { readonly logger: Logger; readonly digestAt: (index: LogIndex) => number | undefined },
  ) {
    this.#context = context;
    this.#group = group;
    this.#logger = options.logger;
    this.#digestAt = options.digestAt;
  }

  /** What the leader told is not what we have at `index`. Said once in a while, for it will be so at every later one. */
  doubt(index: LogIndex): void {
    const now = this.#context.runtime.monotonicMs();
    if (now - this.#doubtedMs < this.#context.timing.heartbeatMs) return;
    this.#doubtedMs = now;
    const { leader } = this.#group;
    this.#logger.warn({ index, leader }, 'group.digestDoubt');
    if (leader !== undefined) this.#tell(leader, 'own', index);
  }

  received(from: NodeId, notice: DigestNotice): void {
    const group = this.#group;
    if (group.repairing || !group.members.all.includes(from)) return;
    switch (notice.purpose) {
      case 'own':
        if (group.isLeader) this.#count(from, notice);
        return;
      case 'wanted':
        this.#tell(from, 'own', notice.index);
        return;
      case 'verdict':
        if (from === group.leader) this.#judgeOwn(notice.index, notice.digest);
        return;
      case 'undecidable':
        if (from === group.leader) this.#stop(notice.index);
    }
  }

  #tell(to: NodeId, purpose: DigestNotice['purpose'], index: LogIndex, digest = this.#digestAt(index)): void {
    if (digest === undefined) return;
    this.#context.sendFrame(to, { kind: 'digest', purpose, group: this.#group.id, index, digest }, 'control');
  }

  #count(from: NodeId, notice: DigestNotice): void {
    const ballot = this.#ballot?.index === notice.index ? this.#ballot : this.#open(notice);
    if (ballot === undefined) return;
    ballot.digests.set(from, notice.digest);
    this.#decide(ballot);
  }

  /** One ballot at a time, until it was decided or had its time: under load there is news faster than answers. */
  #open({ index, digest }: DigestNotice): Ballot | undefined {
    const now = this.#context.runtime.monotonicMs();
    const { node, timing } = this.#context;
    if (this.#ballot !== undefined && now - this.#ballot.openedMs < timing.heartbeatMs) return undefined;
    const own = this.#digestAt(index);
    if (own === undefined || own === digest) return undefined;
    this.#ballot = { index, openedMs: now, digests: new Map([[node, own]]) };
    for (const voter of this.#voters) if (voter !== node) this.#tell(voter, 'wanted', index);
    return this.#ballot;
  }

  get #voters(): Set<NodeId> {
    return new Set(this.#group.members.voterSets.flat());
  }

  #decide(ballot: Ballot): void {
    const { index, digests } = ballot;
    const right = this.#majority(digests);
    if (right !== undefined) {
      for (const [node, digest] of digests) if (digest !== right) this.#tell(node, 'verdict', index, right);
      this.#judgeOwn(index, right);
      return;
    }
    const voters = [...this.#voters];
    if (!voters.every((voter) => digests.has(voter))) return;
    for (const voter of voters) if (voter !== this.#context.node) this.#tell(voter, 'undecidable', index);
    this.#stop(index);
  }

  /** The digest that a majority of the voters has, in both sets of a joint membership. */
  #majority(digests: ReadonlyMap<NodeId, number>): number | undefined {
    return [...new Set(digests.values())].find((digest) =>
      this.#group.members.voterSets.every(
        (voters) => voters.filter((voter) => digests.get(voter) === digest).length * 2 > voters.length,
      ),
    );
  }

  #judgeOwn(index: LogIndex, right: number): void {
    const own = this.#digestAt(index);
    if (own !== undefined && own !== right) this.#group.repair.quarantine(index);
  }

  #stop(index: LogIndex): void {
    const problem = `group ${this.#group.id}: no majority of the replicas has the same state at entry ${index}`;
    this.#context.groupFailed(this.#group, new StorageError('STORAGE_CORRUPT', problem));
  }
}
