/** Owns the leader's timer for `max_age`: it proposes to remove what has become too old; replicas do so when they apply it. */
import type { Runtime, Timer } from '../base/runtime.ts';
import { BlockRef, type BlockChunk } from './block-table.ts';
import type { ReplicatedState } from './replicated-state.ts';

/** Messages expire together when they are due within this time. */
const MIN_INTERVAL_MS = 250;
/** The wall clock may jump: the timer looks again at least this often. */
const MAX_INTERVAL_MS = 60_000;
/** One operation removes about this many at most, so that applying it takes no more than a few milliseconds. */
const MAX_EXPIRED = 50_000;

export class AgeLimit {
  readonly #state: ReplicatedState;
  readonly #runtime: Runtime;
  readonly #isLeader: () => boolean;
  readonly #expire: (below: number) => Promise<unknown>;
  #timer: Timer | undefined;
  #proposing = false;
  #closed = false;

  constructor(options: {
    readonly state: ReplicatedState;
    readonly runtime: Runtime;
    readonly isLeader: () => boolean;
    /** Proposes that everything below a sequence goes. */
    readonly expire: (below: number) => Promise<unknown>;
  }) {
    this.#state = options.state;
    this.#runtime = options.runtime;
    this.#isLeader = options.isLeader;
    this.#expire = options.expire;
  }

  /** Something was stored, or the configuration or the leader changed. */
  schedule(): void {
    if (this.#timer !== undefined || this.#proposing || this.#closed) return;
    const { config, store } = this.#state;
    if (config.maxAgeMs <= 0 || store.messages === 0 || !this.#isLeader()) return;
    const dueMs = store.timestampOf(store.firstSeq) / 1000 + config.maxAgeMs - this.#runtime.wallUs() / 1000;
    const delayMs = Math.min(Math.max(dueMs, MIN_INTERVAL_MS), MAX_INTERVAL_MS);
    this.#timer = this.#runtime.after(delayMs, () => {
      this.#timer = undefined;
      this.#proposeExpiry();
    });
  }

  /** The limit changed: what was planned no longer holds. */
  reschedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.schedule();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #proposeExpiry(): void {
    const below = this.#firstKept();
    if (below === 0 || !this.#isLeader()) {
      this.schedule();
      return;
    }
    this.#proposing = true;
    const settled = (): void => {
      this.#proposing = false;
      this.schedule();
    };
    // A refusal means that another node leads now, and expires in its turn.
    this.#expire(below).then(settled, settled);
  }

  /** Expiry goes by blocks, but for those with messages of several times. 0: nothing is too old. */
  #firstKept(): number {
    const { config, store } = this.#state;
    if (config.maxAgeMs <= 0) return 0;
    const cutoffUs = this.#runtime.wallUs() - config.maxAgeMs * 1000;
    const ref = new BlockRef();
    let expired = 0;
    let below = 0;
    for (let found = store.table.seek(store.firstSeq, ref); found; found = store.table.next(ref)) {
      const { chunk, row } = ref;
      if (chunk.timestampUs[row]! > cutoffUs || expired >= MAX_EXPIRED) break;
      const old = countUntil(chunk, row, cutoffUs);
      if (old > 0) below = chunk.firstSeq[row]! + old;
      if (old < chunk.count[row]!) break;
      expired += chunk.live[row]!;
    }
    return below;
  }
}

/** How many of the block's sequences, from its first one on, are of a time up to `cutoffUs`. */
function countUntil(chunk: BlockChunk, row: number, cutoffUs: number): number {
  const count = chunk.count[row]!;
  if (chunk.side[row]?.times === undefined) return count;
  let ordinal = 0;
  while (ordinal < count && chunk.timeAt(row, ordinal) <= cutoffUs) ordinal++;
  return ordinal;
}
