import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkName } from '../../src/cluster/links.ts';
import { nodeId, startLinks, until, type LinkedNode } from './link-harness.ts';
import { StallingRelay } from './stalled-relay.ts';

const n1 = nodeId('n1');
const n2 = nodeId('n2');

async function withPair(
  body: (a: LinkedNode, b: LinkedNode) => Promise<void>,
  options: Parameters<typeof startLinks>[1] = {},
): Promise<void> {
  const a = await startLinks('n1', options);
  const b = await startLinks('n2', options);
  try {
    a.links.connect(n2, b.address);
    await until('both are up', () => a.links.isUp(n2) && b.links.isUp(n1));
    await body(a, b);
  } finally {
    await Promise.all([a.links.stop(), b.links.stop()]);
  }
}

test('one side dials, the other dials back, and frames flow in order on every link', () =>
  withPair(async (a, b) => {
    const links: readonly LinkName[] = ['control', 'traffic', 'bulk'];
    for (const link of links) {
      for (let i = 0; i < 3; i++) assert.ok(a.links.send(n2, link, 40, Buffer.from(`${link}${i}`)));
    }
    assert.ok(b.links.send(n1, 'traffic', 41, Buffer.from('back')));
    await until('all frames arrived', () => b.heard.length === 10 && a.heard.length === 2);
    for (const link of links) {
      const arrived = b.heard.filter((line) => line.includes(link));
      assert.deepEqual(arrived, [`n1 40:${link}0`, `n1 40:${link}1`, `n1 40:${link}2`]);
    }
    assert.deepEqual(a.heard, ['up n2', 'n2 41:back']);
  }));

test('a frame far above the size of a packet arrives whole, and waiting bytes are counted until it has left', () =>
  withPair(async (a, b) => {
    let received = 0;
    const large = Buffer.alloc(12 * 1024 * 1024, 'x');
    assert.ok(a.links.send(n2, 'bulk', 40, large));
    assert.ok(a.links.pendingBytes(n2, 'bulk') >= large.length);
    await until('it arrived', () => {
      received = b.heard.at(-1)!.length;
      return received > large.length;
    });
    await until('nothing is pending', () => a.links.pendingBytes(n2, 'bulk') === 0);
  }));

test('a full queue refuses frames that may be lost, and takes those that must not be', () =>
  withPair(async (a) => {
    const frame = Buffer.alloc(1024 * 1024);
    let taken = 0;
    while (a.links.send(n2, 'bulk', 40, frame)) taken++;
    assert.ok(taken >= 16 && taken <= 40, `${taken} frames of 1 MiB were queued in one turn`);
    assert.ok(a.links.send(n2, 'bulk', 3, frame));
    await until('nothing is pending', () => a.links.pendingBytes(n2, 'bulk') === 0);
    assert.ok(a.links.send(n2, 'bulk', 40, frame));
  }));

test('when a node stops, the other side sees the link down, and up again when it is back', () =>
  withPair(async (a, b) => {
    await b.links.stop();
    await until('the link is down', () => !a.links.isUp(n2));
    assert.equal(a.links.send(n2, 'traffic', 40, Buffer.from('lost')), false);
    assert.deepEqual(a.heard.slice(0, 2), ['up n2', 'down n2']);
    const port = Number(b.address.split(':')[1]);
    const again = await startLinks('n2', { instance: 'n2-again', listen: { host: '127.0.0.1', port } });
    await until('the link is up', () => a.links.isUp(n2) && again.links.isUp(n1));
    await again.links.stop();
  }));

test('a node that moved is found at its new address once it introduces itself', () =>
  withPair(async (a, b) => {
    await b.links.stop();
    await until('the link is down', () => !a.links.isUp(n2));
    const moved = await startLinks('n2', { instance: 'n2-moved' });
    moved.links.connect(n1, a.address);
    await until('the link is up', () => a.links.isUp(n2) && moved.links.isUp(n1));
    assert.equal(a.introduced.at(-1)?.address, moved.address);
    await moved.links.stop();
  }));

test('whoever is of another cluster, lacks the secret, or is not admitted gets nothing', async () => {
  const host = await startLinks('n1', { secret: 'right', refuse: 'not wanted' });
  const refusals: readonly [Parameters<typeof startLinks>[1], RegExp][] = [
    [{ secret: 'wrong' }, /^Error: refused$/],
    [{ secret: 'right', clusterName: 'other' }, /another cluster/],
    [{ secret: 'right' }, /not wanted/],
  ];
  for (const [options, reason] of refusals) {
    const guest = await startLinks('n2', options);
    await assert.rejects(guest.links.greet(host.address), (error) => reason.test(String(error)));
    guest.links.connect(n1, host.address);
    await guest.links.stop();
    assert.deepEqual([host.introduced, host.heard, guest.heard.includes('up n1')], [[], [], false]);
  }
  await host.links.stop();
});

test('a second server under the name of a connected one is refused, and the first stays connected', () =>
  withPair(async (a, b) => {
    const impostor = await startLinks('n2', { instance: 'impostor' });
    await assert.rejects(impostor.links.greet(a.address), /a server of this name is connected already/);
    impostor.links.connect(n1, a.address);
    await until('the impostor was turned away', () => impostor.heard.length > 0);
    assert.deepEqual([impostor.heard[0], a.heard, b.heard], ['down n1', ['up n2'], ['up n1']]);
    await impostor.links.stop();
  }));

test('a node that is dialled under the name of another says who it is', async () => {
  const a = await startLinks('n1');
  const b = await startLinks('n2');
  a.links.connect(nodeId('n3'), b.address);
  await until('the attempt failed', () => a.heard.length > 0);
  assert.deepEqual([a.heard[0], a.links.isUp(nodeId('n3'))], ['down n3', false]);
  await Promise.all([a.links.stop(), b.links.stop()]);
});

test('greeting tells who is there', async () => {
  const a = await startLinks('n1');
  const b = await startLinks('n2');
  const [found] = await a.links.greet(b.address);
  assert.deepEqual([found?.node, found?.address], ['n2', b.address]);
  await Promise.all([a.links.stop(), b.links.stop()]);
});

test('a peer that sends what no honest peer sends loses its link, and may try again', () =>
  withPair(async (a, b) => {
    assert.ok(a.links.send(n2, 'control', 99, Buffer.from('nonsense')));
    await until('the link broke', () => b.heard.includes('down n1'));
    await until('both are up again', () => a.links.isUp(n2) && b.links.isUp(n1));
    assert.deepEqual(b.heard.slice(0, 3), ['up n1', 'n1 99:nonsense', 'down n1']);
  }));

test('a network that swallows packets is noticed by silence, without a TCP error', async () => {
  const a = await startLinks('n1');
  const b = await startLinks('n2');
  const relay = await StallingRelay.start(Number(b.address.split(':')[1]));
  try {
    a.links.connect(n2, relay.address);
    await until('both are up', () => a.links.isUp(n2) && b.links.isUp(n1));
    relay.stall();
    await until('the silent peer counts as away', () => !a.links.isUp(n2));
    assert.ok((a.links.lastContactMs(n2) ?? 0) > 1000);
  } finally {
    relay.close();
    await Promise.all([a.links.stop(), b.links.stop()]);
  }
});
