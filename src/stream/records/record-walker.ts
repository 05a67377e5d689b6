/** Owns finding a message within its record: messages lie one behind the other, so it is a walk, shorter when it goes on. */
import { readUint32 } from '../../base/big-endian.ts';
import type { BlockChunk } from '../store/block-chunk.ts';
import { RECORD_MESSAGES_START } from '../entries/entry-format.ts';
import { readMessage, type MessageView } from '../messages/message-format.ts';

/** Remembers where it was by entry and length, not by the record itself, which it would keep in memory. */
export class RecordWalker {
  #index = 0;
  /** A record that was compacted has another length. */
  #length = 0;
  #ordinal = 0;
  #offset = 0;

  /** Puts message number `ordinal` of the record of entry `index` into `view`. False: the record does not hold that many. */
  read(record: Buffer, index: number, ordinal: number, view: MessageView): boolean {
    if (index !== this.#index || record.length !== this.#length || ordinal < this.#ordinal) {
      this.#index = index;
      this.#length = record.length;
      this.#ordinal = 0;
      this.#offset = RECORD_MESSAGES_START;
    }
    while (this.#ordinal < ordinal) {
      if (this.#offset + 4 > record.length) return false;
      const length = readUint32(record, this.#offset);
      if (length === 0) return false;
      this.#offset += length;
      this.#ordinal++;
    }
    return readMessage(record, this.#offset, record.length, view);
  }
}

/** Which message of its record the block's sequence number `ordinal` is: some may have been rejected before it. */
export function recordOrdinal(chunk: BlockChunk, row: number, ordinal: number): number {
  const rejected = chunk.side[row]?.rejected;
  if (rejected === undefined) return ordinal;
  let at = ordinal;
  for (const skipped of rejected) {
    if (skipped > at) break;
    at++;
  }
  return at;
}
