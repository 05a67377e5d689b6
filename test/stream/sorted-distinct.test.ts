import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortedDistinct } from '../../src/stream/store/sorted-distinct.ts';
import { Random } from '../sim/random.ts';

/** So many distinct numbers from `from` on, in no order, about one in `spread` of those there are. */
function numbers(random: Random, options: { count: number; from: number; spread: number }): Float64Array<ArrayBuffer> {
  const values = new Set<number>();
  while (values.size < options.count) values.add(options.from + random.integer(0, options.count * options.spread));
  return Float64Array.from(values);
}

test('distinct numbers are sorted, few or many, near or far from each other', () => {
  const random = new Random(5);
  for (const count of [0, 1, 31, 32, 33, 4096, 4097, 20_000]) {
    for (const spread of [2, 40, 2000]) {
      for (const from of [1, 2 ** 31 - 7, 2 ** 40 + 1]) {
        const values = numbers(random, { count, from, spread });
        const expected = [...values].sort((a, b) => a - b);
        assert.deepEqual([...sortedDistinct(values)], expected, `${count} from ${from}, one in ${spread}`);
      }
    }
  }
});
