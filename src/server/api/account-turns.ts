/**
 * Owns the order of an account's catalogue changes: each is checked against the catalogue that the one before left behind,
 * so that two streams created at once can't both get the same subjects, or the last place. Changes that can't take
 * anything from each other go beside each other, so that the catalogue's log takes many of them at once.
 */
import { NotLeaderError } from '../../base/errors.ts';
import type { Runtime } from '../../base/runtime.ts';

/** A turn that takes longer, on a disk that hangs say, is no reason to hold up the others any further. */
const TURN_TIMEOUT_MS = 10_000;

export class AccountTurns {
  readonly #runtime: Runtime;
  /** Ends when every task of the account so far has. */
  readonly #last = new Map<string, Promise<unknown>>();
  /** Ends when every task that came by `run` has. */
  readonly #lastInOrder = new Map<string, Promise<unknown>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Runs `task` once all earlier tasks of the account have ended, however they did, or were given up.
   * @throws {NotLeaderError} after the time of a turn; what the task asked for may or may not happen.
   */
  run<T>(account: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(account) ?? Promise.resolve()).then(() => this.#inTime(task()));
    const ended = quietly(turn);
    remember(this.#last, account, ended);
    remember(this.#lastInOrder, account, ended);
    return turn;
  }

  /** The same, beside others that come this way: it waits for those that came by `run`, and they for it. */
  beside<T>(account: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#lastInOrder.get(account) ?? Promise.resolve()).then(() => this.#inTime(task()));
    remember(this.#last, account, Promise.all([this.#last.get(account), quietly(turn)]));
    return turn;
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

/** Those who wait for a turn don't care how it ended; who asked for it does. */
function quietly(turn: Promise<unknown>): Promise<unknown> {
  return turn.catch(() => undefined);
}

/** Until it has ended. `ended` never rejects. */
function remember(last: Map<string, Promise<unknown>>, account: string, ended: Promise<unknown>): void {
  last.set(account, ended);
  void ended.then(() => {
    if (last.get(account) === ended) last.delete(account);
  });
}
