/** Random runs of the core; see core-simulation.ts. `SIM_SEED=n` replays one, `SIM_SEEDS=n` runs the first n. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreSimulation, type SimulationOptions } from './core-simulation.ts';

const QUICK_SEEDS = 200;
const seed = process.env['SIM_SEED'];
const count = Number(process.env['SIM_SEEDS'] ?? QUICK_SEEDS);
const seeds = seed === undefined ? Array.from({ length: count }, (_, at) => at + 1) : [Number(seed)];

test(`elections, logs, commits and reads are safe, and groups heal: SIM_SEED=${seeds[0]}..${seeds.at(-1)}`, () => {
  for (const each of seeds) run({ seed: each });
});

test('the word that ended a repair came late, when the next one had begun: SIM_SEED=1328', () => {
  run({ seed: 1328 });
});

function run(options: SimulationOptions): void {
  try {
    new CoreSimulation(options).run();
  } catch (error) {
    throw new Error(`SIM_SEED=${options.seed} replays this failure`, { cause: error });
  }
}

/** The first seed in a range that shows the planted bug, and what it showed. */
function caught(bug: Omit<SimulationOptions, 'seed'>, from: number, to: number): string {
  for (let each = from; each < to; each++) {
    try {
      new CoreSimulation({ ...bug, seed: each }).run();
    } catch (error) {
      assert.ok(error instanceof assert.AssertionError, 'a check failed, not the harness');
      return error.message;
    }
  }
  assert.fail(`no seed in [${from}, ${to}) shows the planted bug`);
}

test('planted bug: votes that are not written down are found out', () => {
  assert.match(caught({ forgetVotes: true }, 50, 350), /second vote|has leaders/);
});

test('planted bug: committing entries of earlier terms by counting is found out', () => {
  assert.match(caught({ commitRule: () => true }, 1200, 1300), /lacks committed|applied another/);
});

test('planted bug: a replica that ignores that it lost something is found out', () => {
  assert.match(
    caught({ ignoreLoss: true }, 1, 100),
    /second vote|lacks committed|was committed before|applied another/,
  );
});

test('planted bug: a lease as long as an election takes is found out', () => {
  assert.match(caught({ leaseMs: 900 }, 530, 830), /was committed before/);
});

test('a run repeats exactly from its seed', () => {
  const first = new CoreSimulation({ seed: 5 });
  const second = new CoreSimulation({ seed: 5 });
  first.run();
  second.run();
  assert.ok(first.trace.length > 100);
  assert.deepEqual(first.trace, second.trace);
});
