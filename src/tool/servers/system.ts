/** Owns what all servers answer to a user of the system account: `server ls` and `server request`. */
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { isNoResponders, ToolError, UsageError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { argument, duration, optional, withDefault } from '../parameters/index.ts';
import { formatAge, formatBytes, formatCount } from '../units.ts';

export const WAIT = withDefault(duration('How long to wait for all answers'), 500, '500ms');

const PING = '$SYS.REQ.SERVER.PING';

/** One answer from each server, as long as they come. */
export async function askServers<T>(
  context: Context,
  { subject, body, waitMs }: { readonly subject: string; readonly body: string; readonly waitMs: number },
): Promise<readonly T[]> {
  const connection = await context.connect();
  const answers: T[] = [];
  try {
    const options = { strategy: 'stall', stall: waitMs, maxWait: context.settings.timeoutMs } as const;
    for await (const answer of await connection.requestMany(subject, body, options)) {
      answers.push(answer.json<T>());
    }
  } catch (error) {
    if (!isNoResponders(error)) throw error;
  }
  if (answers.length === 0)
    throw new ToolError('no server answers: it takes servers with system services, and a user who may ask them');
  return answers;
}

interface Statistics {
  readonly server: { readonly name: string; readonly cluster?: string; readonly ver: string; readonly host: string };
  readonly statsz: {
    readonly start: string;
    readonly mem: number;
    readonly cpu: number;
    readonly connections: number;
    readonly subscriptions: number;
    readonly slow_consumers: number;
  };
}

const COLUMNS: readonly Column<Statistics>[] = [
  { title: 'Name', cell: ({ server }) => server.name },
  { title: 'Cluster', cell: ({ server }) => server.cluster ?? '' },
  { title: 'Host', cell: ({ server }) => server.host },
  { title: 'Version', cell: ({ server }) => server.ver },
  { title: 'Connections', align: 'right', cell: ({ statsz }) => formatCount(statsz.connections) },
  { title: 'Subscriptions', align: 'right', cell: ({ statsz }) => formatCount(statsz.subscriptions) },
  { title: 'Slow', align: 'right', cell: ({ statsz }) => formatCount(statsz.slow_consumers) },
  { title: 'CPU', align: 'right', cell: ({ statsz }) => `${Math.round(statsz.cpu)}%` },
  { title: 'Memory', align: 'right', cell: ({ statsz }) => formatBytes(statsz.mem) },
  { title: 'Up', align: 'right', cell: ({ statsz }) => formatAge(Date.now() - Date.parse(statsz.start)) },
];

const NEEDS_SYSTEM_ACCOUNT = 'Servers that have system services answer users of the system account.';

export const LS = command({
  summary: 'List the servers, and how busy they are',
  details: NEEDS_SYSTEM_ACCOUNT,
  parameters: { wait: WAIT },
  examples: ['server ls --user admin --password secret'],
  run: async ({ wait }, context) => {
    const answers = await askServers<Statistics>(context, { subject: `${PING}.STATSZ`, body: '', waitMs: wait });
    const servers = [...answers].sort((a, b) => (a.server.name < b.server.name ? -1 : 1));
    await context.output.document(servers, () => context.output.table(COLUMNS, servers, ''));
  },
});

const KINDS = ['varz', 'connz', 'routez', 'subsz', 'jsz', 'accountz', 'healthz', 'statsz'];

export const REQUEST = command({
  summary: 'Print a monitoring document of each server, as JSON, a line each',
  details: `${NEEDS_SYSTEM_ACCOUNT} Documents are ${KINDS.join(', ')}.`,
  parameters: {
    document: argument('DOCUMENT', 'Which one'),
    options: optional(argument('OPTIONS', 'Its options, as JSON')),
    wait: WAIT,
  },
  examples: [
    'server request varz --user admin --password secret',
    `server request jsz '{"streams":true}' --user admin --password secret`,
  ],
  run: async ({ document, options = '', wait }, context) => {
    if (!KINDS.includes(document)) throw new UsageError(`DOCUMENT: "${document}" is none of ${KINDS.join(', ')}`);
    const question = { subject: `${PING}.${document.toUpperCase()}`, body: options, waitMs: wait };
    for (const answer of await askServers<unknown>(context, question)) {
      await context.output.item(answer, () => `${JSON.stringify(answer)}\n`);
    }
  },
});
