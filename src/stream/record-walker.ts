/** Owns finding a message within its record: messages lie one behind the other, so it is a walk, shorter when it goes on. */
import type { BlockChunk } from './block-table.ts';
import { RECORD_MESSAGES_START } from './entry-format.ts';
import { readMessage, type MessageView } from './message-format.ts';

const NO_RECORD = Buffer.alloc(0);

export class RecordWalker {
  #record: Buffer = NO_RECORD;
  #ordinal = 0;
  #offset = 0;

  /** Puts message number `ordinal` of the record into `view`. False: the record does not hold that many. */
  read(record: Buffer, ordinal: number, view: MessageView): boolean {
    if (record !== this.#record || ordinal < this.#ordinal) {
      this.#record = record;
      this.#ordinal = 0;
      this.#offset = RECORD_MESSAGES_START;
    }
    while (this.#ordinal < ordinal) {
      if (this.#offset + 4 > record.length) return false;
      const length = record.readUInt32BE(this.#offset);
      if (length === 0) return false;
      this.#offset += length;
      this.#ordinal++;
    }
    return readMessage(record, this.#offset, record.length, view);
  }

  /** Lets go of the record. */
  release(): void {
    this.#record = NO_RECORD;
    this.#ordinal = 0;
    this.#offset = 0;
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
