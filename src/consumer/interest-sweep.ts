/**
 * Owns the question whether any consumer still needs a message of a stream that lets go of what is done, and the sweep that asks it again for
 * many messages after a consumer went away. The sweep moves by steps that are part of the log, so that every replica
 * removes the same messages, and no step holds the loop for long.
 */
import type { Seq } from '../base/brand.ts';
import { emptyStoredMessage, type ExtensionHost, type SubjectFilter } from '../stream/index.ts';
import type { ReplicatedConsumer } from './state/replicated-state.ts';

/** Sequences that one step looks at. */
const STEP_SEQS = 2048;

interface Needing {
  readonly replicated: ReplicatedConsumer;
  readonly filter: SubjectFilter | undefined;
}

export class InterestSweep {
  readonly #stream: ExtensionHost;
  readonly #consumers: () => Iterable<Needing>;
  readonly #view = emptyStoredMessage();
  /** `#view` shows the message that is being asked about. */
  #subjectKnown = false;
  /** The sweep has [next, through] before it. */
  next = 0;
  through = 0;

  constructor(stream: ExtensionHost, consumers: () => Iterable<Needing>) {
    this.#stream = stream;
    this.#consumers = consumers;
  }

  get pending(): boolean {
    return this.next <= this.through && this.through > 0;
  }

  /** Everything from `seq` to the end of the stream is to be looked at again. */
  extend(seq: number): void {
    this.next = this.pending ? Math.min(this.next, seq) : seq;
    this.through = this.#stream.state().lastSeq;
  }

  /** Returns how far it got. */
  step(): number {
    if (!this.pending) return 0;
    let seq = Math.max(this.next, this.#stream.state().firstSeq);
    const end = Math.min(this.through + 1, seq + STEP_SEQS);
    for (; seq < end; seq++) {
      if (this.#stream.isLive(seq as Seq) && this.#isFree(seq)) this.#stream.removeMessage(seq as Seq);
    }
    this.next = Math.max(seq, end);
    return this.next;
  }

  needed(seq: number): boolean {
    this.#subjectKnown = false;
    for (const consumer of this.#consumers()) {
      if (!consumer.replicated.needs(seq)) continue;
      if (consumer.replicated.tracks(seq) || this.#matches(seq, consumer.filter)) return true;
    }
    return false;
  }

  /** A work queue keeps what nobody has worked on, even if nobody is there to do so. */
  #isFree(seq: number): boolean {
    return !this.needed(seq) && (this.#stream.config.retention !== 'workqueue' || this.#isDone(seq));
  }

  /** Asked after `needed` of the same message. */
  #isDone(seq: number): boolean {
    for (const { replicated, filter } of this.#consumers()) {
      if (replicated.isDoneWith(seq) && this.#matches(seq, filter)) return true;
    }
    return false;
  }

  #matches(seq: number, filter: SubjectFilter | undefined): boolean {
    if (filter === undefined) return true;
    const view = this.#view;
    this.#subjectKnown ||= this.#stream.read(seq as Seq, view, () => undefined) === 'message';
    return this.#subjectKnown
      ? filter.matches(view.buffer, view.subjectStart, view.headersStart)
      : this.#matchesByCount(seq, filter);
  }

  /** The message isn't in memory, and replicas that have it there must not decide otherwise: its summaries know as well. */
  #matchesByCount(seq: number, filter: SubjectFilter): boolean {
    const cursor = this.#stream.openCursor({ position: seq as Seq, filter, onReady: () => undefined });
    const from = cursor.countPending();
    cursor.seek((seq + 1) as Seq);
    const behind = cursor.countPending();
    cursor.close();
    return from > behind;
  }
}
