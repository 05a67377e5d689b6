import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasWildcards } from '../../src/base/subjects.ts';
import { subjectFilter } from '../../src/stream/index.ts';

const matches = (patterns: string[], subject: string): boolean => {
  const filter = subjectFilter(patterns);
  const bytes = Buffer.from(`..${subject}..`);
  return filter === undefined || filter.matches(bytes, 2, bytes.length - 2);
};

test('a star stands for one token, a greater-than for one or more at the end', () => {
  const yes = [
    ['a.b', 'a.b'],
    ['a.*', 'a.b'],
    ['*.*', 'a.b'],
    ['a.>', 'a.b.c'],
    ['*.b.>', 'a.b.c'],
    ['>', 'a'],
    ['*', 'a'],
  ];
  const no = [
    ['a.b', 'a.bc'],
    ['a.b', 'a'],
    ['a.*', 'a'],
    ['a.*', 'a.b.c'],
    ['a.>', 'a'],
    ['a.>', 'ab.c'],
    ['*', 'a.b'],
  ];
  for (const [pattern, subject] of yes) assert.ok(matches([pattern!], subject!), `${pattern} matches ${subject}`);
  for (const [pattern, subject] of no)
    assert.ok(!matches([pattern!], subject!), `${pattern} does not match ${subject}`);
  assert.ok(matches(['x', 'a.*'], 'a.b'));
});

test('a wildcard within a token is a character like any other', () => {
  assert.ok(matches(['a*.b'], 'a*.b'));
  assert.ok(!matches(['a*.b'], 'ax.b'));
  assert.deepEqual(['a*', 'a.*b', '*a.b', 'a.>b'].map(hasWildcards), [false, false, false, false]);
  assert.deepEqual(['*', 'a.*', '*.a', 'a.*.b', 'a.>', '>'].map(hasWildcards), [true, true, true, true, true, true]);
});

test('a filter that lets everything through is none', () => {
  assert.equal(subjectFilter([]), undefined);
  assert.equal(subjectFilter(['a', '>']), undefined);
});
