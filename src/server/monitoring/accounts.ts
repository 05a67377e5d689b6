/** Owns `/accountz` and `/accstatz`: the accounts, and what went through them. */
import { formatTime, unlessEmpty } from './format.ts';
import { BadParameter, type Query } from './query.ts';
import type { AccountFacts, MonitoringSources } from './sources.ts';

const NONE = { msgs: 0, bytes: 0 };

/** @throws {BadParameter} */
export function accountz(sources: MonitoringSources, query: Query) {
  const wanted = query.text('acc');
  const base = {
    server_id: sources.identity.serverId,
    now: formatTime(sources.nowUs()),
    system_account: sources.options().security.systemAccount,
  };
  const accounts = sources.accounts();
  if (wanted === '') return { ...base, accounts: accounts.map((account) => account.name) };
  const account = accounts.find(({ name }) => name === wanted);
  if (account === undefined) throw new BadParameter(`Account ${wanted} does not exist`);
  return { ...base, account_detail: detail(account) };
}

function detail(account: AccountFacts) {
  return {
    account_name: account.name,
    update_time: formatTime(account.updatedUs),
    ...unlessEmpty('is_system', account.isSystem),
    expired: false,
    complete: true,
    jetstream_enabled: account.jetStream,
    leafnode_connections: 0,
    client_connections: account.connections,
    subscriptions: account.subscriptions,
    name_tag: account.name,
  };
}

/** @throws {BadParameter} */
export function accstatz(sources: MonitoringSources, query: Query) {
  const unused = query.boolean('unused');
  return {
    server_id: sources.identity.serverId,
    now: formatTime(sources.nowUs()),
    account_statz: sources
      .accounts()
      .filter((account) => unused || account.connections > 0)
      .map(statistics),
  };
}

function statistics(account: AccountFacts) {
  const others = { gateways: NONE, routes: NONE, leafs: NONE };
  return {
    acc: account.name,
    name: account.name,
    conns: account.connections,
    leafnodes: 0,
    total_conns: account.totalConnections,
    num_subscriptions: account.subscriptions,
    sent: { msgs: account.sentMsgs, bytes: account.sentBytes, ...others },
    received: { msgs: account.receivedMsgs, bytes: account.receivedBytes, ...others },
    slow_consumers: account.slowConsumers,
  };
}
