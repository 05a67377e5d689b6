/** Owns the node's durable state in memory: verified when loaded, saved one change after the other. */
import { crc32c } from '../base/checksum.ts';
import { StorageError } from '../base/errors.ts';
import { EMPTY_NODE_STATE, type DurableState, type NodeState } from './node-state.ts';
import { decodeNodeState, encodeNodeState } from './wire.ts';

const CHECKSUM_BYTES = 4;

export class StateKeeper {
  readonly #durable: DurableState;
  readonly #fatal: (error: Error) => void;
  #state: NodeState;
  #saved: Promise<void> = Promise.resolve();

  private constructor(durable: DurableState, state: NodeState, fatal: (error: Error) => void) {
    this.#durable = durable;
    this.#state = state;
    this.#fatal = fatal;
  }

  /** @throws {StorageError} */
  static async open(durable: DurableState, fatal: (error: Error) => void): Promise<StateKeeper> {
    const stored = await durable.load();
    return new StateKeeper(durable, stored === undefined ? EMPTY_NODE_STATE : decode(stored), fatal);
  }

  /** Includes changes whose saving is still under way. */
  get state(): NodeState {
    return this.#state;
  }

  /** Resolves once the change is durable. A failure is fatal for the node: nothing is saved any more. */
  async update(changes: Partial<NodeState>): Promise<void> {
    this.#state = { ...this.#state, ...changes };
    const body = encodeNodeState(this.#state);
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32BE(crc32c(body));
    this.#saved = this.#saved.then(() => this.#durable.save(Buffer.concat([checksum, body])));
    try {
      await this.#saved;
    } catch (error) {
      this.#fatal(error as Error);
      throw error;
    }
  }
}

function decode(stored: Buffer): NodeState {
  const body = stored.subarray(CHECKSUM_BYTES);
  const intact = stored.length >= CHECKSUM_BYTES && stored.readUInt32BE(0) === crc32c(body);
  const state = intact ? decodeNodeState(body) : undefined;
  if (state === undefined) throw new StorageError('STORAGE_CORRUPT', "the cluster's state file fails its checksum");
  return state;
}
