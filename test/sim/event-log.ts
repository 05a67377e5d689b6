/** Owns what happened in a simulation, in order: a running hash of all of it, the latest lines, and what broke a rule. */
import { crc32c } from '../../src/base/checksum.ts';

/** Lines kept for whoever has to understand a failure. */
const KEPT_LINES = 400;
const MAX_VIOLATIONS = 5;

export class EventLog {
  readonly violations: string[] = [];
  readonly #nowMs: () => number;
  readonly #recent: string[] = [];
  #digest = 0;
  #lines = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Equal for two runs that took the same course. */
  get digest(): string {
    return `${this.#lines}:${this.#digest.toString(16)}`;
  }

  get recent(): readonly string[] {
    return this.#recent;
  }

  note(text: string): void {
    const line = `${this.#nowMs().toFixed(3)} ${text}`;
    this.#digest = crc32c(Buffer.from(line), this.#digest);
    this.#lines++;
    this.#recent.push(line);
    if (this.#recent.length >= 2 * KEPT_LINES) this.#recent.splice(0, KEPT_LINES);
  }

  /** One broken rule breaks others: only the first few tell anything. */
  readonly complain = (violation: string): void => {
    if (this.violations.length >= MAX_VIOLATIONS) return;
    this.violations.push(violation);
    this.note(`VIOLATION ${violation}`);
  };
}
