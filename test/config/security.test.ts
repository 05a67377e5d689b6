import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, problemsOf } from './fixture.ts';

test('without any security option everybody is let in, and the global account has all of JetStream', () => {
  const { security } = load('port: 4222').options;
  assert.deepEqual(security.anonymous, { kind: 'anybody' });
  assert.deepEqual(
    security.accounts.map(({ name, jetStream }) => [name, jetStream?.maxStreams]),
    [
      ['$G', -1],
      ['$SYS', undefined],
    ],
  );
});

test('accounts have users of their own, and JetStream only if they say so', () => {
  const { security } = load(`
    accounts {
      A { users: [{ user: a, password: pa }], jetstream: enabled }
      B { users: [{ user: b, pass: pb }], jetstream { max_file: 1G, max_streams: 2, max_bytes_required: true } }
      C { users: [{ user: c, password: pc }] }
      SYS { users: [{ user: s, password: ps }] }
    }
    system_account: SYS`).options;
  assert.deepEqual(
    security.accounts.map(({ name, users, jetStream }) => [
      name,
      users.map(({ user }) => user),
      jetStream?.maxStorageBytes,
    ]),
    [
      ['$G', [], undefined],
      ['A', ['a'], -1],
      ['B', ['b'], 1_000_000_000],
      ['C', ['c'], undefined],
      ['SYS', ['s'], undefined],
    ],
  );
  assert.equal(security.systemAccount, 'SYS');
  assert.deepEqual(security.anonymous, { kind: 'nobody' });
});

test('with users for the system account alone, others stay anonymous members of the global one', () => {
  const { security } = load('accounts { $SYS { users: [{ user: s, password: ps }] } }').options;
  assert.deepEqual(security.anonymous, { kind: 'global' });
  assert.equal(security.accounts[0]?.jetStream?.maxStreams, -1);
});

test('contradictions between security options are named', () => {
  const cases: readonly (readonly [config: string, problem: string])[] = [
    ['authorization { user: a, password: b, token: t }', '1:1: Cannot have a user/pass and token'],
    ['authorization { user: a, users: [{ user: b }] }', '1:1: Can not have a single user/pass and a users array'],
    ['authorization { token: t, users: [{ user: b }] }', '1:1: Can not have a token and a users array'],
    ['accounts { A { users: [{ user: a }] }, B { users: [{ user: a }] } }', '1:1: Duplicate user "a" detected'],
    ['accounts { $G { users: [{ user: a }] } }', '1:12: "$G" is a reserved account'],
    ['accounts { A { users: [{ password: a }] } }', '1:24: user entry requires a user name'],
  ];
  for (const [config, problem] of cases) assert.deepEqual(problemsOf(config), [problem], config);
});

test('what would restrict users, and is not to be had, is refused by name', () => {
  assert.deepEqual(problemsOf('authorization { users: [{ user: a, permissions { publish: x } }] }'), [
    '1:36: "authorization.users.permissions" is not supported by this version',
  ]);
  assert.deepEqual(problemsOf('accounts { A { mappings: { x: y } } }'), [
    '1:16: "accounts.A.mappings" is not supported by this version',
  ]);
});
