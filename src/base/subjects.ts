/** Owns the algebra of subjects: which are valid, and whether two of them, wildcards included, can name the same thing. */
import { SubjectTree } from './subject-tree.ts';

const DOT = 0x2e;
const STAR = 0x2a;
const ALL = 0x3e;
/** So many are compared byte by byte sooner than a string is made of the subject. */
const MANY_PATTERNS = 16;

/** Non-empty tokens without white space, `>` only as the last one. */
export function isValidSubject(subject: string): boolean {
  if (subject === '' || /[ \t\r\n\f]/.test(subject)) return false;
  const tokens = subject.split('.');
  return tokens.every((token, index) => token !== '' && (token !== '>' || index === tokens.length - 1));
}

/** True if a whole token is `*` or the last is `>`. */
export function hasWildcards(subject: string): boolean {
  if (!subject.includes('*') && !subject.includes('>')) return false;
  return subject.split('.').some((token) => token === '*' || token === '>');
}

export function isLiteralSubject(subject: string): boolean {
  return isValidSubject(subject) && !hasWildcards(subject);
}

/** True if some literal subject matches both. */
export function subjectsCollide(a: string, b: string): boolean {
  if (a === b) return true;
  const left = a.split('.');
  const right = b.split('.');
  for (let index = 0; ; index++) {
    const one = left[index];
    const other = right[index];
    if (one === undefined || other === undefined) return one === other;
    if (one === '>' || other === '>') return true;
    if (one !== other && one !== '*' && other !== '*') return false;
  }
}

/** True if everything that `subject` (wildcards allowed) matches is matched by `filter` too. */
export function isSubjectSubset(subject: string, filter: string): boolean {
  const narrow = subject.split('.');
  const wide = filter.split('.');
  for (let index = 0; ; index++) {
    const token = narrow[index];
    const allowed = wide[index];
    if (token === undefined || allowed === undefined) return token === allowed;
    if (allowed === '>') return true;
    if (token === '>' || (allowed !== '*' && token !== allowed)) return false;
  }
}

/** A filter over subjects in their stored form, compiled once. Fits stream/'s `SubjectFilter`. */
export class SubjectMatcher {
  readonly subjects: readonly string[];
  readonly #patterns: readonly Buffer[];
  /** Of many patterns: then none of them is looked at by itself. */
  readonly #tree: SubjectTree | undefined;

  constructor(subjects: readonly string[]) {
    this.subjects = subjects;
    const isLong = subjects.length > MANY_PATTERNS;
    this.#tree = isLong ? new SubjectTree(subjects) : undefined;
    this.#patterns = isLong ? [] : subjects.map((subject) => Buffer.from(subject));
  }

  /** Whether the literal subject in `buffer[start, end)` matches one of the patterns. */
  matches(buffer: Buffer, start: number, end: number): boolean {
    if (this.#tree !== undefined) return this.#tree.matches(buffer, start, end);
    for (const pattern of this.#patterns) {
      if (matchesPattern(pattern, buffer, start, end)) return true;
    }
    return false;
  }
}

function matchesPattern(pattern: Buffer, buffer: Buffer, start: number, end: number): boolean {
  let at = start;
  for (let index = 0; index < pattern.length;) {
    const byte = pattern[index];
    const tokenStarts = index === 0 || pattern[index - 1] === DOT;
    const tokenEnds = index + 1 === pattern.length || pattern[index + 1] === DOT;
    if (tokenStarts && tokenEnds && byte === ALL) return at < end;
    if (tokenStarts && tokenEnds && byte === STAR) {
      if (at >= end || buffer[at] === DOT) return false;
      while (at < end && buffer[at] !== DOT) at++;
    } else {
      if (at >= end || buffer[at] !== byte) return false;
      at++;
    }
    index++;
  }
  return at === end;
}
