/**
 * Runs many seeds of the simulation one after the other, `npm run sim -- --seeds N [--from M] [--moving] [--taking] [--drifting]`, tells which of them fail,
 * and with which line each is replayed.
 */
import { parseArgs } from 'node:util';
import type { PlanKind } from './plan.ts';
import { simulate } from './simulation.ts';

const SHOWN_EVENTS = 60;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    duration: { type: 'string' },
    moving: { type: 'boolean', default: false },
    taking: { type: 'boolean', default: false },
    drifting: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const to = from + Number(values.seeds);
const movingOr = (kind: PlanKind): PlanKind => (values.moving ? 'moving' : kind);
const still = values.drifting ? 'drifting' : 'plain';
const kind = values.taking ? (values.moving ? 'takingMoving' : 'taking') : movingOr(still);
const options = { kind, ...(values.duration !== undefined && { durationMs: Number(values.duration) }) } as const;
const shownOptions = process.argv
  .slice(2)
  .filter((each) => /^--(moving|taking|drifting|duration)/.test(each))
  .join(' ');
const failed: number[] = [];
let acknowledgements = 0;

for (let seed = from; seed < to; seed++) {
  const result = await simulate({ seed, ...options });
  acknowledgements += result.acknowledgements;
  if (result.violations.length > 0) {
    failed.push(seed);
    console.log(`\nseed ${seed}: ${result.violations.slice(0, 5).join('\n  ')}`);
    console.log(`  replay: npm run sim -- --seeds 1 --from ${seed} ${shownOptions} --verbose`);
  }
  if (values.verbose) console.log(result.recent.slice(-SHOWN_EVENTS).join('\n'));
  if (process.stdout.isTTY || seed % 50 === 0) {
    process.stdout.write(
      `\r${seed - from + 1} of ${to - from} seeds, ${failed.length} failed, ${acknowledgements} acks `,
    );
  }
}
console.log(`\n${to - from} seeds, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(' ')}` : ''}`);
process.exitCode = failed.length > 0 ? 1 : 0;
