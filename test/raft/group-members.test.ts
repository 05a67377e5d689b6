import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import type { Membership } from '../../src/raft/core/membership.ts';
import { GroupMembers } from '../../src/raft/group-members.ts';
import type { HostContext } from '../../src/raft/host-context.ts';

const nodes = (...names: string[]): NodeId[] => names as NodeId[];

function groupOf(voters: readonly NodeId[], others: readonly NodeId[]): GroupMembers {
  const membership = { voters, outgoing: [], learners: [], learnersNext: [] } as unknown as Membership;
  const context = { node: 'n1', isAlive: (node: NodeId) => node !== 'n2' && node !== 'n3' } as unknown as HostContext;
  return new GroupMembers(context, () => membership, others);
}

test('before its first leader a group asks those as well who may be members', () => {
  const group = groupOf(nodes('n1', 'n3', 'n4'), nodes('n2', 'n3', 'n4'));
  assert.deepEqual(group.voterSets, [nodes('n1', 'n3', 'n4'), nodes('n1', 'n3', 'n4', 'n2')]);
  assert.equal(group.reachesMajority, false);
});

test('nobody waits for a node that is known not to be a member any more', () => {
  const group = groupOf(nodes('n1', 'n3', 'n4'), nodes('n2', 'n3', 'n4'));
  group.reviseOthers(nodes('n3', 'n4'));
  assert.deepEqual(group.voterSets, [nodes('n1', 'n3', 'n4'), nodes('n1', 'n3', 'n4')]);
  assert.equal(group.reachesMajority, true);
});

test('once there was a leader, the membership is what its log says', () => {
  const group = groupOf(nodes('n1', 'n4'), nodes('n2'));
  group.refresh(true);
  group.reviseOthers(nodes('n2'));
  assert.deepEqual(group.voterSets, [nodes('n1', 'n4')]);
});
