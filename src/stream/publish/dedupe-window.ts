/**
 * Owns the message ids seen within the duplicate window, and the sequences they were stored under. Time comes from
 * entries. An id lives from its message's time until the window has passed, whatever becomes of the message.
 */
import { Float64Column } from '../store/columns.ts';
import { InternedStrings } from '../store/interned-strings.ts';
import { PageTracker } from '../store/page-tracker.ts';

export const DEDUPE_PAGES = 0x34;
const IDS_PER_PAGE = 512;
/** Differs from the reference server, which knows no bound: the oldest ids go early when there are more than this. */
const MAX_DEDUPE_IDS = 8 * 1024 * 1024;
const FIRST_CAPACITY = 16;
const ENTRY_BYTES = 18;

export class DedupeWindow {
  readonly pages: PageTracker;
  readonly #ids = new InternedStrings();
  /** By id of the interned string: its place in the queue. */
  readonly #ordinals = new Float64Column();
  /** A ring in order of time. Ordinals count up for ever; a place in the ring is the ordinal modulo its length. */
  #seqs = new Float64Array(FIRST_CAPACITY);
  #timesUs = new Float64Array(FIRST_CAPACITY);
  #held = new Uint32Array(FIRST_CAPACITY);
  #head = 0;
  #tail = 0;

  constructor() {
    this.pages = new PageTracker(DEDUPE_PAGES, (page) => this.#encodePage(page));
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  /** Ids were forgotten up to here; goes with a checkpoint, as its pages may still hold some of them. */
  get head(): number {
    return this.#head;
  }

  /** The sequence that buffer[start, end) was stored under after `afterUs`, or 0. */
  find(buffer: Buffer, start: number, end: number, afterUs = -Infinity): number {
    if (this.#head === this.#tail) return 0;
    const id = this.#ids.find(buffer, start, end);
    if (id < 0) return 0;
    const place = this.#ordinals.get(id) % this.#seqs.length;
    return this.#timesUs[place]! > afterUs ? this.#seqs[place]! : 0;
  }

  /** Remembers an id that is not held. `timeUs` never falls. */
  add(buffer: Buffer, start: number, end: number, seq: number, timeUs: number): void {
    if (this.size >= MAX_DEDUPE_IDS) this.#forgetOldest();
    if (this.size === this.#seqs.length) this.#grow();
    const ordinal = this.#tail;
    const page = Math.floor(ordinal / IDS_PER_PAGE);
    if (ordinal % IDS_PER_PAGE === 0) this.pages.created(page);
    else this.pages.touch(page);
    this.#append(this.#ids.intern(buffer, start, end), seq, timeUs);
  }

  /** Forgets what was stored at or before `timeUs`. */
  expire(timeUs: number): void {
    while (this.#head < this.#tail && this.#timesUs[this.#head % this.#seqs.length]! <= timeUs) this.#forgetOldest();
  }

  /** Takes in a page of a checkpoint, in order of pages. False: it is not one of ours. */
  restorePage(page: number, value: Buffer): boolean {
    if (value.length < 2) return false;
    let at = 2;
    const first = page * IDS_PER_PAGE + value.readUInt16BE(0);
    if (this.#head === this.#tail) this.#head = this.#tail = first;
    if (first !== this.#tail) return false;
    while (at < value.length) {
      if (at + ENTRY_BYTES > value.length) return false;
      const start = at + ENTRY_BYTES;
      const end = start + value.readUInt16BE(at + 16);
      if (end > value.length) return false;
      if (this.size === this.#seqs.length) this.#grow();
      this.#append(this.#ids.intern(value, start, end), value.readDoubleBE(at), value.readDoubleBE(at + 8));
      at = end;
    }
    return true;
  }

  /** Once all pages are in: forgets what was forgotten when they were written. */
  restoreHead(head: number): void {
    while (this.#head < this.#tail && this.#head < head) this.#forgetOldest();
  }

  #append(id: number, seq: number, timeUs: number): void {
    const ordinal = this.#tail++;
    this.#ordinals.reserve(id + 1);
    this.#ordinals.set(id, ordinal);
    const place = ordinal % this.#seqs.length;
    this.#seqs[place] = seq;
    this.#timesUs[place] = timeUs;
    this.#held[place] = id;
  }

  #forgetOldest(): void {
    const ordinal = this.#head;
    const page = Math.floor(ordinal / IDS_PER_PAGE);
    // A frozen page must keep the id: replay from that checkpoint decides by it. A page goes when all its ids went.
    if (ordinal % IDS_PER_PAGE === IDS_PER_PAGE - 1) this.pages.touch(page);
    else this.pages.preserve(page);
    this.#ids.release(this.#held[ordinal % this.#seqs.length]!);
    this.#head++;
  }

  #grow(): void {
    const capacity = this.#seqs.length * 2;
    const seqs = new Float64Array(capacity);
    const times = new Float64Array(capacity);
    const held = new Uint32Array(capacity);
    for (let ordinal = this.#head; ordinal < this.#tail; ordinal++) {
      const from = ordinal % this.#seqs.length;
      seqs[ordinal % capacity] = this.#seqs[from]!;
      times[ordinal % capacity] = this.#timesUs[from]!;
      held[ordinal % capacity] = this.#held[from]!;
    }
    this.#seqs = seqs;
    this.#timesUs = times;
    this.#held = held;
  }

  /** `u16 first within the page`, then `f64 seq | f64 timeUs | u16 length | id` for each. */
  #encodePage(page: number): Buffer | undefined {
    const first = Math.max(this.#head, page * IDS_PER_PAGE);
    const end = Math.min(this.#tail, (page + 1) * IDS_PER_PAGE);
    if (first >= end) return undefined;
    let bytes = 2;
    for (let ordinal = first; ordinal < end; ordinal++) {
      bytes += ENTRY_BYTES + this.#ids.lengthOf(this.#held[ordinal % this.#seqs.length]!);
    }
    const value = Buffer.allocUnsafeSlow(bytes);
    let at = value.writeUInt16BE(first - page * IDS_PER_PAGE, 0);
    for (let ordinal = first; ordinal < end; ordinal++) {
      const place = ordinal % this.#seqs.length;
      const id = this.#held[place]!;
      const start = this.#ids.startOf(id);
      at = value.writeDoubleBE(this.#seqs[place]!, at);
      at = value.writeDoubleBE(this.#timesUs[place]!, at);
      at = value.writeUInt16BE(this.#ids.lengthOf(id), at);
      at += this.#ids.segment(id).copy(value, at, start, start + this.#ids.lengthOf(id));
    }
    return value;
  }
}
