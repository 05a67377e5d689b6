/**
 * Owns the measurements taken while the server runs: plain counters and buckets, cheap enough for the hot path. Turning
 * them into Prometheus text is monitoring/prometheus.ts, which is loaded at the first scrape.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { HostMetrics } from '../raft/index.ts';

/** Upper bounds in seconds: from a page cache write to a disk in trouble. */
const LATENCY_BOUNDS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const;

/** Often enough to see a stall of one turn, seldom enough to cost nothing. */
const LOOP_DELAY_RESOLUTION_MS = 20;

export interface HistogramSnapshot {
  /** Upper bounds, ascending, without the last one, infinity. */
  readonly bounds: readonly number[];
  /** Observations at or below the bound, one number more than there are bounds. */
  readonly cumulative: readonly number[];
  readonly sum: number;
}

export class LatencyHistogram {
  readonly #counts = new Float64Array(LATENCY_BOUNDS_SECONDS.length + 1);
  #sum = 0;

  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_SECONDS.length && seconds > LATENCY_BOUNDS_SECONDS[bucket]!) bucket += 1;
    this.#counts[bucket]! += 1;
    this.#sum += seconds;
  }

  snapshot(): HistogramSnapshot {
    let total = 0;
    const cumulative = Array.from(this.#counts, (count) => (total += count));
    return { bounds: LATENCY_BOUNDS_SECONDS, cumulative, sum: this.#sum };
  }
}

/** What the event loop was late by since the last scrape, in seconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Handed to whoever has something to measure. */
export class ServerMetrics implements HostMetrics {
  readonly fsync = new LatencyHistogram();
  readonly commit = new LatencyHistogram();
  readonly #loopDelay: IntervalHistogram;
  /** Plain counters since the start. */
  readonly counts = {
    leaderChanges: 0,
    elections: 0,
    writtenBytes: 0,
    snapshotSentBytes: 0,
    snapshotReceivedBytes: 0,
    repairedRecords: 0,
    digestMismatches: 0,
  };

  constructor() {
    this.#loopDelay = monitorEventLoopDelay({ resolution: LOOP_DELAY_RESOLUTION_MS });
    this.#loopDelay.enable();
  }

  wrote(seconds: number, bytes: number): void {
    this.fsync.observe(seconds);
    this.counts.writtenBytes += bytes;
  }

  committed(seconds: number): void {
    this.commit.observe(seconds);
  }

  electionStarted(): void {
    this.counts.elections += 1;
  }

  leaderChanged(): void {
    this.counts.leaderChanges += 1;
  }

  snapshotSent(bytes: number): void {
    this.counts.snapshotSentBytes += bytes;
  }

  snapshotReceived(bytes: number): void {
    this.counts.snapshotReceivedBytes += bytes;
  }

  recordRepaired(): void {
    this.counts.repairedRecords += 1;
  }

  digestMismatch(): void {
    this.counts.digestMismatches += 1;
  }

  /** Starts over with every call. */
  takeLoopDelay(): LoopDelay {
    // The histogram measures the whole interval; what is beyond the resolution is the delay. Empty, it says NaN or 0.
    const delay = (nanoseconds: number): number =>
      Math.max(0, (Number.isFinite(nanoseconds) ? nanoseconds / 1e6 : 0) - LOOP_DELAY_RESOLUTION_MS) / 1000;
    const taken = {
      p50: delay(this.#loopDelay.percentile(50)),
      p99: delay(this.#loopDelay.percentile(99)),
      max: delay(this.#loopDelay.max),
    };
    this.#loopDelay.reset();
    return taken;
  }

  close(): void {
    this.#loopDelay.disable();
  }
}
