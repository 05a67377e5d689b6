/**
 * Owns the doubt whether this node still remembers everything that it promised, and what it may do until its peers have
 * dispelled that. How they do is in peers.ts.
 */
import type { NodeId } from '../../base/brand.ts';
import { StorageError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { CoreOptions } from '../core/input.ts';
import type { Membership } from '../core/membership.ts';
import type { Peers } from '../peers.ts';
import type { NodeStorage } from '../storage/node-storage.ts';
import { emptyState, type RecoveredGroup } from '../storage/recovery.ts';

export interface AmnesiaOptions {
  readonly peers: Peers;
  readonly storage: NodeStorage;
  readonly logger: Logger;
  /** Runs a write when no other is under way. */
  readonly exclusively: (write: () => Promise<void>) => Promise<void>;
  /** Every group stored here is marked as repairing, on disk. */
  readonly marked: () => void;
}

export class Amnesia {
  readonly #options: AmnesiaOptions;
  readonly #node: NodeId;
  /** The counter that a peer remembers and this node does not. */
  #counter: number | undefined;
  /** That is known, and not marked everywhere yet. */
  #marking = false;

  constructor(options: AmnesiaOptions) {
    this.#options = options;
    this.#node = options.storage.node;
  }

  /** In each set a majority, this node included, has said that it knows of nothing that this node has forgotten. */
  mayVote(voterSets: readonly (readonly NodeId[])[]): boolean {
    return !this.#marking && this.#remembers(voterSets);
  }

  #remembers(voterSets: readonly (readonly NodeId[])[]): boolean {
    return voterSets.every((voters) => {
      const confirmed = voters.filter((voter) => voter === this.#node || this.#options.peers.hasAnswered(voter));
      return confirmed.length * 2 > voters.length;
    });
  }

  /**
   * A leader agreed on in advance is everybody's vote in term 1, given once. Whoever can't exclude that it gave that vote
   * in an earlier life must not give it again; and whoever is known to have lost its memory can't call any group new.
   */
  stateOf(
    recovered: RecoveredGroup | undefined,
    membership: Membership,
    firstLeader: NodeId | undefined,
  ): CoreOptions['state'] {
    if (recovered !== undefined) return { kind: 'recovered', state: recovered.state, repairing: recovered.repairing };
    const others = membership.voters.filter((voter) => voter !== this.#node);
    const joins = membership.voters.length === 0;
    if (joins || (this.#counter !== undefined && others.length > 0)) {
      return { kind: 'recovered', state: emptyState(membership), repairing: true };
    }
    return { kind: 'created', membership, firstLeader: this.#remembers([membership.voters]) ? firstLeader : undefined };
  }

  /** A peer remembers promises that are not on our disk any more. */
  async found(peer: NodeId, counter: number): Promise<void> {
    if (this.#counter !== undefined && counter <= this.#counter) return;
    this.#counter = counter;
    const { storage, logger, exclusively, marked } = this.#options;
    logger.error({ peer, counter, startCounter: storage.startCounter }, 'node.amnesia');
    this.#marking = true;
    try {
      await exclusively(() => storage.markAmnesia(counter));
    } catch (error) {
      if (error instanceof StorageError) return; // Its storage has told the host.
      throw error;
    }
    marked();
    this.#marking = false;
  }
}
