/**
 * Owns knowing that the catalogue here is no older than when this process began. A node that starts again has, until its
 * meta group has told it more, the catalogue of its last checkpoint: by that one it might take a group for new that it
 * had held, and left, before.
 */
import type { NodeId } from '../base/brand.ts';
import { NotLeaderError } from '../base/errors.ts';
import type { Runtime } from '../base/runtime.ts';
import type { GroupStatus } from '../raft/index.ts';
import type { Requests } from './requests.ts';

const SERVICE = 'cluster.catalogueIndex';
const TIMEOUT_MS = 2_000;
const RETRY_MS = 50;
const INDEX_BYTES = 8;
const NO_BODY = Buffer.alloc(0);

export interface CatalogueCurrencyOptions {
  readonly runtime: Runtime;
  readonly requests: Pick<Requests, 'request' | 'serve'>;
  readonly status: () => GroupStatus | undefined;
  readonly leader: () => NodeId | undefined;
  /** Of the writer: linearizable on the leader. @throws {NotLeaderError} */
  readonly barrier: () => Promise<void>;
}

export class CatalogueCurrency {
  readonly #options: CatalogueCurrencyOptions;
  #current: Promise<void> | undefined;
  #stopped = false;

  constructor(options: CatalogueCurrencyOptions) {
    this.#options = options;
    options.requests.serve(SERVICE, () => this.#answer());
  }

  /** Resolves once; what was current stays so. Never, if no meta leader is found before the node stops. */
  whenCurrent(): Promise<void> {
    this.#current ??= this.#find();
    return this.#current;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #find(): Promise<void> {
    const { leader, requests, status } = this.#options;
    let index: number | undefined;
    while (!this.#stopped) {
      const node = leader();
      if (index === undefined && node !== undefined) {
        // No leader, or another one by now: the next try tells.
        const answer = await requests.request(node, SERVICE, NO_BODY, TIMEOUT_MS).catch(() => undefined);
        if (answer?.length === INDEX_BYTES) index = Number(answer.readBigUInt64BE());
      }
      if (index !== undefined && (status()?.lastApplied ?? 0) >= index) return;
      await new Promise<void>((resolve) => this.#options.runtime.after(RETRY_MS, resolve));
    }
    await new Promise<never>(() => undefined);
  }

  async #answer(): Promise<Buffer> {
    await this.#options.barrier();
    const status = this.#options.status();
    if (status === undefined) throw new NotLeaderError('there is no meta group here', true);
    const answer = Buffer.alloc(INDEX_BYTES);
    answer.writeBigUInt64BE(BigInt(status.lastApplied));
    return answer;
  }
}
