/**
 * Owns the leader's timer for schedules (streams.md 7.8): when each is due, and the messages that they produce. All of it
 * follows from the stored schedules and when they last fired, so a new leader plans them anew, and what was missed fires
 * once.
 */
import type { Logger } from '../../base/logger.ts';
import type { Runtime } from '../../base/runtime.ts';
import { DeadlineHeap } from '../expiry/deadline-heap.ts';
import type { MessageReader } from '../records/message-reader.ts';
import type { ProducedMessage } from '../entries/produced-batch.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import { productOf, ScheduleMessage } from './schedule-message.ts';
import { lastSeqOf } from '../store/store-queries.ts';
import { subjectFilter } from '../store/subject-filter.ts';
import type { TimedSurroundings } from '../timekeeper.ts';
import { WallTimer } from '../wall-timer.ts';
import { leastTtl } from '../expiry/ttl-rewriter.ts';

/** What is due within this time of something that is fires together with it. */
const MIN_INTERVAL_MS = 1;
/** The wall clock may jump: the timer looks again at least this often. */
const MAX_INTERVAL_MS = 60_000;
/** After a failure to propose. */
const RETRY_MS = 250;
const MAX_FIRING = 256;
const MAX_FIRING_BYTES = 512 * 1024;
/** Schedules that wait to be planned beyond this are found by going through all of them. */
const MAX_FRESH = 4096;

export class ScheduleKeeper {
  readonly #state: ReplicatedState;
  readonly #runtime: Runtime;
  readonly #logger: Logger;
  readonly #isLeader: () => boolean;
  readonly #reader: MessageReader;
  readonly #produce: TimedSurroundings['produce'];
  /** Sequences of schedules that are planned. */
  readonly #due: DeadlineHeap;
  readonly #timer: WallTimer;
  /** Those that are not yet. */
  #fresh: number[] = [];
  #isPlanned = false;
  #isBusy = false;
  #closed = false;

  constructor(options: TimedSurroundings) {
    this.#state = options.state;
    this.#runtime = options.runtime;
    this.#logger = options.logger;
    this.#isLeader = options.isLeader;
    this.#reader = options.reader;
    this.#produce = options.produce;
    this.#due = new DeadlineHeap((seq) => this.#state.schedules.has(seq));
    this.#timer = new WallTimer(options.runtime, { minMs: MIN_INTERVAL_MS, maxMs: MAX_INTERVAL_MS }, () => {
      if (this.#isLeader()) void this.#work(() => this.#fire());
    });
    this.#state.schedules.onStored = (seq) => {
      if (this.#fresh.length < MAX_FRESH) this.#fresh.push(seq);
      else this.#isPlanned = false;
    };
  }

  /** Something was applied, or the leader changed. */
  schedule(): void {
    if (this.#isBusy || this.#closed || this.#state.config.sealed) return;
    if (!this.#isLeader()) {
      this.#forgetPlan();
    } else if (!this.#isPlanned || this.#fresh.length > 0) {
      void this.#work(() => this.#plan());
    } else {
      this.#timer.set(this.#due.next, this.#runtime.wallUs());
    }
  }

  close(): void {
    this.#closed = true;
    this.#forgetPlan();
  }

  /** Another node leads: it plans by itself. */
  #forgetPlan(): void {
    this.#timer.cancel();
    this.#due.clear();
    this.#fresh = [];
    this.#isPlanned = false;
  }

  /** One thing at a time; whatever comes meanwhile is seen to afterwards. */
  async #work(task: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    this.#timer.cancel();
    try {
      await task();
    } finally {
      this.#isBusy = false;
    }
    this.schedule();
  }

  async #plan(): Promise<void> {
    const fresh = this.#isPlanned ? this.#fresh : this.#allSchedules();
    this.#fresh = [];
    this.#isPlanned = true;
    for (const seq of fresh) if (!this.#closed) await this.#planOne(seq);
  }

  #allSchedules(): number[] {
    this.#due.clear();
    return [...this.#state.schedules.seqs()];
  }

  async #planOne(seq: number): Promise<void> {
    const message = await this.#reader.read(seq);
    const { schedules } = this.#state;
    if (message === undefined || !schedules.has(seq)) return;
    const schedule = ScheduleMessage.parse(message);
    const firedUs = schedules.firedUs(seq);
    const storedUs = this.#state.store.timestampOf(seq);
    const dueUs = schedule?.nextUs({ firedUs, storedUs, nowUs: this.#runtime.wallUs() });
    if (dueUs !== undefined) this.#due.push(dueUs, seq);
    else this.#logger.warn({ seq, zone: schedule?.zone }, 'stream.schedule_not_understood');
  }

  async #fire(): Promise<void> {
    const nowUs = this.#runtime.wallUs();
    const fired: number[] = [];
    const batch: ProducedMessage[] = [];
    let bytes = 0;
    while (this.#due.next <= nowUs && fired.length < MAX_FIRING && bytes < MAX_FIRING_BYTES) {
      const dueUs = this.#due.next;
      const seq = this.#due.pop();
      if (!this.#state.schedules.has(seq)) continue;
      fired.push(seq);
      const message = await this.#productOf(seq, dueUs);
      if (message === undefined) continue;
      batch.push({ message, basis: seq, dueUs });
      bytes += message.length;
    }
    try {
      if (batch.length > 0) await this.#produce(batch);
    } catch {
      // Not the leader any more, or too much waits: who leads then plans anew.
      await new Promise<void>((resolve) => this.#runtime.after(RETRY_MS, resolve));
    }
    for (const seq of fired) if (!this.#closed) await this.#planOne(seq);
  }

  /** What the schedule at `seq` produces now, in stored form. */
  async #productOf(seq: number, dueUs: number): Promise<Buffer | undefined> {
    const message = await this.#reader.read(seq);
    const schedule = message && ScheduleMessage.parse(message);
    if (schedule === undefined) return undefined;
    const source = schedule.source === '' ? 0 : lastSeqOf(this.#state.store, subjectFilter([schedule.source]));
    const content = source === 0 ? undefined : await this.#reader.read(source);
    const nextUs = schedule.nextUs({ firedUs: dueUs, storedUs: 0, nowUs: this.#runtime.wallUs() });
    return productOf(schedule, content, { nextUs, leastTtl: leastTtl(this.#state.config) });
  }
}
