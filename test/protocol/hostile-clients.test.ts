import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { createFrontEnd } from '../../src/server/front-end.ts';
import { waitFor } from '../harness/wait-for.ts';
import { CONNECT, SERVER_INFO, startServer, TestClient, until } from './harness.ts';

const operation = fc.constantFrom(
  'PING\r\n',
  'SUB a.* 1\r\n',
  'SUB > 2\r\n',
  'SUB a.b q 3\r\n',
  'SUB a.b q 4\r\n',
  'UNSUB 1\r\n',
  'UNSUB 2 3\r\n',
  'PUB a.b 2\r\nhi\r\n',
  'PUB a.b a.c 0\r\n\r\n',
  'PUB nobody a.x 1\r\nx\r\n',
  'HPUB a.b 12 12\r\nNATS/1.0\r\n\r\n\r\n',
  'HPUB a.b 3 9\r\nNATS/1.0\n\r\n',
  'CONNECT {"verbose":true,"headers":true,"echo":false}\r\n',
  'CONNECT {"constructor":1,"__proto__":null}\r\n',
  'PUB a..b 0\r\n\r\n',
  'SUB a\0b 5\r\n',
  'SUB \xff\xfe.> 6\r\n',
);
const noise = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 4 }),
  fc.constantFrom('\r\n', ' ', 'PUB ', '9999999999'),
);
const hostile = fc.array(fc.oneof({ weight: 8, arbitrary: operation }, { weight: 1, arbitrary: noise }), {
  maxLength: 25,
});

test('operations in any order, mixed with noise, never crash the server nor leave anything behind', async () => {
  const server = startServer();
  await fc.assert(
    fc.asyncProperty(hostile, async (pieces) => {
      const client = new TestClient(server);
      // No PING behind it: a cut-off publish would wait for it as its payload.
      client.send(CONNECT + pieces.join(''));
      await until('it was read', () => client.closed || client.transport.writableLength === 0);
      client.transport.destroy();
      await until('the connection is forgotten', () => server.frontEnd.connectionCount === 0);
      assert.equal(server.frontEnd.router.account('$G').subscriptions, 0);
    }),
    { numRuns: 500 },
  );
  const client = await TestClient.connected(server);
  assert.equal(await client.roundTrip('SUB a 1\r\nPUB a 1\r\n!\r\n'), 'MSG a 1 1\r\n!\r\nPONG\r\n');
  assert.equal([...server.frontEnd.router.account('$G').interests()].length, 1);
  await server.frontEnd.close();
});

test('a whole session means the same however it is cut', async () => {
  const session = Buffer.from(
    `${CONNECT}SUB a.> 1\r\nHPUB a.b r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPUB a.b 2\r\nho\r\nUNSUB 1\r\nSUB in 2\r\nPUB x in 0\r\n\r\nPUB y z\r\n`,
  );
  const run = async (cuts: readonly number[]): Promise<string> => {
    const server = startServer();
    const client = new TestClient(server);
    let start = 0;
    for (const end of [...cuts, session.length]) {
      client.send(session.subarray(start, end));
      start = end;
    }
    await client.expectClosed();
    return client.received;
  };
  const whole = await run([]);
  assert.match(whole, /HMSG a\.b 1 r 12 14.*MSG a\.b 1 2\r\nho.*503\r\nNats-Subject: x/s);
  for (let cut = 1; cut < session.length; cut++) assert.equal(await run([cut]), whole, `cut at ${cut}`);
  assert.equal(await run(Array.from(session.keys()).slice(1)), whole);
});

test('a client cut off inside a payload publishes nothing', async () => {
  const server = startServer();
  const reader = await TestClient.connected(server);
  await reader.roundTrip('SUB a 1\r\n');
  const cut = await TestClient.connected(server);
  cut.send('PUB a 10\r\n12345');
  await until('the bytes were read', () => cut.transport.writableLength === 0);
  cut.transport.destroy();
  await until('the connection is forgotten', () => server.frontEnd.connectionCount === 1);
  assert.equal(await reader.roundTrip(), 'PONG\r\n');
  await server.frontEnd.close();
});

test('a client that does not read its answers is not read either, and loses nothing once it does', async () => {
  const server = startServer({ limits: { maxPending: 400_000 } });
  const client = await TestClient.connected(server);
  await client.roundTrip('SUB in.* 1\r\n');
  const answer = Buffer.alloc(1_000, 'y');
  const { router } = server.frontEnd;
  router.addService('$G', 'ask', {
    handle: ({ buffer, replyStart, replyEnd }) =>
      router.publishReply('$G', buffer, replyStart, replyEnd, answer, 1_000),
  });
  const [connection] = server.frontEnd.connections();
  client.received = '';
  client.transport.pause();
  for (let i = 0; i < 1_000; i++) client.send(`PUB ask in.${i} 0\r\n\r\n`);
  await until('it is held', () => (connection?.pendingBytes ?? 0) > 200_000);
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(connection!.pendingBytes < 400_000);
  client.transport.resume();
  await client.expect('MSG in.999 ');
  assert.equal(client.received.split('MSG in.').length - 1, 1_000);
  assert.equal(server.frontEnd.statistics.slowConsumers, 0);
  await server.frontEnd.close();
});

test('hundreds of clients that come at once over TCP are all greeted, and all told when the server stops', async () => {
  const frontEnd = createFrontEnd({
    runtime: new SystemRuntime(),
    logger: silentLogger,
    serverInfo: () => SERVER_INFO,
  });
  await frontEnd.listen();
  const ends: Promise<string>[] = [];
  let greeted = 0;
  for (let i = 0; i < 300; i++) {
    const socket = connect(frontEnd.port, '127.0.0.1');
    ends.push(
      new Promise((resolve) => {
        let received = '';
        socket.on('data', (chunk: Buffer) => {
          if (received === '') greeted++;
          received += chunk.toString('latin1');
        });
        socket.on('end', () => {
          resolve(received);
        });
      }),
    );
  }
  await waitFor('all being greeted', () => greeted === 300);
  assert.equal(frontEnd.connectionCount, 300);
  await frontEnd.close();
  for (const received of await Promise.all(ends)) assert.match(received, /^INFO \{.*\} \r\n$/);
});
