/**
 * Runs the scenarios against a server: the one that TARGET=nats://host:port names, or our own, started for it. The target
 * loses the streams that the scenarios use.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CONSUMER_SCENARIOS } from './consumer-scenarios.ts';
import { DIFFERENCES } from './differences.ts';
import { MESSAGE_SCENARIOS } from './message-scenarios.ts';
import { OwnServer } from './own-server.ts';
import { RawClient } from './raw-client.ts';
import type { Scenario } from './scenario.ts';
import { STREAM_SCENARIOS } from './stream-scenarios.ts';

const FORGET_TIMEOUT_MS = 5000;
const target = process.env['TARGET'];
const ours = DIFFERENCES.flatMap((difference) => difference.scenario ?? []);

describe('conformance', { skip: target === undefined && !OwnServer.isAvailable() && 'no server to talk to' }, () => {
  let server: OwnServer | undefined;
  let client: RawClient;

  before(async () => {
    if (target === undefined) server = await OwnServer.start();
    client = await RawClient.connect(target ?? server!.url);
  });
  after(async () => {
    client.close();
    await server?.stop();
  });

  const removeStreams = async ({ streams }: Scenario): Promise<void> => {
    for (const name of streams) {
      await client.request(`$JS.API.STREAM.DELETE.${name}`);
      if (target !== undefined) await forgetContents(client, name);
    }
  };

  for (const scenario of [...STREAM_SCENARIOS, ...MESSAGE_SCENARIOS, ...CONSUMER_SCENARIOS]) {
    test(scenario.title, () => run(scenario));
  }
  for (const scenario of ours) {
    test(scenario.title, { skip: target !== undefined && 'an intended difference' }, () => run(scenario));
  }

  async function run(scenario: Scenario): Promise<void> {
    await removeStreams(scenario);
    try {
      for (const step of scenario.steps) await step(client);
    } finally {
      await removeStreams(scenario);
    }
  }
});

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
