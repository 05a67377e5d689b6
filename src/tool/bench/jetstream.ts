/** Owns the measurements with streams. */
import type { Consumer, ConsumerMessages, JetStreamClient, StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { apiCode, STREAM_NOT_FOUND, ToolError, UsageError } from '../failure.ts';
import { choice, flag, count, text, withDefault } from '../parameters/index.ts';
import { BENCH_OPTIONS, done, inWindow, measure, type BenchClient } from './run.ts';

const STREAM = withDefault(text('Stream to use', { placeholder: 'STREAM' }), 'BENCH');

interface StreamOptions {
  readonly stream: string;
  readonly storage: 'file' | 'memory';
  readonly replicas: number;
  readonly purge: boolean;
}

/** Subjects of the stream that measurements publish to. */
function subjectOf(stream: string, client: number): string {
  return `bench.${stream}.${client}`;
}

/** Creates the stream if there is none. */
async function prepareStream(context: Context, { stream, storage, replicas, purge }: StreamOptions): Promise<void> {
  const api = await context.api();
  try {
    await api.request<StreamInfo>(`STREAM.INFO.${stream}`);
    if (purge) await api.request<object>(`STREAM.PURGE.${stream}`);
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
    await api.request<StreamInfo>(`STREAM.CREATE.${stream}`, {
      name: stream,
      subjects: [`bench.${stream}.*`],
      storage,
      num_replicas: replicas,
      allow_atomic: true,
    });
  }
}

export const JS_PUB = command({
  summary: 'Publish into a stream',
  details: 'The stream is created if there is none, and stays.',
  parameters: {
    ...BENCH_OPTIONS,
    mode: withDefault(
      choice('Wait for each message, keep some under way, or publish atomic batches', ['sync', 'async', 'batch']),
      'async',
    ),
    window: withDefault(count('With --mode async, how many messages of a client are under way'), 500),
    batch: withDefault(count('With --mode batch, how many messages make one'), 100),
    stream: STREAM,
    storage: withDefault(choice('Where a new stream keeps its messages', ['file', 'memory']), 'file'),
    replicas: withDefault(count('How many servers keep a copy of a new stream', { short: 'r' }), 1),
    purge: flag('Empty the stream first'),
  },
  examples: [
    'bench js-pub --count 100000',
    'bench js-pub --mode sync --count 1000',
    'bench js-pub --mode batch --batch 500 --clients 4',
  ],
  run: async (input, context) => {
    if (input.window < 1 || input.batch < 1) throw new UsageError('--window and --batch are at least 1');
    await prepareStream(context, input);
    await measure(context, { ...input, name: `js-pub ${input.mode}` }, async (client) => {
      const js = await context.jetstream(client.connection);
      const subject = subjectOf(input.stream, client.index);
      client.measurement.begin();
      if (input.mode === 'batch') await publishBatches(js, client, subject, input.batch);
      else await publishEach(js, client, subject, input.mode === 'sync' ? 1 : input.window);
    });
  },
});

async function publishEach(js: JetStreamClient, client: BenchClient, subject: string, window: number): Promise<void> {
  await inWindow(client.count, window, async () => {
    const begin = performance.now();
    await js.publish(subject, client.payload);
    done(client, 1, begin);
  });
}

/** A batch begins with a message that is answered, and ends with one that stores them all. */
async function publishBatches(js: JetStreamClient, client: BenchClient, subject: string, size: number): Promise<void> {
  for (let left = client.count; left > 0;) {
    const amount = Math.min(size, left);
    const begin = performance.now();
    if (amount === 1) await js.publish(subject, client.payload);
    else {
      const batch = await js.startBatch(subject, client.payload);
      for (let i = 2; i < amount; i++) batch.add(subject, client.payload);
      await batch.commit(subject, client.payload);
    }
    done(client, amount, begin);
    left -= amount;
  }
}

const CONSUMING = {
  clients: BENCH_OPTIONS.clients,
  count: count('How many messages (all that the stream has, unless given)', { short: 'n' }),
  stream: STREAM,
  ack: withDefault(choice('Acknowledge each message, or none', ['explicit', 'none']), 'explicit'),
} as const;

interface ConsumingInput {
  readonly clients: number;
  readonly count: number | undefined;
  readonly stream: string;
  readonly ack: 'explicit' | 'none';
}

/** The clients share one consumer, which is gone afterwards. */
async function consumeWith(
  context: Context,
  name: string,
  input: ConsumingInput,
  work: (consumer: Consumer, client: BenchClient) => Promise<void>,
): Promise<void> {
  const manager = await context.manager();
  const { state } = await manager.streams.info(input.stream);
  const count = Math.min(input.count ?? state.messages, state.messages);
  if (count === 0) throw new ToolError(`${input.stream} has no messages; "bench js-pub" fills it`);
  const { name: consumerName } = await manager.consumers.add(input.stream, {
    ack_policy: input.ack,
    max_ack_pending: -1,
    inactive_threshold: CONSUMER_LIFE_NS,
  });
  try {
    await measure(context, { ...input, count, size: 0, name }, async (client) => {
      const js = await context.jetstream(client.connection);
      await work(await js.consumers.get(input.stream, consumerName), client);
      await client.connection.flush();
    });
  } finally {
    await manager.consumers.delete(input.stream, consumerName);
  }
}

const CONSUMER_LIFE_NS = 60e9;

export const JS_CONSUME = command({
  summary: 'Take messages of a stream in a continuous flow',
  parameters: { ...CONSUMING, buffer: withDefault(count('How many messages are asked for ahead'), 500) },
  examples: ['bench js-consume', 'bench js-consume --clients 2 --ack none'],
  run: async (input, context) => {
    const flows: ConsumerMessages[] = [];
    let left = 0;
    await consumeWith(context, 'js-consume', input, async (consumer, client) => {
      // The server hands messages to whoever asks, so the clients' shares differ; together they end.
      left += client.count;
      const messages = await consumer.consume({ max_messages: input.buffer });
      flows.push(messages);
      for await (const message of messages) {
        client.measurement.begin();
        client.measurement.record(1, message.data.length);
        client.progress.add(1);
        if (input.ack === 'explicit') message.ack();
        left -= 1;
        if (left === 0) for (const flow of flows) flow.stop();
      }
    });
  },
});

export const JS_FETCH = command({
  summary: 'Take messages of a stream batch by batch',
  parameters: { ...CONSUMING, batch: withDefault(count('How many messages make a batch'), 500) },
  examples: ['bench js-fetch', 'bench js-fetch --batch 100 --clients 2'],
  run: async (input, context) => {
    if (input.batch < 1) throw new UsageError('--batch is at least 1');
    const expires = Math.max(1000, context.settings.timeoutMs);
    await consumeWith(context, 'js-fetch', input, async (consumer, client) => {
      client.measurement.begin();
      for (let left = client.count; left > 0;) {
        const begin = performance.now();
        let received = 0;
        for await (const message of await consumer.fetch({ max_messages: Math.min(input.batch, left), expires })) {
          client.measurement.record(1, message.data.length);
          client.progress.add(1);
          if (input.ack === 'explicit') message.ack();
          received += 1;
        }
        if (received === 0) throw new ToolError('no messages came in time; --timeout waits longer');
        client.measurement.recordLatency(performance.now() - begin);
        left -= received;
      }
    });
  },
});
