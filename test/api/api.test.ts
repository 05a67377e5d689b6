/** Dispatch and the catalogue side of the API, on nodes that share a catalogue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEndpoint, peerId } from '../../src/server/api/index.ts';
import { FakeCluster, TOLD_INDEX, UNLIMITED } from './fake-node.ts';

function errCode(answer: Record<string, unknown> | undefined): number | undefined {
  return (answer?.['error'] as { readonly err_code: number } | undefined)?.err_code;
}

test('every call is known by its subject, with where it is answered and what about, and others are not', () => {
  const found = (subject: string): unknown[] | undefined => {
    const call = findEndpoint(subject);
    return call && [call.endpoint.place, ...call.args];
  };
  assert.deepEqual(found('$JS.API.STREAM.NAMES'), ['metaLeader']);
  assert.deepEqual(found('$JS.API.STREAM.CREATE.S'), ['metaLeader', 'S']);
  assert.deepEqual(found('$JS.API.STREAM.MSG.GET.S'), ['streamLeader', 'S']);
  assert.deepEqual(found('$JS.API.CONSUMER.CREATE.S.c.a.b'), ['streamLeader', 'S', 'c', 'a.b']);
  assert.deepEqual(found('$JS.API.DIRECT.GET.S.a.b'), ['anyReplica', 'S', 'a.b']);
  for (const subject of [
    'STREAM.FOO.S',
    'STREAM.CREATE',
    'STREAM.CREATE.',
    'STREAM.CREATE.S.T',
    'CONSUMER.INFO.S',
    'CONSUMER.CREATE.S.c.',
    '',
  ]) {
    assert.equal(found(`$JS.API.${subject}`), undefined, subject);
  }
  assert.equal(found('$JS.APX.INFO'), undefined);
});

test('a stream is created through any node, and its leader answers with what it is', async () => {
  const cluster = new FakeCluster(['n1', 'n2', 'n3']);
  const created = await cluster.node('n3').call('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], num_replicas: 3 });
  assert.equal(created?.['did_create'], true);
  assert.deepEqual(cluster.node('n1').forwarded, ['$JS.API.STREAM.INFO.S']);
  const info = await cluster.node('n2').call('STREAM.INFO.S');
  assert.deepEqual(info?.['cluster'], {
    name: 'C',
    raft_group: 'S-R3F-aaaaaaaa',
    leader: 'n1',
    system_account: true,
    traffic_account: 'SYS',
    replicas: [
      { name: 'n2', current: true, active: 5_000_000, peer: peerId('n2') },
      { name: 'n3', current: true, active: 5_000_000, peer: peerId('n3') },
    ],
  });
  const again = await cluster.node('n2').call('STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], num_replicas: 3 });
  assert.equal('did_create' in again!, false);
});

test('of two streams created at once for the same subjects one is refused', async () => {
  const cluster = new FakeCluster(['n1', 'n2']);
  const answers = await Promise.all(
    ['X', 'Y'].map((name) => cluster.node('n2').call(`STREAM.CREATE.${name}`, { name, subjects: ['same.>'] })),
  );
  assert.deepEqual(answers.map(errCode), [undefined, 10065]);
});

test('of two streams created at once for the last place one is refused', async () => {
  const cluster = new FakeCluster(['n1']);
  cluster.limits = { ...UNLIMITED, maxStreams: 1 };
  const answers = await Promise.all(
    ['X', 'Y'].map((name) => cluster.node('n1').call(`STREAM.CREATE.${name}`, { name })),
  );
  assert.deepEqual(answers.map(errCode), [undefined, 10027]);
});

test('a failed change does not hold up the next one', async () => {
  const cluster = new FakeCluster(['n1', 'n2']);
  cluster.metaLeader = undefined;
  const refused = await cluster.node('n1').call('STREAM.CREATE.S', { name: 'S' });
  assert.deepEqual(refused, { kind: 'leaderless' });
  cluster.metaLeader = cluster.node('n1').node;
  const created = await cluster.node('n1').call('STREAM.CREATE.S', { name: 'S' });
  assert.equal(errCode(created), undefined);
});

test('reservations of all replicas count against the account', async () => {
  const cluster = new FakeCluster(['n1', 'n2', 'n3']);
  cluster.limits = { ...UNLIMITED, maxStorageBytes: 1000 };
  const node = cluster.node('n1');
  assert.equal(errCode(await node.call('STREAM.CREATE.X', { name: 'X', max_bytes: 300, num_replicas: 3 })), undefined);
  assert.equal(errCode(await node.call('STREAM.CREATE.Y', { name: 'Y', max_bytes: 200 })), 10047);
  assert.equal(errCode(await node.call('STREAM.CREATE.Y', { name: 'Y', max_bytes: 100 })), undefined);
  assert.equal(errCode(await node.call('STREAM.UPDATE.Y', { name: 'Y', max_bytes: 101 })), 10047);
});

test('names are cut into pages of 1024', async () => {
  const cluster = new FakeCluster(['n1']);
  const node = cluster.node('n1');
  for (let index = 0; index < 1030; index++) {
    const name = `S${String(index).padStart(4, '0')}`;
    await node.call(`STREAM.CREATE.${name}`, { name });
  }
  const first = await node.call('STREAM.NAMES');
  const second = await node.call('STREAM.NAMES', { offset: 1024 });
  assert.deepEqual([first?.['total'], first?.['offset'], (first?.['streams'] as string[]).length], [1030, 0, 1024]);
  assert.deepEqual(second?.['streams'], ['S1024', 'S1025', 'S1026', 'S1027', 'S1028', 'S1029']);
  assert.equal((await node.call('STREAM.NAMES', { offset: 99_999 }))?.['offset'], 1030);
});

test('a stream without a leader is described by a member, and unavailable to everything else', async () => {
  const cluster = new FakeCluster(['n1', 'n2', 'n3']);
  const node = cluster.node('n3');
  await node.call('STREAM.CREATE.S', { name: 'S', num_replicas: 3 });
  cluster.leaders.clear();
  const info = await node.call('STREAM.INFO.S');
  assert.deepEqual((info?.['cluster'] as { readonly replicas: object[] }).replicas.length, 3);
  assert.equal('leader' in (info?.['cluster'] as object), false);
  for (const call of ['STREAM.PURGE.S', 'CONSUMER.NAMES.S', 'CONSUMER.INFO.S.c']) {
    assert.equal(errCode(await node.call(call)), 10008, call);
  }
});

test('a listing names the streams whose leaders do not answer', async () => {
  const cluster = new FakeCluster(['n1', 'n2']);
  const node = cluster.node('n1');
  await node.call('STREAM.CREATE.A', { name: 'A' });
  await node.call('STREAM.CREATE.B', { name: 'B' });
  cluster.leaders.delete('A');
  const list = await node.call('STREAM.LIST');
  assert.deepEqual([list?.['total'], list?.['missing']], [2, ['A']]);
  assert.equal((list?.['streams'] as object[]).length, 1);
});

test('only the meta leader can say that a stream does not exist', async () => {
  const cluster = new FakeCluster(['n1', 'n2']);
  assert.equal(errCode(await cluster.node('n2').call('STREAM.INFO.S')), 10059);
  const request = { account: 'A', subject: '$JS.API.STREAM.INFO.S', headers: Buffer.alloc(0), body: Buffer.alloc(0) };
  assert.deepEqual(await cluster.node('n2').api.handle(request), { kind: 'leaderless' });
  cluster.metaLeader = undefined;
  assert.deepEqual(await cluster.node('n2').call('STREAM.INFO.S'), { kind: 'leaderless' });
  assert.deepEqual(await cluster.node('n2').call('STREAM.NAMES'), { kind: 'leaderless' });
});

test('a request that was passed on once is not passed on again', async () => {
  const cluster = new FakeCluster(['n1', 'n2', 'n3']);
  await cluster.node('n1').call('STREAM.CREATE.S', { name: 'S', num_replicas: 3 });
  const request = { account: 'A', subject: '$JS.API.STREAM.PURGE.S', headers: Buffer.alloc(0), body: Buffer.alloc(0) };
  const response = await cluster.node('n2').api.handle({ ...request, forwarded: true });
  assert.ok(response.kind === 'json');
  assert.equal(errCode(JSON.parse(response.body.toString()) as Record<string, unknown>), 10008);
});

test('accounts without JetStream, and the system account, are told so', async () => {
  const cluster = new FakeCluster(['n1', 'n2']);
  assert.equal(errCode(await cluster.node('n1').call('STREAM.NAMES', '', 'SYS')), 10039);
  cluster.limits = undefined;
  assert.equal(errCode(await cluster.node('n1').call('INFO')), 10039);
  assert.deepEqual(await cluster.node('n1').call('DIRECT.GET.S', { seq: 1 }), { kind: 'noResponders' });
});

test('calls of the operator are ignored from other accounts', async () => {
  const cluster = new FakeCluster(['n1', 'n2']);
  assert.equal(await cluster.node('n2').call('META.LEADER.STEPDOWN'), undefined);
  const answer = await cluster.node('n2').call('META.LEADER.STEPDOWN', '', 'SYS');
  assert.equal(answer?.['success'], true);
  assert.equal(cluster.metaLeader, 'n2');
});

test('a preferred leader must be known, connected, and another one', async () => {
  const cluster = new FakeCluster(['n1', 'n2', 'n3']);
  const node = cluster.node('n1');
  await node.call('STREAM.CREATE.S', { name: 'S', num_replicas: 3 });
  const stepDown = async (placement: object): Promise<unknown> =>
    (
      (await node.call('STREAM.LEADER.STEPDOWN.S', { placement }))?.['error'] as
        { readonly description: string } | undefined
    )?.description;
  assert.equal(await stepDown({ preferred: 'zz' }), 'preferred server "zz" not known');
  assert.equal(await stepDown({ preferred: 'n1' }), 'preferred server "n1" is already leader');
  assert.equal(await stepDown({ cluster: 'other' }), 'no replacement peer connected');
  assert.equal(await stepDown({ preferred: 'n2' }), undefined);
});

test('what happens to streams is announced, refusals and repetitions are not', async () => {
  const cluster = new FakeCluster(['n1']);
  const node = cluster.node('n1');
  for (let i = 0; i < 2; i++) await node.call('STREAM.CREATE.S', { name: 'S' });
  await node.call('STREAM.UPDATE.S', { name: 'S', max_msgs: 5 });
  await node.call('STREAM.UPDATE.T', { name: 'T' });
  for (let i = 0; i < 2; i++) await node.call('STREAM.DELETE.S');
  assert.deepEqual(cluster.announced, ['A S create', 'A S modify', 'A S delete']);
});

test('a replica that is asked directly waits for what the asking node was told, and a leader says what it knows', async () => {
  const cluster = new FakeCluster(['n1']);
  const node = cluster.node('n1');
  await node.call('STREAM.CREATE.S', { name: 'S', subjects: ['s'], allow_direct: true });
  const subject = '$JS.API.DIRECT.GET.S.s';
  const notBefore = node.api.notBefore('A', subject);
  assert.equal(notBefore, TOLD_INDEX);
  assert.equal(node.api.notBefore('A', '$JS.API.STREAM.INFO.S'), undefined, 'its leader is asked');
  assert.equal(node.api.notBefore('A', '$JS.API.DIRECT.GET.NONE.s'), undefined);
  const request = { account: 'A', headers: Buffer.alloc(0), body: Buffer.alloc(0) };
  const late = await node.api.handle({ ...request, subject, notBefore: TOLD_INDEX });
  assert.deepEqual([late.kind, node.awaited], ['noResponders', [`S ${TOLD_INDEX}`]]);
  const info = await node.api.handle({ ...request, subject: '$JS.API.STREAM.INFO.S' });
  assert.ok(info.kind === 'json');
  assert.equal(info.progress?.group, cluster.assignments.get('A S')?.group);
});

test('members that nobody knows are a flaw unless the server is told to be lenient', async () => {
  const cluster = new FakeCluster(['n1']);
  const node = cluster.node('n1');
  const request = { name: 'S', bogus: 1 };
  assert.equal(errCode(await node.call('STREAM.CREATE.S', request)), 10025);
  node.strict = false;
  assert.equal(errCode(await node.call('STREAM.CREATE.S', request)), undefined);
});

test('calls are counted per account, the ones that failed too', async () => {
  const cluster = new FakeCluster(['n1']);
  const node = cluster.node('n1');
  await node.call('STREAM.NAMES');
  await node.call('STREAM.INFO.S');
  await node.call('STREAM.NAMES', '', 'B');
  assert.deepEqual((await node.call('INFO'))?.['api'], { level: 5, total: 2, errors: 1 });
});

test('peers are known by the hash of their names', () => {
  assert.deepEqual(['N1', 'N2', 'N3'].map(peerId), ['xZ93l5JM', 'gX64jrmD', 'jaYVmptb']);
});
