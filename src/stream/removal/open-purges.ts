/**
 * Owns which purges have begun and are not finished. Replicas hold this, so whoever leads next goes on where the log says
 * that the last step ended.
 */
import type { PurgeStep } from './purge.ts';

/** What matches `filter` in [next, end) is still to go. */
export interface OpenPurge {
  readonly filter: string | undefined;
  readonly next: number;
  readonly end: number;
}

export class OpenPurges {
  #open: readonly OpenPurge[] = [];

  /** In the order in which they began. */
  entries(): readonly OpenPurge[] {
    return this.#open;
  }

  restore(open: readonly OpenPurge[]): void {
    this.#open = open;
  }

  /** A step was applied. */
  advance({ filter, below, end }: PurgeStep): void {
    if (end === undefined || below === undefined) return;
    const known = this.#open.find((open) => open.end === end && open.filter === filter);
    const rest = this.#open.filter((open) => open !== known);
    this.#open = below >= end ? rest : [...rest, { filter, next: Math.max(below, known?.next ?? 0), end }];
  }

  /** A step was refused, and so would be all others. */
  drop({ filter, end }: PurgeStep): void {
    this.#open = this.#open.filter((open) => open.end !== end || open.filter !== filter);
  }
}
