/** Owns the commands that look into streams. */
import type { StreamInfo } from '@nats-io/jetstream';
import { command } from '../command.ts';
import type { Column } from '../output/index.ts';
import { choice, flag, text, withDefault } from '../parameters/index.ts';
import { formatAge, formatBytes, formatCount, formatTime } from '../units.ts';
import { NAME, streamInfo } from './configure.ts';
import { streamText } from './info-text.ts';

export const INFO = command({
  summary: 'Show the configuration and state of a stream',
  parameters: { stream: NAME },
  examples: ['stream info ORDERS', 'stream info ORDERS --json'],
  run: async ({ stream }, context) => {
    const info = await streamInfo(await context.api(), stream);
    await context.output.document(info, () => streamText(info, context.output));
  },
});

export const LIST_COLUMNS: readonly Column<StreamInfo>[] = [
  { title: 'Name', cell: ({ config }) => config.name },
  { title: 'Subjects', cell: ({ config }) => shorten((config.subjects as string[] | undefined)?.join(', ') ?? '') },
  { title: 'Messages', align: 'right', cell: ({ state }) => formatCount(state.messages) },
  { title: 'Bytes', align: 'right', cell: ({ state }) => formatBytes(state.bytes) },
  { title: 'Created', cell: ({ created }) => formatTime(created) },
  { title: 'Last message', align: 'right', cell: lastMessage },
];
const LONGEST_CELL = 40;

function shorten(text: string): string {
  return text.length <= LONGEST_CELL ? text : `${text.slice(0, LONGEST_CELL - 1)}…`;
}

function lastMessage({ state }: StreamInfo): string {
  return state.last_seq === 0 ? 'never' : `${formatAge(Date.now() - Date.parse(state.last_ts))} ago`;
}

export const LS = command({
  summary: 'List streams',
  parameters: {
    subject: text('Only those that store this subject', { placeholder: 'SUBJECT' }),
    names: flag('Print only their names', { short: 'n' }),
  },
  examples: ['stream ls', 'stream ls --subject orders.new --names'],
  run: async ({ subject, names }, context) => {
    const api = await context.api();
    const filter = subject === undefined ? {} : { subject };
    if (names) {
      const found = await api.list<string>('STREAM.NAMES', 'streams', filter);
      await context.output.names(found);
      return;
    }
    const streams = await api.list<StreamInfo>('STREAM.LIST', 'streams', filter);
    await context.output.document(streams, () => context.output.table(LIST_COLUMNS, streams, 'No streams.'));
  },
});

const REPORT_COLUMNS: readonly Column<StreamInfo>[] = [
  { title: 'Stream', cell: ({ config }) => config.name },
  { title: 'Storage', cell: ({ config }) => config.storage },
  { title: 'Consumers', align: 'right', cell: ({ state }) => formatCount(state.consumer_count) },
  { title: 'Messages', align: 'right', cell: ({ state }) => formatCount(state.messages) },
  { title: 'Bytes', align: 'right', cell: ({ state }) => formatBytes(state.bytes) },
  { title: 'Subjects', align: 'right', cell: ({ state }) => formatCount(state.num_subjects ?? 0) },
  {
    title: 'Deleted',
    align: 'right',
    cell: ({ state }) => formatCount((state as { num_deleted?: number }).num_deleted ?? 0),
  },
  { title: 'Replicas', cell: replicas },
];

/** The leader, and then who is not in order. */
function replicas({ cluster, config }: StreamInfo): string {
  const others = cluster?.replicas ?? [];
  const names = others.map(
    (replica) => replica.name + (replica.offline ? ' offline' : replica.current ? '' : ' behind'),
  );
  const leader = cluster === undefined ? '' : (cluster.leader ?? 'no leader');
  return [leader === '' ? String(config.num_replicas) : `${leader}*`, ...names].join(', ');
}

const ORDERS = {
  name: (a: StreamInfo, b: StreamInfo) => (a.config.name < b.config.name ? -1 : 1),
  messages: (a: StreamInfo, b: StreamInfo) => b.state.messages - a.state.messages,
  bytes: (a: StreamInfo, b: StreamInfo) => b.state.bytes - a.state.bytes,
  consumers: (a: StreamInfo, b: StreamInfo) => b.state.consumer_count - a.state.consumer_count,
} as const;

export const REPORT = command({
  summary: 'Compare all streams: what they hold, and how their replicas are',
  parameters: {
    subject: text('Only those that store this subject', { placeholder: 'SUBJECT' }),
    sort: withDefault(choice('Order of the rows', ['name', 'messages', 'bytes', 'consumers']), 'name'),
  },
  examples: ['stream report', 'stream report --sort bytes'],
  run: async ({ subject, sort }, context) => {
    const filter = subject === undefined ? {} : { subject };
    const streams = await (await context.api()).list<StreamInfo>('STREAM.LIST', 'streams', filter);
    const sorted = [...streams].sort(ORDERS[sort]);
    await context.output.document(sorted, () => context.output.table(REPORT_COLUMNS, sorted, 'No streams.'));
  },
});

export const SUBJECTS = command({
  summary: 'List the subjects of a stream, and how many messages each has',
  parameters: {
    stream: NAME,
    filter: withDefault(text('Only these', { placeholder: 'SUBJECT' }), '>'),
    names: flag('Print only the subjects', { short: 'n' }),
  },
  examples: ['stream subjects ORDERS', 'stream subjects ORDERS --filter "orders.eu.*" --names'],
  run: async ({ stream, filter, names }, context) => {
    const api = await context.api();
    const subjects: Record<string, number> = {};
    let offset = 0;
    for (;;) {
      const page = await api.request<StreamInfo>(`STREAM.INFO.${stream}`, { subjects_filter: filter, offset });
      const found = Object.entries(page.state.subjects ?? {});
      for (const [subject, count] of found) subjects[subject] = count;
      offset += found.length;
      if (found.length === 0 || offset >= page.total) break;
    }
    const rows = Object.entries(subjects).sort(([a], [b]) => (a < b ? -1 : 1));
    await context.output.document(subjects, () =>
      names
        ? rows.map(([subject]) => `${subject}\n`).join('')
        : context.output.table(SUBJECT_COLUMNS, rows, 'No messages.'),
    );
  },
});

const SUBJECT_COLUMNS: readonly Column<readonly [string, number]>[] = [
  { title: 'Subject', cell: ([subject]) => subject },
  { title: 'Messages', align: 'right', cell: ([, count]) => formatCount(count) },
];
