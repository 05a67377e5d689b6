/** Streams that are scaled and moved, and nodes that are removed and come back, under everything that can break; by seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation.ts';

const SEEDS = 50;
/** Each of these once showed a defect. */
const REGRESSIONS: readonly number[] = [65, 362, 483, 1112, 1238];
const SHOWN_EVENTS = 40;

const only = process.env['SIM_SEED'];
const seeds =
  only === undefined ? Array.from({ length: SEEDS }, (_, at) => at + 1).concat(REGRESSIONS) : [Number(only)];

for (const seed of seeds) {
  test(`streams change their members and keep what they acknowledged (SIM_SEED=${seed})`, async () => {
    const { violations, recent } = await simulate({ seed, kind: 'moving' });
    assert.deepEqual(violations, [], recent.slice(-SHOWN_EVENTS).join('\n'));
  });
}

test('a seed with moving streams takes the same course every time', async () => {
  const first = await simulate({ seed: 5, kind: 'moving' });
  const second = await simulate({ seed: 5, kind: 'moving' });
  assert.deepEqual(second.recent, first.recent);
  assert.equal(second.digest, first.digest);
});
