/**
 * Owns the options that say who may connect and what accounts there are: `authorization`, `accounts`, `system_account`,
 * `no_auth_user`. What is not to be had yet (permissions, keys, ...) is refused by name, for whoever wrote it
 * would believe to be protected by it.
 */
import type { AccountJetStreamOptions, AccountOptions, SecurityOptions, UserOptions } from './options.ts';
import type { Position, Problems } from './problems.ts';
import { flag, integer, storageSize, text, timeout, type Reading } from './readers.ts';
import { assembleSharing } from './import-rules.ts';
import { inert, nested, readSection, section, set, unsupported } from './section.ts';
import { readExports, readImports, type ExportDraft, type ImportDraft } from './sharing.ts';
import { kindName } from './values.ts';

const GLOBAL_ACCOUNT = '$G';
const DEFAULT_SYSTEM_ACCOUNT = '$SYS';
const DEFAULT_AUTH_TIMEOUT_MS = 2000;

type Draft<T> = { -readonly [K in keyof T]?: T[K] };

export interface SecurityDraft {
  user?: string;
  password?: string;
  token?: string;
  timeoutMs?: number;
  /** Of the global account. */
  users: UserOptions[];
  accounts: AccountDraft[];
  systemAccount?: string;
  noAuthUser?: string;
  position?: Position;
}

interface AccountDraft {
  readonly name: string;
  readonly position: Position;
  readonly users: UserOptions[];
  jetStream?: AccountJetStreamOptions | 'enabled' | 'disabled';
  readonly exports: ExportDraft[];
  readonly imports: ImportDraft[];
  limits: Draft<Pick<AccountOptions, 'maxPayloadBytes' | 'maxSubscriptions'>>;
}

export function emptySecurity(): SecurityDraft {
  return { users: [], accounts: [] };
}

const userSection = section<Draft<UserOptions>>([
  ['user username', set('user', text)],
  ['pass password', set('password', text)],
  ['permissions permission nkey allowed_connection_types connection_types proxy_required', unsupported()],
]);

function users(into: UserOptions[], { name, value, position, problems }: Reading): void {
  if (value.kind !== 'array') {
    problems.error(position, `${name}: expected an array of users, got ${kindName(value.kind)}`);
    return;
  }
  for (const item of value.items) {
    if (item.kind !== 'map') {
      problems.error(item.position, `${name}: expected a map, got ${kindName(item.kind)}`);
      continue;
    }
    const draft: Draft<UserOptions> = {};
    readSection(item, userSection, draft, problems, `${name}.`);
    if (draft.user === undefined || draft.user === '') problems.error(item.position, 'user entry requires a user name');
    else into.push({ user: draft.user, password: draft.password ?? '' });
  }
}

const authorization = section<SecurityDraft>([
  ['user username', set('user', text)],
  ['pass password', set('password', text)],
  ['token', set('token', text)],
  ['timeout', set('timeoutMs', timeout)],
  [
    'users',
    (draft, reading) => {
      users(draft.users, reading);
    },
  ],
  ['permissions permission default_permissions default_permission auth_callout auth_hook', unsupported()],
]);

/** `authorization { … }`. */
export function authorizationOption(draft: { readonly security: SecurityDraft }, reading: Reading): void {
  draft.security.position = reading.position;
  nested(authorization, (security: SecurityDraft) => security)(draft.security, reading);
}

const accountJetStream = section<Draft<AccountJetStreamOptions>>([
  ['max_memory max_mem mem memory', set('maxMemoryBytes', storageSize({ min: -1 }))],
  ['max_file max_store max_disk store disk', set('maxStorageBytes', storageSize({ min: -1 }))],
  ['max_streams streams', set('maxStreams', integer({ min: -1 }))],
  ['max_consumers consumers', set('maxConsumers', integer({ min: -1 }))],
  ['max_ack_pending', set('maxAckPending', integer({ min: -1 }))],
  ['mem_max_stream_bytes memory_max_stream_bytes', set('memoryMaxStreamBytes', storageSize({ min: -1 }))],
  ['disk_max_stream_bytes store_max_stream_bytes', set('storageMaxStreamBytes', storageSize({ min: -1 }))],
  ['max_bytes_required max_stream_bytes max_bytes', set('maxBytesRequired', flag)],
  ['cluster_traffic', inert()],
]);

function jetStreamOfAccount(draft: AccountDraft, { name, value, position, problems }: Reading): void {
  if (value.kind === 'map') {
    const limits: Draft<AccountJetStreamOptions> = {};
    readSection(value, accountJetStream, limits, problems, `${name}.`);
    draft.jetStream = { ...UNLIMITED_JETSTREAM, ...limits };
  } else if (value.kind === 'boolean') {
    draft.jetStream = value.value ? 'enabled' : 'disabled';
  } else if (value.kind === 'string' && /^(enabled?|disabled?)$/i.test(value.value)) {
    draft.jetStream = value.value.toLowerCase().startsWith('enable') ? 'enabled' : 'disabled';
  } else {
    problems.error(
      position,
      `${name}: expected a map, a boolean, "enabled" or "disabled", got ${kindName(value.kind)}`,
    );
  }
}

const accountLimits = section<AccountDraft['limits']>([
  ['max_payload max_pay', set('maxPayloadBytes', integer({ min: -1 }))],
  ['max_subscriptions max_subs', set('maxSubscriptions', integer({ min: -1 }))],
  ['max_leafnodes max_leafs', inert()],
  ['max_connections max_conn', unsupported()],
]);

const account = section<AccountDraft>([
  [
    'users',
    (draft, reading) => {
      users(draft.users, reading);
    },
  ],
  ['jetstream', jetStreamOfAccount],
  ['limits', nested(accountLimits, (draft: AccountDraft) => draft.limits)],
  [
    'exports',
    (draft, reading) => {
      readExports(draft.exports, reading);
    },
  ],
  [
    'imports',
    (draft, reading) => {
      readImports(draft.imports, reading);
    },
  ],
  ['mappings maps default_permissions nkey trace_dest msg_trace', unsupported()],
]);

/** `accounts { NAME { … } … }`. */
export function accountsOption(draft: { readonly security: SecurityDraft }, reading: Reading): void {
  const { value, position, problems } = reading;
  if (value.kind !== 'map') {
    problems.error(position, `accounts: expected a map, got ${kindName(value.kind)}`);
    return;
  }
  draft.security.position ??= position;
  for (const entry of value.entries.values()) {
    const lists = { users: [], exports: [], imports: [] };
    const created: AccountDraft = { name: entry.key, position: entry.position, ...lists, limits: {} };
    const named = { name: `accounts.${entry.key}`, value: entry.value, position: entry.position, problems };
    nested(account, () => created)(undefined, named);
    if (entry.key === GLOBAL_ACCOUNT) problems.error(entry.position, '"$G" is a reserved account');
    else draft.security.accounts.push(created);
  }
}

const UNLIMITED_JETSTREAM: AccountJetStreamOptions = {
  maxMemoryBytes: -1,
  maxStorageBytes: -1,
  maxStreams: -1,
  maxConsumers: -1,
  maxAckPending: -1,
  memoryMaxStreamBytes: -1,
  storageMaxStreamBytes: -1,
  maxBytesRequired: false,
};

/** Adds to `problems`; the result is meaningful only if there are none. */
export function assembleSecurity(draft: SecurityDraft, problems: Problems): SecurityOptions {
  checkModes(draft, problems);
  const systemAccount = draft.systemAccount ?? DEFAULT_SYSTEM_ACCOUNT;
  if (draft.systemAccount !== undefined && !draft.accounts.some(({ name }) => name === systemAccount)) {
    problems.error(draft.position, `system_account "${systemAccount}" is not one of the accounts`);
  }
  const others = draft.accounts.filter(({ name }) => name !== systemAccount);
  const single = draft.user === undefined ? [] : [{ user: draft.user, password: draft.password ?? '' }];
  const globalAccount: AccountOptions = {
    name: GLOBAL_ACCOUNT,
    users: [...single, ...draft.users],
    jetStream: others.length === 0 ? UNLIMITED_JETSTREAM : undefined,
    maxPayloadBytes: -1,
    maxSubscriptions: -1,
    exports: [],
    imports: [],
  };
  const sharing = assembleSharing(draft.accounts, problems);
  const accounts = [
    globalAccount,
    ...draft.accounts.map((each) => ({
      ...assembleAccount(each, systemAccount, problems),
      exports: sharing.exports.get(each.name) ?? [],
      imports: sharing.imports.get(each.name) ?? [],
    })),
  ];
  const anonymous = anonymousOf(draft, others.length > 0);
  checkUsers(accounts, draft, problems);
  return {
    accounts: accounts.some(({ name }) => name === systemAccount)
      ? accounts
      : [...accounts, { ...globalAccount, name: systemAccount, users: [], jetStream: undefined }],
    systemAccount,
    token: draft.token,
    anonymous,
    timeoutMs: draft.timeoutMs ?? DEFAULT_AUTH_TIMEOUT_MS,
  };
}

function assembleAccount(
  draft: AccountDraft,
  systemAccount: string,
  problems: Problems,
): Omit<AccountOptions, 'exports' | 'imports'> {
  const { name, users: ofAccount, jetStream = 'disabled', limits } = draft;
  if (name === systemAccount && jetStream !== 'disabled') {
    problems.error(draft.position, 'jetstream can not be enabled on the system account');
  }
  return {
    name,
    users: ofAccount,
    jetStream: jetStream === 'disabled' ? undefined : jetStream === 'enabled' ? UNLIMITED_JETSTREAM : jetStream,
    maxPayloadBytes: limits.maxPayloadBytes ?? -1,
    maxSubscriptions: limits.maxSubscriptions ?? -1,
  };
}

/** Who a client is that says nothing about itself. */
function anonymousOf(draft: SecurityDraft, hasAccounts: boolean): SecurityOptions['anonymous'] {
  if (draft.noAuthUser !== undefined) return { kind: 'user', user: draft.noAuthUser };
  const closed = draft.user !== undefined || draft.token !== undefined || draft.users.length > 0 || hasAccounts;
  if (closed) return { kind: 'nobody' };
  return draft.accounts.length > 0 ? { kind: 'global' } : { kind: 'anybody' };
}

function checkModes(draft: SecurityDraft, problems: Problems): void {
  const { user, password, token, users: list, position } = draft;
  if (user !== undefined && token !== undefined) problems.error(position, 'Cannot have a user/pass and token');
  if (user !== undefined && list.length > 0)
    problems.error(position, 'Can not have a single user/pass and a users array');
  if (token !== undefined && list.length > 0) problems.error(position, 'Can not have a token and a users array');
  if (user === undefined && password !== undefined) problems.error(position, 'authorization: a password needs a user');
}

function checkUsers(accounts: readonly AccountOptions[], draft: SecurityDraft, problems: Problems): void {
  const known = new Set<string>();
  for (const { user } of accounts.flatMap((each) => each.users)) {
    if (known.has(user)) problems.error(draft.position, `Duplicate user "${user}" detected`);
    known.add(user);
  }
  if (draft.noAuthUser !== undefined && !known.has(draft.noAuthUser)) {
    problems.error(
      draft.position,
      `no_auth_user: "${draft.noAuthUser}" not present as user in authorization block or account configuration`,
    );
  }
}
