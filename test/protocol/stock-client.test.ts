import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect, headers, type NatsConnection } from 'nats';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { createFrontEnd, type FrontEnd } from '../../src/server/front-end.ts';
import { PATIENT } from '../harness/patience.ts';
import { SERVER_INFO } from './harness.ts';

let frontEnd: FrontEnd;
let client: NatsConnection;

before(async () => {
  frontEnd = createFrontEnd({
    runtime: new SystemRuntime(),
    logger: silentLogger,
    serverInfo: (port) => ({ ...SERVER_INFO, port }),
  });
  await frontEnd.listen();
  client = await connect({ servers: `127.0.0.1:${frontEnd.port}`, reconnect: false });
});

after(async () => {
  await client.close();
  await frontEnd.close();
});

test('an official client publishes, subscribes and requests, with headers', async () => {
  const subscription = client.subscribe('greet.*', {
    callback: (error, message) => {
      assert.equal(error, null);
      message.respond(`${message.string()} ${message.headers?.get('who') ?? 'nobody'}`);
    },
  });
  const who = headers();
  who.set('who', 'ada');
  const reply = await client.request('greet.x', 'hello', { ...PATIENT, headers: who });
  assert.equal(reply.string(), 'hello ada');
  subscription.unsubscribe();
});

test('an official client learns at once that nobody answers', async () => {
  await assert.rejects(client.request('nobody.there', '', PATIENT), { code: '503' });
});

test('an official client sees a queue group share the work', async () => {
  const counts = [0, 0];
  const workers = [0, 1].map((i) => {
    const callback = (): void => {
      counts[i]!++;
    };
    return client.subscribe('work', { queue: 'w', callback });
  });
  for (let i = 0; i < 200; i++) client.publish('work');
  await client.flush();
  assert.equal(counts[0]! + counts[1]!, 200);
  assert.ok(counts[0]! > 40 && counts[1]! > 40, counts.join(' '));
  for (const worker of workers) worker.unsubscribe();
});

test('an official client receives a large message whole', async () => {
  const payload = Buffer.alloc(900_000, 'z');
  const subscription = client.subscribe('large', { max: 1 });
  client.publish('large', payload);
  for await (const message of subscription) assert.ok(payload.equals(message.data));
});
