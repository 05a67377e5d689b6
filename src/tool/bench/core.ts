/** Owns the measurements without streams. */
import type { Msg } from '@nats-io/transport-node';
import { command } from '../command.ts';
import { argument, count, text, withDefault } from '../parameters/index.ts';
import { BENCH_OPTIONS, done, inWindow, measure, type BenchClient } from './run.ts';

/** So much is published between two questions whether the server has taken it. */
const SLICE_BYTES = 256 * 1024;

export const PUB = command({
  summary: 'Publish as fast as the server takes it',
  parameters: { subject: argument('SUBJECT', 'Subject to publish to'), ...BENCH_OPTIONS },
  examples: ['bench pub bench.test', 'bench pub bench.test --clients 4 --count 1000000 --size 1KiB'],
  run: async (input, context) => {
    await measure(context, { ...input, name: 'pub' }, (client) => publishAll(client, input.subject));
  },
});

/** Two slices are under way at most: while one is answered for, the next is published. */
async function publishAll(client: BenchClient, subject: string): Promise<void> {
  const { connection, count, payload, measurement } = client;
  const slice = Math.max(1, Math.floor(SLICE_BYTES / (payload.length + subject.length + 16)));
  measurement.begin();
  let taken = Promise.resolve();
  for (let sent = 0; sent < count;) {
    const amount = Math.min(slice, count - sent);
    for (let i = 0; i < amount; i++) connection.publish(subject, payload);
    sent += amount;
    const flushed = connection.flush();
    await taken;
    taken = flushed.then(() => {
      done(client, amount);
    });
  }
  await taken;
}

export const SUB = command({
  summary: 'Count what arrives, from the first message to the last',
  details:
    'Start it before "bench pub" on the same subject. Each client gets all messages, so --count is for one of them.',
  parameters: {
    subject: argument('SUBJECT', 'Subject to listen on'),
    clients: BENCH_OPTIONS.clients,
    count: BENCH_OPTIONS.count,
    queue: text('Share the messages among the clients as a queue group', { short: 'q', placeholder: 'GROUP' }),
  },
  examples: ['bench sub bench.test --count 100000'],
  run: async ({ subject, clients, count, queue }, context) => {
    const expected = queue === undefined ? count * clients : count;
    let listening = 0;
    let received = 0;
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    await measure(
      context,
      { clients, count: expected, size: 0, name: 'sub' },
      async ({ connection, measurement, progress }) => {
        const callback = (error: Error | null, message: Msg): void => {
          if (error !== null) return;
          measurement.begin();
          measurement.record(1, message.data.length);
          progress.add(1);
          received += 1;
          if (received === expected) finish();
        };
        connection.subscribe(subject, { callback, ...(queue !== undefined && { queue }) });
        await connection.flush();
        listening += 1;
        if (listening === clients) context.note(`Counting what arrives on ${subject}`);
        await finished;
      },
    );
  },
});

export const REQ = command({
  summary: 'Send requests and measure how long answers take',
  details: 'Somebody has to answer, such as "millrace reply bench.echo --echo --quiet".',
  parameters: {
    subject: argument('SUBJECT', 'Subject to ask on'),
    ...BENCH_OPTIONS,
    window: withDefault(count('How many requests of a client are under way at once'), 1),
  },
  examples: ['bench req bench.echo --count 10000'],
  run: async (input, context) => {
    const timeout = context.settings.timeoutMs;
    await measure(context, { ...input, name: 'req' }, async (client) => {
      client.measurement.begin();
      await inWindow(client.count, input.window, async () => {
        const begin = performance.now();
        await client.connection.request(input.subject, client.payload, { timeout });
        done(client, 1, begin);
      });
    });
  },
});
