/**
 * Owns giving the streams of removed nodes to others, on the meta leader. It needs nothing but the catalogue: a leader
 * that takes over finds the same streams. A stream whose leader can't be reached, or for which there is no room elsewhere,
 * keeps the removed node as a member, and is tried again.
 */
import type { Runtime, Timer } from '../../base/runtime.ts';
import type { Catalogue, StreamAssignment } from '../../cluster/index.ts';
import type { NodeId } from '../../base/brand.ts';

const LOOK_MS = 2_000;
/** Streams moved at the same time: the others go on meanwhile. */
const MOVES_AT_ONCE = 4;

export interface RehomingOptions {
  readonly runtime: Runtime;
  readonly catalogue: Catalogue;
  readonly leadsMeta: () => boolean;
  /** Never rejects; what did not work is tried again. */
  readonly replace: (assignment: StreamAssignment, node: NodeId) => Promise<void>;
}

export class Rehoming {
  readonly #options: RehomingOptions;
  #running = false;
  #timer: Timer | undefined;

  constructor(options: RehomingOptions) {
    this.#options = options;
  }

  start(): void {
    this.review();
    this.#timer = this.#options.runtime.after(LOOK_MS, () => {
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Looks at once. */
  review(): void {
    if (this.#running || !this.#options.leadsMeta()) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const streams = this.#homeless();
    const worker = async (): Promise<void> => {
      for (const [assignment, node] of streams) {
        if (!this.#options.leadsMeta()) return;
        await this.#options.replace(assignment, node);
      }
    };
    await Promise.all(Array.from({ length: MOVES_AT_ONCE }, worker));
    this.#running = false;
  }

  /** Streams with a removed member, and that member; as the catalogue is when each is asked for. */
  *#homeless(): Generator<readonly [StreamAssignment, NodeId], undefined> {
    const { catalogue } = this.#options;
    for (const account of catalogue.accounts()) {
      for (const { name } of catalogue.streams(account)) {
        const assignment = catalogue.stream(account, name);
        const removed = assignment?.members.find((member) => catalogue.wasRemoved(member));
        if (assignment !== undefined && removed !== undefined) yield [assignment, removed];
      }
    }
  }
}
