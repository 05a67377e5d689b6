/**
 * Owns the leader's timer for what expires, by `max_age` or by a time to live of its own: the leader proposes what is too
 * old, replicas remove it when they apply that. Where the stream leaves delete markers (streams.md 7.5), the last message
 * of a subject is replaced by one.
 */
import type { Runtime } from '../../base/runtime.ts';
import { deleteMarker, isDeleteMarker } from './delete-marker.ts';
import { ExpiredMessageFinder } from './expired-messages.ts';
import type { MessageReader } from '../records/message-reader.ts';
import type { ProducedMessage } from '../entries/produced-batch.ts';
import type { ReplicatedState } from '../replicated-state.ts';
import type { TimedSurroundings } from '../timekeeper.ts';
import { WallTimer } from '../wall-timer.ts';

/** Messages expire together when they are due within this time. */
const MIN_INTERVAL_MS = 250;
/** The wall clock may jump: the timer looks again at least this often. */
const MAX_INTERVAL_MS = 60_000;

export class ExpiryKeeper {
  readonly #state: ReplicatedState;
  readonly #runtime: Runtime;
  readonly #isLeader: () => boolean;
  readonly #reader: MessageReader;
  readonly #execute: TimedSurroundings['execute'];
  readonly #produce: TimedSurroundings['produce'];
  readonly #finder: ExpiredMessageFinder;
  readonly #timer: WallTimer;
  #isBusy = false;
  #closed = false;

  constructor(options: TimedSurroundings) {
    this.#state = options.state;
    this.#runtime = options.runtime;
    this.#isLeader = options.isLeader;
    this.#reader = options.reader;
    this.#execute = options.execute;
    this.#produce = options.produce;
    this.#finder = new ExpiredMessageFinder(options.state);
    this.#timer = new WallTimer(options.runtime, { minMs: MIN_INTERVAL_MS, maxMs: MAX_INTERVAL_MS }, () => {
      if (this.#isLeader()) void this.#expire();
    });
  }

  /** Something was stored, or the configuration or the leader changed. */
  schedule(): void {
    if (this.#isBusy || this.#closed || !this.#isLeader()) return;
    this.#timer.set(this.#finder.nextUs, this.#nowUs);
  }

  /** The limit changed: what was planned no longer holds. */
  reschedule(): void {
    this.#timer.cancel();
    this.schedule();
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
  }

  /** What the log has seen is past, even where this node's clock is behind it. */
  get #nowUs(): number {
    return Math.max(this.#runtime.wallUs(), this.#state.clockUs);
  }

  async #expire(): Promise<void> {
    this.#isBusy = true;
    const { below, seqs, isPartial } = this.#finder.find(this.#nowUs);
    let isDone = false;
    try {
      if (below > 0) await this.#execute({ op: 'expire', below });
      if (seqs.length > 0) await this.#remove(seqs);
      isDone = true;
    } catch {
      // A refusal means that another node leads now, and expires in its turn.
    }
    this.#isBusy = false;
    if (this.#closed) return;
    this.#state.expiries.putBack();
    if (isDone && isPartial && this.#isLeader()) this.#timer.setAtOnce();
    else this.schedule();
  }

  async #remove(seqs: readonly number[]): Promise<void> {
    const markerTtlMs = this.#state.config.subjectDeleteMarkerTtlMs;
    const lasts = markerTtlMs > 0 ? this.#lastOfSubjects(seqs) : new Set<number>();
    const plain: number[] = [];
    const markers: ProducedMessage[] = [];
    for (const seq of seqs) {
      const message = lasts.has(seq) ? await this.#reader.read(seq) : undefined;
      if (message === undefined || isDeleteMarker(message)) plain.push(seq);
      else markers.push({ message: deleteMarker(message, markerTtlMs), basis: seq, dueUs: 0 });
    }
    // In this order: a marker takes the place of the only message of its subject.
    const removed = plain.length > 0 ? this.#execute({ op: 'expireMessages', runs: runsOf(plain) }) : undefined;
    const produced = markers.length > 0 ? this.#produce(markers) : undefined;
    await Promise.all([removed, produced]);
  }

  /** Those of the messages without which their subjects have none. */
  #lastOfSubjects(seqs: readonly number[]): Set<number> {
    const { store } = this.#state;
    const expiring = new Map<number, number>();
    const lasts = new Set<number>();
    for (const seq of seqs) {
      const id = store.subjectOf(seq);
      if (id < 0) continue;
      const count = (expiring.get(id) ?? 0) + 1;
      expiring.set(id, count);
      if (count === store.subjects.countOf(id)) lasts.add(seq);
    }
    return lasts;
  }
}

/** Ascending sequences as `first, last` of each run without gaps. */
function runsOf(seqs: readonly number[]): number[] {
  const runs: number[] = [];
  for (const seq of seqs) {
    if (runs.at(-1) === seq - 1) runs[runs.length - 1] = seq;
    else runs.push(seq, seq);
  }
  return runs;
}
