/**
 * Owns what is known of groups of 256 subject ids without looking at each: how many messages they have, where the last one
 * is, what all their subjects begin with, and which tokens occur in them. So a question about many subjects passes over the
 * groups that it has no answer in, and takes those as a whole that match as a whole.
 *
 * A summary may say less than is true, never more: tokens of subjects that are gone stay, and a common beginning only gets
 * shorter, until so many came and went that the group is looked at again.
 */
import { beginToken, endToken, mixToken, type SubjectPattern } from './subject-pattern.ts';

export const GROUP_BITS = 8;
export const IDS_PER_GROUP = 1 << GROUP_BITS;
const TOKEN_BITS = 11;
const TOKEN_WORDS = (1 << TOKEN_BITS) / 32;
const MAX_PREFIX_BYTES = 64;
/** Subjects that a group takes before it is looked at again: those it had may all be others by then. */
const BIRTHS_PER_LOOK = 4 * IDS_PER_GROUP;
/** Fits a small integer. */
const MANY_TOKENS = 0x3fff_ffff;
const DOT = 0x2e;

export type GroupMatch = 'none' | 'some' | 'all';

/** Live subjects of a group, for looking at them again. */
export interface GroupMembers {
  /** Calls `each` with the place of every subject that the group holds. */
  forEachOf(group: number, each: (buffer: Buffer, start: number, end: number) => void): void;
}

export class SubjectGroup {
  /** Live messages. */
  messages = 0;
  /** No live message is above it. */
  last = 0;
  births = 0;
  #prefix: Buffer | undefined;
  #prefixBytes = 0;
  #leastTokens = MANY_TOKENS;
  #mostTokens = 0;
  #tokens = new Uint32Array(TOKEN_WORDS);

  add(buffer: Buffer, start: number, end: number): void {
    this.births++;
    this.#shorten(buffer, start, end);
    let tokens = 0;
    let hash = beginToken(0);
    let from = start;
    let odd = false;
    for (let at = start; at <= end; at++) {
      const byte = at === end ? DOT : buffer[at]!;
      if (byte !== DOT) {
        hash = mixToken(hash, byte);
        continue;
      }
      // Clients may publish subjects such as `a..b`, whose empty tokens no wildcard matches.
      if (at === from) odd = true;
      this.#note(endToken(hash));
      hash = beginToken(++tokens);
      from = at + 1;
    }
    this.#leastTokens = odd ? 0 : Math.min(this.#leastTokens, tokens);
    this.#mostTokens = odd ? MANY_TOKENS : Math.max(this.#mostTokens, tokens);
  }

  forgetSubjects(): void {
    this.births = 0;
    this.#prefix = undefined;
    this.#leastTokens = MANY_TOKENS;
    this.#mostTokens = 0;
    this.#tokens.fill(0);
  }

  match(pattern: SubjectPattern): GroupMatch {
    if (this.messages === 0 || this.#prefix === undefined) return 'none';
    if (this.#mostTokens < pattern.tokens || (!pattern.open && this.#leastTokens > pattern.tokens)) return 'none';
    const common = Math.min(this.#prefixBytes, pattern.prefix.length);
    if (this.#prefix.compare(pattern.prefix, 0, common, 0, common) !== 0) return 'none';
    for (const hash of pattern.literals) if (!this.#mayHave(hash)) return 'none';
    const all =
      pattern.onlyPrefix &&
      common === pattern.prefix.length &&
      this.#leastTokens >= pattern.tokens &&
      (pattern.open || this.#mostTokens === pattern.tokens);
    return all ? 'all' : 'some';
  }

  #mayHave(hash: number): boolean {
    const bit = hash >>> (32 - TOKEN_BITS);
    return (this.#tokens[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  #note(hash: number): void {
    const bit = hash >>> (32 - TOKEN_BITS);
    this.#tokens[bit >>> 5]! |= 1 << (bit & 31);
  }

  #shorten(buffer: Buffer, start: number, end: number): void {
    if (this.#prefix === undefined) {
      this.#prefixBytes = Math.min(end - start, MAX_PREFIX_BYTES);
      this.#prefix = Buffer.from(buffer.subarray(start, start + this.#prefixBytes));
      return;
    }
    let common = 0;
    const most = Math.min(this.#prefixBytes, end - start);
    while (common < most && this.#prefix[common] === buffer[start + common]) common++;
    this.#prefixBytes = common;
  }
}

export class SubjectSummary {
  #groups: SubjectGroup[] = [];
  readonly #members: GroupMembers;

  constructor(members: GroupMembers) {
    this.#members = members;
  }

  get groups(): readonly SubjectGroup[] {
    return this.#groups;
  }

  /** The subject in buffer[start, end) got the id. */
  born(id: number, buffer: Buffer, start: number, end: number): void {
    const number = id >>> GROUP_BITS;
    while (this.#groups.length <= number) this.#groups.push(new SubjectGroup());
    const group = this.#groups[number]!;
    if (group.births >= BIRTHS_PER_LOOK) {
      group.forgetSubjects();
      this.#members.forEachOf(number, (otherBuffer, otherStart, otherEnd) => {
        group.add(otherBuffer, otherStart, otherEnd);
      });
    }
    group.add(buffer, start, end);
  }

  added(id: number, seq: number): void {
    const group = this.#groups[id >>> GROUP_BITS]!;
    group.messages++;
    group.last = seq;
  }

  removed(id: number): void {
    this.#groups[id >>> GROUP_BITS]!.messages--;
  }

  clear(): void {
    this.#groups = [];
  }
}

/** What the patterns, any of which will do, say about the group. */
export function matchGroup(group: SubjectGroup, patterns: readonly SubjectPattern[]): GroupMatch {
  let best: GroupMatch = 'none';
  for (const pattern of patterns) {
    const match = group.match(pattern);
    if (match === 'all') return 'all';
    if (match === 'some') best = 'some';
  }
  return best;
}
