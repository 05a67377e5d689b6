/** Rules of stream configurations that need no server: defaults, refusals, updates, equality. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import {
  checkStreamCreate,
  checkStreamUpdate,
  normaliseStreamConfig,
  streamConfigsEqual,
  overlapWith,
} from '../../src/stream/index.ts';
import type { StreamConfig, StreamConfigLimits, StreamConfigRequest } from '../../src/stream/index.ts';
import { streamConfigJson, toStreamConfigRequest, STREAM_CONFIG_REQUEST } from '../../src/server/api/stream-wire.ts';
import type { StreamConfigJson } from '../../src/server/api/stream-wire.ts';
import { decodeRequest } from '../../src/server/api/decoder.ts';

const LIMITS: StreamConfigLimits = {
  clustered: true,
  maxDuplicateWindowMs: 0,
  maxConsumers: -1,
  maxBytesRequired: false,
  maxFileStreamBytes: -1,
  maxMemoryStreamBytes: -1,
  visible: () => undefined,
};

function request(json: StreamConfigJson = {}): StreamConfigRequest {
  return toStreamConfigRequest({ name: 'S', ...json });
}

function normalise(json: StreamConfigJson, limits: Partial<StreamConfigLimits> = {}, pedantic = false) {
  return normaliseStreamConfig(request(json), { ...LIMITS, ...limits }, pedantic);
}

function config(json: StreamConfigJson = {}): StreamConfig {
  const result = normalise(json);
  assert.ok(result.ok);
  return result.config;
}

function refusal(
  json: StreamConfigJson,
  limits: Partial<StreamConfigLimits> = {},
): readonly [number, string] | undefined {
  const result = normalise(json, limits);
  return result.ok ? undefined : [result.error.errCode, result.error.description];
}

test('names are checked before anything else', () => {
  const text = `stream name is required and can not contain '.', '*', '>', '\\', '/'`;
  for (const name of ['', 'a b', 'a.b', 'a*', '>', 'a/b', 'a\\b', 'a\tb']) {
    assert.deepEqual(refusal({ name, num_replicas: 99 }), [10052, text], JSON.stringify(name));
  }
  assert.equal(refusal({ name: '$"ü' }), undefined);
  assert.deepEqual(refusal({ name: 'x'.repeat(256) }), [10052, 'stream name is too long, maximum allowed is 255']);
});

test('limits of server and account are enforced', () => {
  const window = { duplicate_window: 60e9 };
  assert.deepEqual(refusal(window, { maxDuplicateWindowMs: 30_000 }), [
    10052,
    'duplicates window can not be larger then server limit of 30s',
  ]);
  assert.equal(refusal({ max_consumers: 6 }, { maxConsumers: 5 })?.[0], 10026);
  assert.equal(refusal({}, { maxBytesRequired: true })?.[0], 10113);
  assert.equal(refusal({ max_bytes: 11 }, { maxFileStreamBytes: 10 })?.[0], 10122);
  assert.equal(refusal({ max_bytes: 11, storage: 'memory' }, { maxFileStreamBytes: 10 }), undefined);
  assert.equal(refusal({ num_replicas: 3 }, { clustered: false })?.[0], 10074);
});

test('the default duplicate window obeys the limit of the server and max age', () => {
  const result = normalise({}, { maxDuplicateWindowMs: 30_000 });
  assert.equal(result.ok && result.config.duplicateWindowMs, 30_000);
  assert.equal(config({ max_age: 1e9 }).duplicateWindowMs, 1000);
  assert.equal(config({ duplicate_window: 5e9, max_age: 10e9 }).duplicateWindowMs, 5000);
});

test('all subjects need no-ack and one replica', () => {
  assert.equal(refusal({ subjects: ['>'], no_ack: true }), undefined);
  assert.deepEqual(refusal({ subjects: ['>'], no_ack: true, num_replicas: 3 }), [
    10052,
    'capturing all subjects requires replicas of 1',
  ]);
  assert.equal(refusal({ subjects: ['$JS.API.>'], no_ack: true }), undefined);
  assert.equal(refusal({ subjects: ['$SYS.ACCOUNT.x.>'] }), undefined);
  assert.equal(refusal({ subjects: ['*'] }), undefined);
});

test('features that do not go together are refused', () => {
  assert.equal(refusal({ mirror: { name: 'a.b' } })?.[0], 10142);
  assert.equal(refusal({ mirror: { name: 'O' }, allow_atomic: true })?.[0], 10198);
  assert.equal(refusal({ mirror: { name: 'O' }, allow_batched: true })?.[0], 10209);
  assert.equal(refusal({ mirror: { name: 'O' }, allow_msg_counter: true })?.[0], 10173);
  assert.equal(refusal({ sources: [{ name: 'O' }], allow_msg_schedules: true })?.[0], 10187);
  assert.deepEqual(refusal({ persist_mode: 'async', storage: 'memory' }), [
    10052,
    'async persist mode is only supported on file storage',
  ]);
});

test('a new stream is neither sealed nor mirror direct', () => {
  assert.equal(checkStreamCreate(request({ sealed: true }))?.errCode, 10052);
  assert.equal(checkStreamCreate(request({ mirror_direct: true }))?.errCode, 10052);
  assert.equal(checkStreamCreate(request()), undefined);
});

test('an update is refused for what can not change', () => {
  const refused = (before: StreamConfigJson, after: StreamConfigJson): string | undefined => {
    const result = checkStreamUpdate(config(before), config(after));
    return result.ok ? undefined : result.error.description;
  };
  const prefix = 'stream configuration update can not';
  assert.equal(refused({}, { name: 'T' }), 'stream configuration name must match original');
  assert.equal(refused({}, { storage: 'memory' }), `${prefix} change storage type`);
  assert.equal(refused({}, { retention: 'workqueue' }), `${prefix} change retention policy to/from workqueue`);
  assert.equal(refused({}, { retention: 'interest' }), undefined);
  assert.equal(refused({ sealed: true }, {}), `${prefix} unseal a sealed stream`);
  assert.equal(refused({ deny_delete: true }, {}), `${prefix} cancel deny message deletes`);
  assert.equal(refused({ deny_purge: true }, {}), `${prefix} cancel deny purge`);
  assert.equal(refused({}, { num_replicas: 3 }), undefined);
  assert.equal(refused({}, { placement: { cluster: 'C' } }), undefined);
  assert.equal(refused({ placement: { tags: ['a'] } }, { placement: { tags: ['a'] }, max_msgs: 5 }), undefined);
});

test('sealing sets what goes with it', () => {
  const result = checkStreamUpdate(config(), config({ sealed: true, max_age: 60e9, allow_rollup_hdrs: true }));
  assert.ok(result.ok);
  const { maxAgeMs, discard, denyDelete, denyPurge, allowRollupHdrs } = result.config;
  assert.deepEqual([maxAgeMs, discard, denyDelete, denyPurge, allowRollupHdrs], [0, 'new', true, true, false]);
});

test('configurations are equal whatever servers add to the metadata, and after a trip through storage', () => {
  const one = config({ metadata: { b: '2', a: '1', '_nats.ver': 'x' } });
  assert.ok(streamConfigsEqual(one, config({ metadata: { a: '1', b: '2' } })));
  assert.ok(streamConfigsEqual(one, JSON.parse(JSON.stringify(one)) as StreamConfig));
  assert.equal(streamConfigsEqual(one, config({ metadata: { a: '1' } })), false);
  assert.equal(streamConfigsEqual(config(), config({ max_msgs: 5 })), false);
});

test('streams overlap when a message could go to both', () => {
  assert.ok(overlapWith({ subjects: ['a', 'b.*'] })({ subjects: ['c', '*.x'] }));
  assert.equal(overlapWith({ subjects: ['a.b'] })({ subjects: ['a', 'a.b.c'] }), false);
});

test('what a client is shown, sent back, is the same configuration', () => {
  const anyConfig = fc.record(
    {
      max_msgs: fc.integer({ min: -1 }),
      max_age: fc.integer({ min: 200, max: 10_000_000 }).map((ms) => ms * 1e6 + (ms % 1000)),
      discard: fc.constantFrom('old' as const, 'new' as const),
      storage: fc.constantFrom('file' as const, 'memory' as const),
      metadata: fc.dictionary(fc.string(), fc.string()),
      subjects: fc.constantFrom(['a'], ['a', 'b.*'], []),
      first_seq: fc.nat(),
      consumer_limits: fc.record({ max_ack_pending: fc.integer(), inactive_threshold: fc.nat() }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyConfig, (json) => {
      const first = config(json);
      const shown = JSON.stringify(streamConfigJson(first, first.metadata));
      const decoded = decodeRequest(Buffer.from(shown), STREAM_CONFIG_REQUEST, true);
      assert.ok(decoded.ok, shown);
      assert.ok(streamConfigsEqual(config(decoded.value), first), shown);
    }),
    { numRuns: 200 },
  );
});
