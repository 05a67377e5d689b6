/**
 * Owns the subjects that have live messages: how many, and bounds for the first and last of them.
 *
 * Per subject: its bytes once, and about 45 bytes of columns and hash slots. `first` is exact until the message there is
 * removed; then it is a lower bound, and the store finds the exact one when it is asked. `last` knows which of both it is.
 * Only the strings are checkpointed (a page per 256 ids): counts and bounds follow from the messages.
 *
 * A subject that loses its last message is dormant: it keeps its id, so that it costs nothing to come back. When more are
 * dormant than live, each new subject makes some of them go for good; ids are given out again then.
 */
import { hasWildcards } from '../../base/subjects.ts';
import { Float64Column, Uint32Column } from './columns.ts';
import { IdSet } from './id-set.ts';
import { InternedStrings } from './interned-strings.ts';
import { PageTracker } from './page-tracker.ts';
import { SubjectPattern } from './subject-pattern.ts';
import { GROUP_BITS, IDS_PER_GROUP, matchGroup, SubjectSummary, type SubjectGroup } from './subject-summary.ts';
import type { SubjectFilter } from '../types.ts';

/** So few dormant subjects are let be. */
const DORMANT_MIN = 1024;
/** Ids looked at with each new subject while there are too many dormant ones. */
const IDS_PER_BIRTH = 8;

/** See `SubjectIndex.around`. */
export interface SubjectsAround {
  readonly behind: number;
  readonly across: IdSet;
  readonly acrossMessages: number;
}

export class SubjectIndex {
  readonly pages: PageTracker;
  #strings = new InternedStrings();
  #counts = new Uint32Column();
  /** No live message of the subject is below this. */
  #firsts = new Float64Column();
  /** The subject's last live message, or, negative, a bound that no live message is above. */
  #lasts = new Float64Column();
  /** Differs whenever an id was given to another subject: what was remembered about the id is void then. 0: nobody's. */
  #births = new Uint32Column();
  readonly #summary = new SubjectSummary({
    forEachOf: (group, each) => {
      this.#forEachHeld(group, each);
    },
  });
  #nextBirth = 1;
  /** The columns have room for ids below this. */
  #room = 0;
  #live = 0;
  /** Where the search for dormant subjects goes on. */
  #sweepAt = 0;

  constructor(pagePrefix: number) {
    this.pages = new PageTracker(pagePrefix, (page) => this.#encodePage(page));
  }

  /** Subjects with live messages. */
  get size(): number {
    return this.#live;
  }

  get idLimit(): number {
    return this.#strings.idLimit;
  }

  /** The id of a subject with live messages, or -1. */
  find(subject: Buffer, start: number, end: number): number {
    const id = this.#strings.find(subject, start, end);
    return id < 0 || this.#counts.get(id) === 0 ? -1 : id;
  }

  /** The subject's id, made if need be; the caller then counts a message on it. */
  intern(subject: Buffer, start: number, end: number): number {
    const id = this.#strings.intern(subject, start, end);
    if (id >= this.#room) this.#makeRoom(id);
    if (this.#births.get(id) === 0) {
      this.#bear(id, subject, start, end);
      this.#releaseSome(id);
    }
    return id;
  }

  added(id: number, seq: number): void {
    const count = this.#counts.get(id);
    if (count === 0) this.pages.touch(id >>> GROUP_BITS);
    this.#count(id, count, seq);
  }

  /** One message less; the last one takes the subject with it. */
  removed(id: number): void {
    const left = this.#counts.get(id) - 1;
    if (left === 0) {
      this.pages.touch(id >>> GROUP_BITS);
      this.#live--;
    }
    this.#counts.set(id, left);
    this.#summary.removed(id);
  }

  countOf(id: number): number {
    return this.#counts.get(id);
  }

  firstBound(id: number): number {
    return this.#firsts.get(id);
  }

  setFirst(id: number, seq: number): void {
    this.#firsts.set(id, seq);
  }

  /** No live message of the subject is above this. */
  lastBound(id: number): number {
    return Math.abs(this.#lasts.get(id));
  }

  /** The subject's last live message; 0: only the bound is known. */
  exactLast(id: number): number {
    return Math.max(0, this.#lasts.get(id));
  }

  setLast(id: number, seq: number): void {
    this.#lasts.set(id, seq);
  }

  /** The message at `seq` goes, others of the subject stay. */
  lostLast(id: number, seq: number): void {
    if (this.#lasts.get(id) === seq) this.#lasts.set(id, -seq);
  }

  birthOf(id: number): number {
    return this.#births.get(id);
  }

  /** True when the id stands for a subject with messages. */
  isLive(id: number): boolean {
    return id < this.#room && this.#counts.get(id) !== 0;
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

  /** True if every subject with messages matches, as far as can be told without looking at each. */
  allMatch(filter: SubjectFilter): boolean {
    const patterns = patternsOf(filter);
    for (const group of this.#summary.groups) {
      if (group.messages > 0 && matchGroup(group, patterns) !== 'all') return false;
    }
    return true;
  }

  /** Ids of matching subjects, `limit` of them at most, in no order that means anything. */
  matching(filter: SubjectFilter | undefined, limit = Infinity): number[] {
    const ids: number[] = [];
    if (filter !== undefined && isLiteral(filter)) {
      for (const id of this.#idsOf(filter)) if (ids.length < limit) ids.push(id);
      return ids;
    }
    this.#eachMatchingGroup(filter, (number, _group, whole) => {
      const end = this.#endOf(number);
      for (let id = number << GROUP_BITS; id < end && ids.length < limit; id++) {
        if (this.#counts.get(id) !== 0 && (whole || this.matches(id, filter!))) ids.push(id);
      }
      return ids.length < limit;
    });
    return ids;
  }

  /** The same as a set. */
  select(filter: SubjectFilter): IdSet {
    const set = new IdSet(this.#strings.idLimit);
    if (isLiteral(filter)) {
      for (const id of this.#idsOf(filter)) set.add(id);
      return set;
    }
    this.#eachMatchingGroup(filter, (number, _group, whole) => {
      const end = this.#endOf(number);
      for (let id = number << GROUP_BITS; id < end; id++) {
        if (this.#counts.get(id) !== 0 && (whole || this.matches(id, filter))) set.add(id);
      }
      return true;
    });
    return set;
  }

  /**
   * Tells matching subjects apart by where their messages lie: `behind` is how many those have that are not below `from`
   * with any; `across` are the subjects that may be on both sides of it, with `acrossMessages` in all.
   */
  around(filter: SubjectFilter, from: number): SubjectsAround {
    const across = new IdSet(this.#strings.idLimit);
    const around = { behind: 0, across, acrossMessages: 0 };
    const look = (id: number): void => {
      const count = this.#counts.get(id);
      if (this.#firsts.get(id) >= from) around.behind += count;
      else if (this.lastBound(id) >= from) {
        across.add(id);
        around.acrossMessages += count;
      }
    };
    if (isLiteral(filter)) {
      for (const id of this.#idsOf(filter)) look(id);
      return around;
    }
    this.#eachMatchingGroup(filter, (number, group, whole) => {
      const end = this.#endOf(number);
      if (group.last < from) return true;
      for (let id = number << GROUP_BITS; id < end; id++) {
        if (this.#counts.get(id) !== 0 && (whole || this.matches(id, filter))) look(id);
      }
      return true;
    });
    return around;
  }

  /** Live messages of all matching subjects. */
  countMatching(filter: SubjectFilter): number {
    let count = 0;
    if (isLiteral(filter)) {
      for (const id of this.#idsOf(filter)) count += this.#counts.get(id);
      return count;
    }
    this.#eachMatchingGroup(filter, (number, group, whole) => {
      if (whole) {
        count += group.messages;
        return true;
      }
      const end = this.#endOf(number);
      for (let id = number << GROUP_BITS; id < end; id++) {
        if (this.#counts.get(id) !== 0 && this.matches(id, filter)) count += this.#counts.get(id);
      }
      return true;
    });
    return count;
  }

  /** Highest of what `lastOf` says about matching subjects; 0: there are none. It is asked only where it may be highest. */
  highestLast(filter: SubjectFilter, lastOf: (id: number) => number): number {
    let highest = 0;
    const look = (id: number): void => {
      if (this.#counts.get(id) === 0 || this.lastBound(id) <= highest || !this.matches(id, filter)) return;
      highest = Math.max(highest, lastOf(id));
    };
    if (isLiteral(filter)) {
      for (const id of this.#idsOf(filter)) look(id);
      return highest;
    }
    const groups: { readonly number: number; readonly last: number }[] = [];
    this.#eachMatchingGroup(filter, (number, { last }) => {
      groups.push({ number, last });
      return true;
    });
    for (const { number, last } of groups.sort((a, b) => b.last - a.last)) {
      if (last <= highest) break;
      const end = this.#endOf(number);
      for (let id = number << GROUP_BITS; id < end; id++) look(id);
    }
    return highest;
  }

  /** Forgets all subjects at once. */
  clear(): void {
    for (let id = 0; id < this.#strings.idLimit; id += IDS_PER_GROUP) this.pages.touch(id >>> GROUP_BITS);
    this.#strings = new InternedStrings();
    this.#counts = new Uint32Column();
    this.#firsts = new Float64Column();
    this.#lasts = new Float64Column();
    this.#births = new Uint32Column();
    this.#summary.clear();
    this.#live = 0;
    this.#room = 0;
    this.#sweepAt = 0;
  }

  /** Takes in a page of a checkpoint, in order of pages. False: it is not one of ours. */
  restorePage(page: number, value: Buffer): boolean {
    let at = 0;
    while (at < value.length) {
      if (at + 4 > value.length) return false;
      const start = at + 4;
      const end = start + value.readUInt16BE(at + 2);
      if (end > value.length) return false;
      const id = page * IDS_PER_GROUP + value.readUInt16BE(at);
      if (!this.#strings.restore(id, value, start, end)) return false;
      if (id >= this.#room) this.#makeRoom(id);
      this.#bear(id, value, start, end);
      at = end;
    }
    return true;
  }

  /** A message of a checkpoint, whose page says so already. False: the id is nobody's. */
  restored(id: number, seq: number): boolean {
    if (id >= this.#room || this.#births.get(id) === 0) return false;
    this.#count(id, this.#counts.get(id), seq);
    return true;
  }

  /** Forgets subjects that came with a checkpoint but have no message. */
  dropUncounted(): void {
    for (let id = 0; id < this.#strings.idLimit; id++) if (this.#isDormant(id)) this.#release(id);
  }

  #count(id: number, count: number, seq: number): void {
    if (count === 0) {
      this.#firsts.set(id, seq);
      this.#live++;
    }
    this.#counts.set(id, count + 1);
    this.#lasts.set(id, seq);
    this.#summary.added(id, seq);
  }

  *#idsOf(filter: SubjectFilter): Iterable<number> {
    for (const subject of new Set(filter.subjects)) {
      const bytes = Buffer.from(subject);
      const id = this.find(bytes, 0, bytes.length);
      if (id >= 0) yield id;
    }
  }

  /** Calls `visit` for groups that may have matching subjects; `whole`: all of theirs match. Ends when it returns false. */
  #eachMatchingGroup(
    filter: SubjectFilter | undefined,
    visit: (number: number, group: SubjectGroup, whole: boolean) => boolean,
  ): void {
    const patterns = filter && patternsOf(filter);
    const { groups } = this.#summary;
    for (let number = 0; number < groups.length; number++) {
      const group = groups[number]!;
      if (group.messages === 0) continue;
      const match = patterns === undefined ? 'all' : matchGroup(group, patterns);
      if (match !== 'none' && !visit(number, group, match === 'all')) return;
    }
  }

  #forEachHeld(group: number, each: (buffer: Buffer, start: number, end: number) => void): void {
    const end = this.#endOf(group);
    for (let id = group << GROUP_BITS; id < end; id++) {
      if (this.#births.get(id) === 0) continue;
      const start = this.#strings.startOf(id);
      each(this.#strings.segment(id), start, start + this.#strings.lengthOf(id));
    }
  }

  #endOf(group: number): number {
    return Math.min((group + 1) << GROUP_BITS, this.#strings.idLimit);
  }

  #makeRoom(id: number): void {
    this.#room = id + 1;
    this.#counts.reserve(id + 1);
    this.#firsts.reserve(id + 1);
    this.#lasts.reserve(id + 1);
    this.#births.reserve(id + 1);
  }

  #bear(id: number, subject: Buffer, start: number, end: number): void {
    this.#counts.set(id, 0);
    this.#births.set(id, this.#nextBirth);
    this.#nextBirth = Math.max(1, (this.#nextBirth + 1) >>> 0);
    this.#summary.born(id, subject, start, end);
  }

  #isDormant(id: number): boolean {
    return this.#counts.get(id) === 0 && this.#births.get(id) !== 0;
  }

  /** `born` has no message yet. */
  #releaseSome(born: number): void {
    const dormant = this.#strings.size - this.#live;
    if (dormant <= Math.max(DORMANT_MIN, this.#live)) return;
    for (let looked = 0; looked < IDS_PER_BIRTH; looked++) {
      if (this.#sweepAt >= this.#strings.idLimit) this.#sweepAt = 0;
      const id = this.#sweepAt++;
      if (id !== born && this.#isDormant(id)) this.#release(id);
    }
  }

  #release(id: number): void {
    this.#births.set(id, 0);
    this.#strings.release(id);
  }

  /** `u16 id within the page | u16 length | bytes` for each subject with messages. */
  #encodePage(page: number): Buffer | undefined {
    const first = page * IDS_PER_GROUP;
    const end = Math.min(first + IDS_PER_GROUP, this.#strings.idLimit);
    let bytes = 0;
    for (let id = first; id < end; id++) if (this.#counts.get(id) !== 0) bytes += 4 + this.#strings.lengthOf(id);
    if (bytes === 0) return undefined;
    const value = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    for (let id = first; id < end; id++) {
      if (this.#counts.get(id) === 0) continue;
      const start = this.#strings.startOf(id);
      const length = this.#strings.lengthOf(id);
      at = value.writeUInt16BE(id - first, at);
      at = value.writeUInt16BE(length, at);
      at += this.#strings.segment(id).copy(value, at, start, start + length);
    }
    return value;
  }
}

function isLiteral(filter: SubjectFilter): boolean {
  return !filter.subjects.some(hasWildcards);
}

function patternsOf(filter: SubjectFilter): SubjectPattern[] {
  return filter.subjects.map((subject) => new SubjectPattern(subject));
}
