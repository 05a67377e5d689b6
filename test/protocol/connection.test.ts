import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authenticator } from '../../src/server/connection-auth.ts';
import { CONNECT, SERVER_INFO, startServer, TestClient, until, withoutInfo } from './harness.ts';

test('INFO greets before anything is read, and follows the first PONG with the account', async () => {
  const server = startServer({ limits: { maxPayload: 5_000 } });
  const client = new TestClient(server);
  await client.expect('} \r\n');
  const first = JSON.parse(client.received.slice('INFO '.length)) as Record<string, unknown>;
  assert.equal(first['server_id'], 'NTEST');
  assert.deepEqual([first['max_payload'], first['headers'], first['proto'], first['client_id']], [5_000, true, 1, 1]);
  for (const absent of ['connect_urls', 'ldm', 'nonce', 'auth_required', 'connect_info']) assert.ok(!(absent in first));
  client.received = '';
  await client.roundTrip(CONNECT);
  assert.match(client.received, /^PONG\r\nINFO \{.*"connect_info":true,"remote_account":"\$G"\} \r\n$/);
  await client.roundTrip();
  assert.equal(client.received.split('INFO').length - 1, 1);
  await server.frontEnd.close();
});

test('clients of protocol 0 never get INFO again; the others do when it changes', async () => {
  let connectUrls: string[] = [];
  const server = startServer({ serverInfo: () => ({ ...SERVER_INFO, connectUrls }) });
  const old = await TestClient.connected(server, 'CONNECT {"verbose":false}\r\n');
  const fresh = await TestClient.connected(server);
  const silent = new TestClient(server);
  connectUrls = ['127.0.0.1:4222', '127.0.0.1:4223'];
  server.frontEnd.broadcastInfo();
  await fresh.expect('"connect_urls":["127.0.0.1:4222","127.0.0.1:4223"]');
  assert.equal(await old.roundTrip(), 'PONG\r\n');
  assert.ok(!silent.received.includes('connect_urls'));
  await server.frontEnd.close();
});

test('an idle client is pinged, and given up on when it does not answer', async () => {
  const { frontEnd, runtime } = startServer({ limits: { pingIntervalMs: 500, pingMax: 2 } });
  const client = await TestClient.connected({ frontEnd, runtime });
  for (const count of [1, 2]) {
    runtime.advance(600);
    await until(`${count} PINGs`, () => client.received.split('PING\r\n').length - 1 === count);
  }
  runtime.advance(600);
  await client.expectClosed();
  assert.equal(client.received, "PING\r\nPING\r\n-ERR 'Stale Connection'\r\n");
  assert.equal(frontEnd.statistics.staleConnections, 1);
  assert.equal(frontEnd.history.all()[0]?.reason, 'Stale Connection');
});

test('a client that answers stays, and its round trip is known', async () => {
  const { frontEnd, runtime } = startServer({ limits: { pingIntervalMs: 500, pingMax: 2 } });
  const client = await TestClient.connected({ frontEnd, runtime });
  const [connection] = frontEnd.connections();
  for (let pings = 0; pings < 6; pings++) {
    client.received = '';
    runtime.advance(600);
    await client.expect('PING\r\n');
    runtime.advance(7);
    client.send('PONG\r\n');
    await until('the round trip is known', () => connection?.report().roundTripMs !== undefined);
  }
  assert.equal(client.closed, false);
  await frontEnd.close();
});

test('no PING comes before the first PONG', async () => {
  const { frontEnd, runtime } = startServer({ limits: { pingIntervalMs: 500, pingMax: 2 } });
  const client = new TestClient({ frontEnd, runtime });
  client.send(CONNECT);
  await until('CONNECT was read', () => [...frontEnd.connections()][0]?.report().lang === 'test');
  runtime.advance(1_500);
  await client.roundTrip();
  assert.equal(withoutInfo(client.received), '<INFO>PONG\r\n<INFO+>');
  await frontEnd.close();
});

test('a subscriber that does not read is closed alone, without a word, and its publisher is held back before', async () => {
  const { frontEnd, runtime } = startServer({ limits: { maxPending: 200_000 } });
  const server = { frontEnd, runtime };
  const slow = await TestClient.connected(server);
  await slow.roundTrip('SUB data 1\r\n');
  slow.transport.pause();
  const reader = await TestClient.connected(server);
  await reader.roundTrip('SUB data 1\r\n');
  const publisher = await TestClient.connected(server);
  const publish = `PUB data 1000\r\n${'x'.repeat(1000)}\r\n`;
  for (let round = 0; frontEnd.connectionCount === 3; round++) {
    assert.ok(round < 100, 'the slow consumer was never closed');
    publisher.send(publish.repeat(50));
    await until('the publishes arrived', () => {
      runtime.advance(1);
      return publisher.transport.writableLength === 0;
    });
  }
  assert.equal(frontEnd.statistics.slowConsumers, 1);
  assert.ok(frontEnd.statistics.stalledClients > 0);
  assert.equal(frontEnd.history.all()[0]?.reason, 'Slow Consumer (Pending Bytes)');
  runtime.advance(10);
  assert.ok((await publisher.roundTrip()).endsWith('PONG\r\n'));
  assert.ok(!slow.received.includes('-ERR'));
  await frontEnd.close();
});

test('a write without progress for the deadline ends the connection', async () => {
  const { frontEnd, runtime } = startServer({ limits: { writeDeadlineMs: 2_000, maxPending: 10_000_000 } });
  const server = { frontEnd, runtime };
  const slow = await TestClient.connected(server);
  await slow.roundTrip('SUB data 1\r\n');
  slow.transport.pause();
  const publisher = await TestClient.connected(server);
  await publisher.roundTrip(`PUB data 100000\r\n${'x'.repeat(100_000)}\r\n`.repeat(10));
  runtime.advance(1_500);
  assert.equal(frontEnd.connectionCount, 2);
  runtime.advance(1_500);
  assert.equal(frontEnd.history.all()[0]?.reason, 'Slow Consumer (Write Deadline)');
  await frontEnd.close();
});

test('connections beyond the limit are greeted and turned away', async () => {
  const server = startServer({ limits: { maxConnections: 1 } });
  const first = await TestClient.connected(server);
  const second = new TestClient(server);
  await second.expectClosed();
  assert.equal(withoutInfo(second.received), "<INFO>-ERR 'maximum connections exceeded'\r\n");
  assert.equal(await first.roundTrip(), 'PONG\r\n');
  await server.frontEnd.close();
});

test('lowered limits hold for connections that exist, and surplus ones are closed', async () => {
  const server = startServer();
  const clients = await Promise.all([1, 2, 3].map(() => TestClient.connected(server)));
  server.frontEnd.setLimits({ maxConnections: 1, maxPayload: 10 });
  await until('two are closed', () => clients.filter(({ closed }) => closed).length === 2);
  for (const client of clients) {
    if (client.closed) assert.equal(client.received, "-ERR 'maximum connections exceeded'\r\n");
    else assert.equal(await client.roundTrip('PUB a 11\r\n'), "-ERR 'Maximum Payload Violation'\r\n");
  }
  await server.frontEnd.close();
});

test('a paused connection parses nothing more, and goes on where it stopped', async () => {
  const server = startServer();
  const client = await TestClient.connected(server);
  await client.roundTrip('SUB a 1\r\n');
  const [connection] = server.frontEnd.connections();
  const removeService = server.frontEnd.router.addService('$G', 'hold', {
    handle: () => {
      connection?.pause();
      connection?.pause();
      return true;
    },
  });
  client.received = '';
  client.send('PUB a 1\r\n1\r\nPUB hold 0\r\n\r\nPUB a 1\r\n2\r\nPI');
  await client.expect('MSG a 1 1\r\n1\r\n');
  client.send('NG\r\n');
  connection?.resume();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.received, 'MSG a 1 1\r\n1\r\n');
  removeService();
  connection?.resume();
  await client.expect('MSG a 1 1\r\n2\r\nPONG\r\n');
  await server.frontEnd.close();
});

test('what a connection did is counted, and remembered once it is closed', async () => {
  const server = startServer({ limits: { maxClosedClients: 2 } });
  const client = await TestClient.connected(
    server,
    CONNECT.replace('"lang":"test"', '"lang":"x","name":"n","version":"9"'),
  );
  await client.roundTrip('SUB a 1\r\nSUB a q 2\r\nUNSUB 2 5\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n');
  const [connection] = server.frontEnd.connections();
  const report = connection!.report();
  assert.deepEqual(
    [report.inMessages, report.inBytes, report.outMessages, report.outBytes, report.subscriptionCount],
    [1, 14, 2, 28, 2],
  );
  assert.deepEqual([report.name, report.lang, report.version, report.account], ['n', 'x', '9', '$G']);
  assert.deepEqual(connection!.subscriptionReports()[1], { subject: 'a', queue: 'q', sid: '2', delivered: 1, max: 5 });
  client.transport.end();
  await client.expectClosed();
  for (let i = 0; i < 2; i++) {
    const other = await TestClient.connected(server);
    server.frontEnd.connection(connection!.connectionId + 1 + i)?.kick();
    await other.expectClosed();
  }
  assert.deepEqual(
    server.frontEnd.history.all().map(({ connectionId, reason }) => [connectionId, reason]),
    [
      [2, 'Kicked'],
      [3, 'Kicked'],
    ],
  );
  assert.equal(server.frontEnd.traffic().outBytes, 28);
  assert.equal(server.frontEnd.router.account('$G').subscriptions, 0);
});

test('lame duck mode tells clients, and closes them one by one after the grace period', async () => {
  let lameDuck = false;
  const { frontEnd, runtime } = startServer({ serverInfo: () => ({ ...SERVER_INFO, lameDuck }) });
  const server = { frontEnd, runtime };
  const clients = [await TestClient.connected(server), await TestClient.connected(server)];
  lameDuck = true;
  let gone = false;
  const done = frontEnd.lameDuck({ graceMs: 10_000, durationMs: 30_000 }).then(() => {
    gone = true;
  });
  for (const client of clients) await client.expect('"ldm":true');
  runtime.advance(9_000);
  assert.equal(frontEnd.connectionCount, 2);
  runtime.advance(1_100);
  await until('the first is closed', () => frontEnd.connectionCount === 1);
  runtime.advance(1_000);
  await until('the second is closed', () => frontEnd.connectionCount === 0);
  runtime.advance(2_000);
  await done;
  assert.ok(gone);
  for (const client of clients) assert.ok(!client.received.includes('-ERR'));
});

/** Knows one user, takes its time over the password, and lets it do little. */
const strict: Authenticator = {
  advertised: true,
  anonymous: undefined,
  challenge: () => 'nonce-of-15-chr',
  authenticate: ({ options, nonce }, settle) => {
    setImmediate(() => {
      if (options.credentials.pass !== 'secret' || nonce === undefined) {
        settle({ kind: 'refused', error: 'Authorization Violation', reason: 'Authentication Failure' });
        return;
      }
      const permissions = {
        mayPublish: (subject: string) => subject.startsWith('out.'),
        maySubscribe: (subject: string) => subject !== 'secret',
        mayReceive: (subject: string) => subject !== 'out.denied',
      };
      settle({
        kind: 'accepted',
        identity: {
          account: 'ACME',
          isSystemAccount: false,
          user: options.credentials.user,
          permissions,
          maxPayload: 10,
        },
      });
    });
  },
};

test('credentials are asked for, checked in their own time, and what comes behind waits for it', async () => {
  const server = startServer({ authenticator: strict });
  const client = new TestClient(server);
  const connect = 'CONNECT {"verbose":false,"pedantic":false,"user":"u","pass":"secret","protocol":1}\r\n';
  const output = await client.roundTrip(
    `${connect}SUB > 1\r\nSUB secret 2\r\nPUB out.x 1\r\nx\r\nPUB in.x 0\r\n\r\nPUB out.denied 0\r\n\r\n`,
  );
  assert.match(output, /^INFO \{.*"auth_required":true.*"nonce":"nonce-of-15-chr"/);
  assert.equal(
    withoutInfo(output),
    `<INFO>-ERR 'Permissions Violation for Subscription to "secret"'\r\nMSG out.x 1 1\r\nx\r\n` +
      `-ERR 'Permissions Violation for Publish to "in.x"'\r\nPONG\r\n<INFO+>`,
  );
  assert.match(output, /"remote_account":"ACME"/);
  assert.match(output, /"max_payload":10,.*"connect_info":true/);
  client.send('PUB out.x 11\r\n');
  await client.expect("-ERR 'Maximum Payload Violation'\r\n");
  await server.frontEnd.close();
});

test('wrong credentials, and operations before any, are refused alike', async () => {
  const server = startServer({ authenticator: strict });
  for (const input of ['CONNECT {"pass":"wrong"}\r\nSUB a 1\r\n', 'PING\r\n', 'SUB a 1\r\n']) {
    const client = new TestClient(server);
    await client.roundTrip(input);
    await client.expectClosed();
    assert.equal(withoutInfo(client.received), "<INFO>-ERR 'Authorization Violation'\r\n", input);
  }
  await server.frontEnd.close();
});

test('a client that never authenticates is sent away when its time is up', async () => {
  const { frontEnd, runtime } = startServer({ authenticator: strict, limits: { authTimeoutMs: 2_000 } });
  const client = new TestClient({ frontEnd, runtime });
  runtime.advance(1_900);
  assert.equal(frontEnd.connectionCount, 1);
  runtime.advance(150);
  await client.expectClosed();
  assert.equal(withoutInfo(client.received), "<INFO>-ERR 'Authentication Timeout'\r\n");
  assert.deepEqual([...frontEnd.router.accounts()], []);
});
