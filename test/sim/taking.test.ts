/** Streams that mirror and source others, under everything that can break; by seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLANTED_TAKER_BUGS } from './planted-taker-bugs.ts';
import { simulate } from './simulation.ts';

const SEEDS = 5;
const MOVING_SEEDS = 3;
/** Each of these once showed a defect. */
const REGRESSIONS: readonly number[] = [];
/** A bug may stay hidden in so many runs. */
const LUCKY_SEEDS = 20;
const SHOWN_EVENTS = 40;

const only = process.env['SIM_SEED'];

function seedsOf(count: number, regressions: readonly number[]): number[] {
  return only === undefined ? Array.from({ length: count }, (_, at) => at + 1).concat(regressions) : [Number(only)];
}

for (const seed of seedsOf(SEEDS, REGRESSIONS)) {
  test(`mirrors and sources have each message once and in order (SIM_SEED=${seed})`, async () => {
    const { violations, recent } = await simulate({ seed, kind: 'taking' });
    assert.deepEqual(violations, [], recent.slice(-SHOWN_EVENTS).join('\n'));
  });
}

for (const seed of seedsOf(MOVING_SEEDS, [])) {
  test(`so they have while all streams are moved (SIM_SEED=${seed})`, async () => {
    const { violations, recent } = await simulate({ seed, kind: 'takingMoving' });
    assert.deepEqual(violations, [], recent.slice(-SHOWN_EVENTS).join('\n'));
  });
}

test('a seed with mirrors and sources takes the same course every time', async () => {
  const first = await simulate({ seed: 5, kind: 'taking' });
  const second = await simulate({ seed: 5, kind: 'taking' });
  assert.deepEqual(second.recent, first.recent);
  assert.equal(second.digest, first.digest);
});

for (const { what, interference, change } of PLANTED_TAKER_BUGS) {
  test(`found when planted: ${what}`, async () => {
    for (let seed = 1; seed <= LUCKY_SEEDS; seed++) {
      const { violations } = await simulate({ seed, kind: 'taking', interference: interference(), change });
      if (violations.length > 0) return;
    }
    assert.fail('no run has shown it');
  });
}
