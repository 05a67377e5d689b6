/**
 * Owns byte strings that are kept once each and known by a small number: subjects, message ids.
 *
 * An id and the bytes behind it are given out again together, to a string of the same length, after `release`: so memory
 * stays within the most that was ever held at once per length, however many strings come and go.
 */

import { copyBytes } from '../../base/byte-writing.ts';
import { Uint32Column } from './columns.ts';

const NONE = -1;
const SEGMENT_BITS = 18;
const SEGMENT_BYTES = 1 << SEGMENT_BITS;
const FIRST_SLOTS = 32;
/** With so many strings the hash table falls into shards, which grow one by one: no string has to wait for all others. */
const SHARD_AT = 16_384;
const SHARD_BITS = 10;

/** FNV-1a with a final mix, so that the low bits depend on all bytes. */
function hashBytes(buffer: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ buffer[i]!, 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}

function equalBytes(a: Buffer, aStart: number, b: Buffer, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

export class InternedStrings {
  readonly #table = new SlotTable();
  readonly #hashes = new Uint32Column();
  readonly #offsets = new Uint32Column();
  readonly #lengths = new Uint32Column();
  #segments: Buffer[] = [];
  /** Bytes used of the last segment. */
  #fill = 0;
  readonly #freeByLength = new Map<number, number[]>();
  /** Ids without bytes of their own: `restore` skipped them. */
  readonly #vacant: number[] = [];
  #size = 0;
  #highest = 0;

  /** Strings held. */
  get size(): number {
    return this.#size;
  }

  /** Every id is below this. */
  get idLimit(): number {
    return this.#highest;
  }

  /** The id of buffer[start, end), or -1. */
  find(buffer: Buffer, start: number, end: number): number {
    return this.#probe(hashBytes(buffer, start, end), buffer, start, end - start);
  }

  /** The id of buffer[start, end), which is copied if it is new. At most 65535 bytes. */
  intern(buffer: Buffer, start: number, end: number): number {
    const hash = hashBytes(buffer, start, end);
    const length = end - start;
    const known = this.#probe(hash, buffer, start, length);
    if (known >= 0) return known;
    const id = this.#allocate(length);
    this.#hold(id, hash, buffer, start, end);
    return id;
  }

  /** Puts buffer[start, end) under an id above all that were given out. False: the id or the string is not new. */
  restore(id: number, buffer: Buffer, start: number, end: number): boolean {
    const hash = hashBytes(buffer, start, end);
    if (id < this.#highest || this.#probe(hash, buffer, start, end - start) >= 0) return false;
    while (this.#highest < id) {
      this.#vacant.push(this.#highest);
      this.#claimHighest();
    }
    this.#place(this.#claimHighest(), end - start);
    this.#hold(id, hash, buffer, start, end);
    return true;
  }

  /** Forgets the string; its id may be given to another one. */
  release(id: number): void {
    this.#table.remove(id, this.#hashes);
    this.#size--;
    const length = this.#lengths.get(id);
    const free = this.#freeByLength.get(length);
    if (free === undefined) this.#freeByLength.set(length, [id]);
    else free.push(id);
  }

  /** The bytes of `id` are in segment(id)[startOf(id), startOf(id) + lengthOf(id)); valid until it is released. */
  segment(id: number): Buffer {
    return this.#segments[this.#offsets.get(id) >>> SEGMENT_BITS]!;
  }

  startOf(id: number): number {
    return this.#offsets.get(id) & (SEGMENT_BYTES - 1);
  }

  lengthOf(id: number): number {
    return this.#lengths.get(id);
  }

  toString(id: number): string {
    const start = this.startOf(id);
    return this.segment(id).toString('utf8', start, start + this.#lengths.get(id));
  }

  #probe(hash: number, buffer: Buffer, start: number, length: number): number {
    const slots = this.#table.shardOf(hash);
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot]!;
      if (id === NONE) return -1;
      if (this.#hashes.get(id) === hash && this.#lengths.get(id) === length) {
        if (equalBytes(this.segment(id), this.startOf(id), buffer, start, length)) return id;
      }
    }
  }

  #allocate(length: number): number {
    const reused = this.#freeByLength.get(length)?.pop();
    if (reused !== undefined) return reused;
    const id = this.#vacant.pop() ?? this.#claimHighest();
    this.#place(id, length);
    return id;
  }

  #claimHighest(): number {
    const id = this.#highest++;
    this.#hashes.reserve(this.#highest);
    this.#offsets.reserve(this.#highest);
    this.#lengths.reserve(this.#highest);
    return id;
  }

  #place(id: number, length: number): void {
    this.#offsets.set(id, this.#reserve(length));
    this.#lengths.set(id, length);
  }

  #hold(id: number, hash: number, buffer: Buffer, start: number, end: number): void {
    const offset = this.#offsets.get(id);
    copyBytes(this.#segments[offset >>> SEGMENT_BITS]!, offset & (SEGMENT_BYTES - 1), buffer, start, end);
    this.#hashes.set(id, hash);
    this.#table.insert(id, hash, this.#hashes);
    this.#size++;
  }

  /** Room for `length` bytes within one segment. The first one starts small: most streams have few subjects. */
  #reserve(length: number): number {
    let last = this.#segments.length - 1;
    if (last < 0 || this.#fill + length > SEGMENT_BYTES) {
      this.#segments.push(Buffer.allocUnsafeSlow(Math.max(last < 0 ? 512 : SEGMENT_BYTES, length)));
      last++;
      this.#fill = 0;
    }
    const segment = this.#segments[last]!;
    if (this.#fill + length > segment.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(SEGMENT_BYTES, Math.max(segment.length * 2, this.#fill + length)));
      segment.copy(grown, 0, 0, this.#fill);
      this.#segments[last] = grown;
    }
    const offset = last * SEGMENT_BYTES + this.#fill;
    this.#fill += length;
    return offset;
  }
}

/** Open addressing with linear probing: a slot holds an id, or NONE. The length of a shard is a power of two. */
class SlotTable {
  #bits = 0;
  #shards: Int32Array[] = [emptySlots(FIRST_SLOTS)];
  #held = new Uint32Array(1);

  shardOf(hash: number): Int32Array {
    return this.#shards[this.#bits === 0 ? 0 : hash >>> (32 - this.#bits)]!;
  }

  /** `hashes` holds those of all ids. */
  insert(id: number, hash: number, hashes: Uint32Column): void {
    const number = this.#numberOf(hash);
    if (++this.#held[number]! * 2 > this.#shards[number]!.length) {
      if (this.#bits === 0 && this.#held[0]! >= SHARD_AT) {
        this.#split(hashes);
        this.#held[this.#numberOf(hash)]!++;
      } else {
        this.#double(number, hashes);
      }
    }
    insertSlot(this.shardOf(hash), id, hash);
  }

  /** Closes the gap that a removed slot would leave in the probe sequences running over it. */
  remove(id: number, hashes: Uint32Column): void {
    const number = this.#numberOf(hashes.get(id));
    this.#held[number]!--;
    const slots = this.#shards[number]!;
    const mask = slots.length - 1;
    let gap = hashes.get(id) & mask;
    while (slots[gap] !== id) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = hashes.get(slots[slot]!) & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[gap] = slots[slot]!;
      gap = slot;
    }
    slots[gap] = NONE;
  }

  #numberOf(hash: number): number {
    return this.#bits === 0 ? 0 : hash >>> (32 - this.#bits);
  }

  #double(number: number, hashes: Uint32Column): void {
    const slots = this.#shards[number]!;
    const doubled = emptySlots(slots.length * 2);
    for (const id of slots) if (id !== NONE) insertSlot(doubled, id, hashes.get(id));
    this.#shards[number] = doubled;
  }

  #split(hashes: Uint32Column): void {
    const whole = this.#shards[0]!;
    this.#bits = SHARD_BITS;
    const shards = 1 << SHARD_BITS;
    this.#held = new Uint32Array(shards);
    this.#shards = Array.from({ length: shards }, () => emptySlots((4 * SHARD_AT) / shards));
    for (const id of whole) if (id !== NONE) this.insert(id, hashes.get(id), hashes);
  }
}

function emptySlots(length: number): Int32Array {
  return new Int32Array(length).fill(NONE);
}

function insertSlot(slots: Int32Array, id: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== NONE) slot = (slot + 1) & mask;
  slots[slot] = id;
}
