/**
 * Owns what an account has used up: publishes to its streams are refused while it holds as much as it may. What is on this
 * node is counted at each question, what is on others is asked for now and then; so an account may come to hold more
 * than it may by what is published in the meantime.
 */
import { ACCOUNT_RESOURCES_EXCEEDED, type ApiError } from '../../base/api-errors.ts';
import type { Runtime, Timer } from '../../base/runtime.ts';
import type { AccountLimits, AccountUsage } from '../api/index.ts';

/** As often as the reference server's nodes tell each other. */
const REFRESH_MS = 1_500;

export interface AccountQuotaOptions {
  readonly runtime: Runtime;
  /** By account; those without JetStream are not among them. */
  readonly limits: ReadonlyMap<string, AccountLimits>;
  readonly usedHere: (account: string) => AccountUsage;
  /** Summed over all nodes. */
  readonly usedAnywhere: (account: string) => Promise<AccountUsage>;
}

export class AccountQuotas {
  readonly #options: AccountQuotaOptions;
  readonly #bounded: ReadonlyMap<string, AccountLimits>;
  readonly #usedElsewhere = new Map<string, AccountUsage>();
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: AccountQuotaOptions) {
    this.#options = options;
    this.#bounded = new Map(
      [...options.limits].filter(([, { maxMemoryBytes, maxStorageBytes }]) => {
        return maxMemoryBytes >= 0 || maxStorageBytes >= 0;
      }),
    );
  }

  start(): void {
    if (this.#bounded.size > 0) void this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Why a stream of the account may not store any more now. */
  refusal(account: string, storage: 'file' | 'memory'): ApiError | undefined {
    const limits = this.#bounded.get(account);
    if (limits === undefined) return undefined;
    const most = storage === 'file' ? limits.maxStorageBytes : limits.maxMemoryBytes;
    if (most < 0) return undefined;
    const bytes = (usage: AccountUsage | undefined): number =>
      (storage === 'file' ? usage?.storageBytes : usage?.memoryBytes) ?? 0;
    const used = bytes(this.#options.usedHere(account)) + bytes(this.#usedElsewhere.get(account));
    return used >= most ? ACCOUNT_RESOURCES_EXCEEDED : undefined;
  }

  async #refresh(): Promise<void> {
    for (const account of this.#bounded.keys()) {
      const all = await this.#options.usedAnywhere(account);
      const here = this.#options.usedHere(account);
      this.#usedElsewhere.set(account, {
        memoryBytes: Math.max(0, all.memoryBytes - here.memoryBytes),
        storageBytes: Math.max(0, all.storageBytes - here.storageBytes),
        consumers: 0,
      });
    }
    if (this.#stopped) return;
    this.#timer = this.#options.runtime.after(REFRESH_MS, () => {
      void this.#refresh();
    });
  }
}
