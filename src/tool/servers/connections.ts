/** Owns `account connections`: who is connected as the same account, as far as the servers tell. */
import { command } from '../command.ts';
import type { Column } from '../output/index.ts';
import { formatBytes, formatCount } from '../units.ts';
import { askServers, WAIT } from './system.ts';

interface Connection {
  readonly cid: number;
  readonly name?: string;
  readonly ip: string;
  readonly lang?: string;
  readonly version?: string;
  readonly uptime: string;
  readonly subscriptions: number;
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly in_bytes: number;
  readonly out_bytes: number;
}

interface Connections {
  readonly server: { readonly name: string };
  readonly data: { readonly connections: readonly Connection[] };
}

type Row = Connection & { readonly server: string };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Id', align: 'right', cell: ({ cid }) => String(cid) },
  { title: 'Server', cell: ({ server }) => server },
  { title: 'Name', cell: ({ name }) => name ?? '' },
  { title: 'Address', cell: ({ ip }) => ip },
  { title: 'Client', cell: ({ lang, version }) => [lang ?? '', version ?? ''].join(' ').trim() },
  { title: 'Up', align: 'right', cell: ({ uptime }) => uptime },
  { title: 'Subscriptions', align: 'right', cell: ({ subscriptions }) => formatCount(subscriptions) },
  { title: 'Sent', align: 'right', cell: (row) => `${formatCount(row.in_msgs)}, ${formatBytes(row.in_bytes)}` },
  { title: 'Received', align: 'right', cell: (row) => `${formatCount(row.out_msgs)}, ${formatBytes(row.out_bytes)}` },
];

export const CONNECTIONS = command({
  summary: 'List the connections of the account',
  details: 'Servers that have system services answer.',
  parameters: { wait: WAIT },
  examples: ['account connections'],
  run: async ({ wait }, context) => {
    const answers = await askServers<Connections>(context, {
      subject: '$SYS.REQ.ACCOUNT.PING.CONNZ',
      body: '',
      waitMs: wait,
    });
    const rows = answers.flatMap(({ server, data }) =>
      data.connections.map((row) => ({ ...row, server: server.name })),
    );
    await context.output.document(rows, () => context.output.table(COLUMNS, rows, 'No connections.'));
  },
});
