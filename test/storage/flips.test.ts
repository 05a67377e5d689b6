/** A sample of the bytes of a small data directory; flip-all.ts tries every one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { flipBytes } from './flips.ts';

/** Odd, so that all parts of records have their turn. */
const EVERY = 199;

test('a flipped bit anywhere in a stopped node’s data is noticed, or does no harm', async () => {
  const outcomes = await flipBytes((_file, offset) => offset % EVERY === 0);
  assert.ok(outcomes.length > 20, `only ${outcomes.length} bytes tried`);
  assert.deepEqual(
    outcomes.filter(({ result }) => result === 'SILENT'),
    [],
  );
  assert.ok(outcomes.some(({ result }) => result !== 'harmless'));
});
