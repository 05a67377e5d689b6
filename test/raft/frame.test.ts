import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import type { NodeId } from '../../src/base/brand.ts';
import { decodeFrame, encodedBytes, encodeFrame } from '../../src/raft/wire/frame.ts';
import type { GroupMessage, PeerMessage } from '../../src/raft/messages.ts';
import { allocateRecord, chainChecksum, RECORD_HEADER_BYTES, sealRecord } from '../../src/raft/record.ts';
import type { Entry, GroupId, LogIndex, Term } from '../../src/raft/types.ts';

const link = { from: 'a' as NodeId, to: 'b' as NodeId };

const safe = fc.maxSafeNat();
const index = safe as fc.Arbitrary<LogIndex>;
const term = safe as fc.Arbitrary<Term>;
const base = { from: fc.constant(link.from), to: fc.constant(link.to), term };
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const none = fc.constant(0);

function entriesBehind(prevLogIndex: number, prevLogTerm: number, group: number, bodies: readonly Buffer[]): Entry[] {
  let previousChecksum = 0;
  return bodies.map((content, at) => {
    const record = allocateRecord(content.length);
    content.copy(record, RECORD_HEADER_BYTES);
    const entry = sealRecord(record, {
      kind: 'normal',
      group: group as GroupId,
      index: (prevLogIndex + 1 + at) as LogIndex,
      term: Math.max(1, prevLogTerm) as Term,
      previousChecksum,
    });
    previousChecksum = chainChecksum(entry.record);
    return entry;
  });
}

const reply = {
  ...base,
  kind: fc.constant('appendEntriesReply' as const),
  prevLogIndex: index,
  commitIndex: index,
  readContext: safe,
  repairing: safe,
  journal: safe,
};

const plainMessage = fc.oneof(
  fc.record({
    ...base,
    kind: fc.constant('requestVote' as const),
    lastLogIndex: index,
    lastLogTerm: term,
    preVote: fc.boolean(),
    leadershipTransfer: fc.boolean(),
    transferTerm: term,
    transferRound: safe,
  }),
  fc.record({
    ...base,
    kind: fc.constant('requestVoteReply' as const),
    preVote: fc.boolean(),
    voteGranted: fc.boolean(),
    journal: safe,
  }),
  fc.record({ ...reply, success: fc.constant(true), matchIndex: index, conflictIndex: none, conflictTerm: none }),
  fc.record({ ...reply, success: fc.constant(false), matchIndex: none, conflictIndex: index, conflictTerm: term }),
  fc.record({ ...base, kind: fc.constant('timeoutNow' as const), round: safe }),
  fc.record({
    ...base,
    kind: fc.constant('installSnapshot' as const),
    lastIncludedIndex: index,
    lastIncludedTerm: term,
    transfer: safe,
    body,
  }),
  fc.record({
    ...base,
    kind: fc.constant('installSnapshotReply' as const),
    stage: fc.constantFrom('accepted' as const, 'progress' as const, 'done' as const, 'refused' as const),
    lastIncludedIndex: index,
    transfer: safe,
    position: safe,
    body,
  }),
) as fc.Arbitrary<PeerMessage>;

const append = (group: number): fc.Arbitrary<PeerMessage> =>
  fc
    .record({
      ...base,
      kind: fc.constant('appendEntries' as const),
      prevLogIndex: fc.nat(1_000_000) as unknown as fc.Arbitrary<LogIndex>,
      prevLogTerm: fc.nat(1000) as unknown as fc.Arbitrary<Term>,
      leaderCommit: index,
      entries: fc.array(body, { maxLength: 5 }),
      readContext: safe,
      digestIndex: index,
      digest: fc.nat(0xffff_ffff),
      hibernate: fc.boolean(),
      repaired: safe,
      transfersOver: fc.boolean(),
    })
    .map((each) => ({ ...each, entries: entriesBehind(each.prevLogIndex, each.prevLogTerm, group, each.entries) }));

const groupMessage: fc.Arbitrary<GroupMessage> = fc
  .nat(0xffff_ffff)
  .chain((group) =>
    fc.oneof(plainMessage, append(group)).map((message) => ({ group: group as GroupId, message: { ...message } })),
  );

test('any messages decode to what was encoded', () => {
  fc.assert(
    fc.property(fc.array(groupMessage, { maxLength: 8 }), (messages) => {
      const frame = encodeFrame(messages);
      assert.equal(frame.length, 8 + messages.reduce((bytes, { message }) => bytes + encodedBytes(message), 0));
      assert.deepEqual(decodeFrame(frame, link), messages);
    }),
  );
});

test('a frame cut anywhere, or with more behind it, is refused', () => {
  fc.assert(
    fc.property(fc.array(groupMessage, { minLength: 1, maxLength: 4 }), fc.nat(), (messages, at) => {
      const frame = encodeFrame(messages);
      assert.equal(typeof decodeFrame(frame.subarray(0, at % frame.length), link), 'string');
      assert.equal(decodeFrame(Buffer.concat([frame, Buffer.from([0])]), link), 'length');
    }),
  );
});

test('no bytes make the decoder throw', () => {
  fc.assert(
    fc.property(
      fc.array(groupMessage, { maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255))),
      (messages, edits) => {
        const frame = encodeFrame(messages);
        for (const [at, byte] of edits) frame[at % frame.length] = byte;
        decodeFrame(frame, link);
      },
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      decodeFrame(Buffer.from(bytes), link);
    }),
  );
});

function appendFrame(entries: readonly Entry[]): Buffer {
  const message = {
    kind: 'appendEntries',
    ...link,
    term: 3,
    prevLogIndex: 4,
    prevLogTerm: 2,
    leaderCommit: 4,
    entries,
    readContext: 0,
    digestIndex: 0,
    digest: 0,
    hibernate: false,
    repaired: 0,
    transfersOver: true,
  } as unknown as PeerMessage;
  return encodeFrame([{ group: 7 as GroupId, message }]);
}

test('a damaged record, one of another group, and entries out of order refuse the frame', () => {
  const [first, second] = entriesBehind(4, 2, 7, [Buffer.from('one'), Buffer.from('two')]);
  const damaged = appendFrame([first!]);
  damaged[damaged.length - 1]! ^= 1;
  assert.equal(decodeFrame(damaged, link), 'record');
  assert.equal(decodeFrame(appendFrame(entriesBehind(4, 2, 8, [Buffer.from('x')])), link), 'record');
  assert.equal(decodeFrame(appendFrame([second!]), link), 'order');
  assert.equal(decodeFrame(appendFrame(entriesBehind(4, 1, 7, [Buffer.from('old')])), link), 'order');
});

test('a small record does not keep a large frame alive, and a large one is not copied', () => {
  const entries = entriesBehind(4, 2, 7, [Buffer.alloc(10), Buffer.alloc(100_000)]);
  const frame = appendFrame(entries);
  const decoded = decodeFrame(frame, link);
  assert.ok(typeof decoded !== 'string');
  const { message } = decoded[0]!;
  assert.ok(message.kind === 'appendEntries');
  assert.notEqual(message.entries[0]!.record.buffer, frame.buffer);
  assert.equal(message.entries[1]!.record.buffer, frame.buffer);
});

test('an announced size is never allocated', () => {
  const frame = Buffer.alloc(8 + 20);
  frame.writeUInt32BE(1 << 24, 0);
  frame.writeUInt32BE(0xffff_ffff, 4);
  assert.equal(decodeFrame(frame, link), 'length');
  frame.writeUInt32BE(1, 4);
  frame.writeUInt32BE(0xffff_ffff, 8);
  frame[16] = 5;
  assert.equal(decodeFrame(frame, link), 'length');
});
