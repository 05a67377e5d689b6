/** Consumers of a real cluster across changes of their leader: nobody who waits is left without a word. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RawClient, type Subscription } from '../conformance/raw-client.ts';
import { startServers, type ServerProcess, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const NEXT = '$JS.API.CONSUMER.MSG.NEXT.S';
const EXPIRES_NS = 20e9;

let servers: Servers;
let client: RawClient;

interface Info {
  readonly num_waiting: number;
  readonly cluster: {
    readonly name: string;
    readonly raft_group?: string;
    readonly leader: string;
    readonly replicas?: readonly { readonly name: string }[];
  };
}

async function call<T = Record<string, unknown>>(subject: string, body: object | string = ''): Promise<T> {
  const [reply] = await client.request(`$JS.API.${subject}`, typeof body === 'string' ? body : JSON.stringify(body));
  assert.ok(reply !== undefined, `${subject} was not answered`);
  const answer = JSON.parse(reply.payload) as T & { readonly error?: object };
  assert.equal(answer.error, undefined, `${subject}: ${reply.payload}`);
  return answer;
}

async function consumer(name: string, config: object = {}): Promise<Info> {
  const body = { stream_name: 'S', config: { durable_name: name, ack_policy: 'explicit', ...config } };
  return call<Info>(`CONSUMER.CREATE.S.${name}`, body);
}

async function waits(name: string, inbox: string, request: object = {}): Promise<Subscription> {
  const subscription = client.subscribe(inbox);
  client.publish(`${NEXT}.${name}`, JSON.stringify({ batch: 5, expires: EXPIRES_NS, ...request }), { reply: inbox });
  await waitFor(`a request that waits for ${name}`, async () => {
    return (await call<Info>(`CONSUMER.INFO.S.${name}`)).num_waiting > 0;
  });
  return subscription;
}

const statusOf = ({ headers }: { readonly headers: string }): string => headers.split('\r\n')[0]!;

function hears(subscription: Subscription, status: string): Promise<true | undefined> {
  return waitFor(`"${status}"`, () => subscription.received.some((one) => statusOf(one) === status) || undefined);
}

async function nodeOf(name: string): Promise<ServerProcess> {
  const { cluster } = await call<Info>(`CONSUMER.INFO.S.${name}`);
  return servers.byName(cluster.leader);
}

before(async () => {
  servers = await startServers({ nodes: 3 });
  client = await RawClient.connect(servers.first.url);
  await call('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], num_replicas: 3 });
});

after(async () => {
  client.close();
  await servers.stop();
});

test('a consumer tells of as many replicas as it has', async () => {
  const durable = await consumer('three');
  assert.match(durable.cluster.raft_group ?? '', /^C-R3F-\w{8}$/);
  assert.equal(durable.cluster.replicas?.length, 2);
  const single = await consumer('one', { num_replicas: 1, mem_storage: true });
  assert.deepEqual(single.cluster, { name: durable.cluster.name, leader: durable.cluster.leader });
});

test('whoever waits hears of a new leader, which is told of as well', async () => {
  await consumer('d');
  const waiting = await waits('d', 'in.d');
  const events = client.subscribe('$JS.EVENT.ADVISORY.CONSUMER.LEADER_ELECTED.S.d');
  await call('CONSUMER.LEADER.STEPDOWN.S.d');
  await hears(waiting, 'NATS/1.0 409 Leadership Change');
  await waitFor('the event', () => events.received.length > 0);
  const event = JSON.parse(events.received[0]!.payload) as { readonly leader: string; readonly replicas: object[] };
  assert.equal(event.leader, (await nodeOf('d')).name);
  assert.equal(event.replicas.length, 3);
  client.closeSubscriptions();
});

test('a pinned client keeps its pin when the leader changes', async () => {
  await consumer('p', { priority_policy: 'pinned_client', priority_groups: ['g'], filter_subject: 's.pin' });
  const pinned = await waits('p', 'in.pinned', { group: 'g' });
  await client.request('s.pin', 'm');
  await waitFor('its first message', () => pinned.received.length > 0);
  const id = /Nats-Pin-Id: (\w+)/.exec(pinned.received[0]!.headers)![1]!;
  await call('CONSUMER.LEADER.STEPDOWN.S.p');
  await hears(pinned, 'NATS/1.0 409 Leadership Change');
  const standby = client.subscribe('in.standby');
  client.publish(`${NEXT}.p`, JSON.stringify({ group: 'g', expires: EXPIRES_NS }), { reply: 'in.standby' });
  const again = client.subscribe('in.again');
  client.publish(`${NEXT}.p`, JSON.stringify({ group: 'g', id, expires: EXPIRES_NS }), { reply: 'in.again' });
  await client.request('s.pin', 'm');
  await waitFor('its next message', () => again.received.length > 0);
  assert.equal(/Nats-Pin-Id: (\w+)/.exec(again.received[0]!.headers)?.[1], id);
  assert.equal(standby.received.length, 0);
  client.closeSubscriptions();
});

test('whoever waits hears of a server that stops, and is served by the next', async () => {
  await consumer('stop', { filter_subject: 's.stop' });
  // The client's own server is the one that must stay.
  while ((await nodeOf('stop')) === servers.first) {
    await call('CONSUMER.LEADER.STEPDOWN.S.stop');
    await waitFor('another leader', async () => (await nodeOf('stop')) !== servers.first);
  }
  const waiting = await waits('stop', 'in.stop');
  const leader = await nodeOf('stop');
  await leader.kill('SIGTERM');
  await hears(waiting, 'NATS/1.0 409 Server Shutdown');
  await client.request('s.stop', 'm');
  const [message] = await client.request(`${NEXT}.stop`, JSON.stringify({ batch: 1, expires: EXPIRES_NS }));
  assert.equal(message?.payload, 'm');
});
