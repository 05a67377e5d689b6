/**
 * Owns a connection's output: operations gathered in chunks during a turn, written to the transport once at its end, one
 * write under way at a time. Counts what is pending, so that its owner can close a connection that does not read.
 */
import type { Writable } from 'node:stream';
import { copyBytes, viewOf, WordCopier, writeDecimal } from '../../base/byte-writing.ts';
import { CR, LF, SPACE } from './bytes.ts';
import { type ChunkPool, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from './chunk-pool.ts';
import type { Message } from './message.ts';

/** One write hands over this much at most: its completion is the sign of progress that the write deadline waits for. */
const MAX_WRITE_BYTES = 1024 * 1024;
/** `HMSG` with its blanks, two sizes of at most ten digits, three line ends. */
const FRAMING_BYTES = 40;
const UPPER_H = 0x48;
const UPPER_M = 0x4d;
const UPPER_S = 0x53;
const UPPER_G = 0x47;

const NO_VIEW = new DataView(new ArrayBuffer(0));

interface FilledChunk {
  readonly chunk: Buffer;
  readonly bytes: number;
}

export class ProtocolWriter {
  readonly #transport: Writable;
  readonly #pool: ChunkPool;
  /** Full chunks, oldest first. */
  #filled: FilledChunk[] = [];
  #chunk: Buffer | undefined;
  #view: DataView = NO_VIEW;
  readonly #replies = new WordCopier();
  readonly #bodies = new WordCopier();
  #used = 0;
  #nextChunkBytes = MIN_CHUNK_BYTES;
  #gatheredBytes = 0;
  #bytesUnderWay = 0;
  /** When the write under way began, on the owner's clock; undefined if none is. */
  #writingSinceMs: number | undefined;
  #onDrained: (() => void) | undefined;
  readonly #nowMs: () => number;

  constructor(transport: Writable, options: { readonly pool: ChunkPool; readonly nowMs: () => number }) {
    this.#transport = transport;
    this.#pool = options.pool;
    this.#nowMs = options.nowMs;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#gatheredBytes + this.#bytesUnderWay;
  }

  get gatheredBytes(): number {
    return this.#gatheredBytes;
  }

  /** How long the transport has taken nothing although there was something to take. */
  stalledMs(nowMs: number): number {
    return this.#writingSinceMs === undefined ? 0 : nowMs - this.#writingSinceMs;
  }

  /** A control line, ASCII or a byte string, with its line end. */
  line(text: string): void {
    const chunk = this.#reserve(text.length);
    this.#advance(this.#used + chunk.write(text, this.#used, 'latin1'));
  }

  /** A control line whose text may have any characters. */
  bytes(line: Buffer): void {
    const chunk = this.#reserve(line.length);
    this.#advance(copyBytes(chunk, this.#used, line, 0, line.length));
  }

  /** MSG, or HMSG if it has headers and `withHeaders`. Everything is copied. Returns headers and payload sent. */
  message(sid: Buffer, message: Message, withHeaders: boolean): number {
    const { subjectStart, subjectEnd, replyStart, replyEnd, headersStart, headersEnd, payloadStart, payloadEnd } =
      message;
    const headerBytes = withHeaders ? headersEnd - headersStart : 0;
    const payloadBytes = payloadEnd - payloadStart;
    const needed = FRAMING_BYTES + subjectEnd - subjectStart + sid.length + replyEnd - replyStart;
    const chunk = this.#reserve(needed + headerBytes + payloadBytes);
    let at = this.#used;
    if (headerBytes > 0) chunk[at++] = UPPER_H;
    chunk[at] = UPPER_M;
    chunk[at + 1] = UPPER_S;
    chunk[at + 2] = UPPER_G;
    chunk[at + 3] = SPACE;
    at = copyBytes(chunk, at + 4, message.subjectBuffer, subjectStart, subjectEnd);
    chunk[at++] = SPACE;
    at = copyBytes(chunk, at, sid, 0, sid.length);
    chunk[at++] = SPACE;
    if (replyEnd > replyStart) {
      at = this.#replies.copy(chunk, this.#view, at, message.replyBuffer, replyStart, replyEnd);
      chunk[at++] = SPACE;
    }
    if (headerBytes > 0) {
      at = writeDecimal(chunk, at, headerBytes);
      chunk[at++] = SPACE;
    }
    at = writeDecimal(chunk, at, headerBytes + payloadBytes);
    chunk[at] = CR;
    chunk[at + 1] = LF;
    at += 2;
    if (headerBytes > 0 && headersEnd === payloadStart) {
      at = copyBytes(chunk, at, message.buffer, headersStart, payloadEnd);
    } else {
      if (headerBytes > 0) at = copyBytes(chunk, at, message.buffer, headersStart, headersEnd);
      at = this.#bodies.copy(chunk, this.#view, at, message.buffer, payloadStart, payloadEnd);
    }
    chunk[at] = CR;
    chunk[at + 1] = LF;
    this.#advance(at + 2);
    return headerBytes + payloadBytes;
  }

  /** Hands what was gathered to the transport, unless it still works on the write before: then when that is done. */
  flush(): void {
    this.#replies.clear();
    this.#bodies.clear();
    if (this.#gatheredBytes === 0 || this.#writingSinceMs !== undefined) return;
    this.#closeChunk();
    const leaving = this.#takeChunks();
    this.#writingSinceMs = this.#nowMs();
    const last = leaving.length - 1;
    if (last > 0) this.#transport.cork();
    leaving.forEach(({ chunk, bytes }, i) => {
      const view = chunk.subarray(0, bytes);
      if (i < last) this.#transport.write(view);
      else
        this.#transport.write(view, () => {
          this.#written(leaving);
        });
    });
    if (last > 0) this.#transport.uncork();
  }

  /** Calls `task` once everything gathered so far was taken by the transport. One task at a time. */
  whenDrained(task: () => void): void {
    if (this.pendingBytes === 0) task();
    else this.#onDrained = task;
  }

  /** Forgets what is pending. A write under way keeps its chunks: the transport may still read from them. */
  discard(): void {
    this.#onDrained = undefined;
    for (const { chunk } of this.#filled) this.#pool.giveBack(chunk);
    this.#filled = [];
    if (this.#chunk !== undefined) this.#pool.giveBack(this.#chunk);
    this.#chunk = undefined;
    this.#view = NO_VIEW;
    this.#replies.clear();
    this.#bodies.clear();
    this.#used = 0;
    this.#gatheredBytes = 0;
  }

  #written(leaving: readonly FilledChunk[]): void {
    for (const { chunk } of leaving) this.#pool.giveBack(chunk);
    this.#bytesUnderWay = 0;
    this.#writingSinceMs = undefined;
    if (this.#gatheredBytes > 0) {
      this.flush();
      return;
    }
    const task = this.#onDrained;
    this.#onDrained = undefined;
    task?.();
  }

  #takeChunks(): FilledChunk[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#filled.length && (count === 0 || bytes + this.#filled[count]!.bytes <= MAX_WRITE_BYTES)) {
      bytes += this.#filled[count++]!.bytes;
    }
    const taken = this.#filled.splice(0, count);
    this.#gatheredBytes -= bytes;
    this.#bytesUnderWay = bytes;
    return taken;
  }

  /** The current chunk, with room for `bytes` at `#used`. */
  #reserve(bytes: number): Buffer {
    const current = this.#chunk;
    if (current !== undefined && this.#used + bytes <= current.length) return current;
    if (current !== undefined) {
      this.#closeChunk();
      this.#nextChunkBytes = Math.min(this.#nextChunkBytes * 2, MAX_CHUNK_BYTES);
    }
    this.#chunk = this.#pool.take(Math.max(bytes, this.#nextChunkBytes));
    this.#view = viewOf(this.#chunk);
    return this.#chunk;
  }

  #advance(end: number): void {
    this.#gatheredBytes += end - this.#used;
    this.#used = end;
  }

  #closeChunk(): void {
    if (this.#chunk === undefined) return;
    // A connection that fills little of its chunk gets a smaller one next time: many idle ones must not cost much.
    if (this.#used * 4 < this.#nextChunkBytes)
      this.#nextChunkBytes = Math.max(MIN_CHUNK_BYTES, this.#nextChunkBytes / 2);
    this.#filled.push({ chunk: this.#chunk, bytes: this.#used });
    this.#chunk = undefined;
    this.#view = NO_VIEW;
    this.#used = 0;
  }
}
