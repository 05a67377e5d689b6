import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/** Stands in for the server: says under which name it runs, and how many threads it has once the pool is in use. */
const MAIN = `
  import { existsSync, readdirSync } from 'node:fs';
  import { stat } from 'node:fs/promises';
  import { basename } from 'node:path';
  await stat('.');
  const threads = existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0;
  console.log(JSON.stringify({ name: basename(process.argv[1]), threads }));
`;

interface Report {
  readonly name: string;
  readonly threads: number;
}

/** Runs the executable through a link called nats-server. */
function run(threadPoolSize: string | undefined): Report {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bin-'));
  try {
    cpSync(join(import.meta.dirname, '..', '..', 'bin'), join(directory, 'bin'), { recursive: true });
    mkdirSync(join(directory, 'dist', 'server'), { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(directory, 'dist', 'server', 'main.js'), MAIN);
    const link = join(directory, 'nats-server');
    symlinkSync(join(directory, 'bin', 'millrace'), link);
    const env = { ...process.env, UV_THREADPOOL_SIZE: threadPoolSize };
    return JSON.parse(execFileSync(link, { env, encoding: 'utf8' })) as Report;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('the executable keeps the name of the link that it was started through', () => {
  assert.equal(run(undefined).name, 'nats-server');
});

test(
  'the executable has eight threads in its pool unless told otherwise',
  { skip: !existsSync('/proc/self/task') },
  () => {
    // The other threads are the same, so the difference is the pool's.
    assert.equal(run(undefined).threads - run('4').threads, 4);
  },
);
