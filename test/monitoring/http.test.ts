import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { ServerMetrics } from '../../src/server/metrics.ts';
import { MonitoringEndpoints, MonitoringServer } from '../../src/server/monitoring/index.ts';
import { sources, withMonitoring } from './fixture.ts';

test('documents are pretty JSON that any origin may read', () =>
  withMonitoring(sources(), async (get) => {
    const reply = await get('/varz');
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-type'), 'application/json');
    assert.equal(reply.headers.get('access-control-allow-origin'), '*');
    assert.match(reply.text, /^\{\n {2}"server_id": /);
  }));

test('a doubled slash is redirected to the path it means, with its parameters', () =>
  withMonitoring(sources(), async (get) => {
    const reply = await get('//varz?a=1');
    assert.deepEqual([reply.status, reply.headers.get('location')], [301, '/varz?a=1']);
    assert.equal((await get('/x//y///varz/')).headers.get('location'), '/x/y/varz/');
  }));

test('unknown paths, other case and a slash at the end are not found', () =>
  withMonitoring(sources(), async (get) => {
    for (const path of ['/nope', '/VARZ', '/varz/', '/expvarz']) {
      const reply = await get(path);
      assert.deepEqual([reply.status, reply.text], [404, '404 page not found\n'], path);
    }
  }));

test('a base path prefixes everything, and nothing is found without it', () =>
  withMonitoring(
    sources(),
    async (get) => {
      const statuses = await Promise.all(
        ['/nats/varz', '/nats', '/nats/', '/varz', '/natsvarz'].map((path) => get(path)),
      );
      assert.deepEqual(
        statuses.map((reply) => reply.status),
        [200, 200, 200, 404, 404],
      );
    },
    '/nats',
  ));

test('any method is answered, HEAD without the body', () =>
  withMonitoring(sources(), async (get) => {
    const head = await get('/varz', 'HEAD');
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal((await get('/varz', 'POST')).status, 200);
  }));

test('a parameter that can not be read is answered 400, in words', () =>
  withMonitoring(sources(), async (get) => {
    const cases = [
      ['/connz?auth=maybe', `Error decoding boolean for 'auth': strconv.ParseBool: parsing "maybe": invalid syntax`],
      ['/connz?cid=abc', `Error decoding uint64 for 'cid': strconv.ParseUint: parsing "abc": invalid syntax`],
      ['/connz?limit=x', `Error decoding int for 'limit': strconv.Atoi: parsing "x": invalid syntax`],
      ['/connz?sort=foo', 'invalid sorting option: foo'],
      ['/connz?sort=toString', 'invalid sorting option: toString'],
      ['/connz?sort=stop', 'sort by stop only valid on closed connections'],
      ['/connz?state=foo', 'Error decoding state for foo'],
      ['/subsz?test=a.*', 'invalid test subject, must be valid publish subject: a.*'],
      ['/accountz?acc=zz', 'Account zz does not exist'],
    ] as const;
    for (const [path, text] of cases) {
      const reply = await get(path);
      assert.deepEqual([reply.status, reply.text], [400, text]);
      assert.match(reply.headers.get('content-type') ?? '', /^text\/plain/);
    }
  }));

test('the index page links to the documents', () =>
  withMonitoring(sources(), async (get) => {
    const reply = await get('/');
    assert.match(reply.headers.get('content-type') ?? '', /^text\/html/);
    for (const [, path] of reply.text.matchAll(/href="\.(\/[^"]+)"/g))
      assert.equal((await get(path!)).status, 200, path);
  }));

test('a port that is taken is an error of listen', async () => {
  const metrics = new ServerMetrics();
  const endpoints = new MonitoringEndpoints(sources(), metrics);
  const [first, second] = [0, 1].map(() => new MonitoringServer(endpoints, '', silentLogger));
  await first!.listen({ host: '127.0.0.1', port: -1 });
  try {
    await assert.rejects(second!.listen({ host: '127.0.0.1', port: first!.port }), { code: 'EADDRINUSE' });
  } finally {
    await first!.close();
    metrics.close();
  }
});
