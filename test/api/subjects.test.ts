/** The algebra of subjects, held against its definition over a small world of literal subjects. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import {
  hasWildcards,
  isLiteralSubject,
  isSubjectSubset,
  isValidSubject,
  SubjectMatcher,
  subjectsCollide,
} from '../../src/base/subjects.ts';

/** Every literal subject of up to four tokens over an alphabet of two and one that no pattern names. */
const WORLD = literals(['a', 'b', 'zz'], 4);

function literals(alphabet: readonly string[], length: number): string[] {
  if (length === 0) return [];
  const shorter = literals(alphabet, length - 1);
  const longest = shorter.filter((subject) => subject.split('.').length === length - 1);
  const grown = length === 1 ? alphabet : longest.flatMap((head) => alphabet.map((token) => `${head}.${token}`));
  return [...shorter, ...grown];
}

/** What a pattern means, said as a regular expression. */
function selected(pattern: string): Set<string> {
  const tokens = pattern.split('.').map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token));
  const expression = new RegExp(`^${tokens.join('\\.')}$`);
  return new Set(WORLD.filter((subject) => expression.test(subject)));
}

const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 2 }), fc.constantFrom('a', 'b', '*', '>'))
  .map(([head, last]) => [...head, last].join('.'));

test('two subjects collide when a literal subject matches both', () => {
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      const common = [...selected(a)].some((subject) => selected(b).has(subject));
      assert.equal(subjectsCollide(a, b), common, `${a} and ${b}`);
    }),
  );
});

test('a subject is a subset when all that it matches is matched', () => {
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      const covered = [...selected(a)].every((subject) => selected(b).has(subject));
      assert.equal(isSubjectSubset(a, b), covered, `${a} of ${b}`);
    }),
  );
});

test('a matcher agrees with the definition, wherever in a buffer the subject is', () => {
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), fc.constantFrom(...WORLD), (patterns, subject) => {
      const matcher = new SubjectMatcher(patterns);
      const buffer = Buffer.from(`x.${subject}.y`);
      const expected = patterns.some((one) => selected(one).has(subject));
      assert.equal(matcher.matches(buffer, 2, buffer.length - 2), expected, `${patterns.join(' ')} ${subject}`);
    }),
  );
});

test('subjects have tokens, no white space, and > at most at the end', () => {
  for (const subject of ['a', 'a.b', '*', '>', 'a.*.>', '$JS.x', 'a*b', 'ü.x']) {
    assert.ok(isValidSubject(subject), subject);
  }
  for (const subject of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\tb', '>.a', 'a.>.b', 'a\r\nb']) {
    assert.equal(isValidSubject(subject), false, subject);
  }
});

test('wildcards are whole tokens', () => {
  assert.ok(hasWildcards('a.*') && hasWildcards('>') && hasWildcards('a.*.b'));
  assert.equal(hasWildcards('a*.b>'), false);
  assert.ok(isLiteralSubject('a.b*'));
  assert.equal(isLiteralSubject('a.*'), false);
});
