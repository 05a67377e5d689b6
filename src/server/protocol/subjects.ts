/** Owns the rules for subjects: which are well formed, which are literal, and which belong to servers alone. */
import { CR, DOT, FF, GREATER, LF, SPACE, STAR, TAB } from './bytes.ts';

export type SubjectKind = 'literal' | 'wildcard' | 'invalid';

const NOT_IN_SUBJECTS = new Set([SPACE, TAB, CR, LF, FF]);

/**
 * Classifies the subject of a subscription, given as a byte string. `*` and `>` are wildcards only when they are a whole
 * token, and `>` only as the last one; inside a longer token both are ordinary characters.
 */
export function classifySubject(subject: string): SubjectKind {
  let kind: SubjectKind = 'literal';
  let tokenStart = 0;
  for (let at = 0; at <= subject.length; at++) {
    const byte = at === subject.length ? DOT : subject.charCodeAt(at);
    if (NOT_IN_SUBJECTS.has(byte)) return 'invalid';
    if (byte !== DOT) continue;
    const length = at - tokenStart;
    if (length === 0) return 'invalid';
    if (length === 1) {
      const only = subject.charCodeAt(tokenStart);
      if (only === GREATER && at !== subject.length) return 'invalid';
      if (only === GREATER || only === STAR) kind = 'wildcard';
    }
    tokenStart = at + 1;
  }
  return kind;
}

/** Whether a subscription to `filter` receives messages on the literal `subject`. Both are valid byte strings. */
export function subjectMatches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const given = subject.split('.');
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return given.length > i;
    if (i >= given.length || (token !== '*' && token !== given[i])) return false;
  }
  return wanted.length === given.length;
}

/** Gateway replies and Raft groups of the reference server: no client may publish there. */
const SERVER_SUBJECTS = ['_GR_.', '$NRG.'].map((prefix) => Buffer.from(prefix));
/** Replies that would let a client forge what only servers route: imports' answers, acks, gateway replies. */
const SERVER_REPLIES = ['_R_.', '$JS.ACK.', '_GR_.'].map((prefix) => Buffer.from(prefix));
const DOLLAR = 0x24;
const UNDERSCORE = 0x5f;

export function isServerSubject(buffer: Buffer, start: number, end: number): boolean {
  return startsWithAny(buffer, start, end, SERVER_SUBJECTS);
}

export function isServerReply(buffer: Buffer, start: number, end: number): boolean {
  return startsWithAny(buffer, start, end, SERVER_REPLIES);
}

function startsWithAny(buffer: Buffer, start: number, end: number, prefixes: readonly Buffer[]): boolean {
  const first = buffer[start];
  if (first !== DOLLAR && first !== UNDERSCORE) return false;
  return prefixes.some((prefix) => startsWith(buffer, start, end, prefix));
}

function startsWith(buffer: Buffer, start: number, end: number, prefix: Buffer): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (buffer[start + i] !== prefix[i]) return false;
  return true;
}
