import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test, type TestsStream } from 'node:test';
import { RunningTests } from './running-tests.ts';

const FILE = '/tests/a.test.ts';

/** The events of a file that begins the tests `begun`, ends the tests `ended`, and then runs out of time. */
function timedOut(
  begun: readonly (readonly [name: string, nesting: number])[],
  ended: readonly (readonly [name: string, nesting: number])[],
): string[] {
  const events = new EventEmitter();
  const running = new RunningTests(events as unknown as TestsStream);
  events.emit('test:dequeue', { file: FILE, name: FILE, nesting: 0 });
  for (const [name, nesting] of begun) events.emit('test:dequeue', { file: FILE, name, nesting });
  for (const [name, nesting] of ended) events.emit('test:complete', { file: FILE, name, nesting });
  const error = Object.assign(new Error('test timed out'), { failureType: 'testTimeoutFailure' });
  events.emit('test:fail', { file: FILE, name: FILE, nesting: 0, details: { error } });
  return running.unfinished('/tests');
}

test('a file that ran out of time is reported with the test it was in, and with the suites around it', () => {
  const begun = [
    ['first', 0],
    ['group', 0],
    ['first', 1],
    ['second', 1],
  ] as const;
  const ended = [
    ['first', 0],
    ['first', 1],
  ] as const;
  assert.deepEqual(timedOut(begun, ended), ['a.test.ts timed out in "group" > "second"']);
});

test('a file that ran out of time after its last test is reported as such', () => {
  assert.deepEqual(timedOut([['only', 0]], [['only', 0]]), ['a.test.ts timed out with no test under way']);
});

test('nothing is reported of files that ended, or failed otherwise', () => {
  const events = new EventEmitter();
  const running = new RunningTests(events as unknown as TestsStream);
  events.emit('test:dequeue', { file: FILE, name: 'open', nesting: 0 });
  const error = Object.assign(new Error('failed'), { failureType: 'subtestsFailed' });
  events.emit('test:fail', { file: FILE, name: FILE, nesting: 0, details: { error } });
  assert.deepEqual(running.unfinished('/tests'), []);
});
