import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { SubjectOverlap } from '../../src/base/subject-overlap.ts';
import { subjectsCollide } from '../../src/base/subjects.ts';

const token = fc.constantFrom('a', 'b', '*', 'c');
const subject = fc
  .tuple(fc.array(token, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, open]) => [...tokens, ...(open ? ['>'] : [])].join('.'));

test('what collides with one of many subjects is found, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(subject, { maxLength: 12 }), subject, (others, wanted) => {
      const found = new SubjectOverlap(others).find(wanted);
      const colliding = others.filter((other) => subjectsCollide(other, wanted));
      assert.equal(found !== undefined, colliding.length > 0);
      if (found !== undefined) assert.ok(colliding.includes(found));
    }),
    { numRuns: 2000 },
  );
});

test('subjects made to be expensive exhaust it, instead of the loop', () => {
  const overlap = new SubjectOverlap(Array.from({ length: 20_000 }, (_, i) => `a${i}.x`));
  for (let i = 0; i < 20_000; i++) overlap.find(`*.b${i}`);
  assert.ok(overlap.exhausted);
});
