/**
 * Owns the order of an account's catalogue changes: each is checked against the catalogue that the one before left behind,
 * so that two streams created at once can't both get the same subjects, or the last place.
 */
import { NotLeaderError } from '../../base/errors.ts';
import type { Runtime } from '../../base/runtime.ts';

/** A turn that takes longer, on a disk that hangs say, is no reason to hold up the others any further. */
const TURN_TIMEOUT_MS = 10_000;

export class AccountTurns {
  readonly #runtime: Runtime;
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Runs `task` once all earlier tasks of the account have ended, however they did, or were given up.
   * @throws {NotLeaderError} after the time of a turn; what the task asked for may or may not happen.
   */
  async run<T>(account: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(account) ?? Promise.resolve()).then(() => this.#inTime(task()));
    // Those who wait for this turn don't care how it ended; who asked for it does.
    const ended = turn.catch(() => undefined);
    this.#last.set(account, ended);
    try {
      return await turn;
    } finally {
      if (this.#last.get(account) === ended) this.#last.delete(account);
    }
  }

  #inTime<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#runtime.after(TURN_TIMEOUT_MS, () => {
        reject(new NotLeaderError('a change of the catalogue takes too long', false));
      });
      result.then(resolve, reject).finally(() => {
        timer.cancel();
      });
    });
  }
}
