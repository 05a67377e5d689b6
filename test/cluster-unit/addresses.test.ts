import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeAddress, formatAddress, parseAddress, parseRoute } from '../../src/cluster/addresses.ts';

test('routes are taken with and without scheme, user, port and path', () => {
  const cases: readonly [string, string][] = [
    ['nats://seed:6333', 'seed:6333'],
    ['nats-route://10.0.0.1:6222', '10.0.0.1:6222'],
    ['tls://user:p@ss@seed:1/', 'seed:1'],
    ['seed:99', 'seed:99'],
    ['seed', 'seed:6222'],
    ['nats://[::1]:6222', '[::1]:6222'],
  ];
  for (const [route, address] of cases) assert.equal(formatAddress(parseRoute(route)!), address, route);
});

test('what is no address is refused', () => {
  for (const text of ['host:', 'host:x', 'host:70000', 'host:-1', 'a b:1', 'host:123456', 'a/b:1']) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

test('a node that listens on all interfaces is where it was seen', () => {
  assert.equal(completeAddress(':6222', '10.1.2.3'), '10.1.2.3:6222');
  assert.equal(completeAddress(':6222', '[::1]'), '[::1]:6222');
  assert.equal(completeAddress(':6222', '::ffff:10.0.0.1'), '10.0.0.1:6222');
  assert.equal(completeAddress('n1.local:6222', '10.1.2.3'), 'n1.local:6222');
});
