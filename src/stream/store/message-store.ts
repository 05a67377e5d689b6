/**
 * Owns which messages a stream holds: sequences, subjects, sizes and totals. The messages themselves are in the records
 * of the log; nothing here reads them.
 *
 * A batch is stored between `beginBatch` and `endBatch`. Its block is open meanwhile: its per-message columns are
 * scratch arrays that `endBatch` packs. Rows of the block table move only in `tidy`, at the end of an entry.
 */
import type { TimestampUs } from '../../base/brand.ts';
import { invariant } from '../../base/errors.ts';
import type { LogIndex } from '../../raft/index.ts';
import { bloomOf, hasSidePage, pack, packTimes, type BlockSide } from './block-side.ts';
import type { BlockChunk } from './block-chunk.ts';
import { BlockRef, BlockTable, NearRef } from './block-table.ts';
import { NO_TTL } from '../expiry/message-ttl.ts';
import { SubjectIndex } from './subject-index.ts';

/** First bytes of the keys of this store's pages; their order is that in which `restore` needs them. */
export const SUBJECT_PAGES = 0x30;
export const ROW_PAGES = 0x31;
export const SIDE_PAGES = 0x32;
export const DEAD_PAGES = 0x33;

/** Told of every removal, before the store forgets the message. */
export interface RemovalListener {
  removed(seq: number, subject: Buffer, start: number, end: number): void;
  /** The entry's record holds no live message any more. */
  blockEmptied(entryIndex: LogIndex): void;
  /** Half, or seven eighths, of the messages in the block that begins at `blockSeq` are dead now. */
  blockThinned(blockSeq: number): void;
}

export class MessageStore {
  readonly table = new BlockTable({ rows: ROW_PAGES, sides: SIDE_PAGES, dead: DEAD_PAGES });
  readonly subjects = new SubjectIndex(SUBJECT_PAGES);
  messages = 0;
  bytes = 0;
  /** Least live sequence; last + 1 when there is none. */
  firstSeq = 1;
  lastSeq = 0;
  lastTimestampUs = 0 as TimestampUs;
  /** Over the identities of all removals, for the digest. */
  removalHash = 0;
  /** Keep links between the messages of a subject: pays when subjects are trimmed to more than one message. */
  wantsLinks = false;
  /** Subject of the message added last. */
  lastSubject = 0;
  readonly #listener: RemovalListener;
  readonly #ref = new BlockRef();
  readonly #linkRef = new BlockRef();
  readonly #removalRef = new NearRef();
  readonly #liveRef = new NearRef();

  /** The open block, and its scratch columns. */
  readonly #open = new BlockRef();
  #openFirst = Infinity;
  #entryIndex = 0 as LogIndex;
  #timestampUs = 0 as TimestampUs;
  #capacity = 0;
  #subjectIds = new Uint32Array(64);
  #sizes = new Uint32Array(64);
  /** Of a placed batch, whose messages have times of their own; undefined in any other. */
  #times: Float64Array | undefined;
  /** Of a batch with times to live; undefined until there is one. */
  #ttls: Uint32Array | undefined;
  #rejected: number[] = [];

  constructor(listener: RemovalListener) {
    this.#listener = listener;
  }

  /** A batch of at most `count` messages begins. */
  beginBatch(entryIndex: LogIndex, timestampUs: TimestampUs, count: number): void {
    this.#entryIndex = entryIndex;
    this.#timestampUs = timestampUs;
    this.#capacity = count;
    this.#times = undefined;
    this.#ttls = undefined;
    this.#rejected = [];
    if (this.#subjectIds.length < count) {
      this.#subjectIds = new Uint32Array(count);
      this.#sizes = new Uint32Array(count);
    }
  }

  /** A batch begins whose sequences go on at `firstSeq` or later; `placeAt` tells the time of each of its messages. */
  beginPlacedBatch(entryIndex: LogIndex, firstSeq: number, count: number): void {
    this.beginBatch(entryIndex, this.lastTimestampUs, count);
    this.#times = new Float64Array(count);
    this.skipTo(firstSeq);
  }

  placeAt(timestampUs: TimestampUs): void {
    this.#timestampUs = timestampUs;
  }

  /**
   * Stores the batch's next message, of `size` bytes as the stream counts them, and returns its sequence. `ttl`: see
   * message-ttl.ts.
   */
  add(subject: Buffer, start: number, end: number, size: number, ttl: number = NO_TTL): number {
    const seq = this.#take();
    const { chunk, row } = this.#open;
    const ordinal = chunk.count[row]!++;
    const id = this.subjects.intern(subject, start, end);
    this.lastSubject = id;
    this.#subjectIds[ordinal] = id;
    this.#sizes[ordinal] = size;
    if (ttl !== NO_TTL) {
      this.#ttls ??= new Uint32Array(this.#capacity);
      this.#ttls[ordinal] = ttl;
    }
    chunk.live[row]!++;
    chunk.liveMessages++;
    if (this.wantsLinks && this.subjects.countOf(id) !== 0) this.link(this.subjects.lastBound(id), seq);
    this.subjects.added(id, seq);
    if (this.messages++ === 0) this.firstSeq = seq;
    this.bytes += size;
    return seq;
  }

  /** The batch's next message takes a sequence, and that is all. */
  skip(): number {
    const seq = this.#take();
    const { chunk, row } = this.#open;
    const ordinal = chunk.count[row]!++;
    this.#subjectIds[ordinal] = 0;
    this.#sizes[ordinal] = 0;
    const side = chunk.side[row]!;
    side.dead ??= new Uint8Array((this.#capacity + 7) >>> 3);
    side.dead[ordinal >>> 3]! |= 1 << (ordinal & 7);
    if (this.messages === 0) this.firstSeq = seq + 1;
    return seq;
  }

  /** The batch's message number `ordinal` takes no sequence. */
  reject(ordinal: number): void {
    this.#rejected.push(ordinal);
  }

  /** Closes the block. False: the batch left nothing in its record that is needed. */
  endBatch(): boolean {
    if (this.#openFirst === Infinity) return false;
    this.#openFirst = Infinity;
    const { chunk, row } = this.#open;
    const count = chunk.count[row]!;
    if (chunk.live[row] === 0) {
      chunk.side[row] = undefined;
      this.table.drop(this.#open);
      return false;
    }
    const subjects = pack(this.#subjectIds, count);
    const sizes = pack(this.#sizes, count);
    chunk.subjectBase[row] = subjects.base;
    chunk.sizeBase[row] = sizes.base;
    const times = this.#times && packTimes(this.#times, count);
    if (times !== undefined) chunk.timestampUs[row] = times.base;
    const ttls = this.#ttls && pack(this.#ttls, count);
    if (ttls !== undefined) chunk.ttlBase[row] = ttls.base;
    const open = chunk.side[row]!;
    const side: BlockSide = {
      subjects: subjects.above,
      sizes: sizes.above,
      dead: open.dead?.slice(0, (count + 7) >>> 3),
      links: subjects.above === undefined ? undefined : open.links?.slice(0, count),
      rejected: this.#rejected.length === 0 ? undefined : Uint32Array.from(this.#rejected),
      bloom: subjects.above && bloomOf(subjects.base, subjects.above),
      times: times?.above,
      ttls: ttls?.above,
    };
    chunk.side[row] = hasSidePage(side) || side.dead !== undefined ? side : undefined;
    this.table.seal(this.#open);
    return true;
  }

  /**
   * Calls `announce` for each run of the sequences first..last that are still live. All of them are of the block that
   * was closed last.
   */
  announceLive(first: number, last: number, announce: (first: number, last: number) => void): void {
    if (!this.table.find(last, this.#ref)) return;
    const { chunk, row } = this.#ref;
    const blockFirst = chunk.firstSeq[row]!;
    if (chunk.side[row]?.dead === undefined) {
      announce(first, last);
      return;
    }
    let runStart = 0;
    for (let seq = first; seq <= last + 1; seq++) {
      const live = seq <= last && chunk.isLive(row, seq - blockFirst);
      if (live && runStart === 0) runStart = seq;
      if (live || runStart === 0) continue;
      announce(runStart, seq - 1);
      runStart = 0;
    }
  }

  /** Removes a message; `tell` the listener, unless it learns by other ways. False: there is none. */
  remove(seq: number, tell: boolean): boolean {
    const ref = this.#removalRef;
    if (!this.table.findNear(seq, ref)) return false;
    const { chunk, row } = ref;
    const ordinal = seq - chunk.firstSeq[row]!;
    if (!chunk.isLive(row, ordinal)) return false;
    const open = seq >= this.#openFirst;
    const id = chunk.subjectAt(row, ordinal);
    const size = chunk.sizeAt(row, ordinal);
    if (tell && !open) {
      this.#tellRemoved(seq, id);
      // The listener may have removed something else meanwhile.
      ref.chunk = chunk;
      ref.row = row;
    }
    // The link goes with its block: whoever asks for the subject's first one later would have to search.
    if (this.wantsLinks && this.subjects.firstBound(id) === seq) {
      this.subjects.setFirst(id, seq + ref.chunk.linkAt(ref.row, ordinal));
    }
    this.subjects.lostLast(id, seq);
    this.#forget(seq, id, size);
    const live = chunk.live[row]!;
    if (open) {
      const side = chunk.side[row]!;
      side.dead ??= new Uint8Array((this.#capacity + 7) >>> 3);
      this.table.markDead(ref, ordinal, true);
    } else if (live === 1) {
      this.table.drop(ref);
      this.#listener.blockEmptied(chunk.entryIndex[row] as LogIndex);
    } else {
      this.table.markDead(ref, ordinal, false);
      const count = chunk.count[row]!;
      if (live - 1 === count >>> 1 || live - 1 === count >>> 3) this.#listener.blockThinned(chunk.firstSeq[row]!);
    }
    if (seq === this.firstSeq) this.#advanceFirst(ref, ordinal);
    return true;
  }

  /** Removes everything below `seq`, without telling of each message. Returns how many that were. */
  removeBelow(seq: number): number {
    const before = this.messages;
    if (seq > this.lastSeq && this.#openFirst === Infinity) this.#clear();
    const ref = this.#ref;
    while (this.messages > 0 && this.firstSeq < seq && this.table.seek(this.firstSeq, ref)) {
      const { chunk, row } = ref;
      if (chunk.endSeq(row) <= seq && chunk.firstSeq[row]! < this.#openFirst) this.#dropBlock(ref);
      else this.remove(this.firstSeq, false);
    }
    return before - this.messages;
  }

  /** Sequences continue at `nextSeq` or later; nothing may be live below it. */
  skipTo(nextSeq: number): void {
    this.lastSeq = Math.max(this.lastSeq, nextSeq - 1);
    if (this.messages === 0) this.firstSeq = this.lastSeq + 1;
  }

  isLive(seq: number): boolean {
    const ref = this.#liveRef;
    return this.table.findNear(seq, ref) && ref.chunk.isLive(ref.row, seq - ref.chunk.firstSeq[ref.row]!);
  }

  /** The subject of a live message, by its id; -1 if there is none. */
  subjectOf(seq: number): number {
    const ref = this.#ref;
    if (!this.table.find(seq, ref)) return -1;
    const ordinal = seq - ref.chunk.firstSeq[ref.row]!;
    return ref.chunk.isLive(ref.row, ordinal) ? ref.chunk.subjectAt(ref.row, ordinal) : -1;
  }

  /** Bytes that a live message counts for; 0 if there is none. */
  sizeOf(seq: number): number {
    const ref = this.#ref;
    return this.table.find(seq, ref) ? ref.chunk.sizeAt(ref.row, seq - ref.chunk.firstSeq[ref.row]!) : 0;
  }

  /** Time of a sequence whose block still has live messages; 0 otherwise. */
  timestampOf(seq: number): number {
    if (!this.table.find(seq, this.#ref)) return 0;
    const { chunk, row } = this.#ref;
    return chunk.timeAt(row, seq - chunk.firstSeq[row]!);
  }

  /** Least live sequence stored at or after `timestampUs`, or last + 1. */
  seqAtTime(timestampUs: number): number {
    const ref = this.#ref;
    const found = this.table.seekTime(timestampUs, ref);
    const seq = found ? this.nextLive(ref.chunk.firstSeq[ref.row]!) : this.lastSeq + 1;
    // The block before began earlier, but if it was placed its messages may reach beyond.
    if (!this.table.seekBack(seq - 1, ref)) return seq;
    const { chunk, row } = ref;
    if (chunk.side[row]?.times === undefined) return seq;
    for (let ordinal = 0; ordinal < chunk.count[row]!; ordinal++) {
      if (chunk.timeAt(row, ordinal) >= timestampUs && chunk.isLive(row, ordinal))
        return chunk.firstSeq[row]! + ordinal;
    }
    return seq;
  }

  /** Least live sequence at or behind `from`, or last + 1. */
  nextLive(from: number): number {
    const ref = this.#ref;
    if (!this.table.seek(from, ref)) return this.lastSeq + 1;
    for (;;) {
      const { chunk, row } = ref;
      const first = chunk.firstSeq[row]!;
      const end = chunk.endSeq(row);
      for (let seq = Math.max(from, first); seq < end; seq++) if (chunk.isLive(row, seq - first)) return seq;
      if (!this.table.next(ref)) return this.lastSeq + 1;
    }
  }

  /** Highest live sequence, or 0. */
  lastLive(): number {
    const ref = this.#ref;
    if (this.messages === 0 || !this.table.seekBack(this.lastSeq, ref)) return 0;
    const { chunk, row } = ref;
    let ordinal = chunk.count[row]! - 1;
    while (!chunk.isLive(row, ordinal)) ordinal--;
    return chunk.firstSeq[row]! + ordinal;
  }

  /** First live sequence of a subject that has one. */
  firstOf(id: number): number {
    const ref = this.#ref;
    const { subjects } = this;
    let seq = subjects.firstBound(id);
    for (;;) {
      if (!this.table.find(seq, ref)) break;
      const ordinal = seq - ref.chunk.firstSeq[ref.row]!;
      if (ref.chunk.isLive(ref.row, ordinal) && ref.chunk.subjectAt(ref.row, ordinal) === id) {
        subjects.setFirst(id, seq);
        return seq;
      }
      const distance = ref.chunk.linkAt(ref.row, ordinal);
      if (distance === 0) break;
      seq += distance;
    }
    const found = this.nextOf(id, seq);
    invariant(found !== 0, `subject ${subjects.toString(id)} counts messages but has none at or behind ${seq}`);
    subjects.setFirst(id, found);
    return found;
  }

  /** Last live sequence of a subject that has one. */
  lastOf(id: number): number {
    const { subjects } = this;
    const known = subjects.exactLast(id);
    if (known !== 0) return known;
    const ref = this.#ref;
    const bound = subjects.lastBound(id);
    for (let found = this.table.seekBack(bound, ref); found; found = this.table.previous(ref, id)) {
      const { chunk, row } = ref;
      const first = chunk.firstSeq[row]!;
      for (let ordinal = Math.min(chunk.count[row]! - 1, bound - first); ordinal >= 0; ordinal--) {
        if (chunk.subjectAt(row, ordinal) !== id || !chunk.isLive(row, ordinal)) continue;
        subjects.setLast(id, first + ordinal);
        return first + ordinal;
      }
    }
    invariant(false, `subject ${subjects.toString(id)} counts messages but has none at or before ${bound}`);
  }

  /** Least live sequence of the subject at or behind `from`; 0: none. */
  nextOf(id: number, from: number): number {
    const ref = this.#ref;
    const bound = this.subjects.lastBound(id);
    if (from > bound) return 0;
    for (let found = this.table.seek(from, ref); found; found = this.table.next(ref, id)) {
      const { chunk, row } = ref;
      const first = chunk.firstSeq[row]!;
      if (first > bound) return 0;
      const ordinal = this.#ordinalOf(ref, id, Math.max(0, from - first));
      if (ordinal >= 0) return first + ordinal;
    }
    return 0;
  }

  #ordinalOf(ref: BlockRef, id: number, from: number): number {
    const { chunk, row } = ref;
    const subjects = chunk.side[row]?.subjects;
    const value = id - chunk.subjectBase[row]!;
    const count = chunk.count[row]!;
    if (subjects === undefined && value !== 0) return -1;
    for (let ordinal = from; ordinal < count; ordinal++) {
      if (subjects !== undefined) ordinal = subjects.indexOf(value, ordinal);
      if (ordinal < 0 || ordinal >= count) return -1;
      if (chunk.isLive(row, ordinal)) return ordinal;
    }
    return -1;
  }

  #take(): number {
    const seq = ++this.lastSeq;
    if (this.#openFirst === Infinity) {
      this.table.append({ entryIndex: this.#entryIndex, firstSeq: seq, timestampUs: this.#timestampUs }, this.#open);
      this.#openFirst = seq;
      this.#open.chunk.side[this.#open.row] = {
        subjects: this.#subjectIds,
        sizes: this.#sizes,
        dead: undefined,
        links: this.wantsLinks ? new Uint32Array(this.#capacity) : undefined,
        rejected: undefined,
        bloom: undefined,
        times: undefined,
        ttls: undefined,
      };
      this.#open.chunk.subjectBase[this.#open.row] = 0;
      this.#open.chunk.sizeBase[this.#open.row] = 0;
    }
    this.lastTimestampUs = this.#timestampUs;
    if (this.#times !== undefined) this.#times[this.#open.chunk.count[this.#open.row]!] = this.#timestampUs;
    return seq;
  }

  #tellRemoved(seq: number, id: number): void {
    const start = this.subjects.startOf(id);
    this.#listener.removed(seq, this.subjects.segment(id), start, start + this.subjects.lengthOf(id));
  }

  #forget(seq: number, id: number, size: number): void {
    this.messages--;
    this.bytes -= size;
    this.removalHash = (Math.imul(this.removalHash ^ seq, 0x01000193) + 1) >>> 0;
    this.subjects.removed(id);
  }

  /** Removes everything at once, however much it is. */
  #clear(): void {
    this.table.clear((entryIndex) => {
      this.#listener.blockEmptied(entryIndex);
    });
    this.subjects.clear();
    this.removalHash = (Math.imul(this.removalHash ^ this.messages, 0x01000193) + 1) >>> 0;
    this.messages = 0;
    this.bytes = 0;
    this.firstSeq = this.lastSeq + 1;
  }

  /** The first message was number `ordinal` of the block at `ref`, which may be gone. */
  #advanceFirst({ chunk, row }: BlockRef, ordinal: number): void {
    const first = chunk.firstSeq[row]!;
    const count = chunk.live[row] === 0 ? 0 : chunk.count[row]!;
    for (let next = ordinal + 1; next < count; next++) {
      if (!chunk.isLive(row, next)) continue;
      this.firstSeq = first + next;
      return;
    }
    this.firstSeq = this.messages === 0 ? this.lastSeq + 1 : this.nextLive(this.firstSeq + 1);
  }

  #dropBlock(ref: BlockRef): void {
    const { chunk, row } = ref;
    this.#forgetBlock(chunk, row);
    this.table.drop(ref);
    this.#listener.blockEmptied(chunk.entryIndex[row] as LogIndex);
    this.firstSeq = this.messages === 0 ? this.lastSeq + 1 : this.nextLive(chunk.endSeq(row));
  }

  /** Takes a whole block out of all counts. Nothing before it is live, so what it held was not the last of its subject. */
  #forgetBlock(chunk: BlockChunk, row: number): void {
    const first = chunk.firstSeq[row]!;
    const count = chunk.count[row]!;
    for (let ordinal = 0; ordinal < count; ordinal++) {
      if (!chunk.isLive(row, ordinal)) continue;
      this.#forget(first + ordinal, chunk.subjectAt(row, ordinal), chunk.sizeAt(row, ordinal));
    }
  }

  /** Notes at the message `from` that `to` is the next one on its subject. */
  link(from: number, to: number): void {
    const ref = this.#linkRef;
    if (!this.table.find(from, ref)) return;
    ref.chunk.setLink(ref.row, from - ref.chunk.firstSeq[ref.row]!, to - from);
  }
}
