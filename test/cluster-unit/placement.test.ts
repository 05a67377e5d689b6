import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place, type Candidate, type Placement, type PlacementRequest } from '../../src/cluster/placement.ts';
import { nodeId } from './link-harness.ts';

const GIB = 1024 ** 3;

function candidate(name: string, facts: Partial<Candidate> = {}): Candidate {
  const base = { online: true, jetstream: true, tags: [], held: 0, replicated: 0, led: 0, availableBytes: GIB };
  return { node: nodeId(name), ...base, ...facts };
}

const request = (wish: Partial<PlacementRequest> = {}): PlacementRequest => ({
  replicas: 1,
  tags: [],
  maxBytes: 0,
  keep: [],
  without: [],
  ...wish,
});

function members(placement: Placement): readonly string[] {
  assert.ok(placement.kind === 'placed', placement.kind === 'noPeers' ? placement.reason : '');
  return placement.members;
}

function refusal(placement: Placement): string {
  assert.ok(placement.kind === 'noPeers');
  return placement.reason.replace('no suitable peers for placement', '');
}

test('a single replica goes where most room is, and among equals where the fewest streams are', () => {
  const roomy = [candidate('n1', { availableBytes: GIB }), candidate('n2', { availableBytes: 3 * GIB, held: 9 })];
  assert.deepEqual(members(place(request(), roomy)), ['n2']);
  const alike = [candidate('n1', { held: 2 }), candidate('n2', { held: 1, availableBytes: GIB * 0.999 })];
  assert.deepEqual(members(place(request(), alike)), ['n2']);
});

test('several replicas go where the fewest replicated streams are', () => {
  const nodes = ['n1', 'n2', 'n3', 'n4'].map((name, i) => candidate(name, { replicated: 4 - i }));
  assert.deepEqual(members(place(request({ replicas: 3 }), nodes)), ['n2', 'n3', 'n4']);
  const rules = { uniqueTag: '', maxReplicated: 3 };
  assert.deepEqual(members(place(request({ replicas: 3 }), nodes.slice(1), { ...rules, maxReplicated: 4 })).length, 3);
  assert.equal(refusal(place(request({ replicas: 3 }), nodes.slice(0, 3), rules)), ', miscellaneous issue');
});

test('replicas that are kept come first, in the order given, as long as they fit', () => {
  const nodes = ['n1', 'n2', 'n3', 'n4'].map((name) => candidate(name, { tags: name === 'n3' ? [] : ['ssd'] }));
  const keep = ['n4', 'n3', 'n2'].map(nodeId);
  assert.deepEqual(members(place(request({ replicas: 1, keep }), nodes)), ['n4']);
  assert.deepEqual(members(place(request({ replicas: 3, keep, tags: ['ssd'] }), nodes)), ['n1', 'n2', 'n4']);
  const without = [nodeId('n4')];
  assert.deepEqual(members(place(request({ replicas: 3, keep, without }), nodes)), ['n1', 'n2', 'n3']);
});

test('replicas differ in the tag that they must not share, unless one value of it is asked for', () => {
  const rules = { uniqueTag: 'az:', maxReplicated: 0 };
  const nodes = [
    candidate('n1', { tags: ['az:1'] }),
    candidate('n2', { tags: ['az:1'] }),
    candidate('n3', { tags: ['az:2'] }),
    candidate('n4', { tags: ['AZ:3'] }),
  ];
  assert.deepEqual(members(place(request({ replicas: 3 }), nodes, rules)), ['n1', 'n3', 'n4']);
  assert.deepEqual(members(place(request({ replicas: 2, tags: ['az:1'] }), nodes, rules)), ['n1', 'n2']);
  assert.equal(refusal(place(request({ replicas: 3 }), nodes.slice(0, 3), rules)), ', server tag not unique');
});

test('a refusal names what ruled nodes out, and of each node the first tag that did', () => {
  const nodes = [
    candidate('n1', { online: false }),
    candidate('n2', { tags: ['!jetstream'] }),
    candidate('n3', { jetstream: false }),
    candidate('n4', { availableBytes: 10 }),
  ];
  assert.equal(
    refusal(place(request({ maxBytes: 100, replicas: 3 }), nodes)),
    ', peer offline, exclude tag set, insufficient storage, jetstream not enabled in cluster',
  );
  const tagged = [candidate('n1', { tags: ['ssd'] }), candidate('n2')];
  assert.equal(
    refusal(place(request({ tags: ['!ssd', 'fast'] }), tagged)),
    ", tags not matched ['fast'], tags excluded ['ssd']",
  );
});

test('offline nodes only fill up a group that has a quorum without them', () => {
  const nodes = [candidate('n1'), candidate('n2'), candidate('n3', { online: false })];
  assert.deepEqual(members(place(request({ replicas: 3 }), nodes)), ['n1', 'n2', 'n3']);
  assert.equal(
    refusal(place(request({ replicas: 3 }), [...nodes.slice(1), candidate('n4', { online: false })])),
    ', peer offline',
  );
});
