/** Owns what a measurement adds up to: messages and bytes over time, and how long single answers took. */
import type { Output } from '../output/index.ts';
import { formatBytes, formatCount, formatCountOf, formatDuration } from '../units.ts';

/** So many answers are kept; of more, an even sample. */
const LATENCIES_KEPT = 1_000_000;
const PERCENTILES = [50, 90, 99, 99.9] as const;

export class Measurement {
  #begin: number | undefined;
  #end = 0;
  #messages = 0;
  #bytes = 0;
  #latencies = new Float64Array(1024);
  #latencyCount = 0;
  /** Only each so-many-th answer is kept. */
  #stride = 1;
  #seen = 0;

  /** The clock starts with the first call. */
  begin(): void {
    this.#begin ??= performance.now();
  }

  record(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
    this.#end = performance.now();
  }

  recordLatency(milliseconds: number): void {
    this.#seen += 1;
    if (this.#seen % this.#stride !== 0) return;
    if (this.#latencyCount === LATENCIES_KEPT) this.#thinOut();
    if (this.#latencyCount === this.#latencies.length) {
      const larger = new Float64Array(this.#latencies.length * 2);
      larger.set(this.#latencies);
      this.#latencies = larger;
    }
    this.#latencies[this.#latencyCount] = milliseconds;
    this.#latencyCount += 1;
  }

  /** Every other one goes, and from now on only every other one comes. */
  #thinOut(): void {
    for (let i = 0; i < LATENCIES_KEPT / 2; i++) this.#latencies[i] = this.#latencies[2 * i + 1]!;
    this.#latencyCount = LATENCIES_KEPT / 2;
    this.#stride *= 2;
  }

  result(name: string, clients: number): Result {
    const seconds = Math.max(this.#end - (this.#begin ?? this.#end), 0.001) / 1000;
    const sorted = this.#latencies.slice(0, this.#latencyCount).sort();
    return {
      name,
      clients,
      messages: this.#messages,
      bytes: this.#bytes,
      seconds,
      messages_per_second: this.#messages / seconds,
      bytes_per_second: this.#bytes / seconds,
      ...(sorted.length > 0 && { latency_ms: latencySummary(sorted) }),
    };
  }
}

export interface Result {
  readonly name: string;
  readonly clients: number;
  readonly messages: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly messages_per_second: number;
  readonly bytes_per_second: number;
  readonly latency_ms?: Readonly<Record<string, number>>;
}

function latencySummary(sorted: Float64Array): Readonly<Record<string, number>> {
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
  const percentiles = PERCENTILES.map((percentile) => [`p${percentile}`, at(percentile / 100)] as const);
  return Object.fromEntries([['min', sorted[0]!], ...percentiles, ['max', sorted.at(-1)!]]);
}

export function resultText(result: Result, { style }: Output): string {
  const { name, clients, messages, bytes, seconds, latency_ms: latency } = result;
  const who = formatCountOf(clients, 'client');
  const rate = `${formatCount(Math.round(result.messages_per_second))} msgs/s`;
  const throughput = `${formatBytes(Math.round(result.bytes_per_second))}/s`;
  const total = `${formatCountOf(messages, 'message')}, ${formatBytes(bytes)} in ${formatDuration(seconds * 1000)}, ${who}`;
  const lines = [style.bold(`${name}: ${rate}, ${throughput}`), `  ${total}`];
  if (latency !== undefined) {
    const parts = Object.entries(latency).map(([label, milliseconds]) => `${label} ${formatDuration(milliseconds)}`);
    lines.push(`  latency: ${parts.join(', ')}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
