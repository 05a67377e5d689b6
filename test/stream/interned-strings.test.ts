import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../harness/properties.ts';
import { InternedStrings } from '../../src/stream/store/interned-strings.ts';

test('strings come and go as in a map, whatever their hashes do to each other', () => {
  const step = fc.tuple(fc.boolean(), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const strings = new InternedStrings();
      const model = new Map<string, number>();
      for (const [add, text] of steps) {
        const bytes = Buffer.from(text);
        const known = model.get(text);
        assert.equal(strings.find(bytes, 0, bytes.length), known ?? -1);
        if (add) {
          const id = strings.intern(bytes, 0, bytes.length);
          if (known === undefined) assert.ok(![...model.values()].includes(id));
          else assert.equal(id, known);
          model.set(text, id);
        } else if (known !== undefined) {
          strings.release(known);
          model.delete(text);
        }
        assert.equal(strings.size, model.size);
      }
      for (const [text, id] of model) assert.equal(strings.toString(id), text);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('so many strings that the table falls into shards are all found, and go again', () => {
  const strings = new InternedStrings();
  const texts = Array.from({ length: 60_000 }, (_, i) => Buffer.from(`orders.${i}.new`));
  const ids = texts.map((text) => strings.intern(text, 0, text.length));
  assert.equal(new Set(ids).size, texts.length);
  for (const [i, text] of texts.entries()) if (i % 3 === 0) strings.release(strings.find(text, 0, text.length));
  for (const [i, text] of texts.entries()) {
    assert.equal(strings.find(text, 0, text.length), i % 3 === 0 ? -1 : ids[i]);
  }
  assert.equal(strings.size, 40_000);
});

test('ids and memory are used again by strings of the same length', () => {
  const strings = new InternedStrings();
  for (let i = 0; i < 100_000; i++) {
    const bytes = Buffer.from(`subject.${String(i).padStart(6, '0')}`);
    strings.release(strings.intern(bytes, 0, bytes.length));
  }
  assert.equal(strings.idLimit, 1);
});

test('restored strings keep their ids, and the gaps between them are filled', () => {
  const strings = new InternedStrings();
  const put = (text: string): Buffer => Buffer.from(text);
  assert.ok(strings.restore(3, put('abc'), 0, 3));
  assert.ok(!strings.restore(2, put('xyz'), 0, 3));
  assert.ok(!strings.restore(9, put('abc'), 0, 3));
  const ids = ['d', 'e', 'f', 'g'].map((text) => strings.intern(put(text), 0, 1));
  assert.deepEqual(ids.sort(), [0, 1, 2, 4]);
  assert.equal(strings.find(put('abc'), 0, 3), 3);
  assert.deepEqual(ids.map((id) => strings.toString(id)).sort(), ['d', 'e', 'f', 'g']);
});
