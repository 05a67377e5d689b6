/** Owns the measurements of reading a stream: through consumers of each kind, and message by message. */
import type { Consumer, ConsumerConfig, ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { ToolError } from '../failure.ts';
import { choice, count, withDefault } from '../parameters/index.ts';
import { BENCH_OPTIONS, inWindow, measure, WINDOW, type BenchClient } from './run.ts';
import { messagesToRead, STREAM } from './stream.ts';

const READING = {
  clients: BENCH_OPTIONS.clients,
  count: count('How many messages (all that the stream has, unless given)', { short: 'n', also: ['msgs'] }),
  stream: STREAM,
} as const;

const CONSUMING = {
  ...READING,
  ack: withDefault(choice('Acknowledge each message, or none', ['explicit', 'none']), 'explicit'),
} as const;

interface ReadingInput {
  readonly clients: number;
  readonly count: number | undefined;
  readonly stream: string;
}

interface ConsumingInput extends ReadingInput {
  readonly ack: 'explicit' | 'none';
}

/** Flows of several clients out of one consumer, whose shares differ: together they end. */
class Flows {
  readonly #flows: ConsumerMessages[] = [];
  #left: number;

  constructor(total: number) {
    this.#left = total;
  }

  async take(messages: ConsumerMessages, { share }: BenchClient, settle: (message: JsMsg) => void): Promise<void> {
    this.#flows.push(messages);
    // The others may have taken everything before this one began: nothing would end it.
    if (this.#left === 0) messages.stop();
    for await (const message of messages) {
      // What was under way when the others ended comes yet.
      if (this.#left === 0) return;
      share.begin();
      share.done(1, message.data.length);
      settle(message);
      this.#left -= 1;
      if (this.#left === 0) for (const flow of this.#flows) flow.stop();
    }
  }
}

type ConsumerWork = (js: JetStreamClient, consumer: string, client: BenchClient, flows: Flows) => Promise<void>;

const CONSUMER_LIFE_NS = 60e9;

/** The clients share one consumer, which is gone afterwards. */
async function withConsumer(
  context: Context,
  name: string,
  input: ConsumingInput & { readonly config?: Partial<ConsumerConfig> },
  work: ConsumerWork,
): Promise<void> {
  const total = await messagesToRead(context, input.stream, input.count);
  const manager = await context.manager();
  const { name: consumer } = await manager.consumers.add(input.stream, {
    ack_policy: input.ack,
    max_ack_pending: -1,
    inactive_threshold: CONSUMER_LIFE_NS,
    ...input.config,
  });
  const flows = new Flows(total);
  try {
    await measure(context, { ...input, count: total, size: 0, name }, async (client) => {
      await work(await context.jetstream(client.connection), consumer, client, flows);
      await client.connection.flush();
    });
  } finally {
    await manager.consumers.delete(input.stream, consumer);
  }
}

function settling({ ack }: ConsumingInput): (message: JsMsg) => void {
  if (ack === 'none') return () => undefined;
  return (message) => {
    message.ack();
  };
}

const BUFFER = withDefault(count('How many messages are asked for ahead'), 500);

export const CONSUME = command({
  summary: 'Pull messages of a stream in a continuous flow',
  parameters: { ...CONSUMING, buffer: BUFFER },
  examples: ['bench js consume', 'bench js consume --clients 2 --ack none'],
  run: async (input, context) => {
    await withConsumer(context, 'js consume', input, async (js, name, client, flows) => {
      const consumer = await js.consumers.get(input.stream, name);
      await flows.take(await consumer.consume({ max_messages: input.buffer }), client, settling(input));
    });
  },
});

export const PUSH = command({
  summary: 'Have messages of a stream pushed',
  parameters: CONSUMING,
  examples: ['bench js push', 'bench js push --clients 2 --ack none'],
  run: async (input, context) => {
    const { createInbox } = await import('@nats-io/transport-node');
    const config = {
      deliver_subject: createInbox(context.settings.inboxPrefix),
      ...(input.clients > 1 ? { deliver_group: 'bench' } : { flow_control: true, idle_heartbeat: HEARTBEAT_NS }),
    };
    await withConsumer(context, 'js push', { ...input, config }, async (js, name, client, flows) => {
      const consumer = await js.consumers.getPushConsumer(input.stream, name);
      await flows.take(await consumer.consume(), client, settling(input));
    });
  },
});

const HEARTBEAT_NS = 5e9;

export const ORDERED = command({
  summary: 'Read a stream in order, as ordered consumers do',
  details: 'Each client gets all messages, so --count is for one of them.',
  parameters: { ...READING, buffer: BUFFER },
  examples: ['bench js ordered', 'bench js ordered --clients 4'],
  run: async (input, context) => {
    const each = await messagesToRead(context, input.stream, input.count);
    const total = each * input.clients;
    await measure(context, { ...input, count: total, size: 0, name: 'js ordered' }, async (client) => {
      const js = await context.jetstream(client.connection);
      const consumer = await js.consumers.get(input.stream);
      await new Flows(each).take(await consumer.consume({ max_messages: input.buffer }), client, () => undefined);
    });
  },
});

export const FETCH = command({
  summary: 'Pull messages of a stream batch by batch',
  parameters: { ...CONSUMING, batch: withDefault(count('How many messages make a batch'), 500) },
  examples: ['bench js fetch', 'bench js fetch --batch 100 --clients 2'],
  run: async (input, context) => {
    const expires = Math.max(1000, context.settings.timeoutMs);
    await withConsumer(context, 'js fetch', input, async (js, name, client) => {
      await fetchAll(await js.consumers.get(input.stream, name), client, { ...input, expires });
    });
  },
});

async function fetchAll(
  consumer: Consumer,
  { share, count: expected }: BenchClient,
  input: ConsumingInput & { readonly batch: number; readonly expires: number },
): Promise<void> {
  const settle = settling(input);
  share.begin();
  for (let left = expected; left > 0;) {
    const begin = performance.now();
    let received = 0;
    const amount = Math.min(input.batch, left);
    for await (const message of await consumer.fetch({ max_messages: amount, expires: input.expires })) {
      share.done(1, message.data.length);
      settle(message);
      received += 1;
    }
    if (received === 0) throw new ToolError('no messages came in time; --timeout waits longer');
    share.answered(begin);
    left -= received;
  }
}

export const GET = command({
  summary: 'Read messages of a stream one by one, each with a direct get',
  parameters: { ...READING, window: WINDOW },
  examples: ['bench js get --count 10000', 'bench js get --count 10000 --window 50'],
  run: async (input, context) => {
    const total = await messagesToRead(context, input.stream, input.count);
    const { config, state } = await (await context.manager()).streams.info(input.stream);
    if (!config.allow_direct) throw new ToolError(`${input.stream} does not allow direct gets`);
    await measure(context, { ...input, count: total, size: 0, name: 'js get' }, async (client) => {
      const js = await context.jetstream(client.connection);
      const { direct } = await js.jetstreamManager(false);
      client.share.begin();
      await inWindow(client.count, input.window, async (i) => {
        const begin = performance.now();
        const seq = state.first_seq + ((i - 1) * input.clients + client.index);
        const message = await direct.getMessage(input.stream, { seq });
        client.share.done(1, message?.data.length ?? 0, begin);
      });
    });
  },
});
