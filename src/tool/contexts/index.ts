/** Owns `context`: settings of connections that are kept under names. */
import { resolve } from 'node:path';
import { command, group } from '../command.ts';
import { SavedContexts, type SavedContext } from '../connection/index.ts';
import { given } from '../config-file.ts';
import type { Context } from '../context.ts';
import { ToolError, UsageError } from '../failure.ts';
import type { Column } from '../output/index.ts';
import { flag, nameArgument, optional, text } from '../parameters/index.ts';

const NAME = nameArgument('NAME', 'Name of the context');

function contextsOf({ surroundings }: Context): SavedContexts {
  return new SavedContexts(surroundings.env);
}

const SAVE = command({
  summary: 'Keep the settings given with it under a name',
  details: 'What is kept is what the options of every command say. Of a name that exists, what is given is changed.',
  parameters: {
    name: NAME,
    description: text('What it is for'),
    select: flag('Use it from now on when no other is named'),
  },
  examples: [
    'context save local --server nats://127.0.0.1:4222 --select',
    'context save prod --server tls://n1.example.org,tls://n2.example.org --creds ./prod.creds',
  ],
  run: async ({ name, description, select }, context) => {
    const contexts = contextsOf(context);
    const before = contexts.names().includes(name) ? contexts.read(name) : {};
    if (context.options.tlsInsecure) throw new UsageError('--tls-insecure is not kept: give it where you need it');
    contexts.write(name, { ...before, ...settingsOf(context, description) });
    if (select) contexts.select(name);
    await show(context, name);
  },
});

/** Files are found again from elsewhere. */
function settingsOf({ options }: Context, description: string | undefined): SavedContext {
  const file = (path: string | undefined): string | undefined => (path === undefined ? path : resolve(path));
  return given<SavedContext>({
    description,
    url: options.server?.join(','),
    user: options.user,
    password: options.password,
    token: options.token,
    creds: file(options.creds),
    nkey: file(options.nkey),
    cert: file(options.tlsCert),
    key: file(options.tlsKey),
    ca: file(options.tlsCa),
    tls_first: options.tlsFirst ? true : undefined,
    jetstream_domain: options.domain,
    jetstream_api_prefix: options.jsApiPrefix,
    inbox_prefix: options.inboxPrefix,
  });
}

const SECRETS = new Set(['password', 'token', 'user_jwt', 'user_seed']);

/** Secrets are not shown. */
async function show(context: Context, name: string): Promise<void> {
  const saved = contextsOf(context).read(name);
  const members = Object.entries(saved).map(([member, value]): [string, string] => {
    return [member, SECRETS.has(member) ? '********' : String(value)];
  });
  await context.output.document({ name, ...Object.fromEntries(members) }, () =>
    members.length === 0
      ? `Context ${name} is empty.\n`
      : context.output.facts([{ title: `Context ${name}`, facts: members }]),
  );
}

const SHOW = command({
  summary: 'Show what is kept under a name',
  parameters: { name: optional(NAME) },
  examples: ['context show', 'context show prod'],
  run: async ({ name }, context) => {
    const wanted = name ?? context.options.context ?? contextsOf(context).selected();
    if (wanted === undefined) throw new ToolError('no context is selected');
    await show(context, wanted);
  },
});

interface Row {
  readonly name: string;
  readonly selected: boolean;
  readonly description: string;
  readonly url: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Name', cell: ({ name, selected }) => `${name}${selected ? '*' : ''}` },
  { title: 'Description', cell: ({ description }) => description },
  { title: 'Servers', cell: ({ url }) => url },
];

const LS = command({
  summary: 'List the contexts; a star marks the selected one',
  parameters: { names: flag('Print only their names', { short: 'n' }) },
  examples: ['context ls'],
  run: async ({ names }, context) => {
    const contexts = contextsOf(context);
    const selected = contexts.selected();
    if (names) {
      await context.output.names(contexts.names());
      return;
    }
    const rows = contexts.names().map((name): Row => {
      const { description = '', url = '' } = contexts.read(name);
      return { name, selected: name === selected, description, url };
    });
    await context.output.document(rows, () => context.output.table(COLUMNS, rows, 'No contexts.'));
  },
});

const SELECT = command({
  summary: 'Use a context from now on when no other is named; without NAME, none',
  parameters: { name: optional(NAME) },
  examples: ['context select prod', 'context select'],
  run: async ({ name }, context) => {
    contextsOf(context).select(name);
    await context.output.document({ selected: name ?? null }, () => `${name ?? 'No context'} is selected.\n`);
  },
});

const RM = command({
  summary: 'Forget a context',
  parameters: { name: NAME, force: flag('Do it without asking', { short: 'f' }) },
  examples: ['context rm prod --force'],
  run: async ({ name, force }, context) => {
    const contexts = contextsOf(context);
    contexts.read(name);
    await context.confirm(`Forget the context ${name}?`, force);
    contexts.remove(name);
    await context.output.document({ removed: name }, () => `Removed ${name}.\n`);
  },
});

export const CONTEXT = group({
  summary: 'Settings of connections, kept under names',
  commands: { save: SAVE, ls: LS, show: SHOW, select: SELECT, rm: RM },
  aliases: { add: 'save', create: 'save', list: 'ls', info: 'show', del: 'rm', delete: 'rm' },
  examples: ['context save prod --server tls://n1.example.org --creds ./prod.creds --select', 'context ls'],
});
