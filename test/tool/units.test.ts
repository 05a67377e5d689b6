import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../src/tool/failure.ts';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatCountOf,
  formatDuration,
  formatLimit,
  formatTime,
  parseBytes,
  parseDuration,
  parseTime,
} from '../../src/tool/units.ts';

test('sizes are read with binary and decimal units', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['1024', 1024],
    ['10MiB', 10 * 1024 ** 2],
    ['10mib', 10 * 1024 ** 2],
    ['64K', 64 * 1024],
    ['1.5GB', 1_500_000_000],
    ['2 TiB', 2 * 1024 ** 4],
    ['-1', -1],
    ['unlimited', -1],
  ];
  for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes, text);
  for (const text of ['', 'x', '10XB', '1.2.3', '-5', 'MiB']) assert.throws(() => parseBytes(text), UsageError, text);
});

test('durations are read in milliseconds, all units adding up', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5s', 1500],
    ['2d', 172_800_000],
    ['100us', 0.1],
  ];
  for (const [text, milliseconds] of cases) assert.equal(parseDuration(text), milliseconds, text);
  for (const text of ['', '5', 'm', '5x', '1h 30m', '-1s']) assert.throws(() => parseDuration(text), UsageError, text);
});

test('what is printed as a duration can be given as one', () => {
  for (const milliseconds of [1, 250, 1500, 60_000, 5_400_000, 172_800_000, 90_061_000]) {
    assert.equal(parseDuration(formatDuration(milliseconds)), milliseconds, formatDuration(milliseconds));
  }
});

test('a time is a date, or counts back from now', () => {
  const now = Date.parse('2026-05-01T12:00:00Z');
  assert.equal(parseTime('1h', now), '2026-05-01T11:00:00.000Z');
  assert.equal(parseTime('2026-01-31T10:00:00+02:00', now), '2026-01-31T08:00:00.000Z');
  assert.equal(parseTime('2026-01-31', now), '2026-01-31T00:00:00.000Z');
  for (const text of ['', 'yesterday', '2026-13-01', '12']) assert.throws(() => parseTime(text, now), UsageError, text);
});

test('quantities are printed for people', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 10 * 1024 ** 2, 3 * 1024 ** 4].map(formatBytes), [
    '0 B',
    '1023 B',
    '1 KiB',
    '1.5 KiB',
    '10 MiB',
    '3 TiB',
  ]);
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.equal(formatCountOf(1, 'message'), '1 message');
  assert.equal(formatCountOf(2000, 'message'), '2,000 messages');
  assert.equal(formatLimit(-1), 'unlimited');
  assert.equal(formatLimit(5000), '5,000');
  assert.equal(formatAge(90_061_000), '1d1h');
  assert.equal(formatTime('0001-01-01T00:00:00Z'), 'never');
});
