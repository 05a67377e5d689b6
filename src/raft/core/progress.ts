/**
 * Owns what a leader knows of one other member: how far its log is known to match, what is in flight to it, and how
 * fast to send.
 *
 * - `probe`: where its log matches is a guess; one message at a time finds out.
 * - `replicate`: it matches; messages are sent ahead of their acknowledgements, within limits (thesis §10.2.1).
 * - `snapshot`: the log no longer reaches it; nothing is sent until a checkpoint was.
 */
import { invariant } from '../../base/errors.ts';
import type { LogIndex } from '../types.ts';
import type { CoreLimits } from './input.ts';

export type ProgressState =
  | { readonly kind: 'probe'; paused: boolean }
  | { readonly kind: 'replicate' }
  | { readonly kind: 'snapshot'; readonly index: LogIndex };

/**
 * A member that lost something counts for nothing until the leader vouches for it. For that the leader must have been
 * confirmed, in a round begun after it learned of the loss, by a quorum that does without this member: then no lost
 * vote of it can have made another leader. And the member must hold what was committed then (`throughIndex`): then no
 * lost acknowledgement of it matters any more.
 */
export interface Repair {
  /** As the member says. */
  readonly number: number;
  readonly sinceRound: number;
  throughIndex: LogIndex | undefined;
}

export class Progress {
  readonly #limits: CoreLimits;
  /** Invariant: matchIndex < nextIndex. Between them lie the entries in flight. */
  #matchIndex = 0 as LogIndex;
  #nextIndex: LogIndex;
  #state: ProgressState = { kind: 'probe', paused: false };
  /** Of the messages in flight, oldest first: the last index of each, and its bytes. */
  readonly #inflightEnds: number[] = [];
  readonly #inflightBytes: number[] = [];
  #bytesInFlight = 0;

  /** When it was last heard of, or else when we began to listen: the first look must not find silence. */
  lastContact: number;
  /** Of the latest of our rounds that it has answered. */
  ackedRound = 0;
  /** What it said its own is. */
  commitIndex = 0 as LogIndex;
  /** How far what we sent tells it to commit. */
  toldCommitIndex = 0 as LogIndex;
  /** Entries for it are being read. */
  loading = false;
  repair: Repair | undefined;
  /** Replies to older rounds stem from before a loss, and describe a log that is no more. */
  ignoreRoundsBefore = 0;

  constructor(limits: CoreLimits, nextIndex: LogIndex, now: number) {
    this.#limits = limits;
    this.#nextIndex = nextIndex;
    this.lastContact = now;
  }

  get matchIndex(): LogIndex {
    return this.#matchIndex;
  }

  get nextIndex(): LogIndex {
    return this.#nextIndex;
  }

  get state(): ProgressState {
    return this.#state;
  }

  /** Nothing may be sent but heartbeats. */
  get paused(): boolean {
    switch (this.#state.kind) {
      case 'probe':
        return this.#state.paused;
      case 'replicate':
        return (
          this.#inflightEnds.length >= this.#limits.maxInflightMessages ||
          this.#bytesInFlight >= this.#limits.maxInflightBytes
        );
      case 'snapshot':
        return true;
    }
  }

  /** Lets a probe go out again: the last one, or its answer, may be lost. */
  resume(): void {
    if (this.#state.kind === 'probe') this.#state.paused = false;
  }

  sent(lastIndex: LogIndex, bytes: number): void {
    switch (this.#state.kind) {
      case 'probe':
        this.#state.paused = true;
        return;
      case 'replicate':
        this.#inflightEnds.push(lastIndex);
        this.#inflightBytes.push(bytes);
        this.#bytesInFlight += bytes;
        this.#nextIndex = (lastIndex + 1) as LogIndex;
        return;
      case 'snapshot':
        invariant(false, 'entries sent to a member that waits for a snapshot');
    }
  }

  /** Its log matches ours up to `index`, durably. */
  acknowledged(index: LogIndex): void {
    if (index > this.#matchIndex) this.#matchIndex = index;
    if (this.#nextIndex <= this.#matchIndex) this.#nextIndex = (this.#matchIndex + 1) as LogIndex;
    this.#landed(index);
    if (this.#state.kind === 'snapshot' && this.#matchIndex < this.#state.index) return;
    if (this.#state.kind === 'replicate') return;
    this.#become({ kind: 'replicate' }, (this.#matchIndex + 1) as LogIndex);
  }

  #landed(index: LogIndex): void {
    let count = 0;
    while (count < this.#inflightEnds.length && this.#inflightEnds[count]! <= index) {
      this.#bytesInFlight -= this.#inflightBytes[count]!;
      count++;
    }
    if (count === 0) return;
    this.#inflightEnds.splice(0, count);
    this.#inflightBytes.splice(0, count);
  }

  /**
   * It refused entries behind `prevLogIndex`; its log may match at `hint`. False: an old refusal, overtaken by events.
   */
  refused(prevLogIndex: LogIndex, hint: LogIndex): boolean {
    if (this.#state.kind === 'snapshot' || prevLogIndex <= this.#matchIndex) return false;
    if (this.#state.kind === 'probe' && prevLogIndex !== this.#nextIndex - 1) return false;
    const next = Math.max(this.#matchIndex, Math.min(hint, prevLogIndex - 1)) + 1;
    this.#become({ kind: 'probe', paused: false }, next as LogIndex);
    return true;
  }

  /** The log no longer holds its next entry. */
  needsSnapshot(index: LogIndex): void {
    this.#become({ kind: 'snapshot', index }, (index + 1) as LogIndex);
  }

  /** The transfer is over. A failed one is tried again with the next heartbeat, not at once. */
  snapshotEnded(index: LogIndex, success: boolean): void {
    if (this.#state.kind !== 'snapshot') return;
    const next = success ? Math.max(index, this.#matchIndex) + 1 : this.#matchIndex + 1;
    this.#become({ kind: 'probe', paused: !success }, next as LogIndex);
  }

  /** All that was known of its log is void. */
  beginRepair(number: number, sinceRound: number, nextIndex: LogIndex): void {
    this.repair = { number, sinceRound, throughIndex: undefined };
    this.ignoreRoundsBefore = sinceRound;
    this.ackedRound = 0;
    this.commitIndex = 0 as LogIndex;
    this.#matchIndex = 0 as LogIndex;
    this.#become({ kind: 'probe', paused: false }, nextIndex);
  }

  #become(state: ProgressState, nextIndex: LogIndex): void {
    this.#state = state;
    this.#nextIndex = nextIndex;
    this.#inflightEnds.length = 0;
    this.#inflightBytes.length = 0;
    this.#bytesInFlight = 0;
  }
}
