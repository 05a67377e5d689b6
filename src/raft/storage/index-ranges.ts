/** Owns sets of log positions as sorted, disjoint, closed ranges: dead entries, and what a follower holds. */
import type { LogIndex } from '../types.ts';

export class IndexRanges {
  /** first, last, first, last, ... ascending. */
  readonly #bounds: number[] = [];

  static from(ranges: Iterable<readonly [number, number]>): IndexRanges {
    const set = new IndexRanges();
    for (const [first, last] of ranges) set.addRange(first, last);
    return set;
  }

  get isEmpty(): boolean {
    return this.#bounds.length === 0;
  }

  add(index: LogIndex): void {
    this.addRange(index, index);
  }

  addRange(first: number, last: number): void {
    const bounds = this.#bounds;
    if (first > last) return;
    // What comes in order, the common case, is appended without a search.
    if (bounds.length === 0 || first > bounds[bounds.length - 1]! + 1) {
      bounds.push(first, last);
      return;
    }
    let start = 0;
    while (bounds[start + 1]! + 1 < first) start += 2;
    let end = start;
    let low = first;
    let high = last;
    while (end < bounds.length && bounds[end]! <= last + 1) {
      low = Math.min(low, bounds[end]!);
      high = Math.max(high, bounds[end + 1]!);
      end += 2;
    }
    bounds.splice(start, end - start, low, high);
  }

  has(index: LogIndex): boolean {
    const bounds = this.#bounds;
    let low = 0;
    let high = bounds.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (bounds[middle * 2 + 1]! < index) low = middle + 1;
      else high = middle;
    }
    return low * 2 < bounds.length && bounds[low * 2]! <= index;
  }

  addAll(other: IndexRanges): void {
    for (const [first, last] of other.ranges()) this.addRange(first, last);
  }

  /** True if some position at or below `through` is in the set. */
  hasUpTo(through: LogIndex): boolean {
    return this.#bounds.length > 0 && this.#bounds[0]! <= through;
  }

  /** Takes out up to `limit` positions at or below `through`, lowest first. */
  take(through: LogIndex, limit: number): LogIndex[] {
    const taken: LogIndex[] = [];
    const bounds = this.#bounds;
    while (taken.length < limit && bounds.length > 0 && bounds[0]! <= through) {
      taken.push(bounds[0]! as LogIndex);
      if (bounds[0] === bounds[1]) bounds.splice(0, 2);
      else bounds[0]!++;
    }
    return taken;
  }

  /** What is in this set and not in `other`. */
  without(other: IndexRanges): IndexRanges {
    const rest = new IndexRanges();
    const holes = other.ranges();
    let hole = 0;
    for (const [first, last] of this.ranges()) {
      let from = first;
      while (hole < holes.length && holes[hole]![1] < from) hole++;
      for (let at = hole; at < holes.length && holes[at]![0] <= last; at++) {
        rest.addRange(from, holes[at]![0] - 1);
        from = holes[at]![1] + 1;
      }
      rest.addRange(from, last);
    }
    return rest;
  }

  and(other: IndexRanges): IndexRanges {
    return this.without(this.without(other));
  }

  ranges(): [number, number][] {
    const ranges: [number, number][] = [];
    for (let at = 0; at < this.#bounds.length; at += 2) ranges.push([this.#bounds[at]!, this.#bounds[at + 1]!]);
    return ranges;
  }
}
