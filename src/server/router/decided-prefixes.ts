/**
 * Owns the match results that a subject's first tokens decide alone: behind `$JS.ACK.` there is one service and nothing
 * else, so acks, whose subjects never repeat, need neither a walk through the trie nor a place in the cache each.
 */
import type { MatchResult } from './match-result.ts';

/** Services are few; others than theirs are not kept here. */
const MAX_PREFIXES = 8;

interface Entry {
  /** Through the dot behind the deciding tokens. */
  readonly prefix: Buffer;
  readonly result: MatchResult;
}

export class DecidedPrefixes {
  #entries: Entry[] = [];

  find(buffer: Buffer, start: number, end: number, generation: number): MatchResult | undefined {
    for (const { prefix, result } of this.#entries) {
      if (startsWith(buffer, start, end, prefix)) return result.validAt(generation) ? result : undefined;
    }
    return undefined;
  }

  add(prefix: Buffer, result: MatchResult): void {
    const entries = this.#entries.filter((entry) => !entry.prefix.equals(prefix));
    for (const { result: evicted } of entries.splice(0, entries.length + 1 - MAX_PREFIXES)) evicted.invalidate();
    this.#entries = [...entries, { prefix, result }];
  }

  /** Interest in exactly this subject changed: it may lie behind a prefix that decided for it until now. */
  invalidate(subject: Buffer): void {
    for (const { prefix, result } of this.#entries) {
      if (startsWith(subject, 0, subject.length, prefix)) result.invalidate();
    }
  }
}

/** Compares from the end, where prefixes of one family differ. Something must follow the prefix. */
function startsWith(buffer: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start <= prefix.length) return false;
  for (let i = prefix.length - 1; i >= 0; i--) if (buffer[start + i] !== prefix[i]) return false;
  return true;
}
