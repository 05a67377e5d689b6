import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SubjectTree } from '../../src/base/subject-tree.ts';
import { SubjectMatcher } from '../../src/base/subjects.ts';

const token = fc.constantFrom('a', 'b', 'é', 'a*');
const wild = fc.oneof(token, fc.constant('*'));
const pattern = fc
  .tuple(fc.array(wild, { maxLength: 4 }), fc.boolean())
  .map(([tokens, open]) => (open || tokens.length === 0 ? [...tokens, '>'] : tokens).join('.'));
const literal = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.'));

test('a tree of patterns matches what one of them matches', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 8 }), literal, (patterns, subject) => {
      const bytes = Buffer.from(`..${subject}..`);
      const one = patterns.some((each) => new SubjectMatcher([each]).matches(bytes, 2, bytes.length - 2));
      assert.equal(
        new SubjectTree(patterns).matches(bytes, 2, bytes.length - 2),
        one,
        `${patterns.join(' ')}: ${subject}`,
      );
    }),
    { numRuns: 3000 },
  );
});

test('a filter of ten thousand subjects lets through what one of them names', () => {
  const matcher = new SubjectMatcher(Array.from({ length: 10_000 }, (_, i) => `a.${i}.${i % 2 === 0 ? '*' : 'x'}`));
  const matches = (subject: string): boolean => matcher.matches(Buffer.from(subject), 0, Buffer.byteLength(subject));
  assert.deepEqual(['a.9998.y', 'a.9999.x', 'a.9999.y', 'a.10000.x', 'a.5', ''].map(matches), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
