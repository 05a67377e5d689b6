/** Owns the end of a turn: whoever gathered output during it registers once, and is flushed once. */
import type { Runtime } from '../../base/runtime.ts';

export interface Flushable {
  /** Called once per registration. May register again, for the next turn. */
  flush(): void;
}

/** What is left after so many goes into the next turn, so that sockets get theirs. */
const MAX_ROUNDS = 4;

export class TurnEnd {
  readonly #runtime: Runtime;
  /** Flushed before the others: what they announce must not arrive behind messages that rely on it. */
  #first: Flushable[] = [];
  #rest: Flushable[] = [];
  #scheduled = false;
  readonly #run = (): void => {
    // Still counts as scheduled while it runs: whoever registers now is served by the next round.
    this.flush();
    this.#scheduled = false;
    if (this.#first.length + this.#rest.length > 0) this.soon();
  };

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  addFirst(flushable: Flushable): void {
    this.#first.push(flushable);
    this.soon();
  }

  add(flushable: Flushable): void {
    this.#rest.push(flushable);
    this.soon();
  }

  soon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.defer(this.#run);
  }

  flush(): void {
    // What is said at the end of a turn makes others speak: a route's change brings deliveries, those fill connections.
    for (let round = 0; round < MAX_ROUNDS && this.#first.length + this.#rest.length > 0; round++) this.#flushOnce();
  }

  /** What can't wait for the end of the turn: something is sent within it. */
  flushFirst(): void {
    if (this.#first.length === 0) return;
    const first = this.#first;
    this.#first = [];
    for (const flushable of first) flushable.flush();
  }

  #flushOnce(): void {
    const rest = this.#rest;
    this.#rest = [];
    this.flushFirst();
    for (const flushable of rest) flushable.flush();
  }
}
