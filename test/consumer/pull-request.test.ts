import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { parsePullRequest } from '../../src/consumer/pull/pull-request.ts';

const parse = (text: string): ReturnType<typeof parsePullRequest> => parsePullRequest(Buffer.from(text));

function problemOf(text: string): string {
  const request = parse(text);
  assert.ok('problem' in request, text);
  return request.problem;
}

function batchOf(text: string): number {
  const request = parse(text);
  assert.ok('batch' in request, JSON.stringify(request));
  return request.batch;
}

test('a body that is no object is a number of messages, or one message', () => {
  const expected: readonly (readonly [string, number])[] = [
    ['', 1],
    [' 5\n', 5],
    ['+3', 3],
    ['-3', 1],
    ['007', 7],
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['9223372036854775808', 1],
    ['3.0', 1],
    ['0x10', 1],
    ['3 4', 1],
    ['null', 1],
    ['[5]', 1],
  ];
  for (const [body, batch] of expected) assert.equal(batchOf(body), batch, body);
});

test('integers are integers as they are written, up to 64 bits', () => {
  assert.equal(batchOf('{"batch":9223372036854775807}'), Number.MAX_SAFE_INTEGER);
  assert.equal(batchOf('{"batch":-9223372036854775808,"Batch":2}'), 2);
  const int = (text: string): string => `json: cannot unmarshal number ${text} into Go struct field .batch of type int`;
  for (const text of ['1e2', '1.0', '0.1', '1E0', '9223372036854775808', '-9223372036854775809', '1e400']) {
    assert.equal(problemOf(`{"batch":${text}}`), int(text));
  }
  assert.equal(problemOf('{"id":1.5}'), 'json: cannot unmarshal number into Go struct field .id of type string');
});

test('a time that is over before it begins is told from none', () => {
  const expires = (text: string): unknown => (parse(text) as { readonly expiresMs?: number }).expiresMs;
  assert.equal(expires('{"expires":-1000000}'), -1);
  assert.equal(expires('{"expires":0}'), 0);
  assert.equal(expires('{"expires":-5,"idle_heartbeat":-1}'), -5e-6);
  assert.equal(problemOf('{"expires":-5,"idle_heartbeat":1}'), 'heartbeat value too large');
});

test('what is no JSON is named in the words that clients know', () => {
  const expected: readonly (readonly [string, string])[] = [
    ['{"a":1}x', "invalid character 'x' after top-level value"],
    ['{"a":1}{"b":2}', "invalid character '{' after top-level value"],
    ['{"a":"\u0001"}', "invalid character '\\x01' in string"],
    ['{"a":"\n"}', "invalid character '\\n' in string"],
    ['{"a":1.}', "invalid character '}' in numeric literal"],
    ['{"a":1e}', "invalid character '}' in numeric literal"],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
  ];
  for (const [body, problem] of expected) assert.equal(problemOf(body), problem, body);
});

test('any bytes are a request or have a problem', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const request = parsePullRequest(Buffer.from(bytes));
      assert.ok('problem' in request || request.batch >= 1);
    }),
  );
  fc.assert(
    fc.property(fc.json(), (json) => {
      const request = parse(`{"batch":${json}}`);
      assert.ok('problem' in request || request.batch >= 1);
    }),
  );
});
