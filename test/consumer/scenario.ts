/** Owns the short forms in which consumer tests set up a group and read what it sent. */
import type { ConsumerConfig } from '../../src/consumer/index.ts';
import type { StreamConfig } from '../../src/stream/index.ts';
import { consumerConfig } from './configs.ts';
import { FakeGroup } from './fake-group.ts';
import type { Sent } from './fake-outlet.ts';

export const MS_NS = 1_000_000;
export const SECOND_NS = 1_000_000_000;

/** A group with `messages` messages m1, m2, ... and one consumer. */
export async function groupWith(
  config: Partial<ConsumerConfig> = {},
  messages = 0,
  options: { readonly replicas?: number; readonly stream?: Partial<StreamConfig> } = {},
): Promise<FakeGroup> {
  const group = new FakeGroup(options);
  if (messages > 0) group.storeMany(messages);
  await group.create(consumerConfig(config));
  group.outlet.take();
  return group;
}

/** `<to> <payload>` of messages, `<to> <status line>` of statuses, the subject of everything else. */
export function summary(sent: readonly Sent[]): string[] {
  return sent.map((one) => {
    if (one.kind === 'message') return `${one.to} ${one.payload}`;
    return one.kind === 'status' ? `${one.to} ${one.headers.split('\r\n')[0]!}` : one.to;
  });
}

/** The numbers of an ack subject. */
export function place(sent: Sent): { attempts: number; seq: number; consumerSeq: number; pending: number } {
  const [attempts, seq, consumerSeq, , pending] = sent.reply.split('.').slice(4).map(Number);
  return { attempts: attempts!, seq: seq!, consumerSeq: consumerSeq!, pending: pending! };
}

/** `<seq>#<attempts>` of each message. */
export function attempts(sent: readonly Sent[]): string[] {
  return sent.filter((one) => one.kind === 'message').map((one) => `${place(one).seq}#${place(one).attempts}`);
}

export function advisories(sent: readonly Sent[]): Record<string, unknown>[] {
  return sent
    .filter((one) => one.to.startsWith('$JS.EVENT.ADVISORY.'))
    .map((one) => JSON.parse(one.payload) as Record<string, unknown>);
}
