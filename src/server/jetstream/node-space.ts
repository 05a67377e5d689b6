/**
 * Owns how much room this node has for streams: tells the cluster, so that new replicas go where room is, and when there
 * is hardly any left, tells the operator and hands the lead of the catalogue to a node that has some.
 */
import type { Runtime, Timer } from '../../base/runtime.ts';
import type { ClusterNode } from '../../cluster/index.ts';
import { META_GROUP } from '../../raft/index.ts';
import type { LocalStreams } from './local-streams.ts';

const LOOK_MS = 2_000;
/** What moves by less than this part of the whole is not worth telling. */
const WORTH_TELLING = 1 / 32;

export interface NodeSpaceOptions {
  readonly cluster: ClusterNode;
  readonly streams: LocalStreams;
  readonly runtime: Runtime;
  readonly maxFileBytes: number;
  readonly maxMemoryBytes: number;
  readonly lowOnSpace: () => boolean;
  /** There is hardly any room left, since just now. */
  readonly outOfSpace: () => void;
}

export class NodeSpace {
  readonly #options: NodeSpaceOptions;
  #told = { fileBytes: -Infinity, memoryBytes: -Infinity };
  #wasLow = false;
  #timer: Timer | undefined;

  constructor(options: NodeSpaceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#look();
    this.#timer = this.#options.runtime.after(LOOK_MS, () => {
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { cluster, maxFileBytes, maxMemoryBytes, lowOnSpace, outOfSpace } = this.#options;
    const isLow = lowOnSpace();
    if (isLow && !this.#wasLow) outOfSpace();
    this.#wasLow = isLow;
    const meta = cluster.host.group(META_GROUP);
    if (isLow && meta?.status.role === 'leader') void meta.transferLeadership();
    const taken = this.#taken();
    const fileBytes = isLow ? 0 : Math.max(0, maxFileBytes - taken.file);
    const memoryBytes = Math.max(0, maxMemoryBytes - taken.memory);
    const isNews =
      Math.abs(fileBytes - this.#told.fileBytes) > maxFileBytes * WORTH_TELLING ||
      Math.abs(memoryBytes - this.#told.memoryBytes) > maxMemoryBytes * WORTH_TELLING;
    if (!isNews) return;
    this.#told = { fileBytes, memoryBytes };
    cluster.setAvailable(this.#told);
  }

  /** What streams hold here, and what they may claim at any time. */
  #taken(): { readonly file: number; readonly memory: number } {
    const taken = { file: 0, memory: 0 };
    for (const { instance } of this.#options.streams.all()) {
      const { storage, maxBytes } = instance.config;
      taken[storage] += Math.max(maxBytes, instance.state().bytes);
    }
    return taken;
  }
}
