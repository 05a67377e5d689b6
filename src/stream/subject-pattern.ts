/** Owns what a filter subject says about groups of subjects: which tokens they must have, and how they must begin. */

const DOT = 0x2e;

/** Of one token at its place in a subject; the same for filters and subjects. */
export function tokenHash(place: number, buffer: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ place;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ buffer[i]!, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

/** One filter subject, taken apart. */
export class SubjectPattern {
  /** The bytes that every match begins with. */
  readonly prefix: Buffer;
  /** True if whatever begins so and has the right number of tokens matches. */
  readonly onlyPrefix: boolean;
  /** Least number of tokens of a match. */
  readonly tokens: number;
  /** True if there may be more tokens. */
  readonly open: boolean;
  /** Of its literal tokens, see `tokenHash`. */
  readonly literals: readonly number[];

  constructor(subject: string) {
    const tokens = subject.split('.');
    this.open = tokens.at(-1) === '>';
    this.tokens = tokens.length;
    const wild = tokens.map((token, at) => token === '*' || (token === '>' && at === tokens.length - 1));
    const firstWild = wild.indexOf(true);
    const fixed = firstWild < 0 ? tokens : tokens.slice(0, firstWild);
    this.prefix = Buffer.from(fixed.map((token) => `${token}.`).join(''));
    if (firstWild < 0) this.prefix = this.prefix.subarray(0, -1);
    this.onlyPrefix = firstWild >= 0 && wild.slice(firstWild).every((each) => each);
    const literals: number[] = [];
    for (const [place, token] of tokens.entries()) {
      if (wild[place] === true) continue;
      const bytes = Buffer.from(token);
      literals.push(tokenHash(place, bytes, 0, bytes.length));
    }
    this.literals = literals;
  }
}

/** Calls `each` for every token of the subject in buffer[start, end), with its hash; returns how many they are. */
export function forEachToken(buffer: Buffer, start: number, end: number, each: (hash: number) => void): number {
  let place = 0;
  let from = start;
  for (let at = start; at <= end; at++) {
    if (at < end && buffer[at] !== DOT) continue;
    each(tokenHash(place++, buffer, from, at));
    from = at + 1;
  }
  return place;
}

/** Clients may publish subjects such as `a..b`, whose empty tokens no wildcard matches. */
export function hasEmptyToken(buffer: Buffer, start: number, end: number): boolean {
  if (start === end || buffer[end - 1] === DOT) return true;
  for (let at = start; at < end; at++) if (buffer[at] === DOT && (at === start || buffer[at - 1] === DOT)) return true;
  return false;
}
