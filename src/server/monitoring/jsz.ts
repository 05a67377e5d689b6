/** Owns `/jsz`: JetStream's usage, and on request accounts, streams and consumers. */
import { formatTime, UINT64_MAX, unlessEmpty } from './format.ts';
import { jetStreamAccounts, jetStreamConfig, jetStreamLimits, jetStreamUsage, metaCluster } from './jetstream-facts.ts';
import { BadParameter, cut, type Query } from './query.ts';
import type { JetStreamFacts, MonitoringSources, StreamFacts, WireObject } from './sources.ts';

interface Detail {
  readonly account: string;
  readonly accounts: boolean;
  readonly streams: boolean;
  readonly consumers: boolean;
  readonly config: boolean;
  readonly raft: boolean;
  readonly ledOnly: boolean;
}

/** @throws {BadParameter} */
export function jsz(sources: MonitoringSources, query: Query) {
  const detail = readDetail(query);
  const page = query.page();
  const facts = sources.jetStream();
  if (query.boolean('leader-only') && !isLeader(facts, sources.identity.serverName)) {
    throw new BadParameter('filtered response: not leader');
  }
  const base = { server_id: sources.identity.serverId, now: formatTime(sources.nowUs()) };
  if (facts === undefined) return { ...disabledUsage(), ...base, ...disabled() };

  const streams = facts.streams().filter((stream) => !detail.ledOnly || stream.leads);
  const accounts = jetStreamAccounts(sources);
  const shown = detail.account === '' ? accounts : accounts.filter((name) => name === detail.account);
  return {
    ...jetStreamUsage(facts, accounts.length),
    ...base,
    config: jetStreamConfig(facts, sources.options()),
    limits: jetStreamLimits(sources.options()),
    ...totals(streams, detail),
    ...(facts.meta === undefined ? {} : { meta_cluster: metaCluster(facts.meta) }),
    ...(detail.accounts
      ? { account_details: cut(shown, page).map((name) => accountDetail(name, facts, streams, detail)) }
      : {}),
    total: accounts.length,
  };
}

function readDetail(query: Query): Detail {
  const consumers = query.boolean('consumers') || query.boolean('direct-consumers');
  const streams = consumers || query.boolean('streams');
  const account = query.text('acc');
  return {
    account,
    accounts: streams || query.boolean('accounts') || account !== '',
    streams,
    consumers,
    config: query.boolean('config'),
    raft: query.boolean('raft'),
    ledOnly: query.boolean('stream-leader-only'),
  };
}

function isLeader(facts: JetStreamFacts | undefined, serverName: string): boolean {
  if (facts === undefined) return false;
  return facts.meta === undefined || facts.meta.leader === serverName;
}

function disabledUsage() {
  return {
    memory: 0,
    storage: 0,
    reserved_memory: 0,
    reserved_storage: 0,
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: 0, errors: 0 },
  };
}

function disabled() {
  return {
    disabled: true,
    config: { max_memory: 0, max_storage: 0 },
    limits: {},
    streams: 0,
    consumers: 0,
    messages: 0,
    bytes: 0,
    total: 0,
  };
}

function totals(streams: readonly StreamFacts[], detail: Detail) {
  const sum = (of: readonly StreamFacts[], value: (stream: StreamFacts) => number): number =>
    of.reduce((total, stream) => total + value(stream), 0);
  const led = streams.filter((stream) => stream.leads);
  return {
    streams: streams.length,
    ...(detail.raft ? { streams_leader: led.length } : {}),
    consumers: sum(streams, (stream) => stream.consumerCount),
    ...(detail.raft ? { consumers_leader: sum(led, (stream) => stream.consumerCount) } : {}),
    messages: sum(streams, (stream) => stream.messages),
    bytes: sum(streams, (stream) => stream.bytes),
  };
}

function accountDetail(name: string, facts: JetStreamFacts, streams: readonly StreamFacts[], detail: Detail) {
  const own = streams.filter((stream) => stream.account === name).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const stored = (storage: 'file' | 'memory'): number =>
    own.reduce((total, stream) => total + (stream.storage === storage ? stream.bytes : 0), 0);
  return {
    name,
    id: name,
    memory: stored('memory'),
    storage: stored('file'),
    // Accounts have no limits here, and "unlimited" is -1 in an unsigned field.
    reserved_memory: UINT64_MAX,
    reserved_storage: UINT64_MAX,
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: facts.apiTotal, errors: facts.apiErrors },
    ...(detail.streams
      ? unlessEmpty(
          'stream_detail',
          own.map((stream) => streamDetail(stream, detail)),
        )
      : {}),
  };
}

function streamDetail(stream: StreamFacts, detail: Detail) {
  const { config, ...info } = stream.info();
  const consumers = detail.consumers ? stream.consumers() : [];
  return {
    name: stream.name,
    ...info,
    ...(detail.config ? { config } : {}),
    ...unlessEmpty(
      'consumer_detail',
      consumers.map((consumer) => consumerDetail(consumer, detail)),
    ),
    ...(detail.raft && stream.replicated ? raftGroups(stream, consumers) : {}),
  };
}

function consumerDetail(consumer: WireObject, detail: Detail): WireObject {
  if (detail.config) return consumer;
  return Object.fromEntries(Object.entries(consumer).filter(([key]) => key !== 'config'));
}

/** Consumers are part of their stream's group. */
function raftGroups(stream: StreamFacts, consumers: readonly WireObject[]) {
  return {
    stream_raft_group: stream.groupName,
    ...unlessEmpty(
      'consumer_raft_groups',
      consumers.map((consumer) => ({ name: consumer['name'], raft_group: stream.groupName })),
    ),
  };
}
