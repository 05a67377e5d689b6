import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MILLRACE, startServers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';
import { CommandLine } from './command-line.ts';

test(
  'a signal for the server, found by its name, does not take a command for one',
  { skip: !existsSync('/proc/self/task') },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-bin-'));
    const link = join(directory, `millrace-${process.pid}`);
    symlinkSync(MILLRACE, link);
    const servers = await startServers({ nodes: 1, binary: link });
    try {
      const listener = new CommandLine(servers.first.url, link).start(['sub', 'x']);
      await listener.saying('Listening on x');
      execFileSync(link, ['--signal', 'term']);
      await waitFor(
        'the end of the server',
        async () =>
          (await fetch(`http://127.0.0.1:${servers.first.monitorPort}/`).catch(() => undefined)) === undefined,
      );
      listener.interrupt();
      assert.equal((await listener.ended).code, 0);
    } finally {
      await servers.stop();
      rmSync(directory, { recursive: true });
    }
  },
);

test('flags and the version are for the server, words for people', () => {
  const run = (...words: string[]): string => execFileSync(MILLRACE, words, { encoding: 'utf8' });
  assert.match(run('--help'), /^\nUsage: millrace \[options\]\n {7}millrace help /);
  assert.match(run('version'), /^millrace: v/);
  assert.match(run('help'), /Commands\n {2}pub /);
});
