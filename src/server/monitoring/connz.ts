/** Owns `/connz`: the client connections, sorted and in pages. */
import { formatRtt, formatTime, formatUptime, unlessEmpty } from './format.ts';
import { BadParameter, cut, type Query } from './query.ts';
import type { ConnectionFacts, MonitoringSources } from './sources.ts';
import { subscriptionDetail } from './subscription-list.ts';

const DEFAULT_ACCOUNT = '$G';

type Order = (a: ConnectionFacts, b: ConnectionFacts) => number;

const descending =
  (key: (connection: ConnectionFacts) => number): Order =>
  (a, b) =>
    key(b) - key(a);

const byReason: Order = (a, b) => compareText(a.closed?.reason ?? '', b.closed?.reason ?? '');

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const ORDERS: Readonly<Record<string, Order>> = {
  cid: (a, b) => a.cid - b.cid,
  start: (a, b) => a.startUs - b.startUs,
  subs: descending((connection) => connection.subscriptionCount),
  pending: descending((connection) => connection.pendingBytes),
  msgs_to: descending((connection) => connection.outMsgs),
  msgs_from: descending((connection) => connection.inMsgs),
  bytes_to: descending((connection) => connection.outBytes),
  bytes_from: descending((connection) => connection.inBytes),
  last: descending((connection) => connection.lastActivityUs),
  // Idle longest first is active longest ago.
  idle: (a, b) => a.lastActivityUs - b.lastActivityUs,
  uptime: (a, b) => a.startUs - b.startUs,
  rtt: descending((connection) => connection.rttUs ?? 0),
  stop: descending((connection) => connection.closed?.atUs ?? 0),
  reason: byReason,
};

const CLOSED_ONLY = new Set(['stop', 'reason']);

/** @throws {BadParameter} */
export function connz(sources: MonitoringSources, query: Query) {
  const nowUs = sources.nowUs();
  const options = { auth: query.boolean('auth'), subs: query.detail('subs') };
  const cid = query.id('cid');
  const page = cid > 0 ? { offset: 0, limit: 1 } : query.page();
  const matching = select(sources, query, cid);
  const shown = cut(matching, page).map((connection) => describe(connection, nowUs, options));
  return {
    server_id: sources.identity.serverId,
    now: formatTime(nowUs),
    num_connections: shown.length,
    total: matching.length,
    offset: page.offset,
    limit: page.limit,
    connections: shown,
  };
}

function select(sources: MonitoringSources, query: Query, cid: number): readonly ConnectionFacts[] {
  const state = readState(query);
  const order = readOrder(query, state);
  const [user, account, mqttClient] = [query.text('user'), query.text('acc'), query.text('mqtt_client')];
  const all = [
    ...(state === 'closed' ? [] : sources.connections()),
    ...(state === 'open' ? [] : sources.closedConnections()),
  ];
  return all
    .filter(
      (connection) =>
        (cid === 0 || connection.cid === cid) &&
        (user === '' || connection.user === user) &&
        (account === '' || connection.account === account) &&
        mqttClient === '',
    )
    .sort(order);
}

function readState(query: Query): 'open' | 'closed' | 'any' {
  const state = query.text('state').toLowerCase();
  if (state === '' || state === 'open') return 'open';
  if (state === 'closed') return 'closed';
  if (state === 'any' || state === 'all') return 'any';
  throw new BadParameter(`Error decoding state for ${query.text('state')}`);
}

function readOrder(query: Query, state: 'open' | 'closed' | 'any'): Order {
  const name = query.text('sort') === '' ? 'cid' : query.text('sort');
  const order = Object.hasOwn(ORDERS, name) ? ORDERS[name] : undefined;
  if (order === undefined) throw new BadParameter(`invalid sorting option: ${name}`);
  if (CLOSED_ONLY.has(name) && state !== 'closed') {
    throw new BadParameter(`sort by ${name} only valid on closed connections`);
  }
  return order;
}

function describe(
  connection: ConnectionFacts,
  nowUs: number,
  options: { readonly auth: boolean; readonly subs: 'none' | 'list' | 'detail' },
) {
  const endUs = connection.closed?.atUs ?? nowUs;
  return {
    cid: connection.cid,
    kind: 'Client',
    type: 'nats',
    ip: connection.ip,
    port: connection.port,
    start: formatTime(connection.startUs),
    last_activity: formatTime(connection.lastActivityUs),
    ...(connection.closed === undefined
      ? {}
      : { stop: formatTime(connection.closed.atUs), reason: connection.closed.reason }),
    ...(connection.rttUs === undefined ? {} : { rtt: formatRtt(connection.rttUs) }),
    uptime: formatUptime(endUs - connection.startUs),
    idle: formatUptime(endUs - connection.lastActivityUs),
    pending_bytes: connection.pendingBytes,
    in_msgs: connection.inMsgs,
    out_msgs: connection.outMsgs,
    in_bytes: connection.inBytes,
    out_bytes: connection.outBytes,
    ...unlessEmpty('stalls', connection.stalls),
    subscriptions: connection.subscriptionCount,
    ...unlessEmpty('name', connection.name),
    ...unlessEmpty('lang', connection.lang),
    ...unlessEmpty('version', connection.version),
    ...subscriptionFields(connection, options.subs),
    ...(options.auth ? authFields(connection) : {}),
  };
}

function subscriptionFields(connection: ConnectionFacts, subs: 'none' | 'list' | 'detail') {
  if (subs === 'none') return {};
  const list = connection.subscriptions();
  return subs === 'list'
    ? unlessEmpty(
        'subscriptions_list',
        list.map((subscription) => subscription.subject),
      )
    : unlessEmpty('subscriptions_list_detail', list.map(subscriptionDetail));
}

function authFields(connection: ConnectionFacts) {
  return {
    ...unlessEmpty('authorized_user', connection.user),
    ...(connection.account === DEFAULT_ACCOUNT ? {} : { account: connection.account }),
    name_tag: connection.account,
  };
}
