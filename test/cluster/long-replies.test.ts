/** A cluster whose consumers ask for answers under the longer subjects, which name domain and account. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AckPolicy, connect, type JsMsg, type NatsConnection } from 'nats';
import { RawClient, type Reply } from '../conformance/raw-client.ts';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const MESSAGES = 6;
const PATIENCE_MS = 20_000;
const ACK = /^\$JS\.ACK\.hub\.szMpdrwD\.S\.d\.1\.(\d+)\.\1\.\d{19}\.\d+$/;

let servers: Servers;
let client: NatsConnection;

before(async () => {
  servers = await startServers({ nodes: 3, jetstream: 'domain: hub', config: 'feature_flags { js_ack_fc_v2: true }' });
  client = await connect({ servers: servers.first.url });
  const jsm = await client.jetstreamManager(PATIENT);
  await jsm.streams.add({ name: 'S', subjects: ['s.>'], num_replicas: 3 });
  await jsm.streams.add({ name: 'MIRROR', mirror: { name: 'S' }, num_replicas: 1 });
  for (let at = 1; at <= MESSAGES; at++) await client.jetstream(PATIENT).publish('s.a', String(at));
});

after(async () => {
  await client.close();
  await servers.stop();
});

async function onNode(at: number, use: (raw: RawClient) => Promise<void>): Promise<void> {
  const raw = await RawClient.connect(servers.nodes[at]!.url);
  try {
    await use(raw);
  } finally {
    raw.close();
  }
}

test('acks count in both layouts at whatever node, and nobody listens where the account is another', async () => {
  const jsm = await client.jetstreamManager(PATIENT);
  await jsm.consumers.add('S', { durable_name: 'd', ack_policy: AckPolicy.Explicit });
  let taken: readonly Reply[] = [];
  await onNode(0, async (raw) => {
    const body = JSON.stringify({ batch: MESSAGES, expires: PATIENCE_MS * 1e6 });
    const isComplete = (replies: readonly Reply[]): boolean => replies.length === MESSAGES;
    taken = await raw.request('$JS.API.CONSUMER.MSG.NEXT.S.d', body, { isComplete, timeoutMs: PATIENCE_MS });
  });
  for (const { replyTo } of taken) assert.match(replyTo, ACK);
  const isAnswered = async (raw: RawClient, subject: string): Promise<boolean> =>
    (await raw.request(subject, '+ACK', { timeoutMs: PATIENCE_MS }))[0]?.headers === '';
  const short = (subject: string): string => subject.replace('.hub.szMpdrwD.', '.');
  for (const at of servers.nodes.keys()) {
    await onNode(at, async (raw) => {
      assert.equal(await isAnswered(raw, taken[2 * at]!.replyTo), true);
      assert.equal(await isAnswered(raw, short(taken[2 * at + 1]!.replyTo)), true);
      assert.equal(await isAnswered(raw, `${taken[0]!.replyTo}.more`), true);
      assert.equal(await isAnswered(raw, taken[0]!.replyTo.replace('szMpdrwD', 'stranger')), false);
      assert.equal(await isAnswered(raw, taken[0]!.replyTo.replace('.hub.', '._.')), false);
    });
  }
  const { ack_floor: floor, num_ack_pending: pending } = await jsm.consumers.info('S', 'd');
  assert.deepEqual([floor.stream_seq, pending], [MESSAGES, 0]);
});

test('flow control is asked for under the longer subject, and goes on with its answer', () =>
  onNode(1, async (raw) => {
    const out = raw.subscribe('out');
    const config = { durable_name: 'p', deliver_subject: 'out', ack_policy: 'flow_control', max_ack_pending: 2 };
    await raw.request('$JS.API.CONSUMER.CREATE.S.p', JSON.stringify({ stream_name: 'S', config }));
    const delivered = (): Reply[] => out.received.filter(({ replyTo }) => replyTo.startsWith('$JS.ACK.'));
    await waitFor('two messages and a question', () => delivered().length === 2 && out.received.length > 2);
    const question = out.received.find(({ headers }) => headers.includes('100 FlowControl Request'));
    assert.match(question!.replyTo, /^\$JS\.FC\.hub\.szMpdrwD\.S\.p\.\w{4}$/);
    raw.publish(question!.replyTo, '', { headers: 'Nats-Last-Consumer: 2\r\nNats-Last-Stream: 2' });
    await waitFor('two more', () => delivered().length === 4);
  }));

test('stock clients, mirrors and sources take them as they are', async () => {
  const jsm = await client.jetstreamManager(PATIENT);
  await waitFor('the mirror', async () => (await jsm.streams.info('MIRROR')).state.messages === MESSAGES);
  const consumer = await client.jetstream(PATIENT).consumers.get('S', 'd');
  await client.jetstream(PATIENT).publish('s.b', 'last');
  const message: JsMsg | null = await consumer.next({ expires: PATIENCE_MS });
  assert.equal(message?.info.stream, 'S');
  assert.equal(message.info.streamSequence, MESSAGES + 1);
  assert.equal(await message.ackAck(), true);
});
