/** Which patterns schedules may have, and when they fire (streams.md 7.8). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextFiring, parseSchedule } from '../../src/stream/schedules/schedule-pattern.ts';
import { isKnownZone } from '../../src/stream/schedules/time-zones.ts';

const us = (text: string): number => Date.parse(text) * 1000;

/** The next `count` times behind `since`, in UTC. */
function firings(pattern: string, zone: string, since: string, count: number): string[] {
  const parsed = parseSchedule(pattern);
  assert.ok(parsed, pattern);
  const times: string[] = [];
  let sinceUs = us(since);
  while (times.length < count) {
    const next = nextFiring(parsed, zone, { sinceUs, nowUs: sinceUs });
    if (next === undefined) break;
    times.push(new Date(next / 1000).toISOString().replace('.000', ''));
    sinceUs = next;
  }
  return times;
}

test('the patterns that the reference server takes are taken, and no others', () => {
  const good = [
    ...[
      '@at 2099-01-01T00:00:00Z',
      '@at 2099-01-01T00:00:00.123456789+02:00',
      '@every 1s',
      '@every 1.5s',
      '@every 1h2m',
    ],
    ...['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly', '* * * * * *', '0 0 0 1 1 *'],
    ...['* * * * * 6', '* * * ? * ?', '*/5 * * * * *', '1-5/2 * * * * *', '5/10 * * * * *', '1,2,3 * * * * *'],
    ...['* * * * jan *', '* * * * JAN-Dec *', '* * * * * mon-fri', '* * * * * Sun', '0  0 0 * * *', '1,,2 * * * * *'],
    ...['*-5 * * * * *', '?/5 * * * * *', '01 * * * * *', '+1 * * * * *', '*/100 * * * * *', '1-5,7/2 * * * * *'],
    ...['0 0 0 29 2 *', '0 0 0 31 2 mon'],
  ];
  const bad = [
    ...['@at  2099-01-01T00:00:00Z', '@at 2099-01-01T00:00:00', '@AT 2099-01-01T00:00:00Z', '@at', '@at 1', 'foo', ''],
    ...[
      '@every 999ms',
      '@every  1s',
      '@every',
      '@every 1',
      '@every -1s',
      '@every 1h x',
      '@Daily',
      '@daily ',
      '@minutely',
    ],
    ...['* * * * *', '* * * * * * *', '60 * * * * *', '* 60 * * * *', '* * 24 * * *', '* * * 0 * *', '* * * 32 * *'],
    ...['* * * * 13 *', '* * * * 0 *', '* * * * * 7', '*/0 * * * * *', '5-1 * * * * *', 'a * * * * *', '* * * L * *'],
    ...['1- * * * * *', '-1 * * * * *', ', * * * * *', '1/2/3 * * * * *', '*/5-10 * * * * *', '0 0 0 31 2 *'],
    ...['* * * * january *', '* * * * * sat-sun', '0 0 0 31 4,6 *'],
  ];
  for (const pattern of good) assert.ok(parseSchedule(pattern), pattern);
  for (const pattern of bad) assert.equal(parseSchedule(pattern), undefined, pattern);
});

test('an interval counts from the second nearest to the time it was stored or fired', () => {
  assert.deepEqual(firings('@every 1m', 'UTC', '2026-01-01T00:00:00.400Z', 2), [
    '2026-01-01T00:01:00Z',
    '2026-01-01T00:02:00Z',
  ]);
  assert.deepEqual(firings('@every 1m', 'UTC', '2026-01-01T00:00:00.600Z', 1), ['2026-01-01T00:01:01Z']);
});

test('what was missed fires once, and the time after that counts from now', () => {
  const pattern = parseSchedule('@every 10s')!;
  const times = { sinceUs: us('2026-01-01T00:00:00Z'), nowUs: us('2026-01-01T01:00:03.2Z') };
  assert.equal(nextFiring(pattern, 'UTC', times), us('2026-01-01T01:00:13Z'));
  const cron = parseSchedule('0 30 * * * *')!;
  assert.equal(nextFiring(cron, 'UTC', times), us('2026-01-01T01:30:00Z'));
});

test('a time is itself, however long ago', () => {
  const pattern = parseSchedule('@at 2020-01-01T01:00:00+01:00')!;
  assert.equal(
    nextFiring(pattern, 'UTC', { sinceUs: us('2026-01-01T00:00:00Z'), nowUs: 0 }),
    us('2020-01-01T00:00:00Z'),
  );
});

test('day of month and day of week are both needed unless both are restricted', () => {
  assert.deepEqual(firings('0 0 0 13 * fri', 'UTC', '2026-01-01T00:00:00Z', 3), [
    '2026-01-02T00:00:00Z',
    '2026-01-09T00:00:00Z',
    '2026-01-13T00:00:00Z',
  ]);
  assert.deepEqual(firings('0 0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 1), ['2028-02-29T00:00:00Z']);
  assert.deepEqual(firings('@weekly', 'UTC', '2026-01-01T00:00:00Z', 1), ['2026-01-04T00:00:00Z']);
  assert.deepEqual(firings('59 59 23 31 12 *', 'UTC', '2026-01-01T00:00:00Z', 1), ['2026-12-31T23:59:59Z']);
});

test('an hour that is skipped has no times, and one that comes twice has them twice', () => {
  const zone = 'America/New_York';
  assert.deepEqual(firings('0 30 2 * * *', zone, '2026-03-07T12:00:00Z', 1), ['2026-03-09T06:30:00Z']);
  assert.deepEqual(firings('0 30 1 * * *', zone, '2026-11-01T00:00:00Z', 3), [
    '2026-11-01T05:30:00Z',
    '2026-11-01T06:30:00Z',
    '2026-11-02T06:30:00Z',
  ]);
  assert.deepEqual(firings('0 0 0 1 7 *', zone, '2026-01-15T00:00:00Z', 2), [
    '2026-07-01T04:00:00Z',
    '2027-07-01T04:00:00Z',
  ]);
  assert.deepEqual(firings('@daily', 'Asia/Kolkata', '2026-01-15T00:00:00Z', 1), ['2026-01-15T18:30:00Z']);
});

test('zones have the names of the tables', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'EST', 'Etc/GMT+5', 'GMT']) {
    assert.ok(isKnownZone(zone), zone);
  }
  for (const zone of ['', 'Foo/Bar', 'utc', 'europe/berlin', '+02:00', 'Z', 'Local', 'Europe/']) {
    assert.ok(!isKnownZone(zone), zone);
  }
});
