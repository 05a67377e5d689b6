/**
 * Both families of official clients while the leader of the stream that they work on is killed: nothing that was
 * acknowledged is lost, nothing comes twice, and nothing hangs.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { JsMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import { waitFor } from '../harness/wait-for.ts';
import { FAMILIES } from './client-families.ts';
import { FaultyCluster, WRITE_TIMEOUT_MS } from './faulty-cluster.ts';

/** Tries until it is acknowledged. A try without an answer may have happened all the same. */
async function untilAcknowledged<T>(write: () => Promise<T>): Promise<T> {
  return waitFor('an acknowledgement', async () => write());
}

describe('the official clients while the leader of their stream is killed', () => {
  let cluster: FaultyCluster;

  before(async () => {
    cluster = await FaultyCluster.start();
  });

  after(() => cluster.stop());

  for (const family of FAMILIES) {
    describe(family.name, () => {
      const name = (what: string): string => `${family.prefix}-${what}`;

      test('a watch sees every revision once, in order, while values are put', async (t) => {
        t.after(() => cluster.recover());
        const setup = await cluster.connect(family, cluster.servers.first.url);
        await setup.kv(name('watched'), { history: 64 });
        const stream = `KV_${name('watched')}`;
        const kv = await cluster.writerBeside(family, name('watched'), 0);
        const watched: number[] = [];
        const watch = await (await (await cluster.clientBeside(family, stream, 1)).kv(name('watched'))).watch();
        void (async () => {
          for await (const entry of watch) watched.push(entry.revision);
        })();
        const acknowledged = new Set<number>();
        const keys = Array.from({ length: 4 }, (_, i) => `k${i}`);
        const puts = Promise.all(
          keys.map(async (key) => {
            for (let i = 0; i < 40; i++) {
              acknowledged.add(await untilAcknowledged(() => kv.put(key, `${i}`)));
            }
          }),
        );
        await waitFor('puts under way', () => acknowledged.size >= 40);
        await cluster.killLeader(family, stream);
        await puts;
        const last = Math.max(...acknowledged);
        await waitFor('the watch having come to the end', () => (watched.at(-1) ?? 0) >= last);
        assert.deepEqual(
          watched,
          Array.from({ length: watched.length }, (_, i) => i + 1),
        );
        assert.equal(acknowledged.size, 160, 'no revision is given twice');
        watch.stop();
      });

      test('counters that several writers update by revision come to the right sum', async (t) => {
        t.after(() => cluster.recover());
        const setup = await cluster.connect(family, cluster.servers.first.url);
        const counter = await setup.kv(name('counted'));
        await counter.put('sum', '{}');
        const stream = `KV_${name('counted')}`;
        const writers = [0, 1, 0, 1] as const;
        const each = 15;
        const buckets: KV[] = [];
        for (const which of writers) buckets.push(await cluster.writerBeside(family, name('counted'), which));
        let done = 0;
        const counting = buckets.map(async (kv, writer) => {
          for (let wanted = 1; wanted <= each; wanted++) {
            await waitFor(`writer ${writer} having counted to ${wanted}`, () => increment(kv, `${writer}`, wanted));
            done++;
          }
        });
        await waitFor('counting under way', () => done >= 12);
        const reader = await cluster.clientBeside(family, stream);
        await cluster.killLeader(family, stream);
        await Promise.all(counting);
        const stored = await reader.jsm.streams.getMessage(stream, { last_by_subj: `$KV.${name('counted')}.sum` });
        assert.deepEqual(stored!.json(), { 0: each, 1: each, 2: each, 3: each });
        assert.equal(stored!.seq, 1 + writers.length * each, 'one revision for each step');
      });

      test('an object that is being put, and one that is being read, arrive whole', async (t) => {
        t.after(() => cluster.recover());
        const setup = await cluster.connect(family, cluster.servers.first.url);
        const stored = randomBytes(4 * 2 ** 20);
        await (await setup.objects(name('objects'))).putBlob({ name: 'stored' }, stored);
        const stream = `OBJ_${name('objects')}`;
        const reader = await (await cluster.clientBeside(family, stream, 0)).objects(name('objects'));
        const writer = await (await cluster.clientBeside(family, stream, 1)).objects(name('objects'));
        const read = await reader.get('stored');
        const hash = createHash('sha256');
        const fresh = randomBytes(4 * 2 ** 20);
        let killed: Promise<string> | undefined;
        const put = waitFor('the object being put', () => writer.putBlob({ name: 'fresh' }, fresh, { timeout: 5000 }));
        for await (const chunk of read!.data) {
          hash.update(chunk);
          killed ??= cluster.killLeader(family, stream);
        }
        assert.ok(!(await read!.error));
        assert.equal(hash.digest('hex'), createHash('sha256').update(stored).digest('hex'));
        await killed;
        await put;
        const again = await waitFor('the object being read', () =>
          reader.getBlob('fresh').then((blob) => blob ?? false),
        );
        assert.ok(fresh.equals(again));
      });

      test('an ordered consumer and a consumer that acknowledges bring everything', async (t) => {
        t.after(() => cluster.recover());
        const total = 1500;
        const setup = await cluster.connect(family, cluster.servers.first.url);
        const stream = name('consumed');
        await setup.jsm.streams.add({ name: stream, subjects: [`${stream}.>`], num_replicas: 3 });
        for (let i = 0; i < total; i += 100) {
          await Promise.all(Array.from({ length: 100 }, (_, j) => setup.js.publish(`${stream}.x`, `${i + j}`)));
        }
        await setup.jsm.consumers.add(stream, { durable_name: 'acking', ack_policy: 'explicit', ack_wait: 3e9 });
        const client = await cluster.clientBeside(family, stream, 1);
        const ordered: number[] = [];
        const acked = new Set<number>();
        const takeInOrder = (message: JsMsg): void => void ordered.push(message.seq);
        const confirm = async (message: JsMsg): Promise<void> => {
          if (await message.ackAck({ timeout: WRITE_TIMEOUT_MS }).catch(() => false)) acked.add(message.seq);
        };
        const acking = await client.js.consumers.get(stream, 'acking');
        const inOrder = await client.js.consumers.get(stream);
        const orderedMessages = await inOrder.consume({ callback: takeInOrder, expires: 5000 });
        const ackedMessages = await acking.consume({ callback: (message) => void confirm(message), expires: 5000 });
        await waitFor('both being under way', () => ordered.length >= 200 && acked.size >= 200);
        await cluster.killLeader(family, stream);
        await waitFor('the ordered consumer having come to the end', () => ordered.length >= total);
        assert.deepEqual(
          ordered,
          Array.from({ length: total }, (_, i) => i + 1),
        );
        await waitFor('everything being acknowledged', async () => {
          const info = await client.jsm.consumers.info(stream, 'acking');
          return info.num_pending === 0 && info.num_ack_pending === 0 && info.ack_floor.stream_seq === total;
        });
        for (const messages of [orderedMessages, ackedMessages]) await messages.close();
      });
    });
  }
});

/**
 * One try to bring a writer's count to `wanted`; true once it is there, whether by this try or by an earlier one that was
 * not answered.
 */
async function increment(kv: KV, writer: string, wanted: number): Promise<boolean> {
  const entry = await kv.get('sum');
  const counts = entry!.json<Record<string, number>>();
  if (counts[writer] === wanted) return true;
  const next = JSON.stringify({ ...counts, [writer]: wanted });
  // A stale read gives an old revision, and so is refused here.
  await kv.put('sum', next, { previousSeq: entry!.revision });
  return true;
}
