import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  COMMON_OPTIONS,
  connectionSettings,
  SavedContexts,
  type CommonOptions,
  type ConnectionSettings,
} from '../../src/tool/connection/index.ts';
import { ToolError, UsageError } from '../../src/tool/failure.ts';
import { parse } from '../../src/tool/parse.ts';

/** Without the contexts of whoever runs this. */
const NO_CONTEXTS = { XDG_CONFIG_HOME: join(tmpdir(), 'millrace-has-no-contexts-here') };

function settings(words: readonly string[], env: NodeJS.ProcessEnv = {}): ConnectionSettings {
  const parsed = parse(COMMON_OPTIONS, words);
  assert.equal(parsed.kind, 'input');
  return connectionSettings(parsed.values as CommonOptions, { ...NO_CONTEXTS, ...env });
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
  assert.equal(settings(['--tlscert', 'c.pem', '--tlskey', 'k.pem']).tls?.keyFile, 'k.pem');
  assert.throws(() => settings(['--tls-cert', 'c.pem']), UsageError);
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

test('a timeout that is none is refused with its origin', () => {
  assert.throws(() => settings([], { NATS_TIMEOUT: 'soon' }), /^UsageError: NATS_TIMEOUT: "soon" is not a duration/);
  assert.throws(() => settings(['--timeout', '0']), /^UsageError: --timeout: at least a millisecond/);
});

test('a saved context gives what no option says; the selected one only where no server is named', () => {
  const home = mkdtempSync(join(tmpdir(), 'millrace-contexts-'));
  try {
    const env = { XDG_CONFIG_HOME: home };
    const contexts = new SavedContexts(env);
    contexts.write('prod', { url: 'tls://p:1,p:2', user: 'u', password: 'p', jetstream_domain: 'hub' });
    const named = settings(['--context', 'prod', '--user', 'other'], { ...env, NATS_USER: 'env' });
    assert.deepEqual([named.servers, named.user, named.password], [['p:1', 'p:2'], 'other', 'p']);
    assert.deepEqual([named.apiPrefix, named.tls?.rejectUnauthorized], ['$JS.hub.API', true]);
    assert.deepEqual(settings([], env).servers, ['127.0.0.1:4222']);
    contexts.select('prod');
    assert.deepEqual(settings([], env).servers, ['p:1', 'p:2']);
    assert.deepEqual(settings([], { ...env, NATS_CONTEXT: 'prod', NATS_URL: 'x:1' }).servers, ['p:1', 'p:2']);
    for (const elsewhere of [settings(['-s', 'x:1'], env), settings([], { ...env, NATS_URL: 'x:1' })]) {
      assert.deepEqual([elsewhere.servers, elsewhere.user], [['x:1'], undefined]);
    }
    assert.throws(() => settings(['--context', 'nope'], env), ToolError);
    contexts.remove('prod');
    assert.deepEqual([contexts.names(), contexts.selected()], [[], undefined]);
  } finally {
    rmSync(home, { recursive: true });
  }
});
