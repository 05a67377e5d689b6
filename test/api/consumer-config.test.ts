/** Rules of consumer configurations that the conformance scenarios can't reach: clusters, limits, updates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimestampUs } from '../../src/base/brand.ts';
import {
  checkConsumerUpdate,
  checkSharing,
  consumerConfigsEqual,
  normaliseConsumerConfig,
} from '../../src/consumer/index.ts';
import type { ConsumerConfig, ConsumerSurroundings } from '../../src/consumer/index.ts';
import { toConsumerConfigRequest } from '../../src/server/api/consumer-wire.ts';
import type { ConsumerConfigJson } from '../../src/server/api/consumer-wire.ts';
import { toStreamConfigRequest } from '../../src/server/api/stream-wire.ts';

const STREAM = { ...toStreamConfigRequest({ name: 'S', subjects: ['s.>'] }), numReplicas: 3, placement: undefined };

const SURROUNDINGS: ConsumerSurroundings = {
  stream: STREAM,
  others: () => [],
  existing: undefined,
  clustered: true,
  serverMaxAckPending: 0,
  accountMaxAckPending: 0,
  accountMaxConsumers: -1,
  maxRequestBatch: 0,
};

function normalise(json: ConsumerConfigJson, changes: Partial<ConsumerSurroundings> = {}, pedantic = false) {
  const identity = { name: json.durable_name ?? 'c', generatedName: false };
  return normaliseConsumerConfig(toConsumerConfigRequest(json, identity), { ...SURROUNDINGS, ...changes }, pedantic);
}

function config(json: ConsumerConfigJson, changes: Partial<ConsumerSurroundings> = {}): ConsumerConfig {
  const result = normalise(json, changes);
  assert.ok(result.ok);
  return result.config;
}

function refusal(json: ConsumerConfigJson, changes: Partial<ConsumerSurroundings> = {}, pedantic = false) {
  const result = normalise(json, changes, pedantic);
  return result.ok ? checkSharing(result.config, { ...SURROUNDINGS, ...changes })?.errCode : result.error.errCode;
}

test('replicas fit those of the stream', () => {
  assert.equal(refusal({ num_replicas: 5 }), 10126);
  assert.equal(refusal({ num_replicas: 1 }), undefined);
  const interest = { ...STREAM, retention: 'interest' as const };
  assert.equal(refusal({ num_replicas: 1 }, { stream: interest }), 10134);
  assert.equal(refusal({ num_replicas: 3 }, { stream: interest }), undefined);
});

test('limits of server and account bound what a consumer may ask for', () => {
  const explicit = { ack_policy: 'explicit' } as const;
  assert.equal(refusal({ ...explicit, max_ack_pending: 11 }, { serverMaxAckPending: 10 }), 10121);
  assert.equal(refusal({ ...explicit, max_ack_pending: -1 }, { serverMaxAckPending: 10 }), undefined);
  assert.equal(config(explicit, { accountMaxAckPending: 10 }).maxAckPending, 10);
  assert.equal(refusal({ max_batch: 11 }, { maxRequestBatch: 10 }), 10125);
  assert.equal(config({}, { maxRequestBatch: 10 }).maxRequestBatch, 10);
  assert.equal(refusal({}, { others: () => [config({})], accountMaxConsumers: 1 }), 10026);
  assert.equal(refusal({}, { others: () => [config({})], accountMaxConsumers: 1, existing: config({}) }), undefined);
});

test('names are valid', () => {
  const named = (name: string) => {
    const request = toConsumerConfigRequest({}, { name, generatedName: false });
    const result = normaliseConsumerConfig(request, SURROUNDINGS, false);
    return (result.ok ? checkSharing(result.config, SURROUNDINGS) : result.error)?.description;
  };
  assert.equal(named('a b'), `consumer name can not contain '.', '*', '>', '\\', '/'`);
  assert.equal(named('x'.repeat(256)), 'consumer name is too long, maximum allowed is 255');
  assert.equal(refusal({ durable_name: 'a b' }), 10052);
});

test('pedantic clients hear of every value that would be replaced', () => {
  const pedantic = (json: ConsumerConfigJson): number | undefined => refusal(json, {}, true);
  for (const json of [
    { max_deliver: -2 },
    { max_waiting: -1 },
    { ack_policy: 'explicit', max_ack_pending: -2 },
    { max_batch: -1 },
    { max_expires: -1 },
    { max_bytes: -1 },
    { idle_heartbeat: -1 },
    { inactive_threshold: -1 },
    { ack_policy: 'explicit', ack_wait: 1e9, backoff: [2e9] },
  ] as const) {
    assert.equal(pedantic(json), 10157, JSON.stringify(json));
    assert.equal(refusal(json), undefined, JSON.stringify(json));
  }
});

test('limits of the stream are defaults of its consumers', () => {
  const stream = { ...STREAM, consumerLimits: { maxAckPending: 7, inactiveThresholdMs: 9000 } };
  const { maxAckPending, inactiveThresholdMs } = config({ durable_name: 'd', ack_policy: 'explicit' }, { stream });
  assert.deepEqual([maxAckPending, inactiveThresholdMs], [7, 9000]);
});

test('a pinned client has two minutes unless said otherwise', () => {
  const timeoutMs = (timeout: number): number =>
    config({ priority_policy: 'pinned_client', priority_groups: ['a'], priority_timeout: timeout }).priorityTimeoutMs;
  assert.deepEqual([timeoutMs(0), timeoutMs(5e9), timeoutMs(-1)], [120_000, 5000, 120_000]);
});

test('a pause needs a higher level of the API, and the zero time is none', () => {
  const level = (pauseUntil: number): string =>
    config({ pause_until: pauseUntil as TimestampUs }).metadata['_nats.req.level']!;
  assert.equal(level(1_800_000_000_000_000), '1');
  assert.equal(level(-62_135_596_800_000_000), '0');
});

test('an update may change some things, and not others', () => {
  const before = config({ ack_policy: 'explicit' });
  const update = (json: ConsumerConfigJson): string | undefined =>
    checkConsumerUpdate(before, config({ ack_policy: 'explicit', ...json }))?.description;
  assert.equal(update({ max_deliver: 5, ack_wait: 1e9, filter_subject: 's.a', max_ack_pending: 5 }), undefined);
  assert.equal(update({ deliver_policy: 'by_start_sequence', opt_start_seq: 5 }), 'deliver policy can not be updated');
  assert.equal(update({ ack_policy: 'all' }), 'ack policy can not be updated');
  assert.equal(update({ deliver_subject: 'd' }), 'can not update pull consumer to push based');
});

test('configurations are equal after a trip through storage, and whoever chose the name', () => {
  const one = config({ durable_name: 'd', metadata: { a: '1' } });
  assert.ok(consumerConfigsEqual(one, JSON.parse(JSON.stringify({ ...one, generatedName: true })) as ConsumerConfig));
  assert.equal(consumerConfigsEqual(one, config({ durable_name: 'd' })), false);
});
