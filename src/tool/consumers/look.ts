/** Owns the commands that look into consumers. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Column } from '../output/index.ts';
import { flag } from '../parameters/index.ts';
import { formatCount, formatTime } from '../units.ts';
import { consumerInfo, NAME, STREAM } from './configure.ts';
import { consumerText } from './info-text.ts';

export const INFO = command({
  summary: 'Show the configuration and state of a consumer',
  parameters: { stream: STREAM, consumer: NAME },
  examples: ['consumer info ORDERS worker'],
  run: async ({ stream, consumer }, context) => {
    const info = await consumerInfo(await context.api(), stream, consumer);
    await context.output.document(info, () => consumerText(info, context.output));
  },
});

const NAME_COLUMN: Column<ConsumerInfo> = { title: 'Consumer', cell: ({ name }) => name };

const LIST_COLUMNS: readonly Column<ConsumerInfo>[] = [
  NAME_COLUMN,
  { title: 'Mode', cell: ({ config }) => (config.deliver_subject === undefined ? 'pull' : 'push') },
  { title: 'Acknowledgement', cell: ({ config }) => config.ack_policy },
  { title: 'Filter', cell: ({ config }) => config.filter_subject ?? config.filter_subjects?.join(', ') ?? '' },
  { title: 'Created', cell: ({ created }) => formatTime(created) },
];

export const LS = command({
  summary: 'List the consumers of a stream',
  parameters: { stream: STREAM, names: flag('Print only their names', { short: 'n' }) },
  examples: ['consumer ls ORDERS'],
  run: async ({ stream, names }, context) => {
    const api = await context.api();
    if (names) {
      const found = await api.list<string>(`CONSUMER.NAMES.${stream}`, 'consumers');
      await context.output.names(found);
      return;
    }
    const consumers = await api.list<ConsumerInfo>(`CONSUMER.LIST.${stream}`, 'consumers');
    await context.output.document(consumers, () => context.output.table(LIST_COLUMNS, consumers, 'No consumers.'));
  },
});

const REPORT_COLUMNS: readonly Column<ConsumerInfo>[] = [
  NAME_COLUMN,
  { title: 'Mode', cell: ({ config }) => (config.deliver_subject === undefined ? 'pull' : 'push') },
  { title: 'Delivered', align: 'right', cell: ({ delivered }) => formatCount(delivered.stream_seq) },
  { title: 'Acknowledged', align: 'right', cell: ({ ack_floor: floor }) => formatCount(floor.stream_seq) },
  { title: 'Unacknowledged', align: 'right', cell: ({ num_ack_pending: pending }) => formatCount(pending) },
  { title: 'Again', align: 'right', cell: ({ num_redelivered: again }) => formatCount(again) },
  { title: 'Waiting', align: 'right', cell: ({ num_waiting: waiting }) => formatCount(waiting) },
  { title: 'To come', align: 'right', cell: ({ num_pending: pending }) => formatCount(pending) },
  { title: 'Leader', cell: ({ cluster }) => cluster?.leader ?? '' },
];

export const REPORT = command({
  summary: 'Compare the consumers of a stream: how far they are',
  parameters: { stream: STREAM },
  examples: ['consumer report ORDERS'],
  run: async ({ stream }, context) => {
    const consumers = await (await context.api()).list<ConsumerInfo>(`CONSUMER.LIST.${stream}`, 'consumers');
    await context.output.document(consumers, () => context.output.table(REPORT_COLUMNS, consumers, 'No consumers.'));
  },
});
