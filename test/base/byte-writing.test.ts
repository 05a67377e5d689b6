/** Copies of short pieces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes, viewOf, WordCopier } from '../../src/base/byte-writing.ts';

const SOURCE = Buffer.from(Array.from({ length: 600 }, (_, at) => (at * 167 + 13) & 0xff));

test('a copy of any length from any place is that piece and nothing else', () => {
  const copier = new WordCopier();
  for (const length of [0, 1, 15, 16, 17, 31, 33, 57, 63, 64, 65, 127, 128, 129, 300]) {
    for (const start of [0, 1, 6, 11]) {
      // Within larger buffers: views begin where the buffers do.
      const target = Buffer.alloc(400, 0xee).subarray(7);
      const expected = Buffer.from(target);
      SOURCE.copy(expected, 9, start, start + length);
      assert.equal(copier.copy(target, viewOf(target), 9, SOURCE.subarray(0), start, start + length), 9 + length);
      assert.deepEqual(target, expected);
      target.fill(0xee);
      for (let time = 0; time < 3; time++) copier.copy(target, viewOf(target), 9, SOURCE, start, start + length);
      assert.deepEqual(target, expected, `${length} bytes from ${start}`);
      target.fill(0xee);
      copyBytes(target, 9, SOURCE, start, start + length);
      assert.deepEqual(target, expected);
    }
  }
});

test('a source that takes the place of another is copied from, and not the other', () => {
  const copier = new WordCopier();
  const target = Buffer.alloc(64);
  const view = viewOf(target);
  for (const fill of [1, 1, 1, 2, 2, 3, 1]) {
    const source = Buffer.alloc(40, fill);
    for (let time = 0; time < 2; time++) {
      copier.copy(target, view, 0, source, 0, 40);
      assert.deepEqual(target.subarray(0, 40), source);
    }
    copier.clear();
  }
});
