import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planReload } from '../../src/server/config/index.ts';
import { CLUSTER, load } from './fixture.ts';

function plan(before: string, after: string) {
  return planReload(load(before).options, load(after).options);
}

test('reloadable changes are listed with their new values', () => {
  assert.deepEqual(plan('port: 1', 'port: 1\nmax_payload: 5MB\ndebug: true\nserver_metadata { a: b }'), {
    kind: 'apply',
    changes: [
      { option: 'max_payload', value: '5242880' },
      { option: 'debug', value: 'true' },
      { option: 'metadata', value: '{"a":"b"}' },
    ],
  });
});

test('nothing changed means nothing to apply', () => {
  assert.deepEqual(plan('port: 1', 'port: 1'), { kind: 'apply', changes: [] });
});

test('one change that needs a restart refuses the whole reload', () => {
  assert.deepEqual(plan('http: 8222', 'http: 8223\ndebug: true'), {
    kind: 'refuse',
    reason: 'config reload not supported for HTTPPort: old=8222, new=8223',
  });
  assert.equal(plan('max_pending: 8MB', 'max_pending: 9MB').kind, 'refuse');
});

test('a password is compared, and never shown', () => {
  const cluster = (password: string) => `${CLUSTER} authorization { user: u, password: '${password}' } }`;
  const refused = plan(cluster('old"secret'), cluster('new"secret'));
  assert.equal(refused.kind, 'refuse');
  assert.doesNotMatch(JSON.stringify(refused), /secret/);
});
