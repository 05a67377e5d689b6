/**
 * Owns the order in which a consumer meets new messages: the initial list of `last_per_subject`, then the stream behind
 * the last delivery. Reads are the stream's; what is on its way from disk is asked for again when it has arrived.
 */
import { emptyStoredMessage, type SubjectFilter, type StoredMessage, type StreamCursor } from '../../stream/index.ts';
import type { StreamReader } from '../../stream/index.ts';
import type { Seq } from '../../base/brand.ts';

export type SourceStep = 'message' | 'end' | 'wait' | 'lost';

export class MessageSource {
  readonly #stream: StreamReader;
  readonly #onReady: () => void;
  readonly #initial: Float64Array;
  /** Next of `initial` to deliver. */
  #initialAt: number;
  readonly #initialView: StoredMessage | undefined;
  #filter: SubjectFilter | undefined;
  /** Opened when first needed: most consumers of a node are idle. */
  #cursor: StreamCursor | undefined;
  /** Least sequence that the cursor may deliver. */
  #position: number;
  #fromInitial = false;

  constructor(
    stream: StreamReader,
    start: {
      readonly position: number;
      readonly initial: Float64Array;
      readonly filter: SubjectFilter | undefined;
      readonly onReady: () => void;
    },
  ) {
    this.#stream = stream;
    this.#onReady = start.onReady;
    this.#initial = start.initial;
    this.#filter = start.filter;
    this.#initialAt = lowerBound(start.initial, start.position);
    this.#initialView = start.initial.length > 0 ? emptyStoredMessage() : undefined;
    this.#position = Math.max(start.position, (start.initial.at(-1) ?? 0) + 1);
  }

  /** The message that `next` stopped at. */
  get view(): StoredMessage {
    return this.#fromInitial ? this.#initialView! : this.#cursor!.view;
  }

  /** Whether a message stored at `seq` is still to come. */
  isAhead(seq: number): boolean {
    if (seq >= this.#position) return true;
    const at = lowerBound(this.#initial, seq);
    return at >= this.#initialAt && this.#initial[at] === seq;
  }

  /** Everything below this was delivered or passed over. */
  get position(): number {
    return this.#initial[this.#initialAt] ?? this.#position;
  }

  next(): SourceStep {
    while (this.#initialAt < this.#initial.length) {
      const seq = this.#initial[this.#initialAt]! as Seq;
      const step = this.#stream.read(seq, this.#initialView!, this.#onReady);
      if (step === 'wait') return 'wait';
      this.#initialAt++;
      if (step === 'gone') continue;
      this.#fromInitial = true;
      return step;
    }
    this.#fromInitial = false;
    const cursor = this.#openCursor();
    const step = cursor.advance();
    if (step === 'message') this.#position = cursor.view.seq + 1;
    return step;
  }

  /** The message that `next` stopped at is met again. */
  putBack(): void {
    if (this.#fromInitial) {
      this.#initialAt--;
      return;
    }
    const cursor = this.#openCursor();
    this.#position = cursor.view.seq;
    cursor.seek(cursor.view.seq);
  }

  setFilter(filter: SubjectFilter | undefined): void {
    this.#filter = filter;
    this.#cursor?.setFilter(filter);
  }

  /** Messages still to come, exactly. A cursor that nobody reads by is not kept: thousands of consumers may only be counted. */
  count(): number {
    const isReading = this.#cursor !== undefined;
    let count = this.#openCursor().countPending();
    if (!isReading) this.close();
    for (let at = this.#initialAt; at < this.#initial.length; at++) {
      if (this.#stream.isLive(this.#initial[at]! as Seq)) count++;
    }
    return count;
  }

  close(): void {
    this.#cursor?.close();
    this.#cursor = undefined;
  }

  #openCursor(): StreamCursor {
    this.#cursor ??= this.#stream.openCursor({
      position: this.#position as Seq,
      filter: this.#filter,
      onReady: this.#onReady,
    });
    return this.#cursor;
  }
}

/** First position of a sorted list whose value is at least `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
