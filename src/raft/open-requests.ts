/** Owns what callers of a group are waiting for: reads, a handing over of leadership, a change of members. */
import { NotLeaderError } from '../base/errors.ts';
import type { Effects } from './core/effects.ts';
import type { GroupId, LogIndex } from './types.ts';

interface Deferred {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class OpenRequests {
  readonly #group: GroupId;
  readonly #reads = new Map<number, Deferred>();
  #lastContext = 0;
  #transfers: ((taken: boolean) => void)[] = [];
  #membershipChange: Deferred | undefined;

  constructor(group: GroupId) {
    this.#group = group;
  }

  /** `ask` gets the context under which the answer will come. */
  read(ask: (context: number) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const context = ++this.#lastContext;
      this.#reads.set(context, { resolve, reject });
      ask(context);
    });
  }

  /** Reads that may be answered once an index is applied, and those that no longer can be. */
  settleReads(effects: Effects, whenApplied: (index: LogIndex, done: () => void) => void): void {
    if (effects.reads.length === 0 && effects.abortedReads.length === 0) return;
    for (const { context, index } of effects.reads) {
      const read = this.#reads.get(context);
      this.#reads.delete(context);
      if (read !== undefined) whenApplied(index, read.resolve);
    }
    for (const context of effects.abortedReads) {
      this.#reads.get(context)?.reject(this.#error('not the leader any more', true));
      this.#reads.delete(context);
    }
    effects.reads.length = 0;
    effects.abortedReads.length = 0;
  }

  transfer(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#transfers.push(resolve);
    });
  }

  settleTransfers(taken: boolean): void {
    const transfers = this.#transfers;
    this.#transfers = [];
    for (const settle of transfers) settle(taken);
  }

  changeMembership(ask: () => void): Promise<void> {
    this.#membershipChange?.reject(this.#error('another change has taken its place', false));
    return new Promise((resolve, reject) => {
      this.#membershipChange = { resolve, reject };
      ask();
    });
  }

  settleMembershipChange(effects: Effects, isLeader: boolean): void {
    const change = this.#membershipChange;
    const outcome = effects.membershipOutcome;
    effects.membershipOutcome = undefined;
    if (change === undefined || (outcome === undefined && isLeader)) return;
    this.#membershipChange = undefined;
    if (outcome === 'completed') change.resolve();
    else change.reject(this.#error('the membership was not changed', outcome === 'refused'));
  }

  close(taken: boolean): void {
    const gone = this.#error('the group was closed', false);
    for (const read of this.#reads.values()) read.reject(gone);
    this.#reads.clear();
    this.#membershipChange?.reject(gone);
    this.#membershipChange = undefined;
    this.settleTransfers(taken);
  }

  #error(problem: string, notProposed: boolean): NotLeaderError {
    return new NotLeaderError(`group ${this.#group}: ${problem}`, notProposed);
  }
}
