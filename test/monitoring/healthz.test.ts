import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Readiness } from '../../src/server/monitoring/index.ts';
import { readiness, sources, withMonitoring } from './fixture.ts';

async function probe(more: Partial<Readiness>, query = ''): Promise<[status: number, body: unknown]> {
  let result: [number, unknown] = [0, undefined];
  await withMonitoring(sources({ readiness: () => readiness(more) }), async (get) => {
    const reply = await get(`/healthz${query}`);
    result = [reply.status, reply.json()];
  });
  return result;
}

const unavailable = (error: string) => [503, { status: 'unavailable', error }];

test('a healthy server and one without JetStream are ok', async () => {
  assert.deepEqual(await probe({}), [200, { status: 'ok' }]);
  assert.deepEqual(await probe({ jetStream: 'off', meta: 'leaderless' }), [200, { status: 'ok' }]);
  assert.deepEqual(await probe({ meta: 'standalone' }), [200, { status: 'ok' }]);
});

test('a missing listener fails every probe with 500', async () => {
  const error = 'failed to be ready for connections after 1ms: server';
  for (const query of ['', '?js-server-only=1', '?js-enabled-only=true']) {
    assert.deepEqual(await probe({ missingListeners: ['server'] }, query), [500, { status: 'error', error }]);
  }
});

test('each layer of JetStream has its own words', async () => {
  assert.deepEqual(await probe({ jetStream: 'down' }), unavailable('JetStream not enabled'));
  assert.deepEqual(await probe({ meta: 'recovering' }), unavailable('JetStream is still recovering meta layer'));
  assert.deepEqual(
    await probe({ meta: 'leaderless' }),
    unavailable('JetStream has not established contact with a meta leader'),
  );
  assert.deepEqual(await probe({ meta: 'behind' }), unavailable('JetStream is not current with the meta leader'));
});

test('a lost quorum fails neither the readiness nor the liveness probe', async () => {
  for (const query of ['?js-server-only=1', '?js-enabled-only=1', '?js-enabled=1']) {
    assert.deepEqual(await probe({ meta: 'leaderless' }, query), [200, { status: 'ok' }], query);
  }
  assert.equal((await probe({ meta: 'leaderless' }, '?js-meta-only=1'))[0], 503);
});

const BEHIND: Partial<Readiness> = {
  assets: () => [
    { account: '$G', stream: 'A', problem: 'group is 5 entries behind', consumers: [] },
    { account: '$G', stream: 'B', problem: undefined, consumers: [{ name: 'C', problem: 'no leader' }] },
  ],
};

test('streams and consumers that are not current are named', async () => {
  assert.deepEqual(
    await probe(BEHIND),
    unavailable(`JetStream stream '$G > A' is not current: group is 5 entries behind`),
  );
  assert.deepEqual(
    await probe(BEHIND, '?account=$G&stream=B'),
    unavailable(`JetStream consumer '$G > B > C' is not current: no leader`),
  );
  assert.equal((await probe(BEHIND, '?js-meta-only=1'))[0], 200);
});

test('details list all that is wrong', async () => {
  assert.deepEqual(await probe(BEHIND, '?details=1'), [
    503,
    {
      status: 'error',
      errors: [
        {
          type: 'STREAM',
          account: '$G',
          stream: 'A',
          error: `JetStream stream '$G > A' is not current: group is 5 entries behind`,
        },
        {
          type: 'CONSUMER',
          account: '$G',
          stream: 'B',
          consumer: 'C',
          error: `JetStream consumer '$G > B > C' is not current: no leader`,
        },
      ],
    },
  ]);
});

test('what is asked for must exist, and be asked for within its parent', async () => {
  const missing = (error: string) => [404, { status: 'unavailable', error }];
  const bad = (error: string) => [400, { status: 'error', error }];
  assert.deepEqual(await probe({}, '?account=zz'), missing('JetStream account "zz" not found'));
  assert.deepEqual(
    await probe({}, '?account=$G&stream=ZZ'),
    missing('JetStream stream "ZZ" not found on account "$G"'),
  );
  assert.deepEqual(
    await probe({}, '?account=$G&stream=ORDERS&consumer=X'),
    missing('JetStream consumer "X" not found for stream "ORDERS" on account "$G"'),
  );
  assert.deepEqual(await probe({}, '?account=$G&stream=ORDERS&consumer=C'), [200, { status: 'ok' }]);
  assert.deepEqual(await probe({}, '?stream=X'), bad('"account" must not be empty when checking stream health'));
  assert.deepEqual(await probe({}, '?consumer=X'), bad('"stream" must not be empty when checking consumer health'));
});
