/**
 * Owns reading ahead of one reader that goes through a stream block after block: while it is at work on one record, the
 * next ones are on their way from disk. It begins when a reader in order has to wait, takes in twice as much when it has
 * to wait again, and ends when the reader leaves a block out, turns back, reaches the end or goes away.
 */
import type { Runtime } from '../../base/runtime.ts';
import type { LogIndex } from '../../raft/index.ts';
import { BlockRef, type BlockTable } from '../store/block-table.ts';
import type { AheadReader } from './read-budget.ts';
import type { RecordLoader } from './record-loader.ts';

const FIRST_BYTES = 128 * 1024;
const MAX_BYTES = 2 * 1024 * 1024;
/** Where a record holds a message or two, reading it costs more than what it holds. */
const MAX_RECORDS = 256;
/** Waits in order, one behind the other, after which the rest is expected to be read in order too. */
const WAITS_OF_ALL = 1;
/** With a filter, which may just happen to match here. */
const WAITS_OF_SOME = 4;

interface Asked {
  readonly index: LogIndex;
  readonly bytes: number;
}

export class ReadAhead implements AheadReader {
  readonly #loader: RecordLoader;
  readonly #runtime: Runtime;
  readonly #ref = new BlockRef();
  /** Asked for and not reached yet, in order. */
  #asked: Asked[] = [];
  #askedBytes = 0;
  /** Where the last block that was asked for ends. */
  #askedEnd = 0;
  /** How much to be ahead; 0: nothing. */
  #window = 0;
  /** Waits in order, without one out of order between them. */
  #waits = 0;
  /** First sequence of the block that was waited for last. */
  #waitedFor = 0;
  /** Where the block ends that was read last. */
  #end = 0;

  constructor(loader: RecordLoader, runtime: Runtime) {
    this.#loader = loader;
    this.#runtime = runtime;
  }

  /** The reader is at the block at `at`, whose record it has. */
  entered(table: BlockTable, at: BlockRef): void {
    const end = at.chunk.endSeq(at.row);
    const isBack = end < this.#end;
    this.#end = end;
    if (this.#window === 0) return;
    const index = at.chunk.entryIndex[at.row]!;
    const next = this.#asked[0];
    if (isBack || (next !== undefined && next.index < index)) {
      this.stop();
      return;
    }
    if (next?.index === index) this.#drop(this.#asked.shift()!);
    this.#loader.budget.moved(this, this.#runtime.monotonicMs());
    if (this.#askedBytes * 2 <= this.#window) this.#ask(table);
  }

  /** The reader has to wait for the record of the block at `at`. `all`: it reads every message. */
  waits(table: BlockTable, at: BlockRef, all: boolean): void {
    const first = at.chunk.firstSeq[at.row]!;
    if (first === this.#waitedFor) return;
    this.#waitedFor = first;
    const isNext =
      this.#end > 0 && table.seek(this.#end, this.#ref) && this.#ref.chunk.firstSeq[this.#ref.row] === first;
    if (!isNext) {
      this.stop();
      return;
    }
    if (++this.#waits < (all ? WAITS_OF_ALL : WAITS_OF_SOME)) return;
    this.#window = this.#window === 0 ? FIRST_BYTES : Math.min(MAX_BYTES, this.#window * 2);
    this.#askedEnd = Math.max(this.#askedEnd, at.chunk.endSeq(at.row));
    this.#loader.budget.moved(this, this.#runtime.monotonicMs());
    this.#ask(table);
  }

  /** What was asked for is of no use, unless to others. */
  stop(): void {
    this.#waits = 0;
    if (this.#window === 0) return;
    this.#window = 0;
    this.#askedEnd = 0;
    this.#loader.budget.left(this);
    const asked = this.#asked;
    this.#asked = [];
    for (const each of asked) this.#drop(each);
  }

  #ask(table: BlockTable): void {
    const ref = this.#ref;
    const { budget } = this.#loader;
    const nowMs = this.#runtime.monotonicMs();
    if (!table.seek(Math.max(this.#end, this.#askedEnd), ref)) return;
    while (this.#askedBytes < this.#window && this.#asked.length < MAX_RECORDS) {
      const { chunk, row } = ref;
      const index = chunk.entryIndex[row]! as LogIndex;
      const bytes = chunk.bytesOf(row);
      // What is in memory now is likely to be there still, and so is what comes behind it.
      if (this.#loader.isCached(index) || this.#askedBytes + bytes > MAX_BYTES) return;
      if (!budget.takeAhead(bytes, nowMs)) return;
      this.#loader.readAhead(index);
      this.#asked.push({ index, bytes });
      this.#askedBytes += bytes;
      this.#askedEnd = chunk.endSeq(row);
      if (!table.next(ref)) return;
    }
  }

  #drop({ index, bytes }: Asked): void {
    this.#askedBytes -= bytes;
    this.#loader.budget.giveBackAhead(bytes);
    this.#loader.release(index);
  }
}
