import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER, load, problemsOf } from './fixture.ts';

test('all problems of a file are reported at once, each with its place', () => {
  const text = 'foo: 1\nport: "4222"\nmax_payload: abc\ncluster { bar: 1, port: x }\ntls { cert_file: "c" }\n';
  assert.deepEqual(problemsOf(text), [
    '1:1: unknown field "foo"',
    '2:1: port: expected an integer, got a string',
    '3:1: max_payload: expected an integer, got a string',
    '4:11: unknown field "bar"',
    '4:19: cluster.port: expected an integer, got a string',
    '5:1: "tls" is not supported by this version',
  ]);
});

test('an empty configuration has the defaults of the reference server, and fsyncs before it acknowledges', () => {
  const { options, warnings } = load('jetstream: enabled\nstore_dir: "/data"');
  assert.deepEqual(warnings, []);
  assert.equal(options.port, 4222);
  assert.equal(options.maxPayloadBytes, 1_048_576);
  assert.equal(options.maxPendingBytes, 67_108_864);
  assert.equal(options.pingIntervalMs, 120_000);
  assert.equal(options.jetStream?.sync, 'always');
  assert.equal(options.jetStream.storeDir, '/data/jetstream');
  assert.equal(options.monitoring, undefined);
  assert.equal(options.cluster, undefined);
  assert.match(load('').warnings[0]!, /config has no values or is empty/);
});

test('options are frozen in depth', () => {
  const { options } = load('server_tags: [a]\njetstream { limits { max_ack_pending: 5 } }');
  assert.ok(
    Object.isFrozen(options) && Object.isFrozen(options.serverTags) && Object.isFrozen(options.jetStream?.limits),
  );
});

test('a full JetStream cluster node is understood', () => {
  const { options } = load(`
    server_name: n1
    listen: "127.0.0.1:4300"
    http: 8300
    http_base_path: "nats/"
    client_advertise: "example.org:4222"
    lame_duck_duration: 60s
    lame_duck_grace_period: 5s
    server_tags: ["az:a", "ssd"]
    server_metadata { rack: "7" }
    jetstream {
      store_dir: /data, max_mem: 1GB, max_file: "10G", domain: hub, sync_interval: always, strict: false
      limits { max_ack_pending: 10, max_ha_assets: 20, max_request_batch: 30, duplicate_window: "2m"
        batch { max_inflight_per_stream: 5, max_inflight_total: 0, max_msgs: 7, timeout: "3s" } }
      max_outstanding_catchup: 64MB
    }
    cluster {
      name: c1, listen: "127.0.0.1:6300", no_advertise: true, pool_size: 3, compression: s2_auto
      authorization { user: r, password: s, timeout: 1.5 }
      routes: ["nats://r:s%40@n2:6300", "nats://[::1]:6301"]
      ping_interval: "5s"
    }`);
  assert.deepEqual([options.host, options.port, options.clientAdvertise], ['127.0.0.1', 4300, 'example.org:4222']);
  assert.deepEqual(options.monitoring, { host: '127.0.0.1', port: 8300, basePath: '/nats' });
  assert.deepEqual([options.lameDuckDurationMs, options.lameDuckGraceMs], [60_000, 5000]);
  assert.deepEqual({ ...options.serverMetadata }, { rack: '7' });
  assert.deepEqual(options.jetStream, {
    storeDir: '/data/jetstream',
    storeDirIsTemporary: false,
    maxMemoryBytes: 2 ** 30,
    maxFileBytes: 10 * 2 ** 30,
    domain: 'hub',
    sync: 'always',
    strict: false,
    uniqueTag: undefined,
    limits: {
      maxAckPending: 10,
      maxHaAssets: 20,
      maxRequestBatch: 30,
      duplicateWindowMs: 120_000,
      batch: { maxOpenPerStream: 5, maxOpen: 0, maxMsgs: 7, timeoutMs: 3000 },
    },
  });
  assert.deepEqual(options.cluster, {
    name: 'c1',
    host: '127.0.0.1',
    port: 6300,
    routes: [
      { host: 'n2', port: 6300, user: 'r', password: 's@' },
      { host: '::1', port: 6301, user: undefined, password: undefined },
    ],
    authorization: { user: 'r', password: 's', timeoutMs: 1500 },
    advertise: undefined,
    noAdvertise: true,
    pingIntervalMs: 5000,
    pingMax: 2,
  });
});

test('security options that this version can not honour are refused, never ignored', () => {
  const names = ['tls', 'websocket', 'leafnodes', 'gateway', 'mqtt', 'operator', 'resolver'];
  for (const name of [...names, 'no_system_account', 'trusted_keys']) {
    assert.deepEqual(problemsOf(`${name} { x: 1 }`), [`1:1: "${name}" is not supported by this version`]);
  }
  assert.deepEqual(problemsOf('jetstream { key: secret }'), ['1:13: "jetstream.key" is not supported by this version']);
  assert.equal(load('proxy_protocol: false').options.port, 4222);
});

test('options that have nothing to act on are accepted', () => {
  const { warnings } = load('prof_port: 6060\ndisable_sublist_cache: true');
  assert.deepEqual(warnings, []);
});

test('feature flags are on or off; those of other versions are accepted', () => {
  const flags = (text: string) => load(text).options.featureFlags.js_ack_fc_v2;
  assert.equal(flags(''), false);
  assert.equal(flags('feature_flags { js_ack_fc_v2: true, other: false }'), true);
  assert.equal(flags('feature_flags { JS_ACK_FC_V2: true }'), false);
  assert.deepEqual(problemsOf('feature_flags: true'), ['1:1: feature_flags: expected a map, got a boolean']);
  assert.deepEqual(problemsOf('feature_flags { js_ack_fc_v2: "yes" }'), [
    '1:17: feature_flags.js_ack_fc_v2: expected a boolean, got a string',
  ]);
});

test('listen takes a port, :port and host:port', () => {
  const listener = (text: string) => {
    const { host, port } = load(`listen: ${text}`).options;
    return [host, port];
  };
  assert.deepEqual(listener('4300'), ['0.0.0.0', 4300]);
  assert.deepEqual(listener('":4300"'), ['0.0.0.0', 4300]);
  assert.deepEqual(listener('"[::1]:-1"'), ['::1', -1]);
  assert.deepEqual(problemsOf('listen: "abc"'), ['1:1: listen: could not parse address "abc"']);
  assert.match(problemsOf('port: 70000')[0]!, /out of range/);
});

const CROSS_CHECKS: readonly (readonly [text: string, problem: RegExp])[] = [
  ['server_name: "a b"', /^1:1: server name cannot contain spaces/],
  ['cluster { name: "a b" }', /^1:11: cluster name cannot contain spaces/],
  ['cluster { routes: [nats://a:1] }', /^1:1: solicited routes require cluster capabilities/],
  ['cluster { port: 1, routes: ["foo"] }', /^1:29: error parsing route url "foo"/],
  ['lame_duck_duration: "1s"', /^1:1: invalid lame_duck_duration of 1s, minimum is 30 seconds/],
  ['lame_duck_grace_period: "3m"', /^1:1: lame duck grace period \(3m0s\) should be strictly lower/],
  ['max_payload: 2KB\nmax_pending: 1KB', /^1:1: max_payload \(2048\) cannot be higher than max_pending/],
  ['store_dir: "a"\njetstream { store_dir: "b" }', /^2:1: Duplicate 'store_dir' configuration/],
  ['jetstream: 5', /^1:1: jetstream: expected a map, a boolean/],
  ['jetstream { domain: "a.b" }', /^1:13: jetstream.domain: invalid domain name/],
  ['server_metadata { size: 8M }', /^1:19: server_metadata.size: expected a string, got an integer/],
  ['cluster { authorization { user: a } }', /both "user" and "password"/],
];
for (const [text, problem] of CROSS_CHECKS) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    assert.match(problemsOf(text)[0]!, problem);
  });
}

test('JetStream in a cluster needs a server name, a cluster name and routes', () => {
  assert.deepEqual(problemsOf('jetstream: true\ncluster { port: 6222 }'), [
    '2:1: jetstream cluster requires `server_name` to be set',
    '2:1: jetstream cluster requires `cluster.name` to be set',
    '2:1: jetstream cluster requires configured routes',
  ]);
});

test('a cluster without JetStream is refused', () => {
  assert.deepEqual(problemsOf('server_name: n1\ncluster { name: c, port: 6222, routes: ["nats://h:1"] }'), [
    '2:1: a cluster without jetstream is not supported by this version',
  ]);
});

test('a cluster ping interval above 30 s is lowered, with a warning', () => {
  const { options, warnings } = load(`${CLUSTER} ping_interval: "1m" }`);
  assert.equal(options.cluster?.pingIntervalMs, 30_000);
  assert.equal(warnings.length, 1);
});
