/** Owns reading a stream in order, through a filter, from whichever records are needed and no others. */
import type { Seq, TimestampUs } from '../../base/brand.ts';
import type { Runtime } from '../../base/runtime.ts';
import type { LogIndex } from '../../raft/index.ts';
import { BlockRef } from '../store/block-table.ts';
import type { MessageStore } from '../store/message-store.ts';
import { ReadAhead } from './read-ahead.ts';
import type { RecordLoader } from './record-loader.ts';
import { recordOrdinal, RecordWalker } from './record-walker.ts';
import { countFrom } from '../store/store-queries.ts';
import { hasWildcards } from '../../base/subjects.ts';
import { SubjectMatcher } from '../store/subject-matcher.ts';
import type { CursorStep, StoredMessage, StreamCursor, SubjectFilter } from '../types.ts';

/** Sequences looked at in one step without a match; then others get their turn. */
const MAX_SCAN = 50_000;
const NO_BUFFER = Buffer.alloc(0);

export interface CursorSource {
  /** Another one after a restore. */
  readonly store: MessageStore;
  readonly loader: RecordLoader;
  readonly runtime: Runtime;
}

/**
 * One literal for all: an object made by spreading another gets a hidden class of its own, and with hundreds of those
 * every access to a message on its way to a consumer is a lookup by name.
 */
export function emptyStoredMessage(): StoredMessage {
  return {
    buffer: NO_BUFFER,
    start: 0,
    subjectStart: 0,
    headersStart: 0,
    payloadStart: 0,
    end: 0,
    seq: 0 as Seq,
    timestampUs: 0 as TimestampUs,
  };
}

export class BlockCursor implements StreamCursor {
  readonly view = emptyStoredMessage();
  readonly #source: CursorSource;
  #store: MessageStore;
  readonly #loader: RecordLoader;
  readonly #runtime: Runtime;
  readonly #onReady: () => void;
  readonly #walker = new RecordWalker();
  /** Made when there is something to wait for: most readers are at the tail of a stream. */
  #ahead: ReadAhead | undefined;
  readonly #ref = new BlockRef();
  #position: number;
  #filter: SubjectFilter | undefined;
  #matcher: SubjectMatcher | undefined;
  /** The one literal subject that the filter is. */
  #literal: Buffer | undefined;
  /** The record of the block in entry `#recordIndex`, while the cursor is in it. */
  #record: Buffer | undefined;
  #recordIndex = 0;
  #generation = -1;
  #closed = false;

  constructor(
    source: CursorSource,
    options: { readonly position: Seq; readonly filter: SubjectFilter | undefined; readonly onReady: () => void },
  ) {
    this.#source = source;
    this.#store = source.store;
    this.#loader = source.loader;
    this.#runtime = source.runtime;
    this.#position = Math.max(1, options.position);
    this.#onReady = () => {
      if (!this.#closed) options.onReady();
    };
    this.setFilter(options.filter);
  }

  get position(): Seq {
    return this.#position as Seq;
  }

  seek(position: Seq): void {
    this.#position = Math.max(1, position);
  }

  setFilter(filter: SubjectFilter | undefined): void {
    this.#filter = filter;
    this.#matcher = filter && new SubjectMatcher(this.#store.subjects, filter);
    const only = filter?.subjects.length === 1 ? filter.subjects[0] : undefined;
    this.#literal = only === undefined || hasWildcards(only) ? undefined : Buffer.from(only);
  }

  countPending(): number {
    if (this.#store !== this.#source.store) this.#rebind();
    return countFrom(this.#store, this.#filter, this.#position);
  }

  advance(): CursorStep {
    if (this.#closed) return 'end';
    if (this.#store !== this.#source.store) this.#rebind();
    let budget = MAX_SCAN;
    while (this.#enterBlock()) {
      const { chunk, row } = this.#ref;
      const first = chunk.firstSeq[row]!;
      const end = Math.min(chunk.endSeq(row), this.#position + budget);
      budget -= end - this.#position;
      const seq = this.#nextInBlock(end);
      if (seq !== 0) return this.#read(seq, seq - first);
      this.#position = end;
      if (budget > 0) continue;
      this.#runtime.defer(this.#onReady);
      return 'wait';
    }
    this.#release();
    this.#ahead?.stop();
    return 'end';
  }

  close(): void {
    this.#closed = true;
    this.#release();
    this.#ahead?.stop();
  }

  /** The state was replaced as a whole. */
  #rebind(): void {
    this.#store = this.#source.store;
    this.#generation = -1;
    this.#release();
    this.#ahead?.stop();
    this.setFilter(this.#filter);
  }

  /** Points `#ref` at the block with the next candidate, and moves `#position` there. False: there is none. */
  #enterBlock(): boolean {
    const store = this.#store;
    if (this.#literal !== undefined && !this.#jumpToLiteral(this.#literal)) return false;
    if (this.#position > store.lastSeq) return false;
    const { chunk, row } = this.#ref;
    const inside =
      this.#generation === store.table.generation &&
      this.#position >= chunk.firstSeq[row]! &&
      this.#position < chunk.endSeq(row);
    if (!inside) {
      if (!store.table.seek(this.#position, this.#ref)) {
        this.#position = store.lastSeq + 1;
        return false;
      }
      this.#generation = store.table.generation;
      this.#position = Math.max(this.#position, this.#ref.chunk.firstSeq[this.#ref.row]!);
    }
    return true;
  }

  #jumpToLiteral(subject: Buffer): boolean {
    const store = this.#store;
    const id = store.subjects.find(subject, 0, subject.length);
    const next = id < 0 ? 0 : store.nextOf(id, this.#position);
    this.#position = next === 0 ? Math.max(this.#position, store.lastSeq + 1) : next;
    return next !== 0;
  }

  /** The first match of the current block in [position, end), or 0. */
  #nextInBlock(end: number): number {
    const { chunk, row } = this.#ref;
    const first = chunk.firstSeq[row]!;
    const matcher = this.#matcher;
    if (matcher !== undefined && chunk.side[row]?.subjects === undefined) {
      if (!matcher.matches(chunk.subjectBase[row]!)) return 0;
    }
    for (let seq = this.#position; seq < end; seq++) {
      if (!chunk.isLive(row, seq - first)) continue;
      if (matcher === undefined || matcher.matches(chunk.subjectAt(row, seq - first))) return seq;
    }
    return 0;
  }

  #read(seq: number, ordinal: number): CursorStep {
    const { chunk, row } = this.#ref;
    const index = chunk.entryIndex[row]!;
    if (this.#record === undefined || this.#recordIndex !== index) {
      this.#release();
      const record = this.#loader.get(index as LogIndex, this.#onReady);
      if (record === 'wait') {
        this.#ahead ??= new ReadAhead(this.#loader, this.#runtime);
        this.#ahead.waits(this.#store.table, this.#ref, this.#matcher === undefined);
        this.#position = seq;
        return 'wait';
      }
      this.#ahead?.entered(this.#store.table, this.#ref);
      if (record === 'lost') return this.#lose();
      this.#record = record;
      this.#recordIndex = index;
    }
    const number = recordOrdinal(chunk, row, ordinal);
    if (!this.#walker.read(this.#record, index, number, this.view)) return this.#lose();
    this.view.seq = seq as Seq;
    this.view.timestampUs = chunk.timeAt(row, ordinal) as TimestampUs;
    this.#position = seq + 1;
    return 'message';
  }

  #lose(): CursorStep {
    this.#position = this.#ref.chunk.endSeq(this.#ref.row);
    this.#release();
    return 'lost';
  }

  /** A cursor that waits holds no record: there may be thousands of them. */
  #release(): void {
    this.#record = undefined;
    this.view.buffer = NO_BUFFER;
  }
}
