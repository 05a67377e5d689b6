import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  COMMON_OPTIONS,
  connectionSettings,
  type CommonOptions,
  type ConnectionSettings,
} from '../../src/tool/connection/index.ts';
import { UsageError } from '../../src/tool/failure.ts';
import { parse } from '../../src/tool/parse.ts';

function settings(words: readonly string[], env: NodeJS.ProcessEnv = {}): ConnectionSettings {
  const parsed = parse(COMMON_OPTIONS, words);
  assert.equal(parsed.kind, 'input');
  return connectionSettings(parsed.values as CommonOptions, env);
}

test('the server is the one given, else that of the environment, else the one on this machine', () => {
  assert.deepEqual(settings([]).servers, ['127.0.0.1:4222']);
  assert.deepEqual(settings([], { NATS_URL: 'nats://a:1,nats://b:2' }).servers, ['a:1', 'b:2']);
  assert.deepEqual(settings([], { NATS_URL: 'nats://a:1', MILLRACE_URL: 'm:3' }).servers, ['m:3']);
  assert.deepEqual(settings(['-s', 'x:1,y:2'], { NATS_URL: 'nats://a:1' }).servers, ['x:1', 'y:2']);
});

test('credentials come from options, the URL, or the environment, in this order', () => {
  const env = { NATS_USER: 'env', NATS_PASSWORD: 'env' };
  const who = ({ user, password, token }: ConnectionSettings): unknown => [user, password, token];
  assert.deepEqual(who(settings([], env)), ['env', 'env', undefined]);
  assert.deepEqual(who(settings(['-s', 'nats://u:p%40ss@h:1'], env)), ['u', 'p@ss', undefined]);
  assert.deepEqual(who(settings(['-s', 'nats://u:p@h:1', '--user', 'o', '--password', 'q'], env)), [
    'o',
    'q',
    undefined,
  ]);
  assert.deepEqual(who(settings(['-s', 'nats://secret@h:1'])), [undefined, undefined, 'secret']);
});

test('TLS is used when a URL or an option asks for it', () => {
  assert.equal(settings([]).tls, undefined);
  assert.equal(settings(['-s', 'tls://h:1']).tls?.rejectUnauthorized, true);
  assert.equal(settings(['--tls-ca', 'ca.pem']).tls?.caFile, 'ca.pem');
  assert.equal(settings(['--tls-insecure']).tls?.rejectUnauthorized, false);
});

test('a domain or a prefix says where the JetStream API is', () => {
  assert.equal(settings([]).apiPrefix, '$JS.API');
  assert.equal(settings(['--domain', 'hub']).apiPrefix, '$JS.hub.API');
  assert.equal(settings(['--js-api-prefix', 'from.hub.']).apiPrefix, 'from.hub');
  assert.throws(() => settings(['--domain', 'a', '--js-api-prefix', 'b']), UsageError);
});

test('what is no address is refused', () => {
  for (const url of ['http://h:1', 'nats://', 'a b@c@d']) assert.throws(() => settings(['-s', url]), UsageError, url);
});

test('the timeout may come from the environment', () => {
  assert.equal(settings([]).timeoutMs, 5000);
  assert.equal(settings([], { NATS_TIMEOUT: '2s' }).timeoutMs, 2000);
  assert.equal(settings(['--timeout', '1s'], { NATS_TIMEOUT: '2s' }).timeoutMs, 1000);
});
