/** Advisories as a stock client gets them from a running server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { PATIENT } from '../harness/patience.ts';
import { startServers, type Servers } from '../harness/server-process.ts';
import { waitFor } from '../harness/wait-for.ts';

type Advisory = Readonly<Record<string, unknown>>;

let servers: Servers;
let client: NatsConnection;

before(async () => {
  servers = await startServers({ nodes: 1 });
  client = await connect({ servers: servers.urls, name: 'asker' });
});
after(async () => {
  await client.close();
  await servers.stop();
});

/** Gathers what is published to `filter` from now on. */
async function listen(filter: string): Promise<[subject: string, advisory: Advisory][]> {
  const heard: [string, Advisory][] = [];
  client.subscribe(filter, {
    callback: (_error, message) => heard.push([message.subject, message.json<Advisory>()]),
  });
  await client.flush();
  return heard;
}

async function call(subject: string, body = ''): Promise<string> {
  return (await client.request(`$JS.API.${subject}`, body, PATIENT)).string();
}

test('what happens to a stream and its consumers is told', async () => {
  const heard = await listen('$JS.EVENT.ADVISORY.*.*.S.>');
  const ofStreams = await listen('$JS.EVENT.ADVISORY.STREAM.*.S');
  await call('STREAM.CREATE.S', '{"name":"S"}');
  await call('STREAM.UPDATE.S', '{"name":"S","max_msgs":5}');
  await call('CONSUMER.CREATE.S.c', '{"stream_name":"S","config":{"durable_name":"c"}}');
  await call('STREAM.DELETE.S');
  await waitFor('all advisories', () => ofStreams.length === 3 && heard.length === 2);
  assert.deepEqual(
    ofStreams.map(([subject, { type, stream, action }]) => [subject, type, stream, action]),
    [
      ['$JS.EVENT.ADVISORY.STREAM.CREATED.S', 'io.nats.jetstream.advisory.v1.stream_action', 'S', 'create'],
      ['$JS.EVENT.ADVISORY.STREAM.UPDATED.S', 'io.nats.jetstream.advisory.v1.stream_action', 'S', 'modify'],
      ['$JS.EVENT.ADVISORY.STREAM.DELETED.S', 'io.nats.jetstream.advisory.v1.stream_action', 'S', 'delete'],
    ],
  );
  assert.deepEqual(
    heard.map(([subject]) => subject),
    ['$JS.EVENT.ADVISORY.CONSUMER.CREATED.S.c', '$JS.EVENT.ADVISORY.CONSUMER.DELETED.S.c'],
  );
});

test('who listens to the audit hears of each call: who asked, what, and the answer', async () => {
  const heard = await listen('$JS.EVENT.ADVISORY.API');
  const answer = await call('STREAM.INFO.NONE', '{"offset":1}');
  await waitFor('the audit', () => heard.length === 1);
  const { type, subject, request, response, client: asker, server } = heard[0]![1];
  assert.equal(type, 'io.nats.jetstream.advisory.v1.api_audit');
  assert.equal(subject, '$JS.API.STREAM.INFO.NONE');
  assert.equal(request, '{"offset":1}');
  assert.equal(response, answer);
  assert.equal(server, 'n1');
  const { name, acc, kind, lang } = asker as Advisory;
  assert.deepEqual({ name, acc, kind, lang }, { name: 'asker', acc: '$G', kind: 'Client', lang: 'nats.js' });
});

test('a stream can capture the audit', async () => {
  await call('STREAM.CREATE.AUDIT', '{"name":"AUDIT","subjects":["$JS.EVENT.ADVISORY.API"]}');
  await call('STREAM.INFO.NONE');
  await waitFor('a captured call', async () => {
    const { state } = JSON.parse(await call('STREAM.INFO.AUDIT')) as { state: { messages: number } };
    return state.messages > 0;
  });
  await call('STREAM.DELETE.AUDIT');
});
