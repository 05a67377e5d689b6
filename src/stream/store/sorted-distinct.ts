/** Owns sorting many sequences that are all different: by marking each in a map of bits, and reading that in order. */

/** Few are sorted by comparing. */
const MAX_COMPARED = 4096;
/** Where fewer of the numbers in between are wanted, reading the map takes longer than comparing. */
const MAX_NUMBERS_PER_VALUE = 64;
/** What fits the whole numbers that shifting works on. */
const MAX_SPAN = 2 ** 31;

/** Sorts `values`, whole and distinct, ascending and in place. */
export function sortedDistinct(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  if (values.length <= MAX_COMPARED) return values.sort();
  let least = Infinity;
  let greatest = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const span = greatest - least + 1;
  if (span > Math.min(MAX_SPAN, values.length * MAX_NUMBERS_PER_VALUE)) return values.sort();
  const words = new Int32Array((span >>> 5) + 1);
  for (let i = 0; i < values.length; i++) {
    const bit = (values[i]! - least) | 0;
    words[bit >>> 5]! |= 1 << (bit & 31);
  }
  let at = 0;
  for (let word = 0; word < words.length; word++) {
    for (let bits = words[word]!; bits !== 0; bits &= bits - 1) {
      values[at++] = least + ((word << 5) | (31 - Math.clz32(bits & -bits)));
    }
  }
  return values;
}
