/** Owns questions about a stream's messages that a filter narrows; answered from subjects and blocks, never from records. */
import { BlockRef } from './block-table.ts';
import type { IdSet } from './id-set.ts';
import type { MessageStore } from './message-store.ts';
import { sortInSlices } from './sliced-sort.ts';
import { sortedDistinct } from './sorted-distinct.ts';
import { SubjectMatcher } from './subject-matcher.ts';
import type { SubjectFilter } from '../types.ts';

/** Sequences looked at before others get their turn: about a millisecond. */
const SEQS_PER_TURN = 250_000;
const SUBJECTS_PER_TURN = 4096;

/** Lets others have their turn. The store may be another afterwards. */
export type Pause = () => Promise<void>;

/** Highest live sequence whose subject matches; 0 if none. */
export function lastSeqOf(store: MessageStore, filter: SubjectFilter | undefined): number {
  if (filter === undefined) return store.lastLive();
  return store.subjects.highestLast(filter, (id) => store.lastOf(id));
}

/** The last sequence of each matching subject, ascending; at most `limit + 1` of them. */
export function lastSeqPerSubject(
  store: MessageStore,
  filter: SubjectFilter | undefined,
  limit: number,
): Float64Array<ArrayBuffer> {
  const ids = store.subjects.matching(filter, limit + 1);
  const seqs = new Float64Array(ids.length);
  for (let i = 0; i < ids.length; i++) seqs[i] = store.lastOf(ids[i]!);
  return sortedDistinct(seqs);
}

/** Live messages per matching subject, sorted by subject. */
export async function subjectCounts(
  store: MessageStore,
  filter: SubjectFilter,
  pause: Pause,
): Promise<[subject: string, count: number][]> {
  const { subjects } = store;
  const ids = subjects.matching(filter);
  const births = Uint32Array.from(ids, (id) => subjects.birthOf(id));
  const counts: [string, number][] = [];
  for (let i = 0; i < ids.length; i++) {
    if (i % SUBJECTS_PER_TURN === SUBJECTS_PER_TURN - 1) await pause();
    const id = ids[i]!;
    // It may have gone meanwhile, and its id may be another's.
    if (!subjects.isLive(id) || subjects.birthOf(id) !== births[i]) continue;
    counts.push([subjects.toString(id), subjects.countOf(id)]);
  }
  return sortInSlices(counts, ([a], [b]) => (a < b ? -1 : 1), pause);
}

/** Least live matching sequence at or behind `from`; 0 if none. */
export async function nextSeqOf(
  current: () => MessageStore,
  filter: SubjectFilter,
  from: number,
  pause: Pause,
): Promise<number> {
  for (let position = from; ;) {
    const store = current();
    if (store.subjects.allMatch(filter)) {
      const next = store.nextLive(position);
      return next > store.lastSeq ? 0 : next;
    }
    const found = scanForNext(store, store.subjects.select(filter), position);
    if (!found.goesOn) return found.seq;
    position = found.seq;
    await pause();
  }
}

/** `goesOn`: nothing below `seq`, where the search is to go on. Otherwise the answer, 0 for none. */
function scanForNext(store: MessageStore, wanted: IdSet, from: number): { seq: number; goesOn: boolean } {
  if (wanted.isFew) {
    let least = Infinity;
    for (const id of wanted.few) {
      const next = store.nextOf(id, from);
      if (next !== 0 && next < least) least = next;
    }
    return { seq: least === Infinity ? 0 : least, goesOn: false };
  }
  const ref = new BlockRef();
  let looked = 0;
  for (let found = store.table.seek(from, ref); found; found = store.table.next(ref)) {
    const { chunk, row } = ref;
    const first = chunk.firstSeq[row]!;
    const end = chunk.endSeq(row);
    if (looked > SEQS_PER_TURN) return { seq: Math.max(first, from), goesOn: true };
    for (let seq = Math.max(first, from); seq < end; seq++) {
      if (wanted.has(chunk.subjectAt(row, seq - first)) && chunk.isLive(row, seq - first)) {
        return { seq, goesOn: false };
      }
    }
    looked += end - first;
  }
  return { seq: 0, goesOn: false };
}

/** Matching live messages at or behind `from`. */
export function countFrom(store: MessageStore, filter: SubjectFilter | undefined, from: number): number {
  if (store.messages === 0 || from > store.lastSeq) return 0;
  const wide = filter === undefined || store.subjects.allMatch(filter);
  if (from <= store.firstSeq) return wide ? store.messages : store.subjects.countMatching(filter);
  const ref = new BlockRef();
  if (!store.table.seek(from, ref)) return 0;
  if (wide) return countInBlock(ref, from, undefined) + store.table.liveBehind(ref);
  const { behind, across, acrossMessages } = store.subjects.around(filter, from);
  if (across.size === 0) return behind;
  // Whichever side of `from` is shorter is counted, the other one follows from the total.
  let count = countInBlock(ref, from, across);
  if (store.lastSeq - from <= from - store.firstSeq) {
    while (store.table.next(ref)) count += countInBlock(ref, from, across);
    return behind + count;
  }
  let before = countInBlock(ref, 0, across) - count;
  while (store.table.previous(ref)) before += countInBlock(ref, 0, across);
  return behind + acrossMessages - before;
}

/** Matching live sequences in [from, below), ascending, at most `limit`. */
export function collectMatching(
  store: MessageStore,
  filter: SubjectFilter | undefined,
  range: { readonly from: number; readonly below: number; readonly limit: number },
): number[] {
  const seqs: number[] = [];
  const wide = filter === undefined || store.subjects.allMatch(filter);
  const matcher = wide ? undefined : new SubjectMatcher(store.subjects, filter);
  const ref = new BlockRef();
  for (let found = store.table.seek(range.from, ref); found; found = store.table.next(ref)) {
    const { chunk, row } = ref;
    const first = chunk.firstSeq[row]!;
    if (first >= range.below) break;
    const end = Math.min(chunk.endSeq(row), range.below);
    for (let seq = Math.max(first, range.from); seq < end; seq++) {
      if (!chunk.isLive(row, seq - first)) continue;
      if (matcher !== undefined && !matcher.matches(chunk.subjectAt(row, seq - first))) continue;
      if (seqs.push(seq) === range.limit) return seqs;
    }
  }
  return seqs;
}

function countInBlock({ chunk, row }: BlockRef, from: number, wanted: IdSet | undefined): number {
  const first = chunk.firstSeq[row]!;
  const count = chunk.count[row]!;
  const start = Math.max(0, from - first);
  const side = chunk.side[row];
  const alike = wanted !== undefined && side?.subjects === undefined;
  if (alike && !wanted.has(chunk.subjectBase[row]!)) return 0;
  if (start === 0 && (wanted === undefined || alike)) return chunk.live[row]!;
  if (wanted?.isFew === true && !wanted.few.some((id) => chunk.rowMayHold(row, id))) return 0;
  let matching = 0;
  for (let ordinal = start; ordinal < count; ordinal++) {
    if (!chunk.isLive(row, ordinal)) continue;
    if (wanted === undefined || wanted.has(chunk.subjectAt(row, ordinal))) matching++;
  }
  return matching;
}
