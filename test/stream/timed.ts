/** Owns letting time pass for a stream whose leader works by the clock. */
import type { Fixture } from './stream-fixture.ts';

/** Longer than the chains of promises between a timer and what it proposes. */
const TURNS = 400;

/** Lets `ms` pass in steps, with everything that becomes due proposed and applied. */
export async function pass({ runtime, group }: Fixture, ms: number, stepMs = 250): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    runtime.advance(Math.min(stepMs, ms - passed));
    await settle(group, runtime);
  }
}

async function settle(group: Fixture['group'], runtime: Fixture['runtime']): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    group.run();
    await Promise.resolve();
    if (turn % 20 === 0) runtime.advance(0);
  }
}
