import assert from 'node:assert/strict';
import test from 'node:test';
import type { GroupId } from '../../src/raft/index.ts';
import { SpaceGuard } from '../../src/server/jetstream/space-guard.ts';
import { Random } from '../sim/random.ts';
import { SimulatedRuntime, VirtualTime } from '../sim/virtual-time.ts';

const ONE = 1 as GroupId;
const TWO = 2 as GroupId;

test('without room publishes are refused and their streams handed away, each once in a while', async () => {
  const time = new VirtualTime();
  const handedAway: GroupId[] = [];
  let low = false;
  const guard = new SpaceGuard({
    runtime: new SimulatedRuntime(time, new Random(1)),
    lowOnSpace: () => low,
    handAway: (group) => handedAway.push(group),
  });
  assert.ok(guard.mayStore(ONE));
  low = true;
  for (const group of [ONE, ONE, TWO, ONE]) assert.equal(guard.mayStore(group), false);
  assert.deepEqual(handedAway, [ONE, TWO]);

  await time.run(60_000);
  assert.equal(guard.mayStore(ONE), false);
  assert.deepEqual(handedAway, [ONE, TWO, ONE], 'it came back, and room did not');

  low = false;
  assert.ok(guard.mayStore(ONE));
  low = true;
  assert.equal(guard.mayStore(ONE), false);
  assert.equal(handedAway.length, 4);
});
