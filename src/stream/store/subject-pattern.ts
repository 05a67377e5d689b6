/** Owns what a filter subject says about groups of subjects: which tokens they must have, and how they must begin. */

// The hash of one token at its place in a subject; the same for filters and subjects.
export function beginToken(place: number): number {
  return 0x811c9dc5 ^ place;
}

export function mixToken(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

export function endToken(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
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
  /** Hashes of its literal tokens. */
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
      let hash = beginToken(place);
      for (const byte of Buffer.from(token)) hash = mixToken(hash, byte);
      literals.push(endToken(hash));
    }
    this.literals = literals;
  }
}
