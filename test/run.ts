/**
 * Runs the test files whose path contains the filter given on the command line (all without one).
 * Node 20's `node --test` knows no globs and exits 0 when it found nothing to run, so the files are listed here, and
 * finding none is a failure. Nor does it say what a file that timed out was doing, so that is added at the end.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { RunningTests } from './harness/running-tests.ts';

const TEST_FILE_TIMEOUT_MS = 240_000;
const root = import.meta.dirname;
const filter = process.argv[2] ?? '';

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && name.includes(filter))
  .map((name) => join(root, name))
  .sort();

if (files.length === 0) {
  console.error(`no test file matches "${filter}" in ${relative(process.cwd(), root)}`);
  process.exit(1);
}

let failed = false;
const stream = run({ files, concurrency: availableParallelism(), timeout: TEST_FILE_TIMEOUT_MS });
const running = new RunningTests(stream);
stream.on('test:fail', () => {
  failed = true;
});
stream
  .pipe(new spec())
  .on('end', () => {
    for (const line of running.unfinished(root)) console.error(line);
    process.exitCode = failed ? 1 : 0;
  })
  .pipe(process.stdout);
