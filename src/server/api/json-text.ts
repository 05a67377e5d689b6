/**
 * Owns how answers become JSON. Numbers are exact up to 2^53 here; the largest ones that 64 bits hold stand for "as much as
 * there is", and must go out as they came in: rounded up, other clients could not read them at all.
 */

const INT64_END = 2 ** 63;
const UINT64_END = 2 ** 64;
/** Half a surrogate pair, which no text of a client has in it: it marks a number that is written as text first. */
const MARK = '\ud800';
const MARKED = /"\\ud800(-?[0-9]+)"/g;
/** How 2^63 and what is beyond it up to 2^64 begin, in decimal, when JSON.stringify writes them. */
const MAY_BE_LARGE = /[0-9]{19}/;

export function jsonText(value: object): string {
  const text = JSON.stringify(value);
  if (!MAY_BE_LARGE.test(text)) return text;
  const marked = JSON.stringify(value, (_key, member: unknown) => {
    return typeof member === 'number' && Math.abs(member) >= INT64_END ? MARK + largeNumber(member) : member;
  });
  return marked.replace(MARKED, '$1');
}

function largeNumber(value: number): string {
  if (value === INT64_END) return String(2n ** 63n - 1n);
  if (value >= UINT64_END) return String(2n ** 64n - 1n);
  return value <= -INT64_END ? String(-(2n ** 63n)) : String(BigInt(value));
}
