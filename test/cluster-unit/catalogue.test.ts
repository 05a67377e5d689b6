import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeId } from '../../src/base/brand.ts';
import { NotLeaderError } from '../../src/base/errors.ts';
import { SystemRuntime } from '../../src/base/runtime.ts';
import { CatalogueMachine, encodeRecords } from '../../src/cluster/catalogue-machine.ts';
import { CatalogueState, type CatalogueRecord } from '../../src/cluster/catalogue-state.ts';
import type { CatalogueChange, CatalogueResult, StreamAssignment } from '../../src/cluster/index.ts';
import { MetaMember } from '../../src/cluster/meta-member.ts';
import { META_GROUP, type Entry, type GroupId, type LogIndex, type PageSink, type Term } from '../../src/raft/index.ts';
import { FakeRaft, type FakeGroup } from './fake-raft.ts';
import { nodeId } from './link-harness.ts';

const NODES = ['n1', 'n2', 'n3'].map(nodeId);

interface Member {
  readonly meta: MetaMember;
  readonly group: FakeGroup;
  readonly raft: FakeRaft;
}

/** The meta group on n1, its leader; all nodes are online unless listed. */
async function openMeta(offline: readonly string[] = [], node = NODES[0]!, raft = new FakeRaft()): Promise<Member> {
  const meta = new MetaMember(raft.host(node), {
    runtime: new SystemRuntime(),
    clusterName: 'east',
    members: () => NODES,
    describe: (member) => ({ online: !offline.includes(member), jetstream: true, tags: [`on:${member}`] }),
    statusChanged: () => undefined,
  });
  await meta.open({ voters: NODES, learners: [] });
  return { meta, group: raft.groups.get(META_GROUP)!, raft };
}

function create(name: string, options: Partial<CatalogueChange & { kind: 'createStream' }> = {}): CatalogueChange {
  return {
    kind: 'createStream',
    account: 'A',
    name,
    config: { subjects: [name] },
    storage: 'file',
    replicas: 1,
    conflictsWith: () => false,
    ...options,
  };
}

async function applied(result: Promise<CatalogueResult>): Promise<StreamAssignment> {
  const settled = await result;
  assert.equal(settled.kind, 'applied');
  return settled.assignment;
}

test('streams get groups that rise and are never used again, also not after a deletion', async () => {
  const { meta } = await openMeta();
  const first = await applied(meta.writer.change(create('S1')));
  const second = await applied(meta.writer.change(create('S2')));
  await applied(meta.writer.change({ kind: 'deleteStream', account: 'A', name: 'S2' }));
  const third = await applied(meta.writer.change(create('S2')));
  assert.deepEqual([first.group, second.group, third.group], [2, 3, 4]);
  assert.equal(meta.catalogue.streamOfGroup(second.group), undefined);
  assert.deepEqual([third.revision, third.groupName === second.groupName], [1, false]);
});

test('changes that gather while the log is busy go into one entry, and each gets its own result', async () => {
  const { meta, group } = await openMeta();
  group.welcoming = false;
  const results = Array.from({ length: 200 }, (_, i) => meta.writer.change(create(`S${i}`)));
  group.welcoming = true;
  meta.writer.proposalsWelcome();
  const assignments = await Promise.all(results.map(applied));
  assert.equal(group.log.length, 1);
  assert.deepEqual(
    assignments.map(({ name }) => name),
    Array.from({ length: 200 }, (_, i) => `S${i}`),
  );
  assert.equal(new Set(assignments.map((assignment) => assignment.group)).size, 200);
});

test('replicas and first leaders are spread evenly, counting what is still in flight', async () => {
  const { meta } = await openMeta();
  const single = await Promise.all(Array.from({ length: 30 }, (_, i) => applied(meta.writer.change(create(`S${i}`)))));
  const triple = await Promise.all(
    Array.from({ length: 30 }, (_, i) => applied(meta.writer.change(create(`T${i}`, { replicas: 3 })))),
  );
  for (const node of NODES) {
    assert.equal(single.filter(({ members }) => members.includes(node)).length, 10, `replicas on ${node}`);
    assert.equal(triple.filter(({ firstLeader }) => firstLeader === node).length, 10, `first leader ${node}`);
  }
});

test('of two creations of one stream in flight only one is applied, and the other hears of it once that is certain', async () => {
  const { meta, group } = await openMeta();
  group.committing = false;
  const first = meta.writer.change(create('S'));
  const second = meta.writer.change(create('S'));
  let answered = false;
  void second.then(() => (answered = true));
  await new Promise(setImmediate);
  assert.equal(answered, false, 'a conflict with something that may never be committed');
  group.committing = true;
  group.applySoon();
  const assignment = await applied(first);
  assert.deepEqual(await second, { kind: 'conflict', existing: assignment });
});

test('a stream that conflicts with another of its account is refused, whether that is applied or in flight', async () => {
  const { meta } = await openMeta();
  const overlapping = { conflictsWith: (existing: StreamAssignment) => existing.name.startsWith('orders') };
  const results = await Promise.all([
    meta.writer.change(create('orders')),
    meta.writer.change(create('more', overlapping)),
    meta.writer.change(create('more', { ...overlapping, account: 'B' })),
  ]);
  assert.deepEqual(
    results.map(({ kind }) => kind),
    ['applied', 'conflict', 'applied'],
  );
  assert.equal((await meta.writer.change(create('again', overlapping))).kind, 'conflict');
});

test('an update needs the revision it was made from, and may follow another that is in flight', async () => {
  const { meta } = await openMeta();
  await applied(meta.writer.change(create('S')));
  const update = (expectedRevision: number, config: object): CatalogueChange => ({
    kind: 'updateStream',
    account: 'A',
    name: 'S',
    config: { ...config },
    expectedRevision,
  });
  const results = await Promise.all([
    meta.writer.change(update(1, { v: 2 })),
    meta.writer.change(update(2, { v: 3 })),
    meta.writer.change(update(1, { v: 4 })),
  ]);
  assert.deepEqual(
    results.map(({ kind }) => kind),
    ['applied', 'applied', 'conflict'],
  );
  assert.deepEqual(meta.catalogue.stream('A', 'S')?.config, { v: 3 });
  const moved = await applied(meta.writer.change({ ...update(3, {}), members: [NODES[1]!] } as CatalogueChange));
  assert.deepEqual([moved.members, moved.revision], [['n2'], 4]);
  assert.deepEqual(await meta.writer.change({ kind: 'deleteStream', account: 'A', name: 'T' }), { kind: 'notFound' });
});

test('deleting and creating again in one breath yields the new stream', async () => {
  const { meta, group } = await openMeta();
  const old = await applied(meta.writer.change(create('S')));
  const [, fresh] = await Promise.all([
    meta.writer.change({ kind: 'deleteStream', account: 'A', name: 'S' }),
    applied(meta.writer.change(create('S'))),
  ]);
  assert.notEqual(fresh.group, old.group);
  assert.deepEqual(meta.catalogue.streams('A'), [fresh]);
  assert.equal(group.log.length, 2);
});

test('nodes that are offline are used only behind an online quorum, and what rules nodes out is named', async () => {
  const one = await openMeta(['n1']);
  const triple = await applied(one.meta.writer.change(create('T', { replicas: 3 })));
  assert.deepEqual([triple.members, triple.firstLeader === 'n1'], [['n1', 'n2', 'n3'], false]);
  assert.notDeepEqual((await applied(one.meta.writer.change(create('S')))).members, ['n1']);

  const two = await openMeta(['n1', 'n2']);
  const refusal = async (change: CatalogueChange): Promise<unknown> => {
    const result = await two.meta.writer.change(change);
    return result.kind === 'noPeers' ? result.reason : result.kind;
  };
  assert.equal(await refusal(create('T', { replicas: 3 })), 'no suitable peers for placement, peer offline');
  assert.match(String(await refusal(create('F', { replicas: 4 }))), /^no suitable peers/);
  const placed = (tag: string): CatalogueChange => create('P', { placement: { cluster: '', tags: [tag] } });
  assert.match(String(await refusal(placed('az:9'))), /tags not matched \['az:9'\]/);
  assert.match(String(await refusal(placed('!on:n3'))), /tags excluded \['on:n3'\]/);
  const elsewhere = create('P', { placement: { cluster: 'west', tags: [] } });
  assert.equal(await refusal(elsewhere), 'no suitable peers for placement');
  assert.equal(await refusal(placed('ON:N3')), 'applied');
});

test('who loses the leadership does not know what came of its proposals; what was not proposed may be tried again', async () => {
  const { meta, group } = await openMeta();
  group.committing = false;
  const proposed = meta.writer.change(create('S1'));
  await new Promise(setImmediate);
  group.welcoming = false;
  const queued = meta.writer.change(create('S2'));
  group.lead(NODES[1]);
  await assert.rejects(proposed, { name: 'NotLeaderError', notProposed: false });
  await assert.rejects(queued, { name: 'NotLeaderError', notProposed: true });
  await assert.rejects(meta.writer.change(create('S3')), NotLeaderError);
});

test('an entry of another leader at the same index is not taken for the own one', async () => {
  const { meta, group } = await openMeta();
  group.committing = false;
  const ours = meta.writer.change(create('S1'));
  await new Promise(setImmediate);
  group.committing = true;
  group.replaceUncommitted(NODES[1]!, encodeRecords([{ op: 'admit', node: NODES[1]! }]));
  await assert.rejects(ours, { notProposed: false });
  await new Promise(setImmediate);
  assert.deepEqual([meta.catalogue.stream('A', 'S1'), meta.catalogue.nodes()], [undefined, ['n2']]);
});

// --- the machine alone ---

const assignment = (name: string, group: number): StreamAssignment => ({
  account: 'A',
  name,
  group: group as GroupId,
  groupName: `S-R1F-${group}`,
  storage: 'file',
  members: [NODES[0]!],
  generation: 0,
  firstLeader: NODES[0]!,
  config: { name },
  revision: 1,
  createdUs: 1 as StreamAssignment['createdUs'],
});

function entryOf(index: number, records: readonly CatalogueRecord[]): Entry {
  const record = encodeRecords(records);
  const body = record.subarray(record.length - JSON.stringify({ version: 1, records }).length);
  return { index: index as LogIndex, term: 1 as Term, kind: 'normal', record, body };
}

class Pages implements PageSink {
  readonly pages = new Map<string, Buffer>();

  put(key: Buffer, value: Buffer): void {
    this.pages.set(key.toString('latin1'), value);
  }

  delete(key: Buffer): void {
    this.pages.delete(key.toString('latin1'));
  }

  async *inOrder(): AsyncGenerator<readonly [Buffer, Buffer]> {
    for (const key of [...this.pages.keys()].sort()) {
      await Promise.resolve();
      yield [Buffer.from(key, 'latin1'), this.pages.get(key)!];
    }
  }
}

function machine(): { readonly state: CatalogueState; readonly machine: CatalogueMachine } {
  const state = new CatalogueState();
  const nothing = (): void => undefined;
  const listener = { applied: nothing, statusChanged: nothing, proposalsWelcome: nothing, closed: nothing };
  return { state, machine: new CatalogueMachine(state, listener) };
}

/** Where the checkpoints of these tests are taken; only 0 would mean something. */
const AT_END = 100 as LogIndex;
const AT = 5 as StreamAssignment['createdUs'];

const HISTORY: readonly (readonly CatalogueRecord[])[] = [
  [
    { op: 'admit', node: NODES[0]! },
    { op: 'admit', node: NODES[1]! },
  ],
  [
    { op: 'create', assignment: assignment('S', 2) },
    { op: 'create', assignment: assignment('T', 3) },
  ],
  [{ op: 'update', account: 'A', name: 'S', config: { v: 2 }, members: [NODES[1]!], atUs: AT, expectedRevision: 1 }],
  [{ op: 'update', account: 'A', name: 'S', config: { v: 3 }, atUs: AT, expectedRevision: 1 }],
  [{ op: 'delete', account: 'A', name: 'T' }],
  [{ op: 'remove', node: NODES[1]! }],
  [{ op: 'create', assignment: assignment('U', 4) }],
];

test('replicas that apply the same entries are equal, however these are cut and whether a checkpoint came between', async () => {
  const entries = HISTORY.map((records, i) => entryOf(i + 1, records));
  const whole = machine();
  whole.machine.apply(entries);
  for (let cut = 0; cut <= entries.length; cut++) {
    const source = machine();
    const sink = new Pages();
    // An earlier checkpoint: the later one holds only what changed since.
    source.machine.apply(entries.slice(0, Math.floor(cut / 2)));
    source.machine.beginCheckpoint();
    while (!source.machine.writePages(sink, 1)) continue;
    source.machine.endCheckpoint(true);
    source.machine.apply(entries.slice(Math.floor(cut / 2), cut));
    source.machine.beginCheckpoint();
    // What is applied while pages are written must not show in them.
    source.machine.apply(entries.slice(cut));
    while (!source.machine.writePages(sink, 1)) continue;
    source.machine.endCheckpoint(true);

    const restored = machine();
    await restored.machine.restore({ appliedIndex: AT_END, pages: sink.inOrder() });
    restored.machine.apply(entries.slice(cut));
    for (const { state, machine: other } of [source, restored]) {
      assert.deepEqual(state.streams('A'), whole.state.streams('A'));
      assert.deepEqual([state.nodes(), state.removedNodes()], [['n1'], ['n2']]);
      assert.deepEqual([state.nextGroup, state.load.held(NODES[1]!)], [5, 1]);
      assert.equal(other.digest(), whole.machine.digest());
    }
  }
});

test('an entry is dead once a checkpoint that holds it is durable, and reported once', () => {
  const { machine: replica } = machine();
  const entries = HISTORY.map((records, i) => entryOf(i + 1, records));
  replica.apply(entries.slice(0, 2));
  replica.beginCheckpoint();
  replica.apply(entries.slice(2, 3));
  replica.endCheckpoint(false);
  assert.deepEqual(replica.takeDeadEntries(), []);
  const sink = new Pages();
  replica.beginCheckpoint();
  while (!replica.writePages(sink, 1000)) continue;
  replica.endCheckpoint(true);
  assert.equal(sink.pages.size, 3, 'pages of the checkpoint that was given up are written again');
  assert.deepEqual([replica.takeDeadEntries(), replica.takeDeadEntries()], [[1, 2, 3], []]);
});

test('listeners hear each change once and in order, also those that a checkpoint brings', async () => {
  const source = machine();
  source.machine.apply(HISTORY.map((records, i) => entryOf(i + 1, records)));
  const sink = new Pages();
  source.machine.beginCheckpoint();
  while (!source.machine.writePages(sink, 1000)) continue;

  const { state, machine: replica } = machine();
  const heard: string[] = [];
  state.onChange(({ previous, current }) => {
    heard.push(`${previous?.name ?? '-'}@${previous?.revision ?? 0} ${current?.name ?? '-'}@${current?.revision ?? 0}`);
  });
  replica.apply(HISTORY.slice(0, 2).map((records, i) => entryOf(i + 1, records)));
  assert.deepEqual(heard.splice(0), ['-@0 S@1', '-@0 T@1']);
  await replica.restore({ appliedIndex: AT_END, pages: sink.inOrder() });
  assert.deepEqual(heard, ['T@1 -@0', 'S@1 S@2', '-@0 U@1']);
});

test('a catalogue of a later version stops the group instead of being half understood', () => {
  const { machine: replica } = machine();
  const entry = entryOf(1, []);
  const body = Buffer.from(entry.body.toString().replace('"version":1', '"version":2'));
  assert.throws(() => {
    replica.apply([{ ...entry, body }]);
  }, /version 2/);
});

test('a replica that builds its catalogue anew shows what it had until it is as far again', async () => {
  const entries = HISTORY.map((records, i) => entryOf(i + 1, records));
  const { state, machine: replica } = machine();
  replica.apply(entries);
  const shown = state.content();
  const told: string[] = [];
  state.onChange(({ previous, current }) => told.push((current ?? previous)!.name));
  await replica.restore({ appliedIndex: 0 as LogIndex, pages: new Pages().inOrder() });
  assert.deepEqual(state.content(), shown);
  replica.apply(entries.slice(0, -1));
  assert.deepEqual(state.content(), shown);
  replica.apply(entries.slice(-1));
  assert.deepEqual([state.content(), told], [shown, []]);
  replica.apply([entryOf(entries.length + 1, [{ op: 'delete', account: 'A', name: 'U' }])]);
  assert.deepEqual(told, ['U']);
});

test('a stream that changes its members is settled when its group has exactly those of its last change', async () => {
  const { meta } = await openMeta();
  const created = await applied(meta.writer.change(create('S')));
  const update = (members: readonly NodeId[], expectedRevision: number): CatalogueChange => ({
    kind: 'updateStream',
    account: 'A',
    name: 'S',
    config: { subjects: ['S'] },
    members,
    expectedRevision,
  });
  const settle = (generation: number): CatalogueChange => ({
    kind: 'settleStream',
    account: 'A',
    name: 'S',
    generation,
  });
  const grown = await applied(meta.writer.change(update(NODES, 1)));
  const { origin, holders } = grown.reconfiguration!;
  assert.deepEqual([grown.generation, origin.members, holders], [1, created.members, NODES]);
  const other = NODES.find((node) => !created.members.includes(node))!;
  const moved = await applied(meta.writer.change(update([other], 2)));
  assert.deepEqual([moved.generation, moved.reconfiguration!.origin.members], [2, created.members]);
  assert.deepEqual(moved.reconfiguration!.holders, NODES, 'nobody lets go before it is settled');
  assert.equal((await meta.writer.change(settle(1))).kind, 'conflict');
  const settled = await applied(meta.writer.change(settle(2)));
  assert.deepEqual([settled.members, settled.reconfiguration, settled.revision], [[other], undefined, 3]);
  assert.equal((await meta.writer.change(settle(2))).kind, 'conflict');
});
