/** Owns `account`: what JetStream says about the account that the credentials belong to. */
import type { AccountLimits, JetStreamAccountStats } from '@nats-io/jetstream';
import { command, group } from '../command.ts';
import type { Fact } from '../output/index.ts';
import { formatBytes, formatCount } from '../units.ts';
import { BACKUP, RESTORE } from './account-backup.ts';
import { CONNECTIONS } from './connections.ts';

const INFO = command({
  summary: 'Show what the account uses, and its limits',
  parameters: {},
  examples: ['account info', 'account info --json'],
  run: async (_, context) => {
    const info = await (await context.api()).request<JetStreamAccountStats>('INFO');
    await context.output.document(info, () => {
      return context.output.facts([
        { title: 'Account', facts: usage(info) },
        { title: 'Limits', facts: limits(info.limits) },
        { title: 'API', facts: api(info) },
      ]);
    });
  },
});

function usage(info: JetStreamAccountStats): readonly Fact[] {
  return [
    ['Domain', info.domain],
    ['Files', formatBytes(info.storage)],
    ['Memory', formatBytes(info.memory)],
    ['Files reserved', formatBytes(info.reserved_storage)],
    ['Memory reserved', formatBytes(info.reserved_memory)],
    ['Streams', formatCount(info.streams)],
    ['Consumers', formatCount(info.consumers)],
  ];
}

/** Here 0 is a limit, and only -1 is none. */
function limits(limits: AccountLimits): readonly Fact[] {
  const limit = (value: number, format = formatCount): string => (value < 0 ? 'unlimited' : format(value));
  return [
    ['Files', limit(limits.max_storage, formatBytes)],
    ['Memory', limit(limits.max_memory, formatBytes)],
    ['Streams', limit(limits.max_streams)],
    ['Consumers of a stream', limit(limits.max_consumers)],
    ['Unacknowledged messages', limit(limits.max_ack_pending)],
  ];
}

function api({ api: stats }: JetStreamAccountStats): readonly Fact[] {
  return [
    ['Level', stats.level === undefined ? undefined : String(stats.level)],
    ['Requests', formatCount(stats.total)],
    ['Errors', formatCount(stats.errors)],
  ];
}

export const ACCOUNT = group({
  summary: 'What the account uses, and its limits',
  commands: { info: INFO, connections: CONNECTIONS, backup: BACKUP, restore: RESTORE },
  aliases: { report: 'connections' },
  examples: ['account info', 'account backup ./backup'],
});
