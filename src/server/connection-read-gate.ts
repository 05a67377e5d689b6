/** Owns when a connection is read: whoever is overrun by what it sends holds it back, several at a time if need be. */
import type { Readable } from 'node:stream';
import type { Runtime } from '../base/runtime.ts';
import type { ProtocolParser, ProtocolWriter } from './protocol/index.ts';

/** How long a publisher is held back when a receiver of its messages is about to be overrun. */
const STALL_MS = 5;

export class ConnectionReadGate {
  /** How often the connection was stalled. */
  stalls = 0;
  readonly #runtime: Runtime;
  readonly #transport: Readable;
  readonly #parser: ProtocolParser;
  readonly #writer: ProtocolWriter;
  /** Goes on parsing what was held back. */
  readonly #parseOn: () => void;
  #pauses = 0;
  /** Since the last chunk arrived: a publisher is stalled once per chunk, not per message. */
  #stalled = false;
  #held = false;
  #closed = false;

  constructor(options: {
    readonly runtime: Runtime;
    readonly transport: Readable;
    readonly parser: ProtocolParser;
    readonly writer: ProtocolWriter;
    readonly parseOn: () => void;
  }) {
    this.#runtime = options.runtime;
    this.#transport = options.transport;
    this.#parser = options.parser;
    this.#writer = options.writer;
    this.#parseOn = options.parseOn;
  }

  /** Until `resume` was called as often. Nothing that was read is lost: the parser stops in the midst of a chunk. */
  pause(): void {
    this.#pauses++;
    if (this.#pauses > 1) return;
    this.#parser.pause();
    this.#transport.pause();
  }

  resume(): void {
    this.#pauses--;
    if (this.#pauses > 0) return;
    // Not at once: whoever calls is in the midst of its own work, and what was held back may be a lot.
    this.#runtime.defer(() => {
      if (this.#pauses > 0 || this.#closed) return;
      this.#parseOn();
      if (this.#pauses === 0) this.#transport.resume();
    });
  }

  chunkArrived(): void {
    this.#stalled = false;
  }

  /** Holds the connection back for a moment. False: it has been, for this chunk. */
  stall(): boolean {
    if (this.#stalled || this.#closed) return false;
    this.#stalled = true;
    this.stalls++;
    this.pause();
    this.#runtime.after(STALL_MS, () => {
      this.resume();
    });
    return true;
  }

  /**
   * What the server itself sends is mostly answers: PubAcks to a client that publishes and does not read them. Not reading
   * its publishes either turns a slow consumer into a slow publisher, who loses nothing.
   */
  holdUntilDrained(): void {
    if (this.#held) return;
    this.#held = true;
    this.pause();
    this.#writer.whenDrained(() => {
      this.#held = false;
      this.resume();
    });
  }

  /** The connection ends: what still comes is read and thrown away, whoever holds it back. */
  open(): void {
    this.#closed = true;
    this.#transport.resume();
  }
}
