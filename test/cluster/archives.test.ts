/** Backups over real nodes: a restore survives nothing it should not, and what it brings back is what was there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AckPolicy, connect, headers, RetentionPolicy, type NatsConnection } from 'nats';
import { PATIENT, REPEATED } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

const MESSAGES = 2000;
const CHUNK_BYTES = 16 * 1024;
const RESTORE_PATIENCE_MS = 120_000;
const CONFIG = { name: 'KEPT', subjects: ['kept.>'], num_replicas: 3, retention: RetentionPolicy.Interest };

async function requestJson(
  connection: NatsConnection,
  subject: string,
  body: object | Uint8Array,
  patience = PATIENT,
): Promise<unknown> {
  const payload = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body));
  return (await connection.request(subject, payload, patience)).json();
}

async function fill(connection: NatsConnection): Promise<void> {
  const jsm = await connection.jetstreamManager(PATIENT);
  const js = connection.jetstream(PATIENT);
  await jsm.streams.add(CONFIG);
  await jsm.consumers.add('KEPT', { durable_name: 'worker', ack_policy: AckPolicy.Explicit });
  const publish = (i: number): Promise<unknown> => {
    const h = headers();
    h.set('N', String(i));
    return js.publish(`kept.${i % 11}`, `${Math.sin(i)}`.repeat(5), { headers: h });
  };
  for (let i = 0; i < MESSAGES; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => publish(i + j)));
  const consumer = await js.consumers.get('KEPT', 'worker');
  const messages = await consumer.fetch({ max_messages: 50, expires: PATIENT.timeout });
  for await (const message of messages) if (message.seq % 2 === 0) await message.ackAck();
}

async function backUp(connection: NatsConnection): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const subscription = connection.subscribe('backup');
  await connection.flush();
  const answer = requestJson(connection, '$JS.API.STREAM.SNAPSHOT.KEPT', {
    deliver_subject: 'backup',
    chunk_size: CHUNK_BYTES,
  });
  for await (const message of subscription) {
    if (message.data.length === 0) break;
    chunks.push(message.data);
    if (message.reply !== undefined && message.reply !== '') connection.publish(message.reply);
  }
  await answer;
  return Buffer.concat(chunks);
}

function chunksOf(archive: Uint8Array): Uint8Array[] {
  const count = Math.ceil(archive.length / CHUNK_BYTES);
  return Array.from({ length: count }, (_, i) => archive.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES));
}

/** The subject that takes the chunks, once the cluster lets a restore begin. */
function beginRestore(connection: NatsConnection): Promise<string> {
  return waitFor('a restore to begin', async () => {
    const request = { config: CONFIG, state: {} };
    const answer = await requestJson(connection, '$JS.API.STREAM.RESTORE.KEPT', request, REPEATED);
    return (answer as { readonly deliver_subject?: string }).deliver_subject || undefined;
  });
}

/** From the beginning, if the meta leader changes again meanwhile: a restore belongs to the one that began it. */
async function restore(connection: NatsConnection, chunks: readonly Uint8Array[]): Promise<void> {
  await waitFor(
    'the restore',
    async () => {
      const jsm = await connection.jetstreamManager(REPEATED);
      const deliver = await beginRestore(connection);
      await assert.rejects(jsm.streams.info('KEPT'), /stream not found/);
      for (const chunk of chunks) assert.equal((await connection.request(deliver, chunk, PATIENT)).data.length, 0);
      const restored = await requestJson(connection, deliver, new Uint8Array(0));
      const { config } = restored as { readonly config?: { readonly name: string } };
      assert.equal(config?.name, 'KEPT', JSON.stringify(restored));
      return true;
    },
    RESTORE_PATIENCE_MS,
  );
}

async function metaLeader(servers: Servers): Promise<string> {
  return waitFor('a meta leader', async () => {
    const response = await fetch(`http://127.0.0.1:${servers.first.monitorPort}/jsz`);
    return (
      ((await response.json()) as { readonly meta_cluster: { readonly leader?: string } }).meta_cluster.leader ||
      undefined
    );
  });
}

/** Everything that a client can tell of the stream's content. */
async function contentOf(connection: NatsConnection): Promise<unknown> {
  const jsm = await connection.jetstreamManager(PATIENT);
  const { state } = await jsm.streams.info('KEPT');
  const messages: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 97) {
    const found = await jsm.streams.getMessage('KEPT', { seq }).catch(() => undefined);
    messages.push(
      found === undefined
        ? `${seq} gone`
        : `${seq} ${found.time.toISOString()} ${found.header.get('N')} ${found.string()}`,
    );
  }
  const { ack_floor, num_ack_pending, num_pending, delivered } = await jsm.consumers.info('KEPT', 'worker');
  const position = [ack_floor.stream_seq, ack_floor.consumer_seq, delivered.stream_seq, delivered.consumer_seq];
  return { ...state, messages, count: state.messages, position, num_ack_pending, num_pending };
}

test('a restore whose meta leader dies leaves nothing, and the next one brings everything back', async () => {
  const servers = await startServers({ nodes: 3 });
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
  try {
    await fill(connection);
    const before = await contentOf(connection);
    const archive = await backUp(connection);
    const jsm = await connection.jetstreamManager(PATIENT);
    await jsm.streams.delete('KEPT');

    const chunks = chunksOf(archive);
    assert.ok(chunks.length > 4, `${chunks.length} chunks`);
    const abandoned = await beginRestore(connection);
    for (const chunk of chunks.slice(0, 3)) await connection.request(abandoned, chunk, PATIENT);
    await servers.byName(await metaLeader(servers)).kill('SIGKILL');

    await restore(connection, chunks);
    assert.deepEqual(await contentOf(connection), before);
    const ack = await connection.jetstream(PATIENT).publish('kept.1', 'after');
    assert.equal(ack.seq, MESSAGES + 1);
  } finally {
    await connection.close();
    await servers.stop();
  }
});
