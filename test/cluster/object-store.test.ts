/**
 * Both families of official clients and their object store on three nodes, each call through a node that need not lead the
 * stream behind it.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { ObjectInfo, ObjectStore } from '@nats-io/obj';
import { waitFor } from '../harness/wait-for.ts';
import { clientsOnThreeNodes, FAMILIES, type Client } from './client-families.ts';

const MIB = 2 ** 20;
const LARGE_BYTES = 30 * MIB;
const text = new TextEncoder();

/** The same megabyte again and again, never in memory at once. */
function repeated(block: Uint8Array, bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(block.subarray(0, Math.min(left, block.length)));
      left -= block.length;
      if (left <= 0) controller.close();
    },
  });
}

/** So many pieces of two chunks and more, and then no more, though it is not the end. */
function breakingOff(pieces: number): ReadableStream<Uint8Array> {
  let left = pieces;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(300_000));
      else controller.error(new Error('broken off'));
    },
  });
}

async function readText(store: ObjectStore, name: string): Promise<string | null> {
  const blob = await store.getBlob(name);
  return blob === null ? null : Buffer.from(blob).toString();
}

describe('the object store of the official clients on three nodes', () => {
  const clientOf = clientsOnThreeNodes();

  for (const family of FAMILIES) {
    describe(family.name, () => {
      const at = (node: number): Client => clientOf(family, node);
      const store = (name: string): string => `${family.prefix}-${name}`;

      test('a large object arrives whole at another node, and gives its room back when it is replaced', async () => {
        const objects = await at(0).objects(store('large'));
        const block = randomBytes(MIB);
        const put = await objects.put({ name: 'large' }, repeated(block, LARGE_BYTES));
        assert.deepEqual([put.size, put.chunks], [LARGE_BYTES, LARGE_BYTES / (128 * 1024)]);
        const got = await (await at(1).objects(store('large'))).get('large');
        const hash = createHash('sha256');
        for await (const chunk of got!.data) hash.update(chunk);
        assert.ok(!(await got!.error));
        assert.equal(`SHA-256=${hash.digest('base64url')}=`, put.digest);
        await objects.putBlob({ name: 'large' }, text.encode('small'));
        assert.equal(await readText(objects, 'large'), 'small');
        assert.ok((await objects.status()).size < MIB);
        await objects.destroy();
      });

      test('objects keep their metadata, are listed, renamed and deleted', async () => {
        const objects = await at(1).objects(store('named'), { description: 'd' });
        const name = 'a name / with everything: üñí > *';
        const meta = { name, description: 'described', metadata: { m: '1' }, options: { max_chunk_size: 10 } };
        const put = await objects.putBlob(meta, text.encode('x'.repeat(25)));
        assert.deepEqual([put.size, put.chunks, put.description, put.metadata?.['m']], [25, 3, 'described', '1']);
        await objects.putBlob({ name: 'empty' }, null);
        const elsewhere = await at(2).objects(store('named'));
        assert.equal(await readText(elsewhere, name), 'x'.repeat(25));
        assert.equal(await readText(elsewhere, 'empty'), '');
        assert.deepEqual((await elsewhere.list()).map((info) => info.name).sort(), [name, 'empty'].sort());
        await elsewhere.update(name, { name: 'renamed', description: 'other' });
        assert.equal(await objects.info(name), null);
        assert.equal((await objects.info('renamed'))?.description, 'other');
        assert.equal(await readText(objects, 'renamed'), 'x'.repeat(25));
        await assert.rejects(objects.update('empty', { name: 'renamed' }), /already exists/);
        assert.equal((await objects.delete('renamed')).purged, 3);
        assert.equal(await objects.get('renamed'), null);
        assert.equal((await objects.info('renamed'))?.deleted, true);
        assert.deepEqual(
          (await objects.list()).map((info) => info.name),
          ['empty'],
        );
        const status = await elsewhere.status();
        assert.deepEqual(
          [status.bucket, status.description, status.replicas, status.sealed],
          [store('named'), 'd', 3, false],
        );
        await objects.destroy();
      });

      test('links lead to objects and to whole stores', async () => {
        const objects = await at(0).objects(store('linked'));
        const other = await at(1).objects(store('other'));
        const info = await other.putBlob({ name: 'there' }, text.encode('from there'));
        await objects.link('link', info);
        assert.equal(await readText(objects, 'link'), 'from there');
        await objects.linkStore('store', other);
        assert.equal((await objects.info('store'))?.options?.link?.bucket, store('other'));
        await assert.rejects(objects.get('store'), /link is a bucket/);
        await objects.destroy();
        await other.destroy();
      });

      test('only who knows its revision replaces an object, and a sealed store is only read', async () => {
        const objects = await at(2).objects(store('sealed'));
        const first = await objects.putBlob({ name: 'a' }, text.encode('1'), { previousRevision: 0 });
        await assert.rejects(objects.putBlob({ name: 'a' }, text.encode('x'), { previousRevision: 0 }), {
          message: `wrong last sequence: ${first.revision}`,
        });
        await objects.putBlob({ name: 'a' }, text.encode('2'), { previousRevision: first.revision });
        assert.equal((await objects.seal()).sealed, true);
        const elsewhere = await at(0).objects(store('sealed'));
        await assert.rejects(elsewhere.delete('a'), { message: 'invalid operation on sealed stream' });
        assert.equal(await readText(elsewhere, 'a'), '2');
        await objects.destroy();
      });

      test('a watch hears what is there, what is put, and what is deleted', async () => {
        const objects = await at(0).objects(store('watched'));
        await objects.putBlob({ name: 'a' }, text.encode('1'));
        const watch = await (await at(1).objects(store('watched'))).watch({ includeHistory: true });
        await objects.putBlob({ name: 'b' }, text.encode('2'));
        await objects.delete('a');
        const seen: string[] = [];
        // The older family tells by a null that what was there is over.
        for await (const info of watch as AsyncIterable<ObjectInfo | null>) {
          if (info !== null) seen.push(`${info.name} ${info.deleted}`);
          if (seen.length === 3) break;
        }
        assert.deepEqual(seen, ['a false', 'b false', 'a true']);
        await objects.destroy();
      });

      test('a put that fails leaves nothing behind, not even chunks that were under way', async () => {
        for (const node of [0, 1, 2]) {
          const objects = await at(node).objects(store('failed'));
          await assert.rejects(objects.put({ name: 'a' }, breakingOff(3)), { message: 'broken off' });
          assert.equal((await objects.status()).streamInfo.state.messages, 0);
        }
        await (await at(0).objects(store('failed'))).destroy();
        const full = await at(1).objects(store('full'), { max_bytes: 300_000 });
        await assert.rejects(full.put({ name: 'a' }, repeated(new Uint8Array(MIB), MIB)), {
          message: /maximum bytes|503/,
        });
        assert.equal((await full.status()).streamInfo.state.messages, 0);
        await full.destroy();
      });

      test('an object is cut into chunks as small as asked, and as large as the server takes', async () => {
        const objects = await at(2).objects(store('chunked'));
        const small = await objects.putBlob({ name: 's', options: { max_chunk_size: 1 } }, text.encode('hello'));
        assert.equal(small.chunks, 5);
        assert.equal(await readText(objects, 's'), 'hello');
        const options = { max_chunk_size: 16 * MIB };
        const large = await objects.put({ name: 'l', options }, repeated(new Uint8Array(MIB), 3 * MIB));
        assert.equal(large.chunks, 3);
        assert.equal((await (await at(0).objects(store('chunked'))).getBlob('l'))?.length, 3 * MIB);
        await objects.destroy();
      });

      test('an object whose chunks are not what was put is told from a good one', async () => {
        const objects = await at(1).objects(store('forged'));
        const info = await objects.putBlob({ name: 'a' }, text.encode('genuine'));
        const chunks = `$O.${store('forged')}.C.${info.nuid}`;
        assert.equal((await at(1).jsm.streams.purge(`OBJ_${store('forged')}`, { filter: chunks })).purged, 1);
        await at(2).js.publish(chunks, 'forgery');
        const reader = await at(0).objects(store('forged'));
        await waitFor('the forged chunk', async () => (await reader.status()).streamInfo.state.messages === 2);
        await assert.rejects(reader.getBlob('a'), /digests do not match/);
        await objects.destroy();
      });
    });
  }
});
