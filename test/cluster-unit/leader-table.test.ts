import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { LeaderTable } from '../../src/cluster/leader-table.ts';
import { FRAME, type Links } from '../../src/cluster/links.ts';
import type { GroupId, GroupStatus, Term } from '../../src/raft/index.ts';
import { nodeId } from './link-harness.ts';

const [G1, G2] = [7, 8] as [GroupId, GroupId];

/** Tables of nodes whose frames arrive at once, at whoever is linked. */
class Tables {
  readonly tables = new Map<NodeId, LeaderTable>();
  readonly changes: string[] = [];
  frames = 0;

  add(name: string): LeaderTable {
    const self = nodeId(name);
    const others = (): NodeId[] => [...this.tables.keys()].filter((node) => node !== self);
    const send: Links['send'] = (to, _link, kind, body) => {
      assert.equal(kind, FRAME.leaderships);
      this.frames++;
      return this.tables.get(to)!.receive(self, body);
    };
    const table = new LeaderTable(self, { send } as Links, new SystemRuntime(), others);
    table.onChange((group, leader) => this.changes.push(`${name}: ${group} ${leader ?? '-'}`));
    this.tables.set(self, table);
    return table;
  }
}

const status = (leader: string | undefined, term: number): GroupStatus =>
  ({ leader: leader === undefined ? undefined : nodeId(leader), term: term as Term }) as GroupStatus;

test('whoever is no member hears of leaders from the leaders, once per turn', async () => {
  const tables = new Tables();
  const [one, two] = [tables.add('n1'), tables.add('n2')];
  one.statusChanged(G1, status('n1', 3));
  one.statusChanged(G2, status('n1', 1));
  one.statusChanged(G2, status('n1', 1));
  await nextTurn();
  assert.deepEqual([two.leaderOf(G1), two.leaderOf(G2), tables.frames], ['n1', 'n1', 1]);
  one.statusChanged(G1, status(undefined, 4));
  await nextTurn();
  assert.deepEqual([one.leaderOf(G1), two.leaderOf(G1)], [undefined, undefined]);
  assert.deepEqual(
    tables.changes.filter((change) => change.startsWith('n2')),
    ['n2: 7 n1', 'n2: 8 n1', 'n2: 7 -'],
  );
});

test('a late word about an older term changes nothing, and neither does a step-down that came after the next leader', async () => {
  const tables = new Tables();
  const [one, two, three] = [tables.add('n1'), tables.add('n2'), tables.add('n3')];
  one.statusChanged(G1, status('n1', 3));
  await nextTurn();
  two.statusChanged(G1, status('n2', 4));
  await nextTurn();
  assert.equal(three.leaderOf(G1), 'n2');
  one.statusChanged(G1, status('n2', 4));
  await nextTurn();
  assert.equal(three.leaderOf(G1), 'n2');
});

test('when a node is lost so are its leaderships, and a full table replaces what it said before', async () => {
  const tables = new Tables();
  const [one, two] = [tables.add('n1'), tables.add('n2')];
  one.statusChanged(G1, status('n1', 1));
  one.statusChanged(G2, status('n1', 1));
  await nextTurn();
  two.lost(nodeId('n1'));
  assert.deepEqual([two.leaderOf(G1), two.leaderOf(G2)], [undefined, undefined]);
  one.forget(G2);
  one.tellAll(nodeId('n2'));
  assert.deepEqual([two.leaderOf(G1), two.leaderOf(G2)], ['n1', undefined]);
});

test('a member trusts its own view first', async () => {
  const tables = new Tables();
  const [one, two] = [tables.add('n1'), tables.add('n2')];
  one.statusChanged(G1, status('n1', 1));
  await nextTurn();
  two.statusChanged(G1, status('n2', 2));
  assert.equal(two.leaderOf(G1), 'n2');
  two.statusChanged(G1, status(undefined, 3));
  assert.equal(two.leaderOf(G1), undefined);
});

test('a node that a group has left goes on knowing who leads it, and hears of the next leader', async () => {
  const tables = new Tables();
  const [one, two] = [tables.add('n1'), tables.add('n2')];
  one.statusChanged(G1, status('n1', 3));
  two.statusChanged(G1, status('n1', 3));
  await nextTurn();
  two.left(G1);
  assert.equal(two.leaderOf(G1), 'n1');
  one.statusChanged(G1, status(undefined, 4));
  await nextTurn();
  assert.equal(two.leaderOf(G1), undefined);
});

test('a leader says so again to a node that left the group without knowing of it', async () => {
  const tables = new Tables();
  const [one, two] = [tables.add('n1'), tables.add('n2')];
  one.statusChanged(G1, status('n1', 3));
  await nextTurn();
  two.forget(G1);
  assert.equal(two.leaderOf(G1), undefined);
  one.tellAgain(G1);
  two.tellAgain(G1);
  await nextTurn();
  assert.equal(two.leaderOf(G1), 'n1');
});
