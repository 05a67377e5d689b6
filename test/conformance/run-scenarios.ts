/**
 * Owns running scenarios, one after the other, against one server: the one that TARGET=nats://host:port names, or our own.
 * Files run side by side, so there are several. The target loses the streams that the scenarios use.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { startServers, type Servers } from '../harness/server-process.ts';
import { ATOMIC_BATCH_SCENARIOS } from './atomic-batch-scenarios.ts';
import { ARCHIVE_SCENARIOS } from './archive-scenarios.ts';
import { BUCKET_SCENARIOS } from './bucket-scenarios.ts';
import { CONSUMER_EDGE_SCENARIOS } from './consumer-edge-scenarios.ts';
import { CONSUMER_ONE_SHOT_SCENARIOS } from './consumer-one-shot-scenarios.ts';
import { CONSUMER_RETENTION_SCENARIOS } from './consumer-retention-scenarios.ts';
import { CONSUMER_SCENARIOS } from './consumer-scenarios.ts';
import { COUNTER_SCENARIOS } from './counter-scenarios.ts';
import { COUNTER_SOURCE_SCENARIOS } from './counter-source-scenarios.ts';
import { DIFFERENCES } from './differences.ts';
import { DIRECT_GET_SCENARIOS } from './direct-get-scenarios.ts';
import { FAST_BATCH_SCENARIOS } from './fast-batch-scenarios.ts';
import { KEY_VALUE_SCENARIOS } from './key-value-scenarios.ts';
import { MEMBERSHIP_SCENARIOS } from './membership-scenarios.ts';
import { MESSAGE_SCENARIOS } from './message-scenarios.ts';
import { MIRROR_DIRECT_SCENARIOS } from './mirror-direct-scenarios.ts';
import { MIRROR_SCENARIOS } from './mirror-scenarios.ts';
import { NON_ASCII_SCENARIOS } from './non-ascii-scenarios.ts';
import { ORIGIN_CONFIG_SCENARIOS } from './origin-config-scenarios.ts';
import { ORIGIN_LIMIT_SCENARIOS } from './origin-limit-scenarios.ts';
import { RawClient } from './raw-client.ts';
import { PUBLISH_CHECK_SCENARIOS } from './publish-checks-scenarios.ts';
import { REPUBLISH_SCENARIOS } from './republish-scenarios.ts';
import { RETENTION_SCENARIOS } from './retention-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { SCHEDULE_SCENARIOS } from './schedule-scenarios.ts';
import { SOURCE_SCENARIOS } from './source-scenarios.ts';
import { STREAM_CALL_SCENARIOS } from './stream-call-scenarios.ts';
import { STREAM_SCENARIOS } from './stream-scenarios.ts';
import { TTL_SCENARIOS } from './ttl-scenarios.ts';
import { TRANSFORM_SCENARIOS } from './transform-scenarios.ts';

const FORGET_TIMEOUT_MS = 5000;
/** The server to be asked instead of ours. */
export const target = process.env['TARGET'];
const ours = new Set(DIFFERENCES.flatMap((difference) => difference.scenario ?? []));

/** Those about consumers take about as long as all others together. */
export const CONSUMERS: readonly Scenario[] = [
  ...CONSUMER_SCENARIOS,
  ...CONSUMER_EDGE_SCENARIOS,
  ...CONSUMER_ONE_SHOT_SCENARIOS,
  ...CONSUMER_RETENTION_SCENARIOS,
];
export const STREAMS: readonly Scenario[] = [
  ...STREAM_SCENARIOS,
  ...STREAM_CALL_SCENARIOS,
  ...MESSAGE_SCENARIOS,
  ...MEMBERSHIP_SCENARIOS,
  ...DIRECT_GET_SCENARIOS,
  ...ARCHIVE_SCENARIOS,
  ...KEY_VALUE_SCENARIOS,
  ...BUCKET_SCENARIOS,
  ...TRANSFORM_SCENARIOS,
  ...REPUBLISH_SCENARIOS,
  ...ORIGIN_CONFIG_SCENARIOS,
  ...ORIGIN_LIMIT_SCENARIOS,
  ...MIRROR_SCENARIOS,
  ...MIRROR_DIRECT_SCENARIOS,
  ...SOURCE_SCENARIOS,
  ...ATOMIC_BATCH_SCENARIOS,
  ...COUNTER_SCENARIOS,
  ...COUNTER_SOURCE_SCENARIOS,
  ...FAST_BATCH_SCENARIOS,
  ...PUBLISH_CHECK_SCENARIOS,
  ...TTL_SCENARIOS,
  ...SCHEDULE_SCENARIOS,
  ...RETENTION_SCENARIOS,
  ...NON_ASCII_SCENARIOS,
  ...ours,
];

/** Defines a test for each scenario, against ours with so many nodes, of which the client knows one. */
export function conformanceOf(title: string, nodes: number, scenarios: readonly Scenario[]): void {
  describe(title, () => {
    let servers: Servers | undefined;
    let client: RawClient;
    before(async () => {
      servers = target === undefined ? await startServers({ nodes }) : undefined;
      client = await RawClient.connect(servers?.first.url ?? target!);
    });
    after(async () => {
      client.close();
      await servers?.stop();
    });
    runAll(scenarios, () => client);
  });
}

function runAll(scenarios: readonly Scenario[], client: () => RawClient): void {
  for (const scenario of scenarios) {
    test(scenario.title, async (t: TestContext) => {
      if (target !== undefined && ours.has(scenario)) t.skip('an intended difference');
      else if (client().clustered && scenario.singleServerOnly === true) t.skip('a cluster answers otherwise');
      else if (!client().clustered && scenario.clusterOnly === true) t.skip('a single server answers otherwise');
      else await run(scenario, client());
    });
  }
}

async function run(scenario: Scenario, client: RawClient): Promise<void> {
  await removeStreams(scenario, client);
  try {
    for (const step of scenario.steps) await step(client);
  } finally {
    client.closeSubscriptions();
    await removeStreams(scenario, client);
  }
}

async function removeStreams({ streams }: Scenario, client: RawClient): Promise<void> {
  for (const name of streams) {
    await client.request(`$JS.API.STREAM.DELETE.${name}`);
    if (target !== undefined) await forgetContents(client, name);
  }
}

/**
 * The reference server removes files behind the answer to a delete, and finds them again in a stream of that name which is
 * created too soon. So streams are created and deleted until one comes up empty.
 */
async function forgetContents(client: RawClient, name: string): Promise<void> {
  const deadline = performance.now() + FORGET_TIMEOUT_MS;
  for (;;) {
    const [created] = await client.request(`$JS.API.STREAM.CREATE.${name}`, JSON.stringify({ name }));
    await client.request(`$JS.API.STREAM.DELETE.${name}`);
    const { state } = JSON.parse(created!.payload) as { readonly state?: { readonly last_seq: number } };
    if (state === undefined || state.last_seq === 0) return;
    assert.ok(performance.now() < deadline, `${name} is not forgotten`);
  }
}
