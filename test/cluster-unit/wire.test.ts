import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import type { GroupId, Term } from '../../src/raft/index.ts';
import * as wire from '../../src/cluster/wire.ts';
import { describe, nodeId } from './link-harness.ts';

/** deepEqual looks at prototypes. */
const NO_NULL_PROTOTYPE = { noNullPrototype: true };
const name = fc.string({ minLength: 1, maxLength: 20 });
const integer = fc.maxSafeNat();
const body = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));

test('a packet gives back its frames, in order, as views of the packet', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), body)), (frames) => {
      const kinds = frames.map(([kind]) => kind);
      const bodies = frames.map(([, bytes]) => bytes);
      const packet = wire.encodePacket(kinds, bodies, 0, frames.length);
      const decoded: [number, Buffer][] = [];
      assert.ok(wire.decodePacket(packet, (kind, bytes) => decoded.push([kind, bytes]) > 0));
      assert.deepEqual(decoded, frames);
      for (const [, bytes] of decoded) assert.ok(bytes.length === 0 || bytes.buffer === packet.buffer);
    }),
  );
});

test('a packet holds just the frames asked for', () => {
  const packet = wire.encodePacket([1, 2, 3], [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')], 1, 2);
  const kinds: number[] = [];
  wire.decodePacket(packet, (kind) => kinds.push(kind) > 0);
  assert.deepEqual(kinds, [2]);
});

test('what is encoded is decoded to the same: hello, nodes, interest, leaderships, requests, replies', () => {
  const queue = fc.option(name, { nil: undefined });
  const interest = fc.record({ account: name, subject: name, queue, members: fc.nat() }, NO_NULL_PROTOTYPE);
  const leadership = fc.record({ group: integer, term: integer, leading: fc.boolean() }, NO_NULL_PROTOTYPE);
  fc.assert(
    fc.property(name, integer, fc.array(interest), fc.array(leadership), body, (text, id, interests, table, bytes) => {
      const from = { ...describe(text, '[::1]:1'), clientUrls: [text], tags: ['az:1'], metaId: text, expectedNodes: 3 };
      const hello = { protocol: 1, oldestProtocol: 1, cluster: text, secret: text, from, to: '', link: 2, session: id };
      assert.deepEqual(wire.decodeHello(wire.encodeHello(hello)), hello);
      assert.deepEqual(wire.decodeNodes(wire.encodeNodes([from, from])), [from, from]);
      assert.deepEqual(wire.decodeInterests(wire.encodeInterests(interests)), interests);
      const leaderships = table.map((row) => ({ ...row, group: row.group as GroupId, term: row.term as Term }));
      const told = wire.decodeLeaderships(wire.encodeLeaderships(true, leaderships));
      assert.deepEqual(told, { complete: true, leaderships });
      const request = { id, service: text, body: bytes };
      assert.deepEqual(wire.decodeRequest(wire.encodeRequest(id, text, bytes)), request);
      const reply = { id, outcome: 'refused', body: bytes, reason: text } as const;
      assert.deepEqual(wire.decodeReply(wire.encodeReply(reply)), reply);
    }),
  );
});

test('what is encoded is decoded to the same: formation and the state of a node', () => {
  const node = name.map(nodeId);
  const ballot = fc.record({ round: fc.nat(), node }, NO_NULL_PROTOTYPE);
  const group = fc.record({ id: name, voters: fc.array(node), learners: fc.array(node) }, NO_NULL_PROTOTYPE);
  const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined });
  fc.assert(
    fc.property(
      maybe(ballot),
      maybe(ballot),
      maybe(group),
      maybe(group),
      (promised, acceptedBallot, accepted, formed) => {
        const request = { step: 'accept', ballot: promised, value: accepted } as const;
        assert.deepEqual(wire.decodeFormationRequest(wire.encodeFormationRequest(request)), request);
        const reply = { granted: true, promised, acceptedBallot, accepted };
        assert.deepEqual(wire.decodeFormationReply(wire.encodeFormationReply(reply)), reply);
        const addresses = new Map([[nodeId('n1'), 'host:1']]);
        const state = { promised, acceptedBallot, accepted, formed, addresses };
        assert.deepEqual(wire.decodeNodeState(wire.encodeNodeState(state)), state);
        if (formed !== undefined) assert.deepEqual(wire.decodeJoinReply(wire.encodeJoinReply(formed)), formed);
      },
    ),
  );
});

const DECODERS: readonly ((bytes: Buffer) => unknown)[] = [
  wire.decodeHello,
  wire.decodeDescription,
  wire.decodeNodes,
  wire.decodeInterests,
  wire.decodeLeaderships,
  wire.decodeRequest,
  wire.decodeReply,
  wire.decodeFormationRequest,
  wire.decodeFormationReply,
  wire.decodeNodeState,
  wire.decodeJoinReply,
  (bytes) => wire.decodePacket(bytes, () => true),
];

test('bytes that nobody sends are turned down without a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of DECODERS) decode(Buffer.from(bytes));
    }),
  );
  const whole = wire.encodeNodes([describe('n1', 'host:1')]);
  for (let cut = 1; cut < whole.length; cut++) wire.decodeNodes(whole.subarray(0, cut));
  assert.equal(
    wire.decodePacket(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]), () => assert.fail()),
    false,
  );
});

test('integers beyond the exact ones, over-long names and uneven tables are turned down', () => {
  const tooLarge = Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
  assert.equal(wire.decodeRequest(tooLarge), undefined);
  assert.equal(wire.decodeReply(tooLarge), undefined);
  // Two groups, one term.
  const uneven = Buffer.from([0x12, 2, 1, 2, 0x1a, 1, 1, 0x22, 1, 1]);
  assert.equal(wire.decodeLeaderships(uneven), undefined);
  assert.equal(wire.decodeNodes(wire.encodeNodes([])), undefined);
  assert.equal(wire.decodeNodes(wire.encodeNodes([describe('x'.repeat(257), 'host:1')])), undefined);
  assert.equal(wire.decodeNodes(wire.encodeNodes([describe('', 'host:1')])), undefined);
  const nameless = { account: 'A', subject: '', queue: undefined, members: 1 };
  assert.equal(wire.decodeInterests(wire.encodeInterests([nameless])), undefined);
});
