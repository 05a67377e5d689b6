/**
 * Owns the way of consumers' progress into the log: the steps of all consumers that moved are gathered into one entry, at
 * a bounded rate and with one entry in flight, so that the cost of recording doesn't grow with the number of messages.
 * Whoever must wait for the record (double acks, last attempts) is told when its entry is applied.
 *
 * An entry's body is `u8 version | number clock | (number consumer id | bytes steps)*`; id 0 stands for the sweep.
 */
import { NotLeaderError } from '../../base/errors.ts';
import type { Runtime, Timer } from '../../base/runtime.ts';
import { ByteWriter } from './compact-bytes.ts';
import type { ProgressLog } from './progress-log.ts';

export const PROGRESS_VERSION = 1;
/** In the place of a consumer's id: one more step of the sweep. */
export const SWEEP_ID = 0;
/** Plain progress waits this long for more of it: losing it costs a redelivery, nothing else. */
const RECORD_DELAY_MS = 4;
/** The same where nobody acks, and records of a replay would only be in its way. */
const UNACKED_DELAY_MS = 20;
/** Sooner than that if an entry of messages leaves: one write takes both. A record by itself would be in the next one's way. */
const RIDE_ALONG_MS = 2;
/** What matters even less, like who waits no more: a new leader tells them of the change in vain. */
const LAZY_DELAY_MS = 100;
/** Consumers that find no room wait for the next entry. */
const MAX_ENTRY_BYTES = 512 * 1024;

/** A consumer whose progress is recorded. */
export interface Recorded {
  readonly id: number;
  readonly log: ProgressLog;
  /** Its steps are about to be taken: now is the time to add what is only noted at that moment. */
  beforeRecord(): void;
  /** All steps taken with the last entry are committed and applied. */
  afterRecord(): void;
}

/** Where consumers note their progress. */
export interface ProgressSink {
  /** `consumer` has steps to record. */
  note(consumer: Recorded): void;
  /** The same, of deliveries that nobody acks. */
  noteUnacked(consumer: Recorded): void;
  /** The same, when a recorded state that is old for a while does no harm. */
  noteLazily(consumer: Recorded): void;
  /** The same, when somebody waits for the record. */
  noteUrgently(consumer: Recorded): void;
  /** Sends an empty answer to `reply` once everything that `consumer` did so far is recorded. */
  answerWhenRecorded(consumer: Recorded, reply: string): void;
  /** The consumer was deleted: nobody may answer for what it did last. */
  forget(consumer: Recorded): void;
}

/** Somebody who waits for a record, and is told if it will never be known. */
interface Waiter {
  readonly done: () => void;
  readonly lost: () => void;
}

export class ProgressRecorder implements ProgressSink {
  readonly #runtime: Runtime;
  readonly #propose: (body: Buffer) => boolean;
  readonly #answer: (reply: string) => void;
  readonly #nowMs: () => number;
  readonly #writer = new ByteWriter();
  #dirty = new Set<Recorded>();
  /** How long the most urgent of them waits. */
  #patienceMs = Infinity;
  #inFlight = new Set<Recorded>();
  /** Built, and not yet accepted by the group. */
  #unsent: Buffer | undefined;
  #busy = false;
  #sweep = false;
  /** Answers to give when the next entry, or the one in flight, is applied. */
  #replies = new Map<Recorded, string[]>();
  #repliesInFlight: string[] = [];
  /** Of all consumers: they are few. */
  #waiters: Waiter[] = [];
  #waitersInFlight: Waiter[] = [];
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #urgent = false;
  /** Deferred tasks of an earlier leadership must not run in a later one. */
  #generation = 0;

  constructor(services: {
    readonly runtime: Runtime;
    readonly nowMs: () => number;
    readonly propose: (body: Buffer) => boolean;
    readonly answer: (reply: string) => void;
  }) {
    this.#runtime = services.runtime;
    this.#nowMs = services.nowMs;
    this.#propose = services.propose;
    this.#answer = services.answer;
  }

  note(consumer: Recorded): void {
    this.#noteWithin(RECORD_DELAY_MS, consumer);
  }

  noteUnacked(consumer: Recorded): void {
    this.#noteWithin(UNACKED_DELAY_MS, consumer);
  }

  noteLazily(consumer: Recorded): void {
    this.#noteWithin(LAZY_DELAY_MS, consumer);
  }

  #noteWithin(delayMs: number, consumer: Recorded): void {
    this.#dirty.add(consumer);
    this.#patienceMs = Math.min(this.#patienceMs, delayMs);
    if (!this.#busy) this.#flushAfter(delayMs);
  }

  noteUrgently(consumer: Recorded): void {
    this.#dirty.add(consumer);
    this.#flushSoon();
  }

  /** Messages may have become free: the next entries step through them. */
  noteSweep(): void {
    this.#sweep = true;
    this.#patienceMs = Math.min(this.#patienceMs, RECORD_DELAY_MS);
    if (!this.#busy) this.#flushAfter(RECORD_DELAY_MS);
  }

  answerWhenRecorded(consumer: Recorded, reply: string): void {
    if (!consumer.log.empty) {
      const waiting = this.#replies.get(consumer);
      if (waiting === undefined) this.#replies.set(consumer, [reply]);
      else waiting.push(reply);
      this.noteUrgently(consumer);
    } else if (this.#inFlight.has(consumer)) {
      this.#repliesInFlight.push(reply);
    } else {
      this.#answer(reply);
    }
  }

  /** Resolves once everything that `consumer` did so far is recorded. @throws {NotLeaderError} */
  recorded(consumer: Recorded): Promise<void> {
    if (consumer.log.empty && !this.#inFlight.has(consumer)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const lost = (): void => {
        reject(new NotLeaderError('leadership was lost before progress was recorded', true));
      };
      (consumer.log.empty ? this.#waitersInFlight : this.#waiters).push({ done: resolve, lost });
      if (!consumer.log.empty) this.noteUrgently(consumer);
    });
  }

  /** Resolves once everything done so far is recorded, or never will be. */
  allRecorded(): Promise<void> {
    if (this.#dirty.size === 0 && !this.#busy) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = { done: resolve, lost: resolve };
      if (this.#dirty.size === 0) {
        this.#waitersInFlight.push(waiter);
      } else {
        this.#waiters.push(waiter);
        this.#flushSoon();
      }
    });
  }

  forget(consumer: Recorded): void {
    this.#dirty.delete(consumer);
    this.#replies.delete(consumer);
    this.#inFlight.delete(consumer);
  }

  /** The entry in flight was applied here. */
  applied(): void {
    if (!this.#busy || this.#unsent !== undefined) return;
    this.#busy = false;
    const recorded = this.#inFlight;
    const replies = this.#repliesInFlight;
    this.#inFlight = new Set();
    this.#repliesInFlight = [];
    for (const reply of replies) this.#answer(reply);
    for (const consumer of recorded) consumer.afterRecord();
    for (const waiter of this.#waitersInFlight.splice(0)) waiter.done();
    if (this.#urgent) {
      this.#urgent = false;
      this.#flushSoon();
    } else if (this.#dirty.size > 0 || this.#sweep) {
      this.#flushAfter(this.#patienceMs);
    }
  }

  /** Messages are about to be proposed. */
  rideAlong(): void {
    if (this.#busy || this.#timerAtMs - this.#nowMs() > RIDE_ALONG_MS) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    this.#flush();
  }

  proposalsWelcome(): void {
    if (this.#unsent !== undefined) this.#send(this.#unsent);
  }

  /** This node doesn't lead any more: what isn't recorded is lost, and its answers are not given. */
  reset(): void {
    this.#generation++;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    this.#dirty.clear();
    this.#patienceMs = Infinity;
    this.#inFlight = new Set();
    this.#unsent = undefined;
    this.#busy = false;
    this.#sweep = false;
    this.#replies.clear();
    this.#repliesInFlight = [];
    this.#urgent = false;
    for (const waiter of [...this.#waiters.splice(0), ...this.#waitersInFlight.splice(0)]) waiter.lost();
  }

  #flushAfter(delayMs: number): void {
    const atMs = this.#nowMs() + delayMs;
    if (this.#urgent || atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#runtime.after(delayMs, () => {
      this.#timer = undefined;
      this.#timerAtMs = Infinity;
      this.#flush();
    });
  }

  /** At the end of the turn, so that all acks of the turn are in it. */
  #flushSoon(): void {
    if (this.#urgent) return;
    this.#urgent = true;
    if (this.#busy) return;
    const generation = this.#generation;
    this.#runtime.defer(() => {
      if (generation === this.#generation) this.#flush();
    });
  }

  #flush(): void {
    if (this.#busy) return;
    this.#urgent = false;
    const body = this.#dirty.size > 0 || this.#sweep ? this.#build() : undefined;
    if (body === undefined) {
      // Those who were waited for are gone.
      for (const waiter of [...this.#waiters.splice(0), ...this.#waitersInFlight.splice(0)]) waiter.done();
      return;
    }
    this.#busy = true;
    this.#send(body);
  }

  #build(): Buffer | undefined {
    const writer = this.#writer;
    this.#patienceMs = Infinity;
    writer.clear();
    writer.byte(PROGRESS_VERSION);
    writer.number(this.#nowMs());
    const empty = writer.length;
    if (this.#sweep) {
      this.#sweep = false;
      writer.number(SWEEP_ID);
    }
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const consumer of dirty) {
      if (writer.length > MAX_ENTRY_BYTES) {
        this.#dirty.add(consumer);
        continue;
      }
      consumer.beforeRecord();
      if (consumer.log.empty) continue;
      writer.number(consumer.id);
      consumer.log.takeInto(writer);
      this.#inFlight.add(consumer);
      const replies = this.#replies.get(consumer);
      if (replies === undefined) continue;
      this.#replies.delete(consumer);
      for (const reply of replies) this.#repliesInFlight.push(reply);
    }
    if (this.#dirty.size > 0) this.#urgent = true;
    else this.#waitersInFlight.push(...this.#waiters.splice(0));
    return writer.length === empty ? undefined : writer.copy();
  }

  #send(body: Buffer): void {
    this.#unsent = this.#propose(body) ? undefined : body;
  }
}
