/** Owns what is measured of a group's own proposals until they are committed: bytes, which are bounded, and time. */
import type { HostMetrics } from './host-metrics.ts';
import type { Entry, LogIndex } from './types.ts';

/** Proposed here and not committed; above it nothing more should be proposed. */
const MAX_UNCOMMITTED_BYTES = 16 * 1024 * 1024;

export class ProposalMeter {
  readonly #metrics: HostMetrics;
  #uncommittedBytes = 0;
  #sample: { readonly index: LogIndex; readonly startMs: number } | undefined;

  constructor(metrics: HostMetrics) {
    this.#metrics = metrics;
  }

  get hasRoom(): boolean {
    return this.#uncommittedBytes < MAX_UNCOMMITTED_BYTES;
  }

  proposed(index: LogIndex, bytes: number, nowMs: number): void {
    this.#uncommittedBytes += bytes;
    this.#sample ??= { index, startMs: nowMs };
  }

  committed(entries: readonly Entry[], nowMs: number): void {
    if (this.#uncommittedBytes > 0) {
      for (const entry of entries) this.#uncommittedBytes -= entry.record.length;
      if (this.#uncommittedBytes < 0) this.#uncommittedBytes = 0;
    }
    if (this.#sample === undefined || this.#sample.index > entries[entries.length - 1]!.index) return;
    this.#metrics.committed((nowMs - this.#sample.startMs) / 1000);
    this.#sample = undefined;
  }

  /** Leadership is lost. */
  reset(): void {
    this.#uncommittedBytes = 0;
    this.#sample = undefined;
  }
}
