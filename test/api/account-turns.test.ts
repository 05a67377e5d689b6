import assert from 'node:assert/strict';
import test from 'node:test';
import { NotLeaderError } from '../../src/base/errors.ts';
import { AccountTurns } from '../../src/server/api/account-turns.ts';
import { SimulatedRuntime, VirtualTime } from '../sim/virtual-time.ts';
import { Random } from '../sim/random.ts';

test('changes of one account take turns, also behind one that failed; other accounts do not wait', async () => {
  const turns = new AccountTurns(new SimulatedRuntime(new VirtualTime(), new Random(1)));
  const order: string[] = [];
  let release: (() => void) | undefined;
  const first = turns.run('A', async () => {
    await new Promise<void>((resolve) => (release = resolve));
    order.push('first');
    throw new Error('refused');
  });
  const second = turns.run('A', () => Promise.resolve(order.push('second')));
  await turns.run('B', () => Promise.resolve(order.push('other')));
  release!();
  await assert.rejects(first, /refused/);
  await second;
  assert.deepEqual(order, ['other', 'first', 'second']);
});

test('a change that never ends is given up, and the next one has its turn', async () => {
  const time = new VirtualTime();
  const turns = new AccountTurns(new SimulatedRuntime(time, new Random(1)));
  let begun: (() => void) | undefined;
  const beginning = new Promise<void>((resolve) => (begun = resolve));
  const stuck = turns.run('A', () => {
    begun!();
    return new Promise<never>(() => undefined);
  });
  const gaveUp = assert.rejects(stuck, (error) => error instanceof NotLeaderError && !error.notProposed);
  const next = turns.run('A', () => Promise.resolve('done'));
  await beginning;
  await time.run(60_000);
  await gaveUp;
  assert.equal(await next, 'done');
});

test('changes that go beside each other wait only for those in order, and those for them', async () => {
  const turns = new AccountTurns(new SimulatedRuntime(new VirtualTime(), new Random(1)));
  const order: string[] = [];
  const releases: (() => void)[] = [];
  const held = (name: string) => async () => {
    await new Promise<void>((resolve) => releases.push(resolve));
    order.push(name);
  };
  const both = [turns.beside('A', held('one')), turns.beside('A', held('two'))];
  const alone = turns.run('A', () => Promise.resolve(order.push('alone')));
  const behind = turns.beside('A', () => Promise.resolve(order.push('behind')));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(releases.length, 2, 'both have begun');
  releases[1]!();
  await both[1];
  releases[0]!();
  await Promise.all([...both, alone, behind]);
  assert.deepEqual(order, ['two', 'one', 'alone', 'behind']);
});
