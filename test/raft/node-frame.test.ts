import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeNodeFrame, encodeNodeFrame, isNodeFrame, type NodeFrame } from '../../src/raft/wire/node-frame.ts';
import type { GroupId, LogIndex } from '../../src/raft/index.ts';

const group = 7 as GroupId;
const index = (2 ** 40 + 3) as LogIndex;

const FRAMES: readonly NodeFrame[] = [
  { kind: 'beat', incarnation: 2 ** 52, receiverIncarnation: 0, receiverCounter: 9 },
  { kind: 'recordWanted', group, index },
  { kind: 'nothingLeft', group },
  { kind: 'journal', counter: 2 ** 33 },
  { kind: 'digest', purpose: 'own', group, index, digest: 0xffff_fffe },
  { kind: 'digest', purpose: 'undecidable', group, index, digest: 0 },
];

test('frames between nodes arrive as they were sent', () => {
  for (const frame of FRAMES) {
    const bytes = encodeNodeFrame(frame);
    assert.ok(isNodeFrame(bytes));
    assert.deepEqual(decodeNodeFrame(bytes), frame);
  }
});

test('a frame that was cut, or names what does not exist, is refused', () => {
  for (const frame of FRAMES) {
    const bytes = encodeNodeFrame(frame);
    for (let length = 0; length < bytes.length; length++) {
      assert.equal(decodeNodeFrame(bytes.subarray(0, length)), undefined, `${frame.kind} of ${length} bytes`);
    }
  }
  const unknownPurpose = encodeNodeFrame(FRAMES[4]!);
  unknownPurpose[17] = 9;
  assert.equal(decodeNodeFrame(unknownPurpose), undefined);
  assert.equal(decodeNodeFrame(Buffer.from([0xff, 1, 2])), undefined);
});
