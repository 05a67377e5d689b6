/** Owns questions about a stream's messages that a filter narrows; answered from subjects and blocks, never from records. */
import { BlockRef } from './block-table.ts';
import type { MessageStore } from './message-store.ts';
import { SubjectMatcher } from './subject-matcher.ts';
import type { SubjectFilter } from './types.ts';

/** Highest live sequence whose subject matches; 0 if none. */
export function lastSeqOf(store: MessageStore, filter: SubjectFilter | undefined): number {
  if (filter === undefined) return store.lastLive();
  const ids = store.subjects.matching(filter);
  const { lasts } = store.subjects;
  let candidate = ids[0];
  if (candidate === undefined) return 0;
  for (const id of ids) if (lasts[id]! > lasts[candidate]!) candidate = id;
  let last = store.lastOf(candidate);
  // The bound of the others rules them out, unless the candidate's was too high.
  for (const id of ids) if (lasts[id]! > last) last = Math.max(last, store.lastOf(id));
  return last;
}

/** The last sequence of each matching subject, ascending; at most `limit + 1` of them. */
export function lastSeqPerSubject(store: MessageStore, filter: SubjectFilter | undefined, limit: number): number[] {
  const ids = store.subjects.matching(filter);
  const seqs = ids.slice(0, limit + 1).map((id) => store.lastOf(id));
  return seqs.sort((a, b) => a - b);
}

/** Live messages per matching subject, sorted by subject. */
export function subjectCounts(store: MessageStore, filter: SubjectFilter): [subject: string, count: number][] {
  return store.subjects
    .matching(filter)
    .map((id): [string, number] => [store.subjects.toString(id), store.subjects.counts[id]!])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Least live matching sequence at or behind `from`; 0 if none. */
export function nextSeqOf(store: MessageStore, filter: SubjectFilter, from: number): number {
  const ids = store.subjects.matching(filter);
  if (ids.length === 0) return 0;
  if (ids.length === 1) return store.nextOf(ids[0]!, from);
  return collectMatching(store, filter, { from, below: Infinity, limit: 1 })[0] ?? 0;
}

/** Matching live messages at or behind `from`. */
export function countFrom(store: MessageStore, filter: SubjectFilter | undefined, from: number): number {
  if (store.messages === 0 || from > store.lastSeq) return 0;
  const total = filter === undefined ? store.messages : countAll(store, filter);
  if (from <= store.firstSeq || total === 0) return total;
  const ref = new BlockRef();
  if (!store.table.seek(from, ref)) return 0;
  const matcher = filter && new SubjectMatcher(store.subjects, filter);
  if (matcher === undefined) return countInBlock(ref, from, matcher) + store.table.liveBehind(ref);
  // Whichever side of `from` is shorter is counted, the other one follows from the total.
  if (store.lastSeq - from <= from - store.firstSeq) {
    let count = countInBlock(ref, from, matcher);
    while (store.table.next(ref)) count += countInBlock(ref, from, matcher);
    return count;
  }
  let before = countInBlock(ref, 0, matcher) - countInBlock(ref, from, matcher);
  while (store.table.previous(ref)) before += countInBlock(ref, 0, matcher);
  return total - before;
}

/** Matching live sequences in [from, below), ascending, at most `limit`. */
export function collectMatching(
  store: MessageStore,
  filter: SubjectFilter | undefined,
  range: { readonly from: number; readonly below: number; readonly limit: number },
): number[] {
  const seqs: number[] = [];
  const matcher = filter && new SubjectMatcher(store.subjects, filter);
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

function countAll(store: MessageStore, filter: SubjectFilter): number {
  let count = 0;
  for (const id of store.subjects.matching(filter)) count += store.subjects.counts[id]!;
  return count;
}

function countInBlock({ chunk, row }: BlockRef, from: number, matcher: SubjectMatcher | undefined): number {
  const first = chunk.firstSeq[row]!;
  const count = chunk.count[row]!;
  const start = Math.max(0, from - first);
  const side = chunk.side[row];
  const alike = matcher !== undefined && side?.subjects === undefined;
  if (alike && !matcher.matches(chunk.subjectBase[row]!)) return 0;
  if (start === 0 && (matcher === undefined || alike)) return chunk.live[row]!;
  let matching = 0;
  for (let ordinal = start; ordinal < count; ordinal++) {
    if (!chunk.isLive(row, ordinal)) continue;
    if (matcher === undefined || matcher.matches(chunk.subjectAt(row, ordinal))) matching++;
  }
  return matching;
}
