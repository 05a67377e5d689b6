/** Owns what waits to leave on one stream: gathers frames to packets, and holds back what the stream can't take yet. */
import type { Runtime } from '../base/runtime.ts';
import { encodePacket } from './wire.ts';

/** A packet is closed once it holds this much; a single larger frame still is one packet. */
const PACKET_BYTES = 1024 * 1024;
/** Written to the stream and not yet taken by the socket: enough to keep it busy, the rest gathers here. */
const WRITE_AHEAD_BYTES = 4 * 1024 * 1024;
/** Per frame, so that many tiny ones count as well. */
const FRAME_OVERHEAD_BYTES = 16;
/** Slots of frames that have left are reclaimed at the latest when there are this many. */
const COMPACT_SLOTS = 4096;

/** Calls `written` when the stream is ready for more in its place. */
export type WritePacket = (packet: Buffer, written: () => void) => void;

export class Outbox {
  readonly #write: WritePacket;
  readonly #runtime: Runtime;
  readonly #maxBytes: number;
  /** Two columns; what lies before `#head` has left. */
  readonly #kinds: number[] = [];
  readonly #bodies: Buffer[] = [];
  #head = 0;
  #queuedBytes = 0;
  #writingBytes = 0;
  #flushDue = false;
  #idle = true;
  #closed = false;

  constructor(write: WritePacket, runtime: Runtime, maxBytes: number) {
    this.#write = write;
    this.#runtime = runtime;
    this.#maxBytes = maxBytes;
  }

  get pendingBytes(): number {
    return this.#queuedBytes + this.#writingBytes;
  }

  /** False: full. An `essential` frame is always taken: its sender repeats it only when the link has broken. */
  push(kind: number, body: Buffer, essential: boolean): boolean {
    const bytes = body.length + FRAME_OVERHEAD_BYTES;
    const pending = this.pendingBytes;
    // However large, a frame fits into an empty outbox.
    if (this.#closed || (!essential && pending > 0 && pending + bytes > this.#maxBytes)) return false;
    this.#kinds.push(kind);
    this.#bodies.push(body);
    this.#queuedBytes += bytes;
    if (!this.#flushDue && this.#writingBytes < WRITE_AHEAD_BYTES) {
      this.#flushDue = true;
      this.#runtime.soon(this.#flush);
    }
    return true;
  }

  /** Tells the other side that we live, unless something left since the last call. */
  ping(): void {
    if (this.#idle && this.#writingBytes === 0) this.#writePacket(this.#head);
    this.#idle = true;
  }

  /** Sends what is queued without waiting for the end of the callback. */
  flushNow(): void {
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    this.#kinds.length = 0;
    this.#bodies.length = 0;
    this.#head = 0;
    this.#queuedBytes = 0;
  }

  readonly #flush = (): void => {
    this.#flushDue = false;
    while (this.#head < this.#bodies.length && this.#writingBytes < WRITE_AHEAD_BYTES) {
      let end = this.#head;
      let bytes = 0;
      do bytes += this.#bodies[end++]!.length;
      while (end < this.#bodies.length && bytes + this.#bodies[end]!.length <= PACKET_BYTES);
      this.#writePacket(end);
    }
  };

  /** Writes frames `[#head, end)` as one packet. */
  #writePacket(end: number): void {
    const packet = encodePacket(this.#kinds, this.#bodies, this.#head, end);
    let bytes = 0;
    for (let i = this.#head; i < end; i++) bytes += this.#bodies[i]!.length + FRAME_OVERHEAD_BYTES;
    this.#queuedBytes -= bytes;
    this.#head = end;
    this.#compact();
    this.#writingBytes += bytes;
    this.#idle = false;
    this.#write(packet, () => {
      this.#writingBytes -= bytes;
      if (!this.#closed && !this.#flushDue) this.#flush();
    });
  }

  #compact(): void {
    if (this.#head < this.#bodies.length && this.#head < COMPACT_SLOTS) return;
    this.#kinds.splice(0, this.#head);
    this.#bodies.splice(0, this.#head);
    this.#head = 0;
  }
}
