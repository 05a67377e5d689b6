import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { balancingMoves } from '../../src/tool/streams/balance.ts';
import { waitFor } from '../harness/wait-for.ts';
import { commandLine } from './command-line.ts';

const ACCOUNTS = `accounts {
  SYS: { users: [{ user: admin, password: secret }] }
  A: { jetstream: enabled, users: [{ user: anna, password: pw }] }
}
system_account: SYS`;

interface Info {
  readonly config: { readonly num_replicas: number };
  readonly cluster: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly name: string; readonly current: boolean }[];
  };
}

describe('a cluster', { skip: process.env['TARGET'] !== undefined && 'it is to have three nodes of its own' }, () => {
  const millrace = commandLine({ nodes: 3, config: ACCOUNTS });
  const directory = mkdtempSync(join(tmpdir(), 'millrace-tool-'));
  after(() => {
    rmSync(directory, { recursive: true });
  });
  const env = { NATS_USER: 'anna', NATS_PASSWORD: 'pw' };
  const stream = (...words: string[]): Promise<string> => millrace.output(['stream', ...words], { env });
  const info = async (): Promise<Info> => (await millrace.json(['stream', 'info', 'ORDERS'], { env })) as Info;
  async function settled(replicas: number): Promise<void> {
    await waitFor(`${replicas} replicas that are current`, async () => {
      const { cluster } = await info();
      const followers = cluster.replicas ?? [];
      return cluster.leader !== undefined && followers.length === replicas - 1 && followers.every((one) => one.current);
    });
  }

  test('a stream is led by whom one likes, and has as many replicas', async () => {
    await stream('add', 'ORDERS', '--subjects', 'orders.>', '--replicas', '3');
    await millrace.output(['pub', 'orders.{{Count}}', 'm{{Count}}', '--count', '20', '-J', '-q'], { env });
    await settled(3);
    const { cluster } = await info();
    const next = cluster.replicas![0]!.name;
    await waitFor('the leader that is preferred', async () => {
      if ((await info()).cluster.leader === next) return true;
      assert.equal(
        await stream('cluster', 'step-down', 'ORDERS', '--preferred', next),
        'The leader of ORDERS stepped down.\n',
      );
      return false;
    });
    await settled(3);
    assert.match(await stream('report'), /^ORDERS +file +0 +20 .* n\d\*, n\d/m);
    const full = await millrace.run(['stream', 'cluster', 'peer-remove', 'ORDERS', next, '--force'], { env });
    assert.deepEqual([full.code, full.stderr], [1, 'millrace: peer remap failed (10075)\n']);
    assert.match(await stream('edit', 'ORDERS', '--replicas', '1'), /^num_replicas: 3 -> 1\n/);
    await settled(1);
    await stream('cluster', 'scale', 'ORDERS', '3');
    await settled(3);
    assert.equal(await millrace.output(['kv', 'ls'], { env }), 'No buckets.\n');
  });

  test('all streams of an account come back from its backup, with their replicas', async () => {
    await millrace.output(['consumer', 'add', 'ORDERS', 'worker'], { env });
    await millrace.output(['consumer', 'next', 'ORDERS', 'worker', '--count', '5'], { env });
    const backup = join(directory, 'account');
    assert.match(await millrace.output(['account', 'backup', backup], { env }), /^ORDERS +20$/m);
    const present = await millrace.run(['account', 'restore', backup], { env });
    assert.deepEqual([present.code, present.stderr], [1, 'millrace: 1 of 1 streams failed\n']);
    await stream('rm', 'ORDERS', '--force');
    assert.match(await millrace.output(['account', 'restore', backup], { env }), /^ORDERS +20$/m);
    await settled(3);
    assert.equal(await millrace.output(['consumer', 'next', 'ORDERS', 'worker', '--raw'], { env }), 'm6\n');
  });

  test('the leader of the cluster steps down for a user of the system account', async () => {
    const words = ['server', 'cluster', 'step-down'];
    const admin = { ...env, NATS_USER: 'admin', NATS_PASSWORD: 'secret' };
    const unknown = await millrace.run(['server', 'cluster', 'peer-remove', 'nobody', '--force'], { env: admin });
    assert.deepEqual([unknown.code, unknown.stderr], [1, 'millrace: server is not a member of the cluster (10044)\n']);
    // Nobody answers them, or on a very busy machine not even the server in so short a time.
    assert.equal((await millrace.run([...words, '--timeout', '1s'], { env })).code, 1);
    const stranger = await millrace.run(['stream', 'ls'], { env: { NATS_USER: 'eve', NATS_PASSWORD: 'x' } });
    assert.match(stranger.stderr, /^millrace: cannot connect to .*: the server refuses these credentials/);
    // Last, as afterwards there may be no leader for a moment.
    assert.equal(await millrace.output(words, { env: admin }), 'The leader of the cluster stepped down.\n');
  });
});

test('leaders move from who leads most to who leads least, and no further than it takes', () => {
  const placed = (name: string, leader: string, ...others: string[]): Parameters<typeof balancingMoves>[0][number] => ({
    config: { name } as never,
    cluster: { leader, replicas: others.map((other) => ({ name: other, current: true, offline: false })) } as never,
  });
  const skewed = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => placed(name, 'n1', 'n2', 'n3'));
  assert.deepEqual(
    balancingMoves(skewed).map(({ stream, to }) => `${stream} ${to}`),
    ['A n2', 'B n3', 'C n2', 'D n3'],
  );
  assert.deepEqual(balancingMoves([placed('A', 'n1', 'n2'), placed('B', 'n1')]), [
    { stream: 'A', from: 'n1', to: 'n2' },
  ]);
  assert.deepEqual(balancingMoves([placed('A', 'n1'), placed('B', 'n1')]), []);
  assert.deepEqual(balancingMoves([placed('A', 'n1', 'n2'), placed('B', 'n2', 'n1')]), []);
});
