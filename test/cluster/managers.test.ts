/**
 * Both families of official clients and their managers on three nodes: streams, consumers, messages, advisories and the
 * account, each call through a node that need not lead what it is about.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StorageType, type Advisory, type StreamInfo } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { waitFor } from '../harness/wait-for.ts';
import { clientsOnThreeNodes, FAMILIES, NEWER_FAMILY, take, takeAll, type Client } from './client-families.ts';

describe('the managers of the official clients on three nodes', () => {
  const clientOf = clientsOnThreeNodes();

  for (const family of FAMILIES) {
    describe(family.name, () => {
      const at = (node: number): Client => clientOf(family, node);
      const named = (name: string): string => `${family.prefix}-${name}`;

      async function filled(name: string, subjects: readonly string[], config: object = {}): Promise<string> {
        const stream = named(name);
        await at(0).jsm.streams.add({ name: stream, subjects: [`${stream}.>`], num_replicas: 3, ...config });
        for (const [index, subject] of subjects.entries()) {
          assert.equal((await at(1).js.publish(`${stream}.${subject}`, `m${index + 1}`)).seq, index + 1);
        }
        return stream;
      }

      test('a stream is made, found, changed, listed and removed', async () => {
        const name = await filled('made', ['a', 'b', 'a'], { description: 'first', metadata: { m: '1' } });
        const { jsm } = at(1);
        assert.equal(await jsm.streams.find(`${name}.x`), name);
        const updated = await at(2).jsm.streams.update(name, { description: 'second', max_msgs: 100 });
        assert.deepEqual([updated.config.description, updated.config.max_msgs], ['second', 100]);
        await jsm.streams.deleteMessage(name, 2);
        const info = await jsm.streams.info(name, { deleted_details: true, subjects_filter: '>' });
        assert.deepEqual([info.state.messages, info.state.num_deleted, info.state.deleted], [2, 1, [2]]);
        assert.deepEqual(info.state.subjects, { [`${name}.a`]: 2 });
        assert.equal(info.cluster?.replicas?.length, 2);
        assert.ok((await takeAll(jsm.streams.names(), String)).includes(name));
        assert.deepEqual(await takeAll(jsm.streams.names(`${name}.a`), String), [name]);
        const word = (each: StreamInfo): string => `${each.config.name} ${each.config.description}`;
        assert.deepEqual(await takeAll(jsm.streams.list(`${name}.a`), word), [`${name} second`]);
        await assert.rejects(jsm.streams.update(name, { storage: StorageType.Memory } as object), {
          message: 'stream configuration update can not change storage type',
        });
        assert.equal(await jsm.streams.delete(name), true);
        await assert.rejects(at(2).jsm.streams.info(name), { message: 'stream not found' });
      });

      test('a stream is purged by subject, up to a sequence, down to a number, and altogether', async () => {
        const name = await filled('purged', ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']);
        const { streams } = at(2).jsm;
        assert.equal((await streams.purge(name, { filter: `${name}.a`, keep: 3 })).purged, 2);
        assert.equal((await streams.purge(name, { filter: `${name}.b`, seq: 5 })).purged, 2);
        assert.equal((await streams.purge(name, { seq: 6 })).purged, 1);
        assert.equal((await streams.purge(name, { keep: 3 })).purged, 2);
        assert.equal((await streams.purge(name, { filter: `${name}.b` })).purged, 2);
        assert.equal((await streams.purge(name)).purged, 1);
        const { state } = await at(0).jsm.streams.info(name);
        assert.deepEqual([state.messages, state.first_seq, state.last_seq], [0, 11, 10]);
        await streams.delete(name);
      });

      test('messages are read and removed through the API, and read directly from any replica', async () => {
        const name = await filled('read', ['a', 'b', 'a', 'c'], { allow_direct: true });
        const { streams, direct } = at(1).jsm;
        assert.equal((await streams.getMessage(name, { seq: 2 }))?.string(), 'm2');
        assert.equal((await streams.getMessage(name, { last_by_subj: `${name}.a` }))?.seq, 3);
        await waitFor('all replicas having it all', async () => {
          const last = await Promise.all([0, 1, 2].map((node) => at(node).jsm.direct.getMessage(name, { seq: 4 })));
          return last.every((message) => message?.string() === 'm4');
        });
        assert.equal((await direct.getMessage(name, { last_by_subj: `${name}.a` }))?.string(), 'm3');
        assert.equal((await direct.getMessage(name, { next_by_subj: `${name}.b`, seq: 1 }))?.seq, 2);
        assert.equal(await streams.deleteMessage(name, 1, true), true);
        assert.equal(await streams.deleteMessage(name, 4, false), true);
        await assert.rejects(at(0).jsm.streams.deleteMessage(name, 4), { message: 'sequence 4 not found' });
        assert.equal((await at(2).jsm.streams.info(name)).state.messages, 2);
        await streams.delete(name);
      });

      test('a consumer is made, changed, listed, paused, resumed and removed', async () => {
        const name = await filled('consumed', ['a', 'b', 'a']);
        const { consumers } = at(1).jsm;
        const added = await consumers.add(name, {
          durable_name: 'd',
          ack_policy: 'explicit',
          filter_subject: `${name}.a`,
        });
        assert.deepEqual([added.name, added.num_pending, added.stream_name], ['d', 2, name]);
        await at(2).jsm.consumers.update(name, 'd', { description: 'changed', filter_subject: `${name}.>` });
        const info = await at(0).jsm.consumers.info(name, 'd');
        assert.deepEqual([info.config.description, info.num_pending], ['changed', 3]);
        await consumers.add(name, { name: 'e', ack_policy: 'none', inactive_threshold: 60e9 });
        const names = await takeAll(at(2).jsm.consumers.list(name), (each) => each.name);
        assert.deepEqual(names.sort(), ['d', 'e']);
        assert.equal((await consumers.pause(name, 'd', new Date(Date.now() + 3_600_000))).paused, true);
        const consumer = await at(0).js.consumers.get(name, 'd');
        assert.equal(await consumer.next({ expires: 1000 }), null, 'while it is paused');
        assert.equal((await at(2).jsm.consumers.resume(name, 'd')).paused, false);
        assert.equal((await consumer.next({ expires: 10_000 }))?.string(), 'm1');
        assert.equal(await consumers.delete(name, 'd'), true);
        await assert.rejects(at(0).jsm.consumers.info(name, 'd'), { message: 'consumer not found' });
        await at(0).jsm.streams.delete(name);
      });

      test('the account counts what it has, and advisories tell what is done', async () => {
        const told: Advisory[] = [];
        const advisories = at(2).jsm.advisories();
        void (async () => {
          for await (const advisory of advisories) told.push(advisory);
        })();
        await at(2).connection.flush();
        const before = await at(0).jsm.getAccountInfo();
        const name = await waitFor('the creation being told', async () => {
          const stream = await filled('told', []);
          if (told.some((each) => each.kind === 'stream_action')) return stream;
          await at(0).jsm.streams.delete(stream);
          return undefined;
        });
        await at(1).jsm.consumers.add(name, { durable_name: 'd', ack_policy: 'explicit' });
        const { streams, consumers } = await at(1).jsm.getAccountInfo();
        assert.deepEqual([streams, consumers], [before.streams + 1, before.consumers + 1]);
        await waitFor('the consumer being told', () => told.some((each) => each.kind === 'consumer_action'));
        await at(0).jsm.streams.delete(name);
      });

      test('another replica leads when the leader steps down, and nothing is lost', async () => {
        const name = await filled('led', ['a', 'b', 'c']);
        const leader = (await at(0).jsm.streams.info(name)).cluster?.leader;
        const answer = await at(0).connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${name}`, '', {
          timeout: 15_000,
        });
        assert.deepEqual(JSON.parse(answer.string()), {
          type: 'io.nats.jetstream.api.v1.stream_leader_stepdown_response',
          success: true,
        });
        await waitFor('another leader', async () => (await at(1).jsm.streams.info(name)).cluster?.leader !== leader);
        assert.equal((await at(2).js.publish(`${name}.d`, 'm4')).seq, 4);
        await at(1).jsm.streams.delete(name);
      });

      test('subjects are transformed, and what is stored is published again', async () => {
        const stream = named('transformed');
        await at(0).jsm.streams.add({
          name: stream,
          subjects: [`${stream}.in.*`],
          num_replicas: 3,
          subject_transform: { src: `${stream}.in.*`, dest: `${stream}.stored.{{wildcard(1)}}` },
          republish: { src: '>', dest: `again.>` },
        });
        const heard: string[] = [];
        const subscription = at(2).connection.subscribe(`again.${stream}.>`, {
          callback: (_error, message) => {
            heard.push(`${message.subject} ${message.headers?.get('Nats-Sequence')}`);
          },
        });
        await at(2).connection.flush();
        await waitFor('a message coming again', async () => {
          await at(1).js.publish(`${stream}.in.x`, 'm');
          return heard.length > 0;
        });
        assert.match(heard[0]!, new RegExp(`^again.${stream}.stored.x \\d+$`));
        const stored = await at(1).jsm.streams.getMessage(stream, { seq: 1 });
        assert.equal(stored?.subject, `${stream}.stored.x`);
        subscription.unsubscribe();
        await at(1).jsm.streams.delete(stream);
      });

      test('a mirror and a stream with sources hold what their origins hold', async () => {
        const origin = await filled('origin', ['a', 'b', 'a']);
        const { streams } = at(1).jsm;
        await streams.add({ name: named('mirror'), mirror: { name: origin }, num_replicas: 3 });
        const sources = [{ name: origin, filter_subject: `${origin}.a` }];
        await streams.add({ name: named('sourced'), sources, num_replicas: 3 });
        await at(2).js.publish(`${origin}.a`, 'm4');
        for (const [name, messages] of [
          ['mirror', 4],
          ['sourced', 3],
        ] as const) {
          await waitFor(`the messages of ${name}`, async () => {
            return (await at(0).jsm.streams.info(named(name))).state.messages === messages;
          });
        }
        assert.equal((await at(0).jsm.streams.getMessage(named('mirror'), { seq: 4 }))?.string(), 'm4');
        const last = await at(2).jsm.streams.getMessage(named('sourced'), { seq: 3 });
        assert.match(last?.header.get('Nats-Stream-Source') ?? '', new RegExp(`^${origin} 4 `));
        for (const name of ['mirror', 'sourced', 'origin']) await streams.delete(named(name));
      });
    });
  }

  describe('what only the newer family does', () => {
    const at = (node: number): Client => clientOf(NEWER_FAMILY, node);

    test('batches, and the last messages of several subjects, are read directly', async () => {
      const config = { name: 'lasts', subjects: ['lasts.>'], allow_direct: true, num_replicas: 3 };
      await at(0).jsm.streams.add(config);
      for (const subject of ['a', 'b', 'a', 'c']) await at(1).js.publish(`lasts.${subject}`, subject);
      const read = async (options: object): Promise<number[]> => {
        const messages = await at(2).jsm.direct.getLastMessagesFor('lasts', {
          multi_last: ['lasts.a', 'lasts.b'],
          ...options,
        });
        return takeAll(messages, (message) => message.seq);
      };
      await waitFor('the replica having it all', async () => (await read({})).join() === '2,3');
      assert.deepEqual(await read({ up_to_seq: 2 }), [1, 2]);
      await waitFor('another replica having it all', async () => {
        const batch = await at(0).jsm.direct.getBatch('lasts', { seq: 1, batch: 3 });
        return (await takeAll(batch, (message) => message.seq)).join() === '1,2,3';
      });
      const later = await at(1).jsm.direct.getBatch('lasts', { seq: 2, batch: 10, next_by_subj: 'lasts.a' });
      assert.deepEqual(await takeAll(later, (message) => message.seq), [3]);
      await at(0).jsm.streams.delete('lasts');
    });

    test('a batch is stored as a whole or not at all', async () => {
      await at(0).jsm.streams.add({ name: 'batched', subjects: ['batched.>'], num_replicas: 3, allow_atomic: true });
      const batch = await at(1).js.startBatch('batched.a', '1');
      batch.add('batched.b', '2');
      const ack = await batch.commit('batched.c', '3');
      assert.deepEqual([ack.count, ack.seq], [3, 3]);
      const refused = await at(2).js.startBatch('batched.a', '4');
      const expecting = headers();
      expecting.set('Nats-Expected-Last-Subject-Sequence', '9');
      refused.add('batched.b', '5', { headers: expecting });
      await assert.rejects(refused.commit('batched.c', '6'));
      assert.equal((await at(1).jsm.streams.info('batched')).state.messages, 3);
      await at(0).jsm.streams.delete('batched');
    });

    test('messages live as long as their publisher says', async () => {
      await at(0).jsm.streams.add({ name: 'lived', subjects: ['lived'], num_replicas: 3, allow_msg_ttl: true });
      await at(1).js.publish('lived', 'short', { ttl: '1s' });
      await at(1).js.publish('lived', 'long', { ttl: '1h' });
      await waitFor('the first being gone', async () => {
        return (await at(2).jsm.streams.info('lived')).state.first_seq === 2;
      });
      await at(0).jsm.streams.delete('lived');
    });

    test('a push consumer and a reset one deliver from where they are told', async () => {
      await at(0).jsm.streams.add({ name: 'pushed', subjects: ['pushed'], num_replicas: 3 });
      for (let i = 0; i < 5; i++) await at(1).js.publish('pushed', `${i}`);
      const deliver = { deliver_subject: 'pushed.here', ack_policy: 'none', deliver_policy: 'all' } as const;
      await at(1).jsm.consumers.add('pushed', { durable_name: 'push', ...deliver });
      const push = await at(2).js.consumers.getPushConsumer('pushed', 'push');
      const messages = await push.consume();
      assert.deepEqual(await take(messages, 5, (message) => message.seq), [1, 2, 3, 4, 5]);
      await at(1).jsm.consumers.add('pushed', { durable_name: 'pull', ack_policy: 'explicit' });
      const pull = await at(2).js.consumers.get('pushed', 'pull');
      for (let i = 0; i < 5; i++) assert.equal(await (await pull.next())?.ackAck(), true);
      await at(0).jsm.consumers.reset('pushed', 'pull', 4);
      assert.equal((await pull.next())?.seq, 4);
      await at(0).jsm.streams.delete('pushed');
    });
  });
});
