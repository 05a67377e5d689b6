/** The official client's batches, atomic and fast, against three real nodes, through each of them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { startFastIngest } from '@nats-io/jetstream/internal';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';

const FAST_MESSAGES = 500;

describe('batches of the official client on three nodes', () => {
  let servers: Servers;
  let connections: NatsConnection[];

  before(async () => {
    servers = await startServers({ nodes: 3 });
    connections = await Promise.all(servers.urls.map((url) => connect({ servers: url, timeout: 10_000 })));
    const manager = await jetstreamManager(connections[0]!);
    await manager.streams.add({
      name: 'B',
      subjects: ['b.>'],
      num_replicas: 3,
      allow_atomic: true,
      allow_batched: true,
    });
  });

  after(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await servers.stop();
  });

  test('an atomic batch is stored as a whole, whichever node takes it', async () => {
    let expected = 0;
    for (const connection of connections) {
      const batch = await jetstream(connection, PATIENT).startBatch('b.a', 'one');
      batch.add('b.b', 'two');
      await batch.add('b.c', 'three', { ack: true });
      const ack = await batch.commit('b.d', 'four');
      expected += 4;
      assert.deepEqual([ack.seq, ack.count, ack.batch], [expected, 4, batch.id]);
    }
  });

  test('fast ingest stores everything in order, whichever node takes it', async () => {
    for (const connection of connections) {
      const manager = await jetstreamManager(connection, PATIENT);
      const before = (await manager.streams.info('B')).state.last_seq;
      const ingest = await startFastIngest(connection, 'b.fast', '1', { allowGaps: false, ackInterval: 50 });
      for (let i = 2; i < FAST_MESSAGES; i++) await ingest.add('b.fast', String(i));
      const ack = await ingest.last('b.fast', String(FAST_MESSAGES));
      assert.deepEqual([ack.count, ack.seq], [FAST_MESSAGES, before + FAST_MESSAGES]);
      const last = await manager.streams.getMessage('B', { seq: ack.seq });
      assert.equal(last?.string(), String(FAST_MESSAGES));
    }
  });
});
