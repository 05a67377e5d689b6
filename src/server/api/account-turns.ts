/**
 * Owns the order of an account's catalogue changes: each is checked against the catalogue that the one before left behind,
 * so that two streams created at once can't both get the same subjects, or the last place.
 */
export class AccountTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `task` once all earlier tasks of the account have ended, however they did. */
  async run<T>(account: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(account) ?? Promise.resolve()).then(task);
    // Those who wait for this turn don't care how it ended; who asked for it does.
    const ended = turn.catch(() => undefined);
    this.#last.set(account, ended);
    try {
      return await turn;
    } finally {
      if (this.#last.get(account) === ended) this.#last.delete(account);
    }
  }
}
