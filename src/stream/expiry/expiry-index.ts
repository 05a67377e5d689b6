/**
 * Owns which blocks hold messages with a time to live, in order of the earliest deadline in each. It follows from the
 * blocks, so it is no part of a checkpoint; and as it only says where to look, a deadline that is too early does no harm.
 */
import type { BlockChunk } from '../store/block-chunk.ts';
import { BlockRef } from '../store/block-table.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import type { MessageStore } from '../store/message-store.ts';
import { NEVER_EXPIRES, NO_TTL } from './message-ttl.ts';

const US_PER_SECOND = 1_000_000;
/** Between two pauses of a rebuild: below a millisecond of work. */
const MESSAGES_PER_PAUSE = 20_000;

export class ExpiryIndex {
  readonly #store: MessageStore;
  /** First sequences of blocks. */
  readonly #blocks: DeadlineHeap;
  readonly #ref = new BlockRef();
  /** Blocks that were looked at and are not back in the heap. */
  #taken: number[] = [];

  constructor(store: MessageStore) {
    this.#store = store;
    this.#blocks = new DeadlineHeap((blockSeq) => store.table.find(blockSeq, this.#ref));
  }

  /** No message with a time to live is due before. Infinity: there is none. */
  get nextUs(): number {
    return this.#blocks.next;
  }

  /** A block was stored; `seq` is in it. */
  blockStored(seq: number): void {
    if (this.#store.table.find(seq, this.#ref)) this.#add(this.#ref.chunk, this.#ref.row);
  }

  /**
   * Adds live messages whose time has come to `into`, until it holds about `limit`. Their blocks must be put back once
   * these messages are removed, or will not be.
   */
  takeDue(nowUs: number, limit: number, into: number[]): void {
    while (this.#blocks.next <= nowUs && into.length < limit) {
      const blockSeq = this.#blocks.pop();
      if (!this.#store.table.find(blockSeq, this.#ref)) continue;
      this.#taken.push(blockSeq);
      const { chunk, row } = this.#ref;
      for (let ordinal = 0; ordinal < chunk.count[row]! && into.length < limit; ordinal++) {
        if (chunk.isLive(row, ordinal) && deadlineUs(chunk, row, ordinal) <= nowUs) into.push(blockSeq + ordinal);
      }
    }
  }

  putBack(): void {
    const taken = this.#taken;
    this.#taken = [];
    for (const blockSeq of taken) this.blockStored(blockSeq);
  }

  /** Once all blocks are there. `pause` is awaited now and then, so that a large stream does not hold up the loop. */
  async rebuild(pause: () => Promise<void>): Promise<void> {
    let sincePause = 0;
    for (const chunk of this.#store.table.chunks) {
      for (let row = 0; row < chunk.size; row++) {
        this.#add(chunk, row);
        sincePause += chunk.hasTtls(row) ? chunk.count[row]! : 1;
        if (sincePause < MESSAGES_PER_PAUSE) continue;
        sincePause = 0;
        await pause();
      }
    }
  }

  #add(chunk: BlockChunk, row: number): void {
    if (!chunk.hasTtls(row) || chunk.live[row] === 0) return;
    let earliest = Infinity;
    for (let ordinal = 0; ordinal < chunk.count[row]!; ordinal++) {
      if (chunk.isLive(row, ordinal)) earliest = Math.min(earliest, deadlineUs(chunk, row, ordinal));
    }
    if (earliest < Infinity) this.#blocks.push(earliest, chunk.firstSeq[row]!);
  }
}

function deadlineUs(chunk: BlockChunk, row: number, ordinal: number): number {
  const ttl = chunk.ttlAt(row, ordinal);
  return ttl === NO_TTL || ttl === NEVER_EXPIRES ? Infinity : chunk.timeAt(row, ordinal) + ttl * US_PER_SECOND;
}
