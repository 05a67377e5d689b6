/** Owns the measurement of publishing into a stream. */
import type { JetStreamClient } from '@nats-io/jetstream';
import { command } from '../command.ts';
import { choice, count, flag, optional, withDefault, type Parameter } from '../parameters/index.ts';
import { BENCH_OPTIONS, inWindow, measure, type BenchClient } from './run.ts';
import { prepareStream, STREAM, subjectOf } from './stream.ts';

const MODES = ['sync', 'async', 'batch'] as const;

/** An argument that is one of a few words. */
const MODE: Parameter<(typeof MODES)[number] | undefined> = optional({
  ...choice('Wait for each message, keep some under way (unless told otherwise), or publish atomic batches', MODES),
  kind: 'argument',
  placeholder: 'MODE',
});

export const PUB = command({
  summary: 'Publish into a stream',
  details: `The stream is created if there is none, and stays. MODE is ${MODES.join(', ')}.`,
  parameters: {
    mode: MODE,
    ...BENCH_OPTIONS,
    window: withDefault(count('Of async, how many messages of a client are under way'), 500),
    batch: withDefault(count('Of batch, how many messages make one'), 100),
    stream: STREAM,
    storage: withDefault(choice('Where a new stream keeps its messages', ['file', 'memory']), 'file'),
    replicas: withDefault(count('How many servers keep a copy of a new stream', { short: 'r' }), 1),
    purge: flag('Empty the stream first'),
  },
  examples: [
    'bench js pub',
    'bench js pub sync --count 1000',
    'bench js pub async --window 1000 --size 1KiB --replicas 3',
    'bench js pub batch --batch 500 --clients 4',
  ],
  run: async ({ mode = 'async', ...input }, context) => {
    await prepareStream(context, input);
    await measure(context, { ...input, name: `js pub ${mode}` }, async (client) => {
      const js = await context.jetstream(client.connection);
      const subject = subjectOf(input.stream, client.index);
      client.share.begin();
      if (mode === 'batch') await publishBatches(js, client, subject, input.batch);
      else await publishEach(js, client, subject, mode === 'sync' ? 1 : input.window);
    });
  },
});

async function publishEach(js: JetStreamClient, client: BenchClient, subject: string, window: number): Promise<void> {
  const { payload, share } = client;
  await inWindow(client.count, window, async () => {
    const begin = performance.now();
    await js.publish(subject, payload);
    share.done(1, payload.length, begin);
  });
}

/** A batch begins with a message that is answered, and ends with one that stores them all. */
async function publishBatches(js: JetStreamClient, client: BenchClient, subject: string, size: number): Promise<void> {
  const { payload, share } = client;
  for (let left = client.count; left > 0;) {
    const amount = Math.min(size, left);
    const begin = performance.now();
    if (amount === 1) await js.publish(subject, payload);
    else {
      const batch = await js.startBatch(subject, payload);
      for (let i = 2; i < amount; i++) batch.add(subject, payload);
      await batch.commit(subject, payload);
    }
    share.done(amount, amount * payload.length, begin);
    left -= amount;
  }
}
