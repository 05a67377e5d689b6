/**
 * Both families of official clients and their key-value store on three nodes, each call through a node that need not lead
 * the stream behind the bucket.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Base64KeyCodec, Kvm, NoopKvCodecs, type KV, type KvEntry, type KvWatchEntry } from '@nats-io/kv';
import { waitFor } from '../harness/wait-for.ts';
import { clientsOnThreeNodes, FAMILIES, NEWER_FAMILY, take, takeAll, type Client } from './client-families.ts';

/** `PUT key=value@revision`, without the value if there is none. */
function shown(entry: KvEntry): string {
  const value = entry.operation === 'PUT' && entry.value.length > 0 ? `=${entry.string()}` : '';
  return `${entry.operation} ${entry.key}${value}@${entry.revision}`;
}

/** The first marker that a watch shows. Before it may come values, which on a busy machine may be gone before they are shown. */
async function marker(watch: AsyncIterable<KvEntry>): Promise<string | undefined> {
  for await (const entry of watch) if (entry.operation !== 'PUT') return shown(entry);
  return undefined;
}

/** Any replica answers a get, and one that is not the leader may be a moment behind. */
async function reads(kv: KV, key: string, expected: string): Promise<void> {
  await waitFor(`${key} being read as ${expected}`, async () => {
    const entry = await kv.get(key);
    return entry !== null && shown(entry) === expected;
  });
}

const FILLED_REVISIONS = 7;

async function filled(client: Client, name: string): Promise<KV> {
  const kv = await client.kv(name, { history: 5 });
  await kv.put('a', '1');
  await kv.put('b.x', '2');
  await kv.put('b.y', '3');
  await kv.put('a', '4');
  await kv.delete('b.x');
  await kv.put('c', 'five!');
  assert.equal(await kv.put('b.y', '7'), FILLED_REVISIONS);
  return kv;
}

describe('the key-value store of the official clients on three nodes', () => {
  const clientOf = clientsOnThreeNodes();

  for (const family of FAMILIES) {
    describe(family.name, () => {
      const at = (node: number): Client => clientOf(family, node);
      const bucket = (name: string): string => `${family.prefix}-${name}`;

      test('a key is created once, and updated only by who knows its revision', async () => {
        const kv = await at(0).kv(bucket('cas'));
        const elsewhere = await at(1).kv(bucket('cas'));
        const created = await Promise.allSettled([kv.create('k', 'mine'), elsewhere.create('k', 'yours')]);
        assert.deepEqual(created.map((each) => each.status).sort(), ['fulfilled', 'rejected']);
        assert.equal(await elsewhere.update('k', 'v2', 1), 2);
        await assert.rejects(kv.update('k', 'v3', 1), { message: 'wrong last sequence: 2' });
        await assert.rejects(kv.delete('k', { previousSeq: 1 }), { message: 'wrong last sequence: 2' });
        await assert.rejects(kv.purge('k', { previousSeq: 1 }), { message: 'wrong last sequence: 2' });
        await kv.delete('k', { previousSeq: 2 });
        await reads(kv, 'k', 'DEL k@3');
        assert.equal(await kv.create('k', 'again'), 4);
        await kv.purge('k', { previousSeq: 4 });
        await reads(kv, 'k', 'PURGE k@5');
        assert.equal(await kv.create('k', 'and again'), 6);
        await reads(elsewhere, 'k', 'PUT k=and again@6');
        assert.equal(await kv.get('none'), null);
        assert.equal(await kv.destroy(), true);
      });

      test('every revision can be read until history drops or a purge removes it', async () => {
        const kv = await at(2).kv(bucket('history'), { history: 3 });
        for (let i = 1; i <= 5; i++) await kv.put('k', `v${i}`);
        await kv.put('other', 'o');
        assert.deepEqual(await takeAll(await kv.history({ key: 'k' }), shown), [
          'PUT k=v3@3',
          'PUT k=v4@4',
          'PUT k=v5@5',
        ]);
        await reads(kv, 'k', 'PUT k=v5@5');
        await waitFor(
          'an old revision being read',
          async () => (await kv.get('k', { revision: 4 }))?.string() === 'v4',
        );
        await waitFor('a dropped one being gone', async () => (await kv.get('k', { revision: 2 })) === null);
        assert.equal(await kv.get('k', { revision: 6 }), null, 'the revision of another key');
        await kv.purge('k');
        assert.deepEqual(await takeAll(await kv.history({ key: 'k' }), shown), ['PURGE k@7']);
        assert.deepEqual(await takeAll(await kv.history(), shown), ['PUT other=o@6', 'PURGE k@7']);
        await kv.destroy();
      });

      test('keys are those that hold a value, of one filter or of several', async () => {
        const kv = await at(1).kv(bucket('keys'));
        assert.deepEqual(await takeAll(await kv.keys(), String), []);
        for (const key of ['a', 'b.x', 'b.y', 'b.y.z', 'c=/_-', 'gone', 'purged']) await kv.put(key, key);
        await kv.delete('gone');
        await kv.purge('purged');
        const keys = async (filter?: string | string[]): Promise<string[]> =>
          (await takeAll(await kv.keys(filter), String)).sort();
        assert.deepEqual(await keys(), ['a', 'b.x', 'b.y', 'b.y.z', 'c=/_-']);
        assert.deepEqual(await keys('b.*'), ['b.x', 'b.y']);
        assert.deepEqual(await keys('b.>'), ['b.x', 'b.y', 'b.y.z']);
        assert.deepEqual(await keys(['a', 'b.y.>']), ['a', 'b.y.z']);
        assert.deepEqual(await keys('none'), []);
        await kv.delete('b.>');
        assert.deepEqual(await keys(), ['a', 'c=/_-']);
        await kv.destroy();
      });

      test('a watch begins with the last values and goes on with what comes, in order', async () => {
        const kv = await filled(at(0), bucket('watch'));
        const watch = await (await at(1).kv(bucket('watch'))).watch();
        const seen: string[] = [];
        const done = take(watch, 6, (entry) => seen.push(shown(entry)));
        await waitFor('the last values', () => seen.length === 4);
        await kv.put('a', '8');
        await kv.purge('c');
        await done;
        assert.deepEqual(seen, ['PUT a=4@4', 'DEL b.x@5', 'PUT c=five!@6', 'PUT b.y=7@7', 'PUT a=8@8', 'PURGE c@9']);
        await kv.destroy();
      });

      test('a watch of history, of updates only, of some keys, from a revision, without deletes', async () => {
        const kv = await filled(at(2), bucket('watches'));
        const watcher = await at(0).kv(bucket('watches'));
        type Options = Parameters<KV['watch']>[0];
        const watched = async (options: Options, count: number): Promise<string[]> =>
          take(await watcher.watch(options), count, shown);
        const all = [
          'PUT a=1@1',
          'PUT b.x=2@2',
          'PUT b.y=3@3',
          'PUT a=4@4',
          'DEL b.x@5',
          'PUT c=five!@6',
          'PUT b.y=7@7',
        ];
        assert.deepEqual(await watched({ include: 'history' }, FILLED_REVISIONS), all);
        assert.deepEqual(
          await watched({ include: 'history', key: 'b.*' }, 4),
          all.filter((each) => each.includes(' b.')),
        );
        assert.deepEqual(await watched({ key: ['a', 'c'] }, 2), ['PUT a=4@4', 'PUT c=five!@6']);
        assert.deepEqual(await watched({ resumeFromRevision: 5 }, 3), all.slice(4));
        assert.deepEqual(await watched({ ignoreDeletes: true }, 3), ['PUT a=4@4', 'PUT c=five!@6', 'PUT b.y=7@7']);
        const size = (entry: KvWatchEntry): string => `${entry.operation} ${entry.key} ${entry.length}`;
        assert.deepEqual(await take(await watcher.watch({ headers_only: true }), 4, size), [
          'PUT a 1',
          'DEL b.x 0',
          'PUT c 5',
          'PUT b.y 1',
        ]);
        const updates = await watcher.watch({ include: 'updates' });
        await kv.put('d', 'new');
        assert.deepEqual(await take(updates, 1, shown), ['PUT d=new@8']);
        await kv.destroy();
      });

      test('a watch of an empty bucket has nothing to begin with, and goes on with what comes', async () => {
        const kv = await at(0).kv(bucket('empty'));
        // The older family tells by a call that what was there is over, the newer one marks what came later.
        let told = false;
        const options = { initializedFn: () => (told = true) } as Parameters<KV['watch']>[0];
        const watch = await (await at(1).kv(bucket('empty'))).watch(options);
        const first = take(watch, 1, (entry) => [shown(entry), told || entry.isUpdate]);
        await kv.put('a', '1');
        assert.deepEqual(await first, [['PUT a=1@1', true]]);
        assert.deepEqual(await takeAll(await kv.history({ key: 'none' }), shown), []);
        await kv.destroy();
      });

      test('a bucket is republished, with markers, under the subjects it was told', async () => {
        const name = bucket('republished');
        const { connection } = at(2);
        const heard: string[] = [];
        const subscription = connection.subscribe(`told.${name}.>`, {
          callback: (_error, message) => {
            const operation = message.headers?.get('KV-Operation');
            heard.push(`${message.subject}=${message.string()} ${operation}@${message.headers?.get('Nats-Sequence')}`);
          },
        });
        await connection.flush();
        const republish = { src: `$KV.${name}.>`, dest: `told.${name}.>` };
        const kv = await at(0).kv(name, { republish });
        await waitFor('the subscription being known', async () => {
          await kv.put('a', '1');
          return heard.length > 0;
        });
        const revision = await kv.put('a.b', '2');
        await kv.delete('a');
        await kv.purge('a.b');
        const subject = `told.${name}.a`;
        await waitFor('all of it', () => heard.at(-1)?.includes('PURGE'));
        assert.deepEqual(heard.slice(-3), [
          `${subject}.b=2 @${revision}`,
          `${subject}= DEL@${revision + 1}`,
          `${subject}.b= PURGE@${revision + 2}`,
        ]);
        subscription.unsubscribe();
        await kv.destroy();
      });

      test('purging deletes removes markers that are old enough, and what was before the others', async () => {
        const kv = await filled(at(1), bucket('purge-deletes'));
        await kv.delete('a');
        const purging = kv as KV & { purgeDeletes(olderMs?: number): Promise<{ purged: number }> };
        assert.equal((await purging.purgeDeletes()).purged, 3);
        assert.deepEqual(await takeAll(await kv.history({ key: 'a' }), shown), ['DEL a@8']);
        assert.equal((await purging.purgeDeletes(-1000)).purged, 2);
        assert.deepEqual(await takeAll(await kv.history(), shown), ['PUT b.y=3@3', 'PUT c=five!@6', 'PUT b.y=7@7']);
        await kv.destroy();
      });

      test('the status of a bucket, and what becomes of it when it is destroyed', async () => {
        const name = bucket('status');
        const options = { history: 7, ttl: 3_600_000, description: 'd', maxValueSize: 100, metadata: { m: '1' } };
        const kv = await at(0).kv(name, options);
        await kv.put('a', '1');
        await assert.rejects(kv.put('a', 'x'.repeat(101)), { message: 'message size exceeds maximum allowed' });
        const status = await (await at(2).kv(name)).status();
        assert.deepEqual(
          [status.bucket, status.values, status.history, status.ttl, status.replicas, status.maxValueSize],
          [name, 1, 7, 3_600_000, 3, 100],
        );
        assert.deepEqual([status.description, status.metadata?.['m'], status.storage], ['d', '1', 'file']);
        assert.equal(status.streamInfo.cluster?.replicas?.length, 2);
        assert.equal(await kv.destroy(), true);
        await assert.rejects(kv.status(), { message: 'stream not found' });
        const again = await at(1).kv(name);
        assert.equal(await again.put('a', 'anew'), 1);
        await again.destroy();
      });

      test('a bucket without direct gets is read through its leader, and so is current', async () => {
        const kv = await at(0).kv(bucket('leader'), { allow_direct: false, history: 2 });
        const reader = await at(1).kv(bucket('leader'), { allow_direct: false });
        for (let i = 1; i <= 20; i++) {
          await kv.put('k', `v${i}`);
          assert.equal((await reader.get('k'))?.string(), `v${i}`);
        }
        assert.equal((await reader.get('k', { revision: 19 }))?.string(), 'v19');
        await kv.destroy();
      });
    });
  }

  describe('what only the newer family does', () => {
    const at = (node: number): Client => clientOf(NEWER_FAMILY, node);

    test('a value with a time to live ends in a marker that watchers see, and then goes, too', async () => {
      const kv = await at(0).kv('lived', { markerTTL: 1000 });
      const watch = await (await at(1).kv('lived')).watch();
      await kv.put('stays', 'v');
      await kv.create('k', 'short', '1s');
      assert.equal(await marker(watch), 'PURGE k@3');
      await kv.purge('stays', { ttl: '1s' });
      await waitFor('the markers being gone', async () => (await kv.status()).values === 0);
      assert.equal(await kv.create('k', 'anew'), 5);
      assert.equal((await kv.status()).markerTTL, 1000);
      await kv.destroy();
    });

    test('values of a bucket with a time to live go, and leave markers if asked to', async () => {
      const kv = await at(2).kv('aged', { ttl: 1000, markerTTL: 2000 });
      const watch = await (await at(0).kv('aged')).watch();
      await kv.put('k', 'v');
      assert.equal(await marker(watch), 'PURGE k@2');
      await kv.destroy();
    });

    test('a mirror of a bucket holds its revisions under their own keys, and answers for it', async () => {
      const origin = await at(0).kv('origin', { history: 3 });
      await origin.put('a', '1');
      await origin.put('b', '2');
      await origin.delete('a');
      const mirror = await at(1).kv('mirror', { history: 3, mirror: { name: 'origin' } });
      await waitFor('the mirror having caught up', async () => (await mirror.status()).values === 3);
      await origin.put('c', '3');
      const consumer = await at(2).js.consumers.get('KV_mirror', { filter_subjects: '$KV.origin.>' });
      const messages = await consumer.fetch({ max_messages: 4, expires: 10_000 });
      assert.deepEqual(await take(messages, 4, (message) => `${message.subject} ${message.seq} ${message.string()}`), [
        '$KV.origin.a 1 1',
        '$KV.origin.b 2 2',
        '$KV.origin.a 3 ',
        '$KV.origin.c 4 3',
      ]);
      const read = await at(0).jsm.direct.getMessage('KV_mirror', { last_by_subj: '$KV.origin.b' });
      assert.deepEqual([read?.seq, read?.string()], [2, '2']);
      await mirror.destroy();
      await origin.destroy();
    });

    test('a bucket with sources holds what they hold, under its own name', async () => {
      const first = await at(0).kv('first');
      const second = await at(1).kv('second');
      await first.put('a', '1');
      await second.put('b', '2');
      const all = await at(2).kv('all', { sources: [{ name: 'first' }, { name: 'second' }] });
      await waitFor('both being there', async () => (await all.status()).values === 2);
      assert.deepEqual((await takeAll(await all.keys(), String)).sort(), ['a', 'b']);
      const watch = await all.watch({ key: 'a', include: 'updates' });
      await first.put('a', '3');
      await first.purge('a');
      assert.deepEqual(await take(watch, 2, (entry) => `${entry.operation} ${entry.string()}`), ['PUT 3', 'PURGE ']);
      for (const kv of [all, first, second]) await kv.destroy();
    });

    test('keys are stored as their codec says, and buckets are listed', async () => {
      const codec = { key: Base64KeyCodec(), value: NoopKvCodecs().value };
      const kv = await at(1).kv('coded', { codec });
      await kv.put('a b.ü', 'v');
      await reads(kv, 'a b.ü', 'PUT a b.ü=v@1');
      assert.deepEqual(await takeAll(await kv.keys(), String), ['a b.ü']);
      const names: string[] = [];
      for await (const status of new Kvm(at(0).js).list()) names.push(status.bucket);
      assert.ok(names.includes('coded'), names.join());
      const opened = await new Kvm(at(2).js).open('coded', { codec, allow_direct: true });
      await reads(opened, 'a b.ü', 'PUT a b.ü=v@1');
      await kv.destroy();
    });
  });
});
