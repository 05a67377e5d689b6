/**
 * Owns byte strings that are kept once each and known by a small number: subjects, message ids.
 *
 * An id and the bytes behind it are given out again together, to a string of the same length, after `release`: so memory
 * stays within the most that was ever held at once per length, however many strings come and go.
 */

const NONE = 0xffffffff;
const SEGMENT_BITS = 18;
const SEGMENT_BYTES = 1 << SEGMENT_BITS;
const FIRST_CAPACITY = 16;

/** FNV-1a with a final mix, so that the low bits depend on all bytes. */
export function hashBytes(buffer: Buffer, start: number, end: number): number {
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
  /** Open addressing with linear probing; a slot holds an id, or NONE. Its length is a power of two, twice the ids. */
  #slots = new Uint32Array(FIRST_CAPACITY * 2).fill(NONE);
  #hashes = new Uint32Array(FIRST_CAPACITY);
  #offsets = new Uint32Array(FIRST_CAPACITY);
  #lengths = new Uint16Array(FIRST_CAPACITY);
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
    this.#removeSlot(id);
    this.#size--;
    const length = this.#lengths[id]!;
    const free = this.#freeByLength.get(length);
    if (free === undefined) this.#freeByLength.set(length, [id]);
    else free.push(id);
  }

  /** The bytes of `id` are in segment(id)[startOf(id), startOf(id) + lengthOf(id)); valid until it is released. */
  segment(id: number): Buffer {
    return this.#segments[this.#offsets[id]! >>> SEGMENT_BITS]!;
  }

  startOf(id: number): number {
    return this.#offsets[id]! & (SEGMENT_BYTES - 1);
  }

  /** True when `id` stands for a string now. */
  holds(id: number): boolean {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = this.#hashes[id]! & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      if (slots[slot] === id) return true;
    }
    return false;
  }

  lengthOf(id: number): number {
    return this.#lengths[id]!;
  }

  toString(id: number): string {
    const start = this.startOf(id);
    return this.segment(id).toString('utf8', start, start + this.#lengths[id]!);
  }

  /** True when `id` stands for exactly buffer[start, end). */
  equals(id: number, buffer: Buffer, start: number, end: number): boolean {
    const length = end - start;
    return this.#lengths[id] === length && equalBytes(this.segment(id), this.startOf(id), buffer, start, length);
  }

  #probe(hash: number, buffer: Buffer, start: number, length: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot]!;
      if (id === NONE) return -1;
      if (this.#hashes[id] === hash && this.#lengths[id] === length) {
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
    if (this.#highest === this.#hashes.length) this.#grow();
    return this.#highest++;
  }

  #place(id: number, length: number): void {
    this.#offsets[id] = this.#reserve(length);
    this.#lengths[id] = length;
  }

  #hold(id: number, hash: number, buffer: Buffer, start: number, end: number): void {
    const offset = this.#offsets[id]!;
    buffer.copy(this.#segments[offset >>> SEGMENT_BITS]!, offset & (SEGMENT_BYTES - 1), start, end);
    this.#hashes[id] = hash;
    this.#insertSlot(hash, id);
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

  #grow(): void {
    const capacity = this.#hashes.length * 2;
    this.#hashes = grownUint32(this.#hashes, capacity);
    this.#offsets = grownUint32(this.#offsets, capacity);
    const lengths = new Uint16Array(capacity);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
    // Released ids have no slot; whoever has one is moved over.
    const held = this.#slots;
    this.#slots = new Uint32Array(capacity * 2).fill(NONE);
    for (const id of held) if (id !== NONE) this.#insertSlot(this.#hashes[id]!, id);
  }

  #insertSlot(hash: number, id: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  /** Closes the gap that a removed slot would leave in the probe sequences running over it. */
  #removeSlot(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let gap = this.#hashes[id]! & mask;
    while (slots[gap] !== id) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; slots[slot] !== NONE; slot = (slot + 1) & mask) {
      const home = this.#hashes[slots[slot]!]! & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[gap] = slots[slot]!;
      gap = slot;
    }
    slots[gap] = NONE;
  }
}

export function grownUint32(array: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(capacity);
  grown.set(array);
  return grown;
}

export function grownFloat64(array: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(capacity);
  grown.set(array);
  return grown;
}
