/**
 * Owns the subjects that have live messages: how many, and bounds for the first and last of them.
 *
 * Per subject: its bytes once, and about 40 bytes of columns and hash slots. `first` and `last` are exact until the
 * message there is removed; then they are a lower and an upper bound, and the store finds the exact one when it is asked.
 * Only the strings are checkpointed (a page per 256 ids): counts and bounds follow from the messages.
 */
import { grownFloat64, grownUint32, InternedStrings } from './interned-strings.ts';
import { PageTracker } from './page-tracker.ts';
import { hasWildcards } from '../base/subjects.ts';
import type { SubjectFilter } from './types.ts';

const IDS_PER_PAGE = 256;
const FIRST_CAPACITY = 16;

export class SubjectIndex {
  readonly pages: PageTracker;
  #strings = new InternedStrings();
  counts = new Uint32Array(FIRST_CAPACITY);
  /** No live message of the subject is below this. */
  firsts = new Float64Array(FIRST_CAPACITY);
  /** No live message of the subject is above this. */
  lasts = new Float64Array(FIRST_CAPACITY);
  /** Differs whenever an id was given to another subject: what was remembered about the id is void then. */
  births = new Uint32Array(FIRST_CAPACITY);
  #nextBirth = 1;

  constructor(pagePrefix: number) {
    this.pages = new PageTracker(pagePrefix, (page) => this.#encodePage(page));
  }

  /** Subjects with live messages. */
  get size(): number {
    return this.#strings.size;
  }

  get idLimit(): number {
    return this.#strings.idLimit;
  }

  find(subject: Buffer, start: number, end: number): number {
    return this.#strings.find(subject, start, end);
  }

  equals(id: number, subject: Buffer, start: number, end: number): boolean {
    return this.#strings.equals(id, subject, start, end);
  }

  /** The subject's id, made if need be; the caller then counts a message on it. */
  intern(subject: Buffer, start: number, end: number): number {
    const before = this.#strings.size;
    const id = this.#strings.intern(subject, start, end);
    if (this.#strings.size !== before) this.#begin(id);
    return id;
  }

  added(id: number, seq: number): void {
    if (this.counts[id]!++ === 0) this.firsts[id] = seq;
    this.lasts[id] = seq;
  }

  /** One message less; the last one takes the subject with it. */
  removed(id: number): void {
    if (this.counts[id] === 1) this.#release(id);
    else this.counts[id]!--;
  }

  /** True when the id was ever given to a subject. */
  isBorn(id: number): boolean {
    return id < this.births.length && this.births[id] !== 0;
  }

  segment(id: number): Buffer {
    return this.#strings.segment(id);
  }

  startOf(id: number): number {
    return this.#strings.startOf(id);
  }

  lengthOf(id: number): number {
    return this.#strings.lengthOf(id);
  }

  toString(id: number): string {
    return this.#strings.toString(id);
  }

  matches(id: number, filter: SubjectFilter): boolean {
    const start = this.#strings.startOf(id);
    return filter.matches(this.#strings.segment(id), start, start + this.#strings.lengthOf(id));
  }

  /** Ids of all matching subjects, in no order that means anything. Literal filters look up instead of searching. */
  matching(filter: SubjectFilter | undefined): number[] {
    const ids: number[] = [];
    if (filter !== undefined && !filter.subjects.some(hasWildcards)) {
      for (const subject of new Set(filter.subjects)) {
        const bytes = Buffer.from(subject);
        const id = this.#strings.find(bytes, 0, bytes.length);
        if (id >= 0) ids.push(id);
      }
      return ids;
    }
    for (let id = 0; id < this.#strings.idLimit; id++) {
      if (this.counts[id] !== 0 && (filter === undefined || this.matches(id, filter))) ids.push(id);
    }
    return ids;
  }

  /** Forgets all subjects at once. */
  clear(): void {
    for (let id = 0; id < this.#strings.idLimit; id += IDS_PER_PAGE) this.pages.touch(id / IDS_PER_PAGE);
    this.#strings = new InternedStrings();
    this.counts = new Uint32Array(FIRST_CAPACITY);
    this.firsts = new Float64Array(FIRST_CAPACITY);
    this.lasts = new Float64Array(FIRST_CAPACITY);
    this.births = new Uint32Array(FIRST_CAPACITY);
  }

  /** Takes in a page of a checkpoint, in order of pages. False: it is not one of ours. */
  restorePage(page: number, value: Buffer): boolean {
    let at = 0;
    while (at < value.length) {
      if (at + 4 > value.length) return false;
      const start = at + 4;
      const end = start + value.readUInt16BE(at + 2);
      if (end > value.length) return false;
      const id = page * IDS_PER_PAGE + value.readUInt16BE(at);
      if (!this.#strings.restore(id, value, start, end)) return false;
      this.#makeRoom(id);
      this.#bear(id);
      at = end;
    }
    return true;
  }

  /** Forgets subjects that came with a checkpoint but have no message. */
  dropUncounted(): void {
    for (let id = 0; id < this.#strings.idLimit; id++) {
      if (this.counts[id] === 0 && this.#strings.holds(id)) this.#release(id);
    }
  }

  #begin(id: number): void {
    this.#makeRoom(id);
    this.#bear(id);
    this.pages.touch(Math.floor(id / IDS_PER_PAGE));
  }

  #makeRoom(id: number): void {
    if (id < this.counts.length) return;
    let capacity = this.counts.length;
    while (capacity <= id) capacity *= 2;
    this.counts = grownUint32(this.counts, capacity);
    this.firsts = grownFloat64(this.firsts, capacity);
    this.lasts = grownFloat64(this.lasts, capacity);
    this.births = grownUint32(this.births, capacity);
  }

  #bear(id: number): void {
    this.counts[id] = 0;
    this.births[id] = this.#nextBirth;
    this.#nextBirth = (this.#nextBirth + 1) >>> 0;
  }

  #release(id: number): void {
    this.pages.touch(Math.floor(id / IDS_PER_PAGE));
    this.counts[id] = 0;
    this.#strings.release(id);
  }

  /** `u16 id within the page | u16 length | bytes` for each subject with messages. */
  #encodePage(page: number): Buffer | undefined {
    const first = page * IDS_PER_PAGE;
    const end = Math.min(first + IDS_PER_PAGE, this.#strings.idLimit);
    let bytes = 0;
    for (let id = first; id < end; id++) if (this.counts[id] !== 0) bytes += 4 + this.#strings.lengthOf(id);
    if (bytes === 0) return undefined;
    const value = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (let id = first; id < end; id++) {
      if (this.counts[id] === 0) continue;
      const start = this.#strings.startOf(id);
      const length = this.#strings.lengthOf(id);
      at = value.writeUInt16BE(id - first, at);
      at = value.writeUInt16BE(length, at);
      at += this.#strings.segment(id).copy(value, at, start, start + length);
    }
    return value;
  }
}
