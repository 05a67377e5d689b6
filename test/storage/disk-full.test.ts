/** A real server on a real file system that runs full: faults.md 1.2 in processes, files and acknowledgements. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { connect, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats';
import { LOW_WATER_BYTES, RESERVE_BYTES } from '../../src/raft/storage/disk-space.ts';
import { startServers, type ServerProcess } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';
import { SmallDisk } from './small-disk.ts';

/** The server is well with an empty one. */
const DISK_BYTES = 2 * LOW_WATER_BYTES;
const STREAM = 'KEPT';
/** From a server that ends no answer comes: what may meet one is repeated soon. */
const HASTY_TIMEOUT_MS = 500;
/** Long, because a test machine may be busy. */
const PATIENT_TIMEOUT_MS = 30_000;
const BODY = 'x'.repeat(1000);

/** What the server has promised. */
interface Promised {
  readonly stored: Set<number>;
  readonly deleted: Set<number>;
}

interface Client {
  readonly jsm: JetStreamManager;
  readonly js: JetStreamClient;
}

async function clientOf(connection: NatsConnection, timeoutMs: number): Promise<Client> {
  const options = { timeout: timeoutMs, checkAPI: false };
  return { jsm: await connection.jetstreamManager(options), js: connection.jetstream(options) };
}

async function publish({ js }: Client, { stored }: Promised): Promise<boolean> {
  try {
    stored.add((await js.publish('kept', BODY)).seq);
    return true;
  } catch {
    return false;
  }
}

/** Deletes the first message that is left. True if that was confirmed. */
async function deleteOne({ jsm }: Client, { stored, deleted }: Promised): Promise<boolean> {
  const [seq] = stored;
  // Whatever comes of it: without an answer it may be gone or not.
  stored.delete(seq!);
  const done = await jsm.streams.deleteMessage(STREAM, seq!).catch(() => false);
  if (done) deleted.add(seq!);
  return done;
}

/** Asks for changes until the disk lets one down. */
async function changeUntilDead(client: Client, promised: Promised, node: ServerProcess): Promise<void> {
  const isAlive = (): boolean => existsSync(`/proc/${node.pid}`);
  await waitFor('the server ending', async () => {
    if (isAlive() && !(await publish(client, promised)) && isAlive()) await deleteOne(client, promised);
    return !isAlive();
  });
}

/** Its connection is there again, too: what a client says while it has none may be lost. */
async function isBack({ jsm }: Client): Promise<void> {
  await waitFor('the stream being led', () => jsm.streams.info(STREAM));
}

async function checkPromises({ jsm }: Client, { stored, deleted }: Promised): Promise<void> {
  for (const seq of stored) assert.equal((await jsm.streams.getMessage(STREAM, { seq })).data.length, BODY.length);
  for (const seq of deleted)
    await assert.rejects(jsm.streams.getMessage(STREAM, { seq }), /no message found/, `${seq}`);
}

async function lifeOnAFullDisk(disk: SmallDisk): Promise<void> {
  const servers = await startServers({ nodes: 1, storeRoot: disk.directory });
  const node = servers.first;
  const connection = await connect({ servers: servers.urls, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  try {
    const client = await clientOf(connection, HASTY_TIMEOUT_MS);
    const patient = await clientOf(connection, PATIENT_TIMEOUT_MS);
    const promised: Promised = { stored: new Set(), deleted: new Set() };
    await patient.jsm.streams.add({ name: STREAM, subjects: ['kept'] });
    for (let count = 0; count < 300; count++) assert.ok(await publish(patient, promised));
    const reserve = await waitFor('the reserve', () => findReserve(disk));

    disk.fill(LOW_WATER_BYTES / 2);
    await waitFor('publishes being refused', async () => !(await publish(client, promised)));
    assert.ok(await deleteOne(patient, promised), 'deleting works where publishing is refused');
    disk.free();
    await waitFor('publishes being taken again', () => publish(client, promised));

    disk.fill(0);
    await changeUntilDead(client, promised, node);
    assert.equal(await node.kill('SIGKILL'), 1, 'a failed write ends the process, with an exit code that says so');

    node.start();
    await node.ready();
    assert.ok(!existsSync(reserve), 'the reserve was given up to open at all');
    await isBack(client);
    await checkPromises(patient, promised);
    disk.free();
    await waitFor('publishes being taken again', () => publish(client, promised));
    await node.kill('SIGKILL');
    node.start();
    await node.ready();
    await isBack(client);
    await checkPromises(patient, promised);
  } finally {
    await connection.close();
    await servers.stop();
  }
}

function findReserve(disk: SmallDisk): string | undefined {
  const path = join(disk.directory, 'n1', 'jetstream', 'reserve');
  return existsSync(path) && statSync(path).size >= RESERVE_BYTES ? path : undefined;
}

test('a full disk ends the server before it promises anything more, and it comes back with all it promised', async (t) => {
  const disk = SmallDisk.mount(DISK_BYTES);
  if (disk === undefined) {
    t.skip('needs root, to mount a small file system');
    return;
  }
  try {
    await lifeOnAFullDisk(disk);
  } finally {
    disk.unmount();
  }
});
