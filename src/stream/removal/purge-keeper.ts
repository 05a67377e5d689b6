/** Owns the purges that this node carries out as the leader: those that clients ask for, and those that another began. */
import { BAD_REQUEST } from '../../base/api-errors.ts';
import { NotLeaderError } from '../../base/errors.ts';
import type { OpenPurges } from './open-purges.ts';
import { carryOut, rangeOfPurge, type Purge, type PurgeContext, type PurgeRange } from './purge.ts';
import type { OperationResult } from '../types.ts';

export interface PurgeKeeperOptions extends PurgeContext {
  readonly isLeader: () => boolean;
  /** It leads, and holds whatever was acknowledged before. */
  readonly isReady: () => boolean;
  readonly open: () => OpenPurges;
}

export class PurgeKeeper {
  readonly #options: PurgeKeeperOptions;
  /** By end and filter. */
  readonly #underWay = new Set<string>();

  constructor(options: PurgeKeeperOptions) {
    this.#options = options;
  }

  /** @throws {NotLeaderError} Some of it may be done; whoever leads next finishes what has begun. */
  async run(purge: Purge): Promise<OperationResult> {
    // Found by a random run: a new leader that has not applied all of it would leave what it does not know of yet.
    if (!this.#options.isReady()) throw new NotLeaderError('this node does not lead the stream, or not yet', true);
    const found = rangeOfPurge(purge, this.#options);
    // What the same client publishes next must come behind it: no turn is given away where that is not needed.
    const range = found instanceof Promise ? await found : found;
    return range === undefined ? { kind: 'error', error: BAD_REQUEST } : this.#carryOut(range);
  }

  /** Something was applied, or the leader changed: what nobody carries on is ours. */
  schedule(): void {
    const open = this.#options.open().entries();
    if (open.length === 0 || !this.#options.isLeader()) return;
    for (const purge of open) {
      if (this.#underWay.has(keyOf(purge))) continue;
      this.#carryOut(purge).catch((error: unknown) => {
        if (!(error instanceof NotLeaderError)) throw error;
      });
    }
  }

  async #carryOut(range: PurgeRange): Promise<OperationResult> {
    const key = keyOf(range);
    this.#underWay.add(key);
    try {
      return await carryOut(range, this.#options);
    } finally {
      this.#underWay.delete(key);
    }
  }
}

function keyOf({ filter, end }: PurgeRange): string {
  return `${end ?? 0} ${filter ?? ''}`;
}
