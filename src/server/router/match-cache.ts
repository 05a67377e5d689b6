/**
 * Owns the cache of match results: a direct-mapped table from a subject's bytes to its result, so that a look-up
 * allocates nothing and memory is bounded by construction: a newcomer replaces whoever had its slot.
 *
 * Keys are whole subjects, or prefixes through the last dot: replies go to inboxes whose last token never repeats, and when
 * no literal filter tells such tokens apart, one entry serves them all.
 */
import { equalBytes } from '../protocol/index.ts';
import type { MatchResult } from './match-result.ts';

const INITIAL_SLOTS = 256;
const MAX_SLOTS = 16 * 1024;
/** References held by all cached results: beyond, wide fan-outs under many subjects would fill memory. */
const MAX_TARGETS = 1_000_000;
const DOT = 0x2e;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

interface Entry {
  readonly hash: number;
  readonly key: Buffer;
  readonly result: MatchResult;
}

export class MatchCache {
  #slots: (Entry | undefined)[] = new Array<Entry | undefined>(INITIAL_SLOTS).fill(undefined);
  #count = 0;
  #targets = 0;
  /** Of the subject last looked up: its hash, its prefix's, and where the prefix ends. */
  #subjectHash = 0;
  #prefixHash = 0;
  #prefixEnd = 0;

  get size(): number {
    return this.#count;
  }

  /** Receivers of the results that are kept: the most of one, and of all together. */
  fanOut(): { readonly most: number; readonly sum: number } {
    let most = 0;
    for (const entry of this.#slots) most = Math.max(most, entry?.result.targets ?? 0);
    return { most, sum: this.#targets };
  }

  /** The result for the subject in `buffer[start, end)`, if it is there and valid. */
  find(buffer: Buffer, start: number, end: number, generation: number): MatchResult | undefined {
    this.#hash(buffer, start, end);
    // A subject that ends in a dot is malformed, and looks like the prefix of others.
    if (this.#prefixEnd === end) return undefined;
    const result =
      this.#at(this.#subjectHash, buffer, start, end) ?? this.#at(this.#prefixHash, buffer, start, this.#prefixEnd);
    return result?.validAt(generation) === true ? result : undefined;
  }

  /** Keeps the result for this subject, or for all that share its prefix. */
  store(
    buffer: Buffer,
    start: number,
    end: number,
    entry: { readonly result: MatchResult; readonly byPrefix: boolean },
  ): void {
    if (this.#count * 2 > this.#slots.length && this.#slots.length < MAX_SLOTS) this.#grow();
    this.#hash(buffer, start, end);
    if (this.#prefixEnd === end) return;
    const hash = entry.byPrefix ? this.#prefixHash : this.#subjectHash;
    const key = Buffer.from(buffer.subarray(start, entry.byPrefix ? this.#prefixEnd : end));
    if (this.#targets + entry.result.targets > MAX_TARGETS) this.clear();
    this.#place({ hash, key, result: entry.result });
  }

  /** Interest in exactly this subject changed: its own entry and the one of its prefix are void. */
  invalidate(buffer: Buffer): void {
    this.#hash(buffer, 0, buffer.length);
    this.#at(this.#subjectHash, buffer, 0, buffer.length)?.invalidate();
    this.#at(this.#prefixHash, buffer, 0, this.#prefixEnd)?.invalidate();
  }

  clear(): void {
    for (const entry of this.#slots) entry?.result.invalidate();
    this.#slots.fill(undefined);
    this.#count = 0;
    this.#targets = 0;
  }

  #at(hash: number, buffer: Buffer, start: number, end: number): MatchResult | undefined {
    const entry = this.#slots[hash & (this.#slots.length - 1)];
    if (entry === undefined || entry.hash !== hash || !equalBytes(buffer, start, end, entry.key)) return undefined;
    return entry.result;
  }

  #place(entry: Entry): void {
    const slot = entry.hash & (this.#slots.length - 1);
    const previous = this.#slots[slot];
    if (previous === undefined) this.#count++;
    else {
      // Whoever still holds the result of the evicted entry would not learn of changes any more.
      previous.result.invalidate();
      this.#targets -= previous.result.targets;
    }
    this.#targets += entry.result.targets;
    this.#slots[slot] = entry;
  }

  #grow(): void {
    const entries = this.#slots;
    this.#slots = new Array<Entry | undefined>(entries.length * 2).fill(undefined);
    this.#count = 0;
    this.#targets = 0;
    for (const entry of entries) if (entry !== undefined) this.#place(entry);
  }

  #hash(buffer: Buffer, start: number, end: number): void {
    let hash = FNV_OFFSET;
    let prefixHash = FNV_OFFSET;
    let prefixEnd = start;
    for (let at = start; at < end; at++) {
      const byte = buffer[at]!;
      hash = Math.imul(hash ^ byte, FNV_PRIME);
      if (byte === DOT) {
        prefixHash = hash;
        prefixEnd = at + 1;
      }
    }
    this.#subjectHash = hash;
    this.#prefixHash = prefixHash;
    this.#prefixEnd = prefixEnd;
  }
}
