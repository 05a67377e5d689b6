import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import type { NodeId } from '../../src/base/brand.ts';
import { CONNECT, startServer, TestClient, type TestServer } from './harness.ts';

interface Fabric {
  readonly servers: TestServer[];
  /** Frames that crossed, by `from>to`. */
  readonly frames: Map<string, number>;
  /** Bytes that a link claims to hold back. */
  pending: number;
  cut(node: number): void;
}

/** Front ends whose interest and frames reach one another at once, as over a perfect link. */
function startCluster(size: number): Fabric {
  const nodeIds = Array.from({ length: size }, (_, i) => `n${i}` as NodeId);
  const away = new Set<NodeId>();
  const frames = new Map<string, number>();
  const fabric: Fabric = {
    servers: [],
    frames,
    pending: 0,
    cut: (node) => {
      away.add(nodeIds[node]!);
      fabric.servers.forEach(({ frontEnd }, i) => {
        if (i !== node) frontEnd.router.remoteInterestLost(nodeIds[node]!);
      });
    },
  };
  const others = (self: NodeId): NodeId[] => nodeIds.filter((node) => node !== self && !away.has(node));
  const routerOf = (node: NodeId) => fabric.servers[nodeIds.indexOf(node)]!.frontEnd.router;
  for (const self of nodeIds) {
    fabric.servers.push(
      startServer({
        announce: (interest) => {
          for (const node of others(self)) routerOf(node).remoteInterest(self, interest);
        },
        traffic: {
          send: (node, frame) => {
            if (away.has(node)) return false;
            const link = `${self}>${node}`;
            frames.set(link, (frames.get(link) ?? 0) + 1);
            routerOf(node).remoteMessages(self, frame);
            return true;
          },
          pendingTraffic: () => fabric.pending,
        },
      }),
    );
  }
  return fabric;
}

async function stop({ servers }: Fabric): Promise<void> {
  await Promise.all(servers.map(({ frontEnd }) => frontEnd.close()));
}

const messages = (output: string): number => output.split(/H?MSG /).length - 1;

test('a message reaches plain subscribers on every node once, with its headers and reply', async () => {
  const fabric = startCluster(3);
  const [a, b, c] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  await b!.roundTrip('SUB x.* 1\r\nSUB x.> 2\r\n');
  await c!.roundTrip('SUB x.y 3\r\n');
  await a!.roundTrip('HPUB x.y r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n'.repeat(2) + 'PUB unrelated 0\r\n\r\n');
  const body = ' r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n';
  await c!.expect(`HMSG x.y 3${body}`.repeat(2));
  await b!.roundTrip();
  for (const sid of [1, 2]) assert.equal(b!.received.split(`HMSG x.y ${sid}${body}`).length - 1, 2);
  assert.deepEqual(
    [...fabric.frames],
    [
      ['n0>n1', 1],
      ['n0>n2', 1],
    ],
  );
  await stop(fabric);
});

test('order from one publisher to one subscriber is kept across nodes', async () => {
  const fabric = startCluster(2);
  const [publisher, subscriber] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  await subscriber!.roundTrip('SUB n.> 1\r\n');
  const numbers = Array.from({ length: 1000 }, (_, i) => String(i));
  await publisher!.roundTrip(numbers.map((n) => `PUB n.${n} ${n.length}\r\n${n}\r\n`).join(''));
  await subscriber!.expect('MSG n.999 ');
  assert.deepEqual(subscriber!.received.match(/^\d+(?=\r\n)/gm), numbers);
  await stop(fabric);
});

test('a queue group is served once cluster-wide, each member with the same chance', async () => {
  const fabric = startCluster(3);
  const [a, b, c] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  await a!.roundTrip('SUB w q 1\r\n');
  await b!.roundTrip('SUB w q 1\r\nSUB w q 2\r\n');
  await c!.roundTrip('SUB w q 1\r\n');
  await a!.roundTrip('PUB w 0\r\n\r\n'.repeat(4000));
  await Promise.all([b!.roundTrip(), c!.roundTrip()]);
  const shares = [a, b, c].map((client) => messages(client!.received));
  assert.equal(
    shares.reduce((sum, share) => sum + share),
    4000,
  );
  for (const [i, members] of [1, 2, 1].entries()) {
    assert.ok(Math.abs(shares[i]! - members * 1000) < 200, `shares ${shares.join(' ')}`);
  }
  await stop(fabric);
});

test('several groups and plain subscribers on a node are served by one record', async () => {
  const fabric = startCluster(2);
  const [a, b] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  await b!.roundTrip('SUB w.x g1 1\r\nSUB w.* g2 2\r\nSUB w.> 3\r\n');
  await a!.roundTrip('PUB w.x 2\r\nhi\r\n');
  await b!.roundTrip();
  for (const sid of [1, 2, 3]) assert.equal(b!.received.split(`MSG w.x ${sid} 2\r\nhi\r\n`).length - 1, 1);
  assert.equal([...fabric.servers[0]!.frontEnd.router.peers()][0]?.statistics.outMessages, 1);
  await stop(fabric);
});

test('a request is answered across nodes although its inbox was subscribed to in the same packet', async () => {
  const fabric = startCluster(2);
  const [asker, answerer] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  await answerer!.roundTrip('SUB help 1\r\n');
  asker!.send('SUB inbox.1 9\r\nPUB help inbox.1 1\r\n?\r\n');
  await answerer!.expect('MSG help 1 inbox.1 1\r\n?\r\n');
  answerer!.send('PUB inbox.1 1\r\n!\r\n');
  await asker!.expect('MSG inbox.1 9 1\r\n!\r\n');
  await stop(fabric);
});

test('interest that changed in a turn is told within it, when something is sent that may rely on it', async () => {
  const fabric = startCluster(2);
  const [asker, answerer] = fabric.servers.map(({ frontEnd }) => frontEnd);
  const unsubscribe = answerer!.router.subscribe('$G', 'upload.1', () => undefined);
  const route = asker!.router.openRoute('$G', 'upload.1', () => undefined);
  answerer!.turnEnd.flushFirst();
  assert.ok(route.interested);
  unsubscribe();
  assert.ok(route.interested);
  answerer!.turnEnd.flushFirst();
  assert.ok(!route.interested);
  await stop(fabric);
});

test('no responders is decided cluster-wide, and follows withdrawn interest and lost nodes', async () => {
  const fabric = startCluster(2);
  const [asker, answerer] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  const request = 'PUB help inbox 0\r\n\r\n';
  assert.equal(messages(await asker!.roundTrip(`SUB inbox 1\r\n${request}`)), 1);
  await answerer!.roundTrip('SUB help 1\r\nSUB help q 2\r\n');
  assert.equal(messages(await asker!.roundTrip(request)), 0);
  await answerer!.roundTrip('UNSUB 1\r\nUNSUB 2\r\n');
  assert.equal(messages(await asker!.roundTrip(request)), 1);
  await answerer!.roundTrip('SUB help 1\r\nUNSUB 1 1\r\n');
  assert.equal(messages(await asker!.roundTrip(request)), 0);
  await answerer!.roundTrip();
  assert.equal(messages(await asker!.roundTrip(request)), 1);
  await answerer!.roundTrip('SUB help 3\r\n');
  fabric.cut(1);
  assert.equal(messages(await asker!.roundTrip(request)), 1);
  await stop(fabric);
});

test('a message from a peer goes to no other node, and to no service or capture', async () => {
  const fabric = startCluster(3);
  const [a, b] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  let captured = 0;
  const capture = { capture: () => captured++ >= 0 };
  for (const { frontEnd } of fabric.servers) frontEnd.router.addCapture('$G', ['ev.>'], capture);
  await b!.roundTrip('SUB ev.> 1\r\n');
  await a!.roundTrip('PUB ev.x 0\r\n\r\n');
  await b!.expect('MSG ev.x 1 0\r\n\r\n');
  assert.equal(captured, 1);
  assert.deepEqual([...fabric.frames.keys()], ['n0>n1']);
  await stop(fabric);
});

test('a stored message delivered to another node keeps its own subject there', async () => {
  const fabric = startCluster(2);
  const client = await TestClient.connected(fabric.servers[1]!);
  await client.roundTrip('SUB deliver.* 1\r\nSUB deliver.x q 2\r\n');
  const { router } = fabric.servers[0]!.frontEnd;
  const route = router.openRoute('$G', 'deliver.x', () => undefined);
  assert.deepEqual([route.interested, route.exactPlain(), route.exactQueue('q')], [true, 0, 1]);
  const buffer = Buffer.from('orders.newhello');
  const message = { buffer, subjectStart: 0, headersStart: 10, payloadStart: 10, end: 15 };
  assert.ok(router.deliver(route, message, Buffer.from('$JS.ACK.1'), 9));
  await client.expect('MSG orders.new 1 $JS.ACK.1 5\r\nhello\r\n');
  await client.expect('MSG orders.new 2 $JS.ACK.1 5\r\nhello\r\n');
  await stop(fabric);
});

test('publishers to a congested node are not read until its link has drained', async () => {
  const fabric = startCluster(2);
  const [publisher, subscriber] = await Promise.all(fabric.servers.map((server) => TestClient.connected(server)));
  await subscriber!.roundTrip('SUB flood 1\r\n');
  fabric.pending = 20 * 1024 * 1024;
  publisher!.send('PUB flood 1\r\n1\r\nPUB flood 1\r\n2\r\nPING\r\n');
  await subscriber!.expect('MSG flood 1 1\r\n1\r\n');
  fabric.servers[0]!.runtime.advance(50);
  await subscriber!.roundTrip();
  assert.ok(!subscriber!.received.includes('\r\n2\r\n'));
  assert.ok(!publisher!.received.includes('PONG'));
  fabric.pending = 0;
  fabric.servers[0]!.runtime.advance(50);
  await publisher!.expect('PONG\r\n');
  await subscriber!.expect('MSG flood 1 1\r\n2\r\n');
  await stop(fabric);
});

test('frames that are cut, changed or random neither throw nor deliver beyond their end', async () => {
  const fabric = startCluster(2);
  const client = await TestClient.connected(fabric.servers[0]!, CONNECT);
  await client.roundTrip('SUB > 1\r\nSUB a q 2\r\n');
  const { router } = fabric.servers[0]!.frontEnd;
  const node = 'n1' as NodeId;
  const group = Buffer.from('a q');
  const record = Buffer.concat([Buffer.from([1 | 4 | 8 | 16, 1, 2, 3, 4, 1, group.length]), Buffer.from('aRR'), group]);
  const whole = Buffer.concat([Buffer.from([1, 2]), Buffer.from('$G'), record, Buffer.from('HHHBODY')]);
  router.remoteMessages(node, whole);
  await client.expect('HMSG a 1 RR 3 7\r\nHHHBODY\r\nHMSG a 2 RR 3 7\r\nHHHBODY\r\n');
  client.received = '';
  for (let end = 0; end < whole.length; end++) router.remoteMessages(node, whole.subarray(0, end));
  assert.equal(await client.roundTrip(), 'PONG\r\n');
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255))), fc.uint8Array(), (changes, tail) => {
      const frame = Buffer.concat([whole, tail]);
      for (const [at, byte] of changes) frame[at] = byte;
      router.remoteMessages(node, frame);
    }),
    { numRuns: 5_000 },
  );
  await stop(fabric);
});
