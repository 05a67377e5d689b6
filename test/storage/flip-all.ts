/** Tries every byte of a small data directory: `npx tsx test/storage/flip-all.ts`. Takes minutes. */
import { flipBytes } from './flips.ts';

const outcomes = await flipBytes(() => true);
const counts: Record<string, number> = {};
for (const { result } of outcomes) counts[result] = (counts[result] ?? 0) + 1;
console.log(counts);
const silent = outcomes.filter(({ result }) => result === 'SILENT');
for (const { file, offset } of silent) console.error(`not noticed: ${file} at ${offset}`);
process.exitCode = silent.length === 0 ? 0 : 1;
