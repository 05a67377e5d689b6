import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGoTime } from '../../src/base/go-time.ts';
import { formatRfc3339 } from '../../src/base/rfc3339.ts';

const AS = 'as "2006-01-02T15:04:05Z07:00"';

function shown(text: string): string {
  const parsed = parseGoTime(text);
  return parsed.ok ? formatRfc3339(parsed.timeUs) : parsed.error;
}

test('times are read as leniently as clients are used to', () => {
  assert.equal(shown('2024-02-29T01:02:03.1234567899Z'), '2024-02-29T01:02:03.123456Z');
  assert.equal(shown('2024-01-01T1:02:03,5+02:30'), '2023-12-31T22:32:03.5Z');
  assert.equal(shown('0050-01-01T00:00:00Z'), '0050-01-01T00:00:00Z');
  assert.equal(shown('0001-01-01T00:00:00Z'), '0001-01-01T00:00:00Z');
});

test('what is no time is told from left to right', () => {
  const refusals: readonly (readonly [text: string, error: string])[] = [
    ['', `parsing time "" ${AS}: cannot parse "" as "2006"`],
    ['2024-1-01', `parsing time "2024-1-01" ${AS}: cannot parse "1-01" as "01"`],
    ['2024-01-01 00', `parsing time "2024-01-01 00" ${AS}: cannot parse " 00" as "T"`],
    ['2024-01-01T00:00:00', `parsing time "2024-01-01T00:00:00" ${AS}: cannot parse "" as "Z07:00"`],
    ['2024-13-01T00:00:00Z', 'parsing time "2024-13-01T00:00:00Z": month out of range'],
    ['2024-02-30T00:00:00Z', 'parsing time "2024-02-30T00:00:00Z": day out of range'],
    ['2024-02-30T24:00:00Z', 'parsing time "2024-02-30T24:00:00Z": hour out of range'],
    ['2024-01-01T00:00:00Zä"', 'parsing time "2024-01-01T00:00:00Z\\xc3\\xa4\\"": extra text: "\\xc3\\xa4\\""'],
    ['2024-01-01T00:00:00+25:00', 'parsing time "2024-01-01T00:00:00+25:00": time zone offset hour out of range'],
  ];
  for (const [text, error] of refusals) assert.equal(shown(text), error);
});
