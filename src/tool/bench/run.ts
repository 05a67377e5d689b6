/** Owns what all measurements share: their options, their connections, the progress bar and the result. */
import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Context } from '../context.ts';
import { UsageError } from '../failure.ts';
import type { Progress } from '../output/index.ts';
import { bytes, count, withDefault, type Input } from '../parameters/index.ts';
import { Measurement, resultText } from './measurement.ts';

export const BENCH_OPTIONS = {
  clients: withDefault(count('How many connections, all in this process', { short: 'c' }), 1),
  count: withDefault(count('How many messages, of all clients together', { short: 'n' }), 100_000),
  size: withDefault(bytes('Size of a message'), 128, '128B'),
} as const;

export type BenchInput = Input<typeof BENCH_OPTIONS>;

/** One of the clients, with its share of the work. */
export interface BenchClient {
  readonly connection: NatsConnection;
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
  readonly measurement: Measurement;
  readonly progress: Progress;
}

/** Runs `work` for each client at the same time, and prints what came of it. */
export async function measure(
  context: Context,
  { name, clients, count, size }: BenchInput & { readonly name: string },
  work: (client: BenchClient) => Promise<void>,
): Promise<void> {
  if (clients < 1 || count < clients || size < 0)
    throw new UsageError('there is at least one client, and a message for each');
  const measurement = new Measurement();
  const payload = randomBytes(size);
  const connections = await Promise.all(Array.from({ length: clients }, () => context.openAnother(false)));
  const progress = context.progress({ label: name, total: count, unit: 'messages' });
  try {
    await Promise.all(
      connections.map((connection, index) => {
        const share = Math.floor(count / clients) + (index < count % clients ? 1 : 0);
        return work({ connection, index, count: share, payload, measurement, progress });
      }),
    );
  } finally {
    progress.end();
    await Promise.all(connections.map((connection) => connection.close()));
  }
  const result = measurement.result(name, clients);
  await context.output.document(result, () => resultText(result, context.output));
}

/** Counts a message that is done; `begin` is when its request was sent, if that is of interest. */
export function done({ measurement, progress, payload }: BenchClient, messages: number, begin?: number): void {
  measurement.record(messages, messages * payload.length);
  if (begin !== undefined) measurement.recordLatency(performance.now() - begin);
  progress.add(messages);
}

/** Keeps up to `window` calls of `send` under way until `count` are done. */
export async function inWindow(count: number, window: number, send: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await send(next);
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, worker));
}
