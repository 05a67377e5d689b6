import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogOptions } from '../../src/server/config/index.ts';
import { createLogger, type ServerLog } from '../../src/server/log.ts';

const OPTIONS: LogOptions = {
  file: undefined,
  sizeLimitBytes: 0,
  maxFiles: 0,
  time: true,
  timeUtc: false,
  debug: false,
  trace: false,
};

/** Runs `body` with a log into a file of its own. */
function withLog(options: Partial<LogOptions>, body: (log: ServerLog, file: string, directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
  const file = join(directory, 'server.log');
  const log = createLogger({ ...OPTIONS, file, ...options });
  try {
    body(log, file, directory);
  } finally {
    log.close();
    rmSync(directory, { recursive: true });
  }
}

test('a line has the process id, the time in microseconds, the level and the text', () => {
  withLog({}, ({ logger }, file) => {
    logger.info({}, 'Server is ready');
    assert.match(
      readFileSync(file, 'utf8'),
      /^\[\d+\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} \[INF\] Server is ready\n$/,
    );
  });
});

test('fields follow the event, those of a child logger first, and a line stays a line', () => {
  withLog({ time: false }, ({ logger }, file) => {
    const child = logger.child({ group: 7 });
    child.warn({ reason: 'a "b"\nc', error: new Error('gone'), list: [1] }, 'leader changed');
    assert.equal(
      readFileSync(file, 'utf8'),
      `[${process.pid}] [WRN] leader changed group=7 reason="a \\"b\\"\\nc" error=gone list=[1]\n`,
    );
  });
});

test('levels hide what was not asked for, and a reload changes them for children too', () => {
  withLog({ time: false }, (log, file) => {
    const child = log.logger.child({});
    child.debug({}, 'hidden');
    log.configure({ ...OPTIONS, file, time: false, debug: true });
    child.debug({}, 'shown');
    child.error({}, 'bad');
    log.logger.fatal({}, 'last');
    const labels = [...readFileSync(file, 'utf8').matchAll(/\[(\w{3})\] (\w+)/g)].map((match) => match.slice(1));
    assert.deepEqual(labels, [
      ['DBG', 'shown'],
      ['ERR', 'bad'],
      ['FTL', 'last'],
    ]);
  });
});

test('a log file that was moved away is opened anew on request', () => {
  withLog({}, (log, file) => {
    log.logger.info({}, 'before');
    renameSync(file, `${file}.1`);
    log.reopen();
    log.logger.info({}, 'after');
    assert.match(readFileSync(`${file}.1`, 'utf8'), /before/);
    assert.match(readFileSync(file, 'utf8'), /after/);
  });
});

test('a log file is set aside at its size limit, and only so many are kept', () => {
  withLog({ sizeLimitBytes: 60, maxFiles: 3, time: false }, ({ logger }, _file, directory) => {
    for (let line = 0; line < 20; line += 1) logger.info({ line }, 'some text of a certain length');
    const names = readdirSync(directory);
    assert.equal(names.length, 3);
    assert.ok(
      names.every((name) => /^server\.log(\.\d{4}(\.\d\d){5}\.\d{9})?$/.test(name)),
      names.join(),
    );
  });
});
