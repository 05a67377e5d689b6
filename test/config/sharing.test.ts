import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, problemsOf } from './fixture.ts';

/** Account A with `exports`, B with `imports` of them, and C. */
function accounts(exports: string, imports: string): string {
  return `accounts {
    A { exports: [${exports}] }
    B { imports: [${imports}] }
    C {}
  }`;
}

test('imports are put together with the exports that allow them', () => {
  const { security } = load(
    accounts(
      `{ stream: "pubs.>" }, { stream: "map.*.*", accounts: [B] }, { service: help, response_type: Stream, threshold: "5s" }
       { service: "own.*", account_token_position: 2 }`,
      `{ stream: { account: A, subject: "pubs.>" }, prefix: "fromA." }
       { stream: { account: A, subject: "map.1.*" } }
       { stream: { account: A, subject: "map.*.*" }, to: "m.{{wildcard(2)}}.$1" }
       { service: { account: A, subject: help }, to: "a.help", share: true }
       { service: { account: A, subject: "own.B" } }`,
    ),
  ).options;
  const [own, imported] = ['A', 'B'].map((name) => security.accounts.find((account) => account.name === name)!);
  assert.deepEqual(
    own!.exports.map(({ kind, subject, accounts: allowed }) => [kind, subject, allowed]),
    [
      ['stream', 'pubs.>', undefined],
      ['stream', 'map.*.*', ['B']],
      ['service', 'help', undefined],
      ['service', 'own.*', undefined],
    ],
  );
  assert.deepEqual(
    imported!.imports.map(({ subject, local, localMapping, remoteMapping }) => {
      return [subject, local, localMapping, remoteMapping];
    }),
    [
      ['pubs.>', 'fromA.pubs.>', 'fromA.pubs.>', 'pubs.>'],
      ['map.1.*', 'map.1.*', 'map.1.$1', 'map.1.$1'],
      ['map.*.*', 'm.*.*', 'm.{{wildcard(2)}}.$1', 'map.$2.$1'],
      ['help', 'a.help', 'a.help', 'help'],
      ['own.B', 'own.B', 'own.B', 'own.B'],
    ],
  );
  assert.deepEqual(
    imported!.imports.flatMap((each) => (each.kind === 'service' ? [[each.share, each.response]] : [])),
    [
      [true, { type: 'stream', timeoutMs: 5000 }],
      [false, { type: 'singleton', timeoutMs: 120_000 }],
    ],
  );
});

test('what is wrong with an export is named in the words of the reference server', () => {
  for (const [exported, problem] of [
    ['5', '2:19: Export Items should be a map with type entry, got an integer'],
    ['{ stream: 5 }', '2:21: Expected stream name to be string, got an integer'],
    ['{ stream: a, service: b }', '2:32: Detected service "b" but already saw a stream'],
    ['{ stream: a, nonsense: 1 }', '2:32: unknown field "nonsense"'],
    ['{ stream: a, response_type: stream }', '2:19: Detected response directive on non-service'],
    ['{ service: a, response_type: often }', '2:33: Unknown response type: "often"'],
    ['{ service: a, accounts: [Z] }', '2:19: "Z" account not defined for service export'],
    [
      '{ service: "a.*", account_token_position: 1 }',
      '2:19: Error adding service export "a.*": sublist: invalid subject',
    ],
    ['{ service: a, latency: l }', '2:33: "accounts.A.exports.latency" is not supported by this version'],
    ['{ service: a, allow_trace: true }', '2:33: "accounts.A.exports.allow_trace" is not supported by this version'],
  ] as const) {
    assert.deepEqual(problemsOf(accounts(exported, '')), [problem], exported);
  }
  assert.deepEqual(problemsOf('accounts { A { exports: 5 } }'), ['1:16: Exports should be an array, got an integer']);
  assert.deepEqual(problemsOf('accounts { A { imports: {} } }'), ['1:16: Imports should be an array, got a map']);
});

test('what is wrong with an import is named in the words of the reference server', () => {
  const exported =
    '{ stream: "a.*" }, { service: "s.*.*" }, { stream: c, accounts: [C] }, { service: "own.*", account_token_position: 2 }';
  const mapping = (to: string): string =>
    `failed to create mapping transform for stream import subject from "a.*" to "${to}"`;
  for (const [imported, problem] of [
    ['{ stream: a }', 'Stream entry should be an account map, got a string'],
    ['{ service: { account: A } }', 'Expect an account name and a subject'],
    ['{ stream: { account: Z, subject: a } }', '"Z" account not defined for stream import'],
    ['{ stream: { account: A, subject: b } }', 'Error adding stream import "b": stream import not authorized'],
    ['{ stream: { account: A, subject: "a.>" } }', 'Error adding stream import "a.>": stream import not authorized'],
    ['{ stream: { account: A, subject: c } }', 'Error adding stream import "c": stream import not authorized'],
    [
      '{ service: { account: A, subject: "own.C" } }',
      'Error adding service import "own.C": service import not authorized',
    ],
    [
      '{ stream: { account: A, subject: "a.1" }, prefix: p, to: q }',
      "Stream import can not have a 'prefix' and a 'to' property",
    ],
    [
      '{ stream: { account: A, subject: "a.*" }, prefix: "*" }',
      'Error adding stream import "a.*": stream import prefix can not contain wildcard tokens',
    ],
    [
      '{ stream: { account: A, subject: "a.*" }, to: b }',
      `Error adding stream import "a.*": ${mapping('b')}: invalid mapping destination: not using all of the token wildcard(s) in b`,
    ],
    [
      '{ stream: { account: A, subject: "a.*" }, to: "b.$2" }',
      `Error adding stream import "a.*": ${mapping('b.*')}: invalid mapping destination: wildcard index out of range in $2: [2]`,
    ],
    [
      '{ stream: { account: A, subject: "a.*" }, to: "{{left(1,1)}}" }',
      `Error adding stream import "a.*": ${mapping('{{left(1,1)}}')}: invalid mapping destination: the only mapping function allowed for import transforms is {{Wildcard()}} in {{left(1,1)}}`,
    ],
    [
      '{ service: { account: A, subject: "s.1.1" } }, { service: { account: A, subject: "s.2.2" }, to: "s.1.1" }',
      'Duplicate service import subject "s.1.1", previously used in import for account "A", subject "s.1.1"',
    ],
    [
      '{ stream: { account: A, subject: "a.1" } }, { stream: { account: A, subject: "a.1" } }',
      'Error adding stream import "a.1": stream import already exists',
    ],
    [
      '{ stream: { account: A, subject: "a.1" }, allow_trace: true }',
      '"accounts.B.imports.allow_trace" is not supported by this version',
    ],
  ] as const) {
    const problems = problemsOf(accounts(exported, imported)).map((each) => each.replace(/^\d+:\d+: /, ''));
    assert.deepEqual(problems, [problem], imported);
  }
});

test('no message can go round through imports', () => {
  const imports = (account: string, subject: string, to: string): string =>
    `imports: [{ service: { account: ${account}, subject: ${subject} }, to: ${to} }]`;
  const round = (last: string): string => `accounts {
    A { exports: [{ service: help }], ${imports('B', 'help', last)} }
    B { exports: [{ service: help }], ${imports('C', 'help', 'help')} }
    C { exports: [{ service: help }], ${imports('A', 'help', 'help')} }
  }`;
  assert.deepEqual(problemsOf(round('help')), ['2:49: Error adding service import "help": import forms a cycle']);
  assert.doesNotThrow(() => load(round('other')));
  const itself = (to: string): string =>
    `accounts { A { exports: [{ stream: a }], imports: [{ stream: { account: A, subject: a }, to: ${to} }] } }`;
  assert.match(problemsOf(itself('a'))[0]!, /import forms a cycle$/);
  assert.doesNotThrow(() => load(itself('b')));
});
