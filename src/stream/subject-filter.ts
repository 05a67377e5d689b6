/** Owns subject filters: literal subjects, `*` for one token, `>` for the rest, matched on bytes. */
import type { SubjectFilter } from './types.ts';

const DOT = 0x2e;
const STAR = 0x2a;
const GREATER = 0x3e;

/** Undefined when the filter lets everything through: no subjects, or `>` among them. */
export function subjectFilter(subjects: readonly string[]): SubjectFilter | undefined {
  if (subjects.length === 0 || subjects.includes('>')) return undefined;
  const patterns = subjects.map((subject) => Buffer.from(subject));
  const first = patterns[0]!;
  if (patterns.length === 1) {
    return { subjects, matches: (subject, start, end) => patternMatches(first, subject, start, end) };
  }
  return {
    subjects,
    matches(subject, start, end) {
      for (const pattern of patterns) if (patternMatches(pattern, subject, start, end)) return true;
      return false;
    },
  };
}

/** True when `subject` has a token `*`, or ends in a token `>`. */
export function hasWildcard(subject: string): boolean {
  for (let at = 0; at < subject.length; at++) {
    const code = subject.charCodeAt(at);
    if (code !== STAR && code !== GREATER) continue;
    const startsToken = at === 0 || subject.charCodeAt(at - 1) === DOT;
    const endsToken = at + 1 === subject.length || (code === STAR && subject.charCodeAt(at + 1) === DOT);
    if (startsToken && endsToken) return true;
  }
  return false;
}

/** Compares token by token in place: a wildcard counts only where it is a whole token. */
function patternMatches(pattern: Buffer, subject: Buffer, start: number, end: number): boolean {
  let at = start;
  let p = 0;
  const patternEnd = pattern.length;
  while (p < patternEnd) {
    const byte = pattern[p]!;
    const atTokenStart = p === 0 || pattern[p - 1] === DOT;
    if (atTokenStart && byte === GREATER && p + 1 === patternEnd) return at < end;
    if (atTokenStart && byte === STAR && (p + 1 === patternEnd || pattern[p + 1] === DOT)) {
      const tokenStart = at;
      while (at < end && subject[at] !== DOT) at++;
      if (at === tokenStart) return false;
      p++;
      continue;
    }
    if (at >= end || subject[at] !== byte) return false;
    at++;
    p++;
  }
  return at === end;
}
