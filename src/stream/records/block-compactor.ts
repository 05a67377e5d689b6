/**
 * Owns giving back the room of dead messages within records that still hold live ones: such a record is rewritten on this
 * node with stubs in the place of the dead, one record a turn. A stub is a prefix and nothing else, so every message
 * keeps its number. What a secure delete removed goes in any case. A record that may be applied again, by a restart or by a
 * follower, waits until a checkpoint has left it behind.
 */
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import { RECORD_HEADER_BYTES, type GroupHandle, type LogIndex } from '../../raft/index.ts';
import { BlockRef } from '../store/block-table.ts';
import { BATCH_HEADER_BYTES, batchCount } from '../entries/entry-format.ts';
import { MESSAGE_PREFIX_BYTES } from '../messages/message-format.ts';
import type { RecordLoader } from './record-loader.ts';
import type { ReplicatedState } from '../replicated-state.ts';

/** A record is left alone while rewriting it would save less. */
const MIN_SAVING_BYTES = 4096;
/** Between blocks, so that a stream that thins out everywhere does not keep the disk busy with itself. */
const PAUSE_MS = 5;
/** Blocks that wait; more are not remembered, except for erasures. They come up again when they thin out further. */
const MAX_QUEUED = 10_000;

export class BlockCompactor {
  readonly #state: ReplicatedState;
  readonly #group: GroupHandle;
  readonly #loader: RecordLoader;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  /** First sequences of blocks. */
  readonly #queue = new Set<number>();
  /** Blocks whose records are still part of the log. */
  readonly #early = new Set<number>();
  readonly #ref = new BlockRef();
  #scheduled = false;
  #closed = false;

  constructor(options: {
    readonly state: ReplicatedState;
    readonly group: GroupHandle;
    readonly loader: RecordLoader;
    readonly runtime: Runtime;
    readonly logger: Logger;
  }) {
    this.#state = options.state;
    this.#group = options.group;
    this.#loader = options.loader;
    this.#runtime = options.runtime;
    this.#logger = options.logger;
  }

  /** The block that begins at `blockSeq` is worth a look. */
  enqueue(blockSeq: number): void {
    if (this.#closed) return;
    if (this.#queue.size + this.#early.size >= MAX_QUEUED && !this.#state.erasures.has(blockSeq)) return;
    this.#queue.add(blockSeq);
    this.#schedule();
  }

  /** A checkpoint is durable: more records are behind the log. */
  checkpointed(): void {
    for (const blockSeq of this.#early) this.#queue.add(blockSeq);
    this.#early.clear();
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#queue.clear();
    this.#early.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.size === 0) return;
    this.#scheduled = true;
    this.#runtime.after(PAUSE_MS, () => {
      this.#scheduled = false;
      if (this.#closed) return;
      this.#compactNext();
    });
  }

  #compactNext(): void {
    const [blockSeq] = this.#queue;
    if (blockSeq === undefined) return;
    const { store, erasures } = this.#state;
    const erase = erasures.has(blockSeq);
    if (store.table.find(blockSeq, this.#ref) && (erase || this.#saving() >= MIN_SAVING_BYTES)) {
      const index = this.#ref.chunk.entryIndex[this.#ref.row]! as LogIndex;
      if (index > this.#group.compactableThrough) {
        this.#queue.delete(blockSeq);
        this.#early.add(blockSeq);
        this.#schedule();
        return;
      }
      const record = this.#loader.get(index, () => {
        this.#schedule();
      });
      if (record === 'wait') return;
      if (record === 'lost') this.#logger.warn({ index }, 'stream.compaction_skipped');
      else this.#rewrite(index, record);
    }
    erasures.delete(blockSeq);
    this.#queue.delete(blockSeq);
    this.#schedule();
  }

  #saving(): number {
    const { chunk, row } = this.#ref;
    let bytes = 0;
    for (let ordinal = 0; ordinal < chunk.count[row]!; ordinal++) {
      if (!chunk.isLive(row, ordinal)) bytes += chunk.sizeAt(row, ordinal);
    }
    return bytes;
  }

  #rewrite(index: LogIndex, record: Buffer): void {
    const { chunk, row } = this.#ref;
    const rejected = chunk.side[row]?.rejected;
    const before = record.subarray(RECORD_HEADER_BYTES);
    const body = Buffer.allocUnsafeSlow(before.length);
    before.copy(body, 0, 0, BATCH_HEADER_BYTES);
    let from = BATCH_HEADER_BYTES;
    let to = BATCH_HEADER_BYTES;
    let ordinal = 0;
    let skipped = 0;
    for (let i = 0; i < batchCount(before); i++) {
      const length = before.readUInt32BE(from);
      const wasRejected = rejected?.[skipped] === i;
      if (wasRejected) skipped++;
      if (!wasRejected && chunk.isLive(row, ordinal)) {
        to += before.copy(body, to, from, from + length);
      } else {
        body.fill(0, to, to + MESSAGE_PREFIX_BYTES);
        body.writeUInt32BE(MESSAGE_PREFIX_BYTES, to);
        to += MESSAGE_PREFIX_BYTES;
      }
      if (!wasRejected) ordinal++;
      from += length;
    }
    this.#loader.forget(index);
    this.#group.compactRecord(index, Buffer.from(body.subarray(0, to)));
  }
}
