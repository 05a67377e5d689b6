/** Owns the memory of closed connections, as `/connz?state=closed` shows it: the last so many. */
import type { ConnectionReport } from './connection-report.ts';

export class ConnectionHistory {
  readonly #capacity: number;
  readonly #reports: ConnectionReport[] = [];
  /** Where the oldest is once the ring is full. */
  #oldest = 0;
  /** Closed connections ever, also those forgotten. */
  total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(report: ConnectionReport): void {
    this.total++;
    if (this.#capacity === 0) return;
    if (this.#reports.length < this.#capacity) {
      this.#reports.push(report);
      return;
    }
    this.#reports[this.#oldest] = report;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  /** Oldest first. */
  all(): ConnectionReport[] {
    return [...this.#reports.slice(this.#oldest), ...this.#reports.slice(0, this.#oldest)];
  }
}
