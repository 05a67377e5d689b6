import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allocateRecord,
  chainChecksum,
  chains,
  compactedRecord,
  isCompacted,
  openRecord,
  RECORD_HEADER_BYTES,
  sealRecord,
} from '../../src/raft/record.ts';
import type { Entry, GroupId, LogIndex, Term } from '../../src/raft/types.ts';

const group = 7 as GroupId;

function sealed(body: string, index = 5, previousChecksum = 0): Entry {
  const record = allocateRecord(body.length);
  record.write(body, RECORD_HEADER_BYTES, 'latin1');
  return sealRecord(record, { kind: 'normal', group, index: index as LogIndex, term: 3 as Term, previousChecksum });
}

test('a sealed record opens to the entry it was sealed as, in the same memory', () => {
  const entry = sealed('hello');
  const opened = openRecord(entry.record, { group, index: 5 as LogIndex });
  assert.deepEqual(opened, entry);
  assert.ok(typeof opened !== 'string' && opened.body.buffer === entry.record.buffer);
  assert.equal(opened.body.toString(), 'hello');
});

test('any flipped bit is found', () => {
  const { record } = sealed('some body');
  for (let bit = 0; bit < record.length * 8; bit++) {
    const damaged = Buffer.from(record);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(typeof openRecord(damaged), 'string', `bit ${bit}`);
  }
});

test('a record of another group or index, or cut, is named as such', () => {
  const { record } = sealed('x');
  assert.equal(openRecord(record, { group: 8 as GroupId }), 'group');
  assert.equal(openRecord(record, { index: 6 as LogIndex }), 'index');
  for (let bytes = 0; bytes < record.length; bytes++) assert.equal(openRecord(record.subarray(0, bytes)), 'length');
  assert.equal(openRecord(Buffer.concat([record, Buffer.from([0])])), 'length');
});

test('a term or index beyond what a number holds exactly is refused', () => {
  const record = allocateRecord(0);
  const index = (Number.MAX_SAFE_INTEGER + 1) as LogIndex;
  sealRecord(record, { kind: 'empty', group, index, term: 1 as Term, previousChecksum: 0 });
  assert.equal(openRecord(record), 'index');
});

test('records chain, also across one that was compacted', () => {
  const first = sealed('first, with much that is dead');
  const second = sealed('second', 6, chainChecksum(first.record));
  assert.ok(chains(second.record, chainChecksum(first.record)));
  assert.ok(!chains(second.record, 1));

  const once = openRecord(compactedRecord(first, Buffer.from('first')));
  assert.ok(typeof once !== 'string');
  const twice = openRecord(compactedRecord(once, Buffer.from('1')), { group, index: first.index });
  assert.ok(typeof twice !== 'string');
  assert.ok(isCompacted(twice.record) && !isCompacted(first.record));
  assert.equal(twice.body.toString(), '1');
  assert.equal(twice.term, first.term);
  assert.ok(chains(second.record, chainChecksum(twice.record)));
});

test('an entry of the smallest size keeps no stray bytes in its header', () => {
  const a = sealed('').record;
  const b = sealed('').record;
  assert.deepEqual(a, b);
});
