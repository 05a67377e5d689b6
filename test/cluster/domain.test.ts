/**
 * A server with a domain, through clients that name it: everything they do goes behind `$JS.<domain>.API`, writes to buckets
 * included, and a mirror of a bucket that is reached by it takes reads, watches and writes.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { Objm } from '@nats-io/obj';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { connect as connectSingle } from 'nats';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';
import { take, takeAll } from './client-families.ts';

const DOMAIN = 'hub';
const TIMEOUT_MS = 15_000;
const EXTERNAL = { api: `$JS.${DOMAIN}.API`, deliver: '' };

describe('a server with a domain', () => {
  let servers: Servers;
  let connection: NatsConnection;

  before(async () => {
    servers = await startServers({ nodes: 1, jetstream: `domain: ${DOMAIN}` });
    connection = await connect({ servers: servers.urls, timeout: TIMEOUT_MS });
  });

  after(async () => {
    await connection.close();
    await servers.stop();
  });

  const named = (): Kvm => new Kvm(jetstream(connection, { domain: DOMAIN, timeout: TIMEOUT_MS }));
  const value = async (kv: KV, key: string): Promise<string | undefined> => (await kv.get(key))?.string();

  test('a bucket is written and read by clients that name the domain, and by those that do not', async () => {
    const kv = await named().create('shared', { history: 5 });
    assert.equal(await kv.create('a', '1'), 1);
    assert.equal(await kv.update('a', '2', 1), 2);
    await assert.rejects(kv.update('a', '3', 1), { message: 'wrong last sequence: 2' });
    const watch = await kv.watch({ include: 'history', key: 'a' });
    const unnamed = await new Kvm(connection).create('shared');
    await unnamed.put('a', '3');
    assert.deepEqual(await take(watch, 3, (entry) => entry.string()), ['1', '2', '3']);
    assert.equal(await value(kv, 'a'), '3');
    await kv.purge('a');
    assert.deepEqual(await takeAll(await kv.keys(), String), []);
    const older = await connectSingle({ servers: servers.urls, timeout: TIMEOUT_MS });
    const olderKv = await older.jetstream({ domain: DOMAIN, timeout: TIMEOUT_MS }).views.kv('shared');
    assert.equal(await olderKv.put('b', 'older'), 5);
    assert.equal((await olderKv.get('b'))?.string(), 'older');
    await older.close();
  });

  test('a mirror of a bucket that is reached through the domain is read, watched, and written through', async () => {
    const origin = await named().create('origin', { history: 3 });
    await origin.put('a', '1');
    const mirror = await new Kvm(connection).create('mirror', {
      history: 3,
      mirror: { name: 'origin', external: EXTERNAL },
    });
    const watch = await mirror.watch();
    assert.equal(await mirror.put('b', '2'), 2);
    await assert.rejects(mirror.create('b', 'x'), { message: 'wrong last sequence: 2' });
    await mirror.delete('a');
    assert.deepEqual(await take(watch, 3, (entry) => `${entry.operation} ${entry.key}`), ['PUT a', 'PUT b', 'DEL a']);
    await waitFor('the mirror being read', async () => (await value(mirror, 'b')) === '2');
    assert.deepEqual(await takeAll(await mirror.keys(), String), ['b']);
    assert.equal(await value(origin, 'b'), '2');
  });

  test('an object is put and read through the domain', async () => {
    const objects = await new Objm(jetstream(connection, { domain: DOMAIN, timeout: TIMEOUT_MS })).create('objects');
    await objects.putBlob({ name: 'o', options: { max_chunk_size: 3 } }, new TextEncoder().encode('in pieces'));
    assert.equal(Buffer.from((await objects.getBlob('o'))!).toString(), 'in pieces');
  });

  test('names behind the prefix that mean nothing have no responders', async () => {
    for (const rest of ['$KV.none.key', '$O.objects.M.x', 'NONE', '$JS.API.INFO']) {
      await assert.rejects(connection.request(`$JS.${DOMAIN}.API.${rest}`, ''), /no responders/, rest);
    }
  });
});
