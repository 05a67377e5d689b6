/** Whole numbers as big-endian bytes, against what a Buffer's own methods read and write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { readUint16, readUint32, writeUint16, writeUint32 } from '../../src/base/big-endian.ts';

const BYTES = 12;

test('numbers are read as a Buffer reads them, those with the highest bit included', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: BYTES, maxLength: BYTES }), fc.nat(BYTES - 4), (bytes, at) => {
      const buffer = Buffer.from(bytes);
      assert.equal(readUint32(buffer, at), buffer.readUInt32BE(at));
      assert.equal(readUint16(buffer, at), buffer.readUInt16BE(at));
    }),
  );
});

test('numbers are written as a Buffer writes them, and nothing beside them', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.nat(0xffff), fc.nat(BYTES - 4), (long, short, at) => {
      const ours = Buffer.alloc(BYTES, 0xaa);
      const theirs = Buffer.alloc(BYTES, 0xaa);
      writeUint32(ours, long, at);
      theirs.writeUInt32BE(long, at);
      assert.deepEqual(ours, theirs);
      writeUint16(ours, short, at);
      theirs.writeUInt16BE(short, at);
      assert.deepEqual(ours, theirs);
    }),
  );
});

test('what was written is read back at the bounds', () => {
  const buffer = Buffer.alloc(4);
  for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
    writeUint32(buffer, value, 0);
    assert.equal(readUint32(buffer, 0), value);
  }
});
