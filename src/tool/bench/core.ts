/** Owns the measurements without streams. */
import type { Msg } from '@nats-io/transport-node';
import { command } from '../command.ts';
import { subjectArgument, text } from '../parameters/index.ts';
import { BENCH_OPTIONS, inWindow, measure, WINDOW, type BenchClient } from './run.ts';

/** So much is published between two questions whether the server has taken it. */
const SLICE_BYTES = 256 * 1024;

export const PUB = command({
  summary: 'Publish as fast as the server takes it',
  parameters: { subject: subjectArgument('SUBJECT', 'Subject to publish to'), ...BENCH_OPTIONS },
  examples: ['bench pub bench.test', 'bench pub bench.test --clients 4 --count 1000000 --size 1KiB'],
  run: async (input, context) => {
    await measure(context, { ...input, name: 'pub' }, (client) => publishAll(client, input.subject));
  },
});

/** Two slices are under way at most: while one is answered for, the next is published. */
async function publishAll(client: BenchClient, subject: string): Promise<void> {
  const { connection, count: messages, payload, share } = client;
  const slice = Math.max(1, Math.floor(SLICE_BYTES / (payload.length + subject.length + 16)));
  share.begin();
  let taken = Promise.resolve();
  for (let sent = 0; sent < messages;) {
    const amount = Math.min(slice, messages - sent);
    for (let i = 0; i < amount; i++) connection.publish(subject, payload);
    sent += amount;
    const flushed = connection.flush();
    await taken;
    taken = flushed.then(() => {
      share.done(amount, amount * payload.length);
    });
  }
  await taken;
}

export const SUB = command({
  summary: 'Count what arrives, from the first message to the last',
  details:
    'Start it before "bench pub" on the same subject. Each client gets all messages, so --count is for one of them.',
  parameters: {
    subject: subjectArgument('SUBJECT', 'Subject to listen on'),
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
    await measure(context, { clients, count: expected, size: 0, name: 'sub' }, async ({ connection, share }) => {
      const callback = (error: Error | null, message: Msg): void => {
        if (error !== null) return;
        share.begin();
        share.done(1, message.data.length);
        received += 1;
        if (received === expected) finish();
      };
      connection.subscribe(subject, { callback, ...(queue !== undefined && { queue }) });
      await connection.flush();
      listening += 1;
      if (listening === clients) context.note(`Counting what arrives on ${subject}`);
      await finished;
    });
  },
});

export const REQ = command({
  summary: 'Send requests and measure how long answers take',
  details: 'Somebody has to answer, such as "millrace reply bench.echo --echo --quiet".',
  parameters: {
    subject: subjectArgument('SUBJECT', 'Subject to ask on'),
    ...BENCH_OPTIONS,
    window: WINDOW,
  },
  examples: ['bench req bench.echo --count 10000'],
  run: async (input, context) => {
    const timeout = context.settings.timeoutMs;
    await measure(context, { ...input, name: 'req' }, async ({ connection, count: requests, payload, share }) => {
      share.begin();
      await inWindow(requests, input.window, async () => {
        const begin = performance.now();
        await connection.request(input.subject, payload, { timeout });
        share.done(1, payload.length, begin);
      });
    });
  },
});
