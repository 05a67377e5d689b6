/** Owns what all measurements share: their options, their connections, the progress bar and the result. */
import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { onInterruption, type Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import { bytes, count, withDefault, type Input } from '../parameters/index.ts';
import { Measurement, Share, resultText } from './measurement.ts';

export const BENCH_OPTIONS = {
  clients: withDefault(count('How many connections, all in this process', { short: 'c' }), 1),
  count: withDefault(
    count('How many messages, of all clients together', { short: 'n', also: ['msgs'] }),
    100_000,
    '100,000',
  ),
  size: withDefault(bytes('Size of a message'), 128, '128B'),
} as const;

export const WINDOW = withDefault(count('How many requests of a client are under way at once'), 1);

export type BenchInput = Input<typeof BENCH_OPTIONS>;

/** One of the clients, with its share of the work. */
export interface BenchClient {
  readonly connection: NatsConnection;
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
  /** Counts what is done. */
  readonly share: Share;
  /** Aborts with Ctrl-C: what was measured until then is the result. */
  readonly signal: AbortSignal;
}

/** Runs `work` for each client at the same time, and prints what came of it. */
export async function measure(
  context: Context,
  { name, clients, count: messages, size }: BenchInput & { readonly name: string },
  work: (client: BenchClient) => Promise<void>,
): Promise<void> {
  if (messages < clients || size < 0) throw new UsageError('there is a message for each client, and its size is known');
  const measurement = new Measurement();
  const payload = randomBytes(size);
  const signal = context.untilInterrupted();
  const connections = await Promise.all(Array.from({ length: clients }, () => context.openAnother(false)));
  const progress = context.progress({ label: name, total: messages, unit: 'messages' });
  const shares = connections.map(() => new Share(measurement, progress));
  const working = connections.map((connection, index) => {
    const ownCount = Math.floor(messages / clients) + (index < messages % clients ? 1 : 0);
    return work({ connection, index, count: ownCount, payload, share: shares[index]!, signal });
  });
  try {
    await Promise.race([Promise.all(working), aborted(signal)]);
  } finally {
    progress.end();
    await Promise.all(connections.map((connection) => connection.close()));
  }
  const result = measurement.result(name, shares);
  await context.output.document(result, () => resultText(result, context.output));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onInterruption(signal, resolve);
  });
}

/** Keeps up to `window` calls of `send` under way until `count` are done. */
export async function inWindow(total: number, window: number, send: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < total) {
      next += 1;
      await send(next);
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, total) }, worker));
}
