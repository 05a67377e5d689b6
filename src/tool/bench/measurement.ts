/** Owns what a measurement adds up to: messages and bytes over time, and how long single answers took. */
import type { Output, Progress } from '../output/index.ts';
import { formatBytes, formatCount, formatCountOf, formatDuration } from '../units.ts';

/** So many answers are kept; of more, an even sample. */
const LATENCIES_KEPT = 1_000_000;
const PERCENTILES = [50, 90, 99, 99.9] as const;

/** Messages and bytes, from the first to the last. */
class Tally {
  messages = 0;
  bytes = 0;
  #begin: number | undefined;
  #end = 0;

  /** The clock starts with the first call. */
  begin(): void {
    this.#begin ??= performance.now();
  }

  add(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
    this.#end = performance.now();
  }

  get seconds(): number {
    return Math.max(this.#end - (this.#begin ?? this.#end), 0.001) / 1000;
  }

  get messagesPerSecond(): number {
    return this.messages / this.seconds;
  }
}

export class Measurement {
  readonly tally = new Tally();
  #latencies = new Float64Array(1024);
  #latencyCount = 0;
  /** Only each so-many-th answer is kept. */
  #stride = 1;
  #seen = 0;

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

  result(name: string, shares: readonly Share[]): Result {
    const { messages, bytes, seconds, messagesPerSecond } = this.tally;
    const sorted = this.#latencies.slice(0, this.#latencyCount).sort();
    return {
      name,
      clients: shares.length,
      messages,
      bytes,
      seconds,
      messages_per_second: messagesPerSecond,
      bytes_per_second: bytes / seconds,
      messages_per_second_of_clients: shares.map(({ tally }) => tally.messagesPerSecond),
      ...(sorted.length > 0 && { latency_ms: latencySummary(sorted) }),
    };
  }
}

/** What one client does: counted for itself, in the whole, and on the progress bar. */
export class Share {
  readonly tally = new Tally();
  readonly #measurement: Measurement;
  readonly #progress: Progress;

  constructor(measurement: Measurement, progress: Progress) {
    this.#measurement = measurement;
    this.#progress = progress;
  }

  /** The clock starts with the first call. */
  begin(): void {
    this.tally.begin();
    this.#measurement.tally.begin();
  }

  /** `since` is when the request was sent whose answer is counted, if that is of interest. */
  done(messages: number, bytes: number, since?: number): void {
    this.tally.add(messages, bytes);
    this.#measurement.tally.add(messages, bytes);
    this.#progress.add(messages);
    if (since !== undefined) this.answered(since);
  }

  answered(since: number): void {
    this.#measurement.recordLatency(performance.now() - since);
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
  readonly messages_per_second_of_clients: readonly number[];
  readonly latency_ms?: Readonly<Record<string, number>>;
}

function latencySummary(sorted: Float64Array): Readonly<Record<string, number>> {
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
  const percentiles = PERCENTILES.map((percentile) => [`p${percentile}`, at(percentile / 100)] as const);
  return Object.fromEntries([['min', sorted[0]!], ...percentiles, ['max', sorted.at(-1)!]]);
}

export function resultText(result: Result, { style }: Output): string {
  const { name, clients, messages, bytes, seconds, latency_ms: latency } = result;
  const rate = (perSecond: number): string => `${formatCount(Math.round(perSecond))} msgs/s`;
  const throughput = `${formatBytes(Math.round(result.bytes_per_second))}/s`;
  const total = `${formatCountOf(messages, 'message')}, ${formatBytes(bytes)} in ${formatDuration(seconds * 1000)}`;
  const lines = [
    style.bold(`${name}: ${rate(result.messages_per_second)}, ${throughput}`),
    `  ${total}, ${formatCountOf(clients, 'client')}`,
  ];
  if (clients > 1) {
    const rates = result.messages_per_second_of_clients;
    lines.push(`  each client: ${rate(Math.min(...rates))} to ${rate(Math.max(...rates))}`);
  }
  if (latency !== undefined) {
    const parts = Object.entries(latency).map(([label, milliseconds]) => `${label} ${formatDuration(milliseconds)}`);
    lines.push(`  latency: ${parts.join(', ')}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
